"""Feeds made up for a test, whose answers a function plays; no socket is opened."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from qwenwatch_cache import refresh as rounds
from qwenwatch_cache.feeds.feed import Feed, Parsed, Parser, Request
from qwenwatch_cache.frames import FETCH_TABLE
from qwenwatch_cache.http import open_client
from qwenwatch_cache.schedule import FeedSettings
from qwenwatch_cache.store import Store
from tests.cache.polling import NO_BASELINE
from tests.cache.rows import usage

NAME = "f"
HERE = "http://127.0.0.1:1"
Play = Callable[[httpx.Request], httpx.Response]


def parse(body: bytes, fetched_at: datetime) -> Parsed:
    """One row per body, named by it."""
    return Parsed({"usage": usage({body.decode(): 1}, fetched_at)}, 1, whole=frozenset())


def settings_for(
    requests: Sequence[Request],
    *,
    name: str = NAME,
    budget: int = 50,
    key: str = "",
    base_url: str = HERE,
    past: Sequence[Request] | None = None,
    on_demand: Callable[[str], Request] | None = None,
) -> FeedSettings:
    """A feed that is asked every hour for always the same."""
    feed = Feed(
        name=name,
        title=name,
        publisher=name,
        kind="usage",
        host="https://feed.test",
        plan=lambda now, done: requests,
        budget=budget,
        floor=timedelta(hours=1),
        licence="",
        citation="",
        page="",
        key_env="FEED_KEY" if key else "",
        backfill=None if past is None else lambda now: past,
        on_demand=on_demand,
    )
    return FeedSettings(feed, enabled=True, base_url=base_url, key=key, every=feed.floor)


def requests_for(*paths: str, parser: Parser = parse) -> list[Request]:
    """Plain requests for some paths."""
    return [Request(path, parser) for path in paths]


class Player:
    """Answers every request by its path: a status, or a body.

    Attributes:
        answers: By path; what is missing is answered with the path itself.
        asked: Every request that came, oldest first.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, play: Play | None = None) -> None:
        self.answers: dict[str, int | bytes | httpx.Response] = {}
        self.asked: list[httpx.Request] = []
        self._play = play

        def client() -> httpx.AsyncClient:
            opened = open_client()
            opened._transport = httpx.MockTransport(self._answer)
            opened._mounts = {}
            return opened

        monkeypatch.setattr(rounds, "open_client", client)

    @property
    def paths(self) -> list[str]:
        """Path and query of every request."""
        return [request.url.raw_path.decode() for request in self.asked]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self._play is not None:
            return self._play(request)
        path = request.url.raw_path.decode()
        answer = self.answers.get(path, path.encode())
        if isinstance(answer, httpx.Response):
            return answer
        if isinstance(answer, int):
            return httpx.Response(answer)
        return httpx.Response(200, content=answer)


def log_of(root: Path) -> Sequence[Mapping[str, object]]:
    """The log of requests, oldest first."""
    return Store(root, bundled=NO_BASELINE).cached(FETCH_TABLE).rows(named=True)
