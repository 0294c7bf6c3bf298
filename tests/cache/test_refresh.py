"""Polite rounds over the feeds: what is asked when, what is kept, and that no fault costs data."""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace
from polars.testing import assert_frame_equal

from qwenwatch.narration import outcome_line
from qwenwatch_cache.errors import StoreError
from qwenwatch_cache.frames import FETCH_TABLE, PRICE_TABLE, TABLES, USAGE_TABLE
from qwenwatch_cache.health import feed_states
from qwenwatch_cache.http import ATTEMPTS
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.outcome import Outcome
from qwenwatch_cache.refresh import Wish, refresh
from qwenwatch_cache.schedule import FeedSettings
from qwenwatch_cache.store import Store, as_of
from tests.cache.polling import (
    BAD_KEY,
    KEY,
    MODELS,
    MODELS_DEV,
    NAMES,
    NO_BASELINE,
    RANKINGS,
    VERCEL,
    Watch,
    data_of,
    settings_of,
    without_waits,
)
from tests.cache.rows import files_of
from tests.feedserver import FeedServer, FixtureBodies


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with without_waits(monkeypatch):
        yield


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def server(watch: Watch) -> Iterator[FeedServer]:
    with FeedServer(FixtureBodies(), now=lambda: watch.now, bad_keys=[BAD_KEY]) as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", bundled=NO_BASELINE)


def assert_same(before: Mapping[str, pl.DataFrame], after: Mapping[str, pl.DataFrame]) -> None:
    for name, frame in before.items():
        assert_frame_equal(after[name], frame)


def last_request(store: Store, feed: str) -> dict[str, object]:
    return store.cached(FETCH_TABLE).filter(feed=feed).row(-1, named=True)


class TestRounds:
    async def test_the_first_round_fills_the_cache(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        told: list[Outcome] = []
        outcomes = await refresh(store, settings_of(server), watch, report=told.append)
        assert [(one.feed, one.state, one.message) for one in outcomes] == [
            (name, "stored", "") for name in NAMES
        ]
        assert sorted(told, key=lambda one: NAMES.index(one.feed)) == outcomes
        for outcome in outcomes:
            assert outcome.rows > 0
            own = sum(frame.filter(feed=outcome.feed).height for frame in data_of(store).values())
            assert outcome.rows_new == own > 0
            assert outcome.due is not None
            assert outcome.due > watch.now

    async def test_every_request_is_logged(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server), watch)
        log = store.cached(FETCH_TABLE).sort("started")
        assert log["feed"].to_list() == [request.feed for request in server.requests]
        assert set(log["status"]) == {200}
        assert log["error"].null_count() == log.height
        assert (log["bytes"] > 0).all()
        assert (log["etag"].str.len_chars() > 0).all()
        assert log["rows_new"].sum() == sum(frame.height for frame in data_of(store).values())

    async def test_bodies_are_kept_as_they_came(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server, MODELS), watch)
        [path] = (store.root / "bodies" / MODELS).iterdir()
        assert gzip.decompress(path.read_bytes()) == FixtureBodies().document(MODELS)

    async def test_a_second_round_asks_nothing(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server), watch)
        asked, before = len(server.requests), files_of(store.root)
        outcomes = await refresh(store, settings_of(server), watch)
        assert [one.state for one in outcomes] == ["not due"] * 4
        assert all(one.due is not None and one.due > watch.now for one in outcomes)
        assert len(server.requests) == asked
        assert files_of(store.root) == before

    async def test_each_feed_is_asked_when_it_is_due(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server), watch)
        for hours, due in [
            (0.9, ()),
            (0.2, (RANKINGS, MODELS)),
            (6, (RANKINGS, MODELS, MODELS_DEV)),
        ]:
            watch.on(hours=hours)
            outcomes = await refresh(store, settings_of(server), watch)
            assert tuple(one.feed for one in outcomes if one.state != "not due") == due

    async def test_what_is_unchanged_costs_no_body(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server, MODELS, MODELS_DEV), watch)
        before = data_of(store)
        watch.on(hours=7)
        outcomes = await refresh(store, settings_of(server, MODELS, MODELS_DEV), watch)
        assert [(one.state, one.rows_new) for one in outcomes] == [("unchanged", 0)] * 2
        log = store.cached(FETCH_TABLE).sort("started")
        assert log["status"].to_list() == [200, 200, 304, 304]
        assert_same(before, data_of(store))
        # And the tag is remembered over the answer without a body.
        watch.on(hours=7)
        await refresh(store, settings_of(server, MODELS), watch)
        assert last_request(store, MODELS)["status"] == 304

    async def test_force_stores_no_row_again(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server), watch)
        before, asked = data_of(store), len(server.requests)
        outcomes = await refresh(store, settings_of(server), watch, Wish(force=True))
        assert [(one.state, one.rows_new) for one in outcomes] == [("unchanged", 0)] * 4
        assert len(server.requests) > asked
        assert_same(before, data_of(store))

    async def test_a_gap_holds_force_back(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server, MODELS), watch)
        for minutes, states in [(1, ["not due"]), (5, ["unchanged"])]:
            watch.on(minutes=minutes)
            outcomes = await refresh(
                store,
                settings_of(server, MODELS),
                watch,
                Wish(force=True, gap=timedelta(minutes=5)),
            )
            assert [one.state for one in outcomes] == states

    async def test_a_feed_that_is_off_is_not_asked(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        off = [replace(one, enabled=False) for one in settings_of(server)]
        outcomes = await refresh(store, off, watch, Wish(force=True))
        assert [one.state for one in outcomes] == ["off"] * 4
        assert server.requests == []

    async def test_one_request_at_a_time_per_host(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server), watch)
        feeds = [request.feed for request in server.requests]
        assert feeds == sorted(feeds, key=NAMES.index)

    async def test_old_bodies_go(self, server: FeedServer, store: Store, watch: Watch) -> None:
        await refresh(store, settings_of(server, MODELS), watch)
        watch.on(days=15)
        await refresh(store, settings_of(server, MODELS), watch, Wish(body_days=14))
        assert list((store.root / "bodies" / MODELS).iterdir()) == []

    async def test_another_process_goes_on_where_the_first_ended(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server), watch)
        outcomes = await refresh(Store(store.root, bundled=NO_BASELINE), settings_of(server), watch)
        assert [one.state for one in outcomes] == ["not due"] * 4


class TestKeys:
    async def test_without_a_key_nothing_is_asked(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        [outcome] = await refresh(
            store, settings_of(server, RANKINGS, key=""), watch, Wish(force=True)
        )
        assert outcome.state == "no key"
        assert "OPENROUTER_API_KEY" in outcome.message
        assert server.requests == []
        assert store.cached(FETCH_TABLE).is_empty()

    async def test_a_bad_key_is_refused_once(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        [outcome] = await refresh(store, settings_of(server, RANKINGS, key=BAD_KEY), watch)
        assert outcome.state == "failed"
        assert "key" in outcome.message
        assert "401" in outcome.message
        assert len(server.requests) == 1
        assert last_request(store, RANKINGS)["status"] == 401

    async def test_only_the_feed_that_needs_it_gets_it(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        feeds = [replace(one, key=KEY) for one in settings_of(server)]
        await refresh(store, feeds, watch)
        told = {one.feed for one in server.requests if "authorization" in one.headers}
        assert told == {RANKINGS}
        assert not any(KEY in f"{one.path}{one.query}" for one in server.requests)

    @pytest.mark.parametrize("fault", ["", "401", "503", "html", "redirect-other-host", "reset"])
    async def test_it_is_written_nowhere(
        self, server: FeedServer, store: Store, watch: Watch, fault: str
    ) -> None:
        if fault:
            server.fault(RANKINGS, fault)
        feeds = [
            replace(one, key=KEY, base_url=server.url.replace("://", "://user:pass-word@"))
            if one.feed.name != RANKINGS
            else one
            for one in settings_of(server)
        ]
        outcomes = await refresh(store, feeds, watch)
        assert outcomes[0].state == ("failed" if fault else "stored")
        found = [repr(outcomes), *store.notices]
        for path, content in files_of(store.root).items():
            found.append(content.decode("latin-1"))
            if path.suffix == ".gz":
                found.append(gzip.decompress(content).decode("latin-1"))
            if path.suffix == ".parquet":
                found.append(str(pl.read_parquet(path).rows()))
        assert len(found) > 4
        for secret in (KEY, "pass-word"):
            assert [text for text in found if secret in text] == []

    async def test_a_password_in_the_address_is_not_in_a_failure(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        server.fault(MODELS, "503")
        [feed] = settings_of(server, MODELS)
        guarded = replace(feed, base_url=server.url.replace("://", "://user:pass-word@"))
        [outcome] = await refresh(store, [guarded], watch)
        assert outcome.state == "failed"
        assert "pass-word" not in repr(outcome)
        assert "pass-word" not in str(store.cached(FETCH_TABLE).rows())

    async def test_a_key_that_cannot_be_sent_stops_only_its_feed(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        outcomes = await refresh(store, settings_of(server, key="sk-ключ"), watch)
        assert [one.state for one in outcomes] == ["failed", "stored", "stored", "stored"]
        assert "key" in outcomes[0].message


@pytest.mark.parametrize("feed", NAMES)
@pytest.mark.parametrize("fault", ["truncated", "reset"])
async def test_one_feed_does_not_hinder_the_others(
    server: FeedServer, store: Store, watch: Watch, feed: str, fault: str
) -> None:
    server.fault(feed, fault)
    outcomes = await refresh(store, settings_of(server), watch)
    states = {one.feed: one.state for one in outcomes}
    assert states == dict.fromkeys(NAMES, "stored") | {feed: "failed"}
    server.clear_faults()
    watch.on(minutes=2)
    outcomes = await refresh(store, settings_of(server), watch)
    states = {one.feed: one.state for one in outcomes}
    assert states == dict.fromkeys(NAMES, "not due") | {feed: "stored"}


class TestBackOff:
    async def fail(self, store: Store, feed: FeedSettings, watch: Watch) -> timedelta:
        """Ask at the moment it is due; gives the wait after the failure."""
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "failed"
        assert outcome.due is not None
        started = last_request(store, feed.feed.name)["started"]
        assert isinstance(started, datetime)
        watch.now = outcome.due
        return outcome.due - started

    async def test_it_doubles_up_to_the_cadence(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        server.fault(MODELS, "404")
        [feed] = settings_of(server, MODELS)
        waits = [await self.fail(store, feed, watch) for _ in range(8)]
        assert [wait / timedelta(minutes=1) for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60]

    async def test_it_doubles_where_a_later_request_of_a_round_fails(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        [feed] = settings_of(server, VERCEL)
        waits = []
        for failing in (2, 1, 1, 1):  # what was answered well is not asked again
            server.clear_faults()
            server.fault(VERCEL, "404", first=failing)
            waits.append(await self.fail(store, feed, watch))
        assert [wait / timedelta(minutes=1) for wait in waits] == [1, 2, 4, 8]

    async def test_a_good_round_ends_it(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        server.fault(MODELS, "404", first=1, last=3)
        server.fault(MODELS, "404", first=5)
        [feed] = settings_of(server, MODELS)
        for _ in range(3):
            await self.fail(store, feed, watch)
        [good] = await refresh(store, [feed], watch)
        assert good.state == "stored"
        watch.on(hours=2)
        assert await self.fail(store, feed, watch) == timedelta(minutes=1)

    async def test_until_then_it_is_not_asked(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        server.fault(MODELS, "404")
        feeds = settings_of(server, MODELS)
        [failed] = await refresh(store, feeds, watch)
        watch.on(seconds=30)
        [waiting] = await refresh(store, feeds, watch)
        assert (waiting.state, waiting.message) == ("not due", failed.message)
        assert waiting.due == failed.due
        assert len(server.requests) == 1

    async def test_a_long_retry_after_is_kept_to(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        server.fault(MODELS, "429", retry_after=7200)
        [feed] = settings_of(server, MODELS)
        assert await self.fail(store, feed, watch) == timedelta(hours=2)
        watch.on(minutes=-1)
        [waiting] = await refresh(Store(store.root, bundled=NO_BASELINE), [feed], watch)
        assert waiting.state == "not due"
        assert len(server.requests) == 1


def damage_all(root: Path, table: str) -> None:
    """Spoil a table of all feeds, and take away what was before it."""
    manifest = Store(root).manifest()
    for part in manifest.parts:
        if part.table == table:
            (root / part.file).write_bytes(b"torn")
    for part in manifest.retired:
        if part.table == table:
            (root / part.file).unlink()


class TestDamage:
    @pytest.mark.parametrize("table", ["usage", "price", "catalog"])
    async def test_the_next_round_restores_all_rows(
        self, server: FeedServer, store: Store, watch: Watch, table: str
    ) -> None:
        await refresh(store, settings_of(server), watch)
        before = data_of(store)
        damage_all(store.root, table)
        asked = [one.feed for one in server.requests]
        outcomes = await refresh(store, settings_of(server), watch)
        lost = set(before[table]["feed"])  # the others have all they had, and are left in peace
        again = server.requests[len(asked) :]
        assert [one.feed for one in again] == [feed for feed in asked if feed in lost]
        assert not any("if-none-match" in one.headers for one in again)
        assert {one.feed for one in outcomes if one.state == "not due"} == set(NAMES) - lost
        assert "failed" not in [one.state for one in outcomes]
        columns = [one for one in before[table].columns if one not in ("as_of", "observed_at")]
        assert_frame_equal(
            store.cached(TABLES[table]).select(columns),
            before[table].select(columns),
            check_row_order=False,
        )
        assert store.notices
        assert all(str(store.root / "set-aside") in notice for notice in store.notices)

    async def test_also_of_feeds_that_fail_meanwhile(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        feeds = settings_of(server, RANKINGS)
        await refresh(store, feeds, watch)
        rows = store.cached(USAGE_TABLE).height
        damage_all(store.root, "usage")
        server.fault(RANKINGS, "500", last=ATTEMPTS)
        [outcome] = await refresh(store, feeds, watch)
        assert outcome.state == "failed"
        # The process that met the damage is gone, and so is what it knew.
        watch.on(minutes=2)
        [outcome] = await refresh(Store(store.root, bundled=NO_BASELINE), feeds, watch)
        assert (outcome.state, outcome.rows_new) == ("stored", rows)

    async def test_after_that_all_goes_as_ever(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        feeds = settings_of(server, MODELS)
        await refresh(store, feeds, watch)
        damage_all(store.root, "price")
        await refresh(store, feeds, watch)
        assert [one.state for one in await refresh(store, feeds, watch)] == ["not due"]
        watch.on(hours=2)
        await refresh(store, feeds, watch)
        assert last_request(store, MODELS)["status"] == 304

    async def test_a_lost_log_costs_no_rows(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server), watch)
        before = data_of(store)
        damage_all(store.root, "fetch")
        outcomes = await refresh(store, settings_of(server), watch)
        assert [(one.state, one.rows_new) for one in outcomes] == [("unchanged", 0)] * 4
        assert_same(before, data_of(store))

    async def test_a_cache_that_refuses_is_no_failure_of_a_feed(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server), watch)
        (store.root / "format.json").write_text("garbage")
        with pytest.raises(StoreError, match=r"format\.json"):
            await refresh(store, settings_of(server), watch, Wish(force=True))


class Dearer(FixtureBodies):
    """Another price for everything that costs 1 dollar per million."""

    def document(self, feed: str) -> bytes | None:
        body = super().document(feed) or b""
        return body.replace(b'"prompt": "0.000001"', b'"prompt": "0.000009"')


class TestRestatements:
    async def test_the_past_is_kept_beside_its_restatement(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server, MODELS), watch)
        known, before = watch.now, store.cached(PRICE_TABLE)
        watch.on(hours=2)
        server.bodies = Dearer()
        [outcome] = await refresh(store, settings_of(server, MODELS), watch)
        assert outcome.rows_new > 0
        after = store.cached(PRICE_TABLE)
        assert after.height == before.height + outcome.rows_new
        assert_frame_equal(after.head(before.height), before)
        assert_frame_equal(as_of(after, PRICE_TABLE, known), as_of(before, PRICE_TABLE, known))


class TestHealth:
    async def test_states(self, server: FeedServer, store: Store, watch: Watch) -> None:
        server.fault(MODELS_DEV, "500")
        feeds = settings_of(server)
        never = feed_states(store.cached(FETCH_TABLE), feeds, watch.now)
        assert [one.state for one in never] == ["never asked"] * 4
        await refresh(store, feeds, watch)
        log = store.cached(FETCH_TABLE)
        after = feed_states(log, feeds, watch.now)
        assert [one.state for one in after] == ["ok", "ok", "ok", "failing"]
        assert [one.error == "" for one in after] == [True, True, True, False]
        assert [one.last_good is None for one in after] == [False, False, False, True]
        assert all(one.due is not None and one.due > watch.now for one in after)
        assert [one.rows_new > 0 for one in after] == [True, True, True, False]
        later = feed_states(log, feeds, watch.now + timedelta(hours=5))
        assert [one.state for one in later] == ["stale", "ok", "stale", "failing"]

    async def test_a_clock_put_back_hides_no_failure(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        feeds = settings_of(server, MODELS)
        await refresh(store, feeds, watch)
        server.fault(MODELS, "404")
        watch.on(minutes=-10)
        [failed] = await refresh(store, feeds, watch, Wish(force=True))
        [health] = feed_states(store.cached(FETCH_TABLE), feeds, watch.now)
        assert (health.state, health.error, health.due) == ("failing", failed.message, failed.due)

    async def test_off_and_keyless_come_first(
        self, server: FeedServer, store: Store, watch: Watch
    ) -> None:
        await refresh(store, settings_of(server), watch)
        [keyless] = settings_of(server, RANKINGS, key="")
        feeds = [keyless, replace(keyless, enabled=False)]
        states = feed_states(store.cached(FETCH_TABLE), feeds, watch.now)
        assert [one.state for one in states] == ["no key", "off"]
        assert all(one.last_good is not None for one in states)


async def test_a_price_that_jumps_is_told_and_not_shown(
    server: FeedServer, store: Store, watch: Watch
) -> None:
    feeds = settings_of(server, MODELS)
    [first] = await refresh(store, feeds, watch)
    assert first.doubted == ()
    before = FixtureBodies().document(MODELS)
    assert before is not None
    body = json.loads(before)
    row = next(one for one in body["data"] if one["id"] == "qwen/qwen3-max")
    was = row["pricing"]["prompt"]
    row["pricing"]["prompt"] = format(Decimal(was) * 60, "f")
    server.bodies = Changed(json.dumps(body).encode())
    watch.on(hours=2)
    [told] = await refresh(store, feeds, watch)
    [text] = told.doubted
    now = Decimal(was) * 1_000_000
    match = re.fullmatch(r"input of qwen/qwen3-max from ([\d.]+) to ([\d.]+)", text)
    assert match is not None
    assert (Decimal(match[1]), Decimal(match[2])) == (now, now * 60)
    assert "until it has stood for a week: 1 (input of qwen/qwen3-max" in outcome_line(
        told, watch.now
    )
    shown = Known(store, watch.now).prices(watch.now, "alibaba/qwen3-max", Mix())
    [price] = shown.filter(feed=MODELS, source_id="qwen/qwen3-max", variant="")["input"]
    assert price == now


class Changed(FixtureBodies):
    """The fixtures with another list of models."""

    def __init__(self, models: bytes) -> None:
        super().__init__()
        self._models = models

    def document(self, feed: str) -> bytes | None:
        return self._models if feed == MODELS else super().document(feed)
