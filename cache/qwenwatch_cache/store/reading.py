"""From the manifest to the rows: what readers and writers have in common."""

from collections.abc import Collection, Sequence
from datetime import datetime

import polars as pl
from polars.exceptions import PanicException, PolarsError

from qwenwatch_cache.frames import Table, conform
from qwenwatch_cache.manifest import Manifest, Part, Read
from qwenwatch_cache.store.files import Damaged, decode, schema_of
from qwenwatch_cache.store.parts import content_of, in_order, read_part


class Moved(Exception):
    """A part that the manifest named is gone; a later manifest may say where its rows are."""

    def __init__(self, part: Part) -> None:
        """Name the part."""
        self.part = part
        super().__init__(part.file)


MISSING = "it is missing"

Damage = tuple[Part, Damaged]
"""A part that cannot be used, and why."""


def rows_of(
    read: Read,
    manifest: Manifest,
    table: Table,
    *,
    feeds: Collection[str] | None = None,
    since: datetime | None = None,
    columns: Collection[str] | None = None,
    where: pl.Expr | None = None,
    missing_is_damage: bool = False,
) -> tuple[pl.DataFrame, Sequence[Damage]]:
    """The rows of a table that a manifest names, and the damage met on the way.

    In place of a damaged part come the rows of what the last write had replaced, as far as they are
    still there.

    Args:
        read: Gives the content of a file.
        manifest: The state to read.
        table: What to read.
        feeds: Only rows of these; None for all.
        since: Only rows as new as this, by the table's time; None for all.
        columns: Only these; None for all.
        where: Only rows of which this is true; None for all.
        missing_is_damage: Whether a part that is gone is damage.

    Raises:
        Moved: A part is gone, and that is no damage.
    """
    if since is not None:
        new = pl.col(table.time) >= since
        where = new if where is None else new & where
    wanted = [
        part
        for part in manifest.parts
        if part.table == table.name
        and (feeds is None or not part.feed or part.feed in feeds)
        and (since is None or part.last is None or part.last >= since)
    ]
    contents: list[tuple[Part, bytes]] = []
    damaged: list[Damage] = []
    for part in wanted:
        try:
            contents.append((part, content_of(read, part)))
        except FileNotFoundError as error:
            if manifest.format == 1:
                if fallback(read, manifest, table, {part.feed})[0].is_empty():
                    continue  # format 1 had no file for a table without rows
            elif not missing_is_damage:
                raise Moved(part) from error
            damaged.append((part, Damaged(part.file, MISSING)))
        except Damaged as damage:
            damaged.append((part, damage))
    rows, undecoded = _decoded(contents, manifest.format, table, feeds, columns, where)
    damaged += undecoded
    if not damaged and all(part.sha256 or manifest.format == 1 for part in wanted):
        return rows, damaged
    schema = schema_of(table, columns)
    if columns is not None or where is not None:  # the same row is told by all of its columns
        rows, found = rows_of(
            read, manifest, table, feeds=feeds, missing_is_damage=missing_is_damage
        )
        return conform(rows if where is None else rows.filter(where), schema), found
    before, worse = fallback(read, manifest, table, {part.feed for part, _ in damaged})
    if feeds is not None:
        before = before.filter(pl.col("feed").is_in(sorted(feeds)))
    return as_one([before, rows], table), [*damaged, *worse]


def damage_in(read: Read, manifest: Manifest) -> Sequence[Damage]:
    """All parts whose bytes are not those that were written; nothing is unpacked for it."""
    damaged = _damaged(read, manifest.parts)
    series = {(part.table, part.feed) for part, _ in damaged}
    before = [part for part in manifest.retired if (part.table, part.feed) in series]
    return [*damaged, *(one for one in _damaged(read, before) if one[1].reason != MISSING)]


def _damaged(read: Read, parts: Sequence[Part]) -> list[Damage]:
    damaged: list[Damage] = []
    for part in parts:
        try:
            content_of(read, part)
        except FileNotFoundError:
            damaged.append((part, Damaged(part.file, MISSING)))
        except Damaged as damage:
            damaged.append((part, damage))
    return damaged


def fallback(
    read: Read, manifest: Manifest, table: Table, feeds: Collection[str]
) -> tuple[pl.DataFrame, Sequence[Damage]]:
    """The rows that the last writes of some feeds had replaced, and the damage met in them."""
    frames = [table.empty()]
    damaged: list[Damage] = []
    for part in manifest.retired:
        if part.table == table.name and part.feed in feeds:
            try:
                frames.append(read_part(read, part, table))
            except FileNotFoundError:
                continue
            except Damaged as damage:
                damaged.append((part, damage))
    return as_one(frames, table), damaged


def as_one(frames: Sequence[pl.DataFrame], table: Table) -> pl.DataFrame:
    """Frames that overlap as one: no row twice, in the order of a part."""
    logged = pl.col(table.time).cum_max().alias("logged")
    rows = pl.concat([frame.with_columns(logged) for frame in frames])
    rows = rows.unique(table.schema.names(), keep="first", maintain_order=True)
    return in_order(rows.sort("logged", maintain_order=True).drop("logged"), table)


def _decoded(
    contents: Sequence[tuple[Part, bytes]],
    layout: int,
    table: Table,
    feeds: Collection[str] | None,
    columns: Collection[str] | None,
    where: pl.Expr | None,
) -> tuple[pl.DataFrame, Sequence[Damage]]:
    """The rows in some parts, and which of them are none: all at once if nothing is in the way."""
    schema = schema_of(table, columns)
    if contents and layout != 1:
        scan = pl.scan_parquet([content for _, content in contents])
        chosen = scan if where is None else scan.filter(where)
        try:
            rows = chosen.select(schema.names()).collect(engine="in-memory")
            return conform(rows, schema), []
        except (PolarsError, PanicException):
            pass  # one by one they tell which it is, and older ones may lack a column
    frames = [pl.DataFrame(schema=schema)]
    damaged: list[Damage] = []
    for part, content in contents:
        try:
            frames.append(_of_feeds(content, part, table, feeds, columns, where))
        except Damaged as damage:
            damaged.append((part, damage))
    return pl.concat(frames), damaged


def _of_feeds(
    content: bytes,
    part: Part,
    table: Table,
    feeds: Collection[str] | None,
    columns: Collection[str] | None,
    where: pl.Expr | None,
) -> pl.DataFrame:
    if feeds is None or part.feed:
        return decode(content, part.file, table, columns, where)
    named = None if columns is None else {*columns, "feed"}
    mixed = decode(content, part.file, table, named, where)
    return conform(mixed.filter(pl.col("feed").is_in(sorted(feeds))), schema_of(table, columns))
