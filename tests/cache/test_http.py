"""One polite GET: what it sends, when it tries again, and how every failure is told."""

import logging
import ssl
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stamina
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache import http
from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.http import ATTEMPTS, Refused, get, open_client
from tests.feedserver import FIXTURE_NOW, FeedServer, FixtureBodies

FEED, PATH = "models-dev", "/api.json"
KEYED, KEYED_PATH = "openrouter-rankings", "/api/v1/datasets/rankings-daily"
KEY = "sk-very-secret"
WITHOUT_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TRACEBACK_WORDS = ("Traceback", "Error(", "Exception", "object at 0x", "httpx", "<class", "[Errno")


def clock() -> datetime:
    return FIXTURE_NOW


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Nothing here is TLS, and to load the certificates takes longer than most of these tests.
    monkeypatch.setattr(ssl, "create_default_context", lambda: WITHOUT_CERTIFICATES)
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer(FixtureBodies(), now=clock) as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


def played(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    """A client that is answered by a function."""
    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


async def refusal(client: httpx.AsyncClient, url: str, **options: Any) -> Refused:
    """The failure of a request, which must be fit for people."""
    with pytest.raises(Refused) as caught:
        await get(client, url, clock=clock, **options)
    message = str(caught.value)
    assert isinstance(caught.value, FeedError)
    assert httpx.URL(url).host in message
    assert len(message.splitlines()) == 1
    assert [word for word in TRACEBACK_WORDS if word in message] == []
    return caught.value


class TestGood:
    async def test_a_body_comes_unpacked_with_its_marks(
        self, server: FeedServer, client: httpx.AsyncClient
    ) -> None:
        answer = await get(client, server.url + PATH, clock=clock)
        assert answer.body == FixtureBodies().document(FEED)
        assert (answer.status, answer.fetched_at) == (200, FIXTURE_NOW)
        assert answer.validator
        [request] = server.requests
        assert request.headers["user-agent"].startswith("qwenwatch/")
        assert "gzip" in request.headers["accept-encoding"]
        assert "authorization" not in request.headers
        assert "if-none-match" not in request.headers

    async def test_what_is_known_is_not_sent_again(
        self, server: FeedServer, client: httpx.AsyncClient
    ) -> None:
        first = await get(client, server.url + PATH, clock=clock)
        second = await get(client, server.url + PATH, clock=clock, validator=first.validator)
        assert (second.status, second.body, second.validator) == (304, b"", first.validator)
        third = await get(client, server.url + PATH, clock=clock, validator='"of long ago"')
        assert (third.status, third.sha256) == (200, first.sha256)

    async def test_not_modified_is_no_answer_to_who_has_nothing(self) -> None:
        async with played(lambda request: httpx.Response(304)) as client:
            error = await refusal(client, "http://feed.test/")
        assert error.status == 304


class TestRetries:
    @pytest.mark.parametrize("fault", ["500", "503", "429", "429-bare", "reset", "short-body"])
    async def test_a_passing_fault_is_tried_again(
        self, server: FeedServer, client: httpx.AsyncClient, fault: str
    ) -> None:
        server.fault(FEED, fault, first=1, last=2)
        answer = await get(client, server.url + PATH, clock=clock)
        assert answer.body == FixtureBodies().document(FEED)
        assert len(server.requests) == 3

    @pytest.mark.parametrize(
        ("fault", "status"),
        [("500", 500), ("503", 503), ("429", 429), ("reset", None), ("short-body", None)],
    )
    async def test_not_for_ever(
        self, server: FeedServer, client: httpx.AsyncClient, fault: str, status: int | None
    ) -> None:
        server.fault(FEED, fault)
        error = await refusal(client, server.url + PATH)
        assert error.status == status
        assert len(server.requests) == ATTEMPTS

    @pytest.mark.parametrize("fault", ["401", "403", "404"])
    async def test_what_stays_wrong_is_asked_once(
        self, server: FeedServer, client: httpx.AsyncClient, fault: str
    ) -> None:
        server.fault(FEED, fault)
        error = await refusal(client, server.url + PATH)
        assert (error.status, error.retry_after) == (int(fault), None)
        assert f"HTTP {fault}" in str(error)
        assert len(server.requests) == 1

    async def test_nobody_listens(self, client: httpx.AsyncClient) -> None:
        with FeedServer(FixtureBodies(), now=clock) as gone:
            url = gone.url
        error = await refusal(client, url + PATH)
        assert "no connection" in str(error)

    def test_retries_say_nothing_on_stderr(self, server: FeedServer) -> None:
        server.fault(FEED, "503", last=1, retry_after=0)
        program = (
            "import asyncio, sys; from datetime import datetime, UTC\n"
            "from qwenwatch_cache.http import get, open_client\n"
            "async def main():\n"
            "    async with open_client() as client:\n"
            "        await get(client, sys.argv[1], clock=lambda: datetime.now(UTC))\n"
            "asyncio.run(main())\n"
        )
        command = [sys.executable, "-c", program, server.url + PATH]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(server.requests) == 2


class TestRetryAfter:
    async def test_a_short_one_is_waited_for(
        self, server: FeedServer, client: httpx.AsyncClient
    ) -> None:
        server.fault(FEED, "429", last=1, retry_after=1)
        began = time.monotonic()
        with stamina.set_testing(False):
            answer = await get(client, server.url + PATH, clock=clock)
        assert answer.status == 200
        assert 0.9 <= time.monotonic() - began < 5

    async def test_zero_means_at_once(self, server: FeedServer, client: httpx.AsyncClient) -> None:
        server.fault(FEED, "503", last=2, retry_after=0)
        began = time.monotonic()
        with stamina.set_testing(False):
            await get(client, server.url + PATH, clock=clock)
        assert time.monotonic() - began < 0.5
        assert len(server.requests) == 3

    @pytest.mark.parametrize("fault", ["429", "503"])
    async def test_a_long_one_is_left_to_the_schedule(
        self, server: FeedServer, client: httpx.AsyncClient, fault: str
    ) -> None:
        server.fault(FEED, fault, retry_after=3600)
        error = await refusal(client, server.url + PATH)
        assert error.retry_after == timedelta(hours=1)
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        ("text", "wait"),
        [
            ("Mon, 17 Aug 2026 13:00:00 GMT", timedelta(hours=1)),
            ("Mon, 17 Aug 2026 14:00:00 +0100", timedelta(hours=1)),
            ("Mon, 17 Aug 2026 11:00:00 GMT", timedelta(0)),
            ("  90 ", timedelta(seconds=90)),
            # Nobody is left alone for years, be it a slip of the server or not.
            ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(days=7)),
            ("31536000", timedelta(days=7)),
            ("9" * 5000, timedelta(days=7)),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
            ("²", None),
            ("17 Aug 99999999999999999999 12:00:00 GMT", None),
        ],
    )
    async def test_how_it_is_read(self, text: str, wait: timedelta | None) -> None:
        headers = [(b"Retry-After", text.encode("latin-1"))]
        async with played(lambda request: httpx.Response(429, headers=headers)) as client:
            error = await refusal(client, "http://feed.test/")
        assert error.retry_after == wait

    @settings(max_examples=150, deadline=None)
    @given(
        st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)
        | st.datetimes(timezones=st.just(UTC)).map(lambda when: when.strftime("%a, %d %b %Y %X"))
    )
    async def test_no_text_is_a_crash(self, text: str) -> None:
        headers = [(b"Retry-After", text.encode("latin-1"))]
        async with played(lambda request: httpx.Response(503, headers=headers)) as client:
            with pytest.raises(Refused) as caught:
                await get(client, "http://feed.test/", clock=clock, attempts=1)
        wait = caught.value.retry_after
        assert wait is None or timedelta(0) <= wait <= timedelta(days=7)


class TestBadBodies:
    @pytest.mark.parametrize("fault", ["huge", "gzip-bomb"])
    async def test_no_body_fills_the_memory(
        self, server: FeedServer, client: httpx.AsyncClient, fault: str
    ) -> None:
        server.fault(FEED, fault)
        tracemalloc.start()
        try:
            error = await refusal(client, server.url + PATH)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert "more than 32 MB" in str(error)
        assert len(server.requests) == 1  # to ask again would bring the same
        assert peak < 6 * http.LARGEST_BODY

    async def test_a_body_that_cannot_be_unpacked(self) -> None:
        headers = {"Content-Encoding": "gzip"}
        async with played(
            lambda request: httpx.Response(200, headers=headers, stream=Chunks(b"no gzip"))
        ) as client:
            error = await refusal(client, "http://feed.test/")
        assert "cannot be unpacked" in str(error)

    @pytest.mark.parametrize("fault", ["hang", "slow-drip"])
    async def test_who_does_not_finish_is_left(
        self,
        server: FeedServer,
        client: httpx.AsyncClient,
        fault: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(http, "DEADLINE", 0.15)
        server.fault(FEED, fault)
        began = time.monotonic()
        error = await refusal(client, server.url + PATH)
        assert "did not answer in time" in str(error)
        assert time.monotonic() - began < 3

    async def test_a_hang_does_not_wait_for_the_deadline(
        self, server: FeedServer, client: httpx.AsyncClient
    ) -> None:
        server.fault(FEED, "hang")
        client.timeout = httpx.Timeout(0.1)
        began = time.monotonic()
        error = await refusal(client, server.url + PATH)
        assert "did not answer in time" in str(error)
        assert time.monotonic() - began < 3


class Chunks(httpx.AsyncByteStream):
    """A body as it comes off the wire."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part


class TestRedirects:
    async def test_within_the_host(self, server: FeedServer, client: httpx.AsyncClient) -> None:
        server.fault(KEYED, "redirect")
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = await get(client, server.url + KEYED_PATH, clock=clock, headers=headers)
        assert answer.status == 200
        assert [request.headers.get("authorization") for request in server.requests] == [
            f"Bearer {KEY}",
            f"Bearer {KEY}",
        ]

    async def test_a_stranger_is_not_told_the_key(
        self, server: FeedServer, client: httpx.AsyncClient
    ) -> None:
        server.fault(KEYED, "redirect-other-host")
        error = await refusal(
            client, server.url + KEYED_PATH, headers={"Authorization": f"Bearer {KEY}"}
        )
        assert error.status == 401
        first, second = server.requests
        assert first.headers["authorization"] == f"Bearer {KEY}"
        assert second.headers["host"].startswith("localhost:")
        assert KEY not in str(second)

    async def test_in_circles(self) -> None:
        async with open_client() as client:
            client._transport = httpx.MockTransport(
                lambda request: httpx.Response(302, headers={"Location": str(request.url)})
            )
            error = await refusal(client, "http://feed.test/")
        assert "circles" in str(error)

    @pytest.mark.parametrize("target", ["ftp://elsewhere.test/", "http://[bad/", "http://x:port/"])
    async def test_to_nowhere(self, target: str) -> None:
        async with open_client() as client:
            client._transport = httpx.MockTransport(
                lambda request: httpx.Response(302, headers={"Location": target})
            )
            error = await refusal(client, "http://feed.test/")
        assert "feed.test" in str(error)


class TestSecrets:
    @pytest.mark.parametrize("fault", ["401", "503", "reset", "short-body"])
    async def test_no_failure_quotes_the_key(
        self,
        server: FeedServer,
        client: httpx.AsyncClient,
        fault: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        server.fault(KEYED, fault)
        headers = {"Authorization": f"Bearer {KEY}"}
        with caplog.at_level(logging.DEBUG, "stamina"):
            error = await refusal(client, server.url + KEYED_PATH, headers=headers)
        assert KEY not in f"{error} {error.__cause__!r} {caplog.text}"

    async def test_nor_a_password_in_the_address(
        self, server: FeedServer, client: httpx.AsyncClient
    ) -> None:
        server.fault(FEED, "503")
        url = server.url.replace("://", "://me:pass-word@") + PATH
        error = await refusal(client, url)
        assert "pass-word" not in str(error)
        assert "me:" not in str(error)

    async def test_a_key_that_cannot_be_sent(
        self, server: FeedServer, client: httpx.AsyncClient
    ) -> None:
        headers = {"Authorization": "Bearer sk-ключ-geheim"}
        error = await refusal(client, server.url + KEYED_PATH, headers=headers)
        assert "key" in str(error)
        assert "geheim" not in f"{error} {error.__cause__!r}"
        assert server.requests == []

    async def test_an_address_that_is_none(self, client: httpx.AsyncClient) -> None:
        with pytest.raises(Refused, match=r"feed\.test.*cannot be used"):
            await get(client, "http://feed.test:port/", clock=clock)
