"""Implied spend: tokens take the price of their model on their day, and no hole becomes 0."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_cache.frames import CATALOG, PRICE
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.implied_spend import Spend
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.spend import NO_PRICE, NOT_NAMED, NOT_YET, leader
from qwenwatch_cache.market.token_prices import TokenPrices
from tests.cache.spend_cases import DAY, NOON, asked, price

T = 10**12


def only(spend: Spend, id_: str) -> dict[str, Any]:
    (row,) = spend.rows.filter(pl.col("id").str.starts_with(id_)).to_dicts()
    return row


def amounts(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["low"], row["expected"], row["high"]


def test_tokens_are_priced_as_cheapest_dearest_and_mixed(tmp_path: Path) -> None:
    rows = [price("lab/a", "1", "5", "0.1"), price("lab/b", "2", "6")]
    spend = asked(tmp_path, rows, {"lab/a": 10**6, "lab/b": 10**7})
    # 0.80 × 1 + 0.05 × 5 + 0.15 × 0.1; where no cached price is stated input's is taken.
    assert amounts(only(spend, "lab/a@")) == (Decimal("0.1"), Decimal("1.065"), Decimal(5))
    assert amounts(only(spend, "lab/b@")) == (Decimal(20), Decimal(22), Decimal(60))


def test_a_cached_price_of_0_is_none(tmp_path: Path) -> None:
    """OpenRouter sent "0" for whatever did not apply until 2026-03-29."""
    spend = asked(tmp_path, [price("lab/a", "1", "5", "0")], {"lab/a": 10**6})
    assert amounts(only(spend, "lab/a@")) == (Decimal(1), Decimal("1.2"), Decimal(5))


def test_tiers_and_hours_widen_the_interval_and_short_prompts_are_expected(tmp_path: Path) -> None:
    rows = [
        price("lab/tiers", "1", "2"),
        price("lab/tiers", "3", "9", tier_from=200_000),
        price("lab/hours", "1", "2", window_utc="0600-0000"),
        price("lab/hours", "5", "6", window_utc="0000-0600"),
        price("lab/days", "1", "2", window_utc="12345 0000-0000"),
        price("lab/days", "0.5", "0.6", window_utc="67 0000-0000"),
    ]
    used = dict.fromkeys(("lab/tiers", "lab/hours", "lab/days"), 10**6)
    spend = asked(tmp_path, rows, used)
    assert amounts(only(spend, "lab/tiers")) == (1, Decimal("1.05"), 9)
    # A quarter of the day at 5.05, three at 1.05.
    assert amounts(only(spend, "lab/hours")) == (1, Decimal("2.05"), 6)
    assert amounts(only(spend, "lab/days")) == (1, Decimal("1.05"), 2)  # a Wednesday


def test_a_free_variant_costs_nothing_and_the_paid_one_its_price(tmp_path: Path) -> None:
    rows = [price("lab/a", "1", "5")]
    spend = asked(tmp_path, rows, {"lab/a": 10**6, "lab/a:free": 10**9}, by="vendor")
    row = spend.rows.row(0, named=True)
    assert (row["tokens"], row["free_tokens"], row["priced_tokens"]) == (
        10**9 + 10**6,
        10**9,
        10**9 + 10**6,
    )
    assert amounts(row) == (1, Decimal("1.2"), 5)


def test_other_variants_have_prices_of_their_own_or_none(tmp_path: Path) -> None:
    rows = [price("lab/a", "1", "5"), price("lab/a:thinking", "2", "8")]
    tokens = dict.fromkeys(("lab/a", "lab/a:thinking", "lab/a:nitro"), 10**6)
    spend = asked(tmp_path, rows, tokens)
    assert amounts(only(spend, "lab/a@openrouter:thinking")) == (2, Decimal("2.3"), 8)
    assert amounts(only(spend, "lab/a@openrouter:nitro")) == (None, None, None)


def test_a_zero_that_nobody_confirmed_is_unknown(tmp_path: Path) -> None:
    before = NOON - timedelta(days=30)
    rows = [
        price("lab/glitch", "1", "5", when=before),
        price("lab/glitch", "0", "0"),
        price("lab/cloaked", "0", "0", when=before),
        price("lab/new", "0", "0"),
    ]
    tokens = dict.fromkeys(("lab/glitch", "lab/cloaked", "lab/new"), 10**6)
    spend = asked(tmp_path, rows, tokens)
    assert amounts(only(spend, "lab/glitch")) == (None, None, None)
    assert amounts(only(spend, "lab/new")) == (None, None, None)
    assert amounts(only(spend, "lab/cloaked")) == (0, 0, 0)  # two polls agreed


def test_a_price_that_jumped_is_not_taken_yet(tmp_path: Path) -> None:
    rows = [price("lab/a", "1", "5", when=NOON - timedelta(days=9)), price("lab/a", "9000", "9000")]
    assert amounts(only(asked(tmp_path, rows, {"lab/a": 10**6}), "lab/a")) == (1, Decimal("1.2"), 5)


def test_the_price_of_the_day_counts_not_that_of_now(tmp_path: Path) -> None:
    rows = [
        price("lab/cut", "4", "8", when=NOON - timedelta(days=2)),
        price("lab/cut", "1", "2", when=NOON + timedelta(days=2)),
        price("lab/later", "1", "2", when=NOON + timedelta(days=1)),
        price("lab/never", "1", None),
    ]
    tokens = dict.fromkeys(("lab/cut", "lab/later", "lab/never", "lab/else"), 10**6)
    spend = asked(tmp_path, rows, {**tokens, "other": 7})
    assert amounts(only(spend, "lab/cut"))[::2] == (4, 8)
    why = {row["id"].partition("@")[0]: row["why"] for row in spend.unpriced.to_dicts()}
    assert why == {
        "lab/later": NOT_YET,
        "lab/never": NOT_YET,
        "lab/else": NO_PRICE,
        "other/unattributed": NOT_NAMED,
    }
    assert only(spend, "other")["low"] is None


def test_list_prices_are_the_vendors_own_then_abroad_and_in_dollars(tmp_path: Path) -> None:
    listed: dict[str, Any] = {"feed": "models-dev", "basis": "list"}
    checked: dict[str, Any] = {"feed": "litellm", "basis": "list", "provider": "anthropic"}
    rows = [
        price("openai/gpt-4", "30", "60", **listed, provider="openai", region="global"),
        price("gpt-4", "1", "1", feed="litellm", basis="list", provider="openai"),
        price("claude-opus-4-6", "5", "25", **checked, region="global"),
        price("zai/glm-5", "1", "3", **listed, provider="zai", region="intl"),
        price("zhipuai/glm-5", "0.5", "2", **listed, provider="zhipuai", region="cn"),
        price("alibaba/qwen3-max", "9", "9", **listed, provider="alibaba", currency="CNY"),
    ]
    slugs = (
        "openai/gpt-4",
        "anthropic/claude-4.6-opus-20260205",
        "z-ai/glm-5-20260211",
        "qwen/qwen3-max",
    )
    spend = asked(tmp_path, rows, dict.fromkeys(slugs, 10**6), basis="list")
    found = {row["vendor"]: (row["low"], row["high"]) for row in spend.rows.to_dicts()}
    assert found == {
        "openai": (30, 60),
        "anthropic": (5, 25),  # only repeated, but nobody else says it
        "zhipuai": (1, 3),
        "alibaba": (None, None),
    }


AMOUNT = st.none() | st.sampled_from(("0.01", "0.5", "2", "40"))
TILES = st.dictionaries(
    st.tuples(st.sampled_from((0, 200_000)), st.sampled_from(("0600-0000", "0000-0600"))),
    st.tuples(AMOUNT, AMOUNT, st.none() | st.sampled_from(("0", "0.001", "1"))),
    min_size=1,
)


@given(TILES, st.sampled_from(("1 0 0", "0 1 0", "0 0 1", "0.8 0.05 0.15")))
def test_a_hole_in_a_price_makes_it_unknown_and_no_mix_leaves_the_interval(
    tiles: dict[tuple[int, str], tuple[str | None, str | None, str | None]], parts: str
) -> None:
    rows = [
        price("lab/a", *amounts, tier_from=tier, window_utc=window)
        for (tier, window), amounts in tiles.items()
    ]
    mix = Mix(*map(Decimal, parts.split()))
    asked_of = TokenPrices(
        pl.DataFrame(rows, schema=PRICE),
        Directory(pl.DataFrame(schema=CATALOG)),
        {"lab/a@openrouter"},
        "route",
        polls={},
        last_poll=lambda feed, at: NOON,
        mix=mix,
    )
    found = asked_of.on(DAY, NOON).get("lab/a@openrouter")
    whole = all(None not in amounts[:2] for amounts in tiles.values())
    has_base = any(tier == 0 for tier, _ in tiles)
    assert (found is not None) == (whole and has_base)
    if found is not None:
        stated = [Decimal(one) for amounts in tiles.values() for one in amounts if one]
        assert 0 < found.low == min(one for one in stated if one)
        assert found.low <= found.expected <= found.high == max(stated)


def test_the_worked_example_of_the_definitions(tmp_path: Path) -> None:
    """The numbers of docs/definitions.md."""
    rows = [price("anthropic/x", "1", "5", "0.10"), price("z-ai/y", "0.20", "0.80")]
    tokens = {"anthropic/x": T, "z-ai/y": 2 * T, "z-ai/y:free": 3 * T, "mistralai/z": T}
    spend = asked(tmp_path, rows, tokens, by="vendor")
    found = {row["id"]: row for row in spend.rows.to_dicts()}
    assert list(found) == ["anthropic", "zhipuai", "mistral"]
    assert amounts(found["anthropic"]) == (100_000, 1_065_000, 5_000_000)
    assert amounts(found["zhipuai"]) == (400_000, 460_000, 1_600_000)
    assert amounts(found["mistral"]) == (None, None, None)
    shares = {
        id_: [row[f"share_{end}"] for end in ("low", "expected", "high")]
        for id_, row in found.items()
    }
    assert shares["anthropic"] == pytest.approx([0.059, 0.698, 0.926], abs=5e-4)
    assert shares["zhipuai"] == pytest.approx([0.074, 0.302, 0.941], abs=5e-4)
    assert shares["mistral"] == [None, None, None]
    assert found["zhipuai"]["token_share"] == pytest.approx(5 / 7)
    assert spend.whole["priced_share"] == pytest.approx(6 / 7)
    led = [leader(spend.rows, column) for column in ("tokens", "low", "expected", "high")]
    assert led == ["zhipuai", "zhipuai", "anthropic", "anthropic"]
