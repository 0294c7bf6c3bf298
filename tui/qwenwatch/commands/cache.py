"""`qwenwatch cache`: where it is, what it holds, proof of it, and its care."""

import argparse
import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwenwatch.commands.context import (
    is_quiet,
    narrate,
    open_session,
    read_config,
    wants_colour,
    write_out,
)
from qwenwatch.exit_codes import ExitCode
from qwenwatch.printers.text import print_markdown, print_text
from qwenwatch.progress import progress_bars
from qwenwatch_cache.clock import iso
from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.places import read_only
from qwenwatch_widgets.views.amounts import clean
from qwenwatch_widgets.views.answer import SCHEMA_VERSION, Page
from qwenwatch_widgets.views.cache import cache_lines, cache_table

if TYPE_CHECKING:
    from qwenwatch.session import Session
    from qwenwatch_cache.inventory import FeedStock, Inventory
    from qwenwatch_cache.verify import Findings


def run_cache(options: argparse.Namespace) -> int:
    """Do what is asked for with the cache."""
    if options.action == "path":
        write_out(f"{read_config(options).cache_dir}\n", None)
        return ExitCode.GOOD
    session = open_session(options)
    if options.action in {"verify", "compact", "export"}:
        _need_a_cache(session)
    work = {
        "info": _info,
        "verify": _verify,
        "compact": _compact,
        "export": _export,
        "import": _import,
    }[options.action]
    status = work(options, session)
    for notice in session.store.notices:
        narrate(options, f"qwenwatch: {notice}")
    damaged = status == ExitCode.GOOD and session.store.notices
    return ExitCode.CACHE if damaged else status


def _need_a_cache(session: "Session") -> None:
    """A directory that is mistyped or not mounted must not pass for a healthy cache."""
    if not session.store.manifest().parts and not session.store.notices:
        raise NothingToShow(
            f"there is no cache at {session.store.address}: run `qwenwatch refresh`, or name "
            "another directory with --cache-dir"
        )


def _verify(options: argparse.Namespace, session: "Session") -> int:
    """Name everything that differs; good is a cache of which nothing is said."""
    from qwenwatch.ready_check import ready_faults
    from qwenwatch_cache.verify import verify

    with progress_bars(shown=not is_quiet(options) and sys.stderr.isatty()) as bars:
        findings = verify(session.store, progress=bars.advance)
    if findings.differences:
        narrate(options, "qwenwatch: kept answers are compared when nothing else differs")
    else:
        for fault in ready_faults(session):
            file, _, what = fault.partition(" ")
            findings.add(file, what)
    if options.format == "json":
        plain = {
            "schema_version": SCHEMA_VERSION,
            "at": iso(session.clock()),
            "cache": str(session.store.address),
            "healthy": not findings.differences,
            "looked_at": findings.counted(),
            "differences": [{"where": one.where, "what": one.what} for one in findings.differences],
        }
        write_out(_json(plain), None)
    else:
        write_out("".join(f"{clean(str(one))}\n" for one in findings.differences), None)
    narrate(options, f"qwenwatch: {_summary(findings)}")
    for feed, moment in sorted(session.store.manifest().losses.items()):
        narrate(
            options,
            f"qwenwatch: rows of {feed or 'some feeds'} were lost to damage by {iso(moment)}: "
            "what it states since is there, answers about earlier times may differ from before",
        )
    return ExitCode.CHECK_FAILED if findings.differences else ExitCode.GOOD


def _summary(findings: "Findings") -> str:
    count = len(findings.differences)
    found = "nothing differs" if not count else f"{count:,} differ" + "s" * (count == 1)
    text = (
        f"{findings.parts:,} files, {findings.rows:,} rows, {findings.bodies:,} bodies, "
        f"{findings.answers:,} answers read again: {found}"
    )
    rest = [
        (findings.apart, "bodies of which the log has no good answer"),
        (findings.unread, "answers that this version cannot read again"),
        (findings.left_over, "files left by a write that did not end; the next round sweeps up"),
    ]
    beside = [f"{number:,} {what}" for number, what in rest if number]
    return f"{text} (beside them: {'; '.join(beside)})" if beside else text


def _info(options: argparse.Namespace, session: "Session") -> int:
    from qwenwatch_cache.inventory import take_inventory

    inventory = take_inventory(session.store)
    if options.format == "json":
        write_out(_json(_plain(inventory, session)), None)
        return ExitCode.GOOD
    page = Page("qwenwatch cache", cache_lines(inventory), [cache_table(inventory)], [])
    if options.format == "md":
        write_out(print_markdown(page), None)
    else:
        write_out(print_text(page, colour=wants_colour(options)), None)
    return ExitCode.GOOD


def _plain(inventory: "Inventory", session: "Session") -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "at": iso(session.clock()),
        "cache": str(inventory.root),
        "format": inventory.format,
        "generation": inventory.generation,
        "parts": inventory.parts,
        "bytes": inventory.bytes,
        "retired_parts": inventory.retired,
        "retired_bytes": inventory.retired_bytes,
        "set_aside": inventory.set_aside,
        "feeds": [_plain_stock(stock) for stock in inventory.feeds],
    }


def _plain_stock(stock: "FeedStock") -> dict[str, Any]:
    learned = (stock.first_learned, stock.last_learned)
    first_learned, last_learned = (iso(moment) if moment else None for moment in learned)
    return {
        "feed": stock.feed,
        "rows": stock.rows,
        "versions": stock.revisions,
        "first_period": _day(stock.first_period),
        "last_period": _day(stock.last_period),
        "first_learned": first_learned,
        "last_learned": last_learned,
        "parts": stock.parts,
        "bytes": stock.bytes,
        "requests": stock.logged,
        "bodies": stock.bodies,
        "body_bytes": stock.body_bytes,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _compact(options: argparse.Namespace, session: "Session") -> int:
    """Make few files of many."""
    store = session.store
    if isinstance(store.address, str):
        raise read_only(store.address)
    before = _measured(store.address, [part.file for part in store.manifest().parts])
    store.compact(session.clock())
    after = _measured(store.address, [part.file for part in store.manifest().parts])
    write_out(f"before: {before}\nafter:  {after}\n", None)
    return ExitCode.GOOD


def _measured(root: Path, files: list[str]) -> str:
    paths = [root / file for file in files]
    sizes = [path.stat().st_size for path in paths if path.exists()]
    return f"{len(sizes):,} parts, {sum(sizes):,} bytes"


def _export(options: argparse.Namespace, session: "Session") -> int:
    """Write the cache into one file."""
    from qwenwatch_cache.store.archive import export_archive

    narrate(options, f"qwenwatch: writing {session.store.address} into {options.file}")
    done = export_archive(session.store, options.file, bodies=not options.no_bodies)
    write_out(
        f"{options.file}: {done.rows:,} rows, {done.bodies:,} bodies, {done.bytes:,} bytes\n", None
    )
    for path in done.left_out:
        narrate(options, f"qwenwatch: {path} is damaged and was left out")
    return ExitCode.CACHE if done.left_out else ExitCode.GOOD


def _import(options: argparse.Namespace, session: "Session") -> int:
    """Put what an archive holds beside what is there."""
    from qwenwatch_cache.store.archive import import_archive

    root = session.store.root
    narrate(options, f"qwenwatch: checking {options.file}, then adding it to {root}")
    done = import_archive(session.store, options.file, session.clock())
    write_out(
        f"{options.file}: {done.rows:,} rows, {done.rows_new:,} new; "
        f"{done.bodies:,} bodies, {done.bodies_new:,} new\n",
        None,
    )
    if done.first is not None and done.last is not None:
        narrate(
            options,
            f"qwenwatch: rows learned elsewhere from {iso(done.first)} to {iso(done.last)} are "
            "part of what was known then from now on (--known-at)",
        )
    return ExitCode.GOOD


def _json(plain: dict[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False, indent=2) + "\n"
