"""The scopes that claims of usage are tried under, and how they are said in words.

The dimensions, one after the other: what is counted and by which feed; all variants of models or
the standard ones; the rows added up (models or vendors); which of them (all, the named, the first
5, 9, 10, 20, 50); what a share is of; who is left out; and which days.
"""

from collections.abc import Sequence

from qwenwatch_cache.claims.claim import IMPLIED, STANDARD, Claim
from qwenwatch_cache.identity import split_model
from qwenwatch_cache.market.definitions import DEFINITIONS, Definition, definition_of
from qwenwatch_cache.market.implied_spend import TOKENS
from qwenwatch_cache.market.listings import RANKED_FEEDS, Listing
from qwenwatch_cache.market.selections import TOPS, Selection, belongs

AMONG = ("", "named", *(f"top {count}" for count in TOPS))

ATTRIBUTED = "attributed"
"""What leaderboards show: tried where it is stated."""

LEFT_OUT = frozenset({"share", "total", "ratio"})
"""Measures for which it is tried to leave somebody out."""

OF_WORDS = {"whole": "of the whole platform", "list": "of those", "CN+US": "of CN + US of those"}


def definitions_of(claim: Claim) -> list[Definition]:
    """The definitions that count what the claim is about, the plain one first.

    Of implied spend that of the tokens that are priced.
    """
    if claim.metric == IMPLIED:
        return [definition_of(TOKENS)]
    variant = split_model(claim.of)[1]
    no_standard = claim.kind == "model" and variant not in {"", STANDARD}
    fitting = [
        one
        for one in DEFINITIONS.values()
        if claim.metric in {"any", one.metric}
        and claim.feed in {"any", one.feed}
        and not (no_standard and (one.standard_only or one.feed not in RANKED_FEEDS))
    ]
    wanted = claim.scope.variants == "standard"
    return sorted(fitting, key=lambda one: one.standard_only != wanted)


def among_of(claim: Claim) -> Sequence[str]:
    """Which of the rows: those that articles quote, and what the claim states besides."""
    return (ATTRIBUTED, *AMONG) if claim.scope.among == ATTRIBUTED else AMONG


def rows_of(claim: Claim) -> tuple[str, ...]:
    """Whose rows are added up, the plain ones first."""
    if claim.measure == "count" or claim.kind == "model":
        return ("models",)
    if claim.measure == "rank":
        return ("vendors",)
    if claim.kind and claim.scope.among == ATTRIBUTED:
        return ("vendors",)
    by_models = not claim.kind or claim.scope.among
    return ("models", "vendors") if by_models else ("vendors", "models")


def plain_of(claim: Claim, chosen: Selection) -> str:
    """What a share over a selection is of, if nothing else is said."""
    if claim.scope.among == "CN+US":
        return "CN+US"
    return "whole" if chosen.among in {"", ATTRIBUTED} else "list"


def space(claim: Claim) -> list[str]:
    """The dimensions that are searched for a claim, in words."""
    lines = [f"counted as: {', '.join(one.key for one in definitions_of(claim)) or 'nothing'}"]
    lines.append(f"rows: {' and '.join(rows_of(claim))} as named by the source")
    if claim.measure in LEFT_OUT:
        tops = ", ".join(str(count) for count in TOPS)
        lines.append(f"among: whole platform, only those named, top {tops}")
        lines.append("left out, on the days stated: nobody, each one named, each vendor")
    if claim.measure == "share":
        lines.append("of: the whole platform, those added up, CN + US of those")
    days = "the days stated, the same number before and after, one day earlier and later"
    lines.append(f"when: {days}, the nearest whole weeks" if claim.period else "when: each week")
    return lines


def among_condition(
    claim: Claim, listed: Listing, among: str, *, plain_rows: bool
) -> Sequence[str]:
    """What a selection is a condition of, none if the claim states it."""
    stated = "named" if claim.scope.among == "CN+US" else claim.scope.among
    if among == stated and plain_rows:
        return ()
    if among in {"", ATTRIBUTED}:
        return (f"by the {len(listed.entries)} {named_rows(listed)} that are named",)
    if among == "named":
        return (f"only the {len(listed.entries)} {named_rows(listed)} that are named",)
    return (f"only the {among} {named_rows(listed)}",)


def named_rows(listed: Listing) -> str:
    """What a source names."""
    return "vendors" if listed.kind == "lab" else "models"


def counted(definition: Definition, plain: Definition) -> str:
    """What another definition than the plain one is a condition of."""
    if definition.feed == plain.feed and definition.metric == plain.metric:
        return "standard variants only" if definition.standard_only else "all variants"
    return f"counted as {definition.label}"


def scope_words(listed: Listing, chosen: Selection, of: str) -> str:
    """A scope in words, whole."""
    named = f"{len(listed.entries)} {named_rows(listed)} named"
    words = {"": "whole platform", "named": f"the {named}", ATTRIBUTED: f"by the {named}"}
    parts = [
        f"{listed.definition.label}, {listed.period}",
        words.get(chosen.among, f"{chosen.among} {named_rows(listed)}"),
    ]
    if chosen.without:
        parts.append(f"without {chosen.without}")
    if of and chosen.among:
        parts.append(of)
    return ", ".join(parts)


def subjects_of(claim: Claim, chosen: Selection) -> int:
    """How many entries the claim's sums are of."""
    subjects = {claim.of, claim.to} if claim.kind else {""}
    return sum(
        any(belongs(entry, claim.kind, of) for of in subjects if of or not claim.kind)
        for entry in chosen.entries
    )
