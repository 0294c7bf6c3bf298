"""What changed between what is known and what a feed says now. Pure functions over frames.

A row is stored when its values differ from the last known ones of its key. Nothing is ever
rewritten: a restatement is a later row beside the earlier one.
"""

from collections.abc import Collection
from datetime import datetime

import polars as pl

from qwenwatch_cache.frames import Table, conform


def as_of(frame: pl.DataFrame, table: Table, when: datetime | None = None) -> pl.DataFrame:
    """The last row of each key observed at or before `when` (now, if None), sorted by key.

    Among rows of one key and one instant the one stored last wins.
    """
    rows = frame if when is None else frame.filter(pl.col(table.time) <= when)
    return (
        rows.sort(table.time, maintain_order=True)
        .unique(list(table.key), keep="last", maintain_order=True)
        .sort(list(table.key))
    )


def news(known: pl.DataFrame, incoming: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The incoming rows that say something new.

    Args:
        known: All rows of the table stored so far.
        incoming: What a feed says now. Of rows with the same key the last one counts.
        table: Which table both are of.

    Returns:
        Rows of `incoming` whose key is unknown or whose values differ from the last known ones,
        in key order. Null equals null.
    """
    key = list(table.key)
    fresh = incoming.unique(key, keep="last", maintain_order=True).sort(key)
    last = as_of(known, table).select(*key, *table.values)
    same = fresh.join(last, on=[*key, *table.values], how="semi", nulls_equal=True)
    new = fresh.join(same.select(key), on=key, how="anti", nulls_equal=True)
    return conform(new.sort(key), table.schema)


def withdrawn(
    known: pl.DataFrame,
    incoming: pl.DataFrame,
    table: Table,
    observed_at: datetime,
    unread: Collection[str] = (),
) -> pl.DataFrame:
    """Rows that say of known keys that the feed states them no longer, in key order.

    Only groups (`Table.whole`) that appear in `incoming` are looked at, so that a feed or a day
    that was not asked for loses nothing. A withdrawn usage row has neither value nor share, a
    withdrawn price repeats the last known ones with ``listed = false``: a model that vanished stays
    in force for some days (see `qwenwatch_cache.market.prices`). Models in `unread` were named, so
    they have not vanished, though their entry could not be used.
    """
    if not table.whole or incoming.is_empty():
        return table.empty()
    group = list(table.whole)
    last = as_of(known, table)
    gone = last.join(incoming.select(group).unique(), on=group, how="semi").join(
        incoming, on=list(table.key), how="anti", nulls_equal=True
    )
    if "listed" in table.schema:
        gone = gone.filter(pl.col("listed") & ~pl.col("model").is_in(list(unread)))
        gone = gone.with_columns(listed=pl.lit(False))
    else:
        stated = pl.col("value").is_not_null() | pl.col("share").is_not_null()
        gone = gone.filter(stated).with_columns(value=pl.lit(None), share=pl.lit(None))
    gone = gone.with_columns(pl.lit(observed_at).alias(table.time))
    return conform(gone.sort(table.key), table.schema)
