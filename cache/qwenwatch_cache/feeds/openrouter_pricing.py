"""The `pricing` object of OpenRouter's answers, as rows of prices.

Facts (OpenRouterTeam/docs openapi.yaml, PublicPricing): prices are decimal strings in USD per
token, request, image or search; "-1" marks a router. A missing key is unknown, not free.
`overrides` hold prices for longer prompts (`min_prompt_tokens`, strictly greater) and for times of
day (`utc_start`, `utc_end`, HHMM, half-open, may wrap midnight); where time windows tile the day
the top-level price merely repeats the window in force, so the tiles are kept and the top level is
not.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from qwenwatch_cache.feeds.feed import Count
from qwenwatch_cache.feeds.money import amount_of, per_million
from qwenwatch_cache.feeds.price_row import price_row
from qwenwatch_cache.identity import split_variant

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


class Pricing(_Prices, kw_only=True):
    """What a model costs, as its entry states it."""

    prompt: str
    completion: str
    overrides: list[_Override] | None = None


def price_rows(
    pricing: Pricing, *, feed: str, provider: str, model: str, observed_at: datetime
) -> Iterator[dict[str, Any]]:
    """Rows of frames.PRICE: the base price or its times of day, then the tiers above it.

    Args:
        pricing: As stated.
        feed: Name of the feed.
        provider: Who asks that price.
        model: OpenRouter's id, with its variant.
        observed_at: When it was fetched.

    Raises:
        RefusedPrice: A price cannot be right.
    """
    base_id, variant = split_variant(model)
    base = _amounts(pricing)
    overrides = pricing.overrides or []
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
        yield price_row(
            feed,
            base_id,
            amounts,
            observed_at,
            basis="route",
            provider=provider,
            variant=variant,
            tier_from=tier_from,
            window_utc=window,
        )


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
