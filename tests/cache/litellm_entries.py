"""Entries of LiteLLM's file for tests, and short ways to ask what became of them."""

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl

from qwenwatch_cache.feeds import litellm
from qwenwatch_cache.feeds.feed import Parsed

WHEN = datetime(2026, 11, 18, 6, tzinfo=UTC)

FLAT = {
    "litellm_provider": "openai",
    "input_cost_per_token": 3e-05,
    "output_cost_per_token": 6e-05,
}


def answer(**entries: Any) -> Parsed:
    """Parse some entries, with a sound one beside them."""
    return litellm.parse(json.dumps({"gpt-4": FLAT, **entries}).encode(), WHEN)


def sold(**fields: Any) -> dict[str, Any]:
    """An entry of a vendor's own provider."""
    return {"litellm_provider": "openai", **fields}


def prices_of(parsed: Parsed, model: str, *columns: str) -> list[tuple[Any, ...]]:
    rows = parsed.frames["price"].filter(pl.col("model") == model)
    return rows.select(*columns).rows()


def refused(parsed: Parsed) -> dict[str, int]:
    return {rule: count for rule, count in parsed.refused.items() if count}
