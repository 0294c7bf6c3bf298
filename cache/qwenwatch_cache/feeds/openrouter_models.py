"""OpenRouter's model list: route prices and catalogue.

Facts (OpenRouterTeam/docs openapi.yaml; 1,107 public captures 2024-09…2026-08): prices
(see `openrouter_pricing`) are of the provider that OpenRouter would route to now, not the vendor's
list prices. `~author/x-latest` rows are aliases of other rows.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import msgspec
import polars as pl

from qwenwatch_cache.feeds.feed import (
    Count,
    Done,
    Feed,
    Parsed,
    Request,
    decode,
    decode_each,
    name_of,
    noted,
    refuse_empty,
    refuse_unit_error,
)
from qwenwatch_cache.feeds.money import RefusedPrice
from qwenwatch_cache.feeds.openrouter_pricing import Pricing, price_rows
from qwenwatch_cache.frames import CATALOG, PRICE, conform
from qwenwatch_cache.identity import split_variant

NAME = "openrouter-models"
PATH = "/api/v1/models"

_Second = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]  # to the end of year 9999


class _Model(msgspec.Struct):
    id: str
    name: str
    pricing: Pricing
    created: _Second | None = None
    canonical_slug: str | None = None
    hugging_face_id: str | None = None
    context_length: Count | None = None
    expiration_date: str | None = None


class _Body(msgspec.Struct):
    data: list[msgspec.Raw]


def parse(body: bytes, fetched_at: datetime) -> Parsed:
    """Read the model list into route prices and catalogue rows.

    Raises:
        FeedError: Not the documented shape, no models, or too many bad rows.
    """
    raws = decode(NAME, body, _Body).data
    refuse_empty(NAME, raws, "models")
    models, bad = decode_each(NAME, [(name_of(raw, "id"), raw) for raw in raws], _Model)
    refused: Counter[str] = Counter()
    unread = {split_variant(name)[0] for name, _ in bad}
    if bad:
        refused["another shape than documented"] = len(bad)
    prices: list[dict[str, Any]] = []
    wrong: list[str] = []
    catalog: list[dict[str, Any]] = []
    for model_id, model in models:
        if model_id.startswith("~"):
            refused["alias of another row"] += 1
            continue
        try:
            rows = price_rows(
                model.pricing,
                feed=NAME,
                provider="openrouter",
                model=model_id,
                observed_at=fetched_at,
            )
            prices.extend(rows)
        except RefusedPrice as reason:
            refused[reason.rule] += 1
            wrong.append(f"{model_id}: {reason}")
            unread.add(split_variant(model_id)[0])
            continue
        catalog.append(_catalog_row(model, fetched_at))
    if wrong:
        refuse_unit_error(NAME, len(wrong), len(models), wrong[0])
    frames = {
        "price": conform(pl.DataFrame(prices, schema=PRICE), PRICE),
        "catalog": conform(pl.DataFrame(catalog, schema=CATALOG), CATALOG),
    }
    return Parsed(frames, len(raws), refused, frozenset(unread), noted(bad, wrong))


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """One request for the whole list."""
    return [Request(PATH, parse)]


def _catalog_row(model: _Model, fetched_at: datetime) -> dict[str, Any]:
    _, variant = split_variant(model.id)
    slug = model.canonical_slug or model.id
    return {
        "feed": NAME,
        "model": model.id,
        "usage_slug": f"{split_variant(slug)[0]}:{variant}" if variant else slug,
        "name": model.name,
        "created": None if model.created is None else datetime.fromtimestamp(model.created, UTC),
        "context_length": model.context_length,
        "open_weights": True if model.hugging_face_id else None,
        "expires": _date(model.expiration_date),
        "observed_at": fetched_at,
    }


def _date(text: str | None) -> date | None:
    """A stated day; the far dummy 2098-12-31 means that none is set."""
    try:
        day = date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
    return None if day.year >= 2090 else day


FEED = Feed(
    name=NAME,
    title="OpenRouter models (route prices)",
    publisher="OpenRouter",
    kind="prices",
    host="https://openrouter.ai",
    plan=plan,
    budget=100,
    floor=timedelta(hours=1),
    licence="no licence stated for /models",
    citation="Prices: OpenRouter (openrouter.ai/models), as of {as_of}",
    page="https://openrouter.ai/models",
)
