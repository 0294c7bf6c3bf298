"""How the log of requests ends for each feed: all that the schedule looks at."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl

AHEAD = timedelta(days=1)
"""How much later than now a request may seem to be made: clocks are set back by hours."""


class Ends(msgspec.Struct, frozen=True):
    """How the log, in the order in which it was logged, ends for one feed; None for what is absent.

    Attributes:
        told_to_wait: Until when the last answer asked for peace (HTTP 429).
        told: When that request was made.
        good: When the last request that was answered well was made.
        asked: When the last request of a round was made. A backfill is beside the schedule: when
            it fails, the feed is as well as before.
        error: Message of that request if it failed.
        retry_at: Before when nobody is to ask again after it.
        role: Its role: "part" if the round went on.
        spent: Requests made on the day of the question (UTC).
    """

    told_to_wait: datetime | None = None
    told: datetime | None = None
    good: datetime | None = None
    asked: datetime | None = None
    error: str | None = None
    retry_at: datetime | None = None
    role: str | None = None
    spent: int = 0


def ends_of(log: pl.DataFrame, now: datetime) -> Mapping[str, Ends]:
    """How the log (frames.FETCH) ends for each feed that it names."""
    of_rounds = pl.col("role").ne_missing("backfill")
    # Also what was logged "later today" counts: a clock that was set back brings no new budget.
    begin = midnight_after(now) - timedelta(days=1)
    today = pl.col("started").is_between(begin, midnight_after(now), "left")
    told = pl.col("status").eq(429) & pl.col("retry_at").is_not_null()
    told &= pl.col("started") <= now + AHEAD
    ends = (
        log.lazy()
        .group_by("feed")
        .agg(
            # Of all, since after an import the last row may be another machine's.
            told_to_wait=pl.col("retry_at").filter(told).max(),
            told=pl.col("started").filter(told).max(),
            good=pl.col("started").filter(pl.col("error").is_null()).last(),
            asked=pl.col("started").filter(of_rounds).last(),
            **{
                name: pl.col(name).filter(of_rounds).last()
                for name in ("error", "retry_at", "role")
            },
            # Where no connection came about nobody was asked.
            spent=(today & pl.col("status").ne_missing(0)).sum(),
        )
        .collect()
    )
    return {feed: Ends(*values) for feed, *values in ends.iter_rows()}


def midnight_after(now: datetime) -> datetime:
    """When the next UTC day, and with it the next budget, begins."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)
