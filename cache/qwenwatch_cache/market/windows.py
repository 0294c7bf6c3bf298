"""Windows of time: UTC days, ISO weeks (Monday to Sunday) and calendar months."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

import msgspec

Grain = Literal["day", "week", "month"]

TRUNCATE: Mapping[Grain, str] = {"day": "1d", "week": "1w", "month": "1mo"}
"""Polars' names of the grains; its weeks begin on Monday too."""


class Window(msgspec.Struct, frozen=True, order=True):
    """One day, week or month.

    Attributes:
        start: First day.
        grain: Its kind.
    """

    start: date
    grain: Grain

    @classmethod
    def containing(cls, day: date, grain: Grain) -> "Window":
        """The window of a kind that a day falls in."""
        if grain == "week":
            day -= timedelta(days=day.weekday())
        elif grain == "month":
            day = day.replace(day=1)
        return cls(day, grain)

    @classmethod
    def of_days(cls, first: date, last: date) -> "Window | None":
        """The window of which these are the first and the last day, None if there is none."""
        windows = (cls.containing(first, grain) for grain in TRUNCATE)
        return next((one for one in windows if (one.start, one.end) == (first, last)), None)

    @property
    def end(self) -> date:
        """Last day."""
        return self.shifted(1).start - timedelta(days=1)

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.end - self.start).days + 1

    def shifted(self, steps: int) -> "Window":
        """The window so many steps later, or earlier if negative."""
        if self.grain == "month":
            months = self.start.year * 12 + self.start.month - 1 + steps
            return Window(date(months // 12, months % 12 + 1, 1), "month")
        width = 7 if self.grain == "week" else 1
        return Window(self.start + timedelta(days=width * steps), self.grain)


def last_complete(day: date, grain: Grain) -> Window:
    """The newest window of a kind that is over once `day` is over."""
    window = Window.containing(day, grain)
    return window if window.end <= day else window.shifted(-1)


def steps_to(newest: Window, day: date) -> int:
    """How many windows before the newest is the one that ends nearest to a day, 0 if it is that."""
    window, steps = newest, 0
    while abs((before := window.shifted(-1)).end - day) < abs(window.end - day):
        window, steps = before, steps + 1
    return steps
