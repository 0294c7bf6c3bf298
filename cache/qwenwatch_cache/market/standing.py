"""Figures with a span of their own, the last 30 days or a day's count: the newest of a time.

They are read when a question needs them, and no further back than it looks: of a year's usage rows
nearly all are Hugging Face's.
"""

from datetime import date, datetime, timedelta
from typing import Literal

import msgspec
import polars as pl

from qwenwatch_cache.frames import SESSION_TABLE, USAGE_TABLE, Table
from qwenwatch_cache.store import Store, as_of

Status = Literal["live", "bundled", "mixed"]

ROLLING_DAYS = 30
"""Length of the grain "rolling30"."""

CARRIED = timedelta(days=7)
"""How much older than the newest figure of a metric another may be to stand beside it, where a feed
is asked about one organisation after the other, and misses some on a bad day."""

NOTHING = timedelta(0)


class Reach(msgspec.Struct, frozen=True):
    """Of when figures may be to stand beside those of a window.

    Attributes:
        first: Figures that end earlier are of another time.
        last: Figures that end later are not known yet on the day asked about.
    """

    first: date
    last: date


class Newest(msgspec.Struct, frozen=True):
    """The newest figures of one metric or table.

    Attributes:
        rows: Of the table that they come from, the last revision of each.
        end: Last day that the newest of them are of.
        days: How many days they are of; None if the source does not say.
        carried: How many of them are of earlier days, within `CARRIED`.
        as_of: The source's own date of the newest.
        status: "live" if this cache read them itself, "bundled" if they came with the program,
            "mixed" if some did.
    """

    rows: pl.DataFrame
    end: date
    days: int | None
    carried: int
    as_of: datetime
    status: Status

    @property
    def grain(self) -> str:
        """Name of the span: "rolling30", "total" of one day, "rolling" of a length not stated."""
        return "total" if self.days == 1 else f"rolling{self.days or ''}"

    @property
    def start(self) -> date | None:
        """First day, None if it is not known."""
        return None if self.days is None else self.end - timedelta(days=self.days - 1)


class KnownStanding:
    """Standing figures as they were known at a time."""

    def __init__(self, store: Store, at: datetime) -> None:
        """Look at what was observed at or before `at`."""
        self._store = store
        self._at = at
        self._read: dict[tuple[str, str, Reach], pl.DataFrame] = {}

    def usage(
        self, feed: str, kind: str, metric: str, reach: Reach, carried: timedelta = NOTHING
    ) -> Newest | None:
        """The newest figures of one metric, None if there are none within reach.

        Args:
            feed: Who states them.
            kind: Whose figures: "app", "org".
            metric: What was counted.
            reach: Of when.
            carried: How much older than the newest an entity's own may be.
        """
        # Before the first day of a figure that is 30 days long, and of one carried.
        since = reach.first - CARRIED - timedelta(days=ROLLING_DAYS)
        wanted = (pl.col("kind") == kind) & pl.col("period").is_between(since, reach.last)
        rows = self._rows(USAGE_TABLE, feed, reach, wanted).filter(
            (pl.col("metric") == metric)
            & pl.col("grain").is_in(["rolling30", "total"])
            & pl.col("value").is_not_null()
        )
        length = pl.when(pl.col("grain") == "rolling30").then(ROLLING_DAYS).otherwise(1)
        last = pl.col("period").dt.offset_by(pl.format("{}d", length - 1))
        found = _newest(rows.with_columns(end=last), reach, carried)
        if found.is_empty():
            return None
        return _told(found, days=ROLLING_DAYS if found["grain"][0] == "rolling30" else 1)

    def sessions(self, feed: str, reach: Reach) -> Newest | None:
        """What sessions cost in the newest window, None if there is none within reach."""
        wanted = pl.col("period").is_between(reach.first, reach.last)
        rows = self._rows(SESSION_TABLE, feed, reach, wanted)
        rows = rows.filter(pl.col("median_usd").is_not_null()).with_columns(end=pl.col("period"))
        newest = rows.filter(pl.col("end") == pl.col("end").max())
        if newest.is_empty():
            return None
        days = newest.get_column("window_days").unique()
        return _told(newest, days=days[0] if days.len() == 1 else None)

    def _rows(self, table: Table, feed: str, reach: Reach, wanted: pl.Expr) -> pl.DataFrame:
        """The last revision of each key, and whether this cache learned it itself."""
        key = (table.name, feed, reach)
        if key not in self._read:
            wanted &= pl.col("observed_at") <= pl.lit(self._at)
            bundled = self._store.bundled(table, feeds=(feed,), where=wanted)
            own = self._store.cached(table, feeds=(feed,), where=wanted)
            both = [bundled.with_columns(own=pl.lit(False)), own.with_columns(own=pl.lit(True))]
            self._read[key] = as_of(pl.concat(both), table)
        return self._read[key]


def _newest(rows: pl.DataFrame, reach: Reach, carried: timedelta) -> pl.DataFrame:
    """The last figure of each entity, of those that end within reach and are not left behind."""
    within = rows.filter(pl.col("end").is_between(reach.first, reach.last))
    near = within.filter(pl.col("end") >= pl.col("end").max() - carried)
    return (
        near.sort("end", "entity").unique("entity", keep="last", maintain_order=True).sort("entity")
    )


def _told(rows: pl.DataFrame, days: int | None) -> Newest:
    own = rows.get_column("own")
    end, as_of_ = rows.get_column("end").max(), rows.get_column("as_of").max()
    assert isinstance(end, date) and isinstance(as_of_, datetime)
    return Newest(
        rows=rows.drop("own", "end"),
        end=end,
        days=days,
        carried=rows.filter(pl.col("end") < end).height,
        as_of=as_of_,
        status="live" if own.all() else "mixed" if own.any() else "bundled",
    )
