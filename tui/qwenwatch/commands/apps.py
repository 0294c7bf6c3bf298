"""`qwenwatch leaders --by app`: which apps use most, and how much to a request."""

import argparse
from datetime import date, timedelta

from qwenwatch.commands.answering import answer_question
from qwenwatch.days import day_option
from qwenwatch.session import Session
from qwenwatch_cache.clock import SETTLED
from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.feeds.openrouter_apps import NAME
from qwenwatch_cache.market.closing import earliest_closing
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.side_by_side import apps_known
from qwenwatch_cache.market.standing import Reach
from qwenwatch_widgets.views.answer import Answer
from qwenwatch_widgets.views.deep_usage import apps_answer

YEAR = timedelta(days=366)
"""How far back the newest figures are looked for."""


def run_apps(options: argparse.Namespace) -> int:
    """Print the newest figures of apps.

    Raises:
        ValueError: An option cannot be read, or makes no sense of apps.
    """
    if options.window or options.metric:
        raise ValueError("--by app: figures of apps are of 30 days, tokens and requests together")
    day = day_option(options.date)

    def ask(session: Session, known: Known) -> Answer:
        if day is not None and not options.known_at:
            closed = earliest_closing(day)
            known = session.known(closed) if session.clock() >= closed + SETTLED else known
        until = day or known.at.date()
        rows, measured = apps_known(known, Reach(until - YEAR, until))
        if not measured:
            raise NothingToShow(
                f"no figures of apps are known up to {until}: {_missing(session, until)}"
            )
        top = session.config.top if options.top is None else options.top
        return apps_answer(rows, measured[0], known.at, top)

    return answer_question(options, ask)


def _missing(session: Session, until: date) -> str:
    """Why there are no figures up to a day."""
    known = session.known()
    _, later = apps_known(known, Reach(until, known.at.date()))
    if later:
        return f"the newest are of {later[0].start} to {later[0].end}"
    (feed,) = [one for one in session.scene().feeds if one.settings.feed.name == NAME]
    if feed.state == "no key":
        return "they need a key, and none is set"
    return f"`qwenwatch feeds` says how {NAME} is doing"
