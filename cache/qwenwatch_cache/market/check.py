"""Is a published figure true, and under which definition? It is tried under every scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from qwenwatch_cache.claims.claim import PRICES, Claim
from qwenwatch_cache.claims.figure import Figure
from qwenwatch_cache.market import change_trials, growth_trials, price_trials, ratio_trials
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.missing import Missing, missing_for
from qwenwatch_cache.market.origins import Origin
from qwenwatch_cache.market.price_book import PriceBook
from qwenwatch_cache.market.rank_notes import rank_notes
from qwenwatch_cache.market.spelled import between, spelled
from qwenwatch_cache.market.standing_trials import standing_of, standing_trials
from qwenwatch_cache.market.trials import Trial, in_order, trials_frame
from qwenwatch_cache.market.usage_days import NEAREST_WEEKS
from qwenwatch_cache.market.usage_trials import definitions_of, space, usage_trials

Verdict = Literal[
    "reproduced", "reproduced only if", "not reproduced", "contradicted", "no public data"
]

RESTATED = Decimal("0.0005")
"""By how much older days were restated between two readings of one source, at most (0.04 %): a
total is as uncertain as that besides its rounding."""

NEAR = 2
"""So many units of the last digit more count as a near miss: what chance alone brings about."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the data makes of a claim.

    Attributes:
        claim: The claim.
        verdict: One of five.
        reason: In a sentence: the conditions, how far off, or what contradicts it.
        found: The value that the verdict rests on, for people; "" if there is none.
        trials: Everything tried: what fits first, then what may, then the rest by distance.
        figure: The value claimed with the tolerance that was used.
        near: Exact values that miss by no more than `NEAR` units of the last digit.
        space: The dimensions searched, in words.
        missing: What would be needed.
        notes: Proxies, whose figure it is instead, contradictions, what holds together.
        origins: Where the figures came from.
        elsewhere: Other models of the vendor that have the price claimed, and where, where the
            model itself has it nowhere.
    """

    claim: Claim
    verdict: Verdict
    reason: str
    found: str
    trials: Sequence[Trial]
    figure: Figure
    near: int
    space: Sequence[str]
    missing: Sequence[Missing]
    notes: Sequence[str]
    origins: Sequence[Origin]
    elsewhere: Mapping[str, str]

    def rows(self, most: int) -> list[dict[str, Any]]:
        """The first trials as rows of trials.TRIALS."""
        frame = trials_frame(self.claim.id, self.trials[:most], self.figure)
        return frame.to_dicts()

    @property
    def matched(self) -> int:
        """How many scopes the claim holds under."""
        return sum(trial.fit(self.figure) == "yes" for trial in self.trials)

    @property
    def possible(self) -> int:
        """Under how many it cannot be told, since only bounds are known."""
        return sum(trial.fit(self.figure) == "possible" for trial in self.trials)

    @property
    def plain(self) -> Trial | None:
        """The scope stated, or the plain reading; None if there are no figures for it."""
        return _plain(self.trials)

    @property
    def closest(self) -> Trial | None:
        """The nearest value, or bounds, that the claim misses; None without figures."""
        return _closest(self.trials, self.figure) if self.trials else None


class Evidence:
    """What claims are checked against; read once for all of them."""

    def __init__(self, known: Known) -> None:
        """Take what was known."""
        self.known = known

    @cached_property
    def book(self) -> PriceBook:
        """All prices."""
        return PriceBook(self.known)


def check(known: Known, claim: Claim, evidence: Evidence | None = None) -> Checked:
    """Check one claim.

    Args:
        known: What is known.
        claim: The claim.
        evidence: Of the same `known`, to read prices only once for several claims.
    """
    evidence = evidence or Evidence(known)
    figure = _tolerant(claim)
    trials = in_order(_trials(evidence, claim), figure)
    verdict, reason, found = _verdict(claim, figure, trials)
    notes = _notes(evidence, claim, figure, trials)
    return Checked(
        claim=claim,
        verdict=verdict,
        reason=reason,
        found=found,
        trials=trials,
        figure=figure,
        near=_near(trials, figure),
        space=_space(claim),
        missing=[] if verdict == "reproduced" else missing_for(known, claim, trials),
        notes=notes,
        origins=_origins(known, claim, trials),
        elsewhere=_elsewhere(evidence, claim, figure, trials),
    )


def _trials(evidence: Evidence, claim: Claim) -> list[Trial]:
    known = evidence.known
    if claim.measure == "price":
        return price_trials.price_trials(evidence.book, claim, known.at)
    if claim.measure == "price_change":
        return change_trials.change_trials(evidence.book, claim, known.at)
    if claim.measure == "price_ratio" and claim.kind == "vendor":
        return ratio_trials.vendor_ratio_trials(evidence.book, claim, known.at)
    if claim.measure == "price_ratio":
        return ratio_trials.ratio_trials(evidence.book, claim, known.at)
    if claim.measure == "growth":
        return growth_trials.growth_trials(known, claim)
    return [*usage_trials(known, claim), *standing_trials(known, claim)]


def _tolerant(claim: Claim) -> Figure:
    figure = claim.figure
    if claim.measure != "total" or figure.low is None or figure.high is None or not figure.step:
        return figure
    return figure.wider((figure.low + figure.high) / 2 * RESTATED)


def _verdict(claim: Claim, figure: Figure, trials: Sequence[Trial]) -> tuple[Verdict, str, str]:
    """The verdict, its reason, and the value that it rests on."""
    if not trials:
        return "no public data", _nothing(claim), ""
    plain = _plain(trials)
    best = trials[0]
    if plain is not None and plain.fit(figure) == "possible":
        # It may hold as it was read: that it fits on other days, or without somebody, is chance.
        best = next((one for one in trials if one.fit(figure) == "yes" and _close(one)), plain)
    if best.fit(figure) == "yes":
        value = between(best.low, best.high, figure.unit)
        if not best.conditions:
            return "reproduced", best.scope, value
        if claim.kind == "vendor" and claim.measure == "price_ratio":
            return "reproduced only if", ratio_trials.pairs(trials, claim), value
        return "reproduced only if", "; ".join(best.conditions), value
    if claim.measure == "price_change" and change_trials.never_changed(trials):
        read = change_trials.readings(trials)
        return "contradicted", f"the price did not change in any reading: {read}", "no change"
    if plain is not None and plain.fit(figure) == "possible":
        shown = between(plain.low, plain.high, figure.unit)
        return "no public data", f"only bounds are known: {plain.scope}", shown
    near = _closest(trials, figure)
    shown = between(near.low, near.high, figure.unit)
    if claim.measure in {"rank", "count"} and all(trial.fit(figure) == "no" for trial in trials):
        return "contradicted", f"under none of {len(trials)} scopes; closest: {near.scope}", shown
    return "not reproduced", f"closest, off by {_far(near, claim.figure)}: {near.scope}", shown


def _close(trial: Trial) -> bool:
    """Whether a scope is of the days stated, and leaves nobody out."""
    apart = ("in the ", "one day ", "without ")
    return not any(condition.startswith(apart) for condition in trial.conditions)


def _plain(trials: Sequence[Trial]) -> Trial | None:
    """The plain reading; where the days stated are not published, the nearest that are."""
    for trial in trials:
        if not trial.conditions:
            return trial
    for trial in trials:
        if len(trial.conditions) == 1 and trial.conditions[0].startswith(NEAREST_WEEKS):
            return trial
    return None


def _closest(trials: Sequence[Trial], figure: Figure) -> Trial:
    """What misses the claim by the least, with the fewest conditions.

    Bounds only of the days stated with nobody left out: among many, some end near anything.
    """
    missed = [trial for trial in trials if trial.fit(figure) == "no"]
    telling = [trial for trial in missed if trial.low == trial.high or _close(trial)]
    pool = telling or missed or trials
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


def _near(trials: Sequence[Trial], figure: Figure) -> int:
    wide = figure.wider(figure.step * NEAR)
    return sum(
        trial.low == trial.high and trial.fit(figure) == "no" and wide.admits(trial.low)
        for trial in trials
    )


def _space(claim: Claim) -> Sequence[str]:
    if claim.measure == "price":
        return price_trials.SPACE
    if claim.measure == "price_change":
        return change_trials.SPACE
    if claim.measure == "price_ratio":
        of_vendors = claim.kind == "vendor"
        return ratio_trials.VENDORS_SPACE if of_vendors else ratio_trials.MODELS_SPACE
    if claim.measure == "growth":
        return growth_trials.SPACE
    return space(claim)


def _notes(evidence: Evidence, claim: Claim, figure: Figure, trials: Sequence[Trial]) -> list[str]:
    notes = [claim.note] if claim.note else []
    fits = bool(trials) and trials[0].fit(figure) == "yes"
    for proxy in claim.proxies:
        notes.append(_proxy(evidence, replace(claim, metric=proxy, proxies=())))
    if claim.measure == "price_change" and not fits:
        notes += change_trials.changed_by(evidence.book, claim)
    if claim.measure == "price_ratio" and not fits and claim.kind == "model":
        notes += ratio_trials.rate_needed(evidence.book, claim, evidence.known.at)
    if claim.measure == "rank" and fits:
        notes += rank_notes(evidence.known, claim, trials, figure)
    return notes


def _elsewhere(
    evidence: Evidence, claim: Claim, figure: Figure, trials: Sequence[Trial]
) -> Mapping[str, str]:
    if claim.measure != "price" or (trials and trials[0].fit(figure) == "yes"):
        return {}
    return price_trials.whose(evidence.book, claim)


def _proxy(evidence: Evidence, claim: Claim) -> str:
    figure = _tolerant(claim)
    trials = in_order(_trials(evidence, claim), figure)
    verdict, reason, found = _verdict(claim, figure, trials)
    answer = f"{verdict}: {found or reason}" + (f" ({reason})" if found else "")
    return f"instead by {claim.metric}: {answer}"


def _origins(known: Known, claim: Claim, trials: Sequence[Trial]) -> list[Origin]:
    """One per feed of the trials."""
    origins = []
    newest: dict[str, Trial] = {}
    for trial in trials:
        newest.setdefault(trial.feed, trial)
    for feed, trial in sorted(newest.items()):
        if claim.measure in PRICES:
            origins.append(known.price_origin(feed, known.at))
        elif trial.as_of is not None:
            own = known.polls.last_own(feed, known.at)
            origins.append(known.origin(feed, trial.as_of, "bundled" if own is None else "live"))
    return origins
