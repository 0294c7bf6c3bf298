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
        done: Requests that were answered well, oldest first.
        last_good: When the last of them was made.
        last_error: Message of the last request if it failed, "" if it was good.
        due: When the feed may be asked again; None if it never was.
        etags: Last ETag by address.
    """

    done: Sequence[Done]
    last_good: datetime | None
    last_error: str
    due: datetime | None
    etags: dict[str, str]


def record_of(log: pl.DataFrame, settings: FeedSettings) -> Record:
    """Read the log (frames.FETCH) for one feed."""
    rows = log.filter(pl.col("feed") == settings.feed.name).sort("started", "url")
    good = rows.filter(pl.col("error").is_null())
    done = [Done(url, started) for url, started in good.select("url", "started").iter_rows()]
    etags = {url: etag or "" for url, etag in good.select("url", "etag").iter_rows()}
    last_good = done[-1].started if done else None
    if rows.is_empty():
        return Record(done, None, "", None, etags)
    last = rows.row(-1, named=True)
    if last["error"] is None:
        return Record(done, last_good, "", last["started"] + settings.every, etags)
    return Record(done, last_good, last["error"], last["retry_at"], etags)


def back_off(log: pl.DataFrame, settings: FeedSettings, started: datetime) -> datetime:
    """When to ask again after a failure: a minute, doubled with every failure in a row."""
    rows = log.filter(pl.col("feed") == settings.feed.name).sort("started", "url")
    errors = rows.get_column("error").is_not_null().to_list()
    failures = 0
    for failed in reversed(errors):
        if not failed:
            break
        failures += 1
    doubled: timedelta = FIRST_BACK_OFF * (1 << min(failures, 20))
    return started + min(doubled, settings.every)
