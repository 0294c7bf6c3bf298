"""When feeds were read successfully, as far as it was known at a time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import overload

import polars as pl

from qwenwatch_cache.frames import FETCH_TABLE
from qwenwatch_cache.store import Store

TAIL = timedelta(days=40)
"""How far back the last good request is looked for before the whole log is read."""


class Moments(Sequence[datetime]):
    """Moments in order, made Python objects when looked at: of a hundred thousand a question about
    prices looks at a few, and to make them all takes longer than the rest of it."""

    def __init__(self, series: pl.Series) -> None:
        """Take a series of instants, oldest first."""
        self._series = series

    def __len__(self) -> int:
        """How many."""
        return self._series.len()

    @overload
    def __getitem__(self, index: int) -> datetime: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[datetime]: ...
    def __getitem__(self, index: int | slice) -> datetime | Sequence[datetime]:
        """One of them, or a part."""
        if isinstance(index, slice):
            return Moments(self._series[index])
        moment: datetime = self._series[index]
        return moment

    def __iter__(self) -> Iterator[datetime]:
        """All of them."""
        return iter(self._series.to_list())

    def microseconds(self) -> list[int]:
        """All of them as microseconds since 1970, which takes a tenth of the time."""
        return self._series.dt.epoch("us").to_list()


class KnownPolls(Mapping[str, Sequence[datetime]]):
    """Moments at which each feed was read successfully, oldest first; read when asked for.

    The log of ten years has most of a million rows, and a question is about few of its feeds.
    """

    def __init__(self, store: Store, at: datetime) -> None:
        """Look into the log up to `at`."""
        self._store = store
        self._at = at
        self._moments: dict[str, Sequence[datetime]] = {}
        self._bundled_lasts: dict[datetime, Mapping[str, datetime]] = {}
        self._lasts: dict[tuple[str, datetime], datetime | None] = {}

    def __getitem__(self, feed: str) -> Sequence[datetime]:
        """All moments of one feed."""
        if feed not in self._moments:
            both = pl.concat([self._bundled_good(feed, self._at), self._good(feed, self._at)])
            self._moments[feed] = Moments(both.sort())
        if not self._moments[feed]:
            raise KeyError(feed)
        return self._moments[feed]

    def __iter__(self) -> Iterator[str]:
        """Names of the feeds that were ever read."""
        return iter(self._feeds)

    def __len__(self) -> int:
        """How many feeds were ever read."""
        return len(self._feeds)

    def last(self, feed: str, at: datetime) -> datetime | None:
        """When a feed was last read successfully at or before a moment, None if never."""
        moments = (self._bundled_last(min(at, self._at)).get(feed), self.last_own(feed, at))
        return max((one for one in moments if one is not None), default=None)

    def last_own(self, feed: str, at: datetime) -> datetime | None:
        """The same, counting only what this cache read itself."""
        until = min(at, self._at)
        key = (feed, until)
        if key not in self._lasts:
            newest = self._good(feed, until, since=until - TAIL).max()
            if newest is None:
                newest = self._good(feed, until).max()
            self._lasts[key] = newest if isinstance(newest, datetime) else None
        return self._lasts[key]

    def look(self, feeds: Collection[str], at: datetime) -> None:
        """Look up when some feeds were last read, in one go: each further look takes as long."""
        until = min(at, self._at)
        rows = self._store.cached(
            FETCH_TABLE, feeds=feeds, since=until - TAIL, columns=("feed", "started", "error")
        )
        good = pl.col("error").is_null() & (pl.col("started") <= until)
        newest = rows.filter(good).group_by("feed").agg(pl.col("started").max())
        for feed, moment in newest.iter_rows():
            self._lasts.setdefault((feed, until), moment)

    def _good(self, feed: str, until: datetime, since: datetime | None = None) -> pl.Series:
        columns = ("started", "error")
        rows = self._store.cached(FETCH_TABLE, feeds=(feed,), since=since, columns=columns)
        return _good(rows, until)

    def _bundled_last(self, until: datetime) -> Mapping[str, datetime]:
        """When each feed was last read successfully for the baseline."""
        if until not in self._bundled_lasts:
            good = pl.col("error").is_null() & (pl.col("started") <= until)
            lasts = self._bundled.filter(good).group_by("feed").agg(pl.col("started").max())
            self._bundled_lasts[until] = dict(lasts.iter_rows())
        return self._bundled_lasts[until]

    def _bundled_good(self, feed: str, until: datetime) -> pl.Series:
        return _good(self._bundled.filter(pl.col("feed") == feed), until)

    @cached_property
    def _bundled(self) -> pl.DataFrame:
        return self._store.bundled(FETCH_TABLE, columns=("feed", "started", "error"))

    @cached_property
    def _feeds(self) -> Sequence[str]:
        both = self._store.read(FETCH_TABLE, columns=("feed", "started", "error"))
        good = both.filter(pl.col("error").is_null() & (pl.col("started") <= self._at))
        return good.get_column("feed").unique().sort().to_list()


def _good(rows: pl.DataFrame, until: datetime) -> pl.Series:
    good = pl.col("error").is_null() & (pl.col("started") <= pl.lit(until))
    return rows.select(pl.col("started").filter(good)).to_series()
