"""A claim about usage under every scope there is, in the order of `usage_scopes`."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.claims.period import Period
from qwenwatch_cache.market import usage_values
from qwenwatch_cache.market.definitions import Definition
from qwenwatch_cache.market.held import held
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.listings import Listing, listing, stated_of_labs
from qwenwatch_cache.market.place_values import rank
from qwenwatch_cache.market.selections import Selection, belongs, left_out, selection, without
from qwenwatch_cache.market.trials import Trial
from qwenwatch_cache.market.usage_days import Days, around, days_of, within
from qwenwatch_cache.market.usage_scopes import (
    ATTRIBUTED,
    LEFT_OUT,
    OF_WORDS,
    among_condition,
    among_of,
    counted,
    definitions_of,
    plain_of,
    rows_of,
    scope_words,
    subjects_of,
)
from qwenwatch_cache.market.usage_values import Value


def usage_trials(known: Known, claim: Claim) -> list[Trial]:
    """Try a claim of usage under every scope there is."""
    trials: list[Trial] = []
    definitions = definitions_of(claim)
    if claim.measure == "total" and claim.period is not None and definitions:
        trials += _enclosed(known, claim, definitions[0], claim.period)
    for definition in definitions:
        own = [] if definition is definitions[0] else [counted(definition, definitions[0])]
        for days in days_of(known, claim, definition):
            moved = claim.period is not None and bool(days.condition)
            trials += (
                replace(trial, moved=moved)
                for trial in _on_days(known, claim, definition, days, own)
            )
    return trials


def _on_days(
    known: Known, claim: Claim, definition: Definition, days: Days, conditions: Sequence[str]
) -> Iterator[Trial]:
    seen: set[tuple[str, str]] = set()
    for rows in rows_of(claim):
        listed = None
        of_labs = claim.measure == "rank" and claim.kind == "vendor"
        if of_labs and claim.scope.among != ATTRIBUTED:
            listed = stated_of_labs(known, definition, days.period)
        listed = listed or listing(known, definition, rows, days.period)
        if listed is None or (listed.feed, listed.kind) in seen:
            continue
        plain_rows = not seen
        seen.add((listed.feed, listed.kind))
        here = [*conditions, *([days.condition] if days.condition else [])]
        yield from _of_listing(claim, listed, here, plain_rows=plain_rows)


def _enclosed(
    known: Known, claim: Claim, definition: Definition, stated: Period
) -> Iterator[Trial]:
    """Bounds of a total of days that are not published: whole weeks within, and around them."""
    inner, outer = within(stated), around(stated)
    if claim.scope.without or claim.scope.among == "CN+US":
        return
    rows = rows_of(claim)[0]
    if listing(known, definition, rows, stated) is not None or inner.last <= inner.first:
        return
    sides = [listing(known, definition, rows, period) for period in (inner, outer)]
    chosen = [selection(side, claim.scope.among) for side in sides if side is not None]
    if sides[0] is None or sides[1] is None or chosen[0] is None or chosen[1] is None:
        return
    least = usage_values.total(sides[0], chosen[0], claim)
    most = usage_values.total(sides[1], chosen[1], claim)
    if least is None or most is None:
        return
    text = f"weeks within ({inner}): {least.arithmetic}; around ({outer}): {most.arithmetic}"
    trial = _trial(sides[1], chosen[1], Value(least.low, most.high, text), ())
    scope = f"{definition.label}, {stated}, bounds from the whole weeks within and around it"
    yield replace(trial, scope=scope, first=stated.first, last=stated.last, keys=())


def _of_listing(
    claim: Claim, listed: Listing, conditions: Sequence[str], *, plain_rows: bool
) -> Iterator[Trial]:
    if claim.measure == "rank":
        value = rank(listed, claim)
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
    for among in among_of(claim):
        chosen = selection(listed, among)
        if chosen is None:
            continue
        here = [*conditions, *among_condition(claim, listed, among, plain_rows=plain_rows)]
        some = among not in {"", ATTRIBUTED}
        gone = left_out(listed, chosen) if some and claim.measure in LEFT_OUT else []
        # A sum stays the same without those who are not in it.
        same = [
            one
            for one in gone
            if claim.measure != "share" and subjects_of(claim, one) == subjects_of(claim, chosen)
        ]
        for trial in _of_selection(claim, listed, chosen, here):
            yield replace(trial, keys=(*trial.keys, *(_key(listed, one) for one in same)))
        if conditions:
            continue  # on other days, and counted otherwise, nobody is left out
        for one in gone:
            if one not in same:
                for trial in _of_selection(claim, listed, one, [*here, f"without {one.without}"]):
                    yield replace(trial, less=True)


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
        plain = plain_of(claim, chosen)
        for of in ("whole",) if chosen.among in {"", ATTRIBUTED} else usage_values.OF:
            value = usage_values.share(listed, chosen, claim, of)
            if value is not None:
                extra = [] if of == plain else [f"as a share {OF_WORDS[of]}"]
                yield _trial(listed, chosen, value, [*conditions, *extra], OF_WORDS[of])
        return
    of_what = usage_values.total if claim.measure == "total" else usage_values.ratio
    value = of_what(listed, chosen, claim)
    if value is not None:
        yield _trial(listed, chosen, value, conditions)


def _absent(claim: Claim, listed: Listing, chosen: Selection) -> bool:
    """Whether a subject is not named at all: what a part of the list holds of it says nothing."""
    if not claim.kind or held(listed, chosen, claim.kind, claim.of).high:
        return False
    return not any(belongs(entry, claim.kind, claim.of) for entry in listed.entries)


def _trial(
    listed: Listing,
    chosen: Selection,
    value: Value,
    conditions: Sequence[str],
    of: str = "",
) -> Trial:
    return Trial(
        conditions=tuple(conditions),
        scope=scope_words(listed, chosen, of),
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
