"""Days as the command line names them."""

from datetime import UTC, date, datetime, time

from qwenwatch_cache.errors import NothingToShow


def day_option(text: str | None, option: str = "--date") -> date | None:
    """A day that may be given on the command line, None where it is not; see `parse_day`."""
    return None if text is None else parse_day(text, option)


def parse_day(text: str, option: str) -> date:
    """A day given on the command line.

    Args:
        text: What was given.
        option: What it was given for, for the message.

    Raises:
        ValueError: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{option} {text!r} is not a day: expected YYYY-MM-DD") from error


def end_of(day: date | None, latest: datetime) -> datetime:
    """The end of a day, or the latest moment if that is earlier or no day is named.

    Raises:
        NothingToShow: The day is yet to come.
    """
    refuse_future(day, latest)
    return latest if day is None else min(latest, datetime.combine(day, time.max, UTC))


def refuse_future(day: date | None, now: datetime) -> None:
    """Refuse a day of which nobody can know anything yet.

    Raises:
        NothingToShow: It is yet to come.
    """
    if day is not None and day > now.date():
        raise NothingToShow(f"{day} is yet to come: today is {now.date()}")
