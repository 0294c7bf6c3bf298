"""The place of a subject among all that are ranked: one, or those that it may have."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import ceil

from qwenwatch_cache.claims.claim import STANDARD, Claim
from qwenwatch_cache.identity import split_model
from qwenwatch_cache.market.held import is_row, limit, unnamed_rows
from qwenwatch_cache.market.listings import NOTHING, ZERO, Bounds, Entry, Listing
from qwenwatch_cache.market.selections import belongs
from qwenwatch_cache.market.spelled import spelled
from qwenwatch_cache.market.usage_values import Value, spelled_amount

NOBODY = "?"
"""No id: who is never named."""


def rank(listed: Listing, claim: Claim) -> Value | None:
    """The subject's place, or the places that it may have; no last one if it is not named."""
    if claim.scope.among == "attributed":
        return _among_named(listed, claim)
    named = _named(listed, claim)
    if not any(each.low for each in named.values()):
        return None
    of = claim.of.removesuffix(f":{STANDARD}")
    rows = is_row(listed, claim.kind)
    # Of nobody knows whom:
    nobodys = (entry.amount.low for entry in listed.entries if not _group(entry, claim))
    pool = listed.rest + sum(nobodys, ZERO)
    most = min(_most_of_unnamed(listed, claim) if rows else pool, pool)
    most = min(most, limit(listed, claim.kind, NOBODY))
    groups = {
        name: _bounded(listed, claim, name, each, pool if not rows else None)
        for name, each in named.items()
    }
    own = groups.pop(of, Bounds(ZERO, most))
    first = 1 + sum(other.low > own.high for other in groups.values())
    if not own.low:
        text = f"not named: at most {spelled_amount(own.high, listed)}, place {first} or lower"
        return Value(Decimal(first), None, text)
    last = 1 + _ahead(own.low, list(groups.values()), pool, most)
    if first == last:
        return Value(Decimal(first), Decimal(last), f"{_stated(own.low, listed)}, is place {first}")
    text = f"{_stated(own.low, listed)}, at most {spelled_amount(own.high, listed)}"
    return Value(
        Decimal(first),
        Decimal(last),
        f"{text} with what is not named: place {first} to {last}",
    )


def _among_named(listed: Listing, claim: Claim) -> Value | None:
    """The subject's place by what is named and known to be its; None if nothing is."""
    own, others = ZERO, dict[str, Decimal]()
    for entry in listed.entries:
        name = entry.id if claim.kind == "model" else _group(entry, claim)
        if belongs(entry, claim.kind, claim.of):
            own += entry.amount.low
        elif name:
            others[name] = others.get(name, ZERO) + entry.amount.low
    if not own:
        return None
    place = Decimal(1 + sum(other > own for other in others.values()))
    text = f"{_stated(own, listed)}, is place {place} of {len(others) + 1}"
    return Value(place, place, text)


def _named(listed: Listing, claim: Claim) -> Mapping[str, Bounds]:
    """What is named of everybody, and, without an amount, who is named with other variants only."""
    groups: dict[str, Bounds] = {}
    for entry in listed.entries:
        if name := _group(entry, claim):
            groups[name] = groups.get(name, NOTHING) + entry.amount
    for wider in listed.wider:
        for entry in wider.entries:
            if name := _group(entry, claim):
                groups.setdefault(name, NOTHING)
    return groups


def _group(entry: Entry, claim: Claim) -> str:
    if claim.kind == "country":
        return entry.country
    if claim.kind == "vendor":
        return entry.vendor
    return entry.id if split_model(claim.of)[1] else split_model(entry.id)[0]


def _bounded(
    listed: Listing, claim: Claim, name: str, named: Bounds, pool: Decimal | None
) -> Bounds:
    """What somebody has at least and at most; a pool if it may have any of that besides."""
    hidden = pool
    if hidden is None:
        apart = split_model(claim.of)[1] and not split_model(name)[1]
        whose = f"{name}:{STANDARD}" if apart else name
        hidden = named.high - named.low
        hidden += listed.unnamed * unnamed_rows(listed, claim.kind, whose)
    high = min(named.low + hidden, named.low + listed.rest if pool is None else listed.total)
    return Bounds(named.low, max(named.low, min(high, limit(listed, claim.kind, name))))


def _most_of_unnamed(listed: Listing, claim: Claim) -> Decimal:
    """The most that one can have of whom no row is named."""
    several = claim.kind == "model" and not split_model(claim.of)[1] and bool(listed.with_free)
    return listed.unnamed * (2 if several else 1)


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


def _stated(own: Decimal, listed: Listing) -> str:
    part = own / listed.total if listed.total else ZERO
    return f"{spelled_amount(own, listed)}, {spelled(part, 'share')} of everything"
