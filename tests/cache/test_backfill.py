"""The whole reachable past: few requests, within budgets, gone on with after a break."""

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.frames import FETCH_TABLE, FX_TABLE, USAGE_TABLE
from qwenwatch_cache.refresh import Wish, refresh
from qwenwatch_cache.store import Store
from tests.cache.long_ago import LongAgo
from tests.cache.played import Player, requests_for, settings_for
from tests.cache.polling import (
    MODELS,
    NO_BASELINE,
    RANKINGS,
    VERCEL,
    Watch,
    settings_of,
    without_waits,
)
from tests.feedserver import FeedServer, FixtureBodies

PAST = Wish(backfill=True)
FX = "ecb-fx"
NOVEMBER = datetime(2026, 11, 20, 9, tzinfo=UTC)
DATASETS = ("models", "labs")
MONTHS = [date(year, month, 1) for year in (2025, 2026) for month in range(1, 13)]


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


def spans(server: FeedServer, feed: str) -> list[tuple[str, ...]]:
    """What was asked of a feed, as data set, first and last day."""
    names = ("dataset", "from", "to", "start_date", "end_date")
    return [
        tuple(one.query[name] for name in names if name in one.query)
        for one in server.requests
        if one.feed == feed
    ]


def months_of_vercel() -> list[tuple[str, ...]]:
    """Worked out by hand: 2026-11 back to 2025-10, each whole but the running one."""
    ends = {1: 31, 2: 28, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
    found: list[tuple[str, ...]] = []
    for first in reversed(MONTHS):
        if date(2025, 10, 1) <= first <= date(2026, 11, 1):
            last = first.replace(day=ends[first.month])
            last = date(2026, 11, 19) if first == date(2026, 11, 1) else last
            found += [(dataset, str(first), str(last)) for dataset in DATASETS]
    return found


class TestWhatIsAsked:
    async def test_rankings_in_two_requests(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        [outcome] = await refresh(store, settings_of(server, RANKINGS), watch, PAST)
        assert outcome.state == "stored"
        assert spans(server, RANKINGS) == [
            ("2026-01-01", "2026-11-19"),
            ("2025-01-01", "2025-12-31"),
        ]
        days = store.cached(USAGE_TABLE)["period"].unique().sort()
        assert (days[0], days[-1], len(days)) == (date(2025, 1, 1), date(2026, 11, 19), 365 + 323)

    async def test_vercel_a_month_at_a_time(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        [outcome] = await refresh(store, settings_of(server, VERCEL), watch, PAST)
        assert outcome.state == "stored"
        assert spans(server, VERCEL) == months_of_vercel()
        assert len(spans(server, VERCEL)) == 28
        usage = store.cached(USAGE_TABLE)
        for kind in ("model", "lab"):
            days = usage.filter(kind=kind)["period"].unique()
            assert (days.min(), days.len()) == (date(2025, 10, 1), 92 + 323)

    async def test_rates_in_one_request(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        [outcome] = await refresh(store, settings_of(server, FX), watch, PAST)
        assert outcome.state == "stored"
        [request] = server.requests
        assert request.path.endswith("eurofxref-hist.zip")
        held = FixtureBodies().fx_history()
        assert held is not None
        days = [line[:10] for line in held.split()[1:] if line[:10] >= "2023-01-01"]
        assert store.cached(FX_TABLE)["date"].n_unique() == len(days)

    async def test_a_feed_without_a_past_is_not_asked(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        [outcome] = await refresh(store, settings_of(server, MODELS), watch, PAST)
        assert (outcome.state, outcome.rows) == ("unchanged", 0)
        assert outcome.message == "it has no past to ask for"
        assert server.requests == []

    def test_no_request_of_a_past_is_longer_than_allowed(self) -> None:
        backfill = FEEDS[RANKINGS].backfill
        assert backfill is not None
        for year in range(2025, 2040):
            for request in backfill(datetime(year, 12, 31, 23, tzinfo=UTC)):
                first, last = (part.split("=")[1] for part in request.path.split("?")[1].split("&"))
                assert 0 <= (date.fromisoformat(last) - date.fromisoformat(first)).days < 366


class TestOnceIsEnough:
    async def test_a_second_time_asks_nothing(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        feeds = settings_of(server, RANKINGS, VERCEL, FX)
        await refresh(store, feeds, watch, PAST)
        asked = len(server.requests)
        outcomes = await refresh(Store(store.root, bundled=NO_BASELINE), feeds, watch, PAST)
        assert [(one.state, one.message) for one in outcomes] == [
            ("unchanged", "its whole past is there")
        ] * 3
        assert len(server.requests) == asked

    async def test_the_next_day_only_what_has_grown(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        feeds = settings_of(server, RANKINGS, VERCEL, FX)
        await refresh(store, feeds, watch, PAST)
        asked = len(server.requests)
        watch.on(days=1)
        server.bodies = LongAgo(watch.now.date())
        await refresh(store, feeds, watch, PAST)
        again = [one for one in server.requests[asked:] if one.feed == VERCEL]
        assert [one.query["from"] for one in again] == ["2026-11-01"] * 2
        assert spans(server, RANKINGS)[2:] == [("2026-01-01", "2026-11-20")]
        assert len(server.requests) == asked + 3

    async def test_a_common_round_after_it_goes_on_from_there(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        feeds = settings_of(server, VERCEL, FX)
        await refresh(store, feeds, watch, PAST)
        asked = len(server.requests)
        watch.on(days=1, hours=3)
        server.bodies = LongAgo(watch.now.date())
        outcomes = await refresh(store, feeds, watch)
        assert [one.state for one in outcomes] == ["stored", "unchanged"]
        assert len(server.requests) == asked + 3  # this month of both data sets, today's rates


class TestBreaks:
    async def test_a_fault_in_the_middle(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        server.fault(VERCEL, "503", first=11)
        feeds = settings_of(server, VERCEL)
        [outcome] = await refresh(store, feeds, watch, PAST)
        assert outcome.state == "failed"
        server.clear_faults()
        watch.on(minutes=1)
        asked = len(server.requests)
        [outcome] = await refresh(store, feeds, watch, PAST)
        assert outcome.state == "stored"
        # What failed comes last, so that it holds up nothing.
        assert sorted(spans(server, VERCEL)[asked:]) == sorted(months_of_vercel()[10:])
        assert len(server.requests) <= FEEDS[VERCEL].budget

    async def test_one_month_that_fails_costs_only_itself(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        server.fault(VERCEL, "html", first=11, last=11)
        feeds = settings_of(server, VERCEL)
        [outcome] = await refresh(store, feeds, watch, PAST)
        assert outcome.state == "failed"
        assert spans(server, VERCEL) == months_of_vercel()
        [outcome] = await refresh(store, feeds, watch, PAST)
        assert outcome.state == "stored"
        assert spans(server, VERCEL)[28:] == [months_of_vercel()[10]]

    async def test_a_budget_spreads_it_over_days(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        [vercel] = settings_of(server, VERCEL)
        tight = replace(vercel, feed=replace(vercel.feed, budget=12))
        counted = []
        for _ in range(3):
            [outcome] = await refresh(store, [tight], watch, PAST)
            before = len(server.requests)
            await refresh(store, [tight], watch, PAST)
            assert len(server.requests) == before
            counted.append((len(server.requests), outcome.message))
            watch.on(days=1)
        # The running month has grown by a day each time, so both of its data sets come again.
        assert [number for number, _ in counted] == [12, 24, 28 + 2 + 2]
        assert [text.partition(":")[0] for _, text in counted] == [
            "16 requests are left",
            "6 requests are left",
            "",
        ]
        firsts = {(dataset, first) for dataset, first, _ in spans(server, VERCEL)}
        assert firsts == {(dataset, first) for dataset, first, _ in months_of_vercel()}

    async def test_who_said_how_long_to_wait_is_left_alone(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        server.fault(RANKINGS, "429", first=2, last=2, retry_after=7200)
        feeds = settings_of(server, RANKINGS)
        [failed] = await refresh(store, feeds, watch, PAST)
        [waiting] = await refresh(store, feeds, watch, PAST)
        assert (failed.state, waiting.state, len(server.requests)) == ("failed", "not due", 2)
        watch.on(hours=2, minutes=1)
        [outcome] = await refresh(store, feeds, watch, PAST)
        assert (outcome.state, spans(server, RANKINGS)[2:]) == (
            "stored",
            [("2025-01-01", "2025-12-31")],
        )

    async def test_two_at_once_ask_once(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        feeds = settings_of(server, RANKINGS, VERCEL)
        other = Store(store.root, bundled=NO_BASELINE)
        await asyncio.gather(*(refresh(one, feeds, watch, PAST) for one in (store, other)))
        assert len(server.requests) == 2 + 28

    async def test_a_kill_in_the_middle(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        server.fault(VERCEL, "hang", first=9, last=9)
        other = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "qwenwatch",
            "refresh",
            "--backfill",
            "--feed",
            VERCEL,
            env={
                "HOME": str(store.root.parent),
                "QWENWATCH_CACHE_DIR": str(store.root),
                "QWENWATCH_FEEDS_URL": server.url,
                "QWENWATCH_NOW": NOVEMBER.isoformat(),
            },
        )
        for _ in range(300):
            if len(server.requests) == 9:
                break
            await asyncio.sleep(0.1)
        other.kill()
        await other.wait()
        assert len(server.requests) == 9
        watch.on(minutes=1)
        [outcome] = await refresh(store, settings_of(server, VERCEL), watch, PAST)
        assert outcome.state == "stored"
        # The ninth was on its way: nothing tells that it came, so it is asked for again.
        assert spans(server, VERCEL)[9:] == months_of_vercel()[8:]
        usage = store.cached(USAGE_TABLE)
        assert usage.filter(kind="lab")["period"].n_unique() == 92 + 323
        key = list(USAGE_TABLE.key)
        assert usage.filter(pl.struct(key).is_duplicated()).is_empty()


async def test_what_is_long_ago_counts_no_longer(
    monkeypatch: pytest.MonkeyPatch, store: Store, watch: Watch
) -> None:
    player = Player(monkeypatch)
    feed = settings_for((), past=requests_for("/2025", "/2026"))
    await refresh(store, [feed], watch, PAST)
    watch.on(days=29)
    await refresh(store, [feed], watch, PAST)
    assert player.paths == ["/2025", "/2026"]
    watch.on(days=2)
    await refresh(store, [feed], watch, PAST)
    assert player.paths == ["/2025", "/2026"] * 2
    assert store.cached(FETCH_TABLE).height == 4
