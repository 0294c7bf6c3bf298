"""What is told besides of a claim about a place: in how many weeks it was held, with what."""

from collections.abc import Sequence

from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.claims.figure import Figure
from qwenwatch_cache.claims.period import Period
from qwenwatch_cache.market.definitions import DEFINITIONS
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.listings import listing
from qwenwatch_cache.market.selections import belongs
from qwenwatch_cache.market.spelled import amount
from qwenwatch_cache.market.trials import Note, Source, Trial
from qwenwatch_cache.market.usage_scopes import definitions_of


def rank_notes(known: Known, claim: Claim, trials: Sequence[Trial], figure: Figure) -> list[Note]:
    """In how many weeks a place was held, and with which models."""
    best = next(trial for trial in trials if trial.fit(figure) == "yes")
    notes: list[Note] = []
    if claim.period is None:
        for definition in definitions_of(claim):
            own = [one for one in trials if one.keys[0].startswith(f"{definition.key} ")]
            held = sum(one.fit(figure) == "yes" for one in own)
            unsure = sum(one.fit(figure) == "possible" for one in own)
            if own:
                open_ = f", in {unsure} it cannot be told" if unsure else ""
                text = f"{definition.label}: in {held} of {len(own)} weeks{open_}"
                notes.append(Note(text, own[0].sources))
    definition = next(one for one in DEFINITIONS.values() if best.keys[0].startswith(f"{one.key} "))
    listed = listing(known, definition, "models", Period(best.first, best.last))
    if listed is None or claim.kind != "vendor" or not listed.absolute:
        return notes
    named = [one for one in listed.entries if belongs(one, claim.kind, claim.of)]
    models = " + ".join(f"{one.name} {amount(one.amount.low)}" for one in named)
    text = f"of that {models or 'no model'} by name, the rest is not named by model"
    return [*notes, Note(text, [Source(listed.feed, listed.as_of)])]
