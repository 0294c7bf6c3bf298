"""The usage figures that were known at a time, of as many days as a question needs.

After years most figures are of days that no question asks for: to find the last revision of each
takes longer than all else. A window depends only on the rows of its own days, so that what is
worked out from some days is the same as if all had been read.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property

import polars as pl

from qwenwatch_cache.frames import USAGE_TABLE
from qwenwatch_cache.market.definitions import DEFINITIONS, Definition, Source
from qwenwatch_cache.market.windows import Grain, Window
from qwenwatch_cache.store import Store, as_of

Span = tuple[date, date]
"""First and last day."""

FEW = 2
"""How many windows before the newest figure are looked at first: one or two may not be whole."""

REACH = 28
"""How many are looked at then, before all of them."""

RECENT = timedelta(days=60)
"""Rows learned so lately say how far a source reaches, if it is read at all."""

NEAR = timedelta(days=7 * 30)
"""Days so near are read together with the recent rows: a board with half a year of history is
about them, and each further look into the files takes longer than these rows."""

COUNTED = tuple(
    sorted({source.feed for one in DEFINITIONS.values() for source in (*one.models, *one.vendors)})
)
"""Feeds whose usage some definition counts. Most rows are Hugging Face's, which none does."""


_METRICS = {
    feed: {
        one.metric
        for one in DEFINITIONS.values()
        for source in (*one.models, *one.vendors)
        if source.feed == feed
    }
    for feed in COUNTED
}


class KnownUsage:
    """Usage rows of the feeds that are counted, baseline and cache."""

    def __init__(self, store: Store, at: datetime) -> None:
        """Look at what was observed at or before `at`."""
        self._store = store
        self._at = at
        self._rows: dict[str, list[tuple[Span | None, pl.DataFrame]]] = {}
        self._recent: dict[str, pl.DataFrame] = {}
        self._last: dict[str, list[tuple[Span | None, pl.DataFrame]]] = {}
        self._outlines: dict[str, pl.DataFrame] = {}
        self._newest: dict[str, dict[str, date]] = {}
        self._as_of: dict[tuple[str, tuple[str, ...]], datetime | None] = {}

    def everything(self) -> pl.DataFrame:
        """The last row of each key, sorted by key."""
        return as_of(pl.concat(self._of(feed, None) for feed in COUNTED).drop("own"), USAGE_TABLE)

    @cached_property
    def newest_days(self) -> dict[tuple[str, str], date]:
        """Newest period by metric and feed."""
        return {
            (metric, feed): day for feed in COUNTED for metric, day in self._newest_of(feed).items()
        }

    def reach(self, feeds: Collection[str]) -> date | None:
        """A day that no figure of some feeds is later than, None if there are none.

        Figures of a period are learned after it began, and when that was need not be read.
        """
        bundled = (self._bundled_times[feed] for feed in feeds if feed in self._bundled_times)
        own = (
            part.last or self._at
            for part in self._store.manifest().parts
            if part.table == USAGE_TABLE.name and (not part.feed or part.feed in feeds)
        )
        newest = max((*bundled, *own), default=None)
        return None if newest is None else min(newest, self._at).date()

    def rows_of(
        self, definition: Definition, span: Span | None
    ) -> tuple[Span | None, pl.DataFrame]:
        """The last row of each key that a definition may count, and the days that they are of.

        Args:
            definition: What is counted.
            span: Days that are needed, there may be more; None for all.
        """
        feeds = sorted({source.feed for source in (*definition.models, *definition.vendors)})
        for known, rows in self._last.get(definition.key, ()):
            if known is None or (span and known[0] <= span[0] and span[1] <= known[1]):
                return known, rows
        rows = pl.concat(_last(self._of(feed, span), definition.metric, span) for feed in feeds)
        self._last.setdefault(definition.key, []).append((span, rows))
        return span, rows

    def newest_window(
        self, definition: Definition, grain: Grain, until: date | None
    ) -> Window | None:
        """The newest window with figures of every day that ends on or before a day."""
        feeds = {source.feed for source in definition.vendors}
        days = [
            day
            for feed in feeds
            if (day := self._newest_of(feed).get(definition.metric)) is not None
        ]
        if not days:
            return None
        newest = Window.containing(min(max(days), until or date.max), grain)
        for windows in (FEW, REACH, None):
            span = None if windows is None else (newest.shifted(-windows).start, newest.end)
            _, rows = self.rows_of(definition, span)
            starts = [
                start
                for source in definition.vendors
                for start in _whole_windows(rows, source, grain)
                if until is None or Window(start, grain).end <= until
            ]
            if starts:
                return Window(max(starts), grain)
        return None

    def newest_as_of(self, feed: str, kinds: Sequence[str]) -> datetime | None:
        """The source's own date of its newest figure of some kinds."""
        key = (feed, tuple(sorted(kinds)))
        if key not in self._as_of:
            if feed not in COUNTED:
                return None
            rows = self._outline(feed).filter(pl.col("kind").is_in(key[1]))
            newest = rows.get_column("as_of").max()
            if not isinstance(newest, datetime) or newest < self._at - RECENT:
                # What was learned earlier may be of these kinds, or dated later.
                rows = self._all_outline(feed).filter(pl.col("kind").is_in(key[1]))
                newest = rows.get_column("as_of").max()
            if newest is not None:
                # Only the last revision of a key counts, and nearly always it is among the newest.
                days = rows.filter(pl.col("as_of") == newest).get_column("period")
                near = self._of(feed, (days.min(), days.max()))  # type: ignore[arg-type]
                near = near.filter(pl.col("kind").is_in(key[1]))
                stated = near.filter(pl.col("as_of") == newest).select(USAGE_TABLE.key).unique()
                last = as_of(near.join(stated, on=USAGE_TABLE.key, how="semi"), USAGE_TABLE)
                if last.get_column("as_of").max() != newest:
                    every = self._of(feed, None).filter(pl.col("kind").is_in(key[1]))
                    newest = as_of(every, USAGE_TABLE).get_column("as_of").max()
            self._as_of[key] = newest if isinstance(newest, datetime) else None
        return self._as_of[key]

    def periods(self, feed: str, kinds: Sequence[str], window: Window) -> tuple[int, int]:
        """For how many periods of a window there are rows, and of how many this cache has some."""
        shown = pl.col("kind").is_in(list(kinds)) & pl.col("period").is_between(
            window.start, window.end
        )
        counted = self._of(feed, (window.start, window.end)).select(
            stated=pl.col("period").filter(shown).n_unique(),
            own=pl.col("period").filter(shown & pl.col("own")).n_unique(),
        )
        stated, own = counted.row(0)
        return stated, own

    def _of(self, feed: str, span: Span | None) -> pl.DataFrame:
        """All revisions of some days of a feed, and whether this cache learned them itself.

        There may be more days than those asked for.
        """
        near = (self._at - NEAR).date()
        if span is not None and span[0] >= near:
            return self._lately(feed)
        read = self._rows.setdefault(feed, [])
        for days, rows in read:
            if days is None or (span and days[0] <= span[0] and span[1] <= days[1]):
                return rows
        wanted = pl.lit(True) if span is None else pl.col("period").is_between(*span)
        rows = self._read(feed, wanted)
        read.append((span, rows))
        return rows

    def _lately(self, feed: str) -> pl.DataFrame:
        """All revisions of the days of `NEAR`, and what else was learned within `RECENT`."""
        if feed not in self._recent:
            near = pl.col("period") >= (self._at - NEAR).date()
            self._recent[feed] = self._read(feed, near | self._is_recent)
        return self._recent[feed]

    @cached_property
    def _is_recent(self) -> pl.Expr:
        return pl.col("observed_at") >= pl.lit(self._at - RECENT)

    def _read(self, feed: str, wanted: pl.Expr) -> pl.DataFrame:
        """Rows of a feed observed by then, and whether this cache learned them itself."""
        wanted &= pl.col("observed_at") <= pl.lit(self._at)
        bundled = self._bundled.lazy().filter((pl.col("feed") == feed) & wanted)
        own = self._store.cached(USAGE_TABLE, feeds=(feed,), where=wanted).lazy()
        both = [bundled.with_columns(own=pl.lit(False)), own.with_columns(own=pl.lit(True))]
        return pl.concat(both).collect()

    def _newest_of(self, feed: str) -> dict[str, date]:
        """Newest period of a feed by metric."""
        if feed not in self._newest:
            self._newest[feed] = _newest(self._outline(feed))
        return self._newest[feed]

    def _outline(self, feed: str) -> pl.DataFrame:
        """Of the revisions of a feed what says how far they reach, where possible of the last.

        Figures of a period are learned after it began, so that what is newest was learned lately.
        """
        if feed not in self._outlines:
            recent = self._lately(feed).filter(self._is_recent)
            newest = _newest(recent)
            # What was learned before is of days before: nobody states a figure ahead of its day.
            horizon = (self._at - RECENT).date()
            told = all(newest.get(one, date.min) >= horizon for one in _METRICS[feed])
            self._outlines[feed] = recent if told else self._all_outline(feed)
        return self._outlines[feed]

    def _all_outline(self, feed: str) -> pl.DataFrame:
        """How far all revisions reach."""
        columns = ("feed", "metric", "kind", "period", "as_of", "observed_at")
        known = pl.col("observed_at") <= self._at
        bundled = self._bundled.filter((pl.col("feed") == feed) & known).select(columns)
        own = self._store.cached(USAGE_TABLE, feeds=(feed,), columns=columns, where=known)
        return pl.concat([bundled, own])

    @cached_property
    def _bundled_times(self) -> dict[str, datetime]:
        """When the last row of each feed in the baseline was learned, as far as it was by then."""
        known = self._bundled.filter(pl.col("observed_at") <= self._at)
        return dict(known.group_by("feed").agg(pl.col("observed_at").max()).iter_rows())

    @cached_property
    def _bundled(self) -> pl.DataFrame:
        return self._store.bundled(USAGE_TABLE, feeds=COUNTED)


def _newest(rows: pl.DataFrame) -> dict[str, date]:
    """Newest period by metric."""
    return dict(rows.group_by("metric").agg(pl.col("period").max()).iter_rows())


def _last(rows: pl.DataFrame, metric: str, span: Span | None) -> pl.DataFrame:
    """The last row of each key of a metric of one feed, in order of its period."""
    wanted = pl.col("metric") == metric
    if span is not None:
        wanted &= pl.col("period").is_between(*span)
    return (
        rows.lazy()
        .filter(wanted)
        .drop("own")
        .sort("observed_at", maintain_order=True)
        .unique(["kind", "entity", "grain", "period"], keep="last", maintain_order=True)
        .sort("period", maintain_order=True)
        .collect()
    )


def _whole_windows(rows: pl.DataFrame, source: Source, grain: Grain) -> Iterator[date]:
    """First days of the windows of which a source has figures of every day."""
    stated = rows.lazy().filter(
        (pl.col("feed") == source.feed)
        & (pl.col("kind") == source.kind)
        & (pl.col("grain") == source.grain)
        & (pl.col("value").is_not_null() | pl.col("share").is_not_null())
    )
    periods = stated.select(pl.col("period").unique()).collect().get_column("period").to_list()
    if source.grain == "week":
        if grain == "week":
            yield from periods
        return
    days: dict[Window, int] = {}
    for period in periods:
        window = Window.containing(period, grain)
        days[window] = days.get(window, 0) + 1
    yield from (window.start for window, count in days.items() if count == window.days)
