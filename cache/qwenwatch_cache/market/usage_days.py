"""Which days a claim of usage is tried on: those stated, and those that may have been meant."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.claims.period import Period
from qwenwatch_cache.market.definitions import Definition
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.listings import published

NEAREST_WEEKS = "in the nearest whole weeks"
"""Where days are not published, weeks may be."""


class Days(msgspec.Struct, frozen=True):
    """Days that are tried, and what that is a condition of ("" for those stated)."""

    period: Period
    condition: str


def days_of(known: Known, claim: Claim, definition: Definition) -> Iterator[Days]:
    """The days stated, and those beside them; each published week, newest first, if none are."""
    if claim.period is None:
        weeks = published(known, definition, "week")
        for week in reversed(weeks):
            yield Days(week, "" if week is weeks[-1] else f"in the week {week}")
        return
    stated = claim.period
    yield Days(stated, "")
    seen = {stated}
    for period, words in _neighbours(stated):
        if period not in seen:
            seen.add(period)
            yield Days(period, f"{words} ({period})")


def _neighbours(stated: Period) -> Iterator[tuple[Period, str]]:
    yield _whole_weeks(stated), NEAREST_WEEKS
    unit = {1: "day", 7: "week"}.get(stated.days, f"{stated.days} days")
    yield stated.shifted(-stated.days), f"in the {unit} before"
    yield stated.shifted(stated.days), f"in the {unit} after"
    yield stated.shifted(-1), "one day earlier"
    yield stated.shifted(1), "one day later"


def _whole_weeks(stated: Period) -> Period:
    """Weeks whose ends are nearest to those of a span; the span itself if it is too short."""
    if stated.days < 7:
        return stated
    back = stated.first.weekday()
    first = stated.first - timedelta(days=back if back <= 3 else back - 7)
    on = 6 - stated.last.weekday()
    last = stated.last + timedelta(days=on if on <= 3 else on - 7)
    return Period(first, last)


def within(stated: Period) -> Period:
    """The whole weeks within a span of days; it ends before it begins where there is none."""
    monday = stated.first + timedelta(days=-stated.first.weekday() % 7)
    return Period(monday, stated.last - timedelta(days=(stated.last.weekday() + 1) % 7))


def around(stated: Period) -> Period:
    """The whole weeks that a span of days touches."""
    monday = stated.first - timedelta(days=stated.first.weekday())
    return Period(monday, stated.last + timedelta(days=6 - stated.last.weekday()))
