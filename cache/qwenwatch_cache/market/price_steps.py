"""What a price was at every time: the steps it went in, without those that were not believed.

`price_history` says of every change what it is to be taken for; this is the price that remains. A
step marked "glitch", "jump" or "flicker" is left out, there and back, so that the price before it
stands through it. A price that is not stated any more is null; so is that of an offer that was gone
for a week or longer. A cached price of 0 is unknown: feeds sent 0 for what did not apply.
"""

import polars as pl

from qwenwatch_cache.frames import INSTANT, MONEY, PRICE_TABLE, conform
from qwenwatch_cache.market.in_force import OFFER, ON_DEMAND

FIELDS = ("input", "output", "cache_read")
DOUBTED = ("glitch", "jump", "flicker")
"""Marks of changes that a price did not go through."""

STILL_THERE = ("absence", "unconfirmed")
"""Marks of an offer that vanished, and may be back within days: its price stands."""

PRICE_STEPS = pl.Schema(
    {
        **{name: pl.String() for name in OFFER},
        "tier_from": pl.Int64(),
        "window_utc": pl.String(),
        "at": INSTANT,  # since when the price was this one
        **dict.fromkeys(FIELDS, MONEY),  # null where unknown, or not listed
        "edition": pl.Int64(),  # counts corrections of a hand-kept feed: what was before is wrong
    }
)


def price_steps(frame: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """The steps of prices.

    Args:
        frame: Rows of the price table, all revisions that are known.
        history: price_history.PRICE_HISTORY of the same rows, or of a part of them; offers that
            have no history are taken as stated.

    Returns:
        PRICE_STEPS, sorted by offer, tier, time of day and time; the first row of each is the first
        price that was stated.
    """
    key = [name for name in PRICE_TABLE.key if name in frame.columns]
    rows = frame.filter(pl.col("feed") != ON_DEMAND)
    rows = rows.sort(*key, "observed_at", maintain_order=True)
    rows = rows.unique([*key, "observed_at"], keep="last", maintain_order=True)
    back = history.filter((pl.col("field") == "listed") & pl.col("mark").is_in(STILL_THERE))
    rows = _flagged(rows, back, list(OFFER), "back")
    kept = pl.col("listed") | ~pl.col("back")
    rows = rows.filter(kept)  # where the offer may come back, its price stands
    for name in FIELDS:
        of_field = history.filter(pl.col("field") == name)
        zero = (pl.col("mark") == "unconfirmed") & (pl.col("after") == 0)
        doubt = of_field.filter(pl.col("mark").is_in(DOUBTED) | zero)
        rows = _believed(_flagged(rows, doubt, key, "doubt"), name, key)
    fixed = history.filter(pl.col("field").is_in(FIELDS) & (pl.col("mark") == "correction"))
    rows = _flagged(rows, fixed, key, "fixed")
    rows = rows.with_columns(edition=pl.col("fixed").cast(pl.Int64).cum_sum().over(key))
    rows = rows.with_columns(cache_read=pl.when(pl.col("cache_read") > 0).then("cache_read"))
    values = pl.struct(*FIELDS, "edition")
    first = pl.int_range(pl.len()).over(key) == 0
    rows = rows.filter(first | (values != values.shift()))
    return conform(rows.rename({"observed_at": "at"}), PRICE_STEPS)


def _flagged(rows: pl.DataFrame, changes: pl.DataFrame, on: list[str], name: str) -> pl.DataFrame:
    """Say of every row whether one of some changes began with it."""
    named = changes.select(*on, observed_at="at").unique().with_columns(pl.lit(True).alias(name))
    joined = rows.join(named, on=[*on, "observed_at"], how="left", maintain_order="left")
    return joined.with_columns(pl.col(name).fill_null(value=False))


def _believed(rows: pl.DataFrame, name: str, key: list[str]) -> pl.DataFrame:
    """Put the price before it in the place of every doubted one, and drop the flag."""
    rows = rows.with_row_index("row")
    row = pl.when(~pl.col("doubt")).then("row").forward_fill().over(key).fill_null(pl.col("row"))
    stated = pl.when("listed").then(name)
    return rows.with_columns(stated.gather(row).alias(name)).drop("doubt", "row")
