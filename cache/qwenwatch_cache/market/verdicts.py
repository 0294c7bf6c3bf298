"""The verdict on a claim, from everything that was tried."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from qwenwatch_cache.claims.claim import PRICES, Claim
from qwenwatch_cache.claims.figure import Figure
from qwenwatch_cache.market import change_trials, ratio_trials
from qwenwatch_cache.market.spelled import between, spelled
from qwenwatch_cache.market.standing_trials import standing_of
from qwenwatch_cache.market.trials import Note, Source, Trial
from qwenwatch_cache.market.usage_days import NEAREST_WEEKS
from qwenwatch_cache.market.usage_scopes import definitions_of

Verdict = Literal[
    "reproduced", "reproduced only if", "not reproduced", "contradicted", "no public data"
]

PLACES = frozenset({"rank", "count"})
"""Measures with few values: one that fits on other days says nothing of those stated."""


MOST_ELSEWHEN = 2
"""So many other days are told."""


class Judged(NamedTuple):
    """A verdict.

    Attributes:
        verdict: One of five.
        reason: In a sentence: the conditions, how far off, or what contradicts it.
        found: The value that it rests on, for people; "" if there is none.
        basis: The trial that has it.
        rests_on: The trials that the reason speaks of.
    """

    verdict: Verdict
    reason: str
    found: str
    basis: Trial | None
    rests_on: Sequence[Trial] = ()

    @property
    def sources(self) -> Sequence[Source]:
        """Where the figures of the verdict and its reason came from."""
        trials = self.rests_on or ([self.basis] if self.basis else [])
        return list(dict.fromkeys(source for one in trials for source in one.sources))


def judge(claim: Claim, figure: Figure, trials: Sequence[Trial]) -> Judged:
    """The verdict on a claim.

    Args:
        claim: The claim.
        figure: Its value.
        trials: All that were tried, in order (trials.in_order).
    """
    if not trials:
        return Judged("no public data", _nothing(claim), "", None)
    plain = plain_trial(trials)
    held = [one for one in trials if one.fit(figure) == "yes" and _decides(one, claim, trials)]
    if plain is not None and plain.fit(figure) == "possible":
        # It may hold as it was read: that it fits on other days, or without somebody, is chance.
        held = [one for one in held if not one.moved and not one.less]
    if held:
        return _reproduced(claim, figure, trials, held[0])
    if claim.measure == "price_change" and change_trials.never_changed(trials):
        read = change_trials.readings(trials)
        reason = f"the price did not change in any reading: {read}"
        return Judged("contradicted", reason, "no change", trials[0], trials)
    if plain is not None and plain.fit(figure) == "possible":
        shown = between(plain.low, plain.high, figure.unit)
        reason = f"only bounds are known, and it lies within them: {plain.scope}"
        return Judged("no public data", reason, shown, plain)
    stated = of_stated_days(trials)
    near = closest(trials, figure)
    if claim.measure in PLACES and all(one.fit(figure) == "no" for one in stated):
        if plain is not None and plain.exact and not plain.moved:
            near = plain
        days = " of the days stated" if len(stated) < len(trials) else ""
        reason = f"true under none of {len(stated)} scopes{days}; {near.scope}"
        return Judged("contradicted", reason, between(near.low, near.high, figure.unit), near)
    shown = between(near.low, near.high, figure.unit)
    far = _far(near, claim.figure)
    return Judged("not reproduced", f"closest, off by {far}: {near.scope}", shown, near)


def _reproduced(claim: Claim, figure: Figure, trials: Sequence[Trial], best: Trial) -> Judged:
    value = between(best.low, best.high, figure.unit)
    needs = best.needs(figure)
    if not needs:
        return Judged("reproduced", best.scope, value, best)
    if claim.kind == "vendor" and claim.measure == "price_ratio":
        return Judged("reproduced only if", ratio_trials.pairs(trials, claim), value, best, trials)
    return Judged("reproduced only if", "; ".join(needs), value, best)


def of_stated_days(trials: Sequence[Trial]) -> Sequence[Trial]:
    """Those of the days stated; all, where nothing is known of these days."""
    return [one for one in trials if not one.moved] or trials


def _decides(one: Trial, claim: Claim, trials: Sequence[Trial]) -> bool:
    """Whether a fit counts: where the days stated are known, other days do as the only condition.

    Of places not even then: there are too few of them to tell which days were meant.
    """
    if not one.moved or all(each.moved for each in trials):
        return True
    return claim.measure not in PLACES and len(one.conditions) == 1


def elsewhen(claim: Claim, figure: Figure, trials: Sequence[Trial]) -> list[Note]:
    """On which other days it would fit what the days stated do not, with the fewest conditions."""
    fits = [one for one in trials if one.moved and one.fit(figure) == "yes"]
    if not fits or any(one.fit(figure) == "yes" for one in of_stated_days(trials)):
        return []
    first = min(len(one.conditions) for one in fits)
    nearest = [one for one in fits if len(one.conditions) == first][:MOST_ELSEWHEN]
    return [
        Note(f"on other days it was so: {'; '.join(one.needs(figure))}", one.sources)
        for one in nearest
        if not _decides(one, claim, trials)
    ]


def plain_trial(trials: Sequence[Trial]) -> Trial | None:
    """The plain reading; where the days stated are not published, the nearest that are."""
    for trial in trials:
        if not trial.conditions:
            return trial
    for trial in trials:
        if len(trial.conditions) == 1 and trial.conditions[0].startswith(NEAREST_WEEKS):
            return trial
    return None


def closest(trials: Sequence[Trial], figure: Figure) -> Trial:
    """What misses the claim by the least, with the fewest conditions, of the days stated if known.

    Bounds only with nobody left out: among many, some end near anything.
    """
    stated = of_stated_days(trials)
    missed = [trial for trial in stated if trial.fit(figure) == "no"]
    telling = [trial for trial in missed if trial.exact or not (trial.less or trial.moved)]
    pool = telling or missed or stated
    return min(pool, key=lambda one: (one.distance(figure), len(one.conditions)))


def _far(trial: Trial, figure: Figure) -> str:
    """How far a value is from what was printed, not from where rounding would reach it."""
    far = trial.distance(figure) + figure.step / 2
    if figure.unit in {"share", "change"}:
        return f"{far * 100:.1f} points"
    return spelled(far, figure.unit)


def _nothing(claim: Claim) -> str:
    if claim.measure in PRICES:
        return "no price of that model is known in the currency claimed"
    if not definitions_of(claim) and not standing_of(claim):
        return f"no public feed counts {claim.metric}"
    if claim.measure == "growth" and (claim.period is None or claim.since is None):
        return "it is not said from when to when"
    if claim.period is None:
        return "no figures are in the cache"
    return f"no figures of {claim.period} are in the cache"
