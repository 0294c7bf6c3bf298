"""What is told of a claim besides its verdict: proxies, who else it fits, on which other days."""

from collections.abc import Sequence

from msgspec.structs import replace

from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.claims.figure import Figure
from qwenwatch_cache.market import change_trials, ratio_trials
from qwenwatch_cache.market.evidence import Evidence, trials_of
from qwenwatch_cache.market.rank_notes import rank_notes
from qwenwatch_cache.market.trials import Note, Trial
from qwenwatch_cache.market.verdicts import elsewhen, judge


def notes_on(
    evidence: Evidence, claim: Claim, figure: Figure, trials: Sequence[Trial]
) -> list[Note]:
    """Everything that is told besides.

    Args:
        evidence: What claims are checked against.
        claim: The claim.
        figure: Its value.
        trials: All that were tried, in order.
    """
    notes = [Note(claim.note)] if claim.note else []
    fits = bool(trials) and trials[0].fit(figure) == "yes"
    notes += [_proxy(evidence, replace(claim, metric=one, proxies=())) for one in claim.proxies]
    notes += elsewhen(claim, figure, trials)
    if claim.measure == "price_change" and not fits:
        notes += change_trials.changed_by(evidence.book, claim)
    if claim.measure == "price_ratio" and not fits and claim.kind == "model":
        notes += ratio_trials.rate_needed(evidence.book, claim, evidence.known.at)
    if claim.measure == "rank" and fits:
        notes += rank_notes(evidence.known, claim, trials, figure)
    return notes


def _proxy(evidence: Evidence, claim: Claim) -> Note:
    trials = trials_of(evidence, claim)
    judged = judge(claim, claim.figure, trials)
    answer = f"{judged.found} ({judged.reason})" if judged.found else judged.reason
    return Note(f"instead by {claim.metric}: {judged.verdict}: {answer}", judged.sources)
