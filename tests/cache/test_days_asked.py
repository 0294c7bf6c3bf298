"""Days of the past asked for by name: those and no others, whatever the schedule says."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.feeds.openrouter_rankings import days as days_of_rankings
from qwenwatch_cache.feeds.vercel_leaderboard import days as days_of_vercel
from qwenwatch_cache.frames import FETCH_TABLE, USAGE_TABLE
from qwenwatch_cache.refresh import Wish, refresh
from qwenwatch_cache.store import Store
from tests.cache.long_ago import LongAgo
from tests.cache.polling import NO_BASELINE, RANKINGS, VERCEL, Watch, settings_of, without_waits
from tests.cache.test_backfill import spans
from tests.feedserver import FeedServer

NOVEMBER = datetime(2026, 11, 20, 9, tzinfo=UTC)
WEEK = (date(2026, 2, 16), date(2026, 2, 22))
SOME_DAY = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with without_waits(monkeypatch):
        yield


@pytest.fixture
def watch() -> Watch:
    return Watch(NOVEMBER)


@pytest.fixture
def server(watch: Watch) -> Iterator[FeedServer]:
    with FeedServer(LongAgo(NOVEMBER.date()), now=lambda: watch.now) as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", bundled=NO_BASELINE)


def each_day(path: str, names: tuple[str, str]) -> list[date]:
    query = dict(part.split("=") for part in path.partition("?")[2].split("&"))
    first, last = (date.fromisoformat(query[name]) for name in names)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


@given(SOME_DAY, SOME_DAY)
def test_rankings_are_asked_for_each_day_once_and_a_year_at_most(one: date, other: date) -> None:
    first, last = sorted((one, other))
    asked = [
        each_day(each.path, ("start_date", "end_date")) for each in days_of_rankings(first, last)
    ]
    assert all(len(days) <= 366 for days in asked)
    begin = max(first, date(2025, 1, 1))
    wanted = [begin + timedelta(days=number) for number in range((last - begin).days + 1)]
    assert [day for days in asked for day in days] == wanted


@given(SOME_DAY, SOME_DAY)
def test_vercel_is_asked_within_months_for_both_data_sets(one: date, other: date) -> None:
    first, last = sorted((one, other))
    begin = max(first, date(2025, 10, 1))
    wanted = [begin + timedelta(days=number) for number in range((last - begin).days + 1)]
    requests = days_of_vercel(first, last)
    for dataset in ("models", "labs"):
        asked = [
            each_day(each.path, ("from", "to")) for each in requests if f"={dataset}&" in each.path
        ]
        assert all(len({(day.year, day.month) for day in days}) == 1 for days in asked)
        assert [day for days in asked for day in days] == wanted


def test_only_feeds_by_day_can_be_asked() -> None:
    assert {name for name, feed in FEEDS.items() if feed.days} == {RANKINGS, VERCEL}


async def test_a_week_is_one_request_and_nothing_else(
    server: FeedServer, store: Store, watch: Watch
) -> None:
    wish = Wish(days=WEEK)
    [outcome] = await refresh(store, settings_of(server, RANKINGS), watch, wish)
    assert outcome.state == "stored"
    assert spans(server, RANKINGS) == [("2026-02-16", "2026-02-22")]
    days = store.cached(USAGE_TABLE)["period"].unique().sort()
    assert (days[0], days[-1], len(days)) == (*WEEK, 7)
    assert store.cached(FETCH_TABLE)["role"].to_list() == ["backfill"]


async def test_the_next_round_is_made_as_if_nobody_had_asked(
    server: FeedServer, store: Store, watch: Watch
) -> None:
    await refresh(store, settings_of(server, RANKINGS), watch, Wish(days=WEEK))
    [outcome] = await refresh(store, settings_of(server, RANKINGS), watch)
    assert outcome.state == "stored"
    assert spans(server, RANKINGS)[1][1] == "2026-11-19"
