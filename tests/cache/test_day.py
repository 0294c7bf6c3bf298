"""A day of polling, simulated: floors and budgets hold, with two programs on one cache."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace

from qwenwatch_cache.feeds import FEEDS, huggingface
from qwenwatch_cache.frames import FETCH_TABLE
from qwenwatch_cache.refresh import refresh
from qwenwatch_cache.store import Store
from qwenwatch_cache.vendors import load_vendors
from tests.cache.day import BEGIN, BETWEEN, Day, live_through, table_of
from tests.cache.polling import (
    KEY,
    MODELS,
    MODELS_DEV,
    NO_BASELINE,
    RANKINGS,
    VERCEL,
    Watch,
    settings_of,
    without_waits,
)
from tests.feedserver import FeedServer, FixtureBodies

POLLED = tuple(name for name, feed in FEEDS.items() if feed.on_demand is None)
HUGGING_FACE = "huggingface"
BY_FORCE = {100: 0, 187: 1}
"""Looks at which one of the two programs asks by force: 8:20 and 15:35."""


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with without_waits(monkeypatch):
        yield


@pytest.fixture
def watch() -> Watch:
    return Watch(BEGIN, step=0.05)


@pytest.fixture
def server(watch: Watch) -> Iterator[FeedServer]:
    with FeedServer(FixtureBodies(), now=lambda: watch.now) as server:
        yield server


def assert_polite(day: Day, feed: str) -> None:
    """Floors, budget, and nothing asked twice in a round."""
    assert 0 < day.requests(feed) <= FEEDS[feed].budget
    assert len(day.rounds[feed]) <= day.most_rounds(feed)
    for look, gap in day.gaps(feed):
        assert gap >= FEEDS[feed].floor or look in day.forced, (look, gap)
    for asked in day.rounds[feed].values():
        whole = [(one.path, *sorted(one.query.items())) for one in asked]
        assert len(set(whole)) == len(whole)


def assert_logged(day: Day, root: Path) -> None:
    """What came to the server is what the log says, feed by feed."""
    log = Store(root, bundled=NO_BASELINE).cached(FETCH_TABLE)
    counted = dict(log.group_by("feed").len().iter_rows())
    assert counted == {feed: day.requests(feed) for feed in day.rounds}


async def test_two_programs_share_one_schedule(
    server: FeedServer, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [vendor for vendor in load_vendors() if vendor.id in ("alibaba", "deepseek", "meta")]
    monkeypatch.setattr(huggingface, "load_vendors", lambda: few)
    root = tmp_path / "cache"

    def a_third_program(look: int) -> None:
        if look != 120:
            return
        # A process of its own, at the same moment: everything was just asked.
        asked = len(server.requests)
        done = subprocess.run(
            [sys.executable, "-m", "qwenwatch", "refresh"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "QWENWATCH_CACHE_DIR": str(root),
                "QWENWATCH_FEEDS_URL": server.url,
                "QWENWATCH_NOW": (BEGIN + look * BETWEEN).isoformat(),
                "OPENROUTER_API_KEY": KEY,
            },
            capture_output=True,
            encoding="utf-8",
            timeout=30,
            check=True,
        )
        lines = [line for line in done.stdout.splitlines() if "on demand" not in line]
        assert len(lines) == len(POLLED)
        assert all(": not due" in line for line in lines), done.stdout
        assert len(server.requests) == asked

    day = await live_through(
        server,
        watch,
        root,
        settings_of(server, *POLLED),
        forced=BY_FORCE,
        meanwhile=a_third_program,
    )
    sys.stdout.write(f"\n{table_of(day)}\n")
    assert sorted(day.rounds) == sorted(POLLED)
    for feed in POLLED:
        assert_polite(day, feed)
        # By force both times, and by neither of the programs twice.
        assert set(BY_FORCE) <= set(day.rounds[feed])
    # Due at 0:00 and then an hour and up to 10 % apart, looked for every five minutes.
    for feed in (RANKINGS, MODELS):
        assert 20 <= len(day.rounds[feed]) <= 26
        assert len(day.rounds[feed]) == day.requests(feed)
        assert max(gap for _, gap in day.gaps(feed)) <= timedelta(minutes=66) + BETWEEN
    assert_logged(day, root)


async def test_a_whole_round_over_hugging_face(
    server: FeedServer, watch: Watch, tmp_path: Path
) -> None:
    organisations = sum(len(one.aliases.get(HUGGING_FACE, ())) for one in load_vendors())
    day = await live_through(
        server, watch, tmp_path / "cache", settings_of(server, HUGGING_FACE), every=144
    )
    assert_polite(day, HUGGING_FACE)
    # One each, and two further pages of the five models of Qwen (two on a page).
    assert day.requests(HUGGING_FACE) == organisations + 2
    assert_logged(day, tmp_path / "cache")


async def test_a_feed_that_fails_all_day(server: FeedServer, watch: Watch, tmp_path: Path) -> None:
    server.fault(MODELS, "503")
    server.fault(VERCEL, "reset")
    server.fault(MODELS_DEV, "404")
    day = await live_through(
        server,
        watch,
        tmp_path / "cache",
        settings_of(server, MODELS, VERCEL, MODELS_DEV),
        forced=BY_FORCE,
    )
    for feed in (MODELS, VERCEL, MODELS_DEV):
        assert day.requests(feed) <= FEEDS[feed].budget
    # Waits of 1, 2, 4, 8, 16, 32, 60, 60 … minutes, and then up to the next look.
    waits = [round(gap / BETWEEN) for _, gap in day.gaps(MODELS)]
    assert waits[:8] == [1, 1, 1, 2, 4, 7, 13, 13]
    assert waits[8:].count(13) >= 8
    assert_logged(day, tmp_path / "cache")


async def test_a_budget_ends_a_day_of_failures(
    server: FeedServer, watch: Watch, tmp_path: Path
) -> None:
    server.fault(MODELS, "503")
    [models] = settings_of(server, MODELS)
    tight = replace(models, feed=replace(models.feed, budget=20))
    day = await live_through(server, watch, tmp_path / "cache", [tight], forced={200: 0, 250: 1})
    # Three attempts a round: the seventh round has two left.
    assert [len(one) for one in day.rounds[MODELS].values()] == [3, 3, 3, 3, 3, 3, 2]
    watch.now = BEGIN + timedelta(days=1)
    server.clear_faults()
    asked = len(server.requests)
    [outcome] = await refresh(Store(tmp_path / "cache", bundled=NO_BASELINE), [tight], watch)
    assert (outcome.state, len(server.requests) - asked) == ("stored", 1)


async def test_who_is_told_to_wait_waits(server: FeedServer, watch: Watch, tmp_path: Path) -> None:
    server.fault(RANKINGS, "429", retry_after=3 * 3600)
    day = await live_through(
        server,
        watch,
        tmp_path / "cache",
        settings_of(server, RANKINGS),
        forced={look: look % 2 for look in range(10, 288, 10)},
    )
    # Every three hours, also for who asks by force: 0:00, 3:00 (by a moment later), 6:05 …
    assert 7 <= day.requests(RANKINGS) <= 8
    assert all(gap >= timedelta(hours=3) for _, gap in day.gaps(RANKINGS))
    log: pl.DataFrame = Store(tmp_path / "cache", bundled=NO_BASELINE).cached(FETCH_TABLE)
    assert log["status"].unique().to_list() == [429]
