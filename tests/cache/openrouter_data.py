"""What the tests of OpenRouter's Data API feeds share."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from typing import Any

import httpx

from qwenwatch_cache.feeds import openrouter_apps, openrouter_sessions, openrouter_tasks
from qwenwatch_cache.feeds.feed import Parsed, Request
from tests.feedserver import FIXTURE_NOW, Bodies, FeedServer, FixtureBodies
from tests.feedserver.bodies import FIXTURES
from tests.feedserver.support import client_of

FILES = {
    "openrouter-apps": "app-rankings.json",
    "openrouter-sessions": "session-cost.json",
    "openrouter-tasks": "task-classifications.json",
}
PARSERS: dict[str, Callable[[bytes, datetime], Parsed]] = {
    "openrouter-apps": partial(openrouter_apps.parse, asked=date(2026, 7, 18)),
    "openrouter-sessions": openrouter_sessions.parse,
    "openrouter-tasks": openrouter_tasks.parse,
}


def fixture(feed: str) -> Any:
    """The hand-written body of a feed."""
    return json.loads((FIXTURES / FILES[feed]).read_text(encoding="utf-8"))


def parse(feed: str, payload: Any) -> Parsed:
    """A body as the feed reads it."""
    return PARSERS[feed](json.dumps(payload).encode(), FIXTURE_NOW)


def parsed(feed: str) -> Parsed:
    """The hand-written body as the feed reads it."""
    return PARSERS[feed]((FIXTURES / FILES[feed]).read_bytes(), FIXTURE_NOW)


@contextmanager
def playing(
    bodies: Bodies | None = None, now: datetime = FIXTURE_NOW
) -> Iterator[tuple[FeedServer, httpx.Client]]:
    """A feed server, of the fixtures if nothing else is named, and a client of it."""
    with (
        FeedServer(bodies or FixtureBodies(), now=lambda: now) as server,
        client_of(server) as client,
    ):
        yield server, client


def asked(client: httpx.Client, request: Request) -> Parsed:
    """What the feed server answers, as the feed reads it."""
    answer = client.get(request.path)
    assert answer.status_code == 200
    return request.parse(answer.content, FIXTURE_NOW)
