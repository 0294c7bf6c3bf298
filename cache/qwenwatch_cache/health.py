"""How every feed is doing, from the log of requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

import polars as pl

from qwenwatch_cache.frames import FETCH_TABLE, INSTANT, TABLES
from qwenwatch_cache.schedule import FeedSettings, Record, midnight_after, record_of
from qwenwatch_cache.store import Store

State = Literal["ok", "stale", "failing", "never asked", "on demand", "no key", "off"]

LATE = timedelta(hours=1)
"""How much later than due a feed may be before it is called stale."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a cache holds of a feed.

    Attributes:
        rows: Rows in all tables, all revisions.
        as_of: The source's own date of its newest figure, None where it states none.
    """

    rows: int = 0
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeedState:
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


def feed_states(
    log: pl.DataFrame,
    feeds: Sequence[FeedSettings],
    now: datetime,
    holdings: Mapping[str, Holding] = MappingProxyType({}),
) -> Sequence[FeedState]:
    """Health of every feed.

    Args:
        log: This cache's log of requests (frames.FETCH), in the order in which they were logged.
        feeds: What the configuration says of each feed.
        now: The present moment.
        holdings: What the cache holds, by feed (see `holdings_of`).
    """
    return [
        _state(log, settings, now, holdings.get(settings.feed.name, Holding()))
        for settings in feeds
    ]


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


def _state(log: pl.DataFrame, settings: FeedSettings, now: datetime, holding: Holding) -> FeedState:
    record = record_of(log, settings, now)
    own = log.filter(pl.col("feed") == settings.feed.name)
    brought = own.filter(pl.col("rows_new") > 0)
    state: State = "ok"
    if not settings.enabled:
        state = "off"
    elif settings.key_missing:
        state = "no key"
    elif settings.feed.on_demand is not None:
        state = "on demand"  # what went wrong with one model says nothing of the next
    elif record.last_error:
        state = "failing"
    elif record.last_good is None:
        state = "never asked"
    elif now - record.last_good > 2 * settings.every + LATE:
        state = "stale"
    return FeedState(
        settings=settings,
        state=state,
        last_good=record.last_good,
        due=_due(record, settings, now),
        error=record.last_error,
        rows_new=_of_last_round(brought, settings.every),
        left_today=max(settings.feed.budget - record.spent, 0),
        holding=holding,
    )


def _due(record: Record, settings: FeedSettings, now: datetime) -> datetime | None:
    """When a round will ask it: the server's wish goes first, then the budget, as in a round."""
    if record.told_to_wait is not None and now < record.told_to_wait:
        return record.told_to_wait
    if record.spent >= settings.feed.budget:
        return midnight_after(now)
    return record.due


def _of_last_round(brought: pl.DataFrame, every: timedelta) -> int:
    """Rows stored by the last requests with news, as far as they were made in one round."""
    if brought.is_empty():
        return 0
    begin = brought.get_column("started").max() - every / 2  # type: ignore[operator]
    return int(brought.filter(pl.col("started") > begin).get_column("rows_new").sum())
