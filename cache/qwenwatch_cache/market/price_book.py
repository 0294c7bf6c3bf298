"""What every model cost and when: stretches of time with one price, as they are believed."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

import msgspec
import polars as pl

from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.identity import split_model
from qwenwatch_cache.market.hosts import openrouter_ids
from qwenwatch_cache.market.in_force import ON_DEMAND
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.price_steps import price_steps
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.rates import Rate

FIELDS = ("input", "output")


class Offer(NamedTuple):
    """Who asks a price, for what.

    Attributes:
        model: Canonical id, or the feed's own.
        name: For people.
        vendor: Vendor id, or "unknown".
        basis: "route" or "list".
        feed: Who states it.
        region: "", "global", "intl", "cn".
        variant: "" for the standard one.
        currency: Of the price.
        tier_from: For prompts of more tokens than this.
        up_to: Tokens of the longest prompt that it holds for, None if for all.
        window_utc: "" or the time of day.
    """

    model: str
    name: str
    vendor: str
    basis: str
    feed: str
    region: str
    variant: str
    currency: str
    tier_from: int
    up_to: int | None
    window_utc: str

    @property
    def mainland(self) -> bool:
        """Whether it is for mainland China only."""
        return self.region == "cn"

    def holds_for(self, prompt: int) -> bool:
        """Whether it is the price of a prompt of so many tokens."""
        reached = not self.tier_from or self.tier_from < prompt
        return reached and (self.up_to is None or prompt <= self.up_to)

    @property
    def standard(self) -> bool:
        """Whether it is what a short request costs at any time of the day."""
        return not self.variant and not self.tier_from and not self.window_utc


class Stretch(msgspec.Struct, frozen=True):
    """A time with one price.

    Attributes:
        offer: Whose.
        field: "input" or "output".
        value: Per 1M tokens.
        first: When it was first seen.
        until: When another price, or none, was first seen; None if it still stands.
        seen: When the feed was last read while it stood; None if it still stands.
    """

    offer: Offer
    field: str
    value: Decimal
    first: datetime
    until: datetime | None
    seen: datetime | None

    def at(self, moment: datetime) -> bool:
        """Whether it was the price at a moment."""
        return self.first <= moment and (self.until is None or moment < self.until)


class _Tile(NamedTuple):
    """Columns that name a price, as the feed states them."""

    feed: str
    basis: str
    provider: str
    region: str
    model: str
    variant: str
    currency: str
    tier_from: int
    window_utc: str


class PriceBook:
    """All prices that were known, by model."""

    def __init__(self, known: Known) -> None:
        """Take what was known; it is read when first asked."""
        self._known = known
        self._read: dict[str, Sequence[datetime]] = {}
        self._stated: dict[tuple[datetime, int], Sequence[Stretch]] = {}
        self._rates: dict[tuple[str, str], list[Rate]] = {}

    def of(self, model: str) -> Sequence[Stretch]:
        """Everything a model was offered at; by offer, field and time."""
        return self._stretches.get(model, ())

    def of_vendor(self, vendor: str) -> Iterator[tuple[str, Sequence[Stretch]]]:
        """The same of every model of a vendor."""
        for model, stretches in self._stretches.items():
            if stretches[0].offer.vendor == vendor:
                yield model, stretches

    def __iter__(self) -> Iterator[Stretch]:
        """Everything."""
        for stretches in self._stretches.values():
            yield from stretches

    def of_host(self, model: str, host: str) -> Sequence[Stretch]:
        """What a model cost at a host, for short prompts; as stated: nothing of it is doubted."""
        try:
            ids = openrouter_ids(self._known.directory.identity, model)
        except QwenwatchError:
            return []
        own = (pl.col("feed") == ON_DEMAND) & pl.col("model").is_in(ids[:1])
        base = (pl.col("variant") == "") & (pl.col("tier_from") == 0) & (pl.col("window_utc") == "")
        rows = self._known.price.filter(own & base & (pl.col("provider") == host))
        if rows.is_empty():
            return []
        steps = rows.sort("observed_at").to_dicts()
        tile = _Tile(ON_DEMAND, "route", host, "", ids[0], "", steps[0]["currency"], 0, "")
        offer = self._offer(tile, None)._replace(model=model)
        return [
            Stretch(offer, field, value, first, until, self._seen(ON_DEMAND, first, until))
            for field in FIELDS
            for value, first, until in _runs(
                [(one["observed_at"], one[field] if one["listed"] else None) for one in steps]
            )
        ]

    def stated(self, at: datetime, prompts: int) -> Sequence[Stretch]:
        """What everything was offered at at a moment, as it was believed then.

        Some of it is doubted since, and was in force nevertheless.

        Args:
            at: The moment.
            prompts: Length of the prompts.
        """
        if (at, prompts) not in self._stated:
            rows = self._known.prices(at, "", Mix(), prompts).to_dicts()
            end = at + timedelta(microseconds=1)
            self._stated[at, prompts] = [
                Stretch(offer, field, row[field], min(row["observed_at"], at), end, at)
                for row in rows
                for offer in [Offer(**{name: row[name] for name in Offer._fields})]
                for field in FIELDS
                if row[field] is not None
            ]
        return self._stated[at, prompts]

    def captures(self, feed: str, first: datetime, until: datetime) -> int:
        """How often a feed was read within a time."""
        moments = self._moments(feed)
        return bisect_right(moments, until) - bisect_left(moments, first)

    def _moments(self, feed: str) -> Sequence[datetime]:
        if feed not in self._read:
            self._read[feed] = list(self._known.polls.get(feed, ()))
        return self._read[feed]

    def _seen(self, feed: str, first: datetime, until: datetime | None) -> datetime | None:
        """The last reading before a price was gone."""
        if until is None:
            return None
        moments = self._moments(feed)
        before = bisect_left(moments, until)
        return max(first, moments[before - 1]) if before else first

    def rate(self, base: str, quote: str, day: date) -> Rate | None:
        """Units of `quote` for one of `base`."""
        return self._known.rates.rate(base, quote, day)

    def rates(self, base: str, quote: str, first: date, last: date) -> list[Rate]:
        """The rates of every banking day of a time, oldest first."""
        if (base, quote) not in self._rates:
            self._rates[base, quote] = self._known.rates.series(base, quote)
        return [one for one in self._rates[base, quote] if first <= one.date <= last]

    @cached_property
    def _stretches(self) -> Mapping[str, Sequence[Stretch]]:
        known = self._known
        steps = price_steps(known.price, known.price_history())
        # What stood before a correction was never asked: the feed was wrong.
        tile = list(_Tile._fields)
        steps = steps.filter(pl.col("edition") == pl.col("edition").max().over(tile))
        book: dict[str, list[Stretch]] = defaultdict(list)
        columns = [*tile, "at", *FIELDS]
        groups: dict[_Tile, list[tuple[datetime, Decimal | None, Decimal | None]]] = {}
        for *named, at, taken, given in steps.sort(*tile, "at").select(columns).iter_rows():
            groups.setdefault(_Tile(*named), []).append((at, taken, given))
        tiers: dict[_Tile, list[int]] = defaultdict(list)
        for key in groups:
            tiers[key._replace(tier_from=0)].append(key.tier_from)
        for key, rows in groups.items():
            longer = [one for one in tiers[key._replace(tier_from=0)] if one > key.tier_from]
            offer = self._offer(key, min(longer, default=None))
            for number, field in enumerate(FIELDS):
                values = [(at, prices[number]) for at, *prices in rows]
                for value, first, until in _runs(values):
                    seen = self._seen(offer.feed, first, until)
                    book[offer.model].append(Stretch(offer, field, value, first, until, seen))
        return book

    def _offer(self, tile: _Tile, up_to: int | None) -> Offer:
        model = self._known.directory.model(tile.feed, tile.model, tile.provider)
        return Offer(
            model=split_model(model.id)[0],
            name=model.name,
            vendor=model.vendor,
            basis=tile.basis,
            feed=tile.feed,
            region=tile.region,
            variant=tile.variant,
            currency=tile.currency,
            tier_from=tile.tier_from,
            up_to=up_to,
            window_utc=tile.window_utc,
        )


def _runs(
    values: Sequence[tuple[datetime, Decimal | None]],
) -> Iterator[tuple[Decimal, datetime, datetime | None]]:
    """Each value with its first moment and the one at which it was gone; unknown ones are gaps."""
    begin, current = values[0]
    for at, value in values[1:]:
        if value == current:
            continue
        if current is not None:
            yield current, begin, at
        begin, current = at, value
    if current is not None:
        yield current, begin, None
