"""The prices of one entry of LiteLLM's file: tiers, variants and off-peak hours.

Facts (docs.litellm.ai, proxy/model_cost_map; 35 recorded files 2023-10 … 2026-11; the test cases of
LiteLLM's own cost calculation): prices are numbers in USD per token. `…_above_128k_tokens` is the
price of prompts of more than 128,000 tokens; what such a tier does not state is the base price.
`tiered_pricing` is a ladder of complete prices that replaces the top-level one; a prompt of exactly
a bound belongs to the lower step. `…_batches`, `…_flex` and `…_priority` are variants; what they do
not state is unknown. `off_peak_pricing` replaces what it states in every tier while it is in force.

Left out: other suffixes (…_ultrafast, …_decisions), prices per page, second, character, pixel,
query and session, and prices per image, which one field states for an image put in, an image made
and a token of an image alike.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from qwenwatch_cache.feeds.litellm_hours import OffPeak, week_tiles
from qwenwatch_cache.feeds.money import MILLION_DIGITS, RefusedPrice, kept
from qwenwatch_cache.feeds.shape import describe

Shape = TypeVar("Shape")

Amounts = Mapping[str, Decimal]
"""Column of the price table -> USD per 1M tokens; only what is stated."""

Ladder = dict[int, dict[str, Decimal]]
"""Tokens from which on -> amounts."""

INPUT, OUTPUT = "input_cost_per_token", "output_cost_per_token"
PER_REQUEST = "input_cost_per_request"

FIELDS = {
    INPUT: "input",
    OUTPUT: "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
    "cache_read_input_audio_token_cost": "audio_cache_read",
    "output_cost_per_image_token": "image_output",
    PER_REQUEST: "request",
}
SYNONYMS = {
    "input_cost_per_token_cache_hit": "cache_read",
    "cache_read_input_token_cost_per_audio_token": "audio_cache_read",
}
"""Other names of the same; they count where the first name is missing."""

VARIANTS = {"": "", "batches": "batch", "flex": "flex", "priority": "priority"}

_PRICE = re.compile(
    rf"({'|'.join([*FIELDS, *SYNONYMS])})"
    rf"(?:_above_(\d{{1,6}})k_tokens)?(?:_({'|'.join(filter(None, VARIANTS))}))?",
    re.ASCII,
)
_Tokens = Annotated[float, msgspec.Meta(ge=0, le=1e15)]  # whole, but JSON has one kind of number


class Offer(NamedTuple):
    """One row of the price table, as far as the entry decides it."""

    variant: str
    tier_from: int
    window_utc: str
    amounts: Amounts


class _Step(msgspec.Struct):
    range: tuple[_Tokens, _Tokens]


def offers(entry: Mapping[str, msgspec.Raw], fetched_at: datetime) -> list[Offer]:
    """Read all prices of an entry.

    Returns:
        Nothing if the entry states no price per token or request, or 0 for everything: LiteLLM
        writes 0 also where nobody entered a price, or where another unit is billed.

    Raises:
        RefusedPrice: An amount cannot be right, or the tiers or hours are malformed.
    """
    stated = _stated(entry)
    if (steps := entry.get("tiered_pricing")) is not None:
        stated[""] = _steps(steps)
    found: list[Offer] = []
    for suffix, variant in VARIANTS.items():
        ladder = stated[suffix]
        base = ladder.get(0, {})
        if variant and not {"input", "output"} <= base.keys():
            continue
        for tier_from in sorted(ladder):
            amounts = ladder[tier_from] if steps is not None else base | ladder[tier_from]
            found.append(Offer(variant, tier_from, "", amounts))
        if not variant and not any(any(offer.amounts.values()) for offer in found):
            return []
    if (off_peak := entry.get("off_peak_pricing")) is not None:
        found = _by_hour(found, off_peak, fetched_at)
    return found


def _stated(entry: Mapping[str, msgspec.Raw]) -> dict[str, Ladder]:
    """The amounts that an entry states itself: suffix of the variant -> ladder."""
    found: dict[str, Ladder] = defaultdict(dict)
    for names in (FIELDS, SYNONYMS):
        for key, raw in entry.items():
            match = _PRICE.fullmatch(key)
            if match is None or match[1] not in names or bytes(raw) == b"null":
                continue
            shift = 0 if match[1] == PER_REQUEST else MILLION_DIGITS
            tier = found[match[3] or ""].setdefault(int(match[2] or 0) * 1000, {})
            tier.setdefault(names[match[1]], kept(_decoded(key, raw, Decimal), shift))
    return found


def _steps(raw: msgspec.Raw) -> Ladder:
    """A ladder of complete prices: the first step begins at 0, each other where one ends."""
    ladder: Ladder = {}
    reached = 0.0
    for entry in _decoded("tiered_pricing", raw, list[msgspec.Raw]):
        start, end = _decoded("tiered_pricing", entry, _Step).range
        fields = _decoded("tiered_pricing", entry, dict[str, msgspec.Raw])
        amounts = _stated(fields)[""].get(0, {})
        if start != reached or end <= start or start != int(start):
            raise _unclear(f"a step from {start:,.0f} to {end:,.0f} after {reached:,.0f}")
        if not {"input", "output"} <= amounts.keys():
            raise _unclear(f"the step from {start:,.0f} states no price of input and output")
        ladder[int(start)] = amounts
        reached = end
    if not ladder:
        raise _unclear("no steps")
    return ladder


def _by_hour(found: list[Offer], raw: msgspec.Raw, fetched_at: datetime) -> list[Offer]:
    """Replace the standard offers by those of peak and off-peak hours."""
    hours = _decoded("off_peak_pricing", raw, OffPeak)
    fields = _decoded("off_peak_pricing", raw, dict[str, msgspec.Raw])
    amounts = _stated(fields)[""].get(0, {})
    peak, off_peak = week_tiles(hours, fetched_at)
    tiled: list[Offer] = []
    for offer in found:
        if offer.variant:
            tiled.append(offer)
            continue
        tiled += [offer._replace(window_utc=window) for window in peak]
        cheaper = {**offer.amounts, **amounts}
        tiled += [offer._replace(window_utc=window, amounts=cheaper) for window in off_peak]
    return tiled


def _decoded(key: str, raw: msgspec.Raw, shape: type[Shape]) -> Shape:
    """Decode one value of an entry; what does not fit refuses the entry."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedPrice("another shape than documented", describe(error, key)) from error


def _unclear(detail: str) -> RefusedPrice:
    return RefusedPrice("unclear ladder of tiers", detail)
