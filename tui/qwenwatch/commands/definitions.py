"""`qwenwatch definitions`: who is used most, by every definition side by side."""

import argparse
from datetime import date, datetime
from typing import cast

from qwenwatch.asking import definitions_of
from qwenwatch.commands.answering import answer_question
from qwenwatch.days import day_option
from qwenwatch.session import Session
from qwenwatch_cache.clock import SETTLED
from qwenwatch_cache.market.closing import closing
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.windows import Grain
from qwenwatch_widgets.views.answer import Answer
from qwenwatch_widgets.views.definitions import definitions_answer

ROWS = 10
"""Rows of the lists below the definitions, unless it is said how many."""


def run_definitions(options: argparse.Namespace) -> int:
    """Print all definitions of one time, and what stands behind them.

    Raises:
        ValueError: `--date` is no day.
    """
    day = day_option(options.date)

    def ask(session: Session, known: Known) -> Answer:
        grain = cast(Grain, options.window or session.config.window)
        closed = None if options.known_at else _closed_at(session, known, day, grain)
        known = known if closed is None else session.known(closed)
        top = ROWS if options.top is None else options.top
        return definitions_answer(definitions_of(session, known, grain, day), known.at, top=top)

    return answer_question(options, ask)


def _closed_at(session: Session, known: Known, day: date | None, grain: Grain) -> datetime | None:
    """When the day asked about closed (see `market.closing`), None if it has not."""
    if day is None or day >= known.at.date():
        return None
    moment = closing(known, session.store, day, grain)
    return moment if moment and session.clock() >= moment + SETTLED else None
