"""Budgets that nothing gets around, and wishes to be left alone that bind everyone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.feeds.feed import Request
from qwenwatch_cache.frames import FETCH_TABLE
from qwenwatch_cache.health import feed_states
from qwenwatch_cache.http import ATTEMPTS
from qwenwatch_cache.refresh import Wish, ask_about, refresh
from qwenwatch_cache.store import Store
from tests.cache.played import Player, log_of, parse, requests_for, settings_for
from tests.cache.polling import (
    MODELS,
    NO_BASELINE,
    Watch,
    settings_of,
)
from tests.feedserver import FeedServer

FORCE = Wish(force=True)
TEN = tuple(f"/{number}" for number in range(10))


pytestmark = pytest.mark.usefixtures("no_waits")


class TestBudget:
    async def test_what_it_does_not_allow_is_left_and_told(
        self, player: Player, root: Path, store: Store, watch: Watch
    ) -> None:
        feed = settings_for(requests_for(*TEN), budget=4)
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "stored"
        assert outcome.message == "6 requests are left: today's budget is used up"
        assert player.paths == list(TEN[:4])
        watch.on(hours=2)
        for again in (store, Store(root, bundled=NO_BASELINE)):
            for wish in (Wish(), FORCE):
                [outcome] = await refresh(again, [feed], watch, wish)
                assert outcome.state == "not due"
                assert outcome.message == "today's 4 requests are used up"
                assert outcome.due == datetime(2026, 8, 18, tzinfo=UTC)
        assert len(player.asked) == 4
        [health] = feed_states(store.cached(FETCH_TABLE), [feed], watch.now)
        assert (health.left_today, health.due) == (0, outcome.due)

    async def test_the_next_day_has_its_own(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        feed = settings_for(requests_for(*TEN), budget=4)
        await refresh(store, [feed], watch)
        watch.now = datetime(2026, 8, 17, 23, 59, 50, tzinfo=UTC)
        [outcome] = await refresh(store, [feed], watch, FORCE)
        assert outcome.state == "not due"
        watch.now = datetime(2026, 8, 18, tzinfo=UTC)
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "unchanged"
        assert len(player.asked) == 8

    async def test_a_clock_set_back_brings_none(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        feed = settings_for(requests_for(*TEN), budget=4)
        await refresh(store, [feed], watch)
        watch.on(hours=-6)
        [outcome] = await refresh(store, [feed], watch, FORCE)
        assert outcome.state == "not due"
        assert len(player.asked) == 4

    async def test_retries_count(
        self, player: Player, root: Path, store: Store, watch: Watch
    ) -> None:
        player.answers["/"] = 503
        feed = settings_for(requests_for("/"), budget=ATTEMPTS + 1)
        await refresh(store, [feed], watch)
        assert len(player.asked) == ATTEMPTS
        watch.on(minutes=5)
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "failed"
        assert len(player.asked) == len(log_of(root)) == ATTEMPTS + 1
        watch.on(minutes=5)
        [outcome] = await refresh(store, [feed], watch, FORCE)
        assert outcome.state == "not due"

    async def test_failures_of_a_round_count(
        self, player: Player, root: Path, store: Store, watch: Watch
    ) -> None:
        player.answers.update({path: 404 for path in TEN if path not in ("/0", "/3")})
        await refresh(store, [settings_for(requests_for(*TEN), budget=5)], watch)
        assert player.paths == list(TEN[:5])
        assert len(log_of(root)) == 5

    async def test_pages_count(
        self, monkeypatch: pytest.MonkeyPatch, root: Path, store: Store, watch: Watch
    ) -> None:
        def endless(request: httpx.Request) -> httpx.Response:
            page = int(request.url.params.get("page", "1"))
            link = f'<https://feed.test/list?page={page + 1}>; rel="next"'
            return httpx.Response(200, json=[page], headers={"Link": link})

        player = Player(monkeypatch, endless)
        feed = settings_for([Request("/list", parse, paged=True)], budget=3)
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "failed"
        assert "budget" in outcome.message
        assert player.paths == ["/list", "/list?page=2", "/list?page=3"]
        assert len(log_of(root)) == 3
        watch.on(hours=2)
        [outcome] = await refresh(store, [feed], watch, FORCE)
        assert outcome.message == "today's 3 requests are used up"
        assert len(player.asked) == 3

    async def test_that_of_a_feed_on_demand_is_for_all_models(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        feed = settings_for((), budget=3, on_demand=lambda model: Request(f"/{model}", parse))
        outcomes = [await ask_about(store, feed, model, watch) for model in "aabcd"]
        states = [one.state for one in outcomes]
        assert states == ["stored", "not due", "stored", "stored", "not due"]
        assert "used up" in outcomes[-1].message
        assert player.paths == ["/a", "/b", "/c"]


class TestTooManyRequests:
    async def test_it_binds_from_the_attempt_that_was_told_so(
        self, monkeypatch: pytest.MonkeyPatch, store: Store, watch: Watch
    ) -> None:
        told: list[datetime] = []

        def busy(request: httpx.Request) -> httpx.Response:
            told.append(watch.now)
            watch.on(seconds=15)  # as long as the first answer asks to wait
            wait = "15" if len(told) == 1 else "3600"
            return httpx.Response(429, headers={"Retry-After": wait})

        Player(monkeypatch, busy)
        feed = settings_for(requests_for(*TEN))
        [outcome] = await refresh(store, [feed], watch)
        assert len(told) == 2
        assert outcome.due is not None
        assert outcome.due >= told[1] + timedelta(hours=1)

    async def test_also_for_who_asks_by_force_or_for_the_past(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        player.answers["/0"] = httpx.Response(429, headers={"Retry-After": "10800"})
        feed = settings_for(requests_for(*TEN), past=requests_for("/past"))
        [failed] = await refresh(store, [feed], watch)
        assert failed.due is not None
        watch.now = failed.due - timedelta(seconds=10)
        for wish in (Wish(), FORCE, Wish(backfill=True)):
            [outcome] = await refresh(store, [feed], watch, wish)
            assert (outcome.state, outcome.due) == ("not due", failed.due)
        assert len(player.asked) == 1
        watch.now = failed.due
        player.answers.clear()
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "stored"

    async def test_it_binds_all_feeds_that_share_a_limit(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        keyed = tuple(name for name, feed in FEEDS.items() if feed.key_env)
        server.fault(keyed[0], "429", retry_after=7200)
        feeds = settings_of(server, *keyed, MODELS)
        failed, *kin, other = await refresh(store, feeds, watch)
        assert (failed.state, other.state) == ("failed", "stored")
        assert [(one.state, one.due) for one in kin] == [("not due", failed.due)] * 3
        states = feed_states(store.cached(FETCH_TABLE), feeds[1:4], watch.now)
        assert [one.due for one in states] == [failed.due] * 3
        assert len(server.requests) == 2

    async def test_it_binds_a_feed_on_demand_whole(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        player.answers["/a"] = httpx.Response(429, headers={"Retry-After": "10800"})
        feed = settings_for((), on_demand=lambda model: Request(f"/{model}", parse))
        failed = await ask_about(store, feed, "a", watch)
        other = await ask_about(store, feed, "b", watch)
        assert (failed.state, other.state) == ("failed", "not due")
        assert other.due == failed.due
        assert player.paths == ["/a"]


class TestBackOff:
    async def test_after_a_model_that_fails_says_nothing_of_the_next_one(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        feed = settings_for((), on_demand=lambda model: Request(f"/{model}", parse))
        for model in "abc":
            player.answers[f"/{model}"] = httpx.Response(404)
            failed = await ask_about(store, feed, model, watch)
            assert failed.state == "failed"
            assert failed.due is not None
            assert failed.due - watch.now <= timedelta(minutes=1)
