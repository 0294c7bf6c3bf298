"""A claimed share of the implied spend: what tokens at their prices leave open, as an interval."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from qwenwatch_cache.claims.claim import IMPLIED, STANDARD, Claim
from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.identity import split_model
from qwenwatch_cache.market.implied_spend import Spend, implied_spend
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.spelled import amount, spelled
from qwenwatch_cache.market.token_prices import Basis
from qwenwatch_cache.market.trials import Source, Trial
from qwenwatch_cache.market.windows import Window

BASES: Sequence[Basis] = ("route", "list")

SPACE = (
    "counted as: tokens of OpenRouter × price, all at the cheapest price to all at the dearest",
    "basis: what OpenRouter charged; list prices",
    "when: the days stated, which are a day, a week from Monday to Sunday, or a month",
)


def spend_trials(known: Known, claim: Claim) -> list[Trial]:
    """Try a share of the implied spend on each basis; none if the days are no whole window."""
    window = None
    if claim.period is not None:
        window = Window.of_days(claim.period.first, claim.period.last)
    if claim.metric != IMPLIED or not claim.kind or window is None:
        return []
    trials = []
    for basis in BASES:
        if claim.basis not in {"", basis}:
            continue
        try:
            asked = implied_spend(known, claim.kind, window, basis, Mix())
        except NothingToShow:
            continue
        rows = asked.rows.filter(pl.col("id") == _id(claim)).to_dicts()
        if asked.complete and rows and rows[0]["share_low"] is not None:
            # Read plainly, it is what was charged where the tokens were counted.
            plain = basis == (claim.basis or BASES[0])
            trials.append(_trial(asked, rows[0], () if plain else (f"at {basis} prices",)))
    return trials


def _id(claim: Claim) -> str:
    model, variant = split_model(claim.of)
    return model if claim.kind == "model" and variant == STANDARD else claim.of


def _trial(asked: Spend, row: dict[str, Any], conditions: tuple[str, ...]) -> Trial:
    tokens, *prices = asked.origins
    low, high = (Decimal(repr(row[name])) for name in ("share_low", "share_high"))
    of_all = {name: asked.whole[name] for name in ("low", "high")}
    least = f"{_usd(row['low'])} ÷ {_usd(row['low'] + of_all['high'] - row['high'])}"
    most = f"{_usd(row['high'])} ÷ {_usd(row['high'] + of_all['low'] - row['low'])}"
    text = f"{least} = {spelled(low, 'share')} to {most} = {spelled(high, 'share')}"
    if row["share_expected"] is not None:
        expected = spelled(Decimal(repr(row["share_expected"])), "share")
        parts = ":".join(
            f"{100 * part:.0f}" for part in (asked.mix.input, asked.mix.output, asked.mix.cached)
        )
        text += f"; {expected} with a mix of {parts} in:out:cached"
    return Trial(
        conditions=conditions,
        scope=f"implied spend · OpenRouter, {asked.basis} prices, "
        f"{asked.window.start}..{asked.window.end}",
        low=low,
        high=high,
        arithmetic=text,
        feed=tokens.feed,
        as_of=tokens.as_of,
        first=asked.window.start,
        last=asked.window.end,
        besides=tuple(Source(one.feed, one.as_of) for one in prices),
    )


def _usd(value: Decimal) -> str:
    return f"${amount(value)}"
