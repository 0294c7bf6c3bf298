"""One claim in detail: what was said, what was tried, with the arithmetic."""

from collections.abc import Iterator, Sequence
from textwrap import wrap as wrapped
from typing import TYPE_CHECKING

from qwenwatch_cache.market.spelled import between
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone

if TYPE_CHECKING:
    from qwenwatch_cache.market.check import Checked
    from qwenwatch_cache.market.trials import Trial

MARKS: dict[str, tuple[str, Tone]] = {
    "yes": ("fits", "up"),
    "possible": ("may", ""),
    "no": ("no", "dim"),
}

MOST_FITTING = 6
MOST_POSSIBLE = 2
MOST_SIMPLE = 6
MOST_WITHOUT = 10
MOST_NEAR = 3
"""How many of the trials are shown of each kind; all are counted."""


def detail_tables(one: "Checked", wrap: int) -> Iterator[TableView]:
    """What is known of a claim, and the trials that tell most.

    Args:
        one: The claim with its verdict.
        wrap: Letters of a line, 0 for no limit.
    """
    rows = [
        Row(f"{number}", (Cell(name, "dim"), Cell(line)))
        for number, (name, line) in enumerate(_lines(one, wrap))
    ]
    yield TableView(
        title=f"{one.claim.id}: {one.verdict}",
        caption=amounts.clean(one.claim.says),
        columns=(Column("what", ""), Column("text", "", grow=True)),
        rows=tuple(rows),
    )
    shown = chosen_trials(one)
    if not shown:
        return
    columns = (
        Column("fit", "Fits"),
        Column("found", "Found", "right"),
        Column("scope", "If", grow=True),
        Column("how", "Arithmetic", drop=1),
    )
    yield TableView(
        title=f"{one.claim.id}: scopes",
        caption=f"{len(shown)} of {len(one.trials):,} that were tried",
        columns=columns,
        rows=tuple(_trial(one, trial, number, wrap) for number, trial in enumerate(shown)),
    )


def spelled_found(one: "Checked", trial: "Trial") -> str:
    """What a trial found, in the claim's unit."""
    return between(trial.low, trial.high, one.figure.unit)


def chosen_trials(one: "Checked") -> list["Trial"]:
    """The trials worth a look: the plain one, what fits or may, the simple ones,
    those without each one that is named, the nearest."""
    fits: dict[str, list[Trial]] = {"yes": [], "possible": [], "no": []}
    for trial in one.trials:
        fits[trial.fit(one.figure)].append(trial)
    simple = [
        trial
        for trial in one.trials
        if trial.low == trial.high
        and trial.conditions
        and not any("without" in condition or "(20" in condition for condition in trial.conditions)
    ]
    simple.sort(key=lambda trial: (len(trial.conditions), trial.distance(one.figure)))
    # Who makes the difference: everybody left out in turn, of what else has one condition only.
    less = [
        trial
        for trial in one.trials
        if trial.low == trial.high
        and len(trial.conditions) == 2
        and trial.conditions[0].startswith("only the ")
        and "named" in trial.conditions[0]
        and trial.conditions[1].startswith("without ")
    ]
    picked = [
        *([one.plain] if one.plain else []),
        *fits["yes"][:MOST_FITTING],
        *fits["possible"][:MOST_POSSIBLE],
        *simple[:MOST_SIMPLE],
        *less[:MOST_WITHOUT],
        *[trial for trial in fits["no"] if trial.low == trial.high][:MOST_NEAR],
    ]
    found: dict[tuple[str, str], Trial] = {}
    for trial in picked:
        found.setdefault((trial.scope, trial.arithmetic), trial)
    return list(found.values())


def _lines(one: "Checked", wrap: int) -> Iterator[tuple[str, str]]:
    claim = one.claim
    facts: list[tuple[str, str]] = [
        ("stated", f"{claim.figure.text} ({claim.said})"),
        ("verdict", f"{one.verdict}: {one.reason}"),
        ("fits", _counted(one)),
        *(("searched", text) for text in one.space),
        *(("note", text) for text in one.notes),
        *(("needed", each.reason) for each in one.missing),
        *(("cite", origin.citation) for origin in one.origins if origin.citation),
    ]
    before = ""
    for name, text in facts:
        for line in broken(amounts.clean(text), wrap):
            yield ("" if name == before else name), line
            before = name


def _counted(one: "Checked") -> str:
    text = f"{one.matched:,} of {len(one.trials):,} scopes"
    if one.possible:
        text += f"; {one.possible:,} have only bounds that the claim lies within"
    if one.figure.step:
        text += f"; {one.near:,} more miss by at most two units of the last digit"
    return text


def _trial(one: "Checked", trial: "Trial", number: int, wrap: int) -> Row:
    mark, tone = MARKS[trial.fit(one.figure)]
    scope = "; ".join(trial.conditions) if trial.conditions else f"as stated: {trial.scope}"
    how = trial.arithmetic
    if wrap:
        scope, how = _cut(scope, wrap * 3 // 5), _cut(how, wrap * 3 // 5)
    cells = (
        Cell(mark, tone),
        Cell(spelled_found(one, trial)),
        Cell(amounts.clean(scope)),
        Cell(amounts.clean(how), "dim"),
    )
    return Row(f"{number}", cells, cite=amounts.clean(f"{trial.scope}: {trial.arithmetic}"))


def broken(text: str, wrap: int) -> Sequence[str]:
    """A text in lines of so many letters, in one if 0."""
    return wrapped(text, wrap) if wrap else [text]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
