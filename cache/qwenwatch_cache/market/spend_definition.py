"""Implied spend as one of the definitions that stand side by side."""

from collections.abc import Sequence

import polars as pl

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.market.directory import UNATTRIBUTED
from qwenwatch_cache.market.implied_spend import Spend, implied_spend
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.measured import COUNTRIES, LEADERS, Measured
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.spend import BUCKETS, leader, spend
from qwenwatch_cache.market.token_prices import Basis
from qwenwatch_cache.market.windows import Window

KEY = "implied_spend/openrouter-rankings"

CAVEAT = (
    "tokens × price, no bill: how many tokens were input, output or cached is not published, so "
    "that shares are intervals, over the priced tokens only; ranked under an assumed mix"
)


def measured_spend(
    known: Known, window: Window, mix: Mix, basis: Basis = "route"
) -> Sequence[Measured]:
    """Implied spend of a window as a definition, nothing where there are no tokens of it."""
    try:
        return [spend_definition(implied_spend(known, "vendor", window, basis, mix))]
    except NothingToShow:
        return []


def spend_definition(asked: Spend) -> Measured:
    """What implied spend says of a window: who leads, and each country's share as an interval.

    Vendors are in order of the expected spend. The scope says how many of the tokens are priced,
    and who would lead if all tokens were of the cheapest kind, or all of the dearest.
    """
    vendors, countries = spend(asked.used, "vendor"), spend(asked.used, "country")
    ranked = vendors.filter(~pl.col("id").is_in(list(BUCKETS)) & pl.col("expected").is_not_null())
    leaders = ranked.with_row_index("rank", offset=1).select(
        "rank", "id", "name", "country", pl.col("expected").round(2).alias("value"), *_shares()
    )
    order = [pl.col("id") == UNATTRIBUTED, pl.col("share_expected"), pl.col("id")]
    by_country = countries.sort(order, descending=[False, True, False], nulls_last=True)
    window = asked.window
    return Measured(
        key=KEY,
        feed=asked.definition.feed,
        label="implied spend · OpenRouter",
        unit="USD",
        kind="vendor",
        start=window.start,
        end=window.end,
        grain=window.grain,
        complete=asked.complete,
        scope=f"{asked.scope}, at {asked.basis} prices; {_priced(asked)}; {_led(vendors)}",
        caveat=CAVEAT,
        leaders=leaders.select(LEADERS.names()).cast(dict(LEADERS.items())),
        countries=by_country.select(pl.col("id").alias("country"), *_shares())
        .select(COUNTRIES.names())
        .cast(dict(COUNTRIES.items())),
        origin=asked.origins[0],
    )


def _shares() -> list[pl.Expr]:
    """An interval: no single number is known."""
    return [pl.lit(None, pl.Float64()).alias("share"), pl.col("share_low"), pl.col("share_high")]


def _priced(asked: Spend) -> str:
    priced = asked.whole["priced_share"]
    return "no tokens" if priced is None else f"{100 * priced:.1f} % of the tokens are priced"


def _led(vendors: pl.DataFrame) -> str:
    names = dict(vendors.select("id", "name").iter_rows())
    low, high = (names.get(leader(vendors, column), "nobody") for column in ("low", "high"))
    return f"at lowest {low} would lead, at highest {high}"
