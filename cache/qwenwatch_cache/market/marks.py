"""What a change of a price is to be taken for, judged by what polls said before and after it.

Pure rules over one history: the runs of equal values that one field of one offer went through. What
each mark means is defined in `qwenwatch_cache.market.price_history`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import Generic, Literal, TypeVar

import msgspec

from qwenwatch_cache.market.doubts import JUMP_STANDS, STANDS, TWO_POLLS, far_apart
from qwenwatch_cache.market.polls import Moments

Mark = Literal[
    "confirmed",
    "unconfirmed",
    "flicker",
    "glitch",
    "jump",
    "correction",
    "known",
    "unknown",
    "added",
    "gone",
    "absence",
]

ALARMING: frozenset[Mark] = frozenset({"confirmed"})
"""Marks of changes that are news; all others are kept and shown, but alarm nobody."""

FLICKER_POLLS = 2
"""A value that reverts after at most so many polls was a flicker: 96 of 1,546 price segments in
OpenRouter's record last at most two captures and revert."""

FLICKER_SPAN = STANDS
"""Two polls that lie further apart than this say more than a flicker."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT = timedelta(microseconds=1)

Value = TypeVar("Value")
Gap = tuple[datetime, datetime]
"""From when a feed no longer stated something to when it did again."""


class Rounds:
    """When a feed was read: moments that can confirm one another.

    Several requests of one round (less than `TWO_POLLS` apart) count once.
    """

    def __init__(self, moments: Iterable[datetime]) -> None:
        """Take the moments of good answers, in any order."""
        # As numbers: of the log of a feed there may be a hundred thousand, and few are looked at.
        read = moments.microseconds() if isinstance(moments, Moments) else map(_number, moments)
        apart = TWO_POLLS // _UNIT
        self._moments: list[int] = []
        for moment in sorted(read):
            if not self._moments or moment - self._moments[-1] >= apart:
                self._moments.append(moment)

    @property
    def last(self) -> datetime | None:
        """The newest one."""
        return _EPOCH + self._moments[-1] * _UNIT if self._moments else None

    def agreed(
        self, since: datetime, until: datetime | None, gaps: Sequence[Gap]
    ) -> tuple[int, timedelta]:
        """How many rounds stated again what was first stated at `since`, and how long it so stood.

        An answer is logged as of its start, what it says as of its end: a round just before a
        moment is the one that brought the news.

        Args:
            since: When it was first stated.
            until: When something else was, or it was not stated any more; None if that never was.
            gaps: When nothing was stated in between.
        """
        count, stood = 0, timedelta(0)
        within = [gap for gap in gaps if gap[0] > since and (until is None or gap[0] < until)]
        starts = [since + TWO_POLLS, *(back - TWO_POLLS for _, back in within)]
        lasts = [self._before(away) for away, _ in within]
        lasts.append(len(self._moments) if until is None else self._before(until))
        for start, last in zip(starts, lasts, strict=True):
            first = bisect_right(self._moments, _number(start))
            if first < last:
                count += last - first
                stood = _EPOCH + self._moments[last - 1] * _UNIT - since
        return count, stood

    def _before(self, moment: datetime) -> int:
        """How many rounds there were before the one that brought the news of a moment."""
        return bisect_left(self._moments, _number(moment - TWO_POLLS))


def _number(moment: datetime) -> int:
    return (moment - _EPOCH) // _UNIT


class Run(msgspec.Struct, Generic[Value], frozen=True):
    """A value and for how long it stood.

    Attributes:
        value: The value.
        at: When it was first seen.
        until: When it was first seen to be another one, None if it still stands.
        polls: How many polls stated it.
        stood: From its first poll to the last that stated it.
    """

    value: Value
    at: datetime
    until: datetime | None
    polls: int
    stood: timedelta


def runs_of(
    series: Sequence[tuple[datetime, Value]],
    rounds: Rounds,
    gaps: Sequence[Gap] = (),
    left: datetime | None = None,
) -> list[Run[Value]]:
    """Put equal values that follow each other together.

    Args:
        series: What was stated and when, oldest first.
        rounds: When the feed was read.
        gaps: When nothing was stated.
        left: Since when nothing is stated any more.
    """
    starts = [(value, next(group)[0]) for value, group in groupby(series, key=itemgetter(1))]
    ends = [at for _, at in starts[1:]]
    found = []
    for (value, at), until in zip(starts, [*ends, None], strict=True):
        polls, stood = rounds.agreed(at, until or left, gaps)
        found.append(Run(value, at, until, polls + 1, stood))
    return found


def plain_marks(runs: Sequence[Run[Value]]) -> list[Mark]:
    """A mark for the begin of every run but the first, of values that are only equal or not."""
    marks: list[Mark] = []
    believed = runs[0].value
    for run, after in zip_longest(runs[1:], runs[2:]):
        marks.append(_settled(run, after, believed, marks))
        if marks[-1] != "flicker":
            believed = run.value
    return marks


def price_marks(
    runs: Sequence[Run[Decimal | None]], *, may_be_free: bool, zero_is_unknown: bool
) -> list[Mark]:
    """A mark for the begin of every run but the first, of a price.

    Args:
        runs: The prices of one field, oldest first.
        may_be_free: Whether a price of 0 needs no confirmation (variant "free").
        zero_is_unknown: Whether 0 says no more than a missing price.
    """

    def unknown(value: Decimal | None) -> bool:
        return value is None or (zero_is_unknown and value == 0)

    def doubtful_zero(run: Run[Decimal | None], needed: timedelta) -> bool:
        return run.value == 0 and not may_be_free and run.stood <= needed

    marks: list[Mark] = []
    believed = runs[0].value
    paid = bool(believed)
    for before, (run, after) in zip(runs, zip_longest(runs[1:], runs[2:]), strict=False):
        mark: Mark
        doubted = bool(marks) and marks[-1] in {"glitch", "jump"}
        if run.value is None:
            mark = "unknown"
        elif unknown(before.value) or (not paid and doubtful_zero(before, TWO_POLLS)):
            mark = "known"
        elif unknown(run.value):
            mark = "unknown"
        elif doubted and run.value == believed:
            mark = marks[-1]
        elif paid and doubtful_zero(run, STANDS):
            mark = "unconfirmed" if after is None else "glitch"
        elif far_apart(believed, run.value) and run.stood < JUMP_STANDS:
            mark = "jump"
        else:
            mark = _settled(run, after, believed, marks)
        marks.append(mark)
        zero_in_doubt = paid and doubtful_zero(run, STANDS)
        if mark not in {"glitch", "jump", "flicker", "unknown"} and not zero_in_doubt:
            believed = run.value
        paid = paid or bool(run.value)
    return marks


def _settled(
    run: Run[Value], after: Run[Value] | None, believed: Value, marks: Sequence[Mark]
) -> Mark:
    """Whether a value came to stay, as far as can be seen by now."""
    if marks and marks[-1] == "flicker" and run.value == believed:
        return "flicker"
    if after is not None and after.value == believed and run.value != believed:
        brief = run.polls <= FLICKER_POLLS and after.at - run.at <= FLICKER_SPAN
        if brief or run.polls == 1:
            return "flicker"
    return "confirmed" if run.polls > 1 else "unconfirmed"
