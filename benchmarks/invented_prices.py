"""Made-up prices, catalogue and rates for `decade.py`: change rows only, as the store keeps them.

Offers are those of the bundled baseline, with their own keys, so that questions know the models.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from qwenwatch_cache.frames import (
    CATALOG,
    CATALOG_TABLE,
    FX,
    INSTANT,
    MONEY,
    PRICE,
    PRICE_FIELDS,
    PRICE_TABLE,
    conform,
)
from qwenwatch_cache.store import Store, as_of

GONE = 0.04  # part of the changes at which an offer vanishes, to be listed again days later
LEVELS = (50, 60, 65, 75, 80, 90, 100, 110, 125, 150)  # percent of the baseline's price


def offers_of(store: Store) -> pl.DataFrame:
    """The last known row of every offer of the baseline."""
    return as_of(store.bundled(PRICE_TABLE), PRICE_TABLE).filter("listed")


def prices(
    offers: pl.DataFrame,
    days: Sequence[date],
    changes: float,
    polls: Sequence[timedelta],
    rng: random.Random,
    *,
    everything: bool,
) -> pl.DataFrame:
    """Rows of one feed: some offers change a day, some vanish and come back.

    Args:
        offers: The feed's offers.
        days: Consecutive days.
        changes: Rows a day.
        polls: Times of day at which the feed is asked.
        rng: Where chance comes from.
        everything: Whether the first poll of the first day stores all offers, as that of a new
            cache does.
    """
    chosen: list[tuple[int, datetime, int, bool]] = []
    if everything:
        begin = _moment(days[0], polls[0])
        chosen = [(number, begin, 100, True) for number in range(offers.height)]
    owed = 0.0
    for day in days:
        owed += changes
        # Changes come in bunches: most polls bring none.
        while owed >= 1:
            at = _moment(day, rng.choice(polls))
            for _ in range(min(rng.choice((1, 1, 2, 4, 12)), int(owed))):
                number = rng.randrange(offers.height)
                owed -= 1
                if rng.random() < GONE:
                    chosen.append((number, at, 100, False))
                    chosen.append((number, at + timedelta(days=rng.choice((1, 2, 30))), 100, True))
                    owed -= 1
                else:
                    chosen.append((number, at, rng.choice(LEVELS), True))
    last = _moment(days[-1], timedelta(days=1))
    moves = pl.DataFrame(
        [one for one in chosen if one[1] < last],
        {"number": pl.UInt32, "observed_at": INSTANT, "level": pl.Int64, "listed": pl.Boolean},
        orient="row",
    )
    # One row per offer and poll, as an answer states it.
    moves = moves.unique(["number", "observed_at"], keep="last", maintain_order=True)
    rows = moves.join(
        offers.drop("observed_at", "listed").with_row_index("number"), on="number"
    ).with_columns(
        (pl.col(name) * pl.col("level").cast(pl.Decimal(38, 0)) / 100).round(6).cast(MONEY)
        for name in PRICE_FIELDS
    )
    return conform(rows.sort("observed_at", "number"), PRICE)


def catalog(
    store: Store,
    days: Sequence[date],
    changes: Mapping[str, float],
    rng: random.Random,
    *,
    everything: bool,
) -> pl.DataFrame:
    """Rows of the catalogues: all models at first, then some whose entry changed."""
    known = as_of(store.bundled(CATALOG_TABLE), CATALOG_TABLE).drop("observed_at")
    parts = []
    for feed, rate in changes.items():
        models = known.filter(feed=feed).with_row_index("number")
        chosen = [
            (rng.randrange(models.height), _moment(day, timedelta(hours=rng.randrange(24))))
            for day in days
            for _ in range(int(rate + rng.random()))
        ]
        if everything:
            begin = _moment(days[0], timedelta())
            chosen = [(number, begin) for number in range(models.height)] + chosen
        moved = pl.DataFrame(
            chosen, {"number": pl.UInt32, "observed_at": INSTANT}, orient="row"
        ).unique(maintain_order=True)
        rows = moved.join(models, on="number").with_columns(
            pl.Series(
                "context_length",
                [rng.choice((131072, 262144, 400000, 1048576)) for _ in moved.rows()],
            )
        )
        parts.append(conform(rows, CATALOG))
    return pl.concat(parts).sort("observed_at", "feed", "model")


def rates(days: Sequence[date], rng: random.Random) -> pl.DataFrame:
    """Dollars and yuan for a euro, on working days, published at 15:00 UTC."""
    rows = [
        ("ecb-fx", day, "EUR", quote, f"{middle * rng.uniform(0.97, 1.03):.4f}", day)
        for day in days
        if day.weekday() < 5
        for quote, middle in (("CNY", 7.8), ("USD", 1.1))
    ]
    columns = ["feed", "date", "base", "quote", "rate", "observed_at"]
    frame = pl.DataFrame(rows, columns, orient="row").with_columns(
        pl.col("rate").str.to_decimal(scale=12).cast(MONEY),
        pl.col("observed_at").cast(INSTANT) + timedelta(hours=15),
    )
    return conform(frame, FX)


def _moment(day: date, after_midnight: timedelta) -> datetime:
    return datetime.combine(day, time(), UTC) + after_midnight
