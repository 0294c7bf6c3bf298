"""Every scope under which a claim about usage is tried, in an order that is written down.

The dimensions, one after the other: what is counted and by which feed; all variants of models or
the standard ones; the rows added up (models or vendors); which of them (all, the named, the first
5, 9, 10, 20, 50); what a share is of; who is left out; and which days.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.claims.period import Period
from qwenwatch_cache.market import usage_values
from qwenwatch_cache.market.definitions import DEFINITIONS, Definition
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.listings import Listing, listing, stated_of_labs
from qwenwatch_cache.market.selections import TOPS, Selection, belongs, left_out, selection, without
from qwenwatch_cache.market.trials import Trial
from qwenwatch_cache.market.usage_days import around, days_of, within
from qwenwatch_cache.market.usage_values import Value

AMONG = ("", "named", *(f"top {count}" for count in TOPS))
ATTRIBUTED = "attributed"
"""What leaderboards show: tried where it is stated."""

LEFT_OUT = frozenset({"share", "total", "ratio"})
"""Measures for which it is tried to leave somebody out."""


def definitions_of(claim: Claim) -> list[Definition]:
    """The definitions that count what the claim is about, the plain one first."""
    fitting = [
        one
        for one in DEFINITIONS.values()
        if claim.metric in {"any", one.metric} and claim.feed in {"any", one.feed}
    ]
    wanted = claim.scope.variants == "standard"
    return sorted(fitting, key=lambda one: one.standard_only != wanted)


def usage_trials(known: Known, claim: Claim) -> list[Trial]:
    """Try a claim of usage under every scope there is."""
    trials: list[Trial] = []
    definitions = definitions_of(claim)
    if claim.measure == "total" and claim.period is not None and definitions:
        trials += _enclosed(known, claim, definitions[0], claim.period)
    for definition in definitions:
        own = [] if definition is definitions[0] else [_counted(definition, definitions[0])]
        for days in days_of(known, claim, definition):
            seen: set[tuple[str, str]] = set()
            for rows in _rows_of(claim):
                listed = None
                own_rows = claim.scope.among != ATTRIBUTED
                if claim.measure == "rank" and claim.kind == "vendor" and own_rows:
                    listed = stated_of_labs(known, definition, days.period)
                listed = listed or listing(known, definition, rows, days.period)
                if listed is None or (listed.feed, listed.kind) in seen:
                    continue
                plain_rows = not seen
                seen.add((listed.feed, listed.kind))
                conditions = [*own, *([days.condition] if days.condition else [])]
                trials += _of_listing(claim, listed, conditions, plain_rows=plain_rows)
    return trials


def _enclosed(
    known: Known, claim: Claim, definition: Definition, stated: Period
) -> Iterator[Trial]:
    """Bounds of a total of days that are not published: whole weeks within, and around them."""
    inner, outer = within(stated), around(stated)
    rows = _rows_of(claim)[0]
    if listing(known, definition, rows, stated) is not None or inner.last <= inner.first:
        return
    sides = [listing(known, definition, rows, period) for period in (inner, outer)]
    chosen = [selection(side, claim.scope.among) for side in sides if side is not None]
    if sides[0] is None or sides[1] is None or chosen[0] is None or chosen[1] is None:
        return
    least = usage_values.total(sides[0], chosen[0], claim)
    most = usage_values.total(sides[1], chosen[1], claim)
    if least is None or most is None or claim.scope.without or claim.scope.among == "CN+US":
        return
    text = f"weeks within ({inner}): {least.arithmetic}; around ({outer}): {most.arithmetic}"
    trial = _trial(sides[1], chosen[1], Value(least.low, most.high, text), ())
    scope = f"{definition.label}, {stated}, bounds from the whole weeks within and around it"
    yield replace(trial, scope=scope, first=stated.first, last=stated.last, keys=())


def space(claim: Claim) -> list[str]:
    """The dimensions that are searched for a claim, in words."""
    lines = [f"counted as: {', '.join(one.key for one in definitions_of(claim)) or 'nothing'}"]
    lines.append(f"rows: {' and '.join(_rows_of(claim))} as named by the source")
    if claim.measure in {"share", "total", "ratio"}:
        tops = ", ".join(str(count) for count in TOPS)
        lines.append(f"among: whole platform, only those named, top {tops}")
        lines.append("left out, on the days stated: nobody, each one named, each vendor")
    if claim.measure == "share":
        lines.append("of: the whole platform, those added up, CN + US of those")
    days = "the days stated, the same number before and after, one day earlier and later"
    lines.append(f"when: {days}, the nearest whole weeks" if claim.period else "when: each week")
    return lines


def _rows_of(claim: Claim) -> tuple[str, ...]:
    if claim.measure == "count":
        return ("models",)
    if claim.measure == "rank":
        return ("models",) if claim.kind == "model" else ("vendors",)
    of_models = claim.kind in {"", "model"} or claim.scope.among
    if claim.kind == "model":
        return ("models",)
    if claim.scope.among == ATTRIBUTED:
        return ("vendors",)
    return ("models", "vendors") if of_models else ("vendors", "models")


def _of_listing(
    claim: Claim, listed: Listing, conditions: Sequence[str], *, plain_rows: bool
) -> Iterator[Trial]:
    if claim.measure == "rank":
        value = usage_values.rank(listed, claim)
        if value is not None:
            among = ATTRIBUTED if claim.scope.among == ATTRIBUTED else ""
            everybody = Selection(among, (), listed.rest, listed.total)
            yield _trial(listed, everybody, value, conditions)
        return
    if claim.measure == "count":
        chosen = selection(listed, f"top {claim.top}") or selection(listed, "named")
        assert chosen is not None
        yield _trial(listed, chosen, usage_values.count(listed, chosen, claim), conditions)
        return
    own = [ATTRIBUTED] if claim.scope.among == ATTRIBUTED else []
    for among in (*own, *AMONG):
        chosen = selection(listed, among)
        if chosen is None:
            continue
        here = [*conditions, *_among_condition(claim, listed, among, plain_rows=plain_rows)]
        some = among not in {"", ATTRIBUTED}
        gone = left_out(listed, chosen) if some and claim.measure in LEFT_OUT else []
        # A sum stays the same without those who are not in it.
        same = [
            one
            for one in gone
            if claim.measure != "share" and _theirs(claim, one) == _theirs(claim, chosen)
        ]
        for trial in _of_selection(claim, listed, chosen, here):
            yield replace(trial, keys=(*trial.keys, *(_key(listed, one) for one in same)))
        if conditions:
            continue  # on other days, and counted otherwise, nobody is left out
        for one in gone:
            if one not in same:
                yield from _of_selection(claim, listed, one, [*here, f"without {one.without}"])


def _theirs(claim: Claim, chosen: Selection) -> int:
    """How many entries the claim's sums are of."""
    subjects = {claim.of, claim.to} if claim.kind else {""}
    return sum(
        any(belongs(entry, claim.kind, of) for of in subjects if of or not claim.kind)
        for entry in chosen.entries
    )


def _of_selection(
    claim: Claim, listed: Listing, chosen: Selection, conditions: Sequence[str]
) -> Iterator[Trial]:
    stated_without = claim.scope.without
    if stated_without and not chosen.without:
        less = without(listed, chosen, stated_without)
        if less is None:
            conditions = [*conditions, f"{stated_without} is not named"]
        else:
            yield from _values(claim, listed, less, conditions)
            conditions = [*conditions, f"with {stated_without}"]
    yield from _values(claim, listed, chosen, conditions)


def _values(
    claim: Claim, listed: Listing, chosen: Selection, conditions: Sequence[str]
) -> Iterator[Trial]:
    if chosen.among and _absent(claim, listed, chosen):
        return
    if claim.measure == "share":
        plain = _plain_of(claim, chosen)
        some = chosen.among not in {"", ATTRIBUTED}
        for of in usage_values.OF if some else ("whole",):
            value = usage_values.share(listed, chosen, claim, of)
            if value is not None:
                extra = [] if of == plain else [f"as a share {_OF_WORDS[of]}"]
                yield _trial(listed, chosen, value, [*conditions, *extra], _OF_WORDS[of])
        return
    counted = usage_values.total if claim.measure == "total" else usage_values.ratio
    value = counted(listed, chosen, claim)
    if value is not None:
        yield _trial(listed, chosen, value, conditions)


def _absent(claim: Claim, listed: Listing, chosen: Selection) -> bool:
    """Whether a subject is not named at all: what a part of the list holds of it says nothing."""
    if not claim.kind or usage_values.held(listed, chosen, claim.kind, claim.of).high:
        return False
    return not any(belongs(entry, claim.kind, claim.of) for entry in listed.entries)


_OF_WORDS = {"whole": "of the whole platform", "list": "of those", "CN+US": "of CN + US of those"}


def _plain_of(claim: Claim, chosen: Selection) -> str:
    """What a share over a selection is of, if nothing else is said."""
    if claim.scope.among == "CN+US":
        return "CN+US"
    return "list" if chosen.among not in {"", ATTRIBUTED} else "whole"


def _among_condition(
    claim: Claim, listed: Listing, among: str, *, plain_rows: bool
) -> Sequence[str]:
    stated = "named" if claim.scope.among == "CN+US" else claim.scope.among
    if among == stated and plain_rows:
        return ()
    if among == "":
        return (f"by the {len(listed.entries)} {_rows(listed)} that are named",)
    if among == "named":
        return (f"only the {len(listed.entries)} {_rows(listed)} that are named",)
    return (f"only the {among} {_rows(listed)}",)


def _rows(listed: Listing) -> str:
    return "vendors" if listed.kind == "lab" else "models"


def _counted(definition: Definition, plain: Definition) -> str:
    if definition.feed == plain.feed and definition.metric == plain.metric:
        return "standard variants only" if definition.standard_only else "all variants"
    return f"counted as {definition.label}"


def _trial(
    listed: Listing,
    chosen: Selection,
    value: Value,
    conditions: Sequence[str],
    of: str = "",
) -> Trial:
    named = len(listed.entries)
    words = {"": "whole platform", "named": f"the {named} {_rows(listed)} named"}
    words[ATTRIBUTED] = f"as attributed, by the {named} {_rows(listed)} named"
    parts = [
        f"{listed.definition.label}, {listed.period}",
        words.get(chosen.among, f"{chosen.among} {_rows(listed)}"),
    ]
    if chosen.without:
        parts.append(f"without {chosen.without}")
    if of and chosen.among:
        parts.append(of)
    return Trial(
        conditions=tuple(conditions),
        scope=", ".join(parts),
        low=value.low,
        high=value.high,
        arithmetic=value.arithmetic,
        feed=listed.feed,
        as_of=listed.as_of,
        first=listed.period.first,
        last=listed.period.last,
        keys=(_key(listed, chosen),),
    )


def _key(listed: Listing, chosen: Selection) -> str:
    parts = (listed.definition.key, listed.kind, str(listed.period), chosen.among, chosen.without)
    return " | ".join(parts)
