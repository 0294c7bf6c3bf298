"""What a round added to a cache, against what was there and what a good round adds."""

from collections.abc import Iterator, Mapping

import polars as pl

from qwenwatch_cache.frames import FETCH_TABLE, TABLES, Table
from qwenwatch_cache.store import Store

DATA = tuple(table for table in TABLES.values() if table is not FETCH_TABLE)

Frames = Mapping[str, pl.DataFrame]
"""All tables of a cache but the log, by name."""


class Tables:
    """What lies in caches; files that are byte for byte the same are decoded once."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._decoded: dict[object, pl.DataFrame] = {}

    def of(self, store: Store) -> Frames:
        """All that feeds brought into a cache."""
        parts = store.manifest().parts
        frames = {}
        for table in DATA:
            own = [part for part in parts if part.table == table.name]
            # Not only what the manifest says of them: what really lies there.
            there = table.name, *((part, (store.root / part.file).read_bytes()) for part in own)
            if there not in self._decoded:
                self._decoded[there] = store.cached(table)
            frames[table.name] = self._decoded[there]
        return frames


def added(after: Frames, before: Frames) -> Frames:
    """The rows that were added."""
    return {
        name: frame.clear()
        if frame is before[name]
        else frame.join(before[name], on=frame.columns, how="anti", nulls_equal=True)
        for name, frame in after.items()
    }


def tables_with_losses(after: Frames, before: Frames) -> tuple[str, ...]:
    """Tables in which a row of before is not what and where it was among those of its feed."""
    return tuple(
        name
        for name, frame in before.items()
        if after[name] is not frame
        and any(
            not after[name].filter(feed=feed).head(rows.height).equals(rows)
            for (feed,), rows in frame.group_by("feed", maintain_order=True)
        )
    )


def false_rows(fresh: Frames, news: Frames) -> Iterator[str]:
    """Rows that are not among those that the good round brought."""
    for name, frame in fresh.items():
        table = TABLES[name]
        wrong = without(frame, news[name], table)
        for row in wrong.iter_rows(named=True):
            yield f"{name}: { ({key: row[key] for key in stated(table) if row[key] is not None}) }"


def without(rows: pl.DataFrame, others: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The rows that say something that the others do not say."""
    return rows.join(others, on=stated(table), how="anti", nulls_equal=True)


def stated(table: Table) -> list[str]:
    """All columns but those that say when."""
    return [*table.key, *table.values]
