"""Everything that changed between two days, as far as it was known."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta

import msgspec
import polars as pl

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.frames import CATALOG_TABLE, PRICE_TABLE
from qwenwatch_cache.market.changes import (
    CHANGES,
    KINDS,
    Kind,
    Period,
    expiring,
    in_order,
    offer_changes,
)
from qwenwatch_cache.market.definitions import By, Definition
from qwenwatch_cache.market.in_force import ON_DEMAND
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.movers import movers
from qwenwatch_cache.market.origins import Origin
from qwenwatch_cache.market.windows import Grain, Window
from qwenwatch_cache.store import as_of

BELIEVED = frozenset({"confirmed", "announced"})
"""Marks of what is no mere suspicion."""

MARGIN = timedelta(days=60)
"""How long before a period prices are looked at: whatever doubts a price is over by then."""

OFFERS: frozenset[Kind] = frozenset({"price", "added", "removed"})
PRICED: frozenset[Kind] = OFFERS | {"expiring"}
MOVES: frozenset[Kind] = frozenset({"rank", "share"})

COUNTS = pl.Schema(
    {
        "month": pl.Date(),  # its first day
        "feed": pl.String(),
        "mark": pl.String(),
        "count": pl.Int64(),  # offers whose input or output price changed, once per moment
    }
)


class Asked(msgspec.Struct, frozen=True):
    """Which changes are wanted.

    Attributes:
        period: When.
        kinds: Which kinds.
        vendors: Vendor ids, and
        models: canonical ids: only what belongs to one of either; all if both are empty.
        basis: "route" or "list" prices only, "" for both.
        believed: Only what is confirmed or announced.
        by: Groupings of ranks and shares.
        metric: Definition key or metric of ranks and shares, "" lets the data decide.
        grain: Length of their windows.
    """

    period: Period
    kinds: Collection[Kind] = KINDS
    vendors: Collection[str] = ()
    models: Collection[str] = ()
    basis: str = ""
    believed: bool = False
    by: Sequence[By] = ("vendor", "model")
    metric: str = ""
    grain: Grain = "week"


class Compared(msgspec.Struct, frozen=True):
    """Two whole windows whose leaderboards were compared, or could not be.

    Attributes:
        by: What they are grouped by.
        definition: What they count, None if there is nothing.
        before: The last whole one up to the day before the period, None if there is none.
        after: The last whole one up to its last day.
        scope: What the source counted, "" if not compared.
        note: Why they could not be compared, "" if they were.
    """

    by: By
    definition: Definition | None
    before: Window | None
    after: Window | None
    scope: str
    note: str


class Changes(msgspec.Struct, frozen=True):
    """What changed.

    Attributes:
        asked: What was asked.
        known_at: Nothing learned later was used.
        rows: changes.CHANGES, newest first, announced ends last.
        counts: COUNTS of the price changes among them.
        compared: The leaderboards behind ranks and shares.
        origins: Where everything came from, those that had nothing new included.
    """

    asked: Asked
    known_at: datetime
    rows: pl.DataFrame
    counts: pl.DataFrame
    compared: Sequence[Compared]
    origins: Sequence[Origin]


def newest_day(known: Known, kinds: Collection[Kind] = KINDS, basis: str = "") -> date:
    """The last day about which there is something to say, whether it is over or not.

    That is the last on which any prices were read or of which usage is known, whichever is later.

    Args:
        known: What was known.
        kinds: The changes that are asked about: not all are of prices, or of usage.
        basis: "route" or "list" prices only, "" for both.

    Raises:
        NothingToShow: There are no figures.
    """
    days = []
    if PRICED & set(kinds):
        moments = [known.polls.last(feed, known.at) for feed in _price_feeds(known, basis)]
        days += [moment.date() for moment in moments if moment is not None]
    if MOVES & set(kinds):
        windows = [known.newest_window(one, "day") for one in known.definitions()]
        days += [window.start for window in windows if window is not None]
    if not days:
        what = "prices" if PRICED & set(kinds) else "usage figures"
        raise NothingToShow(f"there are no {what} yet: run `qwenwatch refresh`")
    return min(max(days), known.at.date())


def changes_between(known: Known, asked: Asked) -> Changes:
    """Ask for everything that changed in a period.

    Raises:
        QwenwatchError: There is no such definition.
    """
    period, kinds = asked.period, set(asked.kinds)
    found = [pl.DataFrame(schema=CHANGES)]
    origins: dict[str, Origin] = {}
    if OFFERS & kinds:
        models = set(asked.models) if asked.models and not asked.vendors else None
        history = known.price_history(models=models, since=period.begin - MARGIN)
        found.append(offer_changes(history, known.polls, known.directory, period))
        origins |= _price_origins(known, asked)
    if "expiring" in kinds:
        ending = _expiring(known, period)
        found.append(ending)
        for feed in ending.get_column("feed").unique().sort().to_list():
            origins.setdefault(feed, known.price_origin(feed, min(period.end, known.at)))
    compared = []
    if MOVES & kinds:
        for by in asked.by:
            pair, moved, origin = _compare(known, asked, by)
            compared.append(pair)
            found.append(moved)
            if origin is not None:
                origins.setdefault(origin.feed, origin)
    rows = in_order(_wanted(pl.concat(found), asked))
    return Changes(asked, known.at, rows, price_counts(rows), compared, tuple(origins.values()))


def price_counts(rows: pl.DataFrame) -> pl.DataFrame:
    """How many prices changed in each month, by feed and mark.

    Args:
        rows: CHANGES. An offer counts once per moment and mark, however many of its tiers and of
            input and output changed; changes of other fields do not count.

    Returns:
        COUNTS, sorted by month, feed and mark.
    """
    what = ("feed", "mark", "at", "basis", "provider", "region", "source_id", "variant", "unit")
    return (
        rows.filter((pl.col("kind") == "price") & pl.col("field").is_in(["input", "output"]))
        .select(pl.col("at").dt.date().dt.truncate("1mo").alias("month"), *what)
        .unique()
        .group_by("month", "feed", "mark")
        .agg(count=pl.len())
        .sort("month", "feed", "mark")
        .cast(dict(COUNTS.items()))
    )


def _wanted(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    wanted = pl.col("kind").is_in(list(asked.kinds))
    if asked.basis:
        wanted &= pl.col("basis").is_null() | (pl.col("basis") == asked.basis)
    if asked.believed:
        wanted &= pl.col("mark").is_in(list(BELIEVED))
    if asked.vendors or asked.models:
        of_vendor = pl.col("vendor").is_in(list(asked.vendors)).fill_null(value=False)
        named = (pl.col("by") == "model") & pl.col("id").is_in(list(asked.models))
        wanted &= of_vendor | named
    return rows.filter(wanted)


def _price_feeds(known: Known, basis: str = "") -> Sequence[str]:
    rows = known.price.filter(pl.col("basis") == basis) if basis else known.price
    feeds: list[str] = rows.get_column("feed").unique().sort().to_list()
    return [feed for feed in feeds if feed != ON_DEMAND]


def _price_origins(known: Known, asked: Asked) -> dict[str, Origin]:
    """Sources of prices that were read by the end, whether they had news or not."""
    at = min(asked.period.end, known.at)
    feeds = _price_feeds(known, asked.basis)
    origins = {feed: known.price_origin(feed, at) for feed in feeds}
    return {feed: origin for feed, origin in origins.items() if origin.fetched_at is not None}


def _expiring(known: Known, period: Period) -> pl.DataFrame:
    at = min(period.end - timedelta(microseconds=1), known.at)
    listed = as_of(known.price, PRICE_TABLE, at).select("feed", "model", "listed")
    catalog = as_of(known.catalog, CATALOG_TABLE, at)
    return expiring(catalog, listed, known.directory, period.last)


def _compare(known: Known, asked: Asked, by: By) -> tuple[Compared, pl.DataFrame, Origin | None]:
    """The leaderboards of the last whole window at each end of the period."""
    nothing = pl.DataFrame(schema=CHANGES)
    grain, period = asked.grain, asked.period
    try:
        definition = known.choose_definition(grain, asked.metric, period.last)
    except NothingToShow as error:
        return Compared(by, None, None, None, "", str(error)), nothing, None
    after = known.newest_window(definition, grain, period.last)
    before = known.newest_window(definition, grain, period.before)
    if before is None or after is None:
        day = period.last if after is None else period.before
        note = f"no complete {grain} of {definition.label} is known up to {day}"
        return Compared(by, definition, before, after, "", note), nothing, None
    boards = [known.board(definition, by, window) for window in (before, after)]
    origin = boards[1].origin
    note = ""
    if before == after:
        note = f"the last complete {grain} is the same at both ends"
    elif not all(board.complete for board in boards):
        note = f"one of the two {grain}s is not complete"
    elif _answering(known, definition, by, before) != _answering(known, definition, by, after):
        note = f"the two {grain}s are of different sources, which name different things"
    pair = Compared(by, definition, before, after, boards[1].scope, note)
    if note:
        return pair, nothing, origin
    over = datetime.combine(after.end, time(), UTC) + timedelta(days=1)
    moved = movers(boards[0].rows, boards[1].rows, definition, by, feed=origin.feed, over=over)
    return pair, moved, origin


def _answering(
    known: Known, definition: Definition, by: By, window: Window
) -> Sequence[tuple[str, ...]]:
    """Which source answered for a window."""
    rows = known.totals(definition, by, window.grain, (window.start, window.end))
    here = rows.filter(pl.col("start") == window.start)
    return here.select("feed", "kind", "scope").unique().sort("feed", "kind", "scope").rows()
