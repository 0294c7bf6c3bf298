"""The only module that speaks HTTP: one polite GET, conditional, bounded and retried."""

import asyncio
import hashlib
import logging
import platform
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from urllib.parse import urlsplit

import httpx
import stamina

from qwenwatch_cache.clock import Clock
from qwenwatch_cache.errors import FeedError

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes of a decoded body above which it is refused; the largest feed has 3 MB."""

DEADLINE = 60.0
"""Seconds for one request with all its bytes, whatever trickles in."""

ATTEMPTS = 3
PATIENCE = timedelta(seconds=20)
"""A Retry-After up to this is waited for; a longer one is put into the schedule."""

LONGEST_WAIT = timedelta(days=7)
"""What a Retry-After above this is taken for."""

PASSING = frozenset({429, 500, 502, 503, 504})

# stamina logs every retry, and a logger without a handler writes to stderr.
logging.getLogger("stamina").addHandler(logging.NullHandler())


class Refused(FeedError):
    """A feed answered, and not with figures.

    Attributes:
        status: HTTP status, None where no answer came.
        retry_after: How long the server asked to be left alone, None if it did not say.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: timedelta | None = None
    ) -> None:
        """Keep what the schedule needs beside the message."""
        self.status = status
        self.retry_after = retry_after
        super().__init__(message)


class _Passing(Refused):
    """A fault that may be gone at the next attempt."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a feed.

    Attributes:
        status: 200, or 304 where nothing changed since the ETag sent.
        body: Decoded body; empty with 304.
        etag: ETag to send next time, "" if there is none.
        fetched_at: When the last byte came.
        sha256: Of the decoded body.
    """

    status: int
    body: bytes
    etag: str
    fetched_at: datetime
    sha256: str


def open_client() -> httpx.AsyncClient:
    """A client that says honestly who it is and follows a redirect within reason.

    httpx drops the Authorization header by itself when a redirect leaves the host.
    """
    agent = f"qwenwatch/{version('qwenwatch')} (Python {platform.python_version()}; terminal)"
    return httpx.AsyncClient(
        headers={"User-Agent": agent, "Accept": "application/json"},
        timeout=httpx.Timeout(20.0, connect=10.0),
        follow_redirects=True,
        max_redirects=5,
        verify=ssl.create_default_context(),
    )


async def get(
    client: httpx.AsyncClient,
    url: str,
    *,
    clock: Clock,
    headers: Mapping[str, str] | None = None,
    etag: str = "",
    attempts: int = ATTEMPTS,
) -> Answer:
    """Get one address; passing faults are tried again, a short Retry-After is honoured.

    Raises:
        Refused: No usable answer; the message says what happened in plain words.
    """
    sent = dict(headers or {})
    if etag:
        sent["If-None-Match"] = etag
    async for attempt in stamina.retry_context(
        on=_wait_before_retry, attempts=attempts, timeout=None, wait_initial=0.5, wait_max=8.0
    ):
        with attempt:
            return await _get_once(client, url, sent, clock)
    raise AssertionError("retry_context either returns an answer or raises")


def _wait_before_retry(error: Exception) -> bool | timedelta:
    if not isinstance(error, _Passing):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= PATIENCE else False


async def _get_once(
    client: httpx.AsyncClient, url: str, headers: Mapping[str, str], clock: Clock
) -> Answer:
    host = urlsplit(url).netloc.rpartition("@")[2]
    try:
        async with asyncio.timeout(DEADLINE), client.stream("GET", url, headers=headers) as reply:
            if reply.status_code == 304 and "If-None-Match" in headers:
                return Answer(304, b"", headers["If-None-Match"], clock(), "")
            if reply.status_code != 200:
                raise _refusal(reply, host, clock())
            body = await _read(reply, host)
            etag = reply.headers.get("ETag", "")
    except (TimeoutError, httpx.TimeoutException) as error:
        # Not tried again: it has cost more patience already than all other faults together.
        raise Refused(f"{host} did not answer in time") from error
    except httpx.TooManyRedirects as error:
        raise Refused(f"{host} redirects in circles") from error
    except httpx.RemoteProtocolError as error:
        raise _Passing(f"{host} broke off in the middle of the answer") from error
    except httpx.InvalidURL as error:
        raise Refused(f"{host}: the address cannot be used ({error})") from error
    except UnicodeEncodeError:
        # The original error quotes what could not be sent.
        raise Refused(f"{host}: the key holds characters that no API key has") from None
    except httpx.DecodingError as error:
        raise Refused(f"{host} sent a body that cannot be unpacked") from error
    except httpx.TransportError as error:
        raise _Passing(f"{host} cannot be reached ({_reason(error)})") from error
    return Answer(200, body, etag, clock(), hashlib.sha256(body).hexdigest())


async def _read(reply: httpx.Response, host: str) -> bytes:
    body = bytearray()
    async for part in reply.aiter_bytes():
        body += part
        if len(body) > LARGEST_BODY:
            raise Refused(
                f"{host} sends more than {LARGEST_BODY // 1024**2} MB; refused", status=200
            )
    return bytes(body)


def _refusal(reply: httpx.Response, host: str, now: datetime) -> Refused:
    status = reply.status_code
    meaning = {
        400: "the request is not accepted",
        401: "the key is missing or not accepted",
        403: "access is refused",
        404: "there is nothing at this address",
        429: "too many requests",
        500: "the server has a fault",
        502: "the server behind it does not answer",
        503: "the service is not available",
        504: "the server behind it does not answer in time",
    }.get(status, "an answer that was not expected")
    kind = _Passing if status in PASSING else Refused
    wait = _retry_after(reply.headers.get("Retry-After"), now)
    return kind(f"{host}: {meaning} (HTTP {status})", status=status, retry_after=wait)


def _retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header: seconds or an HTTP date (RFC 9110 §10.2.3)."""
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


def _reason(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    return type(error).__name__
