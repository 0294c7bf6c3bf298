"""Is a published figure true, and under which definition? It is tried under every scope."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.claims.figure import Figure
from qwenwatch_cache.market import price_trials
from qwenwatch_cache.market.check_notes import notes_on
from qwenwatch_cache.market.cited import origins_of
from qwenwatch_cache.market.evidence import Evidence, space_of, trials_of
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.missing import Missing, missing_for
from qwenwatch_cache.market.origins import Origin
from qwenwatch_cache.market.telling import telling_trials
from qwenwatch_cache.market.trials import Note, Source, Trial, trials_frame
from qwenwatch_cache.market.verdicts import Verdict, closest, judge, plain_trial

NEAR = 2
"""So many units of the last digit more count as a near miss: what chance alone brings about."""


class Checked(msgspec.Struct, frozen=True):
    """What the data makes of a claim.

    Attributes:
        claim: The claim.
        verdict: One of five.
        reason: In a sentence: the conditions, how far off, or what contradicts it.
        found: The value that the verdict rests on, for people; "" if there is none.
        basis: The trial that has this value.
        sources: Where the figures of the verdict and its reason came from.
        trials: Everything tried: what fits first, then what may, then the rest by distance.
        telling: Those of them that are shown where not all can be.
        near: Exact values that miss by no more than `NEAR` units of the last digit.
        space: The dimensions searched, in words.
        missing: What would be needed.
        remarks: Proxies, whose figure it is instead, contradictions, what holds together.
        elsewhere: Other models of the vendor that have the price claimed, and where, where the
            model itself has it nowhere.
    """

    claim: Claim
    verdict: Verdict
    reason: str
    found: str
    basis: Trial | None
    sources: Sequence[Source]
    trials: Sequence[Trial]
    telling: Sequence[Trial]
    near: int
    space: Sequence[str]
    missing: Sequence[Missing]
    remarks: Sequence[Note]
    elsewhere: Mapping[str, Note]
    _known: Known

    @property
    def figure(self) -> Figure:
        """The value claimed."""
        return self.claim.figure

    @property
    def notes(self) -> Sequence[str]:
        """The remarks without their sources."""
        return [note.text for note in self.remarks]

    @property
    def origins(self) -> Sequence[Origin]:
        """Where the figures came from that are shown: those of the arithmetic and of the notes."""
        return self.origins_of(self.telling)

    @property
    def brief_origins(self) -> Sequence[Origin]:
        """Where what a line says of it came from: the verdict, and what is read plainly."""
        return self._cited([*self.sources, *(self.plain.sources if self.plain else ())])

    def origins_of(self, trials: Iterable[Trial]) -> Sequence[Origin]:
        """Where the figures of the verdict, of the notes and of some trials came from."""
        sources = [source for trial in trials for source in trial.sources]
        sources += [source for note in self.remarks for source in note.sources]
        return self._cited([*self.sources, *sources])

    def _cited(self, sources: Iterable[Source]) -> Sequence[Origin]:
        return origins_of(self._known, self.claim, sources)

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
        return plain_trial(self.trials)

    @property
    def closest(self) -> Trial | None:
        """The nearest value, or bounds, that the claim misses; None without figures."""
        return closest(self.trials, self.figure) if self.trials else None


def check(known: Known, claim: Claim, evidence: Evidence | None = None) -> Checked:
    """Check one claim.

    Args:
        known: What is known.
        claim: The claim.
        evidence: Of the same `known`, to read prices only once for several claims.
    """
    evidence = evidence or Evidence(known)
    figure = claim.figure
    trials = trials_of(evidence, claim)
    judged = judge(claim, figure, trials)
    return Checked(
        claim=claim,
        verdict=judged.verdict,
        reason=judged.reason,
        found=judged.found,
        basis=judged.basis,
        sources=judged.sources,
        trials=trials,
        telling=telling_trials(trials, figure),
        near=_near(trials, figure),
        space=space_of(claim),
        missing=[] if judged.verdict == "reproduced" else missing_for(known, claim, trials),
        remarks=notes_on(evidence, claim, figure, trials),
        elsewhere=_elsewhere(evidence, claim, figure, trials),
        _known=known,
    )


def _near(trials: Sequence[Trial], figure: Figure) -> int:
    wide = figure.wider(figure.step * NEAR)
    return sum(
        trial.exact and trial.fit(figure) == "no" and wide.admits(trial.low) for trial in trials
    )


def _elsewhere(
    evidence: Evidence, claim: Claim, figure: Figure, trials: Sequence[Trial]
) -> Mapping[str, Note]:
    if claim.measure != "price" or (trials and trials[0].fit(figure) == "yes"):
        return {}
    return price_trials.whose(evidence.book, claim)
