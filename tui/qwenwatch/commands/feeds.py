"""`qwenwatch feeds`: how every source is doing."""

import argparse
import json
from typing import Any

from qwenwatch.commands.context import open_session, wants_colour, write_out
from qwenwatch.exit_codes import ExitCode
from qwenwatch.printers.text import print_markdown, print_text
from qwenwatch_cache.clock import iso
from qwenwatch_cache.health import FeedState
from qwenwatch_widgets.views.amounts import instant
from qwenwatch_widgets.views.answer import SCHEMA_VERSION, Page
from qwenwatch_widgets.views.feeds import feeds_view


def run_feeds(options: argparse.Namespace) -> int:
    """Print the health of the feeds."""
    session = open_session(options)
    states, now = session.health(), session.clock()
    if options.format == "json":
        plain = {
            "schema_version": SCHEMA_VERSION,
            "at": iso(now),
            "feeds": [_plain(state) for state in states],
        }
        write_out(json.dumps(plain, ensure_ascii=False, indent=2) + "\n", None)
        return ExitCode.GOOD
    view = feeds_view(states, now, session.store.notices)
    where = f"cache {session.store.address}"
    lines = [f"at {instant(now)}", where, *session.remarks(), *view.notices]
    citations = [f"{row.key}: {row.cite}" for row in view.table.rows]
    page = Page("qwenwatch feeds", lines, [view.table], citations)
    if options.format == "md":
        write_out(print_markdown(page), None)
    else:
        write_out(print_text(page, colour=wants_colour(options)), None)
    return ExitCode.GOOD


def _plain(state: FeedState) -> dict[str, Any]:
    settings, feed = state.settings, state.settings.feed
    as_of = state.holding.as_of
    return {
        "feed": feed.name,
        "state": state.state,
        "enabled": settings.enabled,
        "key": None if not feed.key_env else not settings.key_missing,
        "last_good": iso(state.last_good) if state.last_good else None,
        "as_of": iso(as_of) if as_of else None,
        "due": iso(state.due) if state.due else None,
        "error": state.error or None,
        "rows_new": state.rows_new,
        "rows": state.holding.rows,
        "every_seconds": int(settings.every.total_seconds()),
        "requests_a_day": feed.budget,
        "requests_left_today": state.left_today,
        "licence": feed.licence,
        "citation": feed.citation.format(as_of=instant(as_of or state.last_good)),
    }
