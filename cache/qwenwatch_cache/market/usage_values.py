"""What a measure of usage comes to under one scope, with the arithmetic."""

from collections.abc import Sequence
from decimal import Decimal
from math import ceil
from typing import NamedTuple

from qwenwatch_cache.claims.claim import Claim, Kind
from qwenwatch_cache.market.listings import NOTHING, ZERO, Bounds, Entry, Listing, added
from qwenwatch_cache.market.selections import Selection, belongs
from qwenwatch_cache.market.spelled import amount, between, spelled

MOST_ADDENDS = 10
"""So many numbers of a sum are written out."""

OF = ("whole", "list", "CN+US")
"""What a share may be of: the whole platform, what is added up, or two countries of that."""


class Value(NamedTuple):
    """A value or its bounds, and how it comes about."""

    low: Decimal
    high: Decimal | None
    arithmetic: str


def share(listed: Listing, chosen: Selection, claim: Claim, of: str) -> Value | None:
    """The subject's part of a total; None where nothing was used, or another scope is the same."""
    own = held(listed, chosen, claim.kind, claim.of)
    if of == "whole":
        if not listed.total:
            return None
        low, high = own.low / listed.total, min(own.high / listed.total, Decimal(1))
        text = f"{_amount(own.low, listed)} ÷ {_amount(listed.total, listed)}"
        return Value(low, high, f"{text} = {_with_most(low, high)}")
    others = _others(chosen, claim, of)
    asked = claim.scope.among == "CN+US"
    if of == "CN+US" and not asked and others == _others(chosen, claim, "list"):
        return None  # nobody else is in the list: it would be the same share again
    if not own.low + others.high or not own.high + others.low:
        return None  # nothing was used
    most = own.low + others.high + chosen.open  # whoever is not certain may be of the others
    low, high = own.low / most, own.high / (own.high + others.low)
    text = f"{_amount(own.low, listed)} ÷ {_amount(most, listed)}"
    return Value(low, high, f"{text} = {_with_most(low, high)}")


def total(listed: Listing, chosen: Selection, claim: Claim) -> Value | None:
    """What the subject used; None where only shares are published."""
    if not listed.absolute:
        return None
    if not claim.kind:
        if chosen.among == "":
            return Value(listed.total, listed.total, f"everything: {amount(listed.total)}")
        both = chosen.total()
        return Value(both.low, both.high, _sum(chosen.entries, both))
    own = held(listed, chosen, claim.kind, claim.of)
    mine = [entry for entry in chosen.entries if belongs(entry, claim.kind, claim.of)]
    return Value(own.low, own.high, _sum(mine, own))


def ratio(listed: Listing, chosen: Selection, claim: Claim) -> Value | None:
    """How many times as much the subject used as another; None where neither is named."""
    own = held(listed, chosen, claim.kind, claim.of)
    other = held(listed, chosen, claim.kind, claim.to)
    if not other.high or not own.low + other.low:
        return None
    low, high = own.low / other.high, own.high / other.low if other.low else None
    text = f"{_bounds(own, listed)} ÷ {_bounds(other, listed)} = {between(low, high, 'times')}"
    return Value(low, high, text)


def count(listed: Listing, chosen: Selection, claim: Claim) -> Value:
    """How many entries of a list are the subject's."""
    mine = [entry for entry in chosen.entries if belongs(entry, claim.kind, claim.of)]
    unsure = [
        entry
        for entry in chosen.entries
        if claim.kind == "country" and not entry.country and entry not in mine
    ]
    places = claim.top - len(chosen.entries) if chosen.open else 0
    low, high = Decimal(len(mine)), Decimal(len(mine) + len(unsure) + places)
    names = ", ".join(entry.name for entry in mine)
    text = f"{len(mine)} of {len(chosen.entries)}: {names or 'none'}"
    if places:
        text += f"; {places} of the {claim.top} are not known"
    return Value(low, high, text)


def rank(listed: Listing, claim: Claim) -> Value | None:
    """The subject's place, or the places that it may have; no last one if it is not named."""
    if claim.scope.among == "attributed":
        return _place(listed, claim)
    groups: dict[str, Bounds] = {}
    for entry in listed.entries:
        name = _group(entry, claim.kind)
        if name:
            groups[name] = groups.get(name, NOTHING) + entry.amount
    if not groups:
        return None
    unsure = (entry.amount.low for entry in listed.entries if not _group(entry, claim.kind))
    pool = listed.rest + sum(unsure, ZERO)  # of nobody knows whom
    single = _single(listed, claim.kind)
    most = listed.unnamed if single else pool
    if not single:
        groups = {name: Bounds(each.low, each.low + pool) for name, each in groups.items()}
    own = groups.pop(claim.of, Bounds(ZERO, most))
    first = 1 + sum(other.low > own.high for other in groups.values())
    if not own.low:
        text = f"not named: at most {_amount(most, listed)}, place {first} or lower"
        return Value(Decimal(first), None, text)
    last = 1 + _ahead(own.low, list(groups.values()), pool, most)
    part = own.low / listed.total if listed.total else ZERO
    text = f"{_amount(own.low, listed)}, {spelled(part, 'share')} of everything"
    if first == last:
        return Value(Decimal(first), Decimal(last), f"{text}, is place {first}")
    text += f", at most {_amount(own.high, listed)} with what is not named"
    return Value(Decimal(first), Decimal(last), f"{text}: place {first} to {last}")


def _place(listed: Listing, claim: Claim) -> Value | None:
    """The subject's place by what is named and known to be its; None if nothing is."""
    own, others = ZERO, dict[str, Decimal]()
    for entry in listed.entries:
        name = entry.id if claim.kind == "model" else _group(entry, claim.kind)
        if belongs(entry, claim.kind, claim.of):
            own += entry.amount.low
        elif name:
            others[name] = others.get(name, ZERO) + entry.amount.low
    if not own:
        return None
    place = Decimal(1 + sum(other > own for other in others.values()))
    part = own / listed.total if listed.total else ZERO
    text = f"{_amount(own, listed)}, {spelled(part, 'share')} of everything, is place {place}"
    return Value(place, place, f"{text} of {len(others) + 1}")


def _ahead(own: Decimal, others: Sequence[Bounds], pool: Decimal, most: Decimal) -> int:
    """How many may be ahead of an amount, if what is not named is theirs: each as it lacks least.

    Args:
        own: The amount.
        others: Those that are named.
        pool: All that is not named.
        most: The most that one who is never named can have.
    """
    ahead = sum(other.low > own for other in others)
    lacking = sorted(own - other.low for other in others if other.low <= own < other.high)
    for lack in lacking:
        if lack >= pool:
            return ahead
        ahead, pool = ahead + 1, pool - lack
    if most > own:
        ahead += ceil(pool / own) - 1
    return ahead


def held(listed: Listing, chosen: Selection, kind: Kind, of: str) -> Bounds:
    """What a subject has of a selection."""
    single = _single(listed, kind)
    if chosen.among or chosen.without or not single:
        return chosen.part(kind, of)
    own = [entry.amount for entry in listed.entries if belongs(entry, kind, of)]
    return added(own) if own else Bounds(ZERO, listed.unnamed)


def _single(listed: Listing, kind: Kind) -> bool:
    """Whether a source names subjects themselves, not those that they are added up of."""
    return kind == "model" or (kind == "vendor" and listed.kind == "lab")


def _group(entry: Entry, kind: Kind) -> str:
    if kind == "country":
        return entry.country
    return entry.vendor if kind == "vendor" else entry.id.partition(":")[0]


def _others(chosen: Selection, claim: Claim, of: str) -> Bounds:
    """What the list, or the two countries, hold besides the subject."""
    others = NOTHING
    for entry in chosen.entries:
        if belongs(entry, claim.kind, claim.of):
            continue
        if claim.kind == "country" and not entry.country:
            others += Bounds(ZERO, entry.amount.high)  # it may be the subject's
        elif of == "list" or entry.country in {"CN", "US"}:
            others += entry.amount
        elif not entry.country:
            others += Bounds(ZERO, entry.amount.high)
    return others


def _sum(entries: Sequence[Entry], both: Bounds) -> str:
    text = between(both.low, both.high, "amount")
    if not 1 < len(entries) <= MOST_ADDENDS:
        return f"{len(entries)} named: {text}" if entries else f"none is named: {text}"
    return f"{' + '.join(amount(entry.amount.low) for entry in entries)} = {text}"


def _with_most(low: Decimal, high: Decimal) -> str:
    if spelled(low, "share") == spelled(high, "share"):
        return spelled(low, "share")
    return f"{spelled(low, 'share')}, at most {spelled(high, 'share')} with what is not named"


def _amount(value: Decimal, listed: Listing) -> str:
    if listed.absolute:
        return amount(value)
    return spelled(value / listed.total if listed.total else ZERO, "share")


def _bounds(value: Bounds, listed: Listing) -> str:
    ends = _amount(value.low, listed), _amount(value.high, listed)
    return ends[0] if ends[0] == ends[1] else f"({ends[0]} to {ends[1]})"
