"""The one clock of the program, so that a recorded day can be played as it was."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

NOW_VARIABLE = "QWENWATCH_NOW"

CLOCK_SKEW = timedelta(hours=1)
"""What was observed up to this much after now counts as known now: clocks are set back, and every
command that plays a recorded day (QWENWATCH_NOW) begins at the same moment."""

SETTLED = timedelta(hours=1)
"""What was learned by a moment has been stored so long after it: rounds that were under way then
are over."""

Clock = Callable[[], datetime]
"""Gives the present moment as an aware UTC datetime."""


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 date or date-time; what carries no zone is UTC.

    Raises:
        ValueError: The text is no ISO 8601 instant; the message quotes it.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(
            f"{text!r} is not a time: expected ISO 8601 like 2026-08-22T01:00:00Z"
        ) from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def iso(instant: datetime) -> str:
    """Write an instant as ISO 8601 UTC, to the second: ``2026-08-22T01:00:00Z``."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_replayed() -> bool:
    """Whether the program was told to believe in another time (QWENWATCH_NOW)."""
    return bool(os.environ.get(NOW_VARIABLE))


def system_clock() -> Clock:
    """The real clock, or one that starts at QWENWATCH_NOW and runs on from there.

    Raises:
        ValueError: QWENWATCH_NOW is set to something that is no time.
    """
    stated = os.environ.get(NOW_VARIABLE)
    if not stated:
        return lambda: datetime.now(UTC)
    start, began = parse_instant(stated), time.monotonic()
    return lambda: datetime.fromtimestamp(start.timestamp() + time.monotonic() - began, UTC)
