"""`qwenwatch feeds`: how every source is doing."""

import argparse
import json
from typing import Any

from qwenwatch.commands.context import open_session, wants_colour, write_out
from qwenwatch.exit_codes import ExitCode
from qwenwatch.printers.tables import Page
from qwenwatch.printers.text import print_markdown, print_text
from qwenwatch_cache.clock import iso
from qwenwatch_cache.health import FeedState
from qwenwatch_widgets.views.amounts import instant
from qwenwatch_widgets.views.build import feeds_view
from qwenwatch_widgets.views.snapshot import SCHEMA_VERSION


def run_feeds(options: argparse.Namespace) -> int:
    """Print the health of the feeds."""
    session = open_session(options)
    scene = session.scene()
    if options.format == "json":
        plain = {
            "schema_version": SCHEMA_VERSION,
            "at": iso(scene.now),
            "feeds": [_plain(state) for state in scene.feeds],
        }
        write_out(json.dumps(plain, ensure_ascii=False, indent=2) + "\n", None)
        return ExitCode.GOOD
    view = feeds_view(scene.feeds, scene.now, scene.notices)
    lines = [f"at {instant(scene.now)}", f"cache {session.store.root}", *view.notices]
    page = Page("qwenwatch feeds", lines, [view.table], [])
    if options.format == "md":
        write_out(print_markdown(page), None)
    else:
        write_out(print_text(page, colour=wants_colour(options)), None)
    return ExitCode.GOOD


def _plain(state: FeedState) -> dict[str, Any]:
    feed = state.settings.feed
    return {
        "feed": feed.name,
        "state": state.state,
        "last_good": iso(state.last_good) if state.last_good else None,
        "due": iso(state.due) if state.due else None,
        "error": state.error or None,
        "rows": state.rows,
        "rows_stored": state.rows_new,
        "key": None if not feed.key_env else not state.settings.key_missing,
        "every_seconds": int(state.settings.every.total_seconds()),
        "licence": feed.licence,
    }
