"""How every feed is doing, from the log of requests."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

import msgspec
import polars as pl

from qwenwatch_cache.frames import FETCH_TABLE, INSTANT, TABLES
from qwenwatch_cache.log_ends import Ends, ends_of, midnight_after
from qwenwatch_cache.schedule import (
    FeedSettings,
    Standing,
    standing_of,
)
from qwenwatch_cache.store import Store

State = Literal["ok", "stale", "failing", "never asked", "on demand", "no key", "off"]

LATE = timedelta(hours=1)
"""How much later than due a feed may be before it is called stale."""


RECENT = timedelta(days=40)
"""How far back the log is read of feeds that were asked in that time."""

LOOKED_AT = ("feed", "started", "status", "rows_new", "retry_at", "error", "role")
"""Columns of the log that tell how feeds are."""


class Holding(msgspec.Struct, frozen=True):
    """What a cache holds of a feed.

    Attributes:
        rows: Rows in all tables, all revisions.
        as_of: The source's own date of its newest figure, None where it states none.
    """

    rows: int = 0
    as_of: datetime | None = None


class FeedState(msgspec.Struct, frozen=True):
    """One feed's health.

    Attributes:
        settings: The feed and its configuration.
        state: "ok"; "stale" (nobody asked it for long); "failing" (the last request failed);
            "never asked"; "on demand" (asked about single models only); "no key"; "off".
        last_good: When it was last read successfully.
        due: When it may be asked next, None if at once.
        error: Message of the last request if it failed.
        rows_new: Rows that the last round with news brought into the cache.
        left_today: Requests that its budget leaves for this day (UTC).
        holding: What the cache holds of it; empty where that was not asked for.
    """

    settings: FeedSettings
    state: State
    last_good: datetime | None
    due: datetime | None
    error: str
    rows_new: int
    left_today: int
    holding: Holding


class Tails(msgspec.Struct, frozen=True):
    """All that the log of requests says of how the feeds are.

    Attributes:
        ends: How it ends, by feed.
        brought: Rows that the last round with news brought into the cache, by feed.
    """

    ends: dict[str, Ends]
    brought: dict[str, int]


def tails_of(log: pl.DataFrame, feeds: Sequence[FeedSettings], now: datetime) -> Tails:
    """Read the tails of a log.

    Args:
        log: This cache's log of requests in the order in which they were logged; of the columns of
            frames.FETCH only `LOOKED_AT`.
        feeds: What the configuration says of each feed.
        now: The present moment.
    """
    return Tails(dict(ends_of(log, now)), dict(_of_last_rounds(log, feeds)))


def feed_states(
    log: pl.DataFrame,
    feeds: Sequence[FeedSettings],
    now: datetime,
    holdings: Mapping[str, Holding] = MappingProxyType({}),
) -> Sequence[FeedState]:
    """Health of every feed, from a log; see `tails_of` and `states_of`."""
    return states_of(tails_of(log, feeds, now), feeds, now, holdings)


def states_of(
    tails: Tails,
    feeds: Sequence[FeedSettings],
    now: datetime,
    holdings: Mapping[str, Holding] = MappingProxyType({}),
) -> Sequence[FeedState]:
    """Health of every feed.

    Args:
        tails: What the log says.
        feeds: What the configuration says of each feed.
        now: The present moment.
        holdings: What the cache holds, by feed (see `holdings_of`).
    """
    return [
        _state(
            standing_of(tails.ends, settings, now),
            settings,
            now,
            tails.brought.get(settings.feed.name, 0),
            holdings.get(settings.feed.name, Holding()),
        )
        for settings in feeds
    ]


def recent_log(store: Store, feeds: Sequence[FeedSettings], now: datetime) -> pl.DataFrame:
    """As much of the log as `tails_of` looks at.

    Of a feed that was asked lately, and had news, nothing older is read: the log of ten years has
    most of a million rows. What a clock dated so far back is taken for logged so long ago.
    """
    recent = store.cached(FETCH_TABLE, since=now - RECENT, columns=LOOKED_AT).filter(
        pl.col("started") >= now - RECENT
    )
    telling = pl.col("error").is_null() & pl.col("role").ne_missing("backfill")
    counts = recent.group_by("feed").agg(telling.any(), news=(pl.col("rows_new") > 0).any())
    told = {feed for feed, *tells in counts.iter_rows() if all(tells)}
    others = sorted({one.feed.name for one in feeds} - told)
    rest = store.cached(FETCH_TABLE, feeds=others, columns=LOOKED_AT)
    return pl.concat([recent.filter(~pl.col("feed").is_in(others)), rest])


def holdings_of(store: Store) -> Mapping[str, Holding]:
    """What a cache holds, by feed; reads all of it."""
    held: dict[str, Holding] = {}
    for table in TABLES.values():
        if table is FETCH_TABLE:
            continue
        date = next((name for name in ("as_of", "date") if name in table.schema), None)
        newest = pl.col(date).max().cast(INSTANT) if date else pl.lit(None, INSTANT)
        counted = store.cached(table).group_by("feed").agg(pl.len(), as_of=newest)
        for feed, rows, as_of in counted.sort("feed").iter_rows():
            before = held.get(feed, Holding())
            dates = [one for one in (before.as_of, as_of) if one is not None]
            held[feed] = Holding(before.rows + rows, max(dates, default=None))
    return held


def _state(
    standing: Standing, settings: FeedSettings, now: datetime, rows_new: int, holding: Holding
) -> FeedState:
    state: State = "ok"
    if not settings.enabled:
        state = "off"
    elif settings.key_missing:
        state = "no key"
    elif settings.feed.on_demand is not None:
        state = "on demand"  # what went wrong with one model says nothing of the next
    elif standing.last_error:
        state = "failing"
    elif standing.last_good is None:
        state = "never asked"
    elif now - standing.last_good > 2 * settings.every + LATE:
        state = "stale"
    return FeedState(
        settings=settings,
        state=state,
        last_good=standing.last_good,
        due=_due(standing, settings, now),
        error=standing.last_error,
        rows_new=rows_new,
        left_today=max(settings.feed.budget - standing.spent, 0),
        holding=holding,
    )


def _due(standing: Standing, settings: FeedSettings, now: datetime) -> datetime | None:
    """When a round will ask it: the server's wish goes first, then the budget, as in a round."""
    if standing.told_to_wait is not None and now < standing.told_to_wait:
        return standing.told_to_wait
    if standing.spent >= settings.feed.budget:
        return midnight_after(now)
    return standing.due


def _of_last_rounds(log: pl.DataFrame, feeds: Sequence[FeedSettings]) -> Mapping[str, int]:
    """By feed: rows stored by its last requests with news, as far as they were of one round."""
    halves = {one.feed.name: one.every / 2 for one in feeds}
    half = pl.col("feed").replace_strict(halves, default=None, return_dtype=pl.Duration("us"))
    brought = (
        log.lazy()
        .filter(pl.col("rows_new") > 0)
        .filter(pl.col("started") > pl.col("started").max().over("feed") - half)
        .group_by("feed")
        .agg(pl.col("rows_new").sum())
        .collect()
    )
    return dict(brought.iter_rows())
