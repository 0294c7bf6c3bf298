"""A row of the price table, as all price feeds make it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from qwenwatch_cache.frames import PRICE_FIELDS


def price_row(
    feed: str,
    model: str,
    amounts: Mapping[str, Decimal | None],
    observed_at: datetime,
    *,
    basis: Literal["route", "list"],
    provider: str,
    region: str = "",
    variant: str = "",
    tier_from: int = 0,
    window_utc: str = "",
    currency: str = "USD",
) -> dict[str, Any]:
    """One stated price entry (frames.PRICE); amounts that are not given are unknown."""
    return {
        "feed": feed,
        "basis": basis,
        "provider": provider,
        "region": region,
        "model": model,
        "variant": variant,
        "tier_from": tier_from,
        "window_utc": window_utc,
        "currency": currency,
        **dict.fromkeys(PRICE_FIELDS),
        **amounts,
        "listed": True,
        "observed_at": observed_at,
    }
