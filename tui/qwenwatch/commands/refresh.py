"""`qwenwatch refresh`: one polite round over the feeds that are due."""

import argparse
import asyncio
import sys

from qwenwatch.commands.context import is_quiet, narrate, open_session, write_out
from qwenwatch.exit_codes import ExitCode
from qwenwatch.narration import outcome_line
from qwenwatch.progress import progress_bars
from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.outcome import NEWS, Outcome
from qwenwatch_cache.places import read_only


def run_refresh(options: argparse.Namespace) -> int:
    """Ask the feeds and print one line each as soon as it is known."""
    only = options.feed or []
    for name in only:
        if name not in FEEDS:
            raise QwenwatchError(f"there is no feed {name!r}; there are {', '.join(FEEDS)}")
    session = open_session(options)
    if isinstance(session.store.address, str):
        raise read_only(session.store.address)
    if session.offline:
        narrate(options, "qwenwatch: offline, no feed is asked")
        return ExitCode.GOOD

    with progress_bars(shown=not is_quiet(options) and sys.stderr.isatty()) as bars:

        def say(outcome: Outcome) -> None:
            with bars.out_of_the_way():
                write_out(f"{outcome_line(outcome, session.clock())}\n", None)

        outcomes = asyncio.run(
            session.refresh(
                only=only,
                force=options.force,
                backfill=options.backfill,
                report=say,
                progress=bars.advance,
            )
        )
    for notice in session.store.notices:
        narrate(options, f"qwenwatch: {notice}")
    if any(outcome.state in NEWS for outcome in outcomes):
        from qwenwatch.preparing import prepare  # all of the questions, which few rounds need

        prepare(session)
    failed = any(outcome.state == "failed" for outcome in outcomes)
    return ExitCode.FEED_FAILED if failed else ExitCode.GOOD
