"""What headers say about when to come again, and what to send for "unchanged since"."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_WAIT = timedelta(days=7)
"""What a wish to be left alone for longer than this is taken for."""

_LEFT = re.compile(r"\br=(\d{1,9})\b.*\bt=(\d{1,9})\b")
"""Requests that remain, and seconds to the next window."""


def condition(validator: str) -> dict[str, str]:
    """The header that makes a request conditional.

    Args:
        validator: An ETag, a Last-Modified date, or "" for none.
    """
    if not (validator.isascii() and validator.isprintable() and validator):
        return {}  # a header cannot carry it, and it must not cost the request
    # An ETag is always quoted; a date was taken where there was none.
    is_etag = validator.startswith(('"', 'W/"'))
    return {"If-None-Match" if is_etag else "If-Modified-Since": validator}


def retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header: seconds or an HTTP date (RFC 9110 §10.2.3); None if unusable."""
    if not text:
        return None
    if text.strip().isdecimal():
        # Nine digits are decades already, and int() refuses thousands of them.
        return min(timedelta(seconds=int(text.strip()[:9])), LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return min(max(when - now, timedelta(0)), LONGEST_WAIT)


def rest_of(rate_limit: str) -> timedelta:
    """How long to be quiet by a RateLimit header, zero while requests remain under each policy.

    As Hugging Face documents it (hub-docs rate-limits.md): ``"api";r=499;t=300``.
    """
    rest = timedelta(0)
    for policy in rate_limit.split(","):
        match = _LEFT.search(policy)
        if match is not None and int(match[1]) == 0:
            rest = max(rest, timedelta(seconds=int(match[2])))
    return min(rest, LONGEST_WAIT)
