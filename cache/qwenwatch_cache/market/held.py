"""What a subject has of what is published: exact where it is named, else within bounds."""

from decimal import Decimal

from qwenwatch_cache.claims.claim import Kind
from qwenwatch_cache.identity import split_model
from qwenwatch_cache.market.directory import FREE
from qwenwatch_cache.market.listings import NOTHING, Bounds, Listing, added
from qwenwatch_cache.market.selections import Selection, belongs, selection


def held(listed: Listing, chosen: Selection, kind: Kind, of: str) -> Bounds:
    """What a subject has of a selection."""
    rows = is_row(listed, kind)
    bounds = _of_rows(listed, chosen, kind, of) if rows else chosen.part(kind, of)
    return Bounds(bounds.low, max(bounds.low, min(bounds.high, limit(listed, kind, of))))


def limit(listed: Listing, kind: Kind, of: str) -> Decimal:
    """The most that a subject can have: in standard variants no more than in all of them."""
    most = listed.total
    for wider in listed.wider:
        everything = selection(wider, "")
        assert everything is not None
        most = min(most, held(wider, everything, kind, of).high)
    return most


def is_row(listed: Listing, kind: Kind) -> bool:
    """Whether a source names subjects themselves, not those that they are added up of."""
    return kind == "model" or (kind == "vendor" and listed.kind == "lab")


def unnamed_rows(listed: Listing, kind: Kind, of: str) -> int:
    """How many rows of a subject may be in the rest, since they are never named.

    A model has its standard row and, where there ever was a free variant, that one as well.
    """
    if kind != "model" or split_model(of)[1]:
        return int(not any(belongs(entry, kind, of) for entry in listed.entries))
    rows = {of, f"{of}:{FREE}"} if of in listed.with_free else {of}
    return len(rows - {entry.id for entry in listed.entries})


def _of_rows(listed: Listing, chosen: Selection, kind: Kind, of: str) -> Bounds:
    """What is certain of the subject's own rows, and what of them may be in the selection besides.

    Who is named has no part in the rest, but on days on which it is not named.
    """
    inside = {entry.entity: entry.amount for entry in chosen.entries}
    own = [entry for entry in listed.entries if belongs(entry, kind, of)]
    certain = added(inside[entry.entity] for entry in own if entry.entity in inside)
    besides = listed.unnamed * unnamed_rows(listed, kind, of)
    for entry in own:
        if entry.entity not in chosen.gone:
            besides += entry.amount.high - inside.get(entry.entity, NOTHING).high
    return Bounds(certain.low, certain.high + min(chosen.open, besides))
