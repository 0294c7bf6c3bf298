"""What one currency was worth in another on a day."""

from bisect import bisect_right
from collections import defaultdict
from datetime import date
from decimal import Decimal

import msgspec
import polars as pl

from qwenwatch_cache.frames import FX_TABLE
from qwenwatch_cache.store import as_of

PIVOT = "EUR"
"""Currency that the European Central Bank states all rates in."""


class Rate(msgspec.Struct, frozen=True):
    """An exchange rate.

    Attributes:
        value: Units of the wanted currency for one of the other.
        date: The day it is of; banking days only, so that it may lie before the day asked about.
        feed: Who states it, "" where no rate was needed.
    """

    value: Decimal
    date: date
    feed: str


class Rates:
    """Exchange rates as they were known at a time."""

    def __init__(self, fx: pl.DataFrame) -> None:
        """Take rows of the fx table (frames.FX), all revisions known at the time."""
        self._stated: dict[str, list[tuple[date, Decimal, str]]] = defaultdict(list)
        stated = as_of(fx, FX_TABLE).filter(base=PIVOT).sort("quote", "date", "feed")
        columns = ("quote", "date", "rate", "feed")
        for quote, day, rate, feed in stated.select(columns).iter_rows():
            self._stated[quote].append((day, rate, feed))

    def rate(self, base: str, quote: str, day: date) -> Rate | None:
        """Units of `quote` for one of `base`: the last rates stated on or before a day.

        By way of the euro: CNY for a dollar is CNY for a euro ÷ USD for a euro. Both are of one
        day, the last one on which both were stated. None if there is none.
        """
        if base == quote:
            return Rate(Decimal(1), day, "")
        from_pivot = self._until(quote, day)
        to_pivot = self._until(base, day)
        common = sorted(from_pivot.keys() & to_pivot.keys())
        if not common:
            return None
        newest = common[-1]
        above, feed = from_pivot[newest]
        below, other_feed = to_pivot[newest]
        return Rate(above / below, newest, feed or other_feed)

    def series(self, base: str, quote: str) -> list[Rate]:
        """`rate` of every day on which both currencies are stated, oldest first."""
        above, below = self._until(quote, date.max), self._until(base, date.max)
        return [
            Rate(above[day][0] / below[day][0], day, above[day][1] or below[day][1])
            for day in sorted(above.keys() & below.keys())
        ]

    def _until(self, currency: str, day: date) -> dict[date, tuple[Decimal, str]]:
        if currency == PIVOT:
            every = {stated[0] for rows in self._stated.values() for stated in rows}
            return {each: (Decimal(1), "") for each in every if each <= day}
        stated = self._stated.get(currency, [])
        until = bisect_right(stated, day, key=lambda row: row[0])
        return {row[0]: (row[1], row[2]) for row in stated[:until]}
