"""One claim in detail: what was said, what was tried, with the arithmetic."""

from collections.abc import Iterator, Sequence
from textwrap import wrap as wrapped
from typing import TYPE_CHECKING

from qwenwatch_cache.market.spelled import between
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.drafts import ALREADY
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone

if TYPE_CHECKING:
    from qwenwatch_cache.market.check import Checked
    from qwenwatch_cache.market.trials import Trial

MARKS: dict[str, tuple[str, Tone]] = {
    "yes": ("fits", "up"),
    "possible": ("may", ""),
    "no": ("no", "dim"),
}

WHY = {"reproduced": "as", "reproduced only if": "if"}
"""What the reason of a verdict is called, "why" for the others."""


def detail_tables(one: "Checked", wrap: int) -> Iterator[TableView]:
    """What is known of a claim, and the trials that tell most.

    Args:
        one: The claim with its verdict.
        wrap: Letters of a line, 0 for no limit.
    """
    rows = [
        Row(f"{number}", (Cell(name, "dim"), Cell(line)), claim=ALREADY)
        for number, (name, line) in enumerate(_lines(one, wrap))
    ]
    yield TableView(
        title=f"{one.claim.id}: {one.verdict}",
        caption=amounts.clean(one.claim.says),
        columns=(Column("what", ""), Column("text", "", grow=True)),
        rows=tuple(rows),
    )
    shown = one.telling
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


def _lines(one: "Checked", wrap: int) -> Iterator[tuple[str, str]]:
    claim = one.claim
    facts: list[tuple[str, str]] = [
        ("stated", f"{claim.figure.text} ({claim.said})"),
        ("verdict", one.verdict),
        (WHY.get(one.verdict, "why"), one.reason),
        *_arithmetic(one),
        *(("note", text) for text in one.notes),
        *(("needed", each.reason) for each in one.missing),
        *_tried(one),
        *(("source", origin.citation) for origin in one.origins if origin.citation),
    ]
    before = ""
    for name, text in facts:
        for line in broken(amounts.clean(text), wrap):
            yield ("" if name == before else name), line
            before = name


def _arithmetic(one: "Checked") -> Iterator[tuple[str, str]]:
    """How the value comes about that the verdict rests on, and the plain one."""
    if one.basis is not None:
        scope = "" if one.basis.scope in one.reason else f" ({one.basis.scope})"
        yield "arithmetic", one.basis.arithmetic + scope
    if one.plain is not None and one.plain is not one.basis:
        yield "read plainly", f"{one.plain.arithmetic} ({one.plain.scope})"


def _tried(one: "Checked") -> Iterator[tuple[str, str]]:
    if one.trials:
        yield "tried", _counted(one)
        yield from (("searched", text) for text in one.space)


def _counted(one: "Checked") -> str:
    text = f"it fits under {one.matched:,} of {len(one.trials):,} scopes"
    if one.possible:
        text += f"; {one.possible:,} have only bounds, and it lies within them"
    if one.figure.step and one.near:
        text += f"; {one.near:,} more are within two units of its last digit"
    return text


def _trial(one: "Checked", trial: "Trial", number: int, wrap: int) -> Row:
    mark, tone = MARKS[trial.fit(one.figure)]
    needs = trial.needs(one.figure)
    scope = "; ".join(needs) if needs else f"as stated: {trial.scope}"
    how = trial.arithmetic
    if wrap:
        scope, how = cut(scope, wrap * 3 // 5), cut(how, wrap * 3 // 5)
    cells = (
        Cell(mark, tone),
        Cell(spelled_found(one, trial)),
        Cell(amounts.clean(scope)),
        Cell(amounts.clean(how), "dim"),
    )
    cite = amounts.clean(f"{trial.scope}: {trial.arithmetic}")
    return Row(f"{number}", cells, cite=cite, claim=ALREADY)


def broken(text: str, wrap: int) -> Sequence[str]:
    """A text in lines of so many letters, in one if 0."""
    return wrapped(text, wrap) if wrap else [text]


def cut(text: str, most: int) -> str:
    """A text of so many letters at most."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
