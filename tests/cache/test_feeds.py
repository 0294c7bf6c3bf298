"""The feeds' parsers on hand-written fixtures, and which addresses the feeds ask for."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds import (
    CREDITS,
    FEEDS,
    models_dev,
    openrouter_models,
    openrouter_rankings,
    vercel_leaderboard,
)
from qwenwatch_cache.feeds.feed import Done, Parsed, Request
from qwenwatch_cache.feeds.money import RefusedPrice, amount_of, kept, per_million
from qwenwatch_cache.frames import PRICE_FIELDS, TABLES
from tests.feedserver import FIXTURE_NOW
from tests.feedserver.bodies import FIXTURES
from tests.feedserver.mutations import empty_list, other_type, renamed_field, truncated

PROPERTY = settings(deadline=None, database=None, max_examples=80)

FILES = {
    "openrouter-rankings": "rankings-daily.json",
    "openrouter-models": "models.json",
    "models-dev": "models-dev.json",
    "vercel-leaderboard": "vercel-models.json",
}


def vercel_models(body: bytes, fetched_at: datetime) -> Parsed:
    return vercel_leaderboard.parse(body, fetched_at, "model")


PARSERS: dict[str, Callable[[bytes, datetime], Parsed]] = {
    "openrouter-rankings": openrouter_rankings.parse,
    "openrouter-models": openrouter_models.parse,
    "models-dev": models_dev.parse,
    "vercel-leaderboard": vercel_models,
}


def fixture(feed: str) -> bytes:
    return (FIXTURES / FILES[feed]).read_bytes()


def parsed(feed: str) -> Parsed:
    return PARSERS[feed](fixture(feed), FIXTURE_NOW)


def rows_of(frame: pl.DataFrame, **values: Any) -> list[dict[str, Any]]:
    """Rows with these values."""
    return frame.filter(*(pl.col(name) == value for name, value in values.items())).to_dicts()


def money(row: dict[str, Any]) -> dict[str, Decimal]:
    """The price columns that are known, as exact numbers without trailing zeros."""
    return {name: row[name].normalize() for name in PRICE_FIELDS if row[name] is not None}


def dec(**prices: str) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in prices.items()}


class TestMoney:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0.0000016", "1.6"),  # in float64: 1.5999999999999999
            ("0.00000104", "1.04"),
            ("0.00003", "30"),
            ("1e-7", "0.1"),
            ("0", "0"),
            ("-0", "0"),
            ("0.00000020000000000000002", "0.2"),  # seen in the feed
            ("0.0000000416666666666667", "0.041666666667"),  # seen too; rounded, not cut
            ("0.001", "1000"),
        ],
    )
    def test_per_token_to_per_million(self, text: str, expected: str) -> None:
        assert per_million(text) == Decimal(expected)

    def test_minus_one_is_unknown(self) -> None:
        assert per_million("-1") is None
        assert amount_of("-1") is None
        assert per_million("-1.0") is None

    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            ("", "not a number"),
            ("free", "not a number"),
            ("NaN", "not a number"),
            ("sNaN", "not a number"),
            ("Infinity", "not a number"),
            ("-0.000001", "negative"),
            ("-1e999999999", "negative"),
            ("-2", "negative"),
            ("0.0010001", "above the bound"),
            ("1e999999999", "above the bound"),
            ("1e-30", "below the bound"),
            ("1e-999999999", "below the bound"),
        ],
    )
    def test_what_cannot_be_a_price_is_refused_by_rule(self, text: str, rule: str) -> None:
        with pytest.raises(RefusedPrice) as refused:
            per_million(text)
        assert refused.value.rule == rule

    @pytest.mark.parametrize(
        ("amount", "expected"),
        [
            (Decimal("0.30000000000000004"), "0.3"),  # models.dev states such numbers
            (Decimal("0.39999999999999997"), "0.4"),
            (Decimal("0.1435"), "0.1435"),
            (Decimal(1000), "1000"),
            (Decimal("0E-999999999"), "0"),
        ],
    )
    def test_float_noise_is_rounded_off(self, amount: Decimal, expected: str) -> None:
        assert kept(amount) == Decimal(expected)

    @PROPERTY
    @given(st.decimals(0, 1000, places=12))
    def test_every_amount_with_twelve_decimals_is_kept_exactly(self, amount: Decimal) -> None:
        assert kept(amount) == amount
        assert per_million(f"{amount.scaleb(-6):f}") == amount
        assert amount_of(str(amount)) == amount


class TestOpenRouterModels:
    def test_every_entry_is_kept_or_refused_by_rule(self) -> None:
        answer = parsed("openrouter-models")
        assert answer.rows == 15
        assert dict(answer.refused) == {"alias of another row": 1}
        assert answer.frames["catalog"].height == 14
        assert answer.frames["price"].height == 21

    def test_ladder_of_long_prompts(self) -> None:
        rows = rows_of(parsed("openrouter-models").frames["price"], model="qwen/qwen3-max")
        assert {row["tier_from"]: money(row) for row in rows} == {
            0: dec(input="1", output="4", cache_read="0.2", cache_write="1.25"),
            32_000: dec(input="2", output="8", cache_read="0.4", cache_write="2.5"),
            128_000: dec(input="3", output="12", cache_read="0.6", cache_write="3.75"),
        }
        assert {row["window_utc"] for row in rows} == {""}

    def test_a_tier_inherits_what_it_does_not_state(self) -> None:
        rows = rows_of(
            parsed("openrouter-models").frames["price"], model="google/gemini-3.1-pro-preview"
        )
        same = dec(reasoning="12", image="0.000002")
        assert {row["tier_from"]: money(row) for row in rows} == {
            0: dec(input="2", output="12", cache_read="0.2", audio_input="2") | same,
            200_000: dec(input="4", output="18", cache_read="0.4", audio_input="4") | same,
        }

    def test_times_of_day_are_kept_as_tiles_without_the_base(self) -> None:
        rows = rows_of(
            parsed("openrouter-models").frames["price"], model="deepseek/deepseek-v4-pro"
        )
        low, high = dec(input="0.5", output="1"), dec(input="1", output="2")
        assert {row["window_utc"]: money(row) for row in rows} == {
            "1000-0100": low,
            "0100-0400": high,
            "0400-0600": low,
            "0600-1000": high,
        }
        assert {row["tier_from"] for row in rows} == {0}

    def test_per_request_and_per_search_prices_are_not_times_a_million(self) -> None:
        row = rows_of(
            parsed("openrouter-models").frames["price"],
            model="anthropic/claude-sonnet-4.6",
            variant="",
        )[0]
        assert money(row) == dec(
            input="3",
            output="15",
            cache_read="0.3",
            cache_write="3.75",
            cache_write_1h="6",
            web_search="0.01",
        )

    def test_variants_are_split_off_the_id(self) -> None:
        prices = parsed("openrouter-models").frames["price"]
        variants = prices.filter(pl.col("variant") != "").select(
            "model", "variant", "input", "output"
        )
        assert variants.rows() == [
            ("qwen/qwen3-coder", "free", Decimal(0), Decimal(0)),
            ("anthropic/claude-sonnet-4.6", "batch", Decimal("1.5"), Decimal("7.5")),
        ]
        assert not prices["model"].str.contains(":", literal=True).any()

    def test_unknown_is_null_and_never_zero(self) -> None:
        prices = parsed("openrouter-models").frames["price"]
        assert money(rows_of(prices, model="openrouter/auto")[0]) == {}
        assert money(rows_of(prices, model="openai/gpt-4")[0]) == dec(input="30", output="60")
        zero = rows_of(prices, model="stealth/ox-alpha")[0]
        assert money(zero) == dec(input="0", output="0")

    def test_aliases_are_not_models_of_their_own(self) -> None:
        frames = parsed("openrouter-models").frames
        for frame in (frames["price"], frames["catalog"]):
            assert not frame["model"].str.starts_with("~").any()

    def test_every_price_says_what_it_is(self) -> None:
        prices = parsed("openrouter-models").frames["price"]
        columns = ["feed", "basis", "provider", "region", "currency", "listed", "observed_at"]
        assert prices.select(columns).unique().rows() == [
            ("openrouter-models", "route", "openrouter", "", "USD", True, FIXTURE_NOW)
        ]

    def test_catalogue(self) -> None:
        catalog = parsed("openrouter-models").frames["catalog"]
        free = rows_of(catalog, model="qwen/qwen3-coder:free")[0]
        assert free["usage_slug"] == "qwen/qwen3-coder-480b-a35b-07-25:free"
        assert free["open_weights"] is True
        assert free["created"] == datetime(2025, 7, 23, 0, 29, 6, tzinfo=UTC)
        closed = rows_of(catalog, model="qwen/qwen3-max")[0]
        assert closed["open_weights"] is None  # not stated is not "closed"
        assert closed["context_length"] == 262_144
        assert rows_of(catalog, model="stealth/ox-alpha")[0]["expires"] is None  # 2098-12-31
        old = rows_of(catalog, model="mistralai/mistral-small-3.2-24b-instruct")[0]
        assert old["usage_slug"] == "mistralai/mistral-small-3.2-24b-instruct"

    def test_a_real_expiry_is_kept(self) -> None:
        body = one_model(expiration_date="2026-10-01")
        catalog = openrouter_models.parse(body, FIXTURE_NOW).frames["catalog"]
        assert catalog["expires"].to_list() == [date(2026, 10, 1)]

    @pytest.mark.parametrize(
        "windows",
        [
            [(0, 1200)],  # half of the day
            [(0, 1200), (0, 1200)],  # 24 hours in all, yet the afternoon has no price
            [(0, 1300), (1200, 2400)],  # overlap
            [(100, 400), (500, 100)],  # a gap of one hour
        ],
    )
    def test_windows_that_do_not_tile_the_day_leave_the_base(
        self, windows: list[tuple[int, int]]
    ) -> None:
        overrides = [{"utc_start": a, "utc_end": b, "prompt": "0.000009"} for a, b in windows]
        prices = openrouter_models.parse(one_model(overrides=overrides), FIXTURE_NOW).frames[
            "price"
        ]
        assert prices.select("window_utc", "input").rows() == [("", Decimal(1))]

    @pytest.mark.parametrize(
        "windows", [[(0, 2400)], [(500, 500)], [(0, 1200), (1200, 2400)], [(30, 1745), (1745, 30)]]
    )
    def test_windows_that_tile_the_day_replace_the_base(
        self, windows: list[tuple[int, int]]
    ) -> None:
        overrides = [{"utc_start": a, "utc_end": b, "prompt": "0.000009"} for a, b in windows]
        prices = openrouter_models.parse(one_model(overrides=overrides), FIXTURE_NOW).frames[
            "price"
        ]
        assert prices["window_utc"].to_list() == [f"{a:04d}-{b:04d}" for a, b in windows]
        assert prices["input"].to_list() == [Decimal(9)] * len(windows)
        assert prices["output"].to_list() == [Decimal(2)] * len(windows)  # inherited

    @pytest.mark.parametrize(
        ("prompt", "rule"),
        [
            ("-0.000001", "negative"),
            ("0.3", "above the bound"),
            ("three", "not a number"),
            ("1e-30", "below the bound"),
        ],
    )
    def test_an_impossible_price_costs_its_model_only(self, prompt: str, rule: str) -> None:
        document = json.loads(fixture("openrouter-models"))
        document["data"][0]["pricing"]["prompt"] = prompt
        answer = openrouter_models.parse(json.dumps(document).encode(), FIXTURE_NOW)
        assert dict(answer.refused) == {"alias of another row": 1, rule: 1}
        assert answer.frames["catalog"].height == 13
        assert rows_of(answer.frames["price"], model="qwen/qwen3-max") == []

    def test_an_impossible_tier_leaves_no_half_of_its_model(self) -> None:
        document = json.loads(fixture("openrouter-models"))
        document["data"][0]["pricing"]["overrides"][1]["completion"] = "0.9"
        answer = openrouter_models.parse(json.dumps(document).encode(), FIXTURE_NOW)
        assert answer.refused["above the bound"] == 1
        assert rows_of(answer.frames["price"], model="qwen/qwen3-max") == []

    def test_one_row_of_another_shape_costs_itself_only(self) -> None:
        document = json.loads(fixture("openrouter-models"))
        document["data"][0]["pricing"]["prompt"] = 0.000001
        answer = openrouter_models.parse(json.dumps(document).encode(), FIXTURE_NOW)
        assert answer.refused["another shape than documented"] == 1
        assert answer.frames["catalog"].height == 13

    @pytest.mark.parametrize(
        "field", [{"created": 10**18}, {"context_length": 2**70}, {"context_length": -1}]
    )
    def test_numbers_that_no_column_holds_are_bad_rows(self, field: dict[str, int]) -> None:
        with pytest.raises(FeedError, match=next(iter(field))):
            openrouter_models.parse(one_model(**field), FIXTURE_NOW)


def one_model(overrides: Any = None, **fields: Any) -> bytes:
    pricing = {"prompt": "0.000001", "completion": "0.000002", "overrides": overrides}
    return json.dumps(
        {"data": [{"id": "a/b", "name": "A: B", "pricing": pricing, **fields}]}
    ).encode()


class TestModelsDev:
    def test_every_entry_is_kept_or_refused_by_rule(self) -> None:
        answer = parsed("models-dev")
        assert answer.rows == 12
        assert dict(answer.refused) == {"not a vendor's own provider": 3, "no price stated": 1}
        prices = answer.frames["price"]
        assert prices.select("provider", "model").unique().height == 12 - 3 - 1
        assert prices.height == 11
        assert answer.frames["catalog"].height == 9

    def test_tiers(self) -> None:
        rows = rows_of(parsed("models-dev").frames["price"], model="alibaba/qwen3-max")
        assert {row["tier_from"]: money(row) for row in rows} == {
            0: dec(input="1.2", output="6"),
            32_000: dec(input="2.4", output="12"),
            128_000: dec(input="3", output="15"),
        }

    def test_the_legacy_copy_of_a_tier_is_not_a_second_one(self) -> None:
        rows = rows_of(parsed("models-dev").frames["price"], model="alibaba/qwen3.7-plus")
        assert sorted(row["tier_from"] for row in rows) == [0, 256_000]

    def test_the_legacy_tier_alone_is_one(self) -> None:
        cost = {"input": 1, "output": 2, "cache_read": 0.1, "context_over_200k": {"input": 2.5}}
        prices = models_dev.parse(one_list_price(cost), FIXTURE_NOW).frames["price"]
        assert {row["tier_from"]: money(row) for row in prices.to_dicts()} == {
            0: dec(input="1", output="2", cache_read="0.1"),
            200_000: dec(input="2.5", output="2", cache_read="0.1"),
        }

    def test_only_vendors_own_providers_with_their_regions(self) -> None:
        prices = parsed("models-dev").frames["price"]
        assert set(prices.select("provider", "region").iter_rows()) == {
            ("alibaba", "intl"),
            ("alibaba-cn", "cn"),
            ("anthropic", "global"),
            ("zhipuai", "cn"),
        }
        assert prices["basis"].unique().to_list() == ["list"]

    def test_the_same_model_in_two_regions_keeps_both_prices(self) -> None:
        prices = parsed("models-dev").frames["price"]
        mainland = rows_of(prices, model="alibaba-cn/qwen3-max")
        assert [money(row) for row in mainland] == [dec(input="0.8", output="3.2")]

    def test_another_vendors_model_is_refused(self) -> None:
        document = json.loads(fixture("models-dev"))
        document["alibaba-cn"]["models"]["deepseek-v4-flash"] = {
            "name": "DeepSeek V4 Flash",
            "cost": {"input": 0.1, "output": 0.2},
        }
        answer = models_dev.parse(json.dumps(document).encode(), FIXTURE_NOW)
        assert answer.rows == 13
        assert answer.refused["another vendor's model"] == 1
        for frame in answer.frames.values():
            assert rows_of(frame, model="alibaba-cn/deepseek-v4-flash") == []

    def test_stated_zero_is_zero_and_missing_is_null(self) -> None:
        prices = parsed("models-dev").frames["price"]
        assert money(rows_of(prices, model="zhipuai/glm-5.2")[0]) == dec(
            input="1", output="3", cache_read="0.2", cache_write="0"
        )
        assert money(rows_of(prices, model="zhipuai/glm-4.5-flash")[0]) == dec(
            input="0", output="0"
        )

    def test_a_model_without_cost_is_in_the_catalogue_without_a_price(self) -> None:
        frames = parsed("models-dev").frames
        row = rows_of(frames["catalog"], model="alibaba/qwen-omni-turbo")[0]
        assert (row["name"], row["context_length"], row["open_weights"]) == (
            "Qwen Omni Turbo",
            32_768,
            False,
        )
        assert row["created"] == datetime(2025, 1, 19, tzinfo=UTC)
        assert rows_of(frames["price"], model="alibaba/qwen-omni-turbo") == []

    def test_numbers_are_read_as_written(self) -> None:
        body = one_list_price({"input": 0.1435, "output": 0.30000000000000004})
        prices = models_dev.parse(body, FIXTURE_NOW).frames["price"]
        assert money(prices.row(0, named=True)) == dec(input="0.1435", output="0.3")

    @pytest.mark.parametrize(
        ("cost", "rule"),
        [
            ({"input": -1, "output": 2}, "negative"),
            ({"input": 1001, "output": 2}, "above the bound"),
            ({"input": "NaN", "output": 2}, "not a number"),
            ({"input": 1e-300, "output": 2}, "below the bound"),
        ],
    )
    def test_impossible_prices_are_refused_by_rule(self, cost: dict[str, Any], rule: str) -> None:
        answer = models_dev.parse(one_list_price(cost), FIXTURE_NOW)
        assert dict(answer.refused) == {rule: 1}
        assert answer.frames["price"].is_empty()

    def test_a_bad_tier_leaves_no_half_of_its_model(self) -> None:
        tier = {"input": -3, "tier": {"type": "context", "size": 32_000}}
        answer = models_dev.parse(
            one_list_price({"input": 1, "output": 2, "tiers": [tier]}), FIXTURE_NOW
        )
        assert dict(answer.refused) == {"negative": 1}
        assert answer.frames["price"].is_empty()

    def test_without_a_known_vendor_it_is_another_document(self) -> None:
        with pytest.raises(FeedError, match="no vendor that this program knows"):
            models_dev.parse(b'{"openrouter": {"models": {"a/b": {}}}}', FIXTURE_NOW)


def one_list_price(cost: dict[str, Any]) -> bytes:
    return json.dumps({"alibaba": {"models": {"qwen3-max": {"name": "Q", "cost": cost}}}}).encode()


class TestRankings:
    def test_rows(self) -> None:
        answer = parsed("openrouter-rankings")
        usage = answer.frames["usage"]
        assert answer.rows == usage.height == 2 * 7 * 8 + 3 * 7 * 9
        assert not any(answer.refused.values())
        row = rows_of(
            usage, period=date(2026, 8, 16), entity="deepseek/deepseek-v4-flash-20260423"
        )[0]
        assert row["value"] == 50_000_000_000
        assert (row["feed"], row["metric"], row["kind"], row["grain"], row["share"]) == (
            "openrouter-rankings",
            "tokens",
            "model",
            "day",
            None,
        )
        assert row["as_of"] == row["observed_at"] == FIXTURE_NOW

    def test_as_of_is_the_sources_own(self) -> None:
        body = ranking_rows(meta={"as_of": "2026-08-22T02:05:00+02:00"})
        usage = openrouter_rankings.parse(body, FIXTURE_NOW).frames["usage"]
        assert usage["as_of"].to_list() == [datetime(2026, 8, 22, 0, 5, tzinfo=UTC)]

    def test_tokens_are_exact_beyond_what_a_float_holds(self) -> None:
        usage = openrouter_rankings.parse(
            ranking_rows(total_tokens="9007199254740993"), FIXTURE_NOW
        ).frames["usage"]
        assert usage["value"].to_list() == [9_007_199_254_740_993]

    @pytest.mark.parametrize(
        "tokens", ["", "1.5", "-3", "1e9", "1_000", " 7", "٣", "1" * 19, "1" * 5000]
    )
    def test_what_is_no_count_refuses_the_answer(self, tokens: str) -> None:
        with pytest.raises(FeedError, match=r"total_tokens of a/b on 2026-08-01"):
            openrouter_rankings.parse(ranking_rows(total_tokens=tokens), FIXTURE_NOW)

    @pytest.mark.parametrize("as_of", ["yesterday", "0001-01-01T00:00+23:00", "2026-13-01"])
    def test_an_impossible_as_of_names_the_field(self, as_of: str) -> None:
        with pytest.raises(FeedError, match=r"meta\.as_of"):
            openrouter_rankings.parse(ranking_rows(meta={"as_of": as_of}), FIXTURE_NOW)

    def test_an_empty_list_is_a_fault(self) -> None:
        with pytest.raises(FeedError, match="no rows"):
            openrouter_rankings.parse(b'{"data": []}', FIXTURE_NOW)

    def test_a_model_twice_on_a_day_is_a_fault(self) -> None:
        row = {"date": "2026-08-01", "model_permaslug": "a/b", "total_tokens": "5"}
        with pytest.raises(FeedError, match="a/b stands twice on 2026-08-01"):
            openrouter_rankings.parse(json.dumps({"data": [row, row]}).encode(), FIXTURE_NOW)

    @pytest.mark.parametrize("field", ["date", "model_permaslug", "total_tokens"])
    def test_a_renamed_or_retyped_field_is_named(self, field: str) -> None:
        document = json.loads(ranking_rows())
        document["data"][0]["renamed"] = document["data"][0].pop(field)
        with pytest.raises(FeedError, match=field):
            openrouter_rankings.parse(json.dumps(document).encode(), FIXTURE_NOW)
        document["data"][0][field] = 5
        with pytest.raises(FeedError, match=field):
            openrouter_rankings.parse(json.dumps(document).encode(), FIXTURE_NOW)

    def test_new_fields_are_let_through(self) -> None:
        body = ranking_rows(total_requests=7, meta={"version": "v1", "new": [1]})
        assert openrouter_rankings.parse(body, FIXTURE_NOW).rows == 1


def ranking_rows(meta: dict[str, Any] | None = None, **fields: Any) -> bytes:
    row = {"date": "2026-08-01", "model_permaslug": "a/b", "total_tokens": "5", **fields}
    return json.dumps({"data": [row], "meta": meta or {}}).encode()


class TestVercel:
    def test_percent_become_fractions_and_the_running_day_is_left_out(self) -> None:
        answer = parsed("vercel-leaderboard")
        usage = answer.frames["usage"]
        assert answer.rows == 3 * 7 * 15 + 6
        assert sum(answer.refused.values()) == 6  # two names of 2026-08-17 for each metric
        assert usage.height == 3 * 7 * 15
        assert usage["period"].max() == date(2026, 8, 16)
        day = rows_of(usage, period=date(2026, 8, 10), metric="tokens")
        assert {row["entity"]: row["share"] for row in day} == {
            "DeepSeek V4 Flash": 0.32,
            "Claude Sonnet 4.6": 0.24,
            "GPT 5.4": 0.18,
            "Qwen3 Max": 0.12,
            "other": 0.14,
        }
        assert {row["value"] for row in day} == {None}

    def test_the_day_is_over_once_it_is_in_utc(self) -> None:
        later = vercel_models(fixture("vercel-leaderboard"), FIXTURE_NOW + timedelta(hours=12))
        assert later.frames["usage"]["period"].max() == date(2026, 8, 17)
        assert sum(later.refused.values()) == 0

    def test_labs_are_a_kind_of_their_own(self) -> None:
        body = (FIXTURES / "vercel-labs.json").read_bytes()
        usage = vercel_leaderboard.parse(body, FIXTURE_NOW, "lab").frames["usage"]
        assert usage["kind"].unique().to_list() == ["lab"]
        day = rows_of(usage, period=date(2026, 8, 3), metric="spend")
        assert {row["entity"]: row["share"] for row in day} == {
            "Anthropic": 0.54,
            "OpenAI": 0.33,
            "Alibaba": 0.06,
            "Z.ai": 0.04,
            "DeepSeek": 0.03,
        }

    def test_metrics_that_are_not_followed_are_counted(self) -> None:
        answer = vercel_models(share_rows(metric="imageCount"), FIXTURE_NOW)
        assert answer.frames["usage"].is_empty()
        assert sum(answer.refused.values()) == answer.rows == 1

    @pytest.mark.parametrize("share", [-0.1, 101, 1e300])
    def test_a_share_that_cannot_be_refuses_the_answer(self, share: float) -> None:
        with pytest.raises(FeedError, match="share_percent of 'X' on 2026-08-01"):
            vercel_models(share_rows(share_percent=share), FIXTURE_NOW)

    def test_empty_and_double_are_faults(self) -> None:
        with pytest.raises(FeedError, match="no rows"):
            vercel_models(b'{"rows": []}', FIXTURE_NOW)
        rows = json.loads(share_rows())["rows"] * 2
        with pytest.raises(FeedError, match="X stands twice on 2026-08-01"):
            vercel_models(json.dumps({"rows": rows}).encode(), FIXTURE_NOW)

    def test_a_retyped_field_is_named(self) -> None:
        with pytest.raises(FeedError, match="share_percent"):
            vercel_models(share_rows(share_percent="5"), FIXTURE_NOW)


def share_rows(**fields: Any) -> bytes:
    row = {"date": "2026-08-01", "group": "model", "name": "X", "metric": "tokens"}
    return json.dumps({"rows": [{**row, "share_percent": 5, **fields}]}).encode()


class TestFaults:
    """What a broken body makes of every feed: one error that names the feed."""

    @pytest.mark.parametrize("feed", PARSERS)
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"", "empty body"),
            (b"  \n", "empty body"),
            (b"<!DOCTYPE html><html></html>", "web page"),
            (b"null", "another shape"),
            (b"[]", "another shape"),
            (b'{"a": ' + b"[" * 100_000, "not JSON"),
            (b"{nope}", "not JSON"),
        ],
    )
    def test_not_the_documented_shape(self, feed: str, body: bytes, words: str) -> None:
        if feed == "models-dev" and body.startswith(b'{"a'):
            words = "."  # here any key is a provider: it fails on what is below
        with pytest.raises(FeedError, match=words) as failed:
            PARSERS[feed](body, FIXTURE_NOW)
        assert str(failed.value).startswith(f"{feed}: ")

    @pytest.mark.parametrize("feed", PARSERS)
    def test_text_that_is_not_utf_8(self, feed: str) -> None:
        body = fixture(feed)
        for name in (b"qwen/qwen3-max", b"Qwen3 Max"):
            body = body.replace(name, b"\xff" * len(name))
        assert body != fixture(feed)
        assert_answer_or_feed_error(feed, body)

    @pytest.mark.parametrize("feed", PARSERS)
    def test_half_a_body_says_where_it_ends(self, feed: str) -> None:
        body = truncated(feed, fixture(feed))
        with pytest.raises(FeedError, match=f"cut off after {len(body):,} bytes"):
            PARSERS[feed](body, FIXTURE_NOW)

    @pytest.mark.parametrize("feed", PARSERS)
    def test_no_rows(self, feed: str) -> None:
        with pytest.raises(FeedError, match=feed):
            PARSERS[feed](empty_list(feed, fixture(feed)), FIXTURE_NOW)

    @pytest.mark.parametrize(
        ("feed", "field"),
        [
            ("openrouter-rankings", "total_tokens"),
            ("openrouter-models", "prompt"),
            ("models-dev", "input"),
            ("vercel-leaderboard", "share_percent"),
        ],
    )
    def test_a_field_renamed_everywhere_is_named(self, feed: str, field: str) -> None:
        with pytest.raises(FeedError, match=field):
            PARSERS[feed](renamed_field(feed, fixture(feed)), FIXTURE_NOW)

    @pytest.mark.parametrize(
        ("feed", "field"),
        [
            ("openrouter-rankings", "total_tokens"),
            ("openrouter-models", "prompt"),
            ("vercel-leaderboard", "share_percent"),
        ],
    )
    def test_a_field_retyped_everywhere_is_named(self, feed: str, field: str) -> None:
        with pytest.raises(FeedError, match=field):
            PARSERS[feed](other_type(feed, fixture(feed)), FIXTURE_NOW)

    def test_models_dev_prices_as_strings_are_the_same_prices(self) -> None:
        as_text = models_dev.parse(other_type("models-dev", fixture("models-dev")), FIXTURE_NOW)
        assert as_text.frames["price"].equals(parsed("models-dev").frames["price"])


WEIRD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["-1", "0", "NaN", "sNaN", "1e999999999", "-1e999999999", "1e-999999999"]),
    st.sampled_from(["2026-08-01", "0001-01-01", "9999-12-31", "Other", "other", "x:free", "~x"]),
)
JSON = st.recursive(
    WEIRD,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)


def near(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Rows with the right fields, mostly with the right values."""
    return st.fixed_dictionaries(
        required, optional={key: value | WEIRD for key, value in optional.items()}
    )


DIGITS = st.integers(0, 2**70).map(str)
MONEY = st.decimals(-2, 10, allow_nan=False).map(str)
ROWS = {
    "openrouter-rankings": near(
        {
            "date": st.dates().map(str) | WEIRD,
            "model_permaslug": st.text(),
            "total_tokens": DIGITS | WEIRD,
        },
        {},
    ),
    "vercel-leaderboard": near(
        {
            "date": st.dates().map(str) | WEIRD,
            "group": st.just("model"),
            "name": st.text(),
            "metric": st.sampled_from(["tokens", "spend", "videoCount"]),
            "share_percent": st.floats(-1, 102) | WEIRD,
        },
        {},
    ),
    "openrouter-models": near(
        {
            "id": st.text(),
            "name": st.text(),
            "pricing": near(
                {"prompt": MONEY, "completion": MONEY},
                {
                    "request": MONEY,
                    "image": WEIRD,
                    "overrides": st.lists(
                        near(
                            {},
                            {
                                "utc_start": st.integers(0, 2400),
                                "utc_end": st.integers(0, 2400),
                                "min_prompt_tokens": st.integers(0, 10**6),
                                "prompt": MONEY,
                            },
                        ),
                        max_size=3,
                    ),
                },
            ),
        },
        {"created": st.integers(0, 2**33), "context_length": WEIRD, "expiration_date": WEIRD},
    ),
    "models-dev": near(
        {},
        {
            "name": st.text(),
            "cost": near(
                {"input": st.floats(-1, 1100), "output": st.floats(-1, 1100)},
                {
                    "cache_read": WEIRD,
                    "tiers": st.lists(
                        st.fixed_dictionaries(
                            {
                                "tier": st.fixed_dictionaries(
                                    {"type": st.just("context"), "size": WEIRD}
                                )
                            }
                        ),
                        max_size=2,
                    ),
                },
            ),
            "release_date": WEIRD,
            "limit": st.fixed_dictionaries({"context": WEIRD}),
        },
    ),
}


def document(feed: str, rows: list[dict[str, Any]]) -> bytes:
    """Rows in the envelope of a feed."""
    if feed == "models-dev":
        models = {f"qwen{number}": row for number, row in enumerate(rows)}
        return json.dumps({"alibaba": {"models": models}}).encode()
    key = "rows" if feed == "vercel-leaderboard" else "data"
    return json.dumps({key: rows, "meta": {}}).encode()


def assert_answer_or_feed_error(feed: str, body: bytes) -> None:
    """The promise: frames of the declared schemas, or an error that names the feed."""
    try:
        answer = PARSERS[feed](body, FIXTURE_NOW)
    except FeedError as error:
        assert str(error).startswith(f"{feed}: ")
        return
    assert answer.rows > 0
    assert 0 <= sum(answer.refused.values()) <= answer.rows
    for name, frame in answer.frames.items():
        assert frame.schema == TABLES[name].schema


class TestArbitraryBodies:
    @pytest.mark.parametrize("feed", PARSERS)
    @PROPERTY
    @given(body=st.binary(max_size=200))
    def test_bytes(self, feed: str, body: bytes) -> None:
        assert_answer_or_feed_error(feed, body)

    @pytest.mark.parametrize("feed", PARSERS)
    @PROPERTY
    @given(value=JSON)
    @example(value={"data": [{"id": "a"}]})
    @example(value={"alibaba": {"models": {"qwen": None}}})
    def test_json(self, feed: str, value: Any) -> None:
        assert_answer_or_feed_error(feed, json.dumps(value).encode())

    @pytest.mark.parametrize("feed", PARSERS)
    @PROPERTY
    @given(data=st.data())
    def test_rows_that_are_nearly_right(self, feed: str, data: st.DataObject) -> None:
        rows = data.draw(st.lists(ROWS[feed], min_size=1, max_size=4))
        assert_answer_or_feed_error(feed, document(feed, rows))

    @pytest.mark.parametrize("feed", PARSERS)
    @PROPERTY
    @given(at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), keep=st.booleans())
    def test_a_good_body_with_a_byte_changed_or_cut_there(
        self, feed: str, at: float, byte: int, keep: bool
    ) -> None:
        body = fixture(feed)
        place = int(at * len(body))
        rest = body[place + 1 :] if keep else b""
        assert_answer_or_feed_error(feed, body[:place] + bytes([byte]) + rest)


def query(request: Request) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(request.path).query).items()}


def asked(path: str, started: datetime) -> Done:
    return Done(f"https://openrouter.ai{path}", started)


NOW = datetime(2026, 8, 22, 1, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2025, 10, 3), datetime(2035, 1, 1), timezones=st.just(UTC))


class TestRankingsPlan:
    def test_at_first_a_year_up_to_yesterday(self) -> None:
        (request,) = openrouter_rankings.plan(NOW, [])
        assert request.path == (
            "/api/v1/datasets/rankings-daily?start_date=2025-08-22&end_date=2026-08-21"
        )
        assert request.parse is openrouter_rankings.parse

    def test_after_a_full_round_only_what_is_new_and_three_days_again(self) -> None:
        (full,) = openrouter_rankings.plan(NOW, [])
        for hours, first in ((1, "2026-08-19"), (24, "2026-08-19"), (50, "2026-08-19")):
            (request,) = openrouter_rankings.plan(
                NOW + timedelta(hours=hours), [asked(full.path, NOW)]
            )
            last = (NOW + timedelta(hours=hours)).date() - timedelta(days=1)
            assert query(request) == {"start_date": first, "end_date": str(last)}

    def test_the_newest_round_counts(self) -> None:
        (full,) = openrouter_rankings.plan(NOW, [])
        short = "/x?start_date=2026-08-22&end_date=2026-08-24"
        rounds = [asked(full.path, NOW), asked(short, NOW + timedelta(days=3))]
        (request,) = openrouter_rankings.plan(NOW + timedelta(days=4), rounds)
        assert query(request) == {"start_date": "2026-08-22", "end_date": "2026-08-25"}

    def test_what_a_backfill_got_of_the_past_is_no_round(self) -> None:
        (full,) = openrouter_rankings.plan(NOW, [])
        later = NOW + timedelta(days=5)
        past = asked("/x?start_date=2025-01-01&end_date=2025-12-31", later)  # and no more came
        (request,) = openrouter_rankings.plan(later, [asked(full.path, NOW), past])
        assert query(request) == {"start_date": "2026-08-19", "end_date": "2026-08-26"}

    def test_everything_again_once_a_week(self) -> None:
        (full,) = openrouter_rankings.plan(NOW, [])
        week = timedelta(days=7)
        (before,) = openrouter_rankings.plan(
            NOW + week - timedelta(seconds=1), [asked(full.path, NOW)]
        )
        (after,) = openrouter_rankings.plan(NOW + week, [asked(full.path, NOW)])
        assert query(before)["start_date"] == "2026-08-19"
        assert query(after)["start_date"] == "2025-08-29"

    def test_short_rounds_never_stand_for_a_full_one(self) -> None:
        rounds = [asked("/x?start_date=2026-08-18&end_date=2026-08-21", NOW), Done("recorded", NOW)]
        (request,) = openrouter_rankings.plan(NOW + timedelta(hours=1), rounds)
        assert query(request)["start_date"] == "2025-08-22"

    def test_the_first_year_begins_with_the_data(self) -> None:
        (request,) = openrouter_rankings.plan(datetime(2025, 3, 1, tzinfo=UTC), [])
        assert query(request) == {"start_date": "2025-01-01", "end_date": "2025-02-28"}
        done = [asked(request.path, datetime(2025, 3, 1, tzinfo=UTC))]
        (request,) = openrouter_rankings.plan(datetime(2025, 3, 1, 5, tzinfo=UTC), done)
        assert query(request)["start_date"] == "2025-02-26"

    @PROPERTY
    @given(
        now=MOMENTS,
        rounds=st.lists(
            st.tuples(st.timedeltas(timedelta(days=-2), timedelta(days=500)), st.booleans())
        ),
    )
    def test_limits_hold_whatever_was_asked_before(
        self, now: datetime, rounds: list[tuple[timedelta, bool]]
    ) -> None:
        done = []
        for ago, full in rounds:
            moment = now - ago
            (once,) = openrouter_rankings.plan(moment, [])
            short = f"/x?start_date={moment.date()}&end_date={moment.date()}"
            done.append(asked(once.path if full else short, moment))
        (request,) = openrouter_rankings.plan(now, done)
        first, last = (date.fromisoformat(text) for text in query(request).values())
        assert date(2025, 1, 1) <= first <= last == now.date() - timedelta(days=1)
        assert (last - first).days + 1 <= 366
        # A day that was not over in the last round is asked for in this one.
        if done:
            newest = max(one.started for one in done).date()
            assert first <= max(newest, last - timedelta(days=364), date(2025, 1, 1))


def both_asked(started: datetime, last: date | None = None) -> list[Done]:
    """Both of Vercel's data sets were answered well, up to the day before if not to another."""
    last = last or started.date() - timedelta(days=1)
    days = f"from={last.replace(day=1)}&to={last}"
    return [
        asked(f"/api/ai/leaderboard-export?dataset={dataset}&format=json&{days}", started)
        for dataset in ("models", "labs")
    ]


def months_of(requests: Sequence[Request], dataset: str) -> list[str]:
    """First days asked of one data set."""
    asked_of = [query(one) for one in requests]
    return [one["from"] for one in asked_of if one["dataset"] == dataset]


class TestVercelPlan:
    def test_at_first_two_months_whole(self) -> None:
        requests = vercel_leaderboard.plan(NOW, [])
        assert [query(request) for request in requests] == [
            {"dataset": dataset, "format": "json", "from": first, "to": last}
            for dataset in ("models", "labs")
            for first, last in (("2026-07-01", "2026-07-31"), ("2026-08-01", "2026-08-21"))
        ]

    def test_a_data_set_that_failed_is_asked_for_as_at_first(self) -> None:
        models_only = both_asked(NOW - timedelta(days=1))[:1]
        requests = vercel_leaderboard.plan(NOW, models_only)
        assert months_of(requests, "models") == ["2026-08-01"]
        assert months_of(requests, "labs") == ["2026-07-01", "2026-08-01"]

    def test_then_the_running_month(self) -> None:
        requests = vercel_leaderboard.plan(NOW, both_asked(NOW - timedelta(days=1)))
        assert {(query(one)["from"], query(one)["to"]) for one in requests} == {
            ("2026-08-01", "2026-08-21")
        }

    @pytest.mark.parametrize(("day", "months"), [(1, ["08"]), (2, ["08", "09"]), (5, ["09"])])
    def test_early_in_a_month_the_one_before_again(self, day: int, months: list[str]) -> None:
        now = datetime(2026, 9, day, 6, tzinfo=UTC)
        requests = vercel_leaderboard.plan(now, both_asked(now - timedelta(hours=1)))
        for dataset in ("models", "labs"):
            assert months_of(requests, dataset) == [f"2026-{month}-01" for month in months]

    def test_a_pause_leaves_no_hole(self) -> None:
        requests = vercel_leaderboard.plan(NOW, both_asked(datetime(2026, 6, 20, tzinfo=UTC)))
        for dataset in ("models", "labs"):
            assert months_of(requests, dataset) == ["2026-06-01", "2026-07-01", "2026-08-01"]

    def test_what_a_backfill_got_of_the_past_is_no_round(self) -> None:
        rounds = both_asked(datetime(2026, 7, 20, tzinfo=UTC))
        past = both_asked(NOW, date(2025, 10, 31))  # and no more came
        requests = vercel_leaderboard.plan(NOW, [*rounds, *past])
        for dataset in ("models", "labs"):
            assert months_of(requests, dataset) == ["2026-07-01", "2026-08-01"]

    def test_nothing_before_the_data_begins(self) -> None:
        assert vercel_leaderboard.plan(datetime(2025, 10, 1, 5, tzinfo=UTC), []) == []
        requests = vercel_leaderboard.plan(datetime(2025, 10, 2, 5, tzinfo=UTC), [])
        assert {(query(one)["from"], query(one)["to"]) for one in requests} == {
            ("2025-10-01", "2025-10-01")
        }

    @PROPERTY
    @given(now=MOMENTS, ago=st.none() | st.timedeltas(timedelta(days=-2), timedelta(days=400)))
    def test_limits_hold_whatever_was_asked_before(
        self, now: datetime, ago: timedelta | None
    ) -> None:
        done = [] if ago is None else both_asked(now - ago)
        requests = vercel_leaderboard.plan(now, done)
        spans = [(query(one)["from"], query(one)["to"]) for one in requests]
        days = {
            date.fromisoformat(first) + timedelta(days=number)
            for first, last in spans
            for number in range((date.fromisoformat(last) - date.fromisoformat(first)).days + 1)
        }
        yesterday = now.date() - timedelta(days=1)
        assert all(first.endswith("-01") and first[:7] == last[:7] for first, last in spans)
        assert date(2025, 10, 1) <= min(days) and max(days) == yesterday
        if ago is not None:
            since = max(min((now - ago).date(), yesterday), date(2025, 10, 1))
            asked_again = {since + timedelta(days=n) for n in range((yesterday - since).days + 1)}
            assert asked_again <= days

    def test_each_data_set_is_read_as_its_kind(self) -> None:
        kinds = {}
        for request in vercel_leaderboard.plan(NOW, []):
            usage = request.parse(share_rows(share_percent=100), FIXTURE_NOW).frames["usage"]
            kinds[query(request)["dataset"]] = usage["kind"].to_list()
        assert kinds == {"models": ["model"], "labs": ["lab"]}


def test_a_day_whose_shares_do_not_add_up_is_refused() -> None:
    with pytest.raises(FeedError, match=r"shares of tokens on 2026-08-01 add up to 15\.0 %"):
        vercel_leaderboard.parse(share_rows(share_percent=15), FIXTURE_NOW, "model")


class TestRegistry:
    def test_every_feed_is_polite_and_cited(self) -> None:
        floors = {
            "openrouter-rankings": 1,
            "openrouter-apps": 6,
            "openrouter-sessions": 24,
            "openrouter-tasks": 24,
            "vercel-leaderboard": 24,
            "openrouter-models": 1,
            "openrouter-endpoints": 1 / 6,
            "models-dev": 6,
            "litellm": 24,
            "alibaba-list": 24,
            "ecb-fx": 12,
            "huggingface": 24,
        }
        assert {name: feed.floor for name, feed in FEEDS.items()} == {
            name: timedelta(hours=hours) for name, hours in floors.items()
        }
        for name, feed in FEEDS.items():
            assert feed.name == name
            assert "2026-08-22" in feed.citation.format(as_of="2026-08-22")
            assert feed.host.startswith("https://") and feed.licence and feed.page
            assert CREDITS[name].citation == feed.citation

    def test_price_lists_are_asked_for_whole(self) -> None:
        assert [one.path for one in openrouter_models.plan(NOW, [])] == ["/api/v1/models"]
        assert [one.path for one in models_dev.plan(NOW, [])] == ["/api.json"]

    def test_only_the_data_api_needs_a_key(self) -> None:
        assert {name for name, feed in FEEDS.items() if feed.key_env} == {
            *("openrouter-rankings", "openrouter-apps", "openrouter-sessions", "openrouter-tasks")
        }


def test_a_refused_price_is_named_as_unread() -> None:
    body = json.loads((FIXTURES / "models.json").read_text(encoding="utf-8"))
    body["data"][0]["pricing"]["prompt"] = "-7"
    name = body["data"][0]["id"]
    parsed = openrouter_models.parse(json.dumps(body).encode(), FIXTURE_NOW)
    assert parsed.unread == {name.partition(":")[0]}
    assert parsed.refused["negative"] == 1
