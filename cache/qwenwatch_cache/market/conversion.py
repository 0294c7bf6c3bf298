"""Prices of several currencies in one, each with the rate it was converted at."""

from datetime import date
from functools import reduce

import polars as pl

from qwenwatch_cache.frames import MONEY
from qwenwatch_cache.market.prices import PRICES, with_ratios
from qwenwatch_cache.market.rates import Rates

AMOUNTS = ("input", "output", "cache_read", "blended")

CONVERTED = pl.Schema(
    {
        **PRICES,
        **{f"converted_{name}": MONEY for name in AMOUNTS},  # in the currency wanted
        "rate": MONEY,  # units of it for one of `currency`; null if no rate is known
        "rate_date": pl.Date(),  # the day the rate is of
        "rate_feed": pl.String(),  # who states it, "" where none was needed
    }
)


def converted(
    rows: pl.DataFrame, baseline: str, currency: str, rates: Rates, day: date
) -> pl.DataFrame:
    """Put prices into one currency beside the one they are stated in.

    Args:
        rows: PRICES.
        baseline: Canonical id of the model that ratios refer to.
        currency: The currency wanted.
        rates: Exchange rates as known.
        day: The day; the last rates stated on or before it are used.

    Returns:
        CONVERTED, in the order of `rows`. Where no rate is known the converted prices are null.
        Ratios that could be had without a conversion stay as they are. Where the baseline has no
        price of the same basis in the row's own currency, they are to its converted one.
    """
    named = rows.get_column("currency").unique().sort().to_list()
    known = {one: rate for one in named if (rate := rates.rate(one, currency, day)) is not None}
    table = pl.DataFrame(
        [
            {"currency": one, "rate": rate.value, "rate_date": rate.date, "rate_feed": rate.feed}
            for one, rate in known.items()
        ],
        schema={name: CONVERTED[name] for name in ("currency", "rate", "rate_date", "rate_feed")},
    )
    amounts = {f"converted_{name}": (pl.col(name) * pl.col("rate")).cast(MONEY) for name in AMOUNTS}
    rows = rows.with_row_index("row").join(table, on="currency", how="left").with_columns(**amounts)
    across = with_ratios(rows, baseline, same=("basis",), prefix="converted_").sort("row")
    stated = _stated(rows, baseline)
    own = reduce(pl.Expr.or_, stated, pl.lit(value=False))
    ratios = [
        pl.when(own).then(rows.sort("row")[name]).otherwise(pl.col(name)).alias(name)
        for name in ("ratio_input", "ratio_output", "ratio_blended")
    ]
    return across.with_columns(ratios).select(CONVERTED.names()).cast(dict(CONVERTED.items()))


def _stated(rows: pl.DataFrame, baseline: str) -> list[pl.Expr]:
    """Conditions that a row is on a basis and in a currency in which the baseline has a price."""
    offers = rows.filter((pl.col("model") == baseline) & (pl.col("variant") == ""))
    pairs = offers.select("basis", "currency").unique().sort("basis", "currency").iter_rows()
    return [(pl.col("basis") == basis) & (pl.col("currency") == own) for basis, own in pairs]
