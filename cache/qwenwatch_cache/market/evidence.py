"""Everything that a claim is tried against, by its measure."""

from collections.abc import Sequence
from functools import cached_property

from qwenwatch_cache.claims.claim import IMPLIED, Claim
from qwenwatch_cache.market import (
    change_trials,
    growth_trials,
    price_trials,
    ratio_trials,
    spend_trials,
)
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.price_book import PriceBook
from qwenwatch_cache.market.standing_trials import standing_trials
from qwenwatch_cache.market.trials import Trial, in_order, with_restated
from qwenwatch_cache.market.usage_scopes import space
from qwenwatch_cache.market.usage_trials import usage_trials


class Evidence:
    """What claims are checked against; read once for all of them."""

    def __init__(self, known: Known) -> None:
        """Take what was known."""
        self.known = known

    @cached_property
    def book(self) -> PriceBook:
        """All prices."""
        return PriceBook(self.known)


def trials_of(evidence: Evidence, claim: Claim) -> list[Trial]:
    """Every scope under which a claim is tried, in order: what fits first."""
    trials = _trials(evidence, claim)
    if claim.measure == "total":
        trials = [with_restated(trial, claim.figure) for trial in trials]
    return in_order(trials, claim.figure)


def space_of(claim: Claim) -> Sequence[str]:
    """The dimensions that are searched for a claim, in words."""
    if claim.measure == "price":
        return price_trials.SPACE
    if claim.measure == "price_change":
        return change_trials.SPACE
    if claim.measure == "price_ratio":
        of_vendors = claim.kind == "vendor"
        return ratio_trials.VENDORS_SPACE if of_vendors else ratio_trials.MODELS_SPACE
    if claim.measure == "growth":
        return growth_trials.SPACE
    if claim.metric == IMPLIED:
        return spend_trials.SPACE
    return space(claim)


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
    if claim.metric == IMPLIED:
        return spend_trials.spend_trials(known, claim)
    return [*usage_trials(known, claim), *standing_trials(known, claim)]
