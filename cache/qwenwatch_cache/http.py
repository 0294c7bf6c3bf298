"""The only module that speaks HTTP: one polite GET, conditional, bounded and retried."""

import asyncio
import hashlib
import logging
import platform
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib.metadata import version
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec
import stamina
from msgspec.structs import replace

from qwenwatch_cache.clock import Clock
from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.http_headers import condition, rest_of, retry_after

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes of a decoded body above which it is refused; the largest feed has 3 MB."""

DEADLINE = 60.0
"""Seconds for one request with all its bytes, whatever trickles in."""

ATTEMPTS = 3
PATIENCE = timedelta(seconds=20)
"""A Retry-After up to this is waited for; a longer one is put into the schedule."""

PASSING = frozenset({429, 500, 502, 503, 504})

_ON_THIS_MACHINE = ("all://localhost", "all://127.0.0.1", "all://[::1]")
"""Asked without a proxy, which would read what is sent over plain HTTP, keys too."""

# stamina logs every retry, and a logger without a handler writes to stderr.
logging.getLogger("stamina").addHandler(logging.NullHandler())


class Refused(FeedError):
    """A feed answered, and not with figures.

    Attributes:
        status: HTTP status; 0 where no connection came about, None where no whole answer came.
        retry_after: How long the server asked to be left alone, None if it did not say.
        started: When the request was made.
        earlier: The same request's earlier attempts that failed, oldest first.
        pages: Addresses of the pages that came, after the first, where the whole list did not.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: timedelta | None = None
    ) -> None:
        """Keep what the schedule needs beside the message."""
        self.status = status
        self.retry_after = retry_after
        self.started: datetime | None = None
        self.earlier: tuple[Refused, ...] = ()
        self.pages: tuple[str, ...] = ()
        super().__init__(message)


class _Passing(Refused):
    """A fault that may be gone at the next attempt."""


class Answer(msgspec.Struct, frozen=True):
    """What came back from a feed.

    Attributes:
        status: 200, or 304 where nothing changed since the validator sent.
        body: Decoded body; empty with 304.
        validator: ETag to send next time, or the Last-Modified date where there is none, or "".
        fetched_at: When the last byte came.
        sha256: Of the decoded body.
        next_page: Address of the next page as the Link header has it, "" if there is none.
        rest: How long the server wants no further request, as it says in advance.
        earlier: Attempts that failed before this answer came, oldest first.
        pages: Addresses of the pages after the first, where all of them are one answer.
    """

    status: int
    body: bytes
    validator: str
    fetched_at: datetime
    sha256: str
    next_page: str = ""
    rest: timedelta = timedelta(0)
    earlier: tuple[Refused, ...] = ()
    pages: tuple[str, ...] = ()


def open_client() -> httpx.AsyncClient:
    """A client that says honestly who it is and follows a redirect within reason.

    httpx drops the Authorization header by itself when a redirect leaves the host.
    """
    agent = f"qwenwatch/{version('qwenwatch')} (Python {platform.python_version()}; terminal)"
    return httpx.AsyncClient(
        headers={"User-Agent": agent, "Accept": "application/json, */*;q=0.5"},
        timeout=httpx.Timeout(20.0, connect=10.0),
        follow_redirects=True,
        max_redirects=5,
        verify=ssl.create_default_context(),
        mounts=dict.fromkeys(_ON_THIS_MACHINE),
    )


async def get(
    client: httpx.AsyncClient,
    url: str,
    *,
    clock: Clock,
    headers: Mapping[str, str] | None = None,
    validator: str = "",
    attempts: int = ATTEMPTS,
) -> Answer:
    """Get one address; passing faults are tried again, a short Retry-After is honoured.

    Args:
        client: What to ask with.
        url: The address.
        clock: Says what time it is.
        headers: Sent beside the client's own.
        validator: What the last answer gave; 304 is an answer then.
        attempts: How often to try.

    Raises:
        Refused: No usable answer; the message says what happened in plain words.
    """
    sent = dict(headers or {}) | condition(validator)
    failed: list[Refused] = []
    try:
        async for attempt in stamina.retry_context(
            on=_wait_before_retry, attempts=attempts, timeout=None, wait_initial=0.5, wait_max=8.0
        ):
            with attempt:
                started = clock()
                try:
                    answer = await _get_once(client, url, sent, clock)
                except Refused as error:
                    error.started = started
                    failed.append(error)
                    raise
                return replace(answer, earlier=tuple(failed))
    except Refused as error:
        error.earlier = tuple(failed[:-1])
        raise
    raise AssertionError("retry_context either returns an answer or raises")


async def be_patient(rest: timedelta) -> None:
    """Wait as long as a server wished in advance.

    Raises:
        Refused: That is longer than `PATIENCE`; `retry_after` says how long.
    """
    if rest > PATIENCE:
        raise Refused("the server allows no further requests for now", status=429, retry_after=rest)
    if rest:
        await asyncio.sleep(rest.total_seconds())


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
    asked_for = headers.get("If-None-Match") or headers.get("If-Modified-Since") or ""
    try:
        async with asyncio.timeout(DEADLINE), client.stream("GET", url, headers=headers) as reply:
            rest = rest_of(reply.headers.get("RateLimit", ""))
            if reply.status_code == 304 and asked_for:
                return Answer(304, b"", asked_for, clock(), "", rest=rest)
            if reply.status_code != 200:
                raise _refusal(reply, host, "Authorization" in headers, clock())
            body = await _read(reply, host)
            validator = reply.headers.get("ETag") or reply.headers.get("Last-Modified", "")
            next_page = reply.links.get("next", {}).get("url", "")
    except (TimeoutError, httpx.TimeoutException) as error:
        # Not tried again: it has cost more patience already than all other faults together.
        raise Refused(f"{host} did not answer in time") from error
    except httpx.TooManyRedirects as error:
        raise Refused(f"{host} redirects in circles") from error
    except httpx.RemoteProtocolError as error:
        raise _Passing(f"{host} broke off in the middle of the answer") from error
    except httpx.InvalidURL as error:
        raise Refused(f"{host}: the address cannot be used ({error})") from error
    except (UnicodeEncodeError, httpx.LocalProtocolError):
        # The original error quotes what could not be sent.
        raise Refused(f"{host}: the key holds characters that no API key has") from None
    except httpx.DecodingError as error:
        raise Refused(f"{host} sent a body that cannot be unpacked") from error
    except httpx.TransportError as error:
        status = 0 if isinstance(error, httpx.ConnectError) else None
        raise _Passing(f"{host} cannot be reached ({_reason(error)})", status=status) from error
    digest = hashlib.sha256(body).hexdigest()
    return Answer(200, body, validator, clock(), digest, next_page, rest)


async def _read(reply: httpx.Response, host: str) -> bytes:
    body = bytearray()
    async for part in reply.aiter_bytes():
        body += part
        if len(body) > LARGEST_BODY:
            raise Refused(
                f"{host} sends more than {LARGEST_BODY // 1024**2} MB; refused", status=200
            )
    return bytes(body)


def _refusal(reply: httpx.Response, host: str, keyed: bool, now: datetime) -> Refused:
    status = reply.status_code
    meaning = {
        400: "the request is not accepted",
        401: "the key is missing or not accepted" if keyed else "access is refused",
        403: "access is refused",
        404: "there is nothing at this address",
        429: "too many requests",
        500: "the server has a fault",
        502: "the server behind it does not answer",
        503: "the service is not available",
        504: "the server behind it does not answer in time",
    }.get(status, "an answer that was not expected")
    kind = _Passing if status in PASSING else Refused
    wait = retry_after(reply.headers.get("Retry-After"), now)
    if wait is None and status == 429:
        wait = rest_of(reply.headers.get("RateLimit", "")) or None
    return kind(f"{host}: {meaning} (HTTP {status})", status=status, retry_after=wait)


def _reason(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.ReadError | httpx.WriteError | httpx.CloseError):
        return "the connection was broken off"
    return type(error).__name__


def without_secrets(url: str) -> str:
    """An address without user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
