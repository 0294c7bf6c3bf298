"""What the feeds of OpenRouter's Data API have in common.

Facts (OpenRouterTeam/docs, Data API cookbook and openapi.yaml, read 2026-08-22): one server, any
OpenRouter key, one licence; 30 requests a minute and 500 a day for all of its endpoints together,
which is why the budgets of its feeds (200 rankings, 40 apps, 120 sessions, 20 tasks) are shares
of that. `meta.as_of` is when the answer was made. Fields may be added within v1.
"""

import re
from datetime import datetime

from qwenwatch_cache.clock import parse_instant
from qwenwatch_cache.errors import FeedError

KIN = ("openrouter-rankings", "openrouter-apps", "openrouter-sessions", "openrouter-tasks")
"""All of the Data API: 30 requests a minute and 500 a day are for its endpoints together."""

HOST = "https://openrouter.ai"
KEY_ENV = "OPENROUTER_API_KEY"
LICENCE = "CC BY 4.0"

HIGHEST_COUNT = 10**16
"""Tokens or requests that no model has in a month; the sums of more would not fit into 64 bits."""

_DIGITS = re.compile(r"[0-9]{1,18}")  # a whole number that 64 bits hold


def instant(feed: str, field: str, text: str) -> datetime:
    """A moment as the answers state it, in UTC.

    Raises:
        FeedError: It is none; names the field.
    """
    try:
        return parse_instant(text)
    except (ValueError, OverflowError) as error:
        raise FeedError(f"{feed}: {field} is {text[:40]!r}, expected a time") from error


def whole_number(feed: str, field: str, text: str) -> int:
    """A count that is stated as a decimal string, so that no reader makes a float of it.

    Raises:
        FeedError: It is no whole number from 0 up, or has more than 18 digits; names the field.
    """
    if not _DIGITS.fullmatch(text):
        raise FeedError(f"{feed}: {field} is {text[:40]!r}, expected a whole number")
    if int(text) > HIGHEST_COUNT:
        raise FeedError(f"{feed}: {field} is {int(text):,}, which cannot be right")
    return int(text)
