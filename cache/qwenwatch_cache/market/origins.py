"""Where figures came from: source, dates, licence, and whether this cache read them itself."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from qwenwatch_cache.feeds import CREDITS
from qwenwatch_cache.market.polls import KnownPolls
from qwenwatch_cache.market.standing import Status
from qwenwatch_cache.market.usage import KnownUsage
from qwenwatch_cache.market.windows import Window

if TYPE_CHECKING:
    from qwenwatch_cache.market.board import Board
    from qwenwatch_cache.market.known import Known


class Origin(msgspec.Struct, frozen=True):
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


def origin_of(
    feed: str, as_of: datetime | None, fetched_at: datetime | None, status: Status
) -> Origin:
    """An origin with what is known of its feed."""
    credit = CREDITS.get(feed)
    shown = f"{as_of:%Y-%m-%dT%H:%MZ}" if as_of else "an unknown date"
    return Origin(
        feed=feed,
        publisher=credit.publisher if credit else feed,
        as_of=as_of,
        fetched_at=fetched_at,
        licence=credit.licence if credit else "",
        citation=credit.citation.format(as_of=shown) if credit else "",
        status=status,
    )


def price_origin(polls: KnownPolls, feed: str, at: datetime) -> Origin:
    """Where the prices of a feed at a time came from: they are as of its last reading."""
    last, own = polls.last(feed, at), polls.last_own(feed, at)
    return origin_of(feed, last, last, "bundled" if own is None else "live")


def rate_origin(polls: KnownPolls, feed: str, day: date, at: datetime) -> Origin:
    """Where the exchange rates of a day came from, as known at a time."""
    stated = datetime(day.year, day.month, day.day, tzinfo=UTC)
    own = polls.last_own(feed, at)
    return origin_of(feed, stated, polls.last(feed, at), "bundled" if own is None else "live")


def usage_origin(
    usage: KnownUsage, polls: KnownPolls, rows: pl.DataFrame, window: Window, at: datetime
) -> Origin:
    """Where totals of a window came from, as known at a time.

    Args:
        usage: What was known of usage.
        polls: When feeds were read.
        rows: totals.TOTALS, of one feed.
        window: The window.
        at: The time.
    """
    feeds = rows.get_column("feed").unique().sort().to_list()
    feed = feeds[0] if feeds else ""
    kinds = rows.get_column("kind").unique().to_list()
    periods, own = usage.periods(feed, kinds, window)
    status: Status = "bundled" if not own else "live" if own == periods else "mixed"
    return origin_of(feed, usage.newest_as_of(feed, kinds), polls.last(feed, at), status)


def history_origins(known: "Known", board: "Board") -> Sequence[Origin]:
    """Where the windows before a board's came from, if from elsewhere."""
    points = board.rows.get_column("history").explode().drop_nulls()
    starts = points.struct.field("start").unique().to_list()
    span = (min(starts, default=board.window.start), board.window.end)
    totals = known.totals(board.definition, board.by, board.window.grain, span)
    earlier = totals.filter(pl.col("start").is_in(starts))
    feeds = set(earlier.get_column("feed").to_list()) - {board.origin.feed}
    return [
        known.usage_origin(earlier.filter(pl.col("feed") == feed), board.window.shifted(-1))
        for feed in sorted(feeds)
    ]
