"""`qwenwatch snapshot`, and its parts as commands of their own."""

import argparse
from datetime import date
from typing import cast

from qwenwatch.commands.context import (
    instant_option,
    narrate,
    open_session,
    wants_colour,
    write_out,
)
from qwenwatch.exit_codes import ExitCode
from qwenwatch.printers.data import print_csv, print_json, print_ndjson
from qwenwatch.printers.tables import page
from qwenwatch.printers.text import print_markdown, print_text
from qwenwatch.session import Session
from qwenwatch_cache.market.definitions import By
from qwenwatch_cache.market.windows import Grain
from qwenwatch_cache.vendors import load_vendors
from qwenwatch_widgets.views.headline import health_line
from qwenwatch_widgets.views.snapshot import GROUPS, SECTIONS, Ask, Snapshot, take_snapshot

UNWELL = frozenset({"failing", "stale"})
"""States of a feed that the reader of a snapshot must know of."""

OWN_SECTIONS = {"leaders": "leaderboards", "definitions": "definitions", "prices": "prices"}


def run_snapshot(options: argparse.Namespace) -> int:
    """Take a snapshot and print it."""
    session = open_session(options)
    known = session.known(instant_option(options.known_at))
    resolve = known.directory.identity.resolve
    ask = Ask(
        date=_date(options.date),
        sections=_sections(options),
        groups=(cast(By, options.by),) if options.by else GROUPS,
        metric=options.metric or session.config.metric,
        grain=cast(Grain, options.window or session.config.window),
        baseline=resolve(options.baseline or session.config.baseline),
        mix=session.mix,
        models=tuple(resolve(model) for model in getattr(options, "models", ())),
    )
    snapshot = take_snapshot(known, ask)
    for notice in session.store.notices:
        narrate(options, f"qwenwatch: {notice}")
    text = _printed(snapshot, session, options)
    write_out(text, options.output)
    return ExitCode.CACHE if session.store.notices else ExitCode.GOOD


def _printed(snapshot: Snapshot, session: Session, options: argparse.Namespace) -> str:
    printer = {"json": print_json, "ndjson": print_ndjson, "csv": print_csv}.get(options.format)
    if printer is not None:
        return printer(snapshot)
    vendors = load_vendors()
    top = session.config.top if options.top is None else options.top
    scene = session.scene()
    health, _ = health_line([one for one in scene.feeds if one.state in UNWELL], scene.now)
    laid_out = page(snapshot, vendors, top, offline=session.offline, health=health)
    if options.format == "md":
        return print_markdown(laid_out)
    return print_text(laid_out, colour=wants_colour(options))


def _sections(options: argparse.Namespace) -> tuple[str, ...]:
    if options.command in OWN_SECTIONS:
        return (OWN_SECTIONS[options.command],)
    return tuple(options.section) if options.section else SECTIONS


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"--date {text!r} is not a day: expected YYYY-MM-DD") from error
