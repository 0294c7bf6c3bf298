"""What a cache holds of each feed: files, rows, revisions, spans, bodies."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.frames import FETCH_TABLE, INSTANT, TABLES, Table
from qwenwatch_cache.manifest import Part
from qwenwatch_cache.store.bodies import kept
from qwenwatch_cache.store.reader import Reader


class FeedStock(msgspec.Struct, frozen=True):
    """What a cache holds of one feed.

    Attributes:
        feed: Its name.
        rows: Rows of all tables, all revisions, without the log.
        revisions: How many of them say anew what is known of a thing that was known before.
        logged: Rows in the log of requests.
        first_period: First day that figures of use, rates and the like are of; None without any.
        last_period: The last such day.
        first_learned: When the first row was learned, None if there is none.
        last_learned: When the last one was.
        parts: Parquet files that count and hold nothing of other feeds.
        bytes: Their size.
        bodies: Response bodies that are kept.
        body_bytes: Their size on disk.
    """

    feed: str
    rows: int
    revisions: int
    logged: int
    first_period: date | None
    last_period: date | None
    first_learned: datetime | None
    last_learned: datetime | None
    parts: int
    bytes: int
    bodies: int
    body_bytes: int


class Inventory(msgspec.Struct, frozen=True):
    """What a cache holds.

    Attributes:
        root: Where it is.
        format: Version of its layout.
        generation: Number of the last write.
        feeds: Of each feed, in the order in which they are shown.
        parts: Parquet files that count.
        bytes: Their size.
        retired: Parquet files that are kept to fall back on.
        retired_bytes: Their size.
        set_aside: Damaged files that were set aside.
    """

    root: Path | str
    format: int
    generation: int
    feeds: Sequence[FeedStock]
    parts: int
    bytes: int
    retired: int
    retired_bytes: int
    set_aside: int


def take_inventory(store: Reader) -> Inventory:
    """What a cache holds; reads all of it.

    Raises:
        StoreError: It cannot be read.
    """
    manifest, root = store.manifest(), store.address
    of_parts = [(part.feed, size) for part in manifest.parts if (size := _size_of(root, part))]
    retired = [size for part in manifest.retired if (size := _size_of(root, part))]
    of_tables = [_summary(store, table) for table in TABLES.values() if table is not FETCH_TABLE]
    stock = {
        row["feed"]: row
        for row in pl.concat(of_tables)
        .group_by("feed")
        .agg(
            pl.col("rows", "revisions").sum(),
            pl.col("first_period", "first_learned").min(),
            pl.col("last_period", "last_learned").max(),
        )
        .iter_rows(named=True)
    }
    logged = Counter(store.cached(FETCH_TABLE, columns=["feed"]).get_column("feed").to_list())
    parts = Counter(feed for feed, _ in of_parts)
    sizes: Counter[str] = Counter()
    for feed, size in of_parts:
        sizes[feed] += size
    bodies: Counter[str] = Counter()
    body_bytes: Counter[str] = Counter()
    if isinstance(root, Path):
        for body in kept(root):
            bodies[body.feed] += 1
            body_bytes[body.feed] += _size(body.path)
    order = {name: place for place, name in enumerate(FEEDS)}
    names = {*stock, *logged, *bodies}
    return Inventory(
        root=root,
        format=manifest.format,
        generation=manifest.generation,
        feeds=[
            FeedStock(
                **(stock.get(name) or _NOTHING | {"feed": name}),
                logged=logged[name],
                parts=parts[name],
                bytes=sizes[name],
                bodies=bodies[name],
                body_bytes=body_bytes[name],
            )
            for name in sorted(names, key=lambda name: (order.get(name, len(order)), name))
        ],
        parts=len(of_parts),
        bytes=sum(size for _, size in of_parts),
        retired=len(retired),
        retired_bytes=sum(retired),
        set_aside=len(list(root.glob("set-aside/*"))) if isinstance(root, Path) else 0,
    )


_SUMMARY = pl.Schema(
    {
        "feed": pl.String(),
        "rows": pl.Int64(),
        "revisions": pl.Int64(),
        "first_period": pl.Date(),
        "last_period": pl.Date(),
        "first_learned": INSTANT,
        "last_learned": INSTANT,
    }
)

_NOTHING: dict[str, Any] = {**dict.fromkeys(_SUMMARY), "rows": 0, "revisions": 0}


def _summary(store: Reader, table: Table) -> pl.DataFrame:
    """Rows, revisions and spans of a table by feed."""
    key = list(table.key)
    rows = store.cached(table, columns=[*key, table.time])
    day = next((name for name in ("period", "date") if name in table.schema), None)
    period = pl.col(day) if day else pl.lit(None, pl.Date())
    return (
        rows.group_by("feed")
        .agg(
            rows=pl.len().cast(pl.Int64),
            revisions=(pl.len() - pl.struct(key).n_unique()).cast(pl.Int64),
            first_period=period.min(),
            last_period=period.max(),
            first_learned=pl.col(table.time).min(),
            last_learned=pl.col(table.time).max(),
        )
        .select(_SUMMARY.names())
    )


def _size_of(root: Path | str, part: Part) -> int:
    """Bytes of a part; format 1 does not state them, and 0 means that there is no such file."""
    return _size(root / part.file) if isinstance(root, Path) and not part.sha256 else part.bytes


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
