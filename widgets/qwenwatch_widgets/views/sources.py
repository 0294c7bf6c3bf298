"""Where figures came from, for people and for programs."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.clock import iso
from qwenwatch_widgets.views import amounts

if TYPE_CHECKING:
    from qwenwatch_cache.market.origins import Origin


def source_line(origin: "Origin", known_at: datetime) -> str:
    """Citation, and how old the last reading of the source is."""
    notes: list[str] = [origin.status]
    if origin.fetched_at:
        notes.append(f"read {amounts.age(known_at - origin.fetched_at)} ago")
    return f"{origin.citation} [{', '.join(notes)}]"


def source_lines(origins: Iterable["Origin"], known_at: datetime) -> list[str]:
    """A line per source."""
    return [source_line(origin, known_at) for origin in origins]


def known_until(origin: "Origin", at: datetime) -> datetime:
    """Up to when figures that are asked of a moment are known: the last reading before it."""
    return at if origin.as_of is None else min(at, origin.as_of)


def source_row(origin: "Origin", known_at: datetime) -> dict[str, Any]:
    """The source as plain values, as `sources` of every JSON document holds it."""
    age = known_at - origin.as_of if origin.as_of else None
    return {
        "feed": origin.feed,
        "as_of": iso(origin.as_of) if origin.as_of else None,
        "fetched_at": iso(origin.fetched_at) if origin.fetched_at else None,
        "age_seconds": None if age is None else int(age.total_seconds()),
        "licence": origin.licence,
        "citation": origin.citation,
        "status": origin.status,
    }
