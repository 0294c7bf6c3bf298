"""What a model costs at a time: the fixtures by hand, glitches as they were seen, the record."""

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.feeds import models_dev, openrouter_models
from qwenwatch_cache.frames import CATALOG_TABLE, FETCH, PRICE_FIELDS, PRICE_TABLE
from qwenwatch_cache.identity import Identity
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import PRICES, Mix, prices
from qwenwatch_cache.store import Store
from tests.feedserver import FIXTURE_NOW
from tests.feedserver.bodies import FIXTURES

QWEN = "alibaba/qwen3-max"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def log(feed: str, when: datetime) -> pl.DataFrame:
    """The entry of a request that was answered well."""
    row = {**dict.fromkeys(FETCH), "feed": feed, "url": f"https://{feed}", "started": when}
    return pl.DataFrame([row], schema=FETCH)


class Cache:
    """A cache that is told bodies as polls would bring them, with no baseline beneath it."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "cache", bundled=folder)

    def poll(self, body: bytes, when: datetime, feed: str = "openrouter-models") -> None:
        parse = openrouter_models.parse if feed == "openrouter-models" else models_dev.parse
        self.store.append(parse(body, when).frames, when)
        self.store.log(log(feed, when), when)

    def rows(self, at: datetime, **query: Any) -> list[dict[str, Any]]:
        """What is in force, by default against Qwen3 Max."""
        known = Known(self.store, query.pop("known_at", at))
        return known.prices(at, query.pop("baseline", QWEN), query.pop("mix", Mix())).to_dicts()

    def of(self, model: str, at: datetime, **query: Any) -> dict[str, Any]:
        """The only row of a model."""
        rows = self.rows(at, **query)
        (row,) = (row for row in rows if row["model"] in {model, f"{model}@openrouter"})
        return row


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


@pytest.fixture
def world(tmp_path: Path) -> Cache:
    """The fixture world after one poll of both price feeds."""
    cache = Cache(tmp_path)
    cache.poll((FIXTURES / "models.json").read_bytes(), FIXTURE_NOW)
    cache.poll((FIXTURES / "models-dev.json").read_bytes(), FIXTURE_NOW, "models-dev")
    return cache


def listing(models: Mapping[str, tuple[str, str] | Mapping[str, Any]]) -> bytes:
    """A model list of OpenRouter with these prices per token."""
    data = [
        {
            "id": model,
            "name": model,
            "pricing": dict(price)
            if isinstance(price, Mapping)
            else {"prompt": price[0], "completion": price[1]},
        }
        for model, price in models.items()
    ]
    return json.dumps({"data": data}).encode()


def plain(row: Mapping[str, Any], *columns: str) -> tuple[Any, ...]:
    """Columns of a row; exact amounts without trailing zeros."""
    return tuple(
        str(row[name].normalize() + 0) if isinstance(row[name], Decimal) else row[name]
        for name in columns
    )


MONEY = ("input", "output", "cache_read", "blended")
RATIOS = ("ratio_input", "ratio_output", "ratio_blended")


class TestFixtureWorld:
    def test_route_prices_and_ratios(self, world: Cache) -> None:
        rows = {
            (row["model"], row["variant"]): row
            for row in world.rows(FIXTURE_NOW)
            if row["basis"] == "route"
        }
        # Blended is 0.80 input + 0.05 output + 0.15 cached; Qwen3 Max: 0.8 + 0.2 + 0.03.
        assert plain(rows[QWEN, ""], *MONEY) == ("1", "4", "0.2", "1.03")
        assert plain(rows[QWEN, ""], *RATIOS) == (1.0, 1.0, 1.0)
        # Claude: 2.4 + 0.75 + 0.045; 3.195 ÷ 1.03 = 3.1019417475…
        claude = rows["anthropic/claude-sonnet-4-6", ""]
        assert plain(claude, *MONEY) == ("3", "15", "0.3", "3.195")
        assert plain(claude, *RATIOS) == (3.0, 3.75, 3.101941748)
        # GLM-5.2 states no cached price: cached tokens at the input price. 0.64 + 0.125 + 0.12.
        glm = rows["zhipuai/glm-5.2", ""]
        assert plain(glm, *MONEY) == ("0.8", "2.5", None, "0.885")
        assert glm["cache_read"] is None
        assert plain(rows["openai/gpt-4", ""], *RATIOS)[:2] == (30.0, 15.0)

    def test_list_prices_against_the_list_price_of_the_same_place(self, world: Cache) -> None:
        rows = {
            (row["model"], row["provider"]): row
            for row in world.rows(FIXTURE_NOW)
            if row["basis"] == "list"
        }
        assert plain(rows[QWEN, "alibaba"], "input", "output", "region", *RATIOS[:2]) == (
            *("1.2", "6", "intl"),
            *(1.0, 1.0),
        )
        mainland = rows[QWEN, "alibaba-cn"]  # cheaper, yet not what prices abroad are compared with
        assert plain(mainland, "input", "output", "region") == ("0.8", "3.2", "cn")
        assert plain(mainland, *RATIOS[:2]) == (1.0, 1.0)
        assert plain(rows["anthropic/claude-sonnet-4-6", "anthropic"], *RATIOS[:2]) == (2.5, 2.5)
        # The mainland price of 1/3 against the mainland price of 0.8/3.2.
        assert plain(rows["zhipuai/glm-5.2", "zhipuai"], *RATIOS[:2]) == (1.25, 0.9375)

    def test_only_the_base_tier_is_compared(self, world: Cache) -> None:
        rows = world.rows(FIXTURE_NOW)
        assert sum(row["model"] == QWEN for row in rows) == 3  # route, intl, cn; no tiers
        assert world.of("alibaba/qwen3.7-plus", FIXTURE_NOW)["input"] == Decimal("0.5")

    def test_unknown_is_null_and_free_is_free(self, world: Cache) -> None:
        rows = {(row["source_id"], row["variant"]): row for row in world.rows(FIXTURE_NOW)}
        router = rows["openrouter/auto", ""]
        assert plain(router, *MONEY, *RATIOS) == (None,) * 7
        free = rows["qwen/qwen3-coder", "free"]
        assert plain(free, "input", "output", "blended", *RATIOS) == ("0", "0", "0", 0.0, 0.0, 0.0)
        assert free["model"] == "alibaba/qwen3-coder-480b-a35b-instruct"
        assert rows["anthropic/claude-sonnet-4.6", "batch"]["ratio_input"] == 1.5
        cloaked = rows["stealth/ox-alpha", ""]
        assert (cloaked["vendor"], cloaked["input"]) == (None, None)  # 0/0, stated once
        assert rows["zhipuai/glm-4.5-flash", ""]["input"] is None

    def test_a_baseline_that_has_no_price_gives_no_ratios(self, world: Cache) -> None:
        for baseline in ("alibaba/no-such-model", "openrouter/auto", "stealth/ox-alpha"):
            rows = world.rows(FIXTURE_NOW, baseline=baseline)
            assert rows
            assert {row[name] for row in rows for name in RATIOS} == {None}

    def test_a_baseline_on_one_basis_gives_ratios_on_that_one(self, world: Cache) -> None:
        rows = world.rows(FIXTURE_NOW, baseline="openai/gpt-5.4")  # models.dev fixture lacks it
        known = {row["basis"] for row in rows if row["ratio_input"] is not None}
        assert known == {"route"}

    def test_another_workload(self, world: Cache) -> None:
        mix = Mix(Decimal("0.5"), Decimal("0.5"), Decimal(0))
        route = [row for row in world.rows(FIXTURE_NOW, mix=mix) if row["basis"] == "route"]
        blended = {row["model"]: row["blended"] for row in route if row["variant"] == ""}
        assert blended[QWEN] == Decimal("2.5")
        assert blended["openai/gpt-4"] == 45

    def test_the_answer_has_its_schema_and_order(self, world: Cache) -> None:
        frame = Known(world.store, FIXTURE_NOW).prices(FIXTURE_NOW, QWEN, Mix())
        assert frame.schema == PRICES
        assert frame["model"].to_list() == sorted(frame["model"].to_list())
        bases = frame.filter(pl.col("model") == QWEN)["basis"].to_list()
        assert bases == ["route", "list", "list"]
        empty = Known(world.store, FIXTURE_NOW - DAY).prices(FIXTURE_NOW, QWEN, Mix())
        assert empty.is_empty() and empty.schema == PRICES

    @settings(deadline=None, database=None, max_examples=10)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_the_order_of_rows_changes_nothing(self, seed: int) -> None:
        frames = openrouter_models.parse(
            (FIXTURES / "models.json").read_bytes(), FIXTURE_NOW
        ).frames
        lists = models_dev.parse((FIXTURES / "models-dev.json").read_bytes(), FIXTURE_NOW).frames
        frame = pl.concat([frames["price"], lists["price"]])
        directory = Directory(pl.concat([frames["catalog"], lists["catalog"]]))

        def answer(rows: pl.DataFrame) -> str:
            asked = prices(rows, FIXTURE_NOW, directory, polls={}, baseline=QWEN, mix=Mix())
            return asked.write_json()

        assert answer(frame.sample(fraction=1, shuffle=True, seed=seed)) == answer(frame)


class TestMix:
    def test_the_parts_must_add_up(self) -> None:
        with pytest.raises(ValueError, match="add up to 1"):
            Mix(Decimal("0.5"), Decimal("0.5"), Decimal("0.5"))
        with pytest.raises(ValueError, match="0 or more"):
            Mix(Decimal("1.2"), Decimal("-0.2"), Decimal(0))

    @settings(deadline=None, database=None, max_examples=25)
    @given(
        parts=st.lists(st.integers(0, 100), min_size=2, max_size=2).map(sorted),
        money=st.lists(st.decimals("0.000001", 999, places=6), min_size=3, max_size=3),
    )
    def test_blended_is_the_weighted_sum_to_the_last_digit(
        self, parts: Sequence[int], money: Sequence[Decimal]
    ) -> None:
        low, high = parts
        mix = Mix(Decimal(low) / 100, Decimal(high - low) / 100, Decimal(100 - high) / 100)
        texts = [f"{amount.scaleb(-6):f}" for amount in money]
        body = listing(
            {
                "qwen/qwen3-max": dict(
                    zip(("prompt", "completion", "input_cache_read"), texts, strict=True)
                )
            }
        )
        frame = openrouter_models.parse(body, FIXTURE_NOW).frames["price"]
        asked = prices(
            frame,
            FIXTURE_NOW,
            Directory(CATALOG_TABLE.empty()),
            polls={},
            baseline=QWEN,
            mix=mix,
        )
        expected = mix.input * money[0] + mix.output * money[1] + mix.cached * money[2]
        assert asked["blended"].to_list() == [expected]


class TestTimesOfDay:
    @pytest.mark.parametrize(
        ("clock", "window", "price"),
        [
            ("00:00", "1000-0100", "0.5"),  # wraps over midnight
            ("00:59", "1000-0100", "0.5"),
            ("01:00", "0100-0400", "1"),  # half-open: the end belongs to the next
            ("03:59", "0100-0400", "1"),
            ("04:00", "0400-0600", "0.5"),
            ("06:00", "0600-1000", "1"),
            ("10:00", "1000-0100", "0.5"),
            ("23:59", "1000-0100", "0.5"),
        ],
    )
    def test_the_window_in_force_by_the_clock(
        self, world: Cache, clock: str, window: str, price: str
    ) -> None:
        at = datetime.fromisoformat(f"2026-08-18T{clock}+00:00")
        row = world.of("deepseek/deepseek-v4-pro", at)
        assert plain(row, "window_utc", "input") == (window, price)

    def test_the_whole_day_has_exactly_one_price(self, world: Cache) -> None:
        start = FIXTURE_NOW + 12 * HOUR
        moments = [start + timedelta(minutes=30 * number) for number in range(48)]
        inputs = [world.of("deepseek/deepseek-v4-pro", at)["input"] for at in moments]
        assert inputs.count(Decimal(1)) == 14  # 01–04 and 06–10
        assert inputs.count(Decimal("0.5")) == 34

    def test_the_clock_alone_is_no_change_of_price(self, world: Cache) -> None:
        row = world.of("deepseek/deepseek-v4-pro", FIXTURE_NOW + 14 * HOUR)
        assert (row["changed_at"], row["previous_input"]) == (None, None)
        assert row["observed_at"] == FIXTURE_NOW


TWO = {"qwen/qwen3-max": ("0.000001", "0.000004"), "openai/gpt-4": ("0.00003", "0.00006")}
ONE = {"openai/gpt-4": TWO["openai/gpt-4"]}


class TestVanished:
    def test_a_model_that_vanished_stays_in_force_for_seven_days(self, cache: Cache) -> None:
        gone = FIXTURE_NOW + DAY
        cache.poll(listing(TWO), FIXTURE_NOW)
        cache.poll(listing(ONE), gone)
        for age in (timedelta(0), 6 * DAY, 7 * DAY - timedelta(seconds=1)):
            assert cache.of(QWEN, gone + age)["input"] == 1
        assert [row["model"] for row in cache.rows(gone + 7 * DAY)] == ["openai/gpt-4"]

    def test_one_that_comes_back_was_never_away(self, cache: Cache) -> None:
        cache.poll(listing(TWO), FIXTURE_NOW)
        cache.poll(listing(ONE), FIXTURE_NOW + DAY)
        cache.poll(listing(TWO), FIXTURE_NOW + 2 * DAY)
        row = cache.of(QWEN, FIXTURE_NOW + 30 * DAY)
        assert plain(row, "input", "changed_at") == ("1", None)

    def test_a_changed_set_of_tiers_is_not_a_vanished_model(self, cache: Cache) -> None:
        base = {"prompt": "0.000001", "completion": "0.000004"}
        tier = {"min_prompt_tokens": 32_000, "prompt": "0.000002"}
        cache.poll(listing({"qwen/qwen3-max": {**base, "overrides": [tier]}}), FIXTURE_NOW)
        cache.poll(listing({"qwen/qwen3-max": base}), FIXTURE_NOW + DAY)
        assert cache.of(QWEN, FIXTURE_NOW + DAY)["input"] == 1
        assert cache.of(QWEN, FIXTURE_NOW + 30 * DAY)["input"] == 1

    def test_times_of_day_that_were_given_up_are_gone_at_once(self, cache: Cache) -> None:
        tiles = [
            {"utc_start": 0, "utc_end": 1200, "prompt": "0.000009"},
            {"utc_start": 1200, "utc_end": 0, "prompt": "0.000008"},
        ]
        base = {"prompt": "0.000001", "completion": "0.000004"}
        cache.poll(listing({"qwen/qwen3-max": {**base, "overrides": tiles}}), FIXTURE_NOW)
        assert cache.of(QWEN, FIXTURE_NOW)["input"] == 8
        cache.poll(listing({"qwen/qwen3-max": base, **ONE}), FIXTURE_NOW + DAY)
        assert plain(cache.of(QWEN, FIXTURE_NOW + DAY), "input", "window_utc") == ("1", "")
        # When the model vanishes soon after, its last price stays, not the older windows too.
        cache.poll(listing(ONE), FIXTURE_NOW + 2 * DAY)
        assert plain(cache.of(QWEN, FIXTURE_NOW + 3 * DAY), "input", "window_utc") == ("1", "")

    def test_a_feed_that_was_not_asked_loses_nothing(self, world: Cache) -> None:
        at = FIXTURE_NOW + 30 * DAY
        world.poll((FIXTURES / "models.json").read_bytes(), at)
        assert [row["basis"] for row in world.rows(at + DAY) if row["model"] == QWEN] == [
            "route",
            "list",
            "list",
        ]


FREE = {"x/new": ("0", "0"), **ONE}


class TestZero:
    def test_nothing_for_nothing_is_unknown_until_a_second_poll_says_so(self, cache: Cache) -> None:
        cache.poll(listing(FREE), FIXTURE_NOW)
        assert cache.of("x/new", FIXTURE_NOW)["input"] is None
        assert cache.of("x/new", FIXTURE_NOW + 30 * DAY)["input"] is None  # time alone is no poll
        cache.poll(listing(FREE), FIXTURE_NOW + HOUR)
        assert plain(cache.of("x/new", FIXTURE_NOW + HOUR), "input", "output", "blended") == (
            *("0", "0", "0"),
        )
        # What was known before the second poll stays as it was.
        assert cache.of("x/new", FIXTURE_NOW + HOUR / 2)["input"] is None
        earlier = cache.of("x/new", FIXTURE_NOW + HOUR / 2, known_at=FIXTURE_NOW + 2 * HOUR)
        assert earlier["input"] is None

    def test_a_second_look_at_the_same_moment_is_no_second_poll(self, cache: Cache) -> None:
        cache.poll(listing(FREE), FIXTURE_NOW)
        cache.poll(listing(FREE), FIXTURE_NOW + timedelta(minutes=10))
        assert cache.of("x/new", FIXTURE_NOW + HOUR)["input"] is None

    def test_another_feeds_poll_confirms_nothing(self, cache: Cache) -> None:
        cache.poll(listing(FREE), FIXTURE_NOW)
        cache.store.log(log("models-dev", FIXTURE_NOW + HOUR), FIXTURE_NOW + HOUR)
        assert cache.of("x/new", FIXTURE_NOW + 2 * HOUR)["input"] is None

    def test_a_flicker_to_nothing_never_shows(self, cache: Cache) -> None:
        paid = {"x/new": ("0.000001", "0.000002")}
        cache.poll(listing(paid), FIXTURE_NOW)
        cache.poll(listing({"x/new": ("0", "0")}), FIXTURE_NOW + 12 * HOUR)
        assert cache.of("x/new", FIXTURE_NOW + 13 * HOUR)["input"] is None
        cache.poll(listing(paid), FIXTURE_NOW + 24 * HOUR)
        assert plain(cache.of("x/new", FIXTURE_NOW + 25 * HOUR), "input", "output") == ("1", "2")

    def test_free_for_one_side_only_needs_a_second_poll_too(self, cache: Cache) -> None:
        one_side = {"x/new": ("0", "0.000002")}
        cache.poll(listing(one_side), FIXTURE_NOW)
        assert plain(cache.of("x/new", FIXTURE_NOW), "input", "output") == (None, "2")
        cache.poll(listing(one_side), FIXTURE_NOW + HOUR)
        assert plain(cache.of("x/new", FIXTURE_NOW + HOUR), "input", "output") == ("0", "2")

    def test_what_was_paid_for_must_be_free_for_days(self, cache: Cache) -> None:
        """kimi-k2.5 was listed at 0/0 in two captures, twelve hours apart."""
        cache.poll(listing({"x/new": ("0.000001", "0.000002")}), FIXTURE_NOW)
        for hours in (12, 24):
            cache.poll(listing({"x/new": ("0", "0")}), FIXTURE_NOW + hours * HOUR)
        row = cache.of("x/new", FIXTURE_NOW + 25 * HOUR)
        assert plain(row, "input", "output", "changed_at") == (None, None, None)
        cache.poll(listing({"x/new": ("0", "0")}), FIXTURE_NOW + 5 * DAY)
        assert plain(cache.of("x/new", FIXTURE_NOW + 5 * DAY), "input", "output") == ("0", "0")

    def test_a_zero_in_between_is_no_change(self, cache: Cache) -> None:
        paid = {"x/new": ("0.000001", "0.000002")}
        for number, listed in enumerate((paid, {"x/new": ("0", "0")}, paid)):
            cache.poll(listing(listed), FIXTURE_NOW + number * 12 * HOUR)
        assert cache.of("x/new", FIXTURE_NOW + 2 * DAY)["changed_at"] is None

    def test_free_variants_are_free_at_once(self, cache: Cache) -> None:
        cache.poll(listing({"x/new:free": ("0", "0")}), FIXTURE_NOW)
        assert plain(cache.of("x/new:free".partition(":")[0], FIXTURE_NOW), "input") == ("0",)

    def test_minus_one_stays_unknown_however_often_it_is_said(self, cache: Cache) -> None:
        for number in range(3):
            cache.poll(listing({"openrouter/auto": ("-1", "-1")}), FIXTURE_NOW + number * DAY)
        row = cache.of("openrouter/auto", FIXTURE_NOW + 3 * DAY)
        assert plain(row, "input", "output", "blended", "changed_at") == (None,) * 4


class TestChanges:
    def test_the_last_change_and_what_it_was_before(self, cache: Cache) -> None:
        for number, text in enumerate(("0.0000016", "0.0000016", "0.00000104", "0.00000104")):
            cache.poll(listing({"qwen/qwen-max": (text, "0.000004")}), FIXTURE_NOW + number * DAY)
        row = cache.of("alibaba/qwen-max", FIXTURE_NOW + 9 * DAY)
        assert plain(row, "input", "previous_input", "previous_output") == ("1.04", "1.6", "4")
        assert row["changed_at"] == row["observed_at"] == FIXTURE_NOW + 2 * DAY
        before = cache.of("alibaba/qwen-max", FIXTURE_NOW + DAY)
        assert plain(before, "input", "changed_at", "previous_input") == ("1.6", None, None)
        assert before["observed_at"] == FIXTURE_NOW  # unchanged since then

    def test_what_was_not_known_yet_is_not_used(self, cache: Cache) -> None:
        cache.poll(listing({"qwen/qwen3-max": ("0.000001", "0.000004")}), FIXTURE_NOW)
        cache.poll(listing({"qwen/qwen3-max": ("0.000002", "0.000004")}), FIXTURE_NOW + DAY)
        later = FIXTURE_NOW + 5 * DAY
        assert cache.of(QWEN, later)["input"] == 2
        assert cache.of(QWEN, later, known_at=FIXTURE_NOW + DAY / 2)["input"] == 1
        assert cache.of(QWEN, FIXTURE_NOW + DAY / 2, known_at=later)["input"] == 1
        assert cache.rows(later, known_at=FIXTURE_NOW - DAY) == []

    def test_ratios_carry_no_float_noise(self, cache: Cache) -> None:
        cache.poll(
            listing(
                {"qwen/qwen3-max": ("0.0000002", "0.0000004"), "x/y": ("0.0000006", "0.0000012")}
            ),
            FIXTURE_NOW,
        )
        assert plain(cache.of("x/y", FIXTURE_NOW), *RATIOS) == (3.0, 3.0, 3.0)

    def test_a_baseline_that_is_cheaper_in_the_mainland_counts_so_only_there(
        self, cache: Cache
    ) -> None:
        cost = {"input": 1, "output": 1}
        body = {
            "minimax": {"models": {"MiniMax-M2.5": {"cost": {"input": 2, "output": 2}}}},
            "minimax-cn": {"models": {"MiniMax-M2.5": {"cost": cost}}},
        }
        cache.poll(json.dumps(body).encode(), FIXTURE_NOW, "models-dev")
        rows = cache.rows(FIXTURE_NOW, baseline="minimax/minimax-m2.5")
        assert {row["region"]: row["ratio_input"] for row in rows} == {"intl": 1.0, "cn": 1.0}
        only_there = {"zhipuai": {"models": {"glm-5": {"cost": {"input": 3, "output": 3}}}}}
        cache.poll(json.dumps({**body, **only_there}).encode(), FIXTURE_NOW + DAY, "models-dev")
        at = FIXTURE_NOW + DAY
        rows = [row for row in cache.rows(at, baseline="minimax/minimax-m2.5") if row["input"] == 3]
        assert [row["ratio_input"] for row in rows] == [3.0]
        rows = [row for row in cache.rows(at, baseline="zhipuai/glm-5") if row["region"] == "intl"]
        assert [row["ratio_input"] for row in rows] == [0.666666667]  # glm-5 is listed only there


def offers(rows: Sequence[Mapping[str, Any]], when: datetime = FIXTURE_NOW) -> pl.DataFrame:
    """Price rows of Qwen3 Max as feeds may state them; what is not given is a list price in USD."""
    common = {
        **dict.fromkeys(PRICE_FIELDS),
        **{"feed": "models-dev", "basis": "list", "provider": "alibaba", "region": "intl"},
        **{"model": "alibaba/qwen3-max", "variant": "", "tier_from": 0, "window_utc": ""},
        **{"currency": "USD", "output": Decimal(6), "listed": True, "observed_at": when},
    }
    told = [{**common, **row, "input": Decimal(row["input"])} for row in rows]
    return pl.DataFrame(told, schema=PRICE_TABLE.schema)


SAME = Directory(
    CATALOG_TABLE.empty(),
    Identity((QWEN, feed, QWEN) for feed in ("models-dev", "litellm", "openrouter-models")),
)
"""Knows one model, which goes by the same id everywhere."""


def ask(
    frame: pl.DataFrame, at: datetime = FIXTURE_NOW, directory: Directory | None = None
) -> list[dict[str, Any]]:
    known = directory or Directory(CATALOG_TABLE.empty())
    return prices(frame, at, known, polls={}, baseline=QWEN, mix=Mix()).to_dicts()


class TestJump:
    USUAL = ("0.000001", "0.000002")

    def poll(self, cache: Cache, *days: float, price: tuple[str, str] = USUAL) -> None:
        for day in days:
            cache.poll(listing({"x/new": price}), FIXTURE_NOW + day * DAY)

    def at(self, cache: Cache, day: float) -> tuple[Any, ...]:
        row = cache.of("x/new", FIXTURE_NOW + day * DAY)
        return plain(row, "input", "output", "previous_input")

    @pytest.mark.parametrize(
        "jumped",
        [
            ("0.00005", "0.000002"),  # input × 50
            ("0.000001", "0.0001"),  # output × 50
            ("0.00000002", "0.000002"),  # input ÷ 50
            ("0.0001", "0.0000002"),
        ],
    )
    def test_the_last_believed_price_stays_for_seven_days(
        self, cache: Cache, jumped: tuple[str, str]
    ) -> None:
        self.poll(cache, 0)
        for day in (1, 2, 4, 7.99):
            self.poll(cache, day, price=jumped)
            assert self.at(cache, day) == ("1", "2", None)
        row = cache.of("x/new", FIXTURE_NOW + 7.99 * DAY)
        assert (row["observed_at"], row["changed_at"]) == (FIXTURE_NOW, None)
        self.poll(cache, 8, price=jumped)
        given = str((Decimal(jumped[0]) * 1_000_000).normalize() + 0)
        assert self.at(cache, 8)[0] == given
        assert cache.of("x/new", FIXTURE_NOW + 8 * DAY)["changed_at"] == FIXTURE_NOW + DAY
        assert self.at(cache, 7.99) == ("1", "2", None)  # what was shown then stays so

    def test_time_alone_is_no_poll(self, cache: Cache) -> None:
        self.poll(cache, 0)
        self.poll(cache, 1, price=("0.001", "0.000002"))
        assert self.at(cache, 300) == ("1", "2", None)

    def test_a_step_of_less_than_fifty_is_believed_at_once(self, cache: Cache) -> None:
        self.poll(cache, 0)
        self.poll(cache, 1, price=("0.0000499", "0.000002"))
        assert self.at(cache, 1) == ("49.9", "2", "1")

    def test_a_jump_that_is_taken_back_never_showed(self, cache: Cache) -> None:
        self.poll(cache, 0)
        self.poll(cache, 1, 2, price=("0.0001", "0.000002"))
        self.poll(cache, 3, 9)
        for day in (1, 2, 3, 9):
            assert self.at(cache, day) == ("1", "2", None)

    def test_nothing_in_between_does_not_make_it_forgotten(self, cache: Cache) -> None:
        self.poll(cache, 0)
        self.poll(cache, 1, price=("0", "0.000002"))
        self.poll(cache, 2, price=("0.0001", "0.000002"))
        assert self.at(cache, 2) == (None, "2", None)

    def test_it_is_measured_from_the_last_believed_price(self, cache: Cache) -> None:
        self.poll(cache, 0)
        self.poll(cache, 1, price=("0.00006", "0.000002"))
        self.poll(cache, 2, price=("0.00007", "0.000002"))  # near to one that was not believed
        assert self.at(cache, 2) == ("1", "2", None)
        self.poll(cache, 3, price=("0.000002", "0.000002"))
        assert self.at(cache, 3) == ("2", "2", "1")

    def test_other_fields_that_change_do_not_make_it_wait_longer(self, cache: Cache) -> None:
        self.poll(cache, 0)
        jumped = {"prompt": "0.0001", "completion": "0.000002"}
        for day, cached in ((1, "0.00001"), (6, "0.00002"), (8, "0.00003")):
            body = listing({"x/new": {**jumped, "input_cache_read": cached}})
            cache.poll(body, FIXTURE_NOW + day * DAY)
        assert self.at(cache, 7.5) == ("1", "2", None)
        assert self.at(cache, 8) == ("100", "2", "1")

    def test_a_model_that_vanishes_at_a_doubted_price_is_gone_all_the_same(
        self, cache: Cache
    ) -> None:
        cache.poll(listing({"x/new": self.USUAL, **ONE}), FIXTURE_NOW)
        cache.poll(listing({"x/new": ("0.0001", "0.000002"), **ONE}), FIXTURE_NOW + DAY)
        cache.poll(listing(ONE), FIXTURE_NOW + 2 * DAY)
        assert self.at(cache, 3) == ("1", "2", None)
        assert [row["model"] for row in cache.rows(FIXTURE_NOW + 10 * DAY)] == ["openai/gpt-4"]

    def test_from_nothing_and_from_unknown_there_is_no_jump(self, cache: Cache) -> None:
        self.poll(cache, 0, 1, price=("0", "0"))
        self.poll(cache, 2, price=("0.0009", "0.0009"))
        assert self.at(cache, 2)[:2] == ("900", "900")


class TestDaysOfTheWeek:
    @pytest.mark.parametrize(
        ("day", "clock", "price"),
        [
            (21, "00:30", "1"),  # a Friday
            (21, "01:00", "2"),
            (21, "23:59", "2"),
            (22, "00:30", "3"),  # Saturday and Sunday, all day
            (23, "23:59", "3"),
            (24, "00:00", "1"),
        ],
    )
    def test_the_window_of_the_day_is_in_force(self, day: int, clock: str, price: str) -> None:
        frame = offers(
            [
                {"input": "1", "window_utc": "12345 0000-0100"},
                {"input": "2", "window_utc": "12345 0100-0000"},
                {"input": "3", "window_utc": "67 0000-0000"},
            ]
        )
        (row,) = ask(frame, datetime.fromisoformat(f"2026-08-{day}T{clock}+00:00"))
        assert plain(row, "input") == (price,)


class TestFeedsBesideOneAnother:
    CHINA: Mapping[str, Any] = {
        **{"feed": "alibaba-list", "provider": "alibaba-model-studio", "region": "cn"},
        **{"currency": "CNY", "model": "alibaba-cn/qwen3-max"},
    }
    CHECK: Mapping[str, Any] = {"feed": "litellm", "provider": "dashscope"}

    def test_prices_of_single_hosts_are_another_question(self) -> None:
        host = {"feed": "openrouter-endpoints", "basis": "route", "provider": "nebius/fp8"}
        assert [row["feed"] for row in ask(offers([{"input": "1"}, {"input": "1", **host}]))] == [
            "models-dev"
        ]
        assert ask(offers([{"input": "1", **host}])) == []

    def test_yuan_is_never_divided_by_dollars(self) -> None:
        mainland = {**self.CHINA, "feed": "models-dev"}  # so that it is known to be the same model
        frame = offers([{"input": "1.2"}, {"input": "9", **mainland}])
        ratios = {row["currency"]: row["ratio_input"] for row in ask(frame)}
        assert ratios == {"USD": 1.0, "CNY": 1.0}
        other = {**mainland, "model": "alibaba-cn/qwen-max"}
        frame = offers([{"input": "1.2"}, {"input": "9", **other}])
        ratios = {row["currency"]: row["ratio_input"] for row in ask(frame)}
        assert ratios == {"USD": 1.0, "CNY": None}

    def test_a_cross_check_is_marked_where_another_feed_lists_the_model(self) -> None:
        """It is no baseline there, though it is cheaper; where it is alone it is one."""

        def answer(*rows: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
            told = ask(offers(rows), directory=SAME)
            return {
                f"{row['feed']} {row['region']}": plain(row, "cross_check", "ratio_input")
                for row in told
            }

        check = {"input": "1", **self.CHECK}
        assert answer({"input": "2"}, check) == {
            "models-dev intl": (False, 1.0),
            "litellm intl": (True, 0.5),
        }
        assert answer(check) == {"litellm intl": (False, 1.0)}
        # A price for mainland China is another one than that for everywhere else.
        assert answer({"input": "2", "region": "cn"}, check) == {
            "models-dev cn": (False, 1.0),
            "litellm intl": (False, 1.0),
        }
        # A route price is no list price.
        route = {"input": "2", "feed": "openrouter-models", "basis": "route"}
        assert answer(route, check)["litellm intl"] == (False, 1.0)


class TestRecorded:
    """Prices of known days, through parser, store and question."""

    AT = datetime(2026, 2, 20, 12, tzinfo=UTC)

    def told(self, recordings: Path, folder: Path, *patterns: str) -> Cache:
        cache = Cache(folder)
        paths = [path for one in patterns for path in recordings.glob(one)]
        for path in sorted(paths, key=lambda path: path.name.removeprefix("api_")):
            stamp = path.name.removeprefix("api_").partition(".")[0]
            form, feed = ("%Y-%m-%dT%H%MZ", "openrouter-models")
            if len(stamp) == 10:
                form, feed = ("%Y-%m-%d", "models-dev")
            when = datetime.strptime(stamp, form).replace(tzinfo=UTC)
            cache.poll(gzip.decompress(path.read_bytes()), when, feed)
        return cache

    @pytest.mark.parametrize(
        ("baseline", "basis", "given", "taken"),
        [
            # 5 ÷ 0.3 and 25 ÷ 1.1; 25 ÷ 2.55; the list price of M2.5 is 0.3/1.2, of GLM-5 1/3.2.
            ("minimax/minimax-m2.5", "route", "16.7", "22.7"),
            ("minimax/minimax-m2.5", "list", "16.7", "20.8"),
            ("zhipuai/glm-5", "route", "16.7", "9.8"),
            ("zhipuai/glm-5", "list", "5.0", "7.8"),
        ],
    )
    def test_the_published_ratios_of_claude_opus(
        self,
        recordings: Path,
        tmp_path: Path,
        baseline: str,
        basis: str,
        given: str,
        taken: str,
    ) -> None:
        cache = self.told(
            recordings,
            tmp_path,
            "prices/openrouter/models/2026-02-20T0036Z*",
            "prices/models.dev/generated/api_2026-02-20*",
        )
        (opus,) = (
            row
            for row in cache.rows(self.AT, baseline=baseline)
            if (row["model"], row["basis"], row["variant"])
            == ("anthropic/claude-opus-4-6", basis, "")
        )
        assert (opus["input"], opus["output"]) == (5, 25)
        assert (f"{opus['ratio_input']:.1f}", f"{opus['ratio_output']:.1f}") == (given, taken)

    def test_qwens_cut_of_march(self, recordings: Path, tmp_path: Path) -> None:
        cache = self.told(recordings, tmp_path, "prices/openrouter/models/2026-03-0[2-6]*")
        before = cache.of("alibaba/qwen-max", datetime(2026, 3, 3, 13, tzinfo=UTC))
        after = cache.of("alibaba/qwen-max", datetime(2026, 3, 6, 13, tzinfo=UTC))
        assert plain(before, "input", "output") == ("1.6", "6.4")
        assert plain(after, "input", "output", "previous_input", "previous_output") == (
            *("1.04", "4.16"),
            *("1.6", "6.4"),
        )
        assert after["input"] / before["input"] == after["output"] / before["output"]
        assert after["input"] / before["input"] == Decimal("0.65")
        assert after["changed_at"].date().isoformat() == "2026-03-04"

    def test_nineteen_ids_that_were_away_for_a_day(self, recordings: Path, tmp_path: Path) -> None:
        cache = self.told(recordings, tmp_path, "prices/openrouter/models/2026-01-1[567]*")

        def qwen(at: datetime) -> set[str]:
            return {row["source_id"] for row in cache.rows(at) if row["vendor"] == "alibaba"}

        before = qwen(datetime(2026, 1, 15, 13, tzinfo=UTC))
        assert len(before) > 20
        assert before <= qwen(datetime(2026, 1, 16, 13, tzinfo=UTC))
        listed = cache.store.cached(PRICE_TABLE).filter(~pl.col("listed"))
        assert listed["model"].n_unique() >= 11  # they did vanish from the feed

    def test_a_paid_model_at_nothing_for_two_captures(
        self, recordings: Path, tmp_path: Path
    ) -> None:
        """moonshotai/kimi-k2.5 stood at 0/0 in both captures of 2026-04-18."""
        cache = self.told(recordings, tmp_path, "prices/openrouter/models/2026-04-1[789]*")
        seen = {
            f"{day} {hour}": plain(
                cache.of("moonshotai/kimi-k2.5", datetime(2026, 4, day, hour, tzinfo=UTC)), "input"
            )[0]
            for day, hour in ((17, 13), (18, 1), (19, 13))
        }
        assert seen["17 13"] == seen["19 13"] not in (None, "0")
        assert seen["18 1"] is None
