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
        the feed stated it in two polls. Where prices depend on the time of day the window in force
        is shown. Of several offers of the baseline the cheapest outside mainland China counts.
    """
    rows = _in_force(frame, at)
    if rows.is_empty():
        return pl.DataFrame(schema=PRICES)
    rows = rows.filter(pl.col("tier_from") == 0)
    rows = _window_in_force(rows, at)
    rows = _without_glitches(rows, at, polls)
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
    rows: pl.DataFrame, at: datetime, polls: Mapping[str, Sequence[datetime]]
) -> pl.DataFrame:
    """Take 0/0 of a paid variant for unknown until a second poll has said the same."""
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
    unconfirmed = (
        (pl.col("variant") != "free")
        & (pl.col("input") == 0)
        & (pl.col("output") == 0)
        & ~(pl.col("polled") > pl.col("observed_at") + timedelta(minutes=30)).fill_null(False)
    )
    money = ["input", "output", "cache_read"]
    return (
        rows.join(latest, on="feed", how="left")
        .with_columns(pl.when(~unconfirmed).then(pl.col(name)).alias(name) for name in money)
        .drop("polled")
    )


def _with_last_change(rows: pl.DataFrame, frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Add what input and output were before their last change, and when that was."""
    key = list(PRICE_TABLE.key)
    run = pl.struct(key).rle_id()  # rows of one key stand together once sorted
    before = {
        f"previous_{name}": pl.when(run == run.shift()).then(pl.col(name).shift())
        for name in ("input", "output")
    }
    moved = (pl.col("input") != pl.col("previous_input")).fill_null(False) | (
        pl.col("output") != pl.col("previous_output")
    ).fill_null(False)
    steps = (
        frame.filter(pl.col("observed_at") <= at)
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
    """Divide by the baseline's price on the same basis; no baseline, or 0, gives no ratio."""
    columns = ("input", "output", "blended")
    base = (
        rows.filter((pl.col("model") == baseline) & (pl.col("variant") == ""))
        .sort("basis", pl.col("region") == "cn", "blended", "provider", nulls_last=True)
        .unique("basis", keep="first", maintain_order=True)
        .select("basis", *(pl.col(name).alias(f"base_{name}") for name in columns))
    )
    ratios = [
        pl.when(pl.col(f"base_{name}") > 0)
        .then(pl.col(name).cast(pl.Float64) / pl.col(f"base_{name}").cast(pl.Float64))
        .round(RATIO_DIGITS)
        .alias(f"ratio_{name}")
        for name in columns
    ]
    return rows.join(base, on="basis", how="left").with_columns(ratios)
