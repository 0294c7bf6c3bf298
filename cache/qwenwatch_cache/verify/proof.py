"""The whole look through a cache."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import polars as pl

from qwenwatch_cache.errors import StoreError
from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.feeds.feed import Feed, parser_of
from qwenwatch_cache.frames import FETCH_TABLE, TABLES
from qwenwatch_cache.store.bodies import Body, kept
from qwenwatch_cache.store.migrate import losses_of_format_1
from qwenwatch_cache.store.reader import Reader
from qwenwatch_cache.verify.answers import Held, given_answers, wrong_rows
from qwenwatch_cache.verify.bodies import content_of, name_missing, name_strangers
from qwenwatch_cache.verify.findings import Findings, Progress
from qwenwatch_cache.verify.parts import Parts, look_at_parts

_ALWAYS = datetime.max.replace(tzinfo=UTC)


def verify(
    store: Reader,
    *,
    feeds: Mapping[str, Feed] = FEEDS,
    progress: Progress = lambda feed, made, all_of_them: None,
) -> Findings:
    """Look through a cache: its manifest, every Parquet file, every kept body, every row of them.

    Args:
        store: The cache.
        feeds: Who knows how to read the bodies, by name.
        progress: Told how far it is.

    Raises:
        CacheTooNew: A newer version of the program wrote the cache.
        StoreError: The cache cannot be read at all.
    """
    if not isinstance(store.address, Path):
        raise StoreError(
            f"{store.address} is proved where its files are: on the machine that owns it"
        )
    root, findings = store.address, Findings()
    # Before the rows: of a body that is there by now, the log and the rows come after it.
    bodies = list(kept(root))
    name_strangers(root, bodies, findings)
    parts = look_at_parts(root, findings)
    for name, own in groupby(bodies, key=lambda body: body.feed):
        _look_at_answers(store, root, parts, feeds.get(name), name, list(own), findings, progress)
    name_missing(root, parts.tables[FETCH_TABLE.name], parts.manifest.merged, findings)
    return findings


def _look_at_answers(
    store: Reader,
    root: Path,
    parts: Parts,
    feed: Feed | None,
    name: str,
    bodies: Sequence[Body],
    findings: Findings,
    progress: Progress,
) -> None:
    """Compare the rows of one feed with its bodies; each row that differs is named once."""
    held = _held(store, root, parts, name)
    log = parts.tables[FETCH_TABLE.name].filter(pl.col("feed") == name)
    given = given_answers(log)
    named: dict[str, str] = {}
    for number, body in enumerate(bodies):
        progress(name, number, len(bodies))
        content = content_of(root, body, findings)
        if content is None:
            continue
        answers = given.get(body.digest, ())
        findings.apart += not answers
        for answer in answers:
            try:
                parse = parser_of(feed, answer.url, answer.started) if feed else None
            except (LookupError, ValueError):
                parse = None
            if parse is None:
                findings.unread += 1
                continue
            findings.answers += 1
            file = body.path.relative_to(root).as_posix()
            wrong = wrong_rows(held, answer, parse, content, body.came, file)
            for where, what in wrong.items():
                named.setdefault(where, what)
    progress(name, len(bodies), len(bodies))
    for where, what in named.items():
        findings.add(where, what)


def _held(store: Reader, root: Path, parts: Parts, name: str) -> Held:
    manifest = parts.manifest
    losses = losses_of_format_1(root) if manifest.format == 1 else manifest.losses
    lost = max((losses[one] for one in (name, "") if one in losses), default=None)
    of_feed = pl.col("feed") == name
    tables = [table for table in TABLES.values() if table is not FETCH_TABLE]
    return Held(
        rows={table.name: parts.tables[table.name].filter(of_feed) for table in tables},
        bundled={table.name: store.bundled(table, feeds={name}) for table in tables},
        lost=_ALWAYS if name in parts.incomplete else lost,
        merged=manifest.merged,
    )
