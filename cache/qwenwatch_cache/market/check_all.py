"""Many claims: figures of one sentence must hold together, and some claims exclude others."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec
from msgspec.structs import replace

from qwenwatch_cache.claims.claim import PRICES, Claim
from qwenwatch_cache.market.check import Checked, check
from qwenwatch_cache.market.cited import origins_of
from qwenwatch_cache.market.evidence import Evidence
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.origins import Origin
from qwenwatch_cache.market.spelled import between
from qwenwatch_cache.market.trials import Note, Trial

Days = tuple[date, date]

MOST_NAMED = 4
"""So many other models are named that have the prices claimed."""


class Sentence(msgspec.Struct, frozen=True):
    """Figures that were published together.

    Attributes:
        name: As the claims call it.
        ids: The claims.
        notes: Under which one scope, or on which days, they hold together.
        origins: Where the figures came from that these are of, besides those of the claims.
    """

    name: str
    ids: Sequence[str]
    notes: Sequence[str]
    origins: Sequence[Origin] = ()


def check_all(known: Known, claims: Sequence[Claim]) -> tuple[list[Checked], list[Sentence]]:
    """Check claims, each by itself and with those that it is linked to.

    Args:
        known: What is known.
        claims: In the order wanted.

    Returns:
        What was found of each, and of those that were published together.
    """
    evidence = Evidence(known)
    alone = {claim.id: check(known, claim, evidence) for claim in claims}
    linked = [_with_opposites(one, alone) for one in alone.values()]
    sentences = [_sentence(known, name, members) for name, members in _groups(linked).items()]
    return linked, sentences


def _sentence(known: Known, name: str, members: Sequence[Checked]) -> Sentence:
    notes = _together(members)
    sources = [source for note in notes for source in note.sources]
    origins = origins_of(known, members[0].claim, sources)
    return Sentence(name, [one.claim.id for one in members], [note.text for note in notes], origins)


def _with_opposites(one: Checked, others: Mapping[str, Checked]) -> Checked:
    """Name the claims that cannot be true as well; one that is reproduced contradicts."""
    notes, contradicted = list(one.remarks), ""
    linked = {*one.claim.contradicts}
    linked |= {id_ for id_, other in others.items() if one.claim.id in other.claim.contradicts}
    for id_ in sorted(linked & others.keys()):
        other = others[id_]
        said = f"{id_} says {other.claim.figure.text} ({other.claim.said})"
        if one.claim.figure.excludes(other.claim.figure):
            said += ": both cannot be true of one thing"
            if other.verdict == "reproduced":
                contradicted = f"{id_} is reproduced and says {other.claim.figure.text}"
        notes.append(Note(said))
    if contradicted:
        return replace(one, verdict="contradicted", reason=contradicted, remarks=notes)
    return replace(one, remarks=notes)


def _groups(checked: Iterable[Checked]) -> dict[str, list[Checked]]:
    groups: dict[str, list[Checked]] = {}
    for one in checked:
        if one.claim.together:
            groups.setdefault(one.claim.together, []).append(one)
    return {name: members for name, members in groups.items() if len(members) > 1}


def _together(members: Sequence[Checked]) -> list[Note]:
    """Under which one scope the most figures of a sentence hold, and what the others are there."""
    if all(one.claim.measure in PRICES for one in members):
        return _at_one_time(members)
    held: dict[str, list[Checked]] = {}
    for one in members:
        for key in {key for trial in _fitting(one) for key in trial.keys}:
            held.setdefault(key, []).append(one)
    most = max((len(ones) for ones in held.values()), default=0)
    if most < 2:
        return []
    names = [one.claim.id for one in members]
    notes = []
    for key, ones in sorted(held.items()):
        if len(ones) < most:
            continue
        ids = [one.claim.id for one in ones]
        fitting = [trial for one in ones for trial in _fitting(one) if key in trial.keys]
        example = max(fitting, key=lambda trial: len(trial.conditions))
        note = f"{len(ids)} of {len(names)} hold under one scope ({', '.join(ids)}): "
        note += example.scope
        others = [_there(one, key) for one in members if one.claim.id not in ids]
        there = "; ".join(text for text in others if text)
        sources = [source for trial in fitting for source in trial.sources]
        notes.append(Note(f"{note}; there {there}" if there else note, sources))
    return notes


def _there(one: Checked, key: str) -> str:
    values = dict.fromkeys(
        between(trial.low, trial.high, one.figure.unit) for trial in one.trials if key in trial.keys
    )
    shown = " or ".join(values)
    return f"{one.claim.id} is {shown}, not {one.claim.figure.text}" if shown else ""


def _fitting(one: Checked) -> list[Trial]:
    return [trial for trial in one.trials if trial.fit(one.figure) == "yes"]


def _at_one_time(members: Sequence[Checked]) -> list[Note]:
    """Days on which all prices and ratios of a sentence held, on one basis."""
    notes = []
    for basis in ("route", "list"):
        days: list[Days] | None = None
        for one in members:
            own = [(t.first, t.last) for t in _fitting(one) if basis in t.keys]
            days = own if days is None else _common(days, own)
        if days:
            spans = ", ".join(f"{first} to {last}" for first, last in _merged(days))
            text = (
                f"all {len(members)} figures hold together as {basis} prices on these days: {spans}"
            )
            sources = [
                source
                for one in members
                for trial in _fitting(one)
                if basis in trial.keys
                for source in trial.sources
            ]
            notes.append(Note(text, sources))
    notes += _of_another(members)
    if not notes and any(_fitting(one) for one in members):
        notes.append(Note(f"the {len(members)} figures never hold together"))
    return notes


def _of_another(members: Sequence[Checked]) -> list[Note]:
    """Whose prices they are, if all that fail are had by one other model."""
    failed = [one for one in members if one.claim.measure == "price" and not _fitting(one)]
    if not failed:
        return []
    both = set.intersection(*(set(one.elsewhere) for one in failed))
    shared = [model for model in failed[0].elsewhere if model in both]
    stated = [f"{model} ({failed[0].elsewhere[model].text})" for model in shared[:MOST_NAMED]]
    sources = [
        source for model in shared[:MOST_NAMED] for source in failed[0].elsewhere[model].sources
    ]
    return [Note(f"these are prices of {'; '.join(stated)}", sources)] if stated else []


def _common(some: Sequence[Days], others: Sequence[Days]) -> list[Days]:
    pairs = [(max(a[0], b[0]), min(a[1], b[1])) for a in some for b in others]
    return [pair for pair in pairs if pair[0] <= pair[1]]


def _merged(days: Sequence[Days]) -> list[Days]:
    """Spans of days without those that lie within others."""
    merged: list[Days] = []
    for first, last in sorted(set(days)):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
