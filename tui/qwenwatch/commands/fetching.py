"""Asking feeds for exactly the days that a check lacks. Imports Polars and the network."""

import argparse
import asyncio
from collections.abc import Iterable, Sequence
from datetime import date

from qwenwatch.commands.context import narrate
from qwenwatch.narration import outcome_line
from qwenwatch.session import Session
from qwenwatch_cache.market.missing import Missing
from qwenwatch_cache.outcome import Outcome


def fetch(
    session: Session, options: argparse.Namespace, missing: Iterable[Missing]
) -> Sequence[Outcome]:
    """Ask the feeds for what is missing, as far as they can bring it.

    Args:
        session: The cache and the feeds.
        options: The command line, for what is said on standard error.
        missing: What is missing; days that are wanted twice are asked for once.

    Returns:
        What came of each request.

    Raises:
        StoreError: The cache cannot be written.
    """
    wanted = sorted({(one.feed, _span(one)) for one in missing if one.fetchable}, key=str)
    if not wanted:
        narrate(options, "qwenwatch: nothing is missing that a feed could bring")
        return ()
    if session.offline:
        narrate(options, "qwenwatch: offline, so nothing is fetched")
        return ()
    came: list[Outcome] = []
    for feed, days in wanted:
        # What is of no days is the present: a round as any other.
        outcomes = asyncio.run(session.refresh(only=(feed,), days=days))
        for outcome in outcomes:
            narrate(options, outcome_line(outcome, session.clock()))
        came += outcomes
    return came


def _span(one: Missing) -> tuple[date, date] | None:
    return None if one.first is None or one.last is None else (one.first, one.last)
