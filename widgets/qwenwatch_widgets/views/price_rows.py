"""Prices as plain values: the block `prices` of a snapshot's document."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.clock import iso
from qwenwatch_widgets.views.amounts import number
from qwenwatch_widgets.views.plain import plain_row

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.prices import Mix
    from qwenwatch_widgets.views.snapshot import Ask

OWN_CURRENCY = "USD"
"""The currency that a comparison is in unless another was asked for."""

AMOUNTS = ("input", "output", "cache_read", "blended")

_COLUMNS = (
    *("model", "name", "vendor", "basis", "feed", "source_id", "provider", "region", "variant"),
    *("window_utc", "tier_from", "up_to", "currency", *AMOUNTS, "ratio_input", "ratio_output"),
    *("ratio_blended", "cross_check", "changed_at", "observed_at"),
)


def prices_block(ask: "Ask", offers: "pl.DataFrame", at: datetime) -> dict[str, Any]:
    """The block of a document.

    Args:
        ask: What was asked.
        offers: prices.PRICES, or conversion.CONVERTED if a currency was asked for.
        at: The moment the prices are of.
    """
    terms = ask.terms
    block: dict[str, Any] = {
        "baseline_model": ask.baseline,
        "currency": terms.currency or OWN_CURRENCY,
        "mix": plain_mix(ask.mix),
        "at": iso(at),
        "request_tokens": terms.prompt_tokens,
    }
    if terms.currency:
        block["rates"] = [
            {
                "base": base,
                "quote": terms.currency,
                "rate": number(rate),
                "date": day.isoformat(),
                "feed": feed or None,
            }
            for base, rate, day, feed in _rates(offers)
        ]
    block["rows"] = [_price(row) for row in offers.to_dicts()]
    return block


def plain_mix(mix: "Mix") -> dict[str, Any]:
    """The parts of a workload."""
    parts = {"input": mix.input, "output": mix.output, "cached": mix.cached}
    return {name: number(part) for name, part in parts.items()}


def rate_feeds(offers: "pl.DataFrame") -> list[tuple[str, date]]:
    """Feeds whose exchange rates were used, with the day that those are of."""
    if "rate" not in offers.columns:
        return []
    return sorted({(feed, day) for _, _, day, feed in _rates(offers) if feed})


def _rates(offers: "pl.DataFrame") -> list[tuple[Any, ...]]:
    columns = ("currency", "rate", "rate_date", "rate_feed")
    known = offers.select(columns).drop_nulls("rate").unique()
    return list(known.sort("currency").iter_rows())


def _price(row: Mapping[str, Any]) -> dict[str, Any]:
    names: tuple[str, ...] = _COLUMNS
    if "rate" in row:
        names += (*(f"converted_{name}" for name in AMOUNTS), "rate_date")
    return plain_row({name: row[name] for name in names})
