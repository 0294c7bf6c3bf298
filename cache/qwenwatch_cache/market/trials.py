"""One scope under which a claim was tried, and what was found there."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Context, Decimal
from typing import Literal, NamedTuple

import msgspec
import polars as pl
from msgspec.structs import replace

from qwenwatch_cache.claims.figure import Figure
from qwenwatch_cache.frames import INSTANT

AMOUNT = pl.Decimal(38, 12)
DIGITS = Decimal("1e-12")
_EXACT = Context(prec=38)
"""As exact as AMOUNT: all tokens of a year take more digits than `decimal` keeps by itself."""

Fit = Literal["yes", "possible", "no"]
"""Whether what was found would be printed as the claim was; "possible" if only bounds are known and
the claim lies within them."""

TRIALS = pl.Schema(
    {
        "claim": pl.String(),
        "fit": pl.String(),  # yes, possible, no
        "conditions": pl.String(),  # what differs from the scope stated, "" if nothing does
        "condition_count": pl.Int64(),
        "scope": pl.String(),  # in words, whole
        # shares and changes as parts of 1, tokens as a count, money per 1M tokens; equal if exact
        "low": AMOUNT,
        "high": AMOUNT,  # null where there is no upper bound
        "arithmetic": pl.String(),
        "distance": AMOUNT,  # to the nearest value that the claim admits; 0 if it fits
        "feed": pl.String(),
        "as_of": INSTANT,  # the source's own date, null if it states none
        "first": pl.Date(),  # days that the figure is of
        "last": pl.Date(),
    }
)


LEAST_TOLD = Decimal("0.001")
"""A restatement is told in thousandths of a percent, and never as none."""

RESTATED = Decimal("0.0004")
"""By how much older days were restated between two readings of one source, at most."""


class Source(NamedTuple):
    """A feed that the arithmetic takes figures from.

    Attributes:
        feed: Its name.
        as_of: The source's own date of the figures, None if it states none.
    """

    feed: str
    as_of: datetime | None


class Note(NamedTuple):
    """A sentence about a claim, and where its figures came from."""

    text: str
    sources: Sequence[Source] = ()


class Trial(msgspec.Struct, frozen=True):
    """A value under a scope.

    Attributes:
        conditions: What differs from the scope stated, or the plain one; none if nothing does. That
            the source must have restated the days since is one besides, see `needs`.
        scope: The scope in words.
        low: The value, or the least that it can be.
        high: The same, or the most that it can be; None if there is no bound.
        arithmetic: How it comes about, for people.
        feed: Who states the figures.
        as_of: The source's own date.
        first: First day that the figures are of.
        last: Last day.
        moved: Whether it is of other days than those stated.
        less: Whether somebody is left out that the claim does not leave out.
        restated: Whether it would be printed as claimed only if the source has restated it since.
        besides: What else the arithmetic takes figures from: a second list, exchange rates.
        keys: The same for all measures under one scope, which figures of one sentence share; a sum
            is the same under all scopes that leave out only who is not in it.
    """

    conditions: tuple[str, ...]
    scope: str
    low: Decimal
    high: Decimal | None
    arithmetic: str
    feed: str
    as_of: datetime | None
    first: date
    last: date
    keys: tuple[str, ...] = ()
    moved: bool = False
    less: bool = False
    restated: bool = False
    besides: tuple[Source, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether it is one value, not bounds."""
        return self.low == self.high

    @property
    def sources(self) -> tuple[Source, ...]:
        """Everything that the arithmetic takes figures from."""
        return (Source(self.feed, self.as_of), *self.besides)

    def needs(self, figure: Figure) -> tuple[str, ...]:
        """All conditions under which it fits."""
        if not self.restated:
            return self.conditions
        change = figure.distance(self.low) / self.low * 100
        return (
            *self.conditions,
            f"the source restated it since by {max(change, LEAST_TOLD):.3f} %",
        )

    def fit(self, figure: Figure) -> Fit:
        """Whether the value would be printed as claimed."""
        if self.restated:
            return "yes"
        if self.high is not None and figure.admits(self.low) and figure.admits(self.high):
            return "yes"
        if self.high is None and figure.high is None and figure.admits(self.low):
            return "yes"
        return "possible" if not self.distance(figure) and self.low != self.high else "no"

    def distance(self, figure: Figure) -> Decimal:
        """How far the nearest possible value is from what is claimed; 0 if it fits."""
        if self.restated:
            return Decimal(0)
        if figure.low is not None and self.high is not None and self.high < figure.low:
            return figure.low - self.high
        if figure.high is not None and self.low > figure.high:
            return self.low - figure.high
        return Decimal(0)


def with_restated(trial: Trial, figure: Figure) -> Trial:
    """A total that misses by no more than sources restate older days: then it may have been so."""
    rounded = trial.exact and bool(figure.step)
    if not rounded or figure.admits(trial.low):
        return trial
    may_have_been = figure.wider(trial.low * RESTATED).admits(trial.low)
    return replace(trial, restated=True) if may_have_been else trial


def in_order(trials: Sequence[Trial], figure: Figure) -> list[Trial]:
    """What fits first, then what may, then the rest by distance.

    Of what fits that of the days stated comes first, then that with the fewest conditions.
    """
    rank: dict[Fit, int] = {"yes": 0, "possible": 1, "no": 2}

    def key(trial: Trial) -> tuple[int, bool, int, Decimal, str, date]:
        fit = rank[trial.fit(figure)]
        moved = trial.moved and fit < 2
        conditions = len(trial.needs(figure)) if fit < 2 else 0
        far = trial.distance(figure) if fit == 2 else _off_centre(trial, figure)
        return fit, moved, conditions, far, trial.scope, trial.first

    return sorted(trials, key=key)


def _off_centre(trial: Trial, figure: Figure) -> Decimal:
    if figure.low is None or figure.high is None:
        return Decimal(0)
    return abs(trial.low - (figure.low + figure.high) / 2)


def trials_frame(claim: str, trials: Sequence[Trial], figure: Figure) -> pl.DataFrame:
    """TRIALS of a claim, in the order given."""
    rows = [
        {
            "claim": claim,
            "fit": trial.fit(figure),
            "conditions": "; ".join(trial.needs(figure)),
            "condition_count": len(trial.needs(figure)),
            "scope": trial.scope,
            "low": _amount(trial.low),
            "high": None if trial.high is None else _amount(trial.high),
            "arithmetic": trial.arithmetic,
            "distance": _amount(trial.distance(figure)),
            "feed": trial.feed,
            "as_of": trial.as_of,
            "first": trial.first,
            "last": trial.last,
        }
        for trial in trials
    ]
    return pl.DataFrame(rows, schema=TRIALS)


def _amount(value: Decimal) -> Decimal:
    return value.quantize(DIGITS, context=_EXACT)
