"""LiteLLM: list prices that its community keeps by hand, as a cross-check.

Facts (BerriAI/litellm, model_prices_and_context_window.json; 35 recorded files 2023-10 … 2026-11):
one object ``{key: entry}``, whose first key, `sample_spec`, is documentation. An entry names its
provider; only a vendor's own provider states a list price of the vendor's own models (vendors.toml
says which those are). Keys repeat by route and by reseller, and it was resellers whose units were
wrong by up to 10,000 times. Of "deepseek-v4-pro" and "deepseek/deepseek-v4-pro" the one that names
the provider counts. How an entry states prices: `litellm_prices`.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
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
    refuse_empty,
    refuse_unit_error,
)
from qwenwatch_cache.feeds.litellm_prices import INPUT, OUTPUT, Offer, offers
from qwenwatch_cache.feeds.money import RefusedPrice
from qwenwatch_cache.feeds.price_row import price_row
from qwenwatch_cache.frames import CATALOG, PRICE, conform
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.vendors import load_vendors

NAME = "litellm"
PATH = "/BerriAI/litellm/main/model_prices_and_context_window.json"

SAMPLE = "sample_spec"

_PREFIXES = {"amazon_nova": "amazon-nova"}
"""How keys begin, where it is not the provider's name."""

_Tokens = Annotated[float, msgspec.Meta(ge=0, le=1e15)]  # whole, but JSON has one kind of number


class _Head(msgspec.Struct):
    litellm_provider: str | None = None


class _Entry(msgspec.Struct):
    max_input_tokens: _Tokens | None = None
    max_tokens: _Tokens | None = None
    deprecation_date: str | None = None


def parse(body: bytes, fetched_at: datetime) -> Parsed:
    """Read the file into list prices and catalogue rows of vendors' own providers.

    Raises:
        FeedError: Not the documented shape, no provider of a known vendor, or too many bad rows.
    """
    entries = decode(NAME, body, dict[str, msgspec.Raw])
    total = len(entries)
    refuse_empty(NAME, entries, "models")
    refused: Counter[str] = Counter()
    if entries.pop(SAMPLE, None) is not None:
        refused["documentation, not a model"] += 1
    heads, bad = decode_each(NAME, list(entries.items()), _Head)
    own = _own(heads, refused)
    if not own:
        raise FeedError(f"{NAME}: the answer names no vendor that this program knows")
    models, bad_entries = decode_each(NAME, [(key, entries[key]) for key in own], _Entry)
    bad += bad_entries
    unread = {key for key, _ in bad}
    if bad:
        refused["another shape than documented"] += len(bad)
    prices: list[dict[str, Any]] = []
    catalog: list[dict[str, Any]] = []
    wrong: list[str] = []
    stated: set[str] = set()
    for key, model in models:
        provider, region = own[key]
        fields = msgspec.json.decode(entries[key], type=dict[str, msgspec.Raw])
        stated |= fields.keys()
        try:
            found = offers(fields, fetched_at)
        except RefusedPrice as reason:
            refused[reason.rule] += 1
            wrong.append(f"{key}: {reason}")
            unread.add(key)
            continue
        if not found:
            refused["no price per token stated"] += 1
            continue
        catalog.append(_catalog_row(key, provider, model, fetched_at))
        prices.extend(_price_row(key, provider, region, offer, fetched_at) for offer in found)
    if wrong:
        refuse_unit_error(NAME, len(wrong), len(models), wrong[0])
    if missing := {INPUT, OUTPUT} - stated:
        names = " and ".join(sorted(missing))
        raise FeedError(f"{NAME}: no entry has the field {names}; it may have been renamed")
    frames = {
        "price": conform(pl.DataFrame(prices, schema=PRICE), PRICE),
        "catalog": conform(pl.DataFrame(catalog, schema=CATALOG), CATALOG),
    }
    return Parsed(frames, total, refused, frozenset(unread), noted(bad, wrong))


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """One request for the whole file."""
    return [Request(PATH, parse)]


def name_of(provider: str, key: str) -> str:
    """The provider's own name of a model: the key without the provider in front."""
    return key.removeprefix(_prefix(provider))


def _prefix(provider: str) -> str:
    return f"{_PREFIXES.get(provider, provider)}/"


def _own(heads: Sequence[tuple[str, _Head]], refused: Counter[str]) -> dict[str, tuple[str, str]]:
    """Keys of models that a vendor's own provider sells as its own -> provider and region."""
    vendors, identity = load_vendors(), load_identity()
    provider_of = {key: head.litellm_provider for key, head in heads}
    own: dict[str, tuple[str, str]] = {}
    for key, head in heads:
        provider = head.litellm_provider or ""
        first_party = vendors.list_price_region(NAME, provider)
        if first_party is None:
            refused["not a vendor's own provider"] += 1
            continue
        (vendor, region), name = first_party, name_of(provider, key)
        canonical = identity.canonical(NAME, key)
        known_own = canonical is not None and canonical.startswith(f"{vendor.id}/")
        if not known_own and (canonical is not None or not vendor.makes(name)):
            refused["another vendor's model"] += 1
        elif key == name and provider_of.get(f"{_prefix(provider)}{key}") == provider:
            refused["the same model under two keys"] += 1
        else:
            own[key] = (provider, region)
    return own


def _price_row(
    key: str, provider: str, region: str, offer: Offer, fetched_at: datetime
) -> dict[str, Any]:
    return price_row(
        NAME,
        key,
        offer.amounts,
        fetched_at,
        basis="list",
        provider=provider,
        region=region,
        variant=offer.variant,
        tier_from=offer.tier_from,
        window_utc=offer.window_utc,
    )


def _catalog_row(key: str, provider: str, model: _Entry, fetched_at: datetime) -> dict[str, Any]:
    context = model.max_input_tokens or model.max_tokens
    return {
        "feed": NAME,
        "model": key,
        "usage_slug": None,
        "name": name_of(provider, key),
        "created": None,
        "context_length": int(context) if context else None,
        "open_weights": None,
        "expires": _day(model.deprecation_date),
        "observed_at": fetched_at,
    }


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


FEED = Feed(
    name=NAME,
    title="LiteLLM (list prices, cross-check)",
    publisher="LiteLLM",
    kind="prices",
    host="https://raw.githubusercontent.com",
    plan=plan,
    budget=12,
    floor=timedelta(days=1),
    licence="MIT",
    citation="Prices: LiteLLM, MIT, as of {as_of}",
    page="https://github.com/BerriAI/litellm",
)
