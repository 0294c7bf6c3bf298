"""When a write changes what was known before: `Manifest.past` counts those.

Whoever keeps an answer that was computed for an earlier time may go on using it as long as the
count stands.
"""

from datetime import datetime, timedelta

import polars as pl

from qwenwatch_cache.frames import Table

SLACK = timedelta(hours=1)
"""How far a row may reach back behind the newest one: several feeds are read at the same time, and
the log gets the failures of a round at its end."""

DAYS = {"day": 1, "week": 7, "rolling30": 30, "total": 1}
"""Length of a period of usage, by grain."""


def closes_at() -> pl.Expr:
    """When a row of usage can no longer come in time: a day after its period ended, at midnight."""
    length = pl.col("grain").replace_strict(DAYS, default=1, return_dtype=pl.Int64)
    over = pl.col("period") + pl.duration(days=length + 1)
    return over.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def reaches_back(fresh: pl.DataFrame, table: Table, newest: datetime | None) -> bool:
    """Whether rows change what was known before.

    Args:
        fresh: New rows.
        table: Of which table.
        newest: Time of the newest row of the whole cache so far.

    Returns:
        True if one was learned more than `SLACK` before the newest that is there, or is a figure of
        use that came after its day had closed.
    """
    oldest = fresh.get_column(table.time).min()
    if newest is not None and isinstance(oldest, datetime) and oldest < newest - SLACK:
        return True
    if "grain" not in table.schema:
        return False
    return not fresh.filter(pl.col(table.time) >= closes_at()).is_empty()
