"""The prices in force at a time, as far as they are believed: for every question about a moment."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec
import polars as pl

from qwenwatch_cache.frames import PRICE_TABLE
from qwenwatch_cache.market.doubts import Polls, extremes, without_glitches, without_jumps
from qwenwatch_cache.market.in_force import ON_DEMAND, in_force, revisions

LastPoll = Callable[[str, datetime], datetime | None]
"""When a feed was last read successfully at or before a moment, None if never."""


class Believed(msgspec.Struct, frozen=True):
    """What is believed at a moment.

    Attributes:
        rows: Price rows in force, one per offer, tier and time of day, in the order of the key. A
            price in doubt is the one before it, or null; `observed_at` is since when its input,
            output and cached price stand as they are, however often they were stated since.
        revisions: All that was ever stated for them and believed, as `in_force.revisions` has it.
    """

    rows: pl.DataFrame
    revisions: pl.DataFrame


def believed(
    frame: pl.DataFrame, at: datetime, polls: Polls, last_poll: LastPoll | None = None
) -> Believed:
    """The prices in force at a moment, but those of single hosts (feed `in_force.ON_DEMAND`).

    Jumps and zeros are believed once they have stood for a while (see `doubts`). A cached price of
    0 beside an input price is unknown.

    Args:
        frame: Price rows, all revisions; columns that are not needed may be left out.
        at: The moment.
        polls: Moments at which each feed was read successfully, by feed.
        last_poll: The last of them, where it can be had without all others.
    """
    known = frame.filter((pl.col("observed_at") <= at) & (pl.col("feed") != ON_DEMAND))
    stated = without_jumps(revisions(known, at, *extremes()), at, polls)
    last = last_poll or partial(_last_poll, polls)
    dated = in_force(stated.with_columns(since=_since()), at)
    dated = dated.with_columns(observed_at="since").drop("since")
    rows = without_glitches(dated, lambda feed: last(feed, at))
    return Believed(rows.with_columns(cache_read=_CACHED), stated)


# OpenRouter sent "0" for whatever did not apply until 2026-03-29: that is no cached price.
_CACHED = pl.when((pl.col("cache_read") != 0) | (pl.col("input") == 0)).then("cache_read")


def _since() -> pl.Expr:
    """When what a revision states began, seen through revisions before it that state the same.

    Such ones follow one another where a cache's own readings begin, which repeat the bundled ones,
    and where an amount changed that is none of these. An offer that was gone in between stands
    since it came back.
    """
    facts = (pl.col("id"), pl.col("listed"), pl.col("input"), pl.col("output"), _CACHED)
    begins = pl.any_horizontal(fact.ne_missing(fact.shift()) for fact in facts)
    return pl.when(begins).then(PRICE_TABLE.time).forward_fill()


def _last_poll(polls: Polls, feed: str, at: datetime) -> datetime | None:
    return max((moment for moment in polls.get(feed, ()) if moment <= at), default=None)
