"""`qwenwatch disagreement`: where sources state different prices. Imports Polars."""

import argparse
from decimal import Decimal, InvalidOperation
from functools import partial

from qwenwatch.asking import disagreement_of
from qwenwatch.commands.answering import answer_question
from qwenwatch.days import day_option
from qwenwatch.session import Session
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.market.known import Known
from qwenwatch_widgets.views.answer import Answer


def run_disagreement(options: argparse.Namespace) -> int:
    """Compare the prices of all sources and print where they differ.

    Raises:
        NothingToShow: There are no prices.
        ValueError: A number or a date is none.
    """
    least = _percent(options.min_percent)
    return answer_question(options, partial(_ask, options, least))


def _ask(options: argparse.Namespace, least: Decimal, session: Session, known: Known) -> Answer:
    resolve = load_identity().resolve
    return disagreement_of(
        session,
        known,
        day=day_option(options.date),
        models=sorted({resolve(model) for model in options.models}),
        basis=options.basis or "",
        least=least,
        top=session.config.top if options.top is None else options.top,
    )


def _percent(text: str) -> Decimal:
    try:
        percent = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation as error:
        raise ValueError(f"--min-percent {text!r} is not a percentage: write it like 5") from error
    if not percent.is_finite() or percent < 0:
        raise ValueError(f"--min-percent {text!r} is not a percentage of 0 or more")
    return percent
