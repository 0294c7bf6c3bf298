"""Usage per window: days added up, each window answered by the best source that covers it."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from qwenwatch_cache.frames import INSTANT
from qwenwatch_cache.market.definitions import By, Definition, Source
from qwenwatch_cache.market.windows import TRUNCATE, Grain

TOTALS = pl.Schema(
    {
        "start": pl.Date(),  # first day of the window
        "feed": pl.String(),
        "kind": pl.String(),
        "entity": pl.String(),
        "value": pl.Int64(),  # null where only shares are published
        "share": pl.Float64(),  # of everything the source counted, 0..1
        "complete": pl.Boolean(),  # every day of the window is there
        "scope": pl.String(),
        "as_of": INSTANT,
    }
)


def totals(usage: pl.DataFrame, definition: Definition, by: By, grain: Grain) -> pl.DataFrame:
    """Value and share of every entity in every window there is.

    Args:
        usage: Rows of the usage table, one per key (see `qwenwatch_cache.store.as_of`).
        definition: What to count.
        by: Grouping, which decides between sources per model and per lab.
        grain: Length of the windows.

    Returns:
        TOTALS, sorted by start and entity. The share of a source that publishes values is value ÷
        total of the window including `other`; that of one that publishes daily shares is their sum
        ÷ days of the window (a day on which an entity is not named counts in `other`).
    """
    found = [
        _from_source(usage, definition.metric, source, grain).with_columns(
            preference=pl.lit(preference, dtype=pl.Int64)
        )
        for preference, source in enumerate(definition.sources(by))
    ]
    # A source that covers a window whole comes before one that does not.
    choice = (
        pl.concat(found)
        .select("start", "preference", "complete")
        .unique()
        .sort("start", pl.col("complete").not_(), "preference")
        .unique("start", keep="first", maintain_order=True)
        .select("start", "preference")
    )
    return (
        pl.concat(found)
        .join(choice, on=["start", "preference"], how="semi")
        .select(TOTALS.names())
        .cast(dict(TOTALS.items()))
        .sort("start", "entity")
    )


def complete_windows(all_totals: pl.DataFrame) -> Sequence[date]:
    """First days of the windows that are whole, oldest first."""
    starts: list[date] = all_totals.filter("complete").get_column("start").unique().sort().to_list()
    return starts


def _from_source(usage: pl.DataFrame, metric: str, source: Source, grain: Grain) -> pl.DataFrame:
    rows = usage.filter(
        (pl.col("feed") == source.feed)
        & (pl.col("metric") == metric)
        & (pl.col("kind") == source.kind)
        & (pl.col("grain") == source.grain)
        & (pl.col("value").is_not_null() | pl.col("share").is_not_null())
    )
    if source.grain == "week":
        if grain != "week":
            rows = rows.clear()
        placed = rows.with_columns(start=pl.col("period"), covered=pl.lit(True))
        weight = pl.lit(1, dtype=pl.Int64)
    else:
        start = pl.col("period").dt.truncate(TRUNCATE[grain])
        days = (start.dt.offset_by(TRUNCATE[grain]) - start).dt.total_days()
        placed = rows.with_columns(start=start, days=days).with_columns(
            covered=pl.col("period").n_unique().over("start") == pl.col("days")
        )
        weight = pl.col("period").n_unique().over("start").cast(pl.Int64)
    by_values = pl.col("value").is_not_null().any()
    return (
        placed.with_columns(weight=weight)
        .group_by("start", "feed", "kind", "entity")
        .agg(
            value=pl.when(by_values).then(pl.col("value").sum()),
            stated=pl.when(~by_values).then(pl.col("share").sum() / pl.col("weight").first()),
            complete=pl.col("covered").first(),
            scope=pl.col("scope").last(),
            as_of=pl.col("as_of").max(),
        )
        .with_columns(
            share=pl.coalesce("stated", pl.col("value") / pl.col("value").sum().over("start"))
        )
        .select(TOTALS.names())
    )
