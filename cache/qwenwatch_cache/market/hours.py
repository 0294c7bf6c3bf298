"""Prices by time of day: how long a time of day, as frames.PRICE states it, is."""

DAY = 24 * 60  # minutes
WEEK = 7 * DAY


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
