"""What the usage of an export costs today with the models that it was of."""

from collections.abc import Callable
from typing import Any

import polars as pl

from qwenwatch_cache.frames import MONEY
from qwenwatch_cache.identity import Identity, split_variant
from qwenwatch_cache.market.cost import Wanted, cost
from qwenwatch_cache.market.rates import Rate
from qwenwatch_cache.market.usage_export import Export, Used
from qwenwatch_cache.market.workload import FREE

OWN_USAGE = pl.Schema(
    {
        "name": pl.String(),  # as the export names it
        "model": pl.String(),  # canonical id, null if the name is not in the map
        "input": pl.Int64(),  # all tokens of the prompts
        "cached": pl.Int64(),  # of these, read from the cache; null if not told
        "written": pl.Int64(),  # of these, written to it; null if not told
        "output": pl.Int64(),
        "requests": pl.Int64(),  # null if not stated
        "basis": pl.String(),  # of the price; null if there is none
        "feed": pl.String(),
        "total": MONEY,  # in the currency asked for; null if not known
        "why": pl.String(),  # why there is no total, "" if there is one
    }
)


def own_usage(
    export: Export,
    offers: pl.DataFrame,
    identity: Identity,
    *,
    currency: str,
    rate: Callable[[str], Rate | None],
) -> pl.DataFrame:
    """Price each model of an export with its own tokens: OpenRouter's at its route price, the
    others at the cheapest list price.

    Args:
        export: The usage.
        offers: offers.OFFERS.
        identity: Says which model a name stands for: exactly, or none.
        currency: What the costs are stated in.
        rate: The exchange rate from a currency to that one.

    Returns:
        OWN_USAGE in the order of the export, most tokens first.
    """
    rows: list[dict[str, Any]] = []
    tells_cached = export.tells_cached or export.workload.cached + export.workload.written > 0
    for one in export.models:
        workload = one.workload
        row: dict[str, Any] = {
            "name": one.name,
            "model": model_of(export, one, identity),
            "input": workload.input,
            "cached": workload.cached if tells_cached else None,
            "written": workload.written if tells_cached else None,
            "output": workload.output,
            "requests": workload.requests,
        }
        if row["model"] is None:
            rows.append({**row, "why": "its name is in no map of models"})
            continue
        basis = "route" if export.feed == "openrouter-models" else "list"
        variant = split_variant(one.name)[1] if basis == "route" else ""
        wanted = Wanted(basis=basis, models=frozenset({row["model"]}))
        of_model = offers.filter(pl.col("variant") == variant)
        found = cost(of_model, workload, wanted, currency=currency, rate=rate, baseline="")
        known = found.filter(pl.col("left_out").is_in(["", FREE]))
        if known.is_empty():
            reason = found["left_out"].first() or f"there is no {basis} price of it"
            rows.append({**row, "why": reason})
            continue
        cheapest = known.row(0, named=True)
        priced = {name: cheapest[name] for name in ("basis", "feed", "total")}
        rows.append({**row, **priced, "why": ""})
    return pl.DataFrame(rows, schema=OWN_USAGE)


def model_of(export: Export, used: Used, identity: Identity) -> str | None:
    """The canonical id of a model of an export, None if its name is in no map."""
    return identity.canonical(export.feed, used.name)
