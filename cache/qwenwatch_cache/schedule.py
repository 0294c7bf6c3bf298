"""When a feed may be asked next, worked out from the log of earlier requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from qwenwatch_cache.feeds.feed import Done, Feed

FIRST_BACK_OFF = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """What the configuration says of a feed.

    Attributes:
        feed: The feed.
        enabled: Whether it is asked at all.
        base_url: Scheme and host (and path prefix) to ask, "" for the feed's own.
        key: API key, "" if there is none.
        every: Time between two rounds, at least the feed's floor.
    """

    feed: Feed
    enabled: bool
    base_url: str
    key: str
    every: timedelta

    @property
    def key_missing(self) -> bool:
        """Whether the feed needs a key and has none."""
        return bool(self.feed.key_env) and not self.key

    def url(self, path: str) -> str:
        """The full address of one of the feed's paths."""
        return (self.base_url or self.feed.host).rstrip("/") + path


@dataclass(frozen=True, slots=True)
class Record:
    """What the log knows of one feed.

    Attributes:
        done: Requests that were answered well, oldest first; what they brought is in the cache.
        last_good: When the last request that was answered well was made.
        last_error: Message of the last request if it failed, "" if it was good.
        due: When the feed may be asked again; None if it never was.
        etags: Last ETag by address, of the requests in `done`.
        last_asked: When the last request was made, whatever came of it.
        told_to_wait: Until when the server asked to be left alone (HTTP 429); binds always.
    """

    done: Sequence[Done]
    last_good: datetime | None
    last_error: str
    due: datetime | None
    etags: dict[str, str]
    last_asked: datetime | None = None
    told_to_wait: datetime | None = None


def record_of(
    log: pl.DataFrame, settings: FeedSettings, last_damage: datetime | None = None
) -> Record:
    """Read the log (frames.FETCH) for one feed.

    Args:
        log: All requests, in the order in which they were logged.
        settings: Which feed.
        last_damage: When the cache was last found damaged. Earlier answers may be lost in part, so
            that they do not count as done, and the feed is due if it was well.
    """
    rows = _rows_of(log, settings)
    good = rows.filter(pl.col("error").is_null())
    last_good = None if good.is_empty() else good.row(-1, named=True)["started"]
    if last_damage is not None:
        good = good.filter(pl.col("started") > last_damage)
    done = [Done(url, started) for url, started in good.select("url", "started").iter_rows()]
    etags = {url: etag or "" for url, etag in good.select("url", "etag").iter_rows()}
    if rows.is_empty():
        return Record(done, None, "", None, etags)
    last = rows.row(-1, named=True)
    asked = last["started"]
    if last["error"] is None:
        due = asked + settings.every if done else None
        return Record(done, last_good, "", due, etags, asked)
    told = last["retry_at"] if last["status"] == 429 else None
    return Record(done, last_good, last["error"], last["retry_at"], etags, asked, told)


def back_off(log: pl.DataFrame, settings: FeedSettings, started: datetime) -> datetime:
    """When to ask again after a failure: in a minute, or twice the wait after the round before."""
    rows = _rows_of(log, settings)
    wait = FIRST_BACK_OFF
    if not rows.is_empty():
        last = rows.row(-1, named=True)
        # A round ends with its first failure, so the last row says how the round before ended.
        if last["error"] is not None and last["retry_at"] is not None:
            wait = max(wait, 2 * (last["retry_at"] - last["started"]))
    return started + min(wait, settings.every)


def _rows_of(log: pl.DataFrame, settings: FeedSettings) -> pl.DataFrame:
    # As they were logged: a clock that was put back must not make an old answer the last one.
    return log.filter(pl.col("feed") == settings.feed.name)
