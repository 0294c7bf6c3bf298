"""Usage per window: days added up, each window answered by the best source that covers it."""

from datetime import date

import polars as pl

from qwenwatch_cache.frames import INSTANT
from qwenwatch_cache.market.definitions import By, Definition, Source
from qwenwatch_cache.market.windows import TRUNCATE, Grain

STANDARD_ONLY = "standard variants only, the rest as stated"
"""Added to what a source says of its scope where rows of variants are left out."""

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
    if definition.standard_only:
        usage = usage.filter(~pl.col("entity").str.contains(":", literal=True)).with_columns(
            scope=pl.col("scope") + f"; {STANDARD_ONLY}"
        )
    found = [
        rows
        for source in definition.sources(by)
        if source.grain in {"day", grain}
        and not (rows := _from_source(usage, definition.metric, source, grain)).is_empty()
    ]
    if not found:
        return pl.DataFrame(schema=TOTALS)
    # A source that covers a window whole comes before one that does not.
    choice: dict[date, tuple[bool, int]] = {}
    for number, rows in enumerate(found):
        whole = dict(rows.select("start", "complete").iter_rows())  # as all rows of a window say
        for start, complete in whole.items():
            choice[start] = min(choice.get(start, (True, number)), (not complete, number))
    if len(found) > 1:
        best = pl.DataFrame(
            [(start, number) for start, (_, number) in choice.items()],
            schema={"start": pl.Date(), "number": pl.Int64()},
            orient="row",
        )
        found = [
            rows.join(best.filter(pl.col("number") == number), on="start", how="semi")
            for number, rows in enumerate(found)
        ]
    return pl.concat(found).sort("start", "entity")


def _from_source(usage: pl.DataFrame, metric: str, source: Source, grain: Grain) -> pl.DataFrame:
    rows = usage.lazy().filter(
        (pl.col("feed") == source.feed)
        & (pl.col("metric") == metric)
        & (pl.col("kind") == source.kind)
        & (pl.col("grain") == source.grain)
        & (pl.col("value").is_not_null() | pl.col("share").is_not_null())
    )
    start = pl.col("period").dt.truncate(TRUNCATE[grain])
    days = (start.dt.offset_by(TRUNCATE[grain]) - start).dt.total_days()
    if source.grain == "week":
        start, days = pl.col("period"), pl.lit(1, pl.Int64)
    placed = rows.with_columns(start=start, days=days)
    windows = placed.group_by("start").agg(
        stated_days=pl.col("period").n_unique().cast(pl.Int64),
        days=pl.col("days").first(),
        total=pl.col("value").sum(),
    )
    by_values = pl.col("value").is_not_null().any()
    return (
        placed.group_by("start", "feed", "kind", "entity")
        .agg(
            value=pl.when(by_values).then(pl.col("value").sum()),
            stated=pl.when(~by_values).then(pl.col("share").sum()),
            scope=pl.col("scope").last(),
            as_of=pl.col("as_of").max(),
        )
        .join(windows, on="start")
        .select(
            "start",
            "feed",
            "kind",
            "entity",
            "value",
            share=pl.coalesce(
                pl.col("stated") / pl.col("stated_days"),
                # Of nothing at all nobody has a share.
                pl.when(pl.col("total") != 0).then(pl.col("value") / pl.col("total")),
            ),
            complete=pl.col("stated_days") == pl.col("days"),
            scope="scope",
            as_of="as_of",
        )
        .collect()
    )
