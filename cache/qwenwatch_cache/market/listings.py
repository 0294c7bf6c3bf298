"""Who used how much in any span of days, as far as it is published: bounds where it is not.

A feed names the first 9 or 50 of a day or week and adds up the rest. Who is not named in one of
them used no more than the smallest that is, and no more than the rest.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec
import polars as pl
from msgspec.structs import replace

from qwenwatch_cache.claims.period import Period
from qwenwatch_cache.market.definitions import DEFINITIONS, Definition
from qwenwatch_cache.market.directory import OTHER
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.windows import Grain
from qwenwatch_cache.vendors import UNKNOWN

ZERO = Decimal(0)
RANKED_FEEDS = ("openrouter-rankings", "openrouter-rankings-page")
"""Feeds that name those with most: nobody unnamed has more than the smallest that is named."""


class Bounds(msgspec.Struct, frozen=True):
    """An amount: one number, or the least and the most that it can be."""

    low: Decimal
    high: Decimal

    def __add__(self, other: "Bounds") -> "Bounds":
        """Both together."""
        return Bounds(self.low + other.low, self.high + other.high)


NOTHING = Bounds(ZERO, ZERO)


class Entry(msgspec.Struct, frozen=True):
    """A model or a vendor that is named.

    Attributes:
        entity: The source's own id.
        id: Canonical id.
        name: For people.
        vendor: Vendor id, or "unknown".
        country: "" if not known.
        amount: What it used.
    """

    entity: str
    id: str
    name: str
    vendor: str
    country: str
    amount: Bounds


class Listing(msgspec.Struct, frozen=True):
    """What is published of a span of days.

    Attributes:
        definition: What was counted.
        rows: "models" or "vendors".
        feed: Who states it.
        kind: Whether the source names models or labs; vendors may have to be added up of models.
        as_of: The source's own date.
        period: The days.
        entries: Those named, most first.
        total: Everything, 0 if nothing was used; 1 for each day where only shares are published.
        rest: What is not named.
        unnamed: The most that any one row can have that is never named.
        absolute: Whether amounts are published, or shares only.
        with_free: Models that have a free variant, a row of its own where variants are counted.
        wider: Where this is of standard variants only, what is published of all of them on the
            same days: nobody has more here than there.
    """

    definition: Definition
    rows: str
    feed: str
    kind: str
    as_of: datetime | None
    period: Period
    entries: Sequence[Entry]
    total: Decimal
    rest: Decimal
    unnamed: Decimal
    absolute: bool
    with_free: Collection[str]
    wider: Sequence["Listing"] = ()


def listing(known: Known, definition: Definition, rows: str, period: Period) -> Listing | None:
    """What is published of a span of days, None if a part of it is missing.

    Args:
        known: What is known.
        definition: What is counted.
        rows: "models" or "vendors".
        period: The days. They are made of published days, or of whole published weeks.
    """
    tiles: tuple[tuple[Grain, Sequence[date]], ...]
    tiles = (("day", _days(period)), ("week", _weeks(period)))
    for grain, starts in tiles:
        if not starts:
            continue
        found = known.totals(definition, "model" if rows == "models" else "vendor", grain)
        found = found.filter(
            pl.col("start").is_between(period.first, period.last) & pl.col("complete")
        )
        sources = found.select("feed", "kind").unique()
        if sources.height == 1 and found["start"].n_unique() == len(starts):
            return _listing(known, definition, rows, period, found)
    return None


def _wider(known: Known, definition: Definition, period: Period) -> Sequence[Listing]:
    """What is published of all variants, where a definition is of the standard ones."""
    if not definition.standard_only:
        return ()
    every = next(
        one
        for one in DEFINITIONS.values()
        if (one.feed, one.metric, one.standard_only) == (definition.feed, definition.metric, False)
    )
    found = (
        stated_of_labs(known, every, period),
        listing(known, every, "vendors", period),
        listing(known, every, "models", period),
    )
    return [one for one in found if one is not None]


def stated_of_labs(known: Known, definition: Definition, period: Period) -> Listing | None:
    """What a source states of labs themselves, None if it does not of all of those days.

    Sums of named models are closer in time, but have bounds where labs have amounts.
    """
    sources = [source for source in definition.vendors if source.kind == "lab"]
    labs = replace(definition, key=f"{definition.key} of labs", vendors=sources)
    found = listing(known, labs, "vendors", period) if sources else None
    return None if found is None else replace(found, definition=definition)


def published(known: Known, definition: Definition, grain: Grain) -> list[Period]:
    """All days or weeks of which everything is published, oldest first."""
    whole = known.totals(definition, "vendor", grain).filter("complete")
    length = 7 if grain == "week" else 1
    starts: list[date] = whole.get_column("start").unique().sort().to_list()
    return [Period(start, start + timedelta(days=length - 1)) for start in starts]


def _days(period: Period) -> Sequence[date]:
    return [period.first + timedelta(days=number) for number in range(period.days)]


def _weeks(period: Period) -> Sequence[date]:
    if period.first.weekday() or period.days % 7:
        return []
    return [period.first + timedelta(days=number) for number in range(0, period.days, 7)]


def _listing(
    known: Known, definition: Definition, rows: str, period: Period, found: pl.DataFrame
) -> Listing:
    feed, kind = found.row(0, named=True)["feed"], found.row(0, named=True)["kind"]
    absolute = found["value"].null_count() == 0
    columns = ("start", "entity", "value", "share")
    parts: dict[date, dict[str, Decimal]] = {}
    for start, entity, value, share in found.select(columns).iter_rows():
        amount = Decimal(value) if absolute else Decimal(repr(share or 0.0))
        here = parts.setdefault(start, {})
        name = "" if entity in OTHER else entity
        here[name] = here.get(name, ZERO) + amount
    most = {start: _most_unnamed(part, feed) for start, part in parts.items()}
    entities = sorted({entity for part in parts.values() for entity in part if entity})
    entries = [
        _entry(known, feed, kind, entity, _bounds(entity, parts, most)) for entity in entities
    ]
    as_of = found["as_of"].max()
    return Listing(
        definition=definition,
        rows=rows,
        feed=feed,
        kind=kind,
        as_of=as_of if isinstance(as_of, datetime) else None,
        period=period,
        entries=sorted(entries, key=lambda entry: (-entry.amount.low, entry.id, entry.entity)),
        total=sum((amount for part in parts.values() for amount in part.values()), ZERO),
        rest=sum((part.get("", ZERO) for part in parts.values()), ZERO),
        unnamed=sum(most.values(), ZERO),
        absolute=absolute,
        with_free=() if definition.standard_only else known.directory.with_free_variant,
        wider=_wider(known, definition, period),
    )


def _most_unnamed(part: dict[str, Decimal], feed: str) -> Decimal:
    named = [amount for entity, amount in part.items() if entity]
    rest = part.get("", ZERO)
    return min([rest, *named]) if feed in RANKED_FEEDS else rest


def _bounds(
    entity: str, parts: dict[date, dict[str, Decimal]], most: dict[date, Decimal]
) -> Bounds:
    low = sum((part.get(entity, ZERO) for part in parts.values()), ZERO)
    unknown = sum((most[start] for start, part in parts.items() if entity not in part), ZERO)
    return Bounds(low, low + unknown)


def _entry(known: Known, feed: str, kind: str, entity: str, amount: Bounds) -> Entry:
    directory = known.directory
    if kind == "lab":
        vendor = directory.lab(feed, entity)
        known_vendor = directory.vendor(vendor)
        name = known_vendor.name if known_vendor else entity
        own = vendor if known_vendor else entity
    else:
        model = directory.model(feed, entity)
        vendor, name, own = model.vendor, model.name, model.id
    country = "" if vendor == UNKNOWN else directory.country(vendor)
    return Entry(entity, own, name, vendor, country, amount)


def added(amounts: Iterable[Bounds]) -> Bounds:
    """All together."""
    return sum(amounts, NOTHING)
