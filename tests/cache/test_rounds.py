"""A round goes on after a failure, knows when to stop, and is finished by the next one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.failures import HOPELESS
from qwenwatch_cache.feeds.feed import Parsed, Request
from qwenwatch_cache.frames import FETCH_TABLE, USAGE_TABLE
from qwenwatch_cache.health import feed_states
from qwenwatch_cache.http import ATTEMPTS
from qwenwatch_cache.outcome import Outcome
from qwenwatch_cache.refresh import Wish, refresh
from qwenwatch_cache.store import Store
from tests.cache.played import Player, log_of, parse, requests_for, settings_for
from tests.cache.polling import (
    Watch,
    settings_of,
)
from tests.feedserver import FeedServer

TEN = tuple(f"/{number}" for number in range(10))


pytestmark = pytest.mark.usefixtures("no_waits")


class TestRounds:
    async def test_a_round_goes_on_after_a_failure(
        self, player: Player, root: Path, store: Store, watch: Watch
    ) -> None:
        player.answers.update({"/3": 404, "/6": b"bad"})
        feed = settings_for(requests_for(*TEN, parser=picky))
        [outcome] = await refresh(store, [feed], watch)
        assert player.paths == list(TEN)
        assert (outcome.state, outcome.rows_new) == ("failed", 8)
        assert outcome.message == "bad is bad (and 1 more of 10 requests failed)"
        assert store.cached(USAGE_TABLE)["entity"].to_list() == [
            path for path in TEN if path not in ("/3", "/6")
        ]
        # The log ends with how the round ended, and so health knows.
        *_, before, last = log_of(root)
        assert [str(before["url"])[-2:], str(last["url"])[-2:]] == ["/3", "/6"]
        assert (last["error"], last["retry_at"]) == (outcome.message, outcome.due)
        [health] = feed_states(store.cached(FETCH_TABLE), [feed], watch.now)
        assert (health.state, health.error, health.due) == ("failing", outcome.message, outcome.due)

    async def test_the_next_one_asks_only_for_what_failed(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        player.answers.update({"/3": 404, "/6": 404})
        feed = settings_for(requests_for(*TEN))
        await refresh(store, [feed], watch)
        player.answers.clear()
        watch.on(minutes=2)
        [outcome] = await refresh(store, [feed], watch)
        assert player.paths[10:] == ["/3", "/6"]
        assert (outcome.state, outcome.rows_new) == ("stored", 2)
        # And the one after that asks for all again.
        watch.on(hours=2)
        await refresh(store, [feed], watch)
        assert player.paths[12:] == list(TEN)

    async def test_it_gives_up_where_nothing_succeeds(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        player.answers.update(dict.fromkeys(TEN, 404))
        [outcome] = await refresh(store, [settings_for(requests_for(*TEN))], watch)
        assert player.paths == list(TEN[:HOPELESS])
        assert "and 2 more of 3 requests failed" in outcome.message

    async def test_the_wait_doubles_also_after_long_rounds(
        self, monkeypatch: pytest.MonkeyPatch, store: Store, watch: Watch
    ) -> None:
        def slow(request: httpx.Request) -> httpx.Response:
            watch.on(seconds=20)
            return httpx.Response(200 if request.url.path == "/1" else 404, content=b"1")

        Player(monkeypatch, slow)
        feed, waits = settings_for(requests_for("/0", "/1", "/2", "/3")), []
        for _ in range(5):
            [outcome] = await refresh(store, [feed], watch)
            assert outcome.due is not None
            started = log_of(store.root)[-1]["started"]
            assert isinstance(started, datetime)
            waits.append((outcome.due - started) / timedelta(minutes=1))
            watch.now = outcome.due
        assert waits == [1, 2, 4, 8, 16]

    @pytest.mark.parametrize("status", [500, 503])
    async def test_a_fault_of_the_server_may_be_of_one_address(
        self, player: Player, store: Store, watch: Watch, status: int
    ) -> None:
        player.answers["/2"] = httpx.Response(status)
        [outcome] = await refresh(store, [settings_for(requests_for(*TEN))], watch)
        assert list(dict.fromkeys(player.paths)) == list(TEN)
        assert (outcome.state, outcome.rows_new) == ("failed", 9)
        # At the next round it comes last, so that it starves nobody.
        player.answers["/9"] = httpx.Response(status)
        watch.on(hours=2)
        await refresh(store, [settings_for(requests_for(*TEN))], watch)
        assert player.paths[-ATTEMPTS:] == ["/2"] * ATTEMPTS

    @pytest.mark.parametrize("status", [500, 503])
    async def test_three_in_a_row_end_the_round(
        self, player: Player, store: Store, watch: Watch, status: int
    ) -> None:
        player.answers.update(dict.fromkeys(TEN[2:], httpx.Response(status)))
        await refresh(store, [settings_for(requests_for(*TEN))], watch)
        assert list(dict.fromkeys(player.paths)) == list(TEN[: 2 + HOPELESS])

    async def test_one_that_was_broken_off_goes_on(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        feed = settings_for(requests_for(*TEN), budget=4)
        await refresh(store, [feed], watch)
        more = settings_for(requests_for(*TEN))
        [health] = feed_states(store.cached(FETCH_TABLE), [more], watch.now)
        assert health.due is not None
        assert health.due - watch.now < timedelta(minutes=2)
        watch.on(minutes=2)
        [outcome] = await refresh(store, [more], watch)
        assert player.paths == list(TEN)
        assert outcome.state == "stored"
        watch.on(minutes=2)
        [rests] = await refresh(store, [more], watch)
        assert rests.state == "not due"

    async def test_a_backfill_that_fails_leaves_the_schedule_alone(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        feed = settings_for(requests_for("/now"), past=requests_for("/then"))
        [before] = await refresh(store, [feed], watch)
        player.answers["/then"] = 404
        [failed] = await refresh(store, [feed], watch, Wish(backfill=True))
        assert failed.state == "failed"
        [health] = feed_states(store.cached(FETCH_TABLE), [feed], watch.now)
        assert (health.state, health.error, health.due) == ("ok", "", before.due)

    async def test_without_a_network_no_budget_is_spent(
        self, monkeypatch: pytest.MonkeyPatch, store: Store, watch: Watch
    ) -> None:
        def nobody(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("no network")

        Player(monkeypatch, nobody)
        feed = settings_for(requests_for("/0"), budget=5)
        for _ in range(4):
            [outcome] = await refresh(store, [feed], watch, Wish(force=True))
            assert "no connection" in outcome.message
        assert store.cached(FETCH_TABLE).height == 4 * ATTEMPTS
        [health] = feed_states(store.cached(FETCH_TABLE), [feed], watch.now)
        assert health.left_today == 5

    @pytest.mark.parametrize("status", [401, 403, 429])
    async def test_it_ends_at_once_where_all_would_fail(
        self, player: Player, store: Store, watch: Watch, status: int
    ) -> None:
        player.answers["/2"] = httpx.Response(status, headers={"Retry-After": "3600"})
        [outcome] = await refresh(store, [settings_for(requests_for(*TEN))], watch)
        assert player.paths == ["/0", "/1", "/2"]
        assert str(status) in outcome.message

    async def test_also_without_a_connection(
        self, monkeypatch: pytest.MonkeyPatch, store: Store, watch: Watch
    ) -> None:
        def nobody(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused")

        player = Player(monkeypatch, nobody)
        [outcome] = await refresh(store, [settings_for(requests_for(*TEN))], watch)
        assert player.paths == ["/0"] * ATTEMPTS
        assert "no connection" in outcome.message

    async def test_progress_is_told(self, player: Player, store: Store, watch: Watch) -> None:
        told: list[tuple[str, int, int]] = []
        feed = settings_for(requests_for("/0", "/1", parser=leading))
        await refresh(store, [feed], watch, progress=lambda *now: told.append(now))
        assert told == [("f", 0, 2), ("f", 1, 3), ("f", 2, 4), ("f", 3, 4), ("f", 4, 4)]


class TestFollowUps:
    async def test_they_are_asked_in_the_same_round(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        [outcome] = await refresh(store, [settings_for([index()])], watch)
        assert player.paths == ["/index", "/a", "/b", "/c"]
        assert (outcome.state, outcome.rows) == ("stored", 6)

    async def test_one_that_failed_is_asked_again_without_the_others(
        self, player: Player, store: Store, watch: Watch
    ) -> None:
        player.answers["/b"] = 404
        feed = settings_for([index()])
        [outcome] = await refresh(store, [feed], watch)
        assert (outcome.state, player.paths) == ("failed", ["/index", "/a", "/b", "/c"])
        player.answers.clear()
        watch.on(minutes=2)
        [outcome] = await refresh(store, [feed], watch)
        # Only the index leads to it.
        assert (outcome.state, player.paths[4:]) == ("stored", ["/index", "/b"])
        [health] = feed_states(store.cached(FETCH_TABLE), [feed], watch.now)
        assert health.state == "ok"

    async def test_of_the_real_feeds(self, server: FeedServer, store: Store, watch: Watch) -> None:
        names = ("alibaba-list", "openrouter-sessions")
        outcomes = await refresh(store, settings_of(server, *names), watch)
        assert states(outcomes) == ["stored", "stored"]
        index, *groups = [one.path for one in server.requests if one.feed == names[0]]
        assert index.endswith("/index.json")
        # The fixture's index names five families; three are Alibaba's own.
        assert len(groups) == len(set(groups)) == 3
        assert all("/groups/" in one for one in groups)


def states(outcomes: Sequence[Outcome]) -> list[str]:
    return [one.state for one in outcomes]


def picky(body: bytes, fetched_at: datetime) -> Parsed:
    if body == b"bad":
        raise FeedError("f: bad is bad")
    return parse(body, fetched_at)


def leading(body: bytes, fetched_at: datetime) -> Parsed:
    """Each of the first requests leads to one more."""
    parsed = parse(body, fetched_at)
    return Parsed(parsed.frames, 1, whole=frozenset(), follow=requests_for(f"{body.decode()}/on"))


def index() -> Request:
    def parse_index(body: bytes, fetched_at: datetime) -> Parsed:
        return Parsed({}, 3, whole=frozenset(), follow=requests_for("/a", "/b", "/c"))

    return Request("/index", parse_index, conditional=False)
