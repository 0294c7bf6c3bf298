"""The parsers on every recorded body: nothing is lost unseen, and prices are exact."""

import gzip
import json
from collections import Counter
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.feeds import (
    models_dev,
    openrouter_models,
    openrouter_rankings,
    vercel_leaderboard,
)
from qwenwatch_cache.vendors import load_vendors
from tests.feedserver import RecordedBodies

WHEN = datetime(2026, 8, 22, 1, 58, tzinfo=UTC)
STEP = Decimal("1e-12")


def bodies(folder: Path, pattern: str) -> dict[str, bytes]:
    return {path.name: gzip.decompress(path.read_bytes()) for path in sorted(folder.glob(pattern))}


def exact(text: str) -> Decimal | None:
    """USD per token as USD per 1M, worked out apart from the program."""
    amount = Decimal(text) * 1_000_000
    return None if amount < 0 else amount.quantize(STEP, ROUND_HALF_EVEN)


def is_tiled(entry: dict[str, Any]) -> bool:
    return any("utc_start" in override for override in entry["pricing"].get("overrides") or [])


class TestOpenRouterModels:
    def test_every_entry_of_every_body_is_kept_or_an_alias(self, recordings: Path) -> None:
        found = bodies(recordings, "prices/openrouter/models/*.json.gz")
        assert len(found) == 116
        aliases = 0
        for name, body in found.items():
            entries = json.loads(body)["data"]
            answer = openrouter_models.parse(body, WHEN)
            wanted = {entry["id"] for entry in entries if not entry["id"].startswith("~")}
            kept = answer.frames["catalog"]["model"].to_list()
            assert (name, answer.rows) == (name, len(entries))
            assert (name, set(kept), len(kept)) == (name, wanted, len(wanted))
            refused = len(entries) - len(wanted)
            assert (name, +Counter(answer.refused)) == (
                name,
                +Counter({"alias of another row": refused}),
            )
            priced = answer.frames["price"].select("model", "variant").unique().height
            assert (name, priced) == (name, len(wanted))
            aliases += refused
        assert aliases > 0

    def test_every_price_of_every_body_is_exact(self, recordings: Path) -> None:
        compared = 0
        for name, body in bodies(recordings, "prices/openrouter/models/*.json.gz").items():
            prices = openrouter_models.parse(body, WHEN).frames["price"]
            stored = {
                (f"{model}:{variant}" if variant else model, tier): (given, taken)
                for model, variant, tier, window, given, taken in prices.select(
                    "model", "variant", "tier_from", "window_utc", "input", "output"
                ).iter_rows()
                if window == ""
            }
            expected = {}
            for entry in json.loads(body)["data"]:
                if entry["id"].startswith("~") or is_tiled(entry):
                    continue
                base = entry["pricing"]
                expected[entry["id"], 0] = exact(base["prompt"]), exact(base["completion"])
                for tier in base.get("overrides") or []:
                    expected[entry["id"], tier["min_prompt_tokens"]] = (
                        exact(tier.get("prompt", base["prompt"])),
                        exact(tier.get("completion", base["completion"])),
                    )
            assert (name, stored) == (name, expected)
            compared += len(expected)
        assert compared > 39_000

    def test_models_with_times_of_day_have_all_of_it_and_no_base(self, recordings: Path) -> None:
        seen = set()
        for name, body in bodies(recordings, "prices/openrouter/models/2026-08*.json.gz").items():
            prices = openrouter_models.parse(body, WHEN).frames["price"]
            for entry in json.loads(body)["data"]:
                if not is_tiled(entry):
                    continue
                rows = prices.filter((pl.col("model") == entry["id"]) & (pl.col("variant") == ""))
                tiles = [
                    (f"{one['utc_start']:04d}-{one['utc_end']:04d}", exact(one["prompt"]))
                    for one in entry["pricing"]["overrides"]
                ]
                assert (name, rows.select("window_utc", "input").rows()) == (name, tiles)
                # The base repeats the tile in force when the body was captured.
                assert exact(entry["pricing"]["prompt"]) in {price for _, price in tiles}
                seen.add(entry["id"])
        assert seen == {
            "deepseek/deepseek-v4-pro",
            "deepseek/deepseek-v4-pro-0813",
            "deepseek/deepseek-v4-flash-vision-exp",
        }

    def test_known_prices_of_known_days(self, recordings: Path) -> None:
        for stamp, model, given, taken in (
            ("2026-03-03T1220Z", "qwen/qwen-max", "1.6", "6.4"),
            ("2026-03-05T0038Z", "qwen/qwen-max", "1.04", "4.16"),
            ("2026-02-20T0036Z", "minimax/minimax-m2.5", "0.3", "1.1"),
            ("2026-02-20T0036Z", "z-ai/glm-5", "0.3", "2.55"),
            ("2024-09-21T0209Z", "openai/gpt-4", "30", "60"),
            ("2026-08-22T1208Z", "openai/gpt-4", "30", "60"),
        ):
            body = next(iter(bodies(recordings, f"prices/openrouter/models/{stamp}*").values()))
            prices = openrouter_models.parse(body, WHEN).frames["price"]
            row = prices.filter(
                (pl.col("model") == model) & (pl.col("variant") == "") & (pl.col("tier_from") == 0)
            )
            assert row.select("input", "output").rows() == [(Decimal(given), Decimal(taken))]

    def test_routers_have_no_price(self, recordings: Path) -> None:
        for body in bodies(recordings, "prices/openrouter/models/2026-0[78]*.json.gz").values():
            prices = openrouter_models.parse(body, WHEN).frames["price"]
            router = prices.filter(pl.col("model") == "openrouter/auto")
            assert router.select("input", "output").rows() == [(None, None)]


class TestModelsDev:
    @pytest.mark.parametrize(
        ("name", "entries"),
        [
            ("api/2025-06-25.json.gz", None),
            ("api/2025-10-19_ai-registry.json.gz", None),
            ("api/2025-10-27_ai-registry.json.gz", None),
            ("api/2025-11-18_ai-registry.json.gz", None),
            ("generated/api_2026-02-20.json.gz", None),
            ("generated/api_2026-07-02.json.gz", 5_276),
        ],
    )
    def test_every_entry_is_kept_or_refused_by_rule(
        self, recordings: Path, name: str, entries: int | None
    ) -> None:
        body = gzip.decompress((recordings / "prices/models.dev" / name).read_bytes())
        document = json.loads(body, parse_float=Decimal)
        answer = models_dev.parse(body, WHEN)
        first_party = {
            provider: entry["models"]
            for provider, entry in document.items()
            if load_vendors().list_price_region("models-dev", provider)
        }
        total = sum(len(entry["models"]) for entry in document.values())
        assert answer.rows == total == (entries or total)
        own = sum(map(len, first_party.values()))
        assert answer.refused["not a vendor's own provider"] == total - own

        catalog = set(answer.frames["catalog"]["model"])
        assert len(catalog) == answer.frames["catalog"].height
        prices = answer.frames["price"].filter(pl.col("tier_from") == 0)
        unpriced = {
            model
            for model in catalog
            if not document[model.partition("/")[0]]["models"][model.partition("/")[2]].get("cost")
        }
        assert answer.refused["no price stated"] == len(unpriced)
        assert set(prices["model"]) == catalog - unpriced
        rules = {"not a vendor's own provider", "another vendor's model", "no price stated"}
        assert set(answer.refused) <= rules
        assert prices.height + sum(answer.refused.values()) == total

        for model, given, taken in prices.select("model", "input", "output").iter_rows():
            provider, _, inner = model.partition("/")
            cost = document[provider]["models"][inner]["cost"]
            assert (model, given, taken) == (model, cost["input"], cost["output"])

    def test_other_makers_models_are_not_list_prices(self, recordings: Path) -> None:
        path = recordings / "prices/models.dev/generated/api_2026-07-02.json.gz"
        answer = models_dev.parse(gzip.decompress(path.read_bytes()), WHEN)
        mainland = answer.frames["price"].filter(pl.col("provider") == "alibaba-cn")
        own = r"^alibaba-cn/(qwen|qwq|qvq|tongyi|wan|gte-|text-embedding)"
        assert mainland.height > 20
        assert mainland.filter(~pl.col("model").str.contains(own))["model"].to_list() == []
        assert answer.refused["another vendor's model"] > 0


class TestRankings:
    def test_every_recorded_row_is_kept_to_the_token(self, recordings: Path) -> None:
        (path,) = (recordings / "usage/openrouter-data-api").glob("*.rankings-daily.*.json")
        days = json.loads(path.read_text(encoding="utf-8"))
        rows = [row for day in days.values() for row in day.values()]
        answer = openrouter_rankings.parse(json.dumps({"data": rows}).encode(), WHEN)
        usage = answer.frames["usage"]
        assert answer.rows == usage.height == len(rows) == 90 * 51
        assert not any(answer.refused.values())
        stored = {(row["period"], row["entity"]): row["value"] for row in usage.to_dicts()}
        assert stored == {
            (date.fromisoformat(row["date"]), row["model_permaslug"]): int(row["total_tokens"])
            for row in rows
        }

    def test_a_second_recorder_saw_the_same_days(self, recordings: Path) -> None:
        """Somebody else's copy, captured two hours later: equal but for the newest day."""
        folder = recordings / "usage/openrouter-data-api"
        (path,) = folder.glob("*.rankings-daily.*.json")
        (other,) = folder.glob("*app-rankings.*.json")
        rows = [row for day in json.loads(path.read_text()).values() for row in day.values()]
        usage = openrouter_rankings.parse(json.dumps({"data": rows}).encode(), WHEN).frames["usage"]
        ours = {(str(row["period"]), row["entity"]): row["value"] for row in usage.to_dicts()}
        theirs = {(row["d"], row["m"]): row["t"] for row in json.loads(other.read_text())["daily"]}
        last = max(day for day, _ in theirs)
        differing = {key for key, value in theirs.items() if ours.get(key) != value}
        assert len(theirs) == 30 * 51
        assert {day for day, _ in differing} <= {last}
        assert all(abs(ours[key] / theirs[key] - 1) < 0.001 for key in differing if key in ours)


class TestVercel:
    @pytest.mark.parametrize("kind", ["model", "lab"])
    def test_every_recorded_share_is_kept_or_of_the_running_day(
        self, recordings: Path, kind: str
    ) -> None:
        rows = RecordedBodies(recordings, lambda: WHEN).leaderboard(f"{kind}s")
        assert rows is not None
        answer = vercel_leaderboard.parse(json.dumps({"rows": rows}).encode(), WHEN, kind)
        usage = answer.frames["usage"]
        running = [row for row in rows if row["date"] == "2026-08-22"]
        assert answer.rows == len(rows) == usage.height + sum(answer.refused.values())
        assert sum(answer.refused.values()) == len(running) > 0
        stored = {
            (str(row["period"]), row["metric"], row["entity"]): row["share"]
            for row in usage.to_dicts()
        }
        for row in rows:
            if row not in running:
                name = "other" if row["name"] == "Other" else row["name"]
                share = stored[row["date"], row["metric"], name]
                assert share == pytest.approx(row["share_percent"] / 100, abs=1e-12)
        per_day = usage.group_by("period", "metric").agg(pl.col("share").sum())
        assert per_day["share"].to_list() == pytest.approx([1.0] * per_day.height, abs=2e-4)
