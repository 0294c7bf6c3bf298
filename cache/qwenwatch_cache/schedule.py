"""When a feed may be asked next, worked out from the log of earlier requests.

Nothing else remembers anything: programs that share a cache share the log, and so the schedule.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import msgspec
import polars as pl
from msgspec.structs import asdict, replace

from qwenwatch_cache.feeds.feed import Done, Feed
from qwenwatch_cache.log_ends import AHEAD, Ends, ends_of

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

FIRST_BACK_OFF = timedelta(minutes=1)

JITTER = 0.1
"""Up to this part of `every` is added to it, so that the copies of the program that people run do
not all ask at the full hour."""

LONGEST_JITTER = timedelta(minutes=15)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

STANDS = timedelta(days=7)
"""An answer with far less or more than before is believed when it has been given for so long."""


class FeedSettings(msgspec.Struct, frozen=True):
    """What the configuration says of a feed.

    Attributes:
        feed: The feed.
        enabled: Whether it is asked at all.
        base_url: Scheme and host (and path prefix) to ask, "" for the feed's own.
        key: API key, "" if there is none.
        every: Time between two rounds, at least the feed's floor.
        key_withheld: Why a key that is there is not sent, "" if it is.
    """

    feed: Feed
    enabled: bool
    base_url: str
    key: str
    every: timedelta
    key_withheld: str = ""

    def __repr__(self) -> str:
        """Its name only: a key has no place in what is logged."""
        return f"FeedSettings({self.feed.name!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for Rich, which does not ask `__repr__`."""
        return [("feed", self.feed.name)]

    @property
    def key_missing(self) -> bool:
        """Whether the feed needs a key and has none."""
        return bool(self.feed.key_env) and not self.key

    @property
    def is_local(self) -> bool:
        """Whether it is asked on this machine, where nobody listens in and nobody is in the way."""
        return urlsplit(self.base_url).hostname in LOOPBACK

    def url(self, path: str) -> str:
        """The full address of one of the feed's paths."""
        return (self.base_url or self.feed.host).rstrip("/") + path


class Standing(msgspec.Struct, frozen=True):
    """How a feed was asked, and when it may be asked again.

    Attributes:
        last_good: When the last request that was answered well was made.
        last_error: Message of the last request if it failed, "" if it was good.
        due: When the feed may be asked again; None if it never was.
        last_asked: When the last request was made, whatever came of it.
        told_to_wait: Until when the server asked to be left alone (HTTP 429), this feed or one of
            its kin; binds always.
        spent: Requests made on the day of the question (UTC).
        unfinished: Whether the last round failed or was broken off; what it got is not asked again.
    """

    last_good: datetime | None = None
    last_error: str = ""
    due: datetime | None = None
    last_asked: datetime | None = None
    told_to_wait: datetime | None = None
    spent: int = 0
    unfinished: bool = False


class Record(Standing, frozen=True, kw_only=True, dict=True):
    """What the log knows of one feed that is to be asked.

    Attributes:
        logged: Its rows of the log of requests.
        good: Those that were answered well and whose rows are in the cache.
        merged: When rows of another cache were put beside its own, None if never.
    """

    logged: pl.DataFrame
    good: pl.DataFrame
    merged: datetime | None

    @cached_property
    def insisting_since(self) -> Mapping[str, datetime]:
        """Since when the answers of an address, whatever its days, are refused as implausible."""
        return _insisting_since(self.logged) if self.last_error else {}

    @cached_property
    def done(self) -> Sequence[Done]:
        """Requests that were answered well, oldest first; what they brought is in the cache."""
        return [Done(url, at) for url, at in self.good.select("url", "started").iter_rows()]

    @cached_property
    def validators(self) -> Mapping[str, str]:
        """Last ETag or Last-Modified by address, "" where there was none.

        Those from before another cache was merged do not count: what is unchanged since then need
        not be what now stands last.
        """
        rows = self.good.select("url", "etag", "started").iter_rows()
        return {
            url: etag or ""
            for url, etag, started in rows
            if self.merged is None or started > self.merged
        }

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """Entries in the last good answer by address, where it had a body."""
        counted = self.good.filter(pl.col("rows").is_not_null())
        return dict(counted.select("url", "rows").iter_rows())


def record_of(
    log: pl.DataFrame,
    settings: FeedSettings,
    now: datetime,
    last_damage: datetime | None = None,
    merged: datetime | None = None,
) -> Record:
    """Read the log (frames.FETCH) for one feed.

    Args:
        log: All requests, in the order in which they were logged.
        settings: Which feed.
        now: The present moment.
        last_damage: When the cache was last found damaged. Earlier answers may be lost in part, so
            that they do not count as done, and the feed is due if it was well.
        merged: When another cache was last merged with this one.
    """
    names = {settings.feed.name, *settings.feed.kin}
    standing = standing_of(
        ends_of(log.filter(pl.col("feed").is_in(sorted(names))), now), settings, now
    )
    logged = _rows_of(log, settings.feed.name)
    good = logged.filter(pl.col("error").is_null())
    if last_damage is not None:
        # Nor does what a clock that was wrong dated later than can be.
        good = good.filter(pl.col("started").is_between(last_damage, now + AHEAD, "right"))
    due = None if good.is_empty() and not standing.last_error else standing.due
    return Record(**{**asdict(standing), "due": due}, logged=logged, good=good, merged=merged)


def standing_of(ends: Mapping[str, Ends], settings: FeedSettings, now: datetime) -> Standing:
    """When a feed may be asked, from how the log ends for it and for its kin."""
    feed = settings.feed
    kin = [ends[name] for name in feed.kin or (feed.name,) if name in ends]
    waits = [
        one.told_to_wait
        for one in kin
        if one.told_to_wait is not None and one.told is not None and one.told <= now + AHEAD
    ]
    own = ends.get(feed.name, Ends())
    known = Standing(own.good, told_to_wait=max(waits, default=None), spent=own.spent)
    if own.asked is None:
        return known
    if own.asked > now + AHEAD:
        # Logged by a clock that was wrong; to believe it might silence the feed for years.
        return replace(known, last_asked=own.asked)
    if own.error is None:
        broken_off = own.role == "part"
        due = own.asked + FIRST_BACK_OFF if broken_off else next_due(settings, own.asked)
        return replace(known, last_asked=own.asked, due=due, unfinished=broken_off)
    return replace(
        known,
        last_error=own.error,
        last_asked=own.asked,
        due=own.retry_at,
        unfinished=True,
    )


def next_due(settings: FeedSettings, asked: datetime) -> datetime:
    """When to ask again after a good answer: by chance somewhat later than the settings say.

    It is the same chance for everyone who reads the log.
    """
    seed = f"{settings.feed.name} {asked.isoformat()}".encode()
    fraction = hashlib.sha256(seed).digest()[0] / 256
    return asked + settings.every + min(settings.every * JITTER, LONGEST_JITTER) * fraction


def back_off(log: pl.DataFrame, settings: FeedSettings, started: datetime) -> datetime:
    """When to ask again after a failure: in a minute, or twice the wait after the round before."""
    rows = _of_rounds(_rows_of(log, settings.feed.name))
    wait = FIRST_BACK_OFF
    if not rows.is_empty():
        last = rows.row(-1, named=True)
        # Failures are logged last, so the last row says how the round before ended.
        if last["error"] is not None and last["retry_at"] is not None:
            wait = max(wait, 2 * (last["retry_at"] - last["started"]))
    return started + min(wait, settings.every)


def without_days(url: str) -> str:
    """An address without the days in it: what is asked daily has another one every day."""
    return _DAY.sub("", url)


def _insisting_since(rows: pl.DataFrame) -> dict[str, datetime]:
    """Begin of the row of implausible answers: of all failures only these are logged with rows."""
    since: dict[str, datetime] = {}
    columns = ("url", "started", "error", "rows")
    for url, started, error, count in rows.select(columns).iter_rows():
        if error is None:
            since.pop(without_days(url), None)
        elif count is not None:
            since.setdefault(without_days(url), started)
    return since


def _of_rounds(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("role").ne_missing("backfill"))


def _rows_of(log: pl.DataFrame, name: str) -> pl.DataFrame:
    # As they were logged: a clock that was put back must not make an old answer the last one.
    return log.filter(pl.col("feed") == name)
