"""LiteLLM's parser on every recorded file, worked out a second time in plain Python."""

import gzip
import json
import re
from collections import Counter
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import polars as pl

from qwenwatch_cache.feeds import litellm
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.vendors import load_vendors
from tests.cache.litellm_entries import WHEN

STEP = Decimal("1e-12")
SUFFIXES = {"": "", "batch": "_batches", "flex": "_flex", "priority": "_priority"}
COLUMNS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}
UNITS = (*COLUMNS.values(), "input_cost_per_audio_token", "output_cost_per_audio_token")
UNITS += ("input_cost_per_request", "output_cost_per_image_token")


def recorded(folder: Path) -> dict[str, tuple[bytes, dict[str, Any]]]:
    found = {}
    for path in sorted(folder.glob("prices/litellm/*/*.json.gz")):
        body = gzip.decompress(path.read_bytes())
        found[path.name.removesuffix(".json.gz")] = body, json.loads(body, parse_float=Decimal)
    return found


def first_party(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        key: entry
        for key, entry in document.items()
        if load_vendors().list_price_region("litellm", entry.get("litellm_provider", ""))
    }


def per_million(amount: Any) -> Decimal | None:
    if amount is None:
        return None
    return (Decimal(amount) * 1_000_000).quantize(STEP, ROUND_HALF_EVEN)


def expected(entry: dict[str, Any]) -> dict[tuple[str, int], tuple[Decimal | None, ...]]:
    """(variant, tier) -> input, output, cache read and write, of an entry without hours."""
    rows: dict[tuple[str, int], tuple[Decimal | None, ...]] = {}
    for variant, suffix in SUFFIXES.items():
        base = {column: entry.get(key + suffix) for column, key in COLUMNS.items()}
        if variant and (base["input"] is None or base["output"] is None):
            continue
        if not variant and "tiered_pricing" in entry:
            for step in entry["tiered_pricing"]:
                rows["", int(step["range"][0])] = tuple(
                    per_million(step.get(key)) for key in COLUMNS.values()
                )
            continue
        tiers = {
            int(match[1])
            for key in entry
            if (match := re.fullmatch(rf".*_(?:cost|token)_above_(\d+)k_tokens{suffix}", key))
            and not key.startswith(("input_cost_per_image", "input_cost_per_char"))
        }
        rows[variant, 0] = tuple(per_million(amount) for amount in base.values())
        for tier in tiers:
            rows[variant, tier * 1000] = tuple(
                per_million(entry.get(f"{key}_above_{tier}k_tokens{suffix}", base[column]))
                for column, key in COLUMNS.items()
            )
    return rows


class TestRecordings:
    def test_every_entry_of_every_file_is_kept_or_refused_by_rule(self, recordings: Path) -> None:
        files = recorded(recordings)
        assert len(files) == 35
        for name, (body, document) in files.items():
            parsed = litellm.parse(body, WHEN)
            kept = parsed.frames["catalog"]["model"].to_list()
            ours = first_party(document)
            assert len(set(kept)) == len(kept) > 20, name
            assert set(parsed.frames["price"]["model"]) == set(kept), name
            assert parsed.rows == len(document) == len(kept) + sum(parsed.refused.values()), name

            sample = "sample_spec" in document
            assert parsed.refused["documentation, not a model"] == sample, name
            assert parsed.refused["not a vendor's own provider"] == (
                len(document) - len(ours) - sample
            ), name
            left: Counter[str] = Counter()
            for key in ours.keys() - set(kept):
                entry, provider = ours[key], ours[key]["litellm_provider"]
                steps = entry.get("tiered_pricing", [entry])
                if not any(step.get(unit) for step in steps for unit in UNITS):
                    left["no price"] += 1
                elif f"{provider}/{key}" in document:
                    left["twin"] += 1
                else:
                    assert provider in ("dashscope", "mistral", "perplexity"), (name, key)
                    left["other maker"] += 1
            # A model may lack a price and be another maker's at once; whose it is comes first.
            assert sum(left.values()) == len(ours) - len(kept), name
            assert left["no price"] >= parsed.refused["no price per token stated"], name
            assert left["twin"] <= parsed.refused["the same model under two keys"], name
            assert left["other maker"] <= parsed.refused["another vendor's model"], name
            assert parsed.unread == frozenset(), name

    def test_every_price_of_every_file_is_exact(self, recordings: Path) -> None:
        compared = 0
        for name, (body, document) in recorded(recordings).items():
            parsed = litellm.parse(body, WHEN)
            stored = {
                (model, variant, tier): tuple(amounts)
                for model, variant, tier, *amounts in parsed.frames["price"]
                .filter(pl.col("window_utc") == "")
                .select("model", "variant", "tier_from", *COLUMNS)
                .iter_rows()
            }
            wanted = {}
            for key in parsed.frames["catalog"]["model"]:
                if "off_peak_pricing" not in document[key]:
                    for (variant, tier), amounts in expected(document[key]).items():
                        wanted[key, variant, tier] = amounts
            assert stored.keys() == wanted.keys(), name
            for row, amounts in wanted.items():
                cached = "input_cost_per_token_cache_hit" in document[row[0]]
                seen = [0, 1] if cached else [0, 1, 2, 3]
                assert [stored[row][i] for i in seen] == [amounts[i] for i in seen], (name, row)
            compared += len(wanted)
        assert compared > 15_000

    def test_models_with_off_peak_hours_have_the_whole_week(self, recordings: Path) -> None:
        seen: Counter[str] = Counter()
        for name, (body, document) in recorded(recordings).items():
            prices = litellm.parse(body, WHEN).frames["price"]
            tiled = prices.filter(pl.col("window_utc") != "")
            for key in tiled["model"].unique(maintain_order=True):
                entry = document[key]
                cheap = entry["off_peak_pricing"]
                stored = {
                    window: (given, taken, cached)
                    for window, given, taken, cached in tiled.filter(pl.col("model") == key)
                    .select("window_utc", "input", "output", "cache_read")
                    .iter_rows()
                }
                peak, off_peak = (
                    tuple(
                        per_million(source[field])
                        for field in (*UNITS[:2], "cache_read_input_token_cost")
                    )
                    for source in (entry, cheap)
                )
                assert peak != off_peak
                assert stored == {
                    "12345 0000-0100": off_peak,
                    "12345 0100-0400": peak,
                    "12345 0400-0600": off_peak,
                    "12345 0600-1000": peak,
                    "12345 1000-0000": off_peak,
                    "67 0000-0000": off_peak,
                }, (name, key)
                seen[name[:10]] += 1
        assert seen == {"2026-09-29": 4, "2026-10-28": 4, "2026-11-17": 4}

    def test_wrong_units_were_the_resellers(self, recordings: Path) -> None:
        """No first-party price was ever above the bound; where one were it is refused."""
        above: dict[str, set[str]] = {}
        for name, (body, document) in recorded(recordings).items():
            ours = first_party(document)
            wrong = {
                key
                for key, entry in document.items()
                if key != "sample_spec"
                for field in ("input_cost_per_token", "output_cost_per_token")
                if Decimal(entry.get(field) or 0) > Decimal("0.001")
            }
            assert not wrong & ours.keys(), name
            assert litellm.parse(body, WHEN).refused["above the bound"] == 0, name
            above[name] = wrong
        novita = {
            name: sum(key.startswith("novita/") for key in keys) for name, keys in above.items()
        }
        assert novita["2026-01-12"] > 20
        assert novita["2026-01-13"] == 0

        body, document = recorded(recordings)["2026-01-12"]
        key = "novita/deepseek/deepseek-v3.1"
        relabelled = document[key] | {"litellm_provider": "openai"}
        parsed = litellm.parse(
            body.replace(
                b"{", b"{" + json.dumps({"x": relabelled}, default=float)[1:-1].encode() + b",", 1
            ),
            WHEN,
        )
        assert parsed.refused["above the bound"] == 1
        assert parsed.unread == {"x"}

    def test_known_prices(self, recordings: Path) -> None:
        files = recorded(recordings)
        for name, model, price, output in (
            ("2023-10-31_v0.12.7", "gpt-4", "30", "60"),
            ("2026-11-17_v1.108.11", "gpt-4", "30", "60"),
            ("2026-11-17_v1.108.11", "dashscope/qwen-max", "1.6", "6.4"),
            ("2026-11-17_v1.108.11", "dashscope/qwq-plus", "0.8", "2.4"),
            ("2026-08-21", "zai/glm-5", "1", "3.2"),
            ("2026-08-21", "minimax/MiniMax-M2.5", "0.3", "1.2"),
            ("2026-08-21", "claude-opus-4-6", "5", "25"),
        ):
            prices = litellm.parse(files[name][0], WHEN).frames["price"]
            row = prices.filter(
                (pl.col("model") == model) & (pl.col("variant") == "") & (pl.col("tier_from") == 0)
            )
            assert row.select("input", "output").rows() == [(Decimal(price), Decimal(output))], (
                model
            )

    def test_how_much_of_the_newest_file_is_in_the_map(self, recordings: Path) -> None:
        body, document = recorded(recordings)["2026-11-17_v1.108.11"]
        models = litellm.parse(body, WHEN).frames["catalog"]["model"].to_list()
        chat = [model for model in models if document[model]["mode"] == "chat"]
        mapped = [model for model in chat if load_identity().canonical("litellm", model)]
        assert len(chat) == 346
        assert len(mapped) >= 160
