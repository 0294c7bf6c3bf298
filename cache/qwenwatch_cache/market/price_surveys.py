"""What every offer cost at some points in time, for the price index."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple

import msgspec
import polars as pl

from qwenwatch_cache.market.hours import WEEK, minutes_of_week
from qwenwatch_cache.market.in_force import OFFER
from qwenwatch_cache.market.prices import CROSS_CHECK, Mix
from qwenwatch_cache.market.windows import Grain, Window

ALL = "all"
"""In the place of a vendor: the models of all vendors that are known, one basket."""


class Price(msgspec.Struct, frozen=True):
    """What an offer costs at a moment, per 1M tokens.

    Attributes:
        input: Fresh input.
        output: Output.
        cached: Cached input, None if not stated.
        editions: Corrections so far, by time of day.
    """

    input: Decimal
    output: Decimal
    cached: Decimal | None
    editions: Mapping[str, int]

    def blended(self, mix: Mix, *, cached: bool) -> Decimal:
        """The price of a workload, with the cached price or without."""
        return mix.price(self.input, self.output, self.cached if cached else None)


class Quote(msgspec.Struct, frozen=True):
    """The price of an offer, and whose it is.

    Attributes:
        model: Canonical id, or the feed's own.
        vendor: Vendor id.
        check: Whether the feed only repeats what others state.
        mainland: Whether it is for mainland China.
        currency: Of the price.
        price: The price.
    """

    model: str
    vendor: str
    check: bool
    mainland: bool
    currency: str
    price: Price


Quotes = dict[tuple[str, ...], Quote]
"""Quotes by offer."""


class Survey(msgspec.Struct, frozen=True):
    """All quotes of a point.

    Attributes:
        at: The point.
        read: Feeds that were read since the point before.
        quotes: What they state.
    """

    at: datetime
    read: frozenset[str]
    quotes: Quotes

    def of(self, vendor: str) -> "Survey":
        """The part of it that is of one vendor, or all of it."""
        if vendor == ALL:
            return self
        own = {offer: quote for offer, quote in self.quotes.items() if quote.vendor == vendor}
        return Survey(self.at, self.read, own)


def points_of(first: datetime, last: datetime, grain: Grain) -> list[datetime]:
    """The first moments of the windows between two moments, and the latter."""
    window = Window.containing(first.date(), grain)
    points = []
    while (start := datetime.combine(window.start, time.min, UTC)) < last:
        if start >= first:
            points.append(start)
        window = window.shifted(1)
    return [*points, last] if first <= last else []


def surveys_at(
    steps: pl.DataFrame,
    who: Mapping[tuple[str, str, str], tuple[str, str]],
    polls: Mapping[str, Sequence[datetime]],
    points: Sequence[datetime],
) -> list[Survey]:
    """What every offer costs at every point."""
    feeds = steps.get_column("feed").unique().sort().to_list()
    read = {feed: _read(polls.get(feed, ()), points) for feed in feeds}
    surveys = [
        Survey(point, frozenset(feed for feed in feeds if read[feed][number]), {})
        for number, point in enumerate(points)
    ]
    columns = (*OFFER, "window_utc", "at", "input", "output", "cache_read", "edition")
    standard = steps.filter((pl.col("variant") == "") & (pl.col("tier_from") == 0))
    rows = standard.select(columns).sort(*columns[: len(OFFER) + 2], maintain_order=True)
    for offer, lines in groupby(rows.iter_rows(), key=itemgetter(slice(len(OFFER)))):
        named = dict(zip(OFFER, offer, strict=True))
        feed = named["feed"]
        if (feed, named["model"], named["provider"]) not in who:
            continue
        model, vendor = who[feed, named["model"], named["provider"]]
        tiles = {
            window: [Step(*line[len(OFFER) + 1 :]) for line in of_window]
            for window, of_window in groupby(lines, key=itemgetter(len(OFFER)))
        }
        for survey in surveys:
            price = _price(tiles, survey.at) if feed in survey.read else None
            if price is not None:
                mainland, currency = named["region"] == "cn", named["currency"]
                check = feed in CROSS_CHECK
                survey.quotes[offer] = Quote(model, vendor, check, mainland, currency, price)
    return surveys


def _read(moments: Sequence[datetime], points: Sequence[datetime]) -> list[bool]:
    """Whether a feed was read since the point before; before the first for as long as after it."""
    if not points:
        return []
    gap = points[1] - points[0] if len(points) > 1 else timedelta(days=31)
    befores = [points[0] - gap, *points]
    return [
        bisect_right(moments, before) < bisect_right(moments, point)
        for before, point in zip(befores, points, strict=False)
    ]


class Step(NamedTuple):
    """A price of one time of day since a moment, as PRICE_STEPS has it."""

    at: datetime
    input: Decimal | None
    output: Decimal | None
    cached: Decimal | None
    edition: int


def _price(tiles: Mapping[str, Sequence[Step]], at: datetime) -> Price | None:
    """The price of an offer at a moment by its times of day, None if it is not known for all."""
    parts: dict[str, Step] = {}
    for window, steps in tiles.items():
        number = bisect_right(steps, at, key=attrgetter("at"))
        step = steps[number - 1] if number else None
        if step is not None and step.input and step.output:
            parts[window] = step
    if sum(map(minutes_of_week, parts)) != WEEK:
        return None
    given = _mean({window: step.input for window, step in parts.items()})
    taken = _mean({window: step.output for window, step in parts.items()})
    cached = _mean({window: step.cached for window, step in parts.items()})
    if given is None or taken is None:
        return None
    return Price(given, taken, cached, {window: step.edition for window, step in parts.items()})


def _mean(amounts: Mapping[str, Decimal | None]) -> Decimal | None:
    """The mean over the minutes of a week of amounts by time of day, None if one is unknown."""
    parts = [minutes_of_week(window) * one for window, one in amounts.items() if one is not None]
    return sum(parts, Decimal(0)) / WEEK if len(parts) == len(amounts) else None
