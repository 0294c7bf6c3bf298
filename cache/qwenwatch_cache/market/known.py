"""Everything that was known at a time, ready to be asked."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import cached_property

import polars as pl

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.frames import CATALOG_TABLE, FX_TABLE, PRICE_TABLE, Table
from qwenwatch_cache.market.board import Board
from qwenwatch_cache.market.definitions import DEFINITIONS, By, Definition, definition_of
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.leaderboard import leaderboard
from qwenwatch_cache.market.origins import (
    Origin,
    origin_of,
    price_origin,
    rate_origin,
    usage_origin,
)
from qwenwatch_cache.market.polls import KnownPolls
from qwenwatch_cache.market.prices import COLUMNS as PRICE_COLUMNS
from qwenwatch_cache.market.prices import Mix, prices
from qwenwatch_cache.market.rates import Rates
from qwenwatch_cache.market.standing import KnownStanding, Status
from qwenwatch_cache.market.totals import totals
from qwenwatch_cache.market.usage import KnownUsage, Span
from qwenwatch_cache.market.windows import Grain, Window, last_complete
from qwenwatch_cache.store import Store


class Known:
    """What a cache and the bundled baseline knew at a time.

    Attributes:
        at: The time.
        usage: Usage rows of the feeds that a definition counts, the last of each key.
        price: Price rows, all revisions; the columns that prices are answered from.
        whole_price: The same with all columns.
        polls: Moments at which each feed was read successfully.
        standing: Figures with a span of their own, the newest of a time.
        catalog: Catalogue rows, all revisions.
        directory: Who is behind an id.
    """

    def __init__(self, store: Store, at: datetime) -> None:
        """Know everything observed at or before `at`; what is read is decided by the questions."""
        self.at = at
        self._store = store
        self._usage = KnownUsage(store, at)
        self.polls = KnownPolls(store, at)
        self.standing = KnownStanding(store, at)
        self._totals: dict[tuple[str, bool, Grain, Span | None], pl.DataFrame] = {}
        self._boards: dict[tuple[str, By, Window, int], Board] = {}

    @cached_property
    def usage(self) -> pl.DataFrame:
        """Usage rows of the feeds that a definition counts, the last of each key."""
        return self._usage.everything()

    @cached_property
    def price(self) -> pl.DataFrame:
        """Price rows, all revisions; only the columns that `prices` needs."""
        return self._rows(PRICE_TABLE, PRICE_COLUMNS)

    @property
    def newest_price(self) -> datetime | None:
        """When the newest price row was learned, None if there is none."""
        columns = (PRICE_TABLE.time,)
        bundled = self._store.bundled(PRICE_TABLE, columns=columns).get_column(PRICE_TABLE.time)
        times = [bundled.filter(bundled <= self.at).max()]
        ends = [p.last for p in self._store.manifest().parts if p.table == PRICE_TABLE.name]
        if all(end is not None and end <= self.at for end in ends):
            times += ends  # what the manifest says need not be read
        else:
            own = self._store.cached(PRICE_TABLE, columns=columns).get_column(PRICE_TABLE.time)
            times.append(own.filter(own <= self.at).max())
        return max((one for one in times if isinstance(one, datetime)), default=None)

    def price_of(self, models: Collection[str]) -> pl.DataFrame:
        """The rows of `price` that are of some models, given by canonical ids.

        Most of ten years of prices are of models that nobody asks for: only these are read.
        """
        if "price" in self.__dict__:
            return self.directory.of_models(self.price, models)
        ids = self.directory.ids_of(models)
        rows = self._rows(PRICE_TABLE, PRICE_COLUMNS, pl.col("model").is_in(sorted(ids)))
        return self.directory.of_models(rows, models)

    @cached_property
    def whole_price(self) -> pl.DataFrame:
        """Price rows, all revisions, with all columns."""
        return self._rows(PRICE_TABLE)

    @cached_property
    def catalog(self) -> pl.DataFrame:
        """Catalogue rows, all revisions."""
        return self._rows(CATALOG_TABLE)

    @cached_property
    def directory(self) -> Directory:
        """Who is behind an id."""
        return Directory(self._rows(CATALOG_TABLE, Directory.COLUMNS))

    @cached_property
    def rates(self) -> Rates:
        """Exchange rates."""
        return Rates(self._rows(FX_TABLE))

    def _rows(
        self, table: Table, columns: Sequence[str] | None = None, where: pl.Expr | None = None
    ) -> pl.DataFrame:
        rows = self._store.read(table, columns=columns, where=where)
        return rows.filter(pl.col("observed_at") <= self.at)

    def totals(
        self, definition: Definition, by: By, grain: Grain, span: Span | None = None
    ) -> pl.DataFrame:
        """totals.TOTALS of a definition; computed once.

        Args:
            definition: What to count.
            by: Grouping.
            grain: Length of the windows.
            span: Days whose windows are needed, there may be others; None for all there are.
        """
        span, rows = self._usage.rows_of(definition, span)
        key = (definition.key, by == "model", grain, span)
        if key not in self._totals:
            self._totals[key] = totals(rows, definition, by, grain)
        return self._totals[key]

    def definitions(self) -> Sequence[Definition]:
        """The definitions that have figures, in switching order."""
        seen = self._usage.newest_days
        return [
            one
            for one in DEFINITIONS.values()
            if any((one.metric, source.feed) in seen for source in (*one.models, *one.vendors))
        ]

    def newest_window(
        self, definition: Definition, grain: Grain, until: date | None = None
    ) -> Window | None:
        """The newest whole window that ends on or before `until`, None if there is none."""
        return self._usage.newest_window(definition, grain, until)

    def choose_definition(
        self, grain: Grain, stated: str = "", until: date | None = None
    ) -> Definition:
        """The definition asked for, or the first of those whose figures reach furthest.

        Raises:
            NothingToShow: There is no such definition, or no figures at all.
        """
        if stated:
            return definition_of(stated)
        best: tuple[date, Definition] | None = None
        for one in DEFINITIONS.values():
            reach = self._usage.reach({source.feed for source in (*one.models, *one.vendors)})
            # What cannot reach further than the window that was found is not even read.
            if reach is None or (best and last_complete(reach, grain).start <= best[0]):
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
            and self.totals(definition, "vendor", grain, (window.start, window.end))
            .filter(pl.col("start") == window.start)
            .is_empty()
        ):
            raise NothingToShow(f"no figures of {definition.label} before {window.end}")
        return window

    def board(self, definition: Definition, by: By, window: Window, *, history: int = 26) -> Board:
        """The leaderboard of a window; its rows are empty if there are no figures."""
        key = (definition.key, by, window, history)
        if key in self._boards:
            return self._boards[key]
        known = self.totals(definition, by, window.grain, _span(window, history))
        here = known.filter(pl.col("start") == window.start)
        before = known.filter((pl.col("start") == window.shifted(-1).start) & pl.col("complete"))
        self._boards[key] = Board(
            definition=definition,
            by=by,
            window=window,
            rows=leaderboard(known, definition, by, window, self.directory, history=history),
            total=_sum(here),
            previous_total=_sum(before),
            complete=not here.is_empty() and bool(here.get_column("complete").all()),
            scope=str(here.get_column("scope").first() or definition.scope),
            origin=self.usage_origin(here, window),
        )
        return self._boards[key]

    def prices(
        self,
        at: datetime,
        baseline: str,
        mix: Mix,
        prompt_tokens: int = 0,
        models: Collection[str] = (),
    ) -> pl.DataFrame:
        """prices.PRICES at a time, as far as it was known, for prompts of a length.

        With `models` (canonical ids) only of these and of the baseline.
        """
        return prices(
            self.price_of({*models, baseline}) if models else self.price,
            min(at, self.at),
            self.directory,
            polls=self.polls,
            last_poll=self.polls.last,
            baseline=baseline,
            mix=mix,
            prompt_tokens=prompt_tokens,
        )

    def price_history(
        self,
        *,
        feeds: Collection[str] | None = None,
        models: Collection[str] | None = None,
        since: datetime | None = None,
    ) -> pl.DataFrame:
        """price_history.PRICE_HISTORY, as far as it was known; see there for the filters."""
        # Not every question is about changes; it takes a while to load.
        from qwenwatch_cache.market.price_history import price_history

        return price_history(
            self.whole_price, self.polls, self.directory, feeds=feeds, models=models, since=since
        )

    def converted(
        self, offers: pl.DataFrame, baseline: str, currency: str, at: datetime
    ) -> pl.DataFrame:
        """conversion.CONVERTED of prices.PRICES at a time."""
        # Few questions are of several currencies.
        from qwenwatch_cache.market.conversion import converted

        return converted(offers, baseline, currency, self.rates, at.date())

    def price_origin(self, feed: str, at: datetime) -> Origin:
        """Where the prices of a feed at a time came from."""
        return price_origin(self.polls, feed, at)

    def rate_origin(self, feed: str, day: date) -> Origin:
        """Where the exchange rates of a day came from."""
        return rate_origin(self.polls, feed, day, self.at)

    def usage_origin(self, rows: pl.DataFrame, window: Window) -> Origin:
        """Where totals.TOTALS of a window, of one feed, came from."""
        return usage_origin(self._usage, self.polls, rows, window, self.at)

    def origin(self, feed: str, as_of: datetime, status: Status) -> Origin:
        """Where figures of a feed came from that the source dates so."""
        return origin_of(feed, as_of, self.polls.last(feed, self.at), status)


def _span(window: Window, history: int) -> Span:
    """The days of a window and of those before it that a leaderboard of it looks at."""
    return window.shifted(-max(history, 2)).start, window.end


def _sum(rows: pl.DataFrame) -> int | None:
    values = rows.get_column("value")
    return None if values.is_empty() or values.null_count() else int(values.sum())
