"""Questions put to the tables, for `qwenwatch snapshot` and its parts. Imports Polars."""

import argparse
from datetime import date
from typing import cast

from qwenwatch.commands.context import (
    instant_option,
    is_offline,
    narrate,
    wants_colour,
    write_out,
)
from qwenwatch.commands.price_options import at_of, mix_of, terms_of
from qwenwatch.config import Config
from qwenwatch.exit_codes import ExitCode
from qwenwatch.printers.tables import page
from qwenwatch.printers.text import print_markdown, print_text
from qwenwatch.ready_snapshot import Question
from qwenwatch.session import Session
from qwenwatch.snapshots import Taken, keep, take
from qwenwatch_cache.clock import Clock
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.market.definitions import By
from qwenwatch_cache.market.windows import Grain
from qwenwatch_cache.vendors import load_vendors
from qwenwatch_widgets.views.headline import health_line
from qwenwatch_widgets.views.snapshot import GROUPS, SECTIONS, Ask

UNWELL = frozenset({"failing", "stale"})
"""States of a feed that the reader of a snapshot must know of."""

DATA_FORMATS = frozenset({"json", "ndjson", "csv"})

OWN_SECTIONS = {"leaders": "leaderboards", "prices": "prices"}


def ask_the_tables(
    options: argparse.Namespace,
    config: Config,
    clock: Clock,
    day: date | None,
    question: Question | None,
) -> int:
    """Take a snapshot and print it.

    Args:
        options: The command line.
        config: The configuration.
        clock: Says what time it is.
        day: The day, None for the newest.
        question: What is asked if the answer is to be kept ready once the day has closed.
    """
    session = Session.open(config, clock, offline=is_offline(options))
    taken = take(session, _ask(options, session, day), instant_option(options.known_at))
    for notice in session.store.notices:
        narrate(options, f"qwenwatch: {notice}")
    write_out(_printed(taken, session, options), options.output)
    if question is not None:
        keep(session, question, taken)
    return ExitCode.CACHE if session.store.notices else ExitCode.GOOD


def _ask(options: argparse.Namespace, session: Session, day: date | None) -> Ask:
    resolve = load_identity().resolve
    sections = tuple(getattr(options, "section", None) or SECTIONS)
    if options.command in OWN_SECTIONS:
        sections = (OWN_SECTIONS[options.command],)
    return Ask(
        date=day,
        sections=sections,
        groups=(cast(By, options.by),) if options.by else GROUPS,
        metric=options.metric or session.config.metric,
        grain=cast(Grain, options.window or session.config.window),
        baseline=resolve(options.baseline or session.config.baseline),
        mix=mix_of(options, session.mix),
        models=tuple(resolve(model) for model in getattr(options, "models", ())),
        at=at_of(options),
        terms=terms_of(options),
    )


def _printed(taken: Taken, session: Session, options: argparse.Namespace) -> str:
    if options.format in DATA_FORMATS:
        from qwenwatch.printers import data  # which text does without

        printers = {"json": data.print_json, "ndjson": data.print_ndjson, "csv": data.print_csv}
        return printers[options.format](taken.snapshot)
    top = session.config.top if options.top is None else options.top
    scene = session.scene()
    health, _ = health_line([one for one in scene.feeds if one.state in UNWELL], scene.now)
    offline = session.offline
    if taken.closed or options.known_at:
        # Such a text stays the same for ever: how the feeds are doing today is no part of it.
        if health:
            narrate(options, f"qwenwatch: {health}")
        offline, health = False, ""
    laid_out = page(taken.snapshot, load_vendors(), top, offline=offline, health=health)
    if options.format == "md":
        return print_markdown(laid_out)
    return print_text(laid_out, colour=wants_colour(options))
