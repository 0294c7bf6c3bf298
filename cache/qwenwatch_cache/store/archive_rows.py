"""Rows out of an archive that nobody vouches for: are they such as a cache may hold?"""

import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import polars as pl
from polars.exceptions import PanicException, PolarsError

from qwenwatch_cache.frames import FETCH_TABLE, TABLES, Table
from qwenwatch_cache.store.archive_index import AHEAD, INDEX, Refusal, RowsMember
from qwenwatch_cache.store.files import Damaged, decode, first_line

LONGEST_TEXT = 10_000
"""Bytes of one text in a table; the longest are addresses, with a few hundred."""

LONGEST_REST = timedelta(days=8)
"""How long after a request a feed may ask to be left alone; a server gets 7 days at the most."""

HIGHEST_COUNT = 10**16
"""Of anything in one period; the sums of more would not fit into 64 bits."""

_OLDEST, _NEWEST = date(1970, 1, 1), date(9999, 12, 31)
"""What a date or time in a table may be; Python knows none beyond."""


def checked_rows(content: bytes, member: RowsMember, now: datetime) -> pl.DataFrame:
    """The rows of a member.

    Args:
        content: Its bytes.
        member: What the index says of it.
        now: The present moment.

    Raises:
        Refusal: They are not what the index says, or cannot be rows of a cache.
    """
    table = TABLES[member.table]
    try:
        _refuse_other_schema(content, table)
        # Counted before they are decoded: few bytes can be made to hold very many rows.
        count = pl.scan_parquet(io.BytesIO(content)).select(pl.len()).collect().item()
        if count != member.rows:
            raise Refusal(f"it has {count:,} rows, {INDEX} says {member.rows:,}")
        frame = decode(content, member.name, table)
        _refuse_absurd(frame, table, member, now)
    except Refusal as refusal:
        raise Refusal(f"{member.name}: {refusal}") from refusal
    except Damaged as damage:
        raise Refusal(f"{member.name}: {damage.reason}") from damage
    except (PolarsError, PanicException) as error:
        raise Refusal(f"{member.name}: {first_line(error)}") from error
    return frame


def _refuse_other_schema(content: bytes, table: Table) -> None:
    stated = pl.read_parquet_schema(io.BytesIO(content))
    for name, kind in table.schema.items():
        if name not in stated and name not in table.later:
            raise Refusal(f"the column {name} is missing")
        if name in stated and stated[name] != kind:
            raise Refusal(f"the column {name} is {stated[name]}, it must be {kind}")
    for name in stated:
        if name not in table.schema:
            raise Refusal(f"{name[:100]!a} is no column of {table.name}")


def _refuse_absurd(frame: pl.DataFrame, table: Table, member: RowsMember, now: datetime) -> None:
    """Refuse rows that cannot be rows of this table and feed, or would do harm in a cache."""
    found = frame.select(
        pl.any_horizontal(rule.any(ignore_nulls=True)).alias(reason)
        for reason, rule in _absurdities(table, member, now)
    )
    for reason, is_so in found.row(0, named=True).items():
        if is_so:
            raise Refusal(reason)
    times = frame.get_column(table.time)
    if (times.min(), times.max()) != (member.first, member.last):
        raise Refusal(f"its rows are not from {member.first} to {member.last}")


def _absurdities(table: Table, member: RowsMember, now: datetime) -> Iterator[tuple[str, pl.Expr]]:
    yield "it holds rows of another feed", pl.col("feed").ne_missing(member.feed)
    for name in dict.fromkeys((*table.key, table.time)):
        yield f"{name} is null, which names nothing", pl.col(name).is_null()
    for name, kind in table.schema.items():
        column = pl.col(name)
        if kind.is_temporal():
            beyond = ~column.is_between(pl.lit(_OLDEST).cast(kind), pl.lit(_NEWEST).cast(kind))
            yield f"{name} is of a year that cannot be", beyond
        elif kind == pl.Float64():
            yield f"{name} is not a number", ~column.is_finite()
        elif kind.is_decimal():
            yield f"{name} is below 0", column < 0
        elif kind == pl.String():
            yield f"{name} is longer than any is", column.str.len_bytes() > LONGEST_TEXT
    for name in {"period", "date"} & set(table.schema):
        yield f"{name} is in the future", pl.col(name) > (now + AHEAD).date()
    if "value" in table.schema:
        yield "value is no count", ~pl.col("value").is_between(0, HIGHEST_COUNT)
    if "share" in table.schema:
        yield "share is no part of a whole", ~pl.col("share").is_between(0, 1.001)
    if table is FETCH_TABLE:
        yield "retry_at is absurdly late", pl.col("retry_at") > pl.col("started") + LONGEST_REST
