"""`qwenwatch check --fetch`: exactly the days that a claim lacks are asked for."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cache.long_ago import LongAgo
from tests.cache.test_backfill import spans
from tests.cli.conftest import Run, asking
from tests.feedserver import FIXTURE_NOW, FeedServer

CLAIM = """\
[[claim]]
id = "six-days"
says = "Qwen was first on OpenRouter from 6 to 11 January 2026"
source = { outlet = "Example Daily" }
measure = "rank"
vendor = "alibaba"
feed = "openrouter-rankings"
window = "2026-01-06..2026-01-11"
value = "1"
"""


@pytest.fixture
def past() -> Iterator[FeedServer]:
    """A feed that knows every day since 2025, Qwen first on each."""
    with FeedServer(LongAgo(FIXTURE_NOW.date()), now=lambda: FIXTURE_NOW) as server:
        yield server


@pytest.fixture
def claims(tmp_path: Path) -> str:
    path = tmp_path / "my.toml"
    path.write_text(CLAIM, encoding="utf-8")
    return str(path)


def verdict(text: str) -> str:
    [claim] = json.loads(text)["claims"]
    return str(claim["verdict"])


def test_the_days_are_asked_for_once_and_decide(run: Run, past: FeedServer, claims: str) -> None:
    ask = ("check", "--file", claims, "--format", "json")
    before = run(*ask, **asking(past))
    assert verdict(before.out) == "no public data"
    [missing] = json.loads(before.out)["missing"]
    assert (missing["first"], missing["last"], missing["fetchable"]) == (
        "2026-01-06",
        "2026-01-11",
        True,
    )
    assert spans(past, "openrouter-rankings") == []

    fetched = run(*ask, "--fetch", **asking(past))
    assert spans(past, "openrouter-rankings") == [("2026-01-06", "2026-01-11")]
    assert {one.feed for one in past.requests} == {"openrouter-rankings"}
    assert "openrouter-rankings" in fetched.err
    assert verdict(fetched.out) == "reproduced"

    again = run(*ask, "--fetch", **asking(past))
    assert len(past.requests) == 1
    assert "nothing is missing" in again.err
    assert again.out.count("reproduced") and verdict(again.out) == "reproduced"


def test_without_a_key_nobody_is_asked(run: Run, past: FeedServer, claims: str) -> None:
    ran = run("check", "--file", claims, "--fetch", **{**asking(past), "OPENROUTER_API_KEY": ""})
    assert past.requests == []
    assert "OPENROUTER_API_KEY" in ran.err
    assert "no public data" in ran.out


def test_offline_says_so(run: Run, past: FeedServer, claims: str) -> None:
    ran = run("check", "--file", claims, "--fetch", "--offline", **asking(past))
    assert past.requests == []
    assert "offline, so nothing is fetched" in ran.err
    assert ran.code == 0


def test_a_failing_feed_leaves_the_verdict_as_it_was(
    run: Run, past: FeedServer, claims: str
) -> None:
    past.fault("openrouter-rankings", "500")
    ran = run("check", "--file", claims, "--fetch", "--format", "json", **asking(past))
    assert verdict(ran.out) == "no public data"
    assert "500" in ran.err
    assert ran.code == 3


def test_the_past_is_not_asked_now(run: Run, past: FeedServer, claims: str) -> None:
    ran = run(
        "check", "--file", claims, "--fetch", "--known-at", "2026-08-01T00:00:00Z", **asking(past)
    )
    assert ran.code == 2
    assert "--known-at is about the past" in ran.err
    assert past.requests == []
