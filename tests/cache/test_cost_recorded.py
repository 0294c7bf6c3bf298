"""What workloads cost by the recorded price lists, worked out a second time in plain Python."""

import gzip
import json
import tarfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.feeds import alibaba_list, litellm, openrouter_models
from qwenwatch_cache.frames import FETCH
from qwenwatch_cache.market.cost import Wanted, cost
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.offers import offers
from qwenwatch_cache.market.rates import Rate
from qwenwatch_cache.market.workload import Workload
from qwenwatch_cache.store import Store

NOW = datetime(2026, 8, 22, 12, 8, tzinfo=UTC)
STEP = Decimal("1e-12")
MILLION = 1_000_000

WORKLOADS = [
    Workload(12 * MILLION, 3 * MILLION, cached=7_200_000, request_size=40_000),
    Workload(12 * MILLION, 3 * MILLION),
    Workload(900 * MILLION, 20 * MILLION, 0, 90 * MILLION, request_size=200_001),
    Workload(1_500 * MILLION, 1, 1_000 * MILLION, 10, requests=11_719),  # of 127,998 on average
]
NAMES = ["40k, cached", "short", "200k, written", "128k on average"]

Prices = tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]
"""Per 1M tokens: in, out, read from the cache, written to it."""


def ask(store: Store, workload: Workload) -> list[dict[str, Any]]:
    known = Known(store, NOW)
    found = offers(known, NOW, workload.size or 0)
    frame = cost(
        found,
        workload,
        Wanted(),
        currency="own",
        rate=lambda currency: Rate(Decimal(1), date(2026, 8, 22), ""),
        baseline="",
    )
    return frame.to_dicts()


def told(folder: Path, feed: str, *frames: Mapping[str, pl.DataFrame]) -> Store:
    """A cache, without a baseline, that was told these frames by one poll."""
    store = Store(folder / "cache", bundled=folder)
    for each in frames:
        store.append(each, NOW, whole=frozenset[str]() if len(frames) > 1 else None)
    row = {**dict.fromkeys(FETCH), "feed": feed, "url": "x", "started": NOW}
    store.log(pl.DataFrame([row], schema=FETCH), NOW)
    return store


def total(prices: Prices, workload: Workload) -> Decimal | None:
    """The sum as anybody would work it out; None if a price is missing."""
    inward, outward, read, write = prices
    if inward is None or outward is None:
        return None
    fresh = workload.input - workload.cached - workload.written
    parts = (
        fresh * inward,
        workload.output * outward,
        workload.cached * (inward if read is None else read),
        workload.written * (inward if write is None else write),
    )
    return sum((step(part / MILLION) for part in parts), Decimal(0))


def step(amount: Decimal) -> Decimal:
    return amount.quantize(STEP, ROUND_HALF_EVEN)


def per_million(amount: Any) -> Decimal | None:
    return None if amount is None or Decimal(amount) < 0 else step(Decimal(amount) * MILLION)


@pytest.fixture(scope="module")
def route_body(recordings: Path) -> bytes:
    path = recordings / "prices/openrouter/models/2026-08-22T1208Z.json.gz"
    return gzip.decompress(path.read_bytes())


@pytest.fixture(scope="module")
def route_store(route_body: bytes, tmp_path_factory: pytest.TempPathFactory) -> Store:
    parsed = openrouter_models.parse(route_body, NOW)
    return told(tmp_path_factory.mktemp("or"), "openrouter-models", parsed.frames)


@pytest.fixture(scope="module")
def litellm_body(recordings: Path) -> bytes:
    path = recordings / "prices/litellm/main/2026-08-21.json.gz"
    return gzip.decompress(path.read_bytes())


@pytest.fixture(scope="module")
def alibaba_files(recordings: Path) -> Mapping[str, bytes]:
    path = next((recordings / "prices/alibaba-model-studio").glob("groups_*.tar.gz"))
    with tarfile.open(path) as archive:
        found = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read() for name, file in found.items() if file is not None}


class TestOpenRouter:
    @pytest.mark.parametrize("workload", WORKLOADS, ids=NAMES)
    def test_every_model(self, route_body: bytes, route_store: Store, workload: Workload) -> None:
        expected = {}
        size = workload.size or 0
        for entry in json.loads(route_body)["data"]:
            pricing = entry["pricing"]
            prices = {key: value for key, value in pricing.items() if key != "overrides"}
            overrides = pricing.get("overrides") or []
            if entry["id"].startswith("~") or ":" in entry["id"]:
                continue
            if any("utc_start" in one for one in overrides):
                continue  # has a test of its own
            for one in overrides:
                if size > one["min_prompt_tokens"]:
                    prices |= one
            keys = ("prompt", "completion", "input_cache_read", "input_cache_write")
            stated = tuple(per_million(prices.get(key)) for key in keys)
            amount = total(stated, workload)  # type: ignore[arg-type]
            # A price of 0 of what is not a free variant is unknown until two polls agree.
            unknown = amount is None or not stated[0] or not stated[1]
            if not unknown and (entry["context_length"] or size) >= size:
                expected[entry["id"]] = amount
        rows = [row for row in ask(route_store, workload) if row["variant"] == ""]
        found = {
            row["source_id"]: row["total"]
            for row in rows
            if row["rank"] is not None and not row["window_utc"]
        }
        assert found == expected
        assert len(found) > 180

    def test_long_prompts_cost_more_where_the_body_says_so(
        self, route_body: bytes, route_store: Store
    ) -> None:
        """qwen3-max has steps at 32,000 and 128,000."""
        by_size = {}
        for size in (32_000, 32_001, 128_000, 128_001):
            workload = Workload(MILLION, MILLION, request_size=size)
            by_size[size] = {row["source_id"]: row["total"] for row in ask(route_store, workload)}
        qwen = [by_size[size]["qwen/qwen3-max"] for size in by_size]
        assert qwen == [Decimal("4.68"), Decimal("9.36"), Decimal("9.36"), Decimal("11.7")]

    def test_every_time_of_day_of_a_schedule(self, route_body: bytes, route_store: Store) -> None:
        workload = Workload(MILLION, MILLION)
        rows = [row for row in ask(route_store, workload) if row["window_utc"] and row["rank"]]
        expected = {}
        for entry in json.loads(route_body)["data"]:
            for one in entry["pricing"].get("overrides") or []:
                if "utc_start" in one:
                    prices = entry["pricing"] | one
                    both = step(Decimal(prices["prompt"]) + Decimal(prices["completion"]))
                    window = f"{one['utc_start']:04d}-{one['utc_end']:04d}"
                    expected[entry["id"], window] = both * MILLION
        found = {
            (row["source_id"], window): row["total"]
            for row in rows
            for window in row["window_utc"].split(", ")
        }
        assert found == expected and found

    def test_nothing_of_the_body_is_lost(self, route_body: bytes, route_store: Store) -> None:
        """Every model is ranked, or named with the reason why not."""
        rows = ask(route_store, WORKLOADS[0])
        ids = {row["source_id"] + (f":{row['variant']}" if row["variant"] else "") for row in rows}
        listed = {entry["id"] for entry in json.loads(route_body)["data"]}
        others = {name for name in listed if name.startswith("~") or name.endswith(":batch")}
        assert ids == listed - others
        routers = {row["source_id"] for row in rows if row["left_out"].startswith("no price is")}
        assert {"openrouter/auto", "openrouter/fusion", "openrouter/pareto-code"} <= routers

    def test_batch_prices(self, route_body: bytes, route_store: Store) -> None:
        workload = Workload(MILLION, MILLION)
        frame = cost(
            offers(Known(route_store, NOW), NOW),
            workload,
            Wanted(batch=True),
            currency="USD",
            rate=lambda currency: Rate(Decimal(1), date(2026, 8, 22), ""),
            baseline="",
        )
        found = dict(frame.filter(left_out="").select("source_id", "total").iter_rows())
        expected = {}
        for entry in json.loads(route_body)["data"]:
            name, _, variant = entry["id"].partition(":")
            if variant == "batch":
                prices = entry["pricing"]
                both = Decimal(prices["prompt"]) + Decimal(prices["completion"])
                expected[name] = both * MILLION
        assert found == expected
        assert len(found) == 61


class TestLiteLLM:
    @pytest.mark.parametrize("workload", WORKLOADS, ids=NAMES)
    def test_tiers_of_every_kind(
        self, litellm_body: bytes, workload: Workload, tmp_path: Path
    ) -> None:
        parsed = litellm.parse(litellm_body, NOW)
        entries = json.loads(litellm_body, parse_float=Decimal)
        rows = ask(told(tmp_path, "litellm", parsed.frames), workload)
        ranked = {
            row["source_id"]: row["total"]
            for row in rows
            if row["rank"] is not None and not row["window_utc"] and row["request"] is None
        }
        assert ranked == {
            key: total(litellm_prices(entries[key], workload.size or 0), workload) for key in ranked
        }
        assert len(ranked) > 200
        tiered = [key for key in ranked if "tiered_pricing" in entries[key]]
        above = [key for key in ranked if any("_above_" in name for name in entries[key])]
        assert len(tiered) > 10 and len(above) > 20


def litellm_prices(entry: Mapping[str, Any], size: int) -> Prices:
    keys = (
        "input_cost_per_token",
        "output_cost_per_token",
        "cache_read_input_token_cost",
        "cache_creation_input_token_cost",
    )
    other = {"cache_read_input_token_cost": "input_cost_per_token_cache_hit"}
    if "tiered_pricing" in entry:
        ladder = sorted(entry["tiered_pricing"], key=lambda each: each["range"][0])
        reached = [each for each in ladder if each["range"][0] < size] or ladder[:1]
        stated = reached[-1]
        return tuple(per_million(stated.get(key)) for key in keys)  # type: ignore[return-value]
    found = []
    for key in keys:
        amount = entry.get(key, entry.get(other.get(key, "")))
        for thousands in (100, 128, 200, 256, 272, 512):
            if size > thousands * 1000:
                amount = entry.get(f"{key}_above_{thousands}k_tokens", amount)
        found.append(per_million(amount))
    inward, outward, read, write = found
    # A cached price of 0 beside an input price is none (gemini-robotics-er-1.5-preview).
    return inward, outward, (None if inward and not read else read), write


class TestAlibaba:
    @pytest.mark.parametrize("workload", WORKLOADS, ids=NAMES)
    def test_the_tiered_models_in_yuan(
        self, alibaba_files: Mapping[str, bytes], workload: Workload, tmp_path: Path
    ) -> None:
        groups = {name: json.loads(body) for name, body in alibaba_files.items() if "/" in name}
        tiered = {
            item["model"]: item
            for group in groups.values()
            for item in group["items"]
            if item["provider"] == "qwen" and of_input(item)
        }
        wanted = [
            name
            for name, group in groups.items()
            if any(item["model"] in tiered for item in group["items"])
        ]
        parsed = [alibaba_list.parse_group(alibaba_files[name], NOW).frames for name in wanted]
        rows = ask(told(tmp_path, "alibaba-list", *parsed), workload)
        found = {
            row["source_id"]: row["total"]
            for row in rows
            if row["variant"] == "" and row["source_id"] in tiered
        }
        size = workload.size or 0
        fits = {
            name for name, item in tiered.items() if (item.get("contextWindow") or size) >= size
        }
        assert found == {
            name: total(alibaba_prices(item, size), workload) if name in fits else None
            for name, item in tiered.items()
        }
        assert len(fits) > 12


def of_input(item: Mapping[str, Any]) -> bool:
    """Whether a model has ranges of the length of the input; some have them of other things."""
    ranges = item.get("multiPrices") or ()
    return bool(ranges) and all("输入" in each["rangeName"] for each in ranges)


def alibaba_prices(item: Mapping[str, Any], size: int) -> Prices:
    ranges = item.get("multiPrices") or [{"rangeStart": 0, "prices": item["prices"]}]
    ranges = sorted(ranges, key=lambda each: each["rangeStart"])
    reached = [each for each in ranges if each["rangeStart"] < size] or ranges[:1]
    stated = {
        one["type"]: Decimal(one["price"]) * Decimal(str(one.get("discount", 1)))
        for one in reached[-1]["prices"]
    }
    first: Callable[..., Decimal | None] = lambda *kinds: next(  # noqa: E731
        (stated[kind] for kind in kinds if kind in stated), None
    )
    return (
        first("input_token"),
        first("output_token"),
        first("input_token_cache", "input_token_cache_read"),
        first("input_token_cache_creation_5m"),
    )
