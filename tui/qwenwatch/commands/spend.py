"""`qwenwatch spend`: what the tokens used would have cost, as an interval."""

import argparse
from datetime import date
from typing import cast

from qwenwatch.commands.answering import answer_question
from qwenwatch.days import day_option
from qwenwatch.session import Session
from qwenwatch_cache.clock import SETTLED
from qwenwatch_cache.market.closing import closing
from qwenwatch_cache.market.definitions import By, definition_of
from qwenwatch_cache.market.implied_spend import TOKENS, implied_spend
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.token_prices import Basis
from qwenwatch_cache.market.windows import Grain
from qwenwatch_widgets.views.answer import Answer
from qwenwatch_widgets.views.spend import spend_answer


def run_spend(options: argparse.Namespace) -> int:
    """Print the implied spend of a window."""
    day = day_option(options.date)

    def ask(session: Session, known: Known) -> Answer:
        grain = cast(Grain, options.window or session.config.window)
        if day is not None and options.known_at is None:
            known = _as_closed(session, known, day, grain)
        window = known.choose_window(definition_of(TOKENS), grain, day)
        basis = cast(Basis, options.basis)
        found = implied_spend(known, cast(By, options.by), window, basis, session.mix)
        top = session.config.top if options.top is None else options.top
        return spend_answer(found, known.at, top=top)

    return answer_question(options, ask)


def _as_closed(session: Session, known: Known, day: date, grain: Grain) -> Known:
    """What was known when a day closed, if it has: what is said of it stands from then on."""
    moment = closing(known, session.store, day, grain, TOKENS)
    if moment is None or session.clock() < moment + SETTLED:
        return known
    return session.known(moment)
