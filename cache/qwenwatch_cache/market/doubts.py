"""Prices that are not believed yet. The store keeps what feeds stated; doubt is worked out here.

Two rules, both undone by time: a price of 0 is unknown until it has stood for a while, and a price
that jumps by `JUMP` leaves the one before in force until it has stood for `JUMP_STANDS`. How long a
price stood is counted to the last poll that stated it: time alone is no poll.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

import polars as pl

from qwenwatch_cache.frames import INSTANT, PRICE_FIELDS, PRICE_TABLE
from qwenwatch_cache.store import as_of

TWO_POLLS = timedelta(minutes=30)
"""A price of 0 must stand for longer than this: no two polls are nearer to each other."""

STANDS = timedelta(days=3)
"""The same where there was a price before."""

JUMP = 50
"""A price of this many times the last believed one or more, or of such a part of it, is doubted.

LiteLLM had prices in another unit, ×10,000, for weeks (novita/* until 2026-01-13). Of 1,863 steps
of input and output in the recorded route prices two reach ×50 (gemma-2-9b-it, 0.2 to 0.004 in one
capture of 2025-07-31), the next largest is ×28.
"""

JUMP_STANDS = timedelta(days=7)
"""How long such a price must have stood: unit errors that readers notice are mended within days,
and a vendor's true step of that size can wait a week (FEEDS.md: refuse a jump, and say so)."""

Polls = Mapping[str, Sequence[datetime]]
"""Moments at which each feed was read successfully, oldest first."""


def extremes() -> Sequence[pl.Expr]:
    """Of the revisions of a key: whether there was a price above 0, and whether it ever jumped.

    Returns:
        Aggregates `paid_input`, `paid_output` and `jumped`; that the dearest price is `JUMP` times
        the cheapest is not yet a jump, but where it is not there is none.
    """
    names = ("input", "output")
    paid = {name: pl.col(name).filter(pl.col(name) > 0) for name in names}
    far = [
        (paid[name].max() / paid[name].min() >= JUMP).fill_null(False).alias(name) for name in names
    ]
    return (
        *(paid[name].max().is_not_null().alias(f"paid_{name}") for name in names),
        pl.any_horizontal(far).alias("jumped"),
    )


def far_apart(one: Decimal | None, other: Decimal | None) -> bool:
    """Whether two prices differ by `JUMP` or more; unknown or 0 is compared with nothing."""
    if not one or not other:
        return False
    return max(one, other) >= JUMP * min(one, other)


def jumps(known: pl.DataFrame, stated: pl.DataFrame) -> tuple[str, ...]:
    """Say which prices that a feed states now will be doubted, for people.

    Args:
        known: Rows of the price table before, all revisions.
        stated: What a feed states now.
    """
    before = as_of(known, PRICE_TABLE).select(*PRICE_TABLE.key, "input", "output")
    both = stated.join(before, on=list(PRICE_TABLE.key), suffix="_before", nulls_equal=True)
    return tuple(
        f"{column} of {row['model']} from {row[f'{column}_before']:f} to {row[column]:f}"
        for row in both.sort(PRICE_TABLE.key).iter_rows(named=True)
        for column in ("input", "output")
        if far_apart(row[f"{column}_before"], row[column])
    )


def without_jumps(revisions: pl.DataFrame, at: datetime, polls: Polls) -> pl.DataFrame:
    """Leave out revisions whose input or output jumped and has not stood for `JUMP_STANDS`.

    What remains is as if they had not been stated: the last believed price stays in force. The
    first price of a key has nothing to be compared with and is believed.

    Args:
        revisions: As `in_force.Revisions.rows`.
        at: The moment asked about.
        polls: When each feed was read.
    """
    suspected = revisions.filter("jumped")
    if suspected.is_empty():
        return revisions
    kept: list[dict[str, Any]] = []
    jumping: list[int] = []
    read: dict[str, Sequence[datetime]] = {}
    for number, rows in groupby(suspected.iter_rows(named=True), key=itemgetter("id")):
        of_key = list(rows)
        if not _jumps_within(of_key):
            continue
        feed = of_key[0]["feed"]
        if feed not in read:
            moments = polls.get(feed, ())
            read[feed] = moments[: bisect_right(moments, at)]
        jumping.append(number)
        kept += _believed(of_key, read[feed])
    others = revisions.filter(~pl.col("id").is_in(jumping))
    return pl.concat([others, pl.DataFrame(kept, schema=revisions.schema)])


def _jumps_within(revisions: Sequence[dict[str, Any]]) -> bool:
    """Whether any price of one key is far from the one before it."""
    for name in ("input", "output"):
        prices = [row[name] for row in revisions if row[name]]
        if any(far_apart(one, other) for one, other in pairwise(prices)):
            return True
    return False


def without_glitches(
    rows: pl.DataFrame, last_poll: Callable[[str], datetime | None]
) -> pl.DataFrame:
    """Take a 0 of a paid variant for unknown until it has stood for a while.

    Two polls must agree; where there was a price before, for days: kimi-k2.5 was listed at 0/0 in
    two captures of 2026-04-18, twelve hours apart, and was back at its price the next day.

    Args:
        rows: Rows in force, with `paid_input` and `paid_output`.
        last_poll: When a feed was last read successfully, as far as the question goes.
    """
    zero = (pl.col("variant") != "free") & ((pl.col("input") == 0) | (pl.col("output") == 0))
    feeds = rows.filter(zero).get_column("feed").unique().sort().to_list()
    if not feeds:
        return rows
    latest = pl.DataFrame(
        [{"feed": feed, "polled": last_poll(feed)} for feed in feeds],
        schema={"feed": pl.String(), "polled": INSTANT},
    )
    rows = rows.join(latest, on="feed", how="left")
    stood = pl.col("polled") - pl.col("observed_at")

    def doubtful(name: str) -> pl.Expr:
        needed = pl.when(f"paid_{name}").then(pl.lit(STANDS)).otherwise(pl.lit(TWO_POLLS))
        return (
            (pl.col("variant") != "free")
            & (pl.col(name) == 0).fill_null(False)
            & ~(stood > needed).fill_null(False)
        )

    either = doubtful("input") | doubtful("output")
    return rows.with_columns(
        input=pl.when(~doubtful("input")).then("input"),
        output=pl.when(~doubtful("output")).then("output"),
        cache_read=pl.when(~either).then("cache_read"),
    ).drop("polled")


def _believed(
    revisions: Sequence[dict[str, Any]], polls: Sequence[datetime]
) -> list[dict[str, Any]]:
    """The revisions of one key, oldest first, without the doubted ones."""
    kept: list[dict[str, Any]] = []
    last: dict[str, Decimal | None] = {}
    runs = [
        list(run) for _, run in groupby(revisions, key=lambda row: (row["input"], row["output"]))
    ]
    ends = [run[0]["observed_at"] - TWO_POLLS for run in runs[1:]]
    for run, end in zip(runs, [*ends, None], strict=True):
        now = {name: run[0][name] for name in ("input", "output")}
        since = run[0]["observed_at"]
        jumped = any(far_apart(last.get(name), now[name]) for name in now)
        if jumped and _agreed(polls, since, end) - since < JUMP_STANDS:
            # That a model vanished is true, whatever it was said to cost.
            fields = {name: kept[-1][name] for name in PRICE_FIELDS if name in kept[-1]}
            kept += [{**row, **fields} for row in run if not row["listed"]]
            continue
        kept += run
        last |= {name: price for name, price in now.items() if price}
    return kept


def _agreed(polls: Sequence[datetime], since: datetime, end: datetime | None) -> datetime:
    """The last poll before an end, or since when something was stated if there was none."""
    before = len(polls) if end is None else bisect_left(polls, end)
    return polls[before - 1] if before else since
