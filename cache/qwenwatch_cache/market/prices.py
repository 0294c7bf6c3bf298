"""What a model costs at a time, on every basis, and against a baseline model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl

from qwenwatch_cache.frames import INSTANT, MONEY, PRICE_TABLE
from qwenwatch_cache.market.directory import Directory, Model
from qwenwatch_cache.store import as_of
from qwenwatch_cache.vendors import UNKNOWN

GRACE = timedelta(days=7)
"""How long a model that vanished from a feed stays in force: feeds drop ids for a day and bring
them back (19 ids on 2026-01-16)."""

TWO_POLLS = timedelta(minutes=30)
"""A price of 0 must stand for longer than this: no two polls are nearer to each other."""

STANDS = timedelta(days=3)
"""The same where there was a price before."""

RATIO_DIGITS = 9
"""Ratios are rounded to this many digits: 0.6 to 0.2 is 3, not 2.9999999999999996."""

PRICES = pl.Schema(
    {
        "model": pl.String(),  # canonical id, or the feed's own id if not mapped
        "name": pl.String(),
        "vendor": pl.String(),  # null if unknown
        "basis": pl.String(),  # route, list
        "feed": pl.String(),
        "source_id": pl.String(),  # the feed's own id
        "provider": pl.String(),
        "region": pl.String(),
        "variant": pl.String(),
        "window_utc": pl.String(),  # "" or the time of day in force, "0100-0400"
        "currency": pl.String(),
        "input": MONEY,  # per 1M tokens, for prompts of the base tier
        "output": MONEY,
        "cache_read": MONEY,
        "blended": MONEY,
        "ratio_input": pl.Float64(),  # to the baseline model on the same basis
        "ratio_output": pl.Float64(),
        "ratio_blended": pl.Float64(),
        "previous_input": MONEY,  # before the last change, null if none is known
        "previous_output": MONEY,
        "changed_at": INSTANT,  # of the last change of input or output, null if none is known
        "observed_at": INSTANT,  # since when the price stands as it is
    }
)


@dataclass(frozen=True, slots=True)
class Mix:
    """A workload: which part of its tokens is fresh input, output, and cached input.

    Raises:
        ValueError: A part is negative or they do not add up to 1.
    """

    input: Decimal = Decimal("0.80")
    output: Decimal = Decimal("0.05")
    cached: Decimal = Decimal("0.15")

    def __post_init__(self) -> None:
        """Refuse what is no workload."""
        parts: list[Decimal] = [self.input, self.output, self.cached]
        if min(parts) < 0 or abs(sum(parts, Decimal(-1))) > Decimal("0.001"):
            stated = ", ".join(str(part) for part in parts)
            raise ValueError(f"the parts of a mix must be 0 or more and add up to 1, not {stated}")


def prices(
    frame: pl.DataFrame,
    at: datetime,
    directory: Directory,
    *,
    polls: Mapping[str, Sequence[datetime]],
    baseline: str,
    mix: Mix,
) -> pl.DataFrame:
    """Every price in force at a time.

    Args:
        frame: Rows of the price table, all revisions that are known.
        at: The moment asked about.
        directory: Who is behind an id.
        polls: Moments at which each feed was asked successfully, by feed.
        baseline: Canonical id of the model that ratios refer to.
        mix: Workload behind `blended`. Cached tokens are counted at the input price where no
            cached price is stated.

    Returns:
        PRICES, one row per offer, sorted by model, basis, feed, provider, variant and source id.
        Unknown prices are null. A price of 0 is taken for unknown unless the variant is "free" or
        it has stood for two polls, for days where there was a price before. Where prices depend on
        the time of day the window in force is shown. Ratios are to the baseline's
        price on the same basis, those for mainland China to its price there; of several offers of
        the baseline the cheapest counts.
    """
    rows = _in_force(frame, at)
    if rows.is_empty():
        return pl.DataFrame(schema=PRICES)
    rows = rows.filter(pl.col("tier_from") == 0)
    rows = _window_in_force(rows, at)
    rows = _without_glitches(rows, frame, at, polls)
    rows = _with_last_change(rows, frame, at)
    rows = _with_models(rows, directory)
    blended = (
        pl.col("input") * pl.lit(mix.input, MONEY)
        + pl.col("output") * pl.lit(mix.output, MONEY)
        + pl.coalesce("cache_read", "input") * pl.lit(mix.cached, MONEY)
    )
    rows = rows.with_columns(blended=blended.cast(MONEY))
    return (
        _with_ratios(rows, baseline)
        .select(PRICES.names())
        .cast(dict(PRICES.items()))
        .sort(
            *("model", "basis", "feed", "provider", "variant", "source_id"),
            descending=[False, True] + [False] * 4,
        )
    )


def _in_force(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Rows that are listed, or vanished so lately that they may come back."""
    last = as_of(frame, PRICE_TABLE, at)
    offer = ["feed", "basis", "provider", "region", "model", "variant", "currency"]
    listed = pl.col("listed")
    # All rows of an offer that vanishes vanish at once; older ones had been replaced before.
    newest = pl.col("observed_at") == pl.col("observed_at").max().over(offer)
    lately = pl.col("observed_at") > pl.lit(at - GRACE, INSTANT)
    return last.filter(listed | (~listed.any().over(offer) & newest & lately))


def _window_in_force(rows: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Of rows by time of day, the one whose window holds the moment."""
    clock = at.hour * 100 + at.minute
    start = pl.col("window_utc").str.slice(0, 4).cast(pl.Int64, strict=False)
    end = pl.col("window_utc").str.slice(5, 4).cast(pl.Int64, strict=False)
    now = pl.lit(clock, pl.Int64)
    inside = (
        pl.when(start < end)
        .then((now >= start) & (now < end))
        .otherwise((now >= start) | (now < end))
    )
    return rows.filter((pl.col("window_utc") == "") | inside)


def _without_glitches(
    rows: pl.DataFrame,
    frame: pl.DataFrame,
    at: datetime,
    polls: Mapping[str, Sequence[datetime]],
) -> pl.DataFrame:
    """Take a 0 of a paid variant for unknown until it has stood for a while.

    Two polls must agree; where there was a price before, for days: kimi-k2.5 was listed at 0/0 in
    two captures of 2026-04-18, twelve hours apart, and was back at its price the next day.
    """
    latest = pl.DataFrame(
        [
            {
                "feed": feed,
                "polled": max((moment for moment in moments if moment <= at), default=None),
            }
            for feed, moments in sorted(polls.items())
        ],
        schema={"feed": pl.String(), "polled": INSTANT},
    )
    paid = _ever_paid(frame, at)
    rows = rows.join(latest, on="feed", how="left").join(paid, on=list(PRICE_TABLE.key), how="left")
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
    ).drop("polled", "paid_input", "paid_output")


def _ever_paid(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """By key: whether input, and whether output, ever had a price above 0."""
    return (
        frame.filter(pl.col("observed_at") <= at)
        .group_by(PRICE_TABLE.key)
        .agg(
            paid_input=(pl.col("input") > 0).any(),
            paid_output=(pl.col("output") > 0).any(),
        )
    )


def _with_last_change(rows: pl.DataFrame, frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Add what input and output were before their last change, and when that was.

    Unknown prices, and zeros of what was paid for, are no steps in between.
    """
    key = list(PRICE_TABLE.key)
    run = pl.struct(key).rle_id()  # rows of one key stand together once sorted
    before = {
        f"previous_{name}": pl.when(run == run.shift()).then(pl.col(name).shift())
        for name in ("input", "output")
    }
    moved = (pl.col("input") != pl.col("previous_input")).fill_null(False) | (
        pl.col("output") != pl.col("previous_output")
    ).fill_null(False)
    glitch = ((pl.col("input") == 0) & pl.col("paid_input")) | (
        (pl.col("output") == 0) & pl.col("paid_output")
    )
    steps = (
        frame.filter(pl.col("observed_at") <= at)
        .drop_nulls(["input", "output"])
        .join(_ever_paid(frame, at), on=key, how="left")
        .filter(~glitch)
        .sort(*key, "observed_at", maintain_order=True)
        .with_columns(**before)
        .filter(moved)
        .unique(key, keep="last", maintain_order=True)
        .select(*key, "previous_input", "previous_output", changed_at="observed_at")
    )
    return rows.join(steps, on=key, how="left")


def _with_models(rows: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    models: list[dict[str, str | None]] = []
    for feed, source_id in rows.select("feed", "model").unique().sort("feed", "model").iter_rows():
        model: Model = directory.model(feed, source_id)
        models.append(
            {
                "feed": feed,
                "source_id": source_id,
                "model": model.id,
                "name": model.name,
                "vendor": None if model.vendor == UNKNOWN else model.vendor,
            }
        )
    schema = dict.fromkeys(("feed", "source_id", "model", "name", "vendor"), pl.String())
    return rows.rename({"model": "source_id"}).join(
        pl.DataFrame(models, schema=schema), on=["feed", "source_id"], how="left"
    )


def _with_ratios(rows: pl.DataFrame, baseline: str) -> pl.DataFrame:
    """Divide by the baseline's price on the same basis; no such price, or 0, gives no ratio.

    Prices for mainland China are divided by the baseline's price there, if it has one.
    """
    columns = ("input", "output", "blended")
    rows = rows.with_columns(mainland=pl.col("region") == "cn")
    offers = (
        rows.filter((pl.col("model") == baseline) & (pl.col("variant") == ""))
        .sort("basis", "blended", "provider", nulls_last=True)
        .unique(["basis", "mainland"], keep="first", maintain_order=True)
        .select("basis", "mainland", *columns)
    )
    for place, wanted in (("abroad", False), ("there", True)):
        prices_at = offers.filter(pl.col("mainland") == wanted).drop("mainland")
        renamed = {name: f"{name}_{place}" for name in columns}
        rows = rows.join(prices_at.rename(renamed), on="basis", how="left")
    ratios = []
    for name in columns:
        base = (
            pl.when("mainland")
            .then(pl.coalesce(f"{name}_there", f"{name}_abroad"))
            .otherwise(pl.coalesce(f"{name}_abroad", f"{name}_there"))
        )
        quotient = pl.col(name).cast(pl.Float64) / base.cast(pl.Float64)
        ratios.append(pl.when(base > 0).then(quotient).round(RATIO_DIGITS).alias(f"ratio_{name}"))
    return rows.with_columns(ratios)
