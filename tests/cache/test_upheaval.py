"""An answer with far less or far more than before is a fault, until it has stood for a week."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from qwenwatch_cache.errors import Implausible
from qwenwatch_cache.feeds.feed import Parsed, Request
from qwenwatch_cache.frames import FETCH_TABLE, PRICE_TABLE, USAGE_TABLE
from qwenwatch_cache.health import feed_states
from qwenwatch_cache.refresh import refresh
from qwenwatch_cache.schedule import STANDS
from qwenwatch_cache.store import Store, as_of
from qwenwatch_cache.store.revisions import FEW, MOST
from tests.cache.played import Player, log_of, settings_for
from tests.cache.polling import MODELS, NO_BASELINE, Watch, settings_of, without_waits
from tests.cache.rows import DAY, NOW, at, prices, usage
from tests.feedserver import FeedServer, FixtureBodies


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with without_waits(monkeypatch):
        yield


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", bundled=NO_BASELINE)


def models(number: int, value: int = 100, begin: int = 0) -> dict[str, int | None]:
    return {f"m{one:03}": value for one in range(begin, begin + number)}


def priced(number: int) -> dict[str, Decimal | None]:
    return {name: Decimal(1) for name in models(number)}


def stated(store: Store) -> dict[str, int]:
    """What counts now, without what was withdrawn."""
    last = as_of(store.cached(USAGE_TABLE), USAGE_TABLE)
    rows = last.select("entity", "value").iter_rows()
    return {entity: value for entity, value in rows if value is not None}


def hear(
    store: Store,
    values: Mapping[str, int | None],
    minutes: float,
    *,
    period: date = DAY,
    whole: Collection[str] | None = None,
    believe: bool = False,
) -> int:
    frame = usage(values, at(minutes), period=period)
    return store.append({"usage": frame}, at(minutes), whole=whole, believe=believe)


class TestUsage:
    def test_half_of_the_models_is_refused(self, store: Store) -> None:
        hear(store, models(40), 0)
        with pytest.raises(
            Implausible, match="tokens by model, day 2026-08-16: 19 entries now, 40 b"
        ):
            hear(store, models(19), 1)
        assert stated(store) == models(40)
        assert store.cached(USAGE_TABLE).height == 40

    def test_exactly_half_and_more_is_news(self, store: Store) -> None:
        hear(store, models(40), 0)
        hear(store, models(20), 1)
        assert stated(store) == models(20)

    def test_small_groups_are_not_judged(self, store: Store) -> None:
        hear(store, models(FEW), 0)
        hear(store, models(1), 1)
        assert stated(store) == models(1)

    def test_what_was_withdrawn_is_no_longer_before(self, store: Store) -> None:
        hear(store, models(40), 0)
        hear(store, models(20), 1)
        hear(store, models(10), 2)
        assert stated(store) == models(10)

    def test_a_thousand_times_the_tokens_is_another_unit(self, store: Store) -> None:
        hear(store, models(12), 0)
        with pytest.raises(Implausible, match="1,200,000 now, 1,200 before"):
            hear(store, models(12, 100_000), 1)
        assert stated(store) == models(12)

    def test_also_in_a_small_group(self, store: Store) -> None:
        hear(store, models(2), 0)
        with pytest.raises(Implausible):
            hear(store, models(2, 100_000), 1)

    def test_growth_up_to_a_limit_is_news(self, store: Store) -> None:
        hear(store, models(12), 0)
        hear(store, models(12, 100 * MOST), 1)
        assert stated(store) == models(12, 100 * MOST)

    def test_from_nothing_everything_is_growth(self, store: Store) -> None:
        hear(store, models(12, 0), 0)
        hear(store, models(12, 10**12), 1)
        assert stated(store) == models(12, 10**12)

    def test_absurd_counts_do_not_wrap_around(self, store: Store) -> None:
        # Eleven of these are more than 64 bits hold; wrapped around they would be less than none.
        hear(store, models(11), 0)
        with pytest.raises(Implausible):
            hear(store, models(11, 10**18 - 1), 1)

    def test_a_new_day_is_compared_with_the_day_before(self, store: Store) -> None:
        hear(store, models(40), 0)
        for wrong in (models(19), models(40, 100_000)):
            with pytest.raises(Implausible, match=str(DAY + timedelta(days=1))):
                hear(store, wrong, 1, period=DAY + timedelta(days=1))
        hear(store, models(30), 1, period=DAY + timedelta(days=1))

    def test_a_day_before_all_others_with_nothing(self, store: Store) -> None:
        hear(store, models(40), 0)
        long_ago = DAY - timedelta(days=300)
        assert hear(store, models(3), 1, period=long_ago) == 3
        assert store.cached(USAGE_TABLE).filter(period=long_ago).height == 3

    def test_another_feed_is_another_thing(self, store: Store) -> None:
        hear(store, models(40), 0)
        assert store.append({"usage": usage(models(3), at(1), feed="g")}, at(1)) == 3
        rows = store.cached(USAGE_TABLE)
        assert (rows.filter(feed="g").height, rows.filter(feed="f").height) == (3, 40)

    def test_what_has_stood_long_enough_is_believed(self, store: Store) -> None:
        hear(store, models(40), 0)
        hear(store, models(19), 1, believe=True)
        assert stated(store) == models(19)

    def test_nothing_else_of_the_answer_is_stored(self, store: Store) -> None:
        store.append({"usage": usage(models(40)), "price": prices(priced(1))}, NOW)
        both = {"price": prices(priced(40), at(1)), "usage": usage(models(3), at(1))}
        with pytest.raises(Implausible):
            store.append(both, at(1))
        assert store.cached(PRICE_TABLE).height == 1

    def test_the_bundled_baseline_is_no_measure(self, tmp_path: Path) -> None:
        bundled = Store(tmp_path / "bundled", bundled=NO_BASELINE)
        hear(bundled, models(400), 0)
        store = Store(tmp_path / "cache", bundled=tmp_path / "bundled")
        hear(store, models(3), 1)
        assert stated(store).items() >= models(3).items()


class TestPartialAnswers:
    def test_one_of_many_withdraws_nothing(self, store: Store) -> None:
        hear(store, models(40), 0)
        hear(store, models(2, 5), 1, whole=frozenset())
        assert stated(store) == models(40) | models(2, 5)

    def test_one_about_some_models_withdraws_only_there(self, store: Store) -> None:
        hear(store, models(40), 0)
        hear(store, {"m000": 7}, 1, whole={"m000", "m001"})
        expected = models(40) | {"m000": 7}
        del expected["m001"]
        assert stated(store) == expected

    def test_so_with_prices(self, store: Store) -> None:
        store.append({"price": prices(priced(30))}, NOW)
        one = {"m000": Decimal(2)}
        store.append({"price": prices(one, at(1))}, at(1), whole={"m000", "m001"})
        last = as_of(store.cached(PRICE_TABLE), PRICE_TABLE)
        assert last.filter(~last["listed"])["model"].to_list() == ["m001"]


class TestPrices:
    def test_half_of_the_list_is_refused(self, store: Store) -> None:
        store.append({"price": prices(priced(300))}, NOW)
        with pytest.raises(Implausible, match="f: price rows: 149 entries now, 300 before"):
            store.append({"price": prices(priced(149), at(1))}, at(1))
        last = as_of(store.cached(PRICE_TABLE), PRICE_TABLE)
        assert last["listed"].all()
        assert store.append({"price": prices(priced(290), at(2))}, at(2)) == 10


def of_size(body: bytes, fetched_at: datetime) -> Parsed:
    """As many models as the body says, each with a price that only they have."""
    number = int(body)
    return Parsed({"price": prices(priced(number), fetched_at)}, number)


def in_parts(body: bytes, fetched_at: datetime) -> Parsed:
    parsed = of_size(body, fetched_at)
    return Parsed(parsed.frames, parsed.rows, whole=frozenset())


class TestRounds:
    async def test_it_is_a_failure_of_the_feed(
        self, monkeypatch: pytest.MonkeyPatch, store: Store
    ) -> None:
        player, watch = Player(monkeypatch), Watch()
        feed = settings_for([Request("/list", of_size)])
        player.answers["/list"] = b"300"
        await refresh(store, [feed], watch)
        before = store.cached(PRICE_TABLE)
        player.answers["/list"] = b"140"
        watch.on(hours=2)
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "failed"
        assert "140 entries, there were 300 before; taken for a fault" in outcome.message
        assert store.cached(PRICE_TABLE).equals(before)
        last = log_of(store.root)[-1]
        assert (last["rows"], last["error"], last["etag"]) == (140, outcome.message, None)
        [health] = feed_states(store.cached(FETCH_TABLE), [feed], watch.now)
        assert (health.state, health.error) == ("failing", outcome.message)
        # And it is over as soon as all are back.
        player.answers["/list"] = b"299"
        watch.on(minutes=2)
        [outcome] = await refresh(store, [feed], watch)
        assert (outcome.state, outcome.rows_new) == ("stored", 1)

    async def test_also_of_an_answer_that_is_one_of_many(
        self, monkeypatch: pytest.MonkeyPatch, store: Store
    ) -> None:
        player, watch = Player(monkeypatch), Watch()
        feed = settings_for([Request("/a", in_parts), Request("/b", in_parts)])
        player.answers.update({"/a": b"30", "/b": b"8"})
        await refresh(store, [feed], watch)
        player.answers.update({"/a": b"14", "/b": b"1"})  # of eight nothing can be said
        watch.on(hours=2)
        [outcome] = await refresh(store, [feed], watch)
        assert (outcome.state, player.paths) == ("failed", ["/a", "/b"] * 2)
        assert "14 entries, there were 30 before" in outcome.message

    async def test_an_unchanged_answer_in_between_does_not_hide_it(
        self, monkeypatch: pytest.MonkeyPatch, store: Store
    ) -> None:
        player, watch = Player(monkeypatch), Watch()
        feed = settings_for([Request("/list", of_size)])
        for answer in (
            httpx.Response(200, content=b"300", headers={"ETag": '"1"'}),
            httpx.Response(304),
        ):
            player.answers["/list"] = answer
            [outcome] = await refresh(store, [feed], watch)
            assert outcome.state in ("stored", "unchanged")
            watch.on(hours=2)
        player.answers["/list"] = b"10"
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "failed"

    async def test_after_a_week_of_insisting_it_is_believed(
        self, monkeypatch: pytest.MonkeyPatch, store: Store
    ) -> None:
        player, watch = Player(monkeypatch), Watch()
        # Another address of the feed is well all the time.
        feed = settings_for([Request("/other", in_parts), Request("/list", of_size)])
        player.answers.update({"/other": b"1", "/list": b"300"})
        await refresh(store, [feed], watch)
        player.answers["/list"] = b"140"
        watch.on(hours=2)
        began = watch.now
        while watch.now < began + STANDS:
            [outcome] = await refresh(store, [feed], watch)
            assert outcome.state == "failed"
            watch.on(hours=12)
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "stored"
        last = as_of(store.cached(PRICE_TABLE), PRICE_TABLE)
        assert last["listed"].sum() == 140
        watch.on(hours=2)
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "unchanged"

    async def test_a_week_begins_anew_after_a_good_answer(
        self, monkeypatch: pytest.MonkeyPatch, store: Store
    ) -> None:
        player, watch = Player(monkeypatch), Watch()
        feed = settings_for([Request("/list", of_size)])
        for number, days in [(b"300", 1), (b"140", 6), (b"300", 2), (b"140", 1)]:
            player.answers["/list"] = number
            [outcome] = await refresh(store, [feed], watch)
            watch.on(days=days)
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "failed"

    @pytest.mark.parametrize("fault", ["empty-list"])
    async def test_an_empty_list_of_a_real_feed(self, store: Store, fault: str) -> None:
        watch = Watch()
        with FeedServer(FixtureBodies(), now=lambda: watch.now) as server:
            await refresh(store, settings_of(server, MODELS), watch)
            before = store.cached(PRICE_TABLE)
            watch.on(hours=2)
            server.fault(MODELS, fault)
            [outcome] = await refresh(store, settings_of(server, MODELS), watch)
        assert outcome.state == "failed"
        assert "that is a fault" in outcome.message
        assert store.cached(PRICE_TABLE).equals(before)
