"""Prices by time of day: how long a time of day, as frames.PRICE states it, is, and in words."""

import re
from itertools import groupby

DAY = 24 * 60  # minutes
WEEK = 7 * DAY

_WINDOW = re.compile(r"(?:([1-7]+) )?(\d\d)(\d\d)-(\d\d)(\d\d)", re.ASCII)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def minutes_of_day(window_utc: str, weekday: int) -> int:
    """How many minutes of a day of the week a time of day holds.

    Args:
        window_utc: As `in_force.window_in_force` describes it; "" is always.
        weekday: ISO number of the day, 1 is Monday.
    """
    if not window_utc:
        return DAY
    days, _, hours = window_utc.rpartition(" ")
    if days and str(weekday) not in days:
        return 0
    begin, end = (int(part[:2]) * 60 + int(part[2:]) for part in hours.split("-"))
    return (end - begin) % DAY or DAY


def minutes_of_week(window_utc: str) -> int:
    """How many minutes of a week a time of day holds."""
    if not window_utc:
        return WEEK
    return sum(minutes_of_day(window_utc, weekday) for weekday in range(1, 8))


def hours_text(window_utc: str) -> str:
    """A time of day as people say it: ``weekdays 01:00–04:00 UTC``, ``Sat–Sun``.

    Args:
        window_utc: As `in_force.window_in_force` describes it, or several joined with ", "; "" is
            always, and says nothing. What is written otherwise is returned as it is.
    """
    if not window_utc:
        return ""
    read = [_WINDOW.fullmatch(one) for one in window_utc.split(", ")]
    known = [one for one in read if one is not None]
    if len(known) < len(read):
        return window_utc
    texts = []
    for days, times in groupby(known, key=lambda one: one[1] or ""):
        words = [_days_text(days)] if days else []
        spans = [span for span in map(_span_text, times) if span]
        words += [f"{', '.join(spans)} UTC"] if spans else []
        texts.append(" ".join(words) or "all day")
    return ", ".join(texts)


def _span_text(window: re.Match[str]) -> str:
    """From when to when; "" where that is the whole day."""
    begin, end = f"{window[2]}:{window[3]}", f"{window[4]}:{window[5]}"
    return "" if begin == end else f"{begin}–{'24:00' if end == '00:00' else end}"


def _days_text(days: str) -> str:
    """Days of the week by their ISO numbers: ``weekdays``, ``Sat–Sun``, ``Mon, Wed–Fri``."""
    numbers = sorted({int(day) for day in days})
    if numbers == [1, 2, 3, 4, 5]:
        return "weekdays"
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    ends = (dict.fromkeys((run[0], run[-1])) for run in runs)
    return ", ".join("–".join(_WEEKDAYS[number - 1] for number in run) for run in ends)
