"""OpenRouter's model list: route prices and catalogue.

Facts (OpenRouterTeam/docs openapi.yaml; 1,107 public captures 2024-09…2026-08): prices are decimal
strings in USD per token, of the provider that OpenRouter would route to now, not the vendor's list
price. "-1" marks a router. A missing key is unknown, not free. `overrides` hold prices for longer
prompts (`min_prompt_tokens`, strictly greater) and for times of day (`utc_start`, `utc_end`, HHMM,
half-open, may wrap midnight); where time windows tile the day the top-level price merely repeats
the window in force, so the tiles are kept and the top level is not. `~author/x-latest` rows are
aliases of other rows.
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
    Count,
    Done,
    Feed,
    Parsed,
    Request,
    decode,
    decode_each,
    refuse_unit_error,
)
from qwenwatch_cache.feeds.money import RefusedPrice, amount_of, per_million
from qwenwatch_cache.frames import CATALOG, PRICE, PRICE_FIELDS, conform
from qwenwatch_cache.identity import split_variant

NAME = "openrouter-models"
PATH = "/api/v1/models"

PER_TOKEN = {
    "prompt": "input",
    "completion": "output",
    "input_cache_read": "cache_read",
    "input_cache_write": "cache_write",
    "input_cache_write_1h": "cache_write_1h",
    "internal_reasoning": "reasoning",
    "audio": "audio_input",
    "audio_output": "audio_output",
    "input_audio_cache": "audio_cache_read",
    "image_output": "image_output",
}
PER_UNIT = {"request": "request", "image": "image", "web_search": "web_search"}

_Clock = Annotated[int, msgspec.Meta(ge=0, le=2400)]  # HHMM
_Second = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]  # to the end of year 9999


class _Prices(msgspec.Struct):
    prompt: str | None = None
    completion: str | None = None
    input_cache_read: str | None = None
    input_cache_write: str | None = None
    input_cache_write_1h: str | None = None
    internal_reasoning: str | None = None
    audio: str | None = None
    audio_output: str | None = None
    input_audio_cache: str | None = None
    image_output: str | None = None
    request: str | None = None
    image: str | None = None
    web_search: str | None = None


class _Override(_Prices):
    min_prompt_tokens: Count | None = None
    utc_start: _Clock | None = None
    utc_end: _Clock | None = None


class _Pricing(_Prices, kw_only=True):
    prompt: str
    completion: str
    overrides: list[_Override] | None = None


class _Model(msgspec.Struct):
    id: str
    name: str
    pricing: _Pricing
    created: _Second | None = None
    canonical_slug: str | None = None
    hugging_face_id: str | None = None
    context_length: Count | None = None
    expiration_date: str | None = None


class _Id(msgspec.Struct):
    id: str


class _Body(msgspec.Struct):
    data: list[msgspec.Raw]


def parse(body: bytes, fetched_at: datetime) -> Parsed:
    """Read the model list into route prices and catalogue rows.

    Raises:
        FeedError: Not the documented shape, no models, or too many bad rows.
    """
    raws = decode(NAME, body, _Body).data
    if not raws:
        raise FeedError(f"{NAME}: the answer holds no models; that is a fault, not an empty market")
    models, bad = decode_each(NAME, [(_name(raw), raw) for raw in raws], _Model)
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
            prices.extend(_price_rows(model, fetched_at))
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
    return Parsed(frames, len(raws), refused, frozenset(unread))


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """One request for the whole list."""
    return [Request(PATH, parse)]


def _name(raw: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=_Id).id
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "a row without id"


def _price_rows(model: _Model, fetched_at: datetime) -> Iterator[dict[str, Any]]:
    base_id, variant = split_variant(model.id)
    base = _amounts(model.pricing)
    overrides = model.pricing.overrides or []
    windows = [one for one in overrides if one.utc_start is not None and one.utc_end is not None]
    ladder = [one for one in overrides if one.min_prompt_tokens is not None and one not in windows]
    tiles: list[tuple[int, str, dict[str, Decimal | None]]] = []
    if _tile_the_day(windows):
        for one in windows:
            window = f"{one.utc_start:04d}-{one.utc_end:04d}"
            tiles.append((one.min_prompt_tokens or 0, window, base | _stated(one)))
    else:
        tiles.append((0, "", base))
    for one in ladder:
        tiles.append((one.min_prompt_tokens or 0, "", base | _stated(one)))
    for tier_from, window, amounts in tiles:
        yield {
            "feed": NAME,
            "basis": "route",
            "provider": "openrouter",
            "region": "",
            "model": base_id,
            "variant": variant,
            "tier_from": tier_from,
            "window_utc": window,
            "currency": "USD",
            **dict.fromkeys(PRICE_FIELDS),
            **amounts,
            "listed": True,
            "observed_at": fetched_at,
        }


def _amounts(prices: _Prices) -> dict[str, Decimal | None]:
    amounts: dict[str, Decimal | None] = {}
    for key, column in PER_TOKEN.items():
        text = getattr(prices, key)
        amounts[column] = None if text is None else per_million(text)
    for key, column in PER_UNIT.items():
        text = getattr(prices, key)
        amounts[column] = None if text is None else amount_of(text)
    return amounts


def _stated(prices: _Prices) -> dict[str, Decimal | None]:
    """Only what an override states itself; the rest it inherits."""
    return {column: amount for column, amount in _amounts(prices).items() if amount is not None}


def _tile_the_day(windows: list[_Override]) -> bool:
    """Whether windows cover all 24 hours without overlap: each begins where another ends."""
    spans = sorted((_minute(one.utc_start or 0), _minute(one.utc_end or 0)) for one in windows)
    following = [*spans[1:], *spans[:1]]
    gapless = all(here[1] == after[0] for here, after in zip(spans, following, strict=True))
    return bool(spans) and gapless and sum(end <= start for start, end in spans) == 1


def _minute(hhmm: int) -> int:
    return (hhmm // 100 * 60 + hhmm % 100) % (24 * 60)


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
    floor=timedelta(hours=1),
    licence="no licence stated for /models",
    citation="Prices: OpenRouter (openrouter.ai/models), as of {as_of}",
    page="https://openrouter.ai/models",
)
