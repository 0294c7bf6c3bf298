"""The rows of two caches as those of one."""

from datetime import datetime

import msgspec
import polars as pl

from qwenwatch_cache.frames import Table
from qwenwatch_cache.store.parts import in_order


class Added(msgspec.Struct, frozen=True):
    """What of another cache was put beside what this one has.

    Attributes:
        rows: How many rows, all tables and the log together.
        first: When the oldest of them was learned or logged, None if there is none.
        last: The same of the newest.
        bodies: How many response bodies.
    """

    rows: int = 0
    first: datetime | None = None
    last: datetime | None = None
    bodies: int = 0

    def and_also(self, times: pl.Series) -> "Added":
        """The same with more rows, of these times."""
        first, last = times.min(), times.max()
        ends = [one for one in (self.first, self.last, first, last) if isinstance(one, datetime)]
        return Added(self.rows + times.len(), min(ends, default=None), max(ends, default=None))


def together(own: pl.DataFrame, others: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The rows of two caches as one, in the order of a part; what both have is there once.

    Rows of the log keep the order in which each cache logged them: a failure that was logged at the
    end of its round stays behind what followed it. Which of the two caches comes first makes no
    difference, even where both have rows of one instant.
    """
    if own.is_empty():
        return in_order(others, table)
    names = table.schema.names()
    both = pl.concat([_placed(own, table), _placed(others, table)])
    both = both.sort("_logged", "_place", *names, maintain_order=True)
    # The last of equal rows: it stands behind all that either cache has before it.
    return both.unique(names, keep="last", maintain_order=True).select(names)


def missing_in(own: pl.DataFrame, others: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The rows of another cache that this one does not have."""
    if own.is_empty():
        return others
    if others.equals(own):  # the same cache once more; to compare row by row takes long
        return table.empty()
    names = table.schema.names()
    new = others.join(own, on=names, how="anti", nulls_equal=True, maintain_order="left")
    return new.unique(maintain_order=True)


def _placed(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Rows with the time at which they were logged at the latest, and their place among those."""
    return (
        in_order(rows, table)
        .with_columns(pl.col(table.time).cum_max().alias("_logged"))
        .with_columns(pl.int_range(pl.len()).over("_logged").alias("_place"))
    )
