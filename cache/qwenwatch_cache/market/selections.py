"""Parts of a listing that a figure may have been added up over, and what a subject has of them."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from qwenwatch_cache.claims.claim import STANDARD, Kind
from qwenwatch_cache.identity import split_model
from qwenwatch_cache.market.listings import NOTHING, ZERO, Bounds, Entry, Listing, added

TOPS = (5, 9, 10, 20, 50)
"""Lengths of lists that articles quote."""


class Selection(msgspec.Struct, frozen=True):
    """The entries that are added up.

    Attributes:
        among: "" for everything, "named", "attributed", "top N".
        entries: Those that belong to it for certain.
        open: Upper bound of what belongs to it besides, of nobody knows whom.
        least: The least that it is in all.
        without: Name of the entry or vendor left out, "" if nobody is.
        gone: Source ids of the entries left out.
    """

    among: str
    entries: Sequence[Entry]
    open: Decimal
    least: Decimal
    without: str = ""
    gone: frozenset[str] = frozenset()

    def total(self) -> Bounds:
        """Everything in it."""
        certain = added(entry.amount for entry in self.entries)
        return Bounds(max(certain.low, self.least), certain.high + self.open)

    def part(self, kind: Kind, of: str) -> Bounds:
        """What a subject has of it: what is named as its own, and what might be."""
        own, unsure = [], NOTHING
        for entry in self.entries:
            if belongs(entry, kind, of):
                own.append(entry.amount)
            elif kind == "country" and not entry.country and self.among != "attributed":
                unsure += Bounds(ZERO, entry.amount.high)
        return added(own) + unsure + Bounds(ZERO, self.open)


def belongs(entry: Entry, kind: Kind, of: str) -> bool:
    """Whether an entry is the subject's; variants of a model are the model, unless one is named."""
    if kind == "country":
        return entry.country == of
    if kind == "vendor":
        return entry.vendor == of
    # Variants of a model are the model, unless one is named.
    model, variant = split_model(of)
    if variant:
        return entry.id == (model if variant == STANDARD else of)
    return kind == "" or split_model(entry.id)[0] == of


def selection(listed: Listing, among: str) -> Selection | None:
    """A part of a listing, None if it would be the same as "named"."""
    if among == "":
        exact = [_exact(entry) for entry in listed.entries]
        return Selection("", exact, listed.rest, listed.total)
    if among in {"named", "attributed"}:
        return Selection(among, [_exact(entry) for entry in listed.entries], ZERO, ZERO)
    count = int(among.partition(" ")[2])
    closed = all(entry.amount.low == entry.amount.high for entry in listed.entries)
    if count == len(listed.entries) and closed and listed.unnamed <= listed.entries[-1].amount.low:
        return None
    return _top(listed, count)


def _exact(entry: Entry) -> Entry:
    """An entry with what is named of it alone; the rest is counted once, for all."""
    amount = Bounds(entry.amount.low, entry.amount.low)
    return Entry(entry.entity, entry.id, entry.name, entry.vendor, entry.country, amount)


def _top(listed: Listing, count: int) -> Selection:
    """The first so many: those certain to be among them, and the most that the others can have."""
    first, later = listed.entries[:count], listed.entries[count:]
    ahead = max([listed.unnamed, *(entry.amount.high for entry in later)])
    certain = [entry for entry in first if entry.amount.low >= ahead]
    places = count - len(certain)
    if not places:
        return Selection(f"top {count}", certain, ZERO, ZERO)
    chances = [entry.amount.high for entry in listed.entries if entry not in certain]
    chances += [listed.unnamed] * places
    most = sum(sorted(chances, reverse=True)[:places], ZERO)
    named = sum((entry.amount.low for entry in listed.entries if entry not in certain), ZERO)
    least = sum((entry.amount.low for entry in first), ZERO)
    return Selection(f"top {count}", certain, min(most, listed.rest + named), least)


def left_out(listed: Listing, chosen: Selection) -> list[Selection]:
    """The selection without each one entry, and without each vendor that has several."""
    vendors: dict[str, list[Entry]] = {}
    for entry in chosen.entries:
        vendors.setdefault(entry.vendor or entry.entity, []).append(entry)
    found = []
    for entry in chosen.entries:
        name = f"{entry.name} ({', '.join(part for part in _whose(entry, listed) if part)})"
        found.append(_without(chosen, [entry], name))
    for vendor, entries in sorted(vendors.items()):
        if len(entries) > 1:
            name = f"all {len(entries)} of {vendor} ({entries[0].country or 'country unknown'})"
            found.append(_without(chosen, entries, name))
    return found


def without(listed: Listing, chosen: Selection, id_: str) -> Selection | None:
    """The selection without one model or vendor named by its id, None if it is not in it."""
    entries = [
        entry
        for entry in chosen.entries
        if id_ in {entry.entity, entry.id, entry.vendor, entry.id.partition(":")[0]}
    ]
    return _without(chosen, entries, id_) if entries else None


def _whose(entry: Entry, listed: Listing) -> tuple[str, str]:
    return (entry.vendor if listed.rows == "models" else "", entry.country)


def _without(chosen: Selection, gone: Sequence[Entry], name: str) -> Selection:
    rest = [entry for entry in chosen.entries if entry not in gone]
    less = added(entry.amount for entry in gone)
    least = max(chosen.least - less.low, ZERO) if chosen.least else ZERO
    left = frozenset(entry.entity for entry in gone)
    return Selection(chosen.among, rest, chosen.open, least, name, left)
