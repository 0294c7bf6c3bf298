"""LiteLLM's off-peak hours as tiles of the week by UTC.

Facts (LiteLLM's file 2026-09 … 2026-11 and the test cases of its own cost calculation): hours are
"HH:MM-HH:MM" by UTC, half-open, may wrap midnight, and 00:00-00:00 is all day; `weekdays` are 1
(Monday) to 7 or their English names, and none means every day. A moment is off-peak if the clock
(UTC) is within the hours and the day it has in `weekday_timezone` (UTC if none) is listed. Hours
given beside `windows` count as one more window.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import msgspec

from qwenwatch_cache.feeds.money import RefusedPrice

DAY = 24 * 60
"""Minutes."""

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCKS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


class Window(msgspec.Struct):
    """Hours of some days of the week."""

    hours_utc: str | list[str]
    weekdays: list[int | str] | None = None


class OffPeak(msgspec.Struct):
    """When the off-peak price is in force."""

    hours_utc: str | list[str] | None = None
    weekdays: list[int | str] | None = None
    windows: list[Window] | None = None
    weekday_timezone: str | None = None


def week_tiles(hours: OffPeak, fetched_at: datetime) -> tuple[list[str], list[str]]:
    """Cut the week into the windows of the peak price and those of the off-peak price.

    Args:
        hours: When it is off-peak.
        fetched_at: Decides the offset of a time zone whose clocks change in the year.

    Returns:
        Windows as in the column `window_utc`, peak first. Together they hold every minute of the
        week once; "" is the whole week.

    Raises:
        RefusedPrice: No hours at all, or some that cannot be read.
    """
    off_peak = _minutes(hours, fetched_at)
    days_of: dict[tuple[bool, int, int], str] = {}
    for day in range(7):
        start = 0
        for inside, run in groupby(off_peak[day * DAY : (day + 1) * DAY]):
            end = start + len(list(run))
            days_of[inside, start, end] = days_of.get((inside, start, end), "") + str(day + 1)
            start = end
    tiles: tuple[list[str], list[str]] = ([], [])
    for (inside, start, end), days in days_of.items():
        tiles[inside].append(_written(days, start, end))
    return tiles


def _minutes(hours: OffPeak, fetched_at: datetime) -> list[bool]:
    """Whether it is off-peak, for each minute of the week by UTC."""
    windows = list(hours.windows or [])
    if hours.hours_utc is not None:
        windows.append(Window(hours.hours_utc, hours.weekdays))
    if not windows:
        raise _unclear("no hours are stated")
    offset = _offset(hours.weekday_timezone or "UTC", fetched_at)
    off_peak = [False] * (7 * DAY)
    for window in windows:
        days = _days(window.weekdays)
        spans = [window.hours_utc] if isinstance(window.hours_utc, str) else window.hours_utc
        clocks = [clock for span in spans for clock in _clocks(span)]
        for day in range(7):
            for clock in clocks:
                minute = day * DAY + clock
                if (minute + offset) // DAY % 7 in days:
                    off_peak[minute] = True
    return off_peak


def _clocks(span: str) -> Iterator[int]:
    """The minutes of a day that a span covers."""
    found = _CLOCKS.fullmatch(span)
    if found is None:
        raise _unclear(f"{span[:40]!r} are no hours")
    start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
    start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    for minute in range(start, end if start < end else end + DAY):
        yield minute % DAY


def _days(weekdays: Sequence[int | str] | None) -> set[int]:
    """Days of the week, 0 is Monday."""
    if weekdays is None:
        return set(range(7))
    days = set()
    for stated in weekdays:
        if isinstance(stated, int):
            day = stated - 1
        else:
            name = stated.lower()
            day = next((i for i, full in enumerate(_NAMES) if name in (full, full[:3])), -1)
        if day not in range(7):
            raise _unclear(f"{str(stated)[:40]!r} is no day of the week")
        days.add(day)
    return days


def _offset(zone: str, fetched_at: datetime) -> int:
    """Minutes that a time zone is ahead of UTC."""
    try:
        ahead = fetched_at.astimezone(ZoneInfo(zone)).utcoffset()
    except (KeyError, ValueError, OSError) as error:
        raise _unclear(f"{zone[:40]!r} is no time zone") from error
    return (ahead or timedelta()) // timedelta(minutes=1)


def _written(days: str, start: int, end: int) -> str:
    if (days, start, end) == ("1234567", 0, DAY):
        return ""
    end %= DAY
    clock = f"{start // 60:02d}{start % 60:02d}-{end // 60:02d}{end % 60:02d}"
    return clock if days == "1234567" else f"{days} {clock}"


def _unclear(detail: str) -> RefusedPrice:
    return RefusedPrice("unclear off-peak hours", detail)
