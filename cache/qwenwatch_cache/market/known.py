"""Everything that was known at a time, ready to be asked."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Literal

import polars as pl

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.feeds import CREDITS
from qwenwatch_cache.frames import CATALOG_TABLE, FETCH_TABLE, PRICE_TABLE, USAGE_TABLE
from qwenwatch_cache.market.definitions import DEFINITIONS, By, Definition, definition_of
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.leaderboard import leaderboard
from qwenwatch_cache.market.price_history import price_history
from qwenwatch_cache.market.prices import Mix, prices
from qwenwatch_cache.market.totals import complete_windows, totals
from qwenwatch_cache.market.windows import Grain, Window, last_complete
from qwenwatch_cache.store import Store, as_of

Status = Literal["live", "bundled", "mixed"]

_COUNTED = frozenset(
    source.feed for one in DEFINITIONS.values() for source in (*one.models, *one.vendors)
)
"""Feeds whose usage some definition counts."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where figures came from.

    Attributes:
        feed: Name of the source.
        publisher: Who publishes it, in a word.
        as_of: The source's own date of its newest figure used, None if it states none.
        fetched_at: When the feed was last read successfully, None if never.
        licence: Licence line.
        citation: Citation with `as_of` filled in.
        status: "live" if this cache read the feed itself, "bundled" if the figures came with the
            program, "mixed" if some did.
    """

    feed: str
    publisher: str
    as_of: datetime | None
    fetched_at: datetime | None
    licence: str
    citation: str
    status: Status


@dataclass(frozen=True, slots=True)
class Board:
    """A leaderboard with what it is of.

    Attributes:
        definition: What was counted.
        by: Grouping.
        window: When.
        rows: leaderboard.LEADERBOARD.
        total: Sum of the values, None where only shares are published.
        previous_total: The same of the window before, None if unknown.
        complete: Whether every day of the window is there.
        scope: What the source counted, in its words.
        origin: Where the figures came from.
    """

    definition: Definition
    by: By
    window: Window
    rows: pl.DataFrame
    total: int | None
    previous_total: int | None
    complete: bool
    scope: str
    origin: Origin


class Known:
    """What a cache and the bundled baseline knew at a time.

    Attributes:
        at: The time.
        usage: Usage rows of the feeds that a definition counts, the last of each key.
        price: Price rows, all revisions.
        fetch: Log of requests.
        directory: Who is behind an id.
    """

    def __init__(self, store: Store, at: datetime) -> None:
        """Read everything observed at or before `at`."""
        self.at = at
        # Before they are sorted: of a year's rows most are Hugging Face's, which nobody asks for.
        counted = pl.col("feed").is_in(sorted(_COUNTED))
        self._cached_usage = _until(store.cached(USAGE_TABLE).filter(counted), "observed_at", at)
        bundled = _until(store.bundled(USAGE_TABLE).filter(counted), "observed_at", at)
        self.usage = as_of(pl.concat([bundled, self._cached_usage]), USAGE_TABLE)
        self.price = _until(store.read(PRICE_TABLE), "observed_at", at)
        self.fetch = _until(store.read(FETCH_TABLE), "started", at)
        self._cached_fetch = _until(store.cached(FETCH_TABLE), "started", at)
        self.directory = Directory(_until(store.read(CATALOG_TABLE), "observed_at", at))
        self._totals: dict[tuple[str, bool, Grain], pl.DataFrame] = {}

    def totals(self, definition: Definition, by: By, grain: Grain) -> pl.DataFrame:
        """totals.TOTALS of a definition; computed once."""
        key = (definition.key, by == "model", grain)
        if key not in self._totals:
            self._totals[key] = totals(self.usage, definition, by, grain)
        return self._totals[key]

    def definitions(self) -> Sequence[Definition]:
        """The definitions that have figures, in switching order."""
        seen = set(self.usage.select("metric", "feed").unique().iter_rows())
        return [
            one
            for one in DEFINITIONS.values()
            if any((one.metric, source.feed) in seen for source in (*one.models, *one.vendors))
        ]

    def newest_window(
        self, definition: Definition, grain: Grain, until: date | None = None
    ) -> Window | None:
        """The newest whole window that ends on or before `until`, None if there is none."""
        starts = complete_windows(self.totals(definition, "vendor", grain))
        windows = [Window(start, grain) for start in starts]
        fitting = [one for one in windows if until is None or one.end <= until]
        return fitting[-1] if fitting else None

    def choose_definition(
        self, grain: Grain, stated: str = "", until: date | None = None
    ) -> Definition:
        """The definition asked for, or the first of those whose figures reach furthest.

        Raises:
            NothingToShow: There is no such definition, or no figures at all.
        """
        if stated:
            return definition_of(stated)
        newest_day = self.usage.group_by("metric", "feed").agg(pl.col("period").max())
        last_days = {(metric, feed): day for metric, feed, day in newest_day.iter_rows()}
        best: tuple[date, Definition] | None = None
        for one in self.definitions():
            sources = {source.feed for source in (*one.models, *one.vendors)}
            days = [last_days[key] for feed in sources if (key := (one.metric, feed)) in last_days]
            # A definition whose last day lies before the window found cannot reach further.
            if best is not None and last_complete(max(days), grain).start <= best[0]:
                continue
            window = self.newest_window(one, grain, until)
            if window is not None and (best is None or window.start > best[0]):
                best = (window.start, one)
        if best is None and self.definitions():
            when = f" up to {until}" if until else ""
            raise NothingToShow(f"no complete {grain} of usage is known{when}")
        if best is None:
            raise NothingToShow(
                "there are no usage figures yet: run `qwenwatch refresh`, or see `qwenwatch feeds`"
            )
        return best[1]

    def choose_window(
        self, definition: Definition, grain: Grain, until: date | None, steps_back: int = 0
    ) -> Window:
        """The newest whole window, or one before it.

        Args:
            definition: What to count.
            grain: Length of the window.
            until: The day that must be over by its end; None for the newest there is. With a day,
                the window is the last that is complete then, whether there are figures or not.
            steps_back: How many windows earlier.

        Raises:
            NothingToShow: There are no figures for that window; the message says which there are.
        """
        newest = self.newest_window(definition, grain, until)
        if newest is None:
            raise NothingToShow(
                f"no complete {grain} of {definition.label} is known"
                + (f" up to {until}" if until else "")
            )
        if until is not None and newest != last_complete(until, grain):
            asked = last_complete(until, grain)
            raise NothingToShow(
                f"no figures of {definition.label} for the {grain} {asked.start} to {asked.end}; "
                f"the newest complete one before it is {newest.start} to {newest.end}"
            )
        window = newest.shifted(-steps_back)
        if (
            steps_back
            and self.totals(definition, "vendor", grain)
            .filter(pl.col("start") == window.start)
            .is_empty()
        ):
            raise NothingToShow(f"no figures of {definition.label} before {window.end}")
        return window

    def board(self, definition: Definition, by: By, window: Window, *, history: int = 26) -> Board:
        """The leaderboard of a window; its rows are empty if there are no figures."""
        known = self.totals(definition, by, window.grain)
        here = known.filter(pl.col("start") == window.start)
        before = known.filter((pl.col("start") == window.shifted(-1).start) & pl.col("complete"))
        return Board(
            definition=definition,
            by=by,
            window=window,
            rows=leaderboard(known, definition, by, window, self.directory, history=history),
            total=_sum(here),
            previous_total=_sum(before),
            complete=not here.is_empty() and bool(here.get_column("complete").all()),
            scope=_text(here.get_column("scope").first()) or definition.scope,
            origin=self._usage_origin(here, window),
        )

    def prices(self, at: datetime, baseline: str, mix: Mix) -> pl.DataFrame:
        """prices.PRICES at a time, as far as it was known."""
        return prices(
            self.price,
            min(at, self.at),
            self.directory,
            polls=self.polls,
            baseline=baseline,
            mix=mix,
        )

    def price_history(
        self, *, feeds: Collection[str] | None = None, models: Collection[str] | None = None
    ) -> pl.DataFrame:
        """price_history.PRICE_HISTORY, as far as it was known; see there for the filters."""
        return price_history(self.price, self.polls, self.directory, feeds=feeds, models=models)

    @cached_property
    def polls(self) -> Mapping[str, Sequence[datetime]]:
        """Moments at which each feed was read successfully, oldest first."""
        good = self.fetch.filter(pl.col("error").is_null()).sort("started")
        grouped = good.group_by("feed", maintain_order=True).agg("started")
        return dict(grouped.iter_rows())

    def price_origin(self, feed: str, at: datetime) -> Origin:
        """Where the prices of a feed at a time came from."""
        polled = [moment for moment in self.polls.get(feed, ()) if moment <= at]
        own = self._cached_fetch.filter(
            (pl.col("feed") == feed) & pl.col("error").is_null() & (pl.col("started") <= at)
        )
        last = polled[-1] if polled else None
        return _origin(feed, last, last, "bundled" if own.is_empty() else "live")

    def history_origins(self, board: Board) -> Sequence[Origin]:
        """Where the windows before the board's came from, if from elsewhere."""
        starts = {point["start"] for points in board.rows["history"] for point in points}
        known = self.totals(board.definition, board.by, board.window.grain)
        earlier = known.filter(pl.col("start").is_in(list(starts)))
        feeds = earlier.get_column("feed").unique().sort().to_list()
        return [
            self._usage_origin(rows, board.window.shifted(-1))
            for feed in feeds
            if feed != board.origin.feed
            and not (rows := earlier.filter(pl.col("feed") == feed)).is_empty()
        ]

    def _usage_origin(self, rows: pl.DataFrame, window: Window) -> Origin:
        feeds = rows.get_column("feed").unique().sort().to_list()
        feed = feeds[0] if feeds else ""
        kinds = rows.get_column("kind").unique().to_list()
        of_these = (pl.col("feed") == feed) & pl.col("kind").is_in(kinds)
        newest = self.usage.filter(of_these).get_column("as_of").max()
        shown = of_these & pl.col("period").is_between(window.start, window.end)
        periods = self.usage.filter(shown).get_column("period").n_unique()
        own = self._cached_usage.filter(shown).get_column("period").n_unique()
        status: Status = "bundled" if not own else "live" if own == periods else "mixed"
        polled = self.polls.get(feed, ())
        stated = newest if isinstance(newest, datetime) else None
        return _origin(feed, stated, polled[-1] if polled else None, status)


def _until(frame: pl.DataFrame, column: str, at: datetime) -> pl.DataFrame:
    return frame.filter(pl.col(column) <= at)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _sum(rows: pl.DataFrame) -> int | None:
    values = rows.get_column("value")
    return None if values.is_empty() or values.null_count() else int(values.sum())


def _origin(
    feed: str, stated: datetime | None, fetched_at: datetime | None, status: Status
) -> Origin:
    credit = CREDITS.get(feed)
    shown = f"{stated:%Y-%m-%dT%H:%MZ}" if stated else "an unknown date"
    return Origin(
        feed=feed,
        publisher=credit.publisher if credit else feed,
        as_of=stated,
        fetched_at=fetched_at,
        licence=credit.licence if credit else "",
        citation=credit.citation.format(as_of=shown) if credit else "",
        status=status,
    )
