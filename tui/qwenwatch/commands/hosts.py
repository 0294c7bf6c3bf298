"""`qwenwatch hosts MODEL`: which hosts serve a model, at what price, how reliably."""

import argparse
import asyncio
import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from qwenwatch.commands.context import (
    instant_option,
    narrate,
    open_session,
    wants_colour,
    write_out,
)
from qwenwatch.exit_codes import ExitCode
from qwenwatch.narration import outcome_line
from qwenwatch.printers.text import print_markdown, print_text
from qwenwatch.session import Session
from qwenwatch_cache.errors import NothingToShow, StoreError
from qwenwatch_cache.feeds.openrouter_endpoints import FEED
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.market.hosts import HOSTS, ModelHosts, hosts_of, openrouter_ids
from qwenwatch_widgets.views.answer import Page
from qwenwatch_widgets.views.hosts import document, hosts_view

CSV_COLUMNS = ("model", "source_id", "currency", *HOSTS)


def run_hosts(options: argparse.Namespace) -> int:
    """Ask about one model, as far as the feed's floor allows, and print what is known."""
    session = open_session(options)
    source_id = openrouter_ids(load_identity(), options.model)[0]
    status, past = ExitCode.GOOD, instant_option(options.known_at)
    if past is None and not session.offline:
        try:
            outcome = asyncio.run(session.ask_about(source_id))
            narrate(options, outcome_line(outcome, session.clock()))
            status = ExitCode.FEED_FAILED if outcome.state == "failed" else ExitCode.GOOD
        except StoreError as error:  # where nothing can be stored, what is known can be shown
            narrate(options, f"qwenwatch: {error}")
            status = ExitCode.CACHE
    hosts = hosts_of(session.known(past), session.store, options.model, until=past)
    for notice in session.store.notices:
        narrate(options, f"qwenwatch: {notice}")
    if hosts.rows.is_empty():
        view = _view(hosts, session, past)
        raise NothingToShow(f"{source_id}: {view.table.empty}")
    write_out(_printed(hosts, session, options, past), None)
    return ExitCode.CACHE if session.store.notices else status


def _printed(
    hosts: ModelHosts, session: Session, options: argparse.Namespace, past: datetime | None
) -> str:
    if options.format in {"text", "md"}:
        view = _view(hosts, session, past)
        page = Page(f"qwenwatch hosts {view.model}", [view.state], [view.table], [view.source])
        if options.format == "md":
            return print_markdown(page)
        return print_text(page, colour=wants_colour(options))
    plain = document(hosts, past or session.clock(), licence=FEED.licence, citation=FEED.citation)
    if options.format == "json":
        return json.dumps(plain, ensure_ascii=False, indent=2) + "\n"
    if options.format == "ndjson":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(plain))
    return _csv(plain)


def _view(hosts: ModelHosts, session: Session, past: datetime | None) -> Any:
    return hosts_view(
        hosts,
        past or session.clock(),
        licence=FEED.licence,
        citation=FEED.citation,
        offline=session.offline or past is not None,
    )


def _rows(plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    parts = {"sources", "hosts"}
    yield {"section": "model", **{key: plain[key] for key in plain if key not in parts}}
    for part in ("sources", "hosts"):
        for row in plain[part]:
            yield {"section": part, **row}


def _csv(plain: dict[str, Any]) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, CSV_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in plain["hosts"]:
        writer.writerow({**plain, **row})
    return target.getvalue()
