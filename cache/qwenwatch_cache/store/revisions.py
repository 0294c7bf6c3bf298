"""What changed between what is known and what a feed says now. Pure functions over frames.

A row is stored when its values differ from the last known ones of its key. Nothing is ever
rewritten: a restatement is a later row beside the earlier one.
"""

from collections.abc import Collection
from datetime import datetime

import polars as pl

from qwenwatch_cache.errors import Implausible
from qwenwatch_cache.frames import Table, conform

FEW = 10
"""Rows up to which the loss of half is no sign of anything."""

MOST = 20
"""Times the sum of the period before above which counts are taken for another unit. OpenRouter's
tokens of a day never doubled from one day to the next; the largest real leap of a feed, an app
that becomes popular, is far below."""


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
    # Only what is stated can be old: to sort all of a year for each answer takes seconds.
    same_keys = known.join(fresh.select(key), on=key, how="semi", nulls_equal=True)
    last = as_of(same_keys, table).select(*key, *table.values)
    same = fresh.join(last, on=[*key, *table.values], how="semi", nulls_equal=True)
    new = fresh.join(same.select(key), on=key, how="anti", nulls_equal=True)
    return conform(new.sort(key), table.schema)


def withdrawn(
    known: pl.DataFrame,
    incoming: pl.DataFrame,
    table: Table,
    observed_at: datetime,
    unread: Collection[str] = (),
    whole: Collection[str] | None = None,
) -> pl.DataFrame:
    """Rows that say of known keys that the feed states them no longer, in key order.

    Only groups (`Table.whole`) that appear in `incoming` are looked at, so that a feed or a day
    that was not asked for loses nothing. A withdrawn usage row has neither value nor share, a
    withdrawn price repeats the last known ones with ``listed = false``: a model that vanished stays
    in force for some days (see `qwenwatch_cache.market.prices`). Models in `unread` were named, so
    they have not vanished, though their entry could not be used. With `whole`, only what is known
    of these models or entities can have vanished.
    """
    if not table.whole or incoming.is_empty() or (whole is not None and not whole):
        return table.empty()
    named = "entity" if "entity" in table.schema else "model"
    group = list(table.whole)
    last = as_of(known.join(incoming.select(group).unique(), on=group, how="semi"), table)
    gone = last.join(incoming, on=list(table.key), how="anti", nulls_equal=True)
    if whole is not None:
        gone = gone.filter(pl.col(named).is_in(list(whole)))
    gone = _still_stated(gone, table)
    if "listed" in table.schema:
        gone = gone.filter(~pl.col("model").is_in(list(unread)))
        gone = gone.with_columns(listed=pl.lit(False))
    else:
        gone = gone.with_columns(value=pl.lit(None), share=pl.lit(None))
    gone = gone.with_columns(pl.lit(observed_at).alias(table.time))
    return conform(gone.sort(table.key), table.schema)


def refuse_upheaval(known: pl.DataFrame, incoming: pl.DataFrame, table: Table) -> None:
    """Refuse an answer that states far less, or far more, than is known of the same things.

    Looked at are the groups of `Table.whole`: a feed's prices, or one kind of usage in one period.
    A period that is new is compared with the one known before it. Less than half of the rows, or
    more than `MOST` times the sum of the counts, is a fault and not news.

    Raises:
        Implausible: Of some group so; nothing is said of the loss of few rows.
    """
    if not table.whole or incoming.is_empty() or known.is_empty():
        return
    group = list(table.whole)
    counted = [pl.len().alias("rows")]
    counted.append(
        # Wider than a count: absurd ones must not wrap around.
        pl.col("value").cast(pl.Int128).sum()
        if "value" in table.schema
        else pl.lit(0, pl.Int128).alias("value")
    )
    stated = incoming.group_by(group).agg(counted).sort(group)
    series = [name for name in group if name != "period"]
    related = known.join(stated.select(series).unique(), on=series, how="semi")
    before = _still_stated(as_of(related, table), table).group_by(group).agg(counted).sort(group)
    if "period" in group:
        both = stated.sort("period", *series).join_asof(
            before.sort("period", *series),
            on="period",
            by=series,
            strategy="backward",
            suffix="_before",
            coalesce=False,
            tolerance="31d",
            check_sortedness=False,
        )
    else:
        both = stated.join(before, on=group, how="inner", suffix="_before")
    lost = (pl.col("rows_before") > FEW) & (pl.col("rows") * 2 < pl.col("rows_before"))
    if "period" in group:
        # Of a feed of shares each day is whole by itself, however few it names.
        lost &= (pl.col("value") > 0) | (pl.col("period") == pl.col("period_before"))
    grown = (pl.col("value_before") > 0) & (pl.col("value") > pl.col("value_before") * MOST)
    wrong = both.filter(lost | grown).sort(group)
    if wrong.is_empty():
        return
    row = wrong.row(0, named=True)
    what = f"{table.name} rows"
    if "period" in group:
        what = f"{row['metric']} by {row['kind']}, {row['grain']} {row['period']}"
    if row["rows"] * 2 < row["rows_before"]:
        change = f"{row['rows']:,} entries now, {row['rows_before']:,} before"
    else:
        change = f"{row['value']:,} now, {row['value_before']:,} before"
    raise Implausible(f"{row['feed']}: {what}: {change}; taken for a fault, not for news")


def _still_stated(last: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Of the last rows of each key, those that were not withdrawn."""
    if "listed" in table.schema:
        return last.filter("listed")
    return last.filter(pl.col("value").is_not_null() | pl.col("share").is_not_null())
