"""Each fault does what its name says, on the requests it was asked for."""

import json
import time
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.feedserver import FAULTS, FEEDS, FIXTURE_NOW, FeedServer, FixtureBodies, faults_for, wire
from tests.feedserver.faults import Rule, parse_spec
from tests.feedserver.support import APPS, MODELS, MODELS_DEV, PATHS, VERCEL, client_of


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("name", ["401", "403", "404", "429", "429-bare", "500", "503"])
def test_status_faults(server: FeedServer, client: httpx.Client, feed: str, name: str) -> None:
    server.fault(feed, name, last=1)
    answer = client.get(PATHS[feed])
    assert answer.status_code == int(name[:3])
    assert answer.json()["error"]["code"] == int(name[:3])
    assert answer.headers.get("Retry-After") == ("1" if name == "429" else None)
    assert client.get(PATHS[feed]).status_code == 200


def test_a_fault_hits_only_its_feed_and_its_requests(
    server: FeedServer, client: httpx.Client
) -> None:
    client.get(MODELS)
    server.fault("openrouter-models", "503", first=2, last=3, retry_after=0)
    seen = []
    for _ in range(4):
        seen.append(client.get(MODELS).status_code)
        assert client.get(MODELS_DEV).status_code == 200
    assert seen == [200, 503, 503, 200]


def test_several_faults_on_one_feed(server: FeedServer, client: httpx.Client) -> None:
    server.fault("models-dev", "500", last=1)
    server.fault("models-dev", "429", first=2, last=2, retry_after="Mon, 17 Aug 2026 12:00:05 GMT")
    first, second, third = (client.get(MODELS_DEV) for _ in range(3))
    assert [first.status_code, second.status_code, third.status_code] == [500, 429, 200]
    assert second.headers["Retry-After"] == "Mon, 17 Aug 2026 12:00:05 GMT"
    server.fault("models-dev", "500")
    assert client.get(MODELS_DEV).status_code == 500
    server.clear_faults()
    assert client.get(MODELS_DEV).status_code == 200


def test_html(server: FeedServer, client: httpx.Client) -> None:
    server.fault("models-dev", "html")
    answer = client.get(MODELS_DEV)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("feed", FEEDS)
def test_truncated(server: FeedServer, client: httpx.Client, feed: str) -> None:
    whole = client.get(PATHS[feed]).content
    server.fault(feed, "truncated")
    assert client.get(PATHS[feed]).content == whole[: len(whole) // 2]


def test_short_body(server: FeedServer, client: httpx.Client) -> None:
    server.fault("openrouter-models", "short-body", last=1)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(MODELS)
    assert client.get(MODELS).status_code == 200


def test_reset(server: FeedServer, client: httpx.Client) -> None:
    server.fault("openrouter-models", "reset", last=1)
    with pytest.raises(httpx.ReadError):
        client.get(MODELS)
    assert client.get(MODELS).status_code == 200


def test_hang_times_out_and_does_not_hold_the_server_up() -> None:
    with FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW) as server:
        server.fault("openrouter-models", "hang")
        with client_of(server) as client, pytest.raises(httpx.ReadTimeout):
            client.get(MODELS, timeout=0.2)
        closing = time.monotonic()
    assert time.monotonic() - closing < 1


def test_slow_drip_never_times_a_read_out() -> None:
    with (
        FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW) as server,
        client_of(server) as client,
    ):
        server.fault("openrouter-models", "slow-drip")
        with client.stream("GET", MODELS, timeout=1) as answer:
            start = time.monotonic()
            got = b""
            for piece in answer.iter_raw():
                got += piece
                if len(got) >= 10:
                    break
        assert time.monotonic() - start >= 9 * wire.DRIP_SECONDS
        assert int(answer.headers["Content-Length"]) > 10_000


def test_huge(server: FeedServer, client: httpx.Client) -> None:
    whole = client.get(MODELS_DEV).json()
    server.fault("models-dev", "huge")
    body = client.get(MODELS_DEV).content
    assert len(body) == wire.HUGE_BYTES
    assert json.loads(body) == whole


def test_gzip_bomb(server: FeedServer, client: httpx.Client) -> None:
    server.fault("models-dev", "gzip-bomb")
    with client.stream("GET", MODELS_DEV) as answer:
        assert int(answer.headers["Content-Length"]) < 1024 * 1024
        unpacked = 0
        for piece in answer.iter_bytes():
            unpacked += len(piece)
            if unpacked > 20 * 1024 * 1024:
                break
        else:
            pytest.fail("not much of a bomb")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_redirects(server: FeedServer, client: httpx.Client, host: str) -> None:
    server.fault("openrouter-apps", "redirect" if host == "127.0.0.1" else "redirect-other-host")
    answer = client.get(APPS, params={"limit": 1})
    assert answer.status_code == 302
    assert answer.next_request is not None
    assert answer.next_request.url.host == host
    followed = client.get(APPS, params={"limit": 1}, follow_redirects=True)
    # The key must stay behind when the host changes, and the Data API wants one.
    assert followed.status_code == (200 if host == "127.0.0.1" else 401)
    target = server.requests[-1]
    assert (target.path, target.query) == (f"/redirected{APPS}", {"limit": "1"})
    assert ("authorization" in target.headers) == (host == "127.0.0.1")


JSON_FEEDS = [feed for feed in FEEDS if "empty-list" in faults_for(feed)]


def rows_of(feed: str, payload: Any) -> list[dict[str, Any]]:
    """The mappings that hold the value of a feed, next to one another."""
    if feed == "openrouter-models":
        return [row["pricing"] for row in payload["data"]]
    if feed == "openrouter-endpoints":
        return [row["pricing"] for row in payload["data"]["endpoints"]]
    if feed == "models-dev":
        models = (model for provider in payload.values() for model in provider["models"].values())
        return [model["cost"] for model in models if "cost" in model]
    if feed == "alibaba-list":
        return [price for model in payload["items"] for price in model["prices"]]
    if feed == "litellm":
        rows = (row for key, row in payload.items() if key != "sample_spec")
        return [row for row in rows if "tiered_pricing" not in row]
    if feed == "openrouter-tasks":
        tasks: list[dict[str, Any]] = payload["data"]["classifications"]
        return tasks
    if feed == "huggingface":
        models_of_one: list[dict[str, Any]] = payload
        return models_of_one
    rows_key = "rows" if feed == "vercel-leaderboard" else "data"
    found: list[dict[str, Any]] = payload[rows_key]
    return found


VALUES = {
    "openrouter-rankings": ("total_tokens", "tokens"),
    "openrouter-apps": ("total_tokens", "tokens"),
    "openrouter-sessions": ("median_session_cost_usd", "median_usd"),
    "openrouter-tasks": ("usage_share", "share"),
    "openrouter-models": ("prompt", "input"),
    "openrouter-endpoints": ("prompt", "input"),
    "models-dev": ("input", "in"),
    "vercel-leaderboard": ("share_percent", "share"),
    "litellm": ("input_cost_per_token", "input_cost"),
    "alibaba-list": ("price", "cost"),
    "huggingface": ("downloads", "downloads30d"),
}


def test_all_json_feeds_are_tried() -> None:
    assert set(JSON_FEEDS) == set(VALUES)


@pytest.mark.parametrize("feed", JSON_FEEDS)
def test_renamed_field(server: FeedServer, client: httpx.Client, feed: str) -> None:
    good = rows_of(feed, client.get(PATHS[feed]).json())
    server.fault(feed, "renamed-field")
    bad = rows_of(feed, client.get(PATHS[feed]).json())
    old, new = VALUES[feed]
    assert [row[new] for row in bad] == [row[old] for row in good]
    assert not any(old in row for row in bad)


@pytest.mark.parametrize("feed", JSON_FEEDS)
def test_other_type(server: FeedServer, client: httpx.Client, feed: str) -> None:
    key = VALUES[feed][0]
    good = rows_of(feed, client.get(PATHS[feed]).json())
    is_text = isinstance(good[0][key], str)
    fitting, other = "string-for-number", "number-for-string"
    if is_text:
        fitting, other = other, fitting
    with pytest.raises(ValueError, match="cannot be played"):
        server.fault(feed, other)
    server.fault(feed, fitting)
    bad = rows_of(feed, client.get(PATHS[feed]).json())
    assert all(isinstance(row[key], str) != is_text for row in bad)
    assert [float(row[key]) for row in bad] == [float(row[key]) for row in good]


@pytest.mark.parametrize("feed", JSON_FEEDS)
@pytest.mark.parametrize(("name", "factor"), [("negative-price", -1), ("absurd-price", 100_000)])
def test_one_bad_value(
    server: FeedServer, client: httpx.Client, feed: str, name: str, factor: int
) -> None:
    key = VALUES[feed][0]
    good = rows_of(feed, client.get(PATHS[feed]).json())
    server.fault(feed, name)
    bad = rows_of(feed, client.get(PATHS[feed]).json())
    assert isinstance(bad[0][key], str) == isinstance(good[0][key], str)
    assert Decimal(str(bad[0][key])) == Decimal(str(good[0][key])) * factor
    assert bad[1:] == good[1:]


@pytest.mark.parametrize("feed", JSON_FEEDS)
def test_empty_list_and_duplicate_rows(server: FeedServer, client: httpx.Client, feed: str) -> None:
    good = client.get(PATHS[feed])
    server.fault(feed, "empty-list", last=1)
    assert rows_of(feed, client.get(PATHS[feed]).json()) == []
    server.fault(feed, "duplicate-rows")
    twice = client.get(PATHS[feed])
    if feed in ("models-dev", "litellm"):
        # The same keys again: readers that keep the last one notice nothing.
        assert twice.json() == good.json()
        pairs = json.loads(twice.content, object_pairs_hook=list)
        assert len(pairs) == 2 * len(good.json())
    else:
        assert rows_of(feed, twice.json()) == rows_of(feed, good.json()) * 2


def test_a_changed_body_has_another_etag(server: FeedServer, client: httpx.Client) -> None:
    tag = client.get(MODELS).headers["ETag"]
    server.fault("openrouter-models", "absurd-price")
    assert client.get(MODELS, headers={"If-None-Match": tag}).status_code == 200


def test_faults_of_json_do_not_pass_silently_on_csv(
    server: FeedServer, client: httpx.Client
) -> None:
    server.fault("vercel-leaderboard", "absurd-price")
    assert client.get(VERCEL, params={"format": "csv"}).status_code == 501


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ("openrouter-models:503@1-2", Rule("openrouter-models", "503", 1, 2)),
        ("models-dev:reset@3", Rule("models-dev", "reset", 3, 3)),
        ("models-dev:hang", Rule("models-dev", "hang")),
        ("litellm:429-bare", Rule("litellm", "429-bare")),
        ("litellm:429@1;retry-after=7", Rule("litellm", "429", 1, 1, "7")),
    ],
)
def test_fault_specs(spec: str, rule: Rule) -> None:
    assert parse_spec(spec) == rule


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("models-dev", "is not FEED:FAULT"),
        ("models-dev:500@", "is not FEED:FAULT"),
        ("nothing:500", "unknown feed"),
        ("models-dev:600", "unknown fault"),
        ("models-dev:500@0", "no such requests"),
        ("models-dev:500@3-2", "no such requests"),
        ("ecb-fx:empty-list", "cannot be played"),
    ],
)
def test_bad_fault_specs(spec: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_spec(spec)


def test_every_fault_does_exactly_one_thing() -> None:
    for fault in FAULTS.values():
        assert sum(part is not None for part in (fault.instead, fault.body, fault.send)) == 1
