"""What a model costs at a time, on every basis, and against a baseline model."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec
import polars as pl

from qwenwatch_cache.frames import INSTANT, MONEY, PRICE_TABLE
from qwenwatch_cache.market.believed import LastPoll, believed
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.doubts import Polls
from qwenwatch_cache.market.in_force import tier_in_force, window_in_force

CROSS_CHECK = frozenset({"litellm"})
"""Feeds that repeat list prices of others: worth a look where they differ, yet where another feed
lists the model they are no baseline for ratios, and the screens leave them out."""

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
        "tier_from": pl.Int64(),  # for prompts of more tokens than this; 0 is the base
        "up_to": pl.Int64(),  # tokens of the longest prompt it holds for, null if for all
        "currency": pl.String(),
        "input": MONEY,  # per 1M tokens, for prompts of that tier
        "output": MONEY,
        "cache_read": MONEY,
        "blended": MONEY,
        "ratio_input": pl.Float64(),  # to the baseline model on the same basis
        "ratio_output": pl.Float64(),
        "ratio_blended": pl.Float64(),
        "previous_input": MONEY,  # before the last change, null if none is known
        "previous_output": MONEY,
        "changed_at": INSTANT,  # of the last change of input or output, null if none is known
        "observed_at": INSTANT,  # since when input, output and cached stand so
        "cross_check": pl.Boolean(),  # only repeats a list price that another feed states
    }
)


COLUMNS = (*PRICE_TABLE.key, "input", "output", "cache_read", "listed", "observed_at")
"""Columns of the price table that the question is about."""


class Mix(msgspec.Struct, frozen=True):
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

    def price(self, input_: Decimal, output: Decimal, cached: Decimal | None) -> Decimal:
        """The price of a token; cached ones cost as much as input where no price of them is known.

        `blended` of PRICES is the same, for columns.
        """
        again = input_ if cached is None else cached
        return input_ * self.input + output * self.output + again * self.cached


def prices(
    frame: pl.DataFrame,
    at: datetime,
    directory: Directory,
    *,
    polls: Polls,
    last_poll: LastPoll | None = None,
    baseline: str,
    mix: Mix,
    prompt_tokens: int = 0,
) -> pl.DataFrame:
    """Every price in force at a time, but those of single hosts (feed `in_force.ON_DEMAND`).

    Args:
        frame: Rows of the price table, all revisions that are known.
        at: The moment asked about.
        directory: Who is behind an id.
        polls: Moments at which each feed was asked successfully, by feed.
        last_poll: The last of them, where it can be had without all others.
        baseline: Canonical id of the model that ratios refer to.
        mix: Workload behind `blended`. Cached tokens are counted at the input price where no
            cached price is stated.
        prompt_tokens: Length of the prompt; it decides on the tier, 0 is the base.

    Returns:
        PRICES, one row per offer, sorted by model, basis, feed, provider, variant and source id.
        Unknown prices are null. A price of 0 is taken for unknown unless the variant is "free" or
        it has stood for two polls, for days where there was a price before. A price that is 50
        times the last believed one of its offer, tier and window, or a 50th of it, is not shown
        before it has stood for a week: the last believed one stays in force (see `doubts`). Where
        prices depend on the time of day the window in force is shown. Ratios are to the baseline's
        price on the same basis and in the same currency, those for mainland China to its price
        there; of several offers of the baseline the cheapest counts.
    """
    stated = believed(frame.select(COLUMNS), at, polls, last_poll)
    rows = window_in_force(tier_in_force(stated.rows, prompt_tokens), at)
    rows = directory.named(_with_last_change(rows, stated.revisions))
    blended = (
        pl.col("input") * pl.lit(mix.input, MONEY)
        + pl.col("output") * pl.lit(mix.output, MONEY)
        + pl.coalesce("cache_read", "input") * pl.lit(mix.cached, MONEY)
    )
    rows = rows.with_columns(blended=blended.cast(MONEY), cross_check=cross_check())
    return (
        with_ratios(rows, baseline)
        .select(PRICES.names())
        .cast(dict(PRICES.items()))
        .sort(
            *("model", "basis", "feed", "provider", "variant", "source_id"),
            descending=[False, True] + [False] * 4,
        )
    )


def _with_last_change(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Add what input and output were before their last change, and when that was.

    Unknown prices, and zeros of what was paid for, are no steps in between.
    """
    before = {
        f"previous_{name}": pl.when(pl.col("id") == pl.col("id").shift()).then(pl.col(name).shift())
        for name in ("input", "output")
    }
    moved = (pl.col("input") != pl.col("previous_input")).fill_null(False) | (
        pl.col("output") != pl.col("previous_output")
    ).fill_null(False)
    glitch = ((pl.col("input") == 0) & pl.col("paid_input")) | (
        (pl.col("output") == 0) & pl.col("paid_output")
    )
    steps = (
        known.drop_nulls(["input", "output"])
        .filter(~glitch)
        .with_columns(**before)
        .filter(moved)
        .unique("id", keep="last", maintain_order=True)
        .select("id", "previous_input", "previous_output", changed_at="observed_at")
    )
    return rows.join(steps, on="id", how="left")


def cross_check() -> pl.Expr:
    """Whether a row is a cross-check feed's list price of what another feed lists as well.

    Prices for mainland China and those for everywhere else stand for themselves.
    """
    checks = (pl.col("basis") == "list") & pl.col("feed").is_in(list(CROSS_CHECK))
    stated = (pl.col("basis") == "list") & ~checks
    return checks & stated.any().over("model", "variant", pl.col("region") == "cn")


def with_ratios(
    rows: pl.DataFrame,
    baseline: str,
    *,
    same: Sequence[str] = ("basis", "currency"),
    prefix: str = "",
) -> pl.DataFrame:
    """Divide by the baseline's price that has some columns in common with a row.

    No such price, or 0, gives no ratio. Prices for mainland China are divided by the baseline's
    price there, if it has one.

    Args:
        rows: With the columns of PRICES that say what is priced, and the prices.
        baseline: Canonical id of the model that ratios refer to.
        same: What a price and the one it is divided by have in common.
        prefix: Of the names of the prices to divide: "" for those as stated.

    Returns:
        The rows with `ratio_input`, `ratio_output` and `ratio_blended`.
    """
    columns = ("input", "output", "blended")
    divided = {f"{prefix}{name}": name for name in columns}
    rows = rows.with_columns(mainland=pl.col("region") == "cn")
    offers = (
        rows.filter((pl.col("model") == baseline) & (pl.col("variant") == ""))
        .sort(*same, "cross_check", f"{prefix}blended", "provider", nulls_last=True)
        .unique([*same, "mainland"], keep="first", maintain_order=True)
        .select(*same, "mainland", *divided)
        .rename(divided)
    )
    for place, wanted in (("abroad", False), ("there", True)):
        prices_at = offers.filter(pl.col("mainland") == wanted).drop("mainland")
        renamed = {name: f"{name}_{place}" for name in columns}
        rows = rows.join(prices_at.rename(renamed), on=list(same), how="left")
    ratios = []
    for name in columns:
        base = (
            pl.when("mainland")
            .then(pl.coalesce(f"{name}_there", f"{name}_abroad"))
            .otherwise(pl.coalesce(f"{name}_abroad", f"{name}_there"))
        )
        quotient = pl.col(f"{prefix}{name}").cast(pl.Float64) / base.cast(pl.Float64)
        ratios.append(pl.when(base > 0).then(quotient).round(RATIO_DIGITS).alias(f"ratio_{name}"))
    return rows.with_columns(ratios)
