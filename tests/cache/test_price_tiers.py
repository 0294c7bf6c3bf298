"""Prices of requests of a size: which tier applies, by the raw bodies read a second time."""

import gzip
import json
import tarfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.feeds import openrouter_models
from qwenwatch_cache.feeds.alibaba_list import parse_group
from qwenwatch_cache.frames import PRICE, PRICE_FIELDS
from qwenwatch_cache.market.in_force import tier_in_force
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.store import Store

SIZES = (0, 1, 32_000, 32_001, 128_000, 128_001, 200_000, 256_000, 256_001, 272_001, 10**6)
BASELINE = "alibaba/qwen3-max"
PROPERTY = settings(deadline=None, database=None, max_examples=60)
Amounts = tuple[Decimal | None, Decimal | None]


def exact(amount: Any, unit: int = 1_000_000) -> Decimal | None:
    return None if amount is None else Decimal(amount) * unit


ROUTER_WHEN = datetime(2026, 8, 22, 12, 8, tzinfo=UTC)
ALIBABA_WHEN = datetime(2026, 5, 27, 6, 44, tzinfo=UTC)


@pytest.fixture(scope="module")
def body(recordings: Path) -> bytes:
    """OpenRouter's list of models."""
    name = "prices/openrouter/models/2026-08-22T1208Z.json.gz"
    return gzip.decompress((recordings / name).read_bytes())


@pytest.fixture(scope="module")
def router(body: bytes, tmp_path_factory: pytest.TempPathFactory) -> Known:
    """A cache that has read it."""
    return known_of(openrouter_models.parse(body, ROUTER_WHEN).frames, tmp_path_factory)


@pytest.fixture(scope="module")
def groups(recordings: Path) -> Mapping[str, bytes]:
    """Alibaba's files by name."""
    path = recordings / "prices/alibaba-model-studio/groups_2026-05-27.tar.gz"
    with tarfile.open(path) as archive:
        return {
            member.name: body.read()
            for member in archive.getmembers()
            if member.name.endswith(".json") and member.name.startswith("groups/")
            if (body := archive.extractfile(member)) is not None
        }


@pytest.fixture(scope="module")
def alibaba(groups: Mapping[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Known:
    """A cache that has read them."""
    frames = [parse_group(body, ALIBABA_WHEN).frames["price"] for body in groups.values()]
    return known_of({"price": pl.concat(frames)}, tmp_path_factory)


def known_of(frames: Mapping[str, pl.DataFrame], factory: pytest.TempPathFactory) -> Known:
    folder = factory.mktemp("tiers")
    store = Store(folder / "cache", bundled=folder)
    (when,) = frames["price"]["observed_at"].unique().to_list()
    store.append(frames, when)
    return Known(store, when)


class TestOpenRouter:
    @staticmethod
    def charged(pricing: Mapping[str, Any], tokens: int) -> Amounts:
        """Later overrides win; a threshold must be exceeded; what they leave out is the base's."""
        price = {**pricing}
        for one in pricing.get("overrides") or []:
            if tokens > one["min_prompt_tokens"]:
                price |= one
        return exact(price["prompt"]), exact(price["completion"])

    @pytest.mark.parametrize("tokens", SIZES)
    def test_every_model_with_tiers(self, router: Known, body: bytes, tokens: int) -> None:
        tiered = {
            entry["id"]: entry["pricing"]
            for entry in json.loads(body)["data"]
            if entry["pricing"].get("overrides") and not entry["id"].startswith("~")
            if not any("utc_start" in one for one in entry["pricing"]["overrides"])
        }
        assert len(tiered) > 40
        offers = router.prices(ROUTER_WHEN, BASELINE, Mix(), tokens)
        found = {
            row["source_id"] + (f":{row['variant']}" if row["variant"] else ""): row
            for row in offers.to_dicts()
        }
        for name, pricing in tiered.items():
            row = found[name]
            assert (row["input"], row["output"]) == self.charged(pricing, tokens)
            steps = sorted(one["min_prompt_tokens"] for one in pricing["overrides"])
            below = [step for step in steps if step < tokens]
            assert row["tier_from"] == (below[-1] if below else 0)
            assert row["up_to"] == next((step for step in steps if step >= tokens), None)

    def test_ratios_are_of_requests_of_that_size(self, router: Known) -> None:
        """Qwen3 Max is 0.78 for short prompts, 1.56 above 32k and 1.95 above 128k."""
        for tokens, price in ((0, "0.78"), (32_001, "1.56"), (200_000, "1.95")):
            rows = router.prices(ROUTER_WHEN, BASELINE, Mix(), tokens).filter(
                pl.col("source_id") == "anthropic/claude-opus-4.6", pl.col("variant") == ""
            )
            assert rows["ratio_input"].to_list() == [pytest.approx(float(5 / Decimal(price)))]


class TestAlibaba:
    @staticmethod
    def charged(ranges: Iterable[Mapping[str, Any]], tokens: int) -> Amounts:
        """The whole request at the prices of the range that its length falls in."""
        within = [one for one in ranges if one["rangeStart"] < max(tokens, 1)]
        chosen = max(within, key=lambda one: one["rangeStart"])
        prices = {
            one["type"]: Decimal(one["price"]) * Decimal(str(one.get("discount", 1)))
            for one in chosen["prices"]
        }
        return prices["input_token"], prices["output_token"]

    @pytest.mark.parametrize("tokens", SIZES)
    def test_every_model_with_ranges(
        self, alibaba: Known, groups: Mapping[str, bytes], tokens: int
    ) -> None:
        tiered = {
            item["model"]: item["multiPrices"]
            for body in groups.values()
            for item in json.loads(body)["items"]
            if item.get("multiPrices")
            if all("输入" in one["rangeName"] for one in item["multiPrices"])
            if all(
                {"input_token", "output_token"} <= {price["type"] for price in one["prices"]}
                for one in item["multiPrices"]
            )
        }
        offers = alibaba.prices(ALIBABA_WHEN, BASELINE, Mix(), tokens).filter(
            pl.col("variant") == ""
        )
        found = {row["source_id"]: (row["input"], row["output"]) for row in offers.to_dicts()}
        compared = {name: found[name] for name in tiered if name in found}
        assert len(compared) > 15
        assert compared == {name: self.charged(tiered[name], tokens) for name in compared}

    def test_the_price_that_was_published(self, alibaba: Known) -> None:
        """qwen3.5-plus: ¥0.8 and ¥4.8 up to 128k tokens, more above."""
        rows = {
            tokens: alibaba.prices(ALIBABA_WHEN, BASELINE, Mix(), tokens).filter(
                pl.col("source_id") == "qwen3.5-plus", pl.col("variant") == ""
            )
            for tokens in (0, 128_000, 200_000)
        }
        for tokens in (0, 128_000):
            assert rows[tokens].select("input", "output", "currency").row(0) == (
                Decimal("0.8"),
                Decimal("4.8"),
                "CNY",
            )
        assert rows[200_000]["input"][0] > Decimal("0.8")


def tier(start: int, price: Decimal | None) -> Mapping[str, Any]:
    return {
        **{"feed": "f", "basis": "route", "provider": "p", "region": "", "model": "m"},
        **{"variant": "", "tier_from": start, "window_utc": "", "currency": "USD"},
        **dict.fromkeys(PRICE_FIELDS),
        **{"input": price, "listed": True, "observed_at": datetime(2026, 8, 1, tzinfo=UTC)},
    }


@PROPERTY
@given(
    tiers=st.dictionaries(
        st.integers(0, 300), st.none() | st.decimals("0.01", "9", places=2), min_size=1, max_size=5
    ),
    tokens=st.integers(0, 400),
)
def test_an_unknown_price_of_a_tier_is_not_taken_from_another(
    tiers: dict[int, Decimal | None], tokens: int
) -> None:
    frame = pl.DataFrame([tier(*one) for one in tiers.items()], schema=PRICE)
    rows = tier_in_force(frame, tokens)
    reached = [start for start in tiers if start == 0 or start < tokens]
    if not reached:
        assert rows.is_empty()
        return
    beyond = [start for start in tiers if start not in reached]
    assert rows.select("tier_from", "input", "up_to").rows() == [
        (max(reached), tiers[max(reached)], min(beyond, default=None))
    ]
