"""Caches that earlier versions of the program wrote (see old/README.md), and what they hold."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from qwenwatch_cache.frames import TABLES
from tests.cache.rows import stored

OLD = Path(__file__).parent / "old"
CACHES = ("format-1-first", "format-1-last")
LATER = datetime(2026, 8, 20, tzinfo=UTC)

Rows = Mapping[str, pl.DataFrame]


def rows_by_plain_polars(root: Path) -> Rows:
    """What the files of format 1 hold, read without the program, in the order of today."""
    rows = {}
    for name, table in TABLES.items():
        path = root / f"{name}.parquet"
        frame = pl.read_parquet(path) if path.exists() else table.empty()
        for column in table.later:
            if column not in frame.columns:
                frame = frame.with_columns(pl.lit(None, table.schema[column]).alias(column))
        rows[name] = frame
    return rows


def assert_holds(root: Path, rows: Rows) -> None:
    """The cache has these rows; of each feed in the same order."""
    for name, table in TABLES.items():
        found = stored(root, table)
        assert found.schema == table.schema
        for feed in rows[name]["feed"].unique():
            of_feed = rows[name].filter(feed=feed)
            if name != "fetch":
                of_feed = of_feed.sort(table.time, maintain_order=True)
            assert_frame_equal(found.filter(feed=feed), of_feed)
        assert found.height == rows[name].height
