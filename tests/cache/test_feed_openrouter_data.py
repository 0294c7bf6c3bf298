"""All feeds of OpenRouter's Data API but the rankings: faults over HTTP, and any input at all."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds import (
    openrouter_apps,
    openrouter_rankings,
    openrouter_sessions,
    openrouter_tasks,
)
from qwenwatch_cache.feeds.feed import Feed
from qwenwatch_cache.frames import TABLES
from tests.cache.openrouter_data import PARSERS, asked, fixture, parse, parsed, playing
from tests.feedserver import FIXTURE_NOW, FeedServer

PROPERTY = settings(deadline=None, database=None, max_examples=80)
MODULES = (openrouter_apps, openrouter_sessions, openrouter_tasks)


@pytest.fixture
def played() -> Iterator[tuple[FeedServer, httpx.Client]]:
    with playing() as both:
        yield both


@pytest.fixture
def server(played: tuple[FeedServer, httpx.Client]) -> FeedServer:
    return played[0]


@pytest.fixture
def client(played: tuple[FeedServer, httpx.Client]) -> httpx.Client:
    return played[1]


class TestFaultsOverHttp:
    """What faults of the body lead to: an error that names the feed, or refusals by rule."""

    @pytest.mark.parametrize("module", MODULES, ids=lambda module: module.NAME)
    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            ("html", "a web page instead of JSON"),
            ("truncated", "cut off after"),
            ("empty-list", "holds no"),
            ("duplicate-rows", "stands twice"),
        ],
    )
    def test_of_every_feed(
        self, server: FeedServer, client: httpx.Client, module: Any, fault: str, words: str
    ) -> None:
        server.fault(module.NAME, fault, last=1)
        (request,) = module.plan(FIXTURE_NOW, [])
        with pytest.raises(FeedError, match=f"^{module.NAME}: .*{words}"):
            asked(client, request)
        assert asked(client, request).rows > 0

    @pytest.mark.parametrize(
        ("module", "fault", "words"),
        [
            (openrouter_apps, "renamed-field", "total_tokens"),
            (openrouter_apps, "number-for-string", "total_tokens"),
            (openrouter_apps, "negative-price", "total_tokens of app 101"),
            (openrouter_apps, "absurd-price", "total_tokens of app 101"),
            (openrouter_sessions, "renamed-field", "median_session_cost_usd"),
            (openrouter_tasks, "renamed-field", "usage_share"),
            (openrouter_tasks, "string-for-number", "usage_share"),
            (openrouter_tasks, "negative-price", "requests of 'code:general_impl' is -0.4"),
            (openrouter_tasks, "absurd-price", "requests of 'code:general_impl' is 40000"),
        ],
    )
    def test_that_refuse_the_answer(
        self, server: FeedServer, client: httpx.Client, module: Any, fault: str, words: str
    ) -> None:
        server.fault(module.NAME, fault)
        (request,) = module.plan(FIXTURE_NOW, [])
        with pytest.raises(FeedError, match=words):
            asked(client, request)

    @pytest.mark.parametrize(
        ("fault", "rule"), [("negative-price", "negative"), ("absurd-price", "above the bound")]
    )
    def test_that_cost_one_median(
        self, server: FeedServer, client: httpx.Client, fault: str, rule: str
    ) -> None:
        server.fault("openrouter-sessions", fault)
        (request,) = openrouter_sessions.plan(FIXTURE_NOW, [])
        answer = asked(client, request)
        assert dict(answer.refused) == {rule: 1}
        assert answer.frames["session"].equals(parsed("openrouter-sessions").frames["session"][1:])

    def test_medians_as_strings_are_the_same_medians(
        self, server: FeedServer, client: httpx.Client
    ) -> None:
        server.fault("openrouter-sessions", "string-for-number")
        (request,) = openrouter_sessions.plan(FIXTURE_NOW, [])
        frame = parsed("openrouter-sessions").frames["session"]
        assert asked(client, request).frames["session"].equals(frame)


FEEDS: list[Feed] = [module.FEED for module in MODULES]


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_every_feed_says_whose_figures_it_brings(feed: Feed) -> None:
    assert (feed.host, feed.key_env) == ("https://openrouter.ai", "OPENROUTER_API_KEY")
    assert (feed.licence, feed.kind) == ("CC BY 4.0", "usage")
    assert feed.citation.startswith("Source: OpenRouter ")
    assert feed.citation.endswith(", as of {as_of}. CC BY 4.0")


def test_all_of_the_data_api_stays_within_what_an_account_may_ask() -> None:
    assert openrouter_rankings.FEED.budget + sum(feed.budget for feed in FEEDS) <= 500


WEIRD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["-1", "NaN", "sNaN", "1e999999999", "2026-08-01", "0001-01-01", "9999-12-31"]),
)
SHARE = st.floats(-0.1, 1.1) | WEIRD


def row(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields)


ROWS = {
    "openrouter-apps": row(
        app_id=st.integers(0, 2**70) | WEIRD,
        app_name=st.text(),
        total_tokens=st.integers(0, 2**70).map(str) | WEIRD,
        total_requests=st.integers(0, 10**16) | WEIRD,
    ),
    "openrouter-sessions": row(
        app_slug=st.text(),
        app_name=st.text(),
        turn_range=st.sampled_from(["1-turn", "50-plus-turns"]) | WEIRD,
        model_permaslug=st.text(),
        median_session_cost_usd=st.floats(-1, 1100) | WEIRD,
    ),
    "openrouter-tasks": row(
        tag=st.text(),
        display_name=st.text(),
        macro_category=st.text(),
        usage_share=SHARE,
        token_share=SHARE,
        models=st.lists(row(id=st.text(), tag_usage_share=SHARE, tag_token_share=SHARE)),
    ),
}
META = st.fixed_dictionaries(
    {},
    optional={
        name: st.datetimes().map(lambda moment: f"{moment}Z") | st.dates().map(str) | WEIRD
        for name in ("as_of", "start_date", "end_date", "window_end_date", "window_days")
    },
)
JSON = st.recursive(
    WEIRD,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "meta", "as_of", "classifications", "x"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


def assert_answer_or_feed_error(feed: str, body: bytes) -> None:
    """The promise: frames of the declared schemas, or an error that names the feed."""
    try:
        answer = PARSERS[feed](body, FIXTURE_NOW)
    except FeedError as error:
        assert str(error).startswith(f"{feed}: ")
        return
    entries = {
        "openrouter-apps": lambda: answer.frames["catalog"].height,
        "openrouter-sessions": lambda: answer.frames["session"].height,
        "openrouter-tasks": lambda: answer.frames["task"].height // 2,
    }[feed]()
    assert answer.rows == entries + sum(answer.refused.values()) > 0
    for name, frame in answer.frames.items():
        assert frame.schema == TABLES[name].schema
        key = list(TABLES[name].key)
        assert not frame.select(pl.struct(key).is_duplicated()).to_series().any()


@pytest.mark.parametrize("feed", PARSERS)
class TestAnyInput:
    @PROPERTY
    @given(document=JSON)
    @example(document={"data": []})
    @example(document={"data": {"classifications": []}})
    def test_any_json(self, feed: str, document: Any) -> None:
        assert_answer_or_feed_error(feed, json.dumps(document).encode())

    @PROPERTY
    @given(data=st.data())
    def test_rows_of_nearly_the_right_shape(self, feed: str, data: st.DataObject) -> None:
        rows = data.draw(st.lists(ROWS[feed], min_size=1, max_size=4))
        meta = data.draw(META)
        payload: dict[str, Any] = {"data": rows, "meta": meta}
        if feed == "openrouter-tasks":
            payload = {"data": {"as_of": "2026-08-16", **meta, "classifications": rows}}
        assert_answer_or_feed_error(feed, json.dumps(payload).encode())

    @PROPERTY
    @given(body=st.binary(max_size=60))
    def test_any_bytes(self, feed: str, body: bytes) -> None:
        assert_answer_or_feed_error(feed, body)


def test_a_message_quotes_no_more_than_a_line() -> None:
    long = "x" * 10_000
    payloads = {feed: fixture(feed) for feed in PARSERS}
    payloads["openrouter-apps"]["data"][0]["total_tokens"] = long
    rows = payloads["openrouter-sessions"]["data"]
    rows.extend([rows[0] | {"model_permaslug": long}] * 2)
    tasks = payloads["openrouter-tasks"]["data"]["classifications"]
    tasks.extend([tasks[1] | {"tag": long}] * 2)
    for feed, payload in payloads.items():
        with pytest.raises(FeedError, match=feed) as failed:
            parse(feed, payload)
        assert len(str(failed.value)) < 240
