"""A cache with some prices and the tokens of one day, for the tests of implied spend."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from qwenwatch_cache.frames import FETCH, PRICE, PRICE_FIELDS, USAGE
from qwenwatch_cache.market.implied_spend import Spend, implied_spend
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.store import Store

DAY = date(2026, 8, 12)
"""A Wednesday."""

NOON = datetime(2026, 8, 12, 12, tzinfo=UTC)


def price(
    model: str,
    input_: str | None,
    output: str | None,
    cached: str | None = None,
    when: datetime = NOON,
    **other: Any,
) -> dict[str, Any]:
    """A row of the price table, USD per 1M tokens."""
    amounts = {"input": input_, "output": output, "cache_read": cached}
    base, _, variant = model.partition(":")
    return {
        **dict.fromkeys(PRICE_FIELDS),
        **{name: None if text is None else Decimal(text) for name, text in amounts.items()},
        "feed": "openrouter-models",
        "basis": "route",
        "provider": "openrouter",
        "region": "",
        "model": base,
        "variant": variant,
        "tier_from": 0,
        "window_utc": "",
        "currency": "USD",
        "listed": True,
        "observed_at": when,
        **other,
    }


def asked(
    tmp_path: Path,
    prices: Sequence[Mapping[str, Any]],
    tokens: Mapping[str, int],
    *,
    day: date = DAY,
    by: Any = "model",
    basis: Any = "route",
) -> Spend:
    """The spend of one day of a cache with some prices and tokens."""
    store = Store(tmp_path / "cache", bundled=tmp_path)
    last = datetime(2026, 9, 30, tzinfo=UTC)
    usage = [
        {
            **dict.fromkeys(USAGE),
            "feed": "openrouter-rankings",
            "metric": "tokens",
            "kind": "model",
            "entity": entity,
            "grain": "day",
            "period": day,
            "value": value,
            "scope": "all",
            "as_of": last,
            "observed_at": last,
        }
        for entity, value in tokens.items()
    ]
    for moment in sorted({row["observed_at"] for row in prices}):
        rows = [row for row in prices if row["observed_at"] == moment]
        store.append({"price": pl.DataFrame(rows, schema=PRICE)}, moment, whole=frozenset())
    store.append({"usage": pl.DataFrame(usage, schema=USAGE)}, last)
    read = sorted({row["observed_at"] for row in prices})
    log = [
        {**dict.fromkeys(FETCH), "feed": feed, "url": "x", "started": moment}
        for moment in read
        for feed in sorted({row["feed"] for row in prices})
    ]
    store.log(pl.DataFrame(log, schema=FETCH), last)
    return implied_spend(Known(store, last), by, Window(day, "day"), basis, Mix())
