"""How every feed is doing, from the log of requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from qwenwatch_cache.schedule import FeedSettings, record_of

State = Literal["ok", "stale", "failing", "never asked", "no key", "off"]

LATE = timedelta(hours=1)
"""How much later than due a feed may be before it is called stale."""


@dataclass(frozen=True, slots=True)
class FeedState:
    """One feed's health.

    Attributes:
        settings: The feed and its configuration.
        state: "ok"; "stale" (nobody asked it for long); "failing" (the last request failed);
            "never asked"; "no key"; "off".
        last_good: When it was last read successfully.
        due: When it may be asked next, None if at once.
        error: Message of the last request if it failed.
        rows: Entries in its last good answers that were counted.
        rows_new: Rows it ever brought into the cache.
    """

    settings: FeedSettings
    state: State
    last_good: datetime | None
    due: datetime | None
    error: str
    rows: int
    rows_new: int


def feed_states(
    log: pl.DataFrame, feeds: Sequence[FeedSettings], now: datetime
) -> Sequence[FeedState]:
    """Health of every feed.

    Args:
        log: This cache's log of requests (frames.FETCH), in the order in which they were logged.
        feeds: What the configuration says of each feed.
        now: The present moment.
    """
    return [_state(log, settings, now) for settings in feeds]


def _state(log: pl.DataFrame, settings: FeedSettings, now: datetime) -> FeedState:
    record = record_of(log, settings)
    own = log.filter(pl.col("feed") == settings.feed.name)
    counted = own.filter(pl.col("rows").is_not_null())
    state: State = "ok"
    if not settings.enabled:
        state = "off"
    elif settings.key_missing:
        state = "no key"
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
        due=record.due,
        error=record.last_error,
        rows=0 if counted.is_empty() else int(counted.row(-1, named=True)["rows"]),
        rows_new=int(own.get_column("rows_new").sum()),
    )
