"""Everything an offer states, as it is believed at a time, for requests of one size.

`prices` shows three prices of the shortest prompts; what a workload costs needs the others as well.
"""

from datetime import datetime

import polars as pl

from qwenwatch_cache.frames import CATALOG_TABLE, INSTANT, MONEY, PRICE_FIELDS, conform
from qwenwatch_cache.market.believed import believed
from qwenwatch_cache.market.in_force import tier_in_force
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import cross_check
from qwenwatch_cache.store import as_of

OFFERS = pl.Schema(
    {
        "model": pl.String(),  # canonical id without variant, or the feed's own id and the feed
        "name": pl.String(),
        "vendor": pl.String(),  # null if unknown
        "basis": pl.String(),
        "feed": pl.String(),
        "source_id": pl.String(),  # the feed's own id
        "provider": pl.String(),
        "region": pl.String(),
        "variant": pl.String(),
        "window_utc": pl.String(),  # "" or the time of day that it is for
        "tier_from": pl.Int64(),  # it is for prompts of more tokens than this
        "up_to": pl.Int64(),  # and of at most this many, null if for all longer ones
        "currency": pl.String(),
        **dict.fromkeys(PRICE_FIELDS, MONEY),
        "context_length": pl.Int64(),  # null if not known
        "observed_at": INSTANT,  # since when input, output and cached stand so
        "cross_check": pl.Boolean(),  # only repeats a list price that another feed states
    }
)

_ORDER = ("model", "basis", "feed", "provider", "region", "source_id", "variant", "window_utc")


def offers(known: Known, at: datetime, prompt_tokens: int = 0) -> pl.DataFrame:
    """Every offer in force at a time, one row per time of day that it has prices for.

    Args:
        known: What was known.
        at: The moment asked about.
        prompt_tokens: Length of the prompts; 0 for the shortest.

    Returns:
        OFFERS, sorted by model, basis, feed, provider, region, source id, variant and time of day.
        Doubted prices are left out or unknown, as `prices` has them.
    """
    moment = min(at, known.at)
    stated = believed(known.whole_price, moment, known.polls, known.polls.last)
    rows = known.directory.named(tier_in_force(stated.rows, prompt_tokens))
    catalog = known.catalog.filter(pl.col("observed_at") <= moment)
    rows = _with_context(rows, catalog).with_columns(cross_check=cross_check())
    return conform(rows, OFFERS).sort(_ORDER)


def _with_context(rows: pl.DataFrame, catalog: pl.DataFrame) -> pl.DataFrame:
    """Add the context length: that of the variant if the feed's catalogue has one, or the model's.

    OpenRouter's ids name the variant; no other feed has a row of its own for one.
    """
    lengths = as_of(catalog, CATALOG_TABLE).select("feed", "context_length", own="model")
    with_variant = pl.concat_str("source_id", pl.lit(":"), "variant")
    own = pl.when(pl.col("variant") == "").then("source_id").otherwise(with_variant)
    rows = rows.with_columns(own=own)
    rows = rows.join(lengths, on=["feed", "own"], how="left").drop("own")
    plain = lengths.rename({"own": "source_id", "context_length": "plain"})
    rows = rows.join(plain, on=["feed", "source_id"], how="left")
    return rows.with_columns(pl.coalesce("context_length", "plain")).drop("plain")
