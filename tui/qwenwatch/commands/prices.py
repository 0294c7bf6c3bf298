"""`qwenwatch prices`: what models cost at a time, or, with --history, what they ever did."""

import argparse
from typing import TYPE_CHECKING

from qwenwatch.commands.price_options import at_of, since_of, terms_of
from qwenwatch.commands.snapshot import run_snapshot

if TYPE_CHECKING:
    from qwenwatch.session import Session
    from qwenwatch_cache.market.known import Known
    from qwenwatch_widgets.views.answer import Answer

NOT_OF_A_HISTORY = ("at", "date", "request_size", "currency", "mix", "baseline")
"""Options that say what prices of a moment are wanted."""


def run_prices(options: argparse.Namespace) -> int:
    """Print prices of a moment, or their history.

    Raises:
        ValueError: Options contradict each other.
    """
    at = at_of(options)
    if options.history:
        return _run_history(options)
    if options.since is not None:
        raise ValueError("--since is for --history; prices of one time take --date or --at")
    if at is not None:
        if options.date is not None:
            raise ValueError("--at and --date are two ways to say the same: give one of them")
        options.date = at.date().isoformat()
    return run_snapshot(options)


def _run_history(options: argparse.Namespace) -> int:
    stray = [name for name in NOT_OF_A_HISTORY if getattr(options, name) is not None]
    if stray:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in stray)
        raise ValueError(f"{named}: not with --history, which is of all times as stated")
    if not options.models:
        raise ValueError("--history needs the model whose prices are wanted")
    since, terms = since_of(options), terms_of(options)
    from qwenwatch.commands.answering import answer_question
    from qwenwatch_cache.identity import load_identity
    from qwenwatch_widgets.views.price_history import history_answer

    models = tuple(load_identity().resolve(model) for model in options.models)

    def ask(session: "Session", known: "Known") -> "Answer":
        return history_answer(known, models, terms, since)

    return answer_question(options, ask)
