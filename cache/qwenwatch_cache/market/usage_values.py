"""What a measure of usage comes to under one scope, with the arithmetic."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.market.held import held
from qwenwatch_cache.market.listings import NOTHING, ZERO, Bounds, Entry, Listing
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
        text = f"{spelled_amount(own.low, listed)} ÷ {spelled_amount(listed.total, listed)}"
        return Value(low, high, f"{text} = {_with_most(low, high)}")
    others = _others(chosen, claim, of)
    asked = claim.scope.among == "CN+US"
    if of == "CN+US" and not asked and others == _others(chosen, claim, "list"):
        return None  # nobody else is in the list: it would be the same share again
    if not own.low + others.high or not own.high + others.low:
        return None  # nothing was used
    most = own.low + others.high + chosen.open  # whoever is not certain may be of the others
    low, high = own.low / most, own.high / (own.high + others.low)
    text = f"{spelled_amount(own.low, listed)} ÷ {spelled_amount(most, listed)}"
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


def spelled_amount(value: Decimal, listed: Listing) -> str:
    """An amount of a listing, or a part of everything where only shares are published."""
    if listed.absolute:
        return amount(value)
    return spelled(value / listed.total if listed.total else ZERO, "share")


def _bounds(value: Bounds, listed: Listing) -> str:
    ends = spelled_amount(value.low, listed), spelled_amount(value.high, listed)
    return ends[0] if ends[0] == ends[1] else f"({ends[0]} to {ends[1]})"
