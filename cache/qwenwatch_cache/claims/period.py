"""The time that a claim is about: days, weeks, months, quarters, years, and spans of them, UTC."""

import re
from datetime import date, timedelta

import msgspec

FIRST, LAST = date(2000, 1, 1), date(2100, 12, 31)
EXAMPLES = "2026-02-16, 2026-W08, 2026-02, 2026-Q1, 2026 or 2026-02-16..2026-02-22"


class Period(msgspec.Struct, frozen=True, order=True):
    """A time, first and last day included.

    Attributes:
        first: First day.
        last: Last day.
    """

    first: date
    last: date

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    def shifted(self, days: int) -> "Period":
        """The same number of days, so many later."""
        step = timedelta(days=days)
        return Period(self.first + step, self.last + step)

    def __str__(self) -> str:
        """As people read it: ``2026-02-16..2026-02-22``."""
        return f"{self.first}" if self.first == self.last else f"{self.first}..{self.last}"


def read_period(text: str) -> Period:
    """Read a time.

    Raises:
        ValueError: It is none, or impossible; the message says what fits.
    """
    first, dots, last = text.strip().partition("..")
    begin = _one(first)
    end = _one(last) if dots else begin
    if end.last < begin.first:
        raise ValueError("ends before it begins")
    if begin.first < FIRST or end.last > LAST:
        raise ValueError(f"is not between {FIRST} and {LAST}")
    return Period(begin.first, end.last)


def _one(text: str) -> Period:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = date.fromisoformat(text)
            return Period(day, day)
        if re.fullmatch(r"\d{4}-W\d{2}", text):
            monday = date.fromisocalendar(int(text[:4]), int(text[6:]), 1)
            return Period(monday, monday + timedelta(days=6))
        if re.fullmatch(r"\d{4}-\d{2}", text):
            return _months(int(text[:4]), int(text[5:]), 1)
        if re.fullmatch(r"\d{4}-Q[1-4]", text):
            return _months(int(text[:4]), int(text[6]) * 3 - 2, 3)
        if re.fullmatch(r"\d{4}", text):
            return _months(int(text), 1, 12)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"does not exist ({error})") from error
    raise ValueError(f"is no time; expected {EXAMPLES}")


def _months(year: int, month: int, count: int) -> Period:
    first = date(year, month, 1)
    months = year * 12 + month - 1 + count
    return Period(first, date(months // 12, months % 12 + 1, 1) - timedelta(days=1))
