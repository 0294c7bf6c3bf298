"""How a model of Alibaba's Model Studio states its prices, and which column each of them is.

Every price type of the recorded files (2026-05-27) was looked at:

* ``thinking_…`` is the variant "thinking": with thinking on, all of a request is billed at these
  prices, the answer too, so that they are not a price of reasoning tokens. A model without other
  prices always thinks: they are its plain ones.
* ``…_batch`` ("Batch File") and ``…_batch_chat`` are the variant "batch"; the former counts first.
* `cache_read` is the implicit cache where that has a price, for it needs no request to fill it, or
  else the explicit one. `cache_write` is what filling the explicit one costs.
* Omni models: what stands under `FIELD_OF`. A price that depends on what else is in the request has
  no column of its own, and fine-tuning is no price of use: left out, and counted.
* `discount` is the part that is paid, the price beside it is the one before. "Batch Chat" repeats
  the plain price with 0.5, and "Batch File" states its half; qwen3.7-max at 12 with 0.5 was on sale
  at 6. What is kept is what is charged.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from qwenwatch_cache.feeds.feed import Count
from qwenwatch_cache.feeds.money import RefusedPrice, amount_of, kept

PER_MILLION = "每百万tokens"

FIELD_OF = {
    "input_token": "input",
    "output_token": "output",
    "input_token_cache": "cache_read",
    "input_token_cache_read": "cache_read",
    "input_token_cache_creation_5m": "cache_write",
    "text_input_token": "input",
    "text_input_token_cache": "cache_read",
    "audio_input_token": "audio_input",
    "audio_input_token_cache": "audio_cache_read",
    "purein_text_output_token": "output",  # text, where the input is only text
    "multi_output_token": "audio_output",  # text and speech, of which the text is not billed
    "omni_no_audio_input_token": "input",
    "omni_no_audio_output_token": "output",
    "omni_audio_input_token": "audio_input",
    "omni_audio_output_token": "audio_output",  # as multi_output_token
}
"""Column of a price type, without "thinking_" before and "_batch" or "_batch_chat" after it."""

_OF_INPUT = "输入"
_LOWEST_DISCOUNT = Decimal("0.01")

Amounts = Mapping[tuple[str, int], Mapping[str, Decimal]]
"""Variant and tier -> column -> yuan per 1M tokens."""


class Price(msgspec.Struct, rename="camel"):
    """One stated price."""

    type: str
    price: str
    price_unit: str
    discount: Decimal | None = None


class Range(msgspec.Struct, rename="camel"):
    """The prices of requests of a certain size, "128k<输入<=256k"."""

    range_name: str
    range_start: Count
    prices: list[Price]


class Priced(msgspec.Struct, rename="camel"):
    """A model's prices: flat ones, or ranges."""

    prices: list[Price] | None = None
    multi_prices: list[Range] | None = None

    def stated(self) -> int:
        """How many prices the model states."""
        ranges = self.multi_prices or []
        return len(self.prices or []) + sum(len(each.prices) for each in ranges)


def amounts_of(model: Priced) -> tuple[Amounts, Counter[str]]:
    """The prices of a model, and how many of them were left out by which rule.

    Raises:
        RefusedPrice: One cannot be right, or is of another unit. Then none of the model is of use,
            for a part of its prices would pass for all of them.
    """
    left_out: Counter[str] = Counter()
    stated = [(0, price) for price in model.prices or []]
    for each in model.multi_prices or []:
        if _OF_INPUT in each.range_name:
            stated.extend((each.range_start, price) for price in each.prices)
        else:
            left_out["of a range that is not of the input"] += len(each.prices)
    fitting = [(tier, price) for tier, price in stated if _core(price.type) in FIELD_OF]
    left_out["of a type that has no column"] += len(stated) - len(fitting)
    always_thinks = all(price.type.startswith("thinking_") for _, price in fitting)
    amounts: dict[tuple[str, int], dict[str, Decimal]] = defaultdict(dict)
    for tier, price in sorted(fitting, key=lambda each: _second_choice(each[1].type)):
        amount = _charged(price)
        columns = amounts[_variant(price.type, always_thinks), tier]
        column = FIELD_OF[_core(price.type)]
        if column in columns:
            left_out["beside a price that counts first"] += 1
        else:
            columns[column] = amount
    return amounts, +left_out


def _core(price_type: str) -> str:
    return price_type.removeprefix("thinking_").removesuffix("_batch_chat").removesuffix("_batch")


def _variant(price_type: str, always_thinks: bool) -> str:
    thinking = price_type.startswith("thinking_") and not always_thinks
    batch = price_type.endswith(("_batch", "_batch_chat"))
    return "-".join(["thinking"] * thinking + ["batch"] * batch)


def _second_choice(price_type: str) -> bool:
    return price_type.endswith("_batch_chat") or _core(price_type) == "input_token_cache_read"


def _charged(price: Price) -> Decimal:
    """Yuan per 1M tokens after the discount.

    Raises:
        RefusedPrice: Another unit, no number, out of bounds, or no discount.
    """
    if price.price_unit != PER_MILLION:
        unit = price.price_unit[:20]
        raise RefusedPrice(f"priced {unit}", f"{price.type[:40]} is priced {unit!r}")
    amount = amount_of(price.price, "CNY")
    if amount is None:
        raise RefusedPrice("negative", f"{price.type[:40]} is {price.price[:40]}")
    if price.discount is None:
        return amount
    # NaN, which a text may say, cannot be compared.
    if not (price.discount.is_finite() and _LOWEST_DISCOUNT <= price.discount <= 1):
        raise RefusedPrice("not a discount", f"{price.type[:40]} has discount {price.discount:.6g}")
    return kept(amount * price.discount, currency="CNY")
