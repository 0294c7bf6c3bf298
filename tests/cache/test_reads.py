"""Which parser reads an answer can be told from its address alone, years later."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.feeds.feed import Done, Feed, Parser, Request, parser_of
from tests.feedserver import FIXTURE_NOW, FixtureBodies

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
HOSTS = ("https://host.test", "http://127.0.0.1:8000", "https://user.test/mirror/of?all=")


def plain(parser: Parser) -> Any:
    """A parser as something that can be compared."""
    if isinstance(parser, partial):
        return parser.func, parser.args, parser.keywords
    return parser


def requests_of(feed: Feed) -> Sequence[Request]:
    """Every request that a feed makes: at first, after a pause, for the past, on demand."""
    asked: list[Request] = []
    for now in (NOW, datetime(2026, 9, 1, tzinfo=UTC)):
        asked += feed.plan(now, [])
        done = [Done(f"{feed.host}{one.path}", NOW - timedelta(days=40)) for one in asked]
        asked += feed.plan(now, done)
        asked += feed.backfill(now) if feed.backfill else ()
    if feed.on_demand is not None:
        asked += [feed.on_demand(one) for one in ("author/slug:free", "a/b c", "ä/ö+ü%2Fx")]
    return asked


def followed(feed: Feed) -> Sequence[Request]:
    """The requests that answers lead to."""
    if feed.name == "alibaba-list":
        body = FixtureBodies().alibaba("index.json")
        assert body is not None
        return feed.plan(NOW, [])[0].parse(body, FIXTURE_NOW).follow
    if feed.name == "openrouter-sessions":
        (first,) = feed.plan(NOW, [])
        row = '{"app_slug": "a%d", "app_name": "", "turn_range": "", "model_permaslug": "", '
        rows = ",".join(row % number + '"median_session_cost_usd": 1}' for number in range(500))
        return first.parse(f'{{"data": [{rows}]}}'.encode(), NOW).follow
    return ()


@pytest.mark.parametrize("feed", FEEDS.values(), ids=lambda feed: feed.name)
def test_the_address_tells_who_reads_the_answer(feed: Feed) -> None:
    asked = [*requests_of(feed), *followed(feed)]
    assert asked
    for request in asked:
        for host in HOSTS:
            found = parser_of(feed, host + request.path, NOW - timedelta(days=3))
            assert plain(found) == plain(request.parse), request.path


def test_answers_of_the_feeds_that_lead_further_are_among_them() -> None:
    leading = {name for name, feed in FEEDS.items() if followed(feed)}
    assert leading == {"alibaba-list", "openrouter-sessions"}


@pytest.mark.parametrize(
    "name",
    ["openrouter-apps", "openrouter-sessions", "vercel-leaderboard", "ecb-fx", "huggingface"],
)
def test_an_address_that_says_nothing_is_not_guessed_at(name: str) -> None:
    with pytest.raises((LookupError, ValueError)):
        parser_of(FEEDS[name], "https://host.test/", NOW)


def test_the_day_that_was_asked_for_is_in_the_address() -> None:
    url = "https://h.test/api/v1/datasets/app-rankings?limit=100&start_date=2026-07-01&end_date=x"
    found = parser_of(FEEDS["openrouter-apps"], url, NOW)
    assert isinstance(found, partial)
    assert found.keywords == {"asked": date(2026, 7, 1)}
