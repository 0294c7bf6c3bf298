"""Everything that was known at a time, ready to be asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

import polars as pl

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.feeds import CREDITS
from qwenwatch_cache.frames import CATALOG_TABLE, FX_TABLE, PRICE_TABLE
from qwenwatch_cache.market.definitions import DEFINITIONS, By, Definition, definition_of
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.leaderboard import leaderboard
from qwenwatch_cache.market.polls import KnownPolls
from qwenwatch_cache.market.prices import COLUMNS as PRICE_COLUMNS
from qwenwatch_cache.market.prices import Mix, prices
from qwenwatch_cache.market.rates import Rates
from qwenwatch_cache.market.standing import KnownStanding, Status
from qwenwatch_cache.market.totals import totals
from qwenwatch_cache.market.usage import KnownUsage, Span
from qwenwatch_cache.market.windows import Grain, Window, last_complete
from qwenwatch_cache.store import Store, as_of


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
        price: Price rows, all revisions; the columns that prices are answered from.
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
        rows = self._store.read(PRICE_TABLE, columns=PRICE_COLUMNS)
        return _until(rows, "observed_at", self.at)

    @cached_property
    def catalog(self) -> pl.DataFrame:
        """Catalogue rows, all revisions."""
        return _until(self._store.read(CATALOG_TABLE), "observed_at", self.at)

    @cached_property
    def directory(self) -> Directory:
        """Who is behind an id."""
        return Directory(self.catalog)

    @cached_property
    def rates(self) -> Rates:
        """Exchange rates."""
        return Rates(_until(self._store.read(FX_TABLE), "observed_at", self.at))

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
        last_days = self._usage.newest_days
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
            scope=_text(here.get_column("scope").first()) or definition.scope,
            origin=self._usage_origin(here, window),
        )
        return self._boards[key]

    def prices(self, at: datetime, baseline: str, mix: Mix, prompt_tokens: int = 0) -> pl.DataFrame:
        """prices.PRICES at a time, as far as it was known, for prompts of a length."""
        moment = min(at, self.at)
        return prices(
            self.price,
            moment,
            self.directory,
            polls=self.polls,
            last_poll=lambda feed: self.polls.last(feed, moment),
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
        """price_history.PRICE_HISTORY, as far as it was known; see there for the filters.

        With `since` it begins with the prices that stood then: after years most of all changes are
        of times that nobody asks about.
        """
        # Not every question is about changes; it takes a while to load.
        from qwenwatch_cache.market.price_history import price_history

        rows = _until(self._store.read(PRICE_TABLE), "observed_at", self.at)
        if since is not None:
            later = rows.filter(pl.col("observed_at") > since)
            standing = as_of(rows, PRICE_TABLE, since).filter("listed")
            rows = pl.concat([standing, later])
        return price_history(rows, self.polls, self.directory, feeds=feeds, models=models)

    def converted(
        self, offers: pl.DataFrame, baseline: str, currency: str, at: datetime
    ) -> pl.DataFrame:
        """conversion.CONVERTED of prices.PRICES at a time."""
        # Few questions are of several currencies.
        from qwenwatch_cache.market.conversion import converted

        return converted(offers, baseline, currency, self.rates, at.date())

    def rate_origin(self, feed: str, day: date) -> Origin:
        """Where the exchange rates of a day came from."""
        own = self.polls.last_own(feed, self.at)
        stated = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return _origin(
            feed, stated, self.polls.last(feed, self.at), "bundled" if own is None else "live"
        )

    def price_origin(self, feed: str, at: datetime) -> Origin:
        """Where the prices of a feed at a time came from."""
        last = self.polls.last(feed, at)
        own = self.polls.last_own(feed, at)
        return _origin(feed, last, last, "bundled" if own is None else "live")

    def origin(self, feed: str, as_of: datetime, status: Status) -> Origin:
        """Where figures of a feed came from that the source dates so."""
        return _origin(feed, as_of, self.polls.last(feed, self.at), status)

    def history_origins(self, board: Board) -> Sequence[Origin]:
        """Where the windows before the board's came from, if from elsewhere."""
        starts = {point["start"] for points in board.rows["history"] for point in points}
        span = (min(starts, default=board.window.start), board.window.end)
        known = self.totals(board.definition, board.by, board.window.grain, span)
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
        periods, own = self._usage.periods(feed, kinds, window)
        status: Status = "bundled" if not own else "live" if own == periods else "mixed"
        stated = self._usage.newest_as_of(feed, kinds)
        return _origin(feed, stated, self.polls.last(feed, self.at), status)


def _span(window: Window, history: int) -> Span:
    """The days of a window and of those before it that a leaderboard of it looks at."""
    return window.shifted(-max(history, 2)).start, window.end


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
