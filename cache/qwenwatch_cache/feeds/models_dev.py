"""models.dev: vendors' list prices, kept by hand and by a sync job.

Facts (anomalyco/models.dev @f3fc6922, 2026-07-02): ``{provider: {models: {id: {cost}}}}``; costs
are numbers in USD per 1M tokens; `tiers` hold prices for longer prompts; a model without `cost` has
no known price; a removed model just disappears. Only a vendor's own provider states a list price of
the vendor's own models (vendors.toml says which providers those are): resellers are left out, and
so are other vendors' models that a vendor's cloud serves beside its own.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import polars as pl

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import (
    Done,
    Feed,
    Parsed,
    Request,
    decode,
    decode_each,
    noted,
    refuse_unit_error,
)
from qwenwatch_cache.feeds.money import RefusedPrice, kept
from qwenwatch_cache.feeds.price_row import price_row
from qwenwatch_cache.frames import CATALOG, PRICE, conform
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.vendors import load_vendors

NAME = "models-dev"
PATH = "/api.json"

_Tokens = Annotated[float, msgspec.Meta(ge=0, le=1e15)]  # whole, but JSON has one kind of number


class _Prices(msgspec.Struct):
    input: Decimal | None = None
    output: Decimal | None = None
    reasoning: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None


class _TierOf(msgspec.Struct):
    type: str
    size: _Tokens


class _Tier(_Prices, kw_only=True):
    tier: _TierOf


class _Cost(_Prices, kw_only=True):
    input: Decimal
    output: Decimal
    tiers: list[_Tier] | None = None
    context_over_200k: _Prices | None = None


class _Limit(msgspec.Struct):
    context: _Tokens | None = None


class _Model(msgspec.Struct):
    name: str = ""
    cost: _Cost | None = None
    open_weights: bool | None = None
    release_date: str | None = None
    limit: _Limit | None = None


class _Provider(msgspec.Struct):
    models: dict[str, msgspec.Raw]


def parse(body: bytes, fetched_at: datetime) -> Parsed:
    """Read the registry into list prices and catalogue rows of vendors' own providers.

    Raises:
        FeedError: Not the documented shape, no provider of a known vendor, or too many bad rows.
    """
    providers = decode(NAME, body, dict[str, _Provider])
    vendors, identity = load_vendors(), load_identity()
    refused: Counter[str] = Counter()
    prices: list[dict[str, Any]] = []
    wrong: list[str] = []
    catalog: list[dict[str, Any]] = []
    total = 0
    own: list[tuple[str, str, str, msgspec.Raw]] = []
    for provider, entry in providers.items():
        total += len(entry.models)
        first_party = vendors.list_price_region(NAME, provider)
        if first_party is None:
            refused["not a vendor's own provider"] += len(entry.models)
            continue
        vendor, region = first_party
        for name, raw in entry.models.items():
            canonical = identity.canonical(NAME, f"{provider}/{name}")
            known_own = canonical is not None and canonical.startswith(f"{vendor.id}/")
            if known_own or (canonical is None and vendor.makes(name)):
                own.append((provider, region, name, raw))
            else:
                refused["another vendor's model"] += 1
    if not own:
        raise FeedError(f"{NAME}: the answer names no vendor that this program knows")
    models, bad = decode_each(NAME, [(f"{one[0]}/{one[2]}", one[3]) for one in own], _Model)
    unread = {name for name, _ in bad}
    if bad:
        refused["another shape than documented"] = len(bad)
    regions = {f"{provider}/{model}": (provider, region) for provider, region, model, _ in own}
    for model_id, model in models:
        provider, region = regions[model_id]
        catalog.append(_catalog_row(model_id, model, fetched_at))
        if model.cost is None:
            refused["no price stated"] += 1
            continue
        try:
            prices.extend(_price_rows(model_id, model.cost, provider, region, fetched_at))
        except RefusedPrice as reason:
            refused[reason.rule] += 1
            wrong.append(f"{model_id}: {reason}")
            unread.add(model_id)
    if wrong:
        refuse_unit_error(NAME, len(wrong), len(models), wrong[0])
    frames = {
        "price": conform(pl.DataFrame(prices, schema=PRICE), PRICE),
        "catalog": conform(pl.DataFrame(catalog, schema=CATALOG), CATALOG),
    }
    return Parsed(frames, total, refused, frozenset(unread), noted(bad, wrong))


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """One request for the whole registry."""
    return [Request(PATH, parse)]


def _price_rows(
    model_id: str, cost: _Cost, provider: str, region: str, fetched_at: datetime
) -> Iterator[dict[str, Any]]:
    base = _amounts(cost)
    tiers = {0: base}
    for tier in cost.tiers or []:
        if tier.tier.type == "context":
            tiers[int(tier.tier.size)] = base | _stated(tier)
    if cost.context_over_200k is not None and not cost.tiers:
        tiers[200_000] = base | _stated(cost.context_over_200k)
    for tier_from, amounts in tiers.items():
        yield price_row(
            NAME,
            model_id,
            amounts,
            fetched_at,
            basis="list",
            provider=provider,
            region=region,
            tier_from=tier_from,
        )


def _amounts(prices: _Prices) -> dict[str, Decimal | None]:
    stated = {
        "input": prices.input,
        "output": prices.output,
        "reasoning": prices.reasoning,
        "cache_read": prices.cache_read,
        "cache_write": prices.cache_write,
        "audio_input": prices.input_audio,
        "audio_output": prices.output_audio,
    }
    return {column: None if amount is None else kept(amount) for column, amount in stated.items()}


def _stated(prices: _Prices) -> dict[str, Decimal | None]:
    return {column: amount for column, amount in _amounts(prices).items() if amount is not None}


def _catalog_row(model_id: str, model: _Model, fetched_at: datetime) -> dict[str, Any]:
    context = model.limit.context if model.limit else None
    return {
        "feed": NAME,
        "model": model_id,
        "usage_slug": None,
        "name": model.name or model_id.partition("/")[2],
        "created": _instant(model.release_date),
        "context_length": None if context is None else int(context),
        "open_weights": model.open_weights,
        "expires": None,
        "observed_at": fetched_at,
    }


def _instant(text: str | None) -> datetime | None:
    """A release day; models.dev also writes a bare year or month, which is no day."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


FEED = Feed(
    name=NAME,
    title="models.dev (list prices)",
    publisher="models.dev",
    kind="prices",
    host="https://models.dev",
    plan=plan,
    budget=24,
    floor=timedelta(hours=6),
    licence="MIT",
    citation="Prices: models.dev, MIT, as of {as_of}",
    page="https://models.dev",
)
