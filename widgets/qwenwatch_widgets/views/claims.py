"""Published figures and what the data makes of them: tables for people, rows for programs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.clock import is_replayed, iso
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import SCHEMA_VERSION, Answer, Page
from qwenwatch_widgets.views.claim_detail import broken, cut, detail_tables, spelled_found
from qwenwatch_widgets.views.drafts import ALREADY
from qwenwatch_widgets.views.plain import plain_row
from qwenwatch_widgets.views.sources import source_line, source_row
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone

if TYPE_CHECKING:
    from qwenwatch_cache.market.check import Checked
    from qwenwatch_cache.market.check_all import Sentence
    from qwenwatch_cache.market.origins import Origin

VERDICTS = ("reproduced", "reproduced only if", "not reproduced", "contradicted", "no public data")
"""As `qwenwatch_cache.market.check.Verdict`, in the order in which they are counted."""

TONES: dict[str, Tone] = {
    "reproduced": "up",
    "reproduced only if": "accent",
    "not reproduced": "warn",
    "contradicted": "bad",
    "no public data": "dim",
}

OWN = "qwenwatch"
"""Outlet of figures that were remembered from the screen."""

LONGEST_ID = 28
"""Letters of an id on a screen: more would push the verdict off a small one."""

LONGEST_WHY = 76
"""Letters of a reason in the table of all claims."""

MOST_TRIALS = 100
"""Trials of one claim that programs get, what fits first; how many there were is told."""


def claims_answer(
    checked: Sequence["Checked"],
    sentences: Sequence["Sentence"],
    known_at: datetime,
    *,
    detail: bool,
    wrap: int = 0,
    on_screen: bool = False,
) -> Answer:
    """The answer in both forms.

    Args:
        checked: The claims with their verdicts.
        sentences: Those that were published together.
        known_at: The moment of knowledge.
        detail: Whether people see the arithmetic of each claim.
        wrap: Letters of a line of text in the details, 0 for no limit.
        on_screen: Whether the table is of a screen, which cuts reasons where there is no room.
    """
    counts: Counter[str] = Counter(one.verdict for one in checked)
    told = " · ".join(f"{counts[one]} {one}" for one in VERDICTS if counts[one])
    told_of = [*(one.origins if detail else one.brief_origins for one in checked)]
    told_of += [one.origins for one in sentences]
    in_rows = [one.origins_of([*one.trials[:MOST_TRIALS], *one.telling]) for one in checked]
    tables = [_table(checked, detail=detail, on_screen=on_screen)]
    if any(one.notes for one in sentences):
        tables.append(_sentences(sentences, wrap))
    if detail:
        tables += [table for one in checked for table in detail_tables(one, wrap)]
    lines = [
        f"known at {amounts.instant(known_at)}",
        f"{len(checked)} claim{'' if len(checked) == 1 else 's'}: {told}",
    ]
    if is_replayed():
        lines.append("replayed")
    page = Page(
        title="qwenwatch check",
        lines=lines,
        tables=tables,
        sources=[source_line(origin, known_at) for origin in _newest(told_of)],
    )
    document = {
        "schema_version": SCHEMA_VERSION,
        "replayed": is_replayed(),
        "known_at": iso(known_at),
        "verdicts": {name: counts[name] for name in VERDICTS},
        "sources": [source_row(one, known_at) for one in _newest([*in_rows, *told_of])],
        "claims": [_claim(one) for one in checked],
        "trials": [plain_row(row) for one in checked for row in one.rows(MOST_TRIALS)],
        "searched": _texts(checked, "space", "dimension"),
        "notes": _texts(checked, "notes", "note"),
        "missing": [
            plain_row(
                {
                    "claim": one.claim.id,
                    "feed": each.feed or None,
                    "first": each.first,
                    "last": each.last,
                    "fetchable": each.fetchable,
                    "needs_key": each.needs_key,
                    "reason": each.reason,
                }
            )
            for one in checked
            for each in one.missing
        ],
        "sentences": [
            {"name": one.name, "claims": ", ".join(one.ids), "note": amounts.clean(note)}
            for one in sentences
            for note in one.notes
        ],
    }
    parts = ["claims", "trials", "searched", "notes", "missing", "sentences", "sources"]
    return Answer(page, lambda: document, parts)


def _newest(origins: Iterable[Iterable["Origin"]]) -> list["Origin"]:
    """One origin per feed, that of its newest figures."""
    found: dict[str, Origin] = {}
    for origin in chain.from_iterable(origins):
        known = found.setdefault(origin.feed, origin)
        if origin.as_of and (known.as_of is None or origin.as_of > known.as_of):
            found[origin.feed] = origin
    return [found[feed] for feed in sorted(found)]


def _table(checked: Sequence["Checked"], *, detail: bool, on_screen: bool) -> TableView:
    columns = (
        Column("claim", "Claim"),
        Column("stated", "Stated", "right", drop=1),
        Column("verdict", "Verdict"),
        Column("found", "Found", "right", drop=2),
        Column("plain", "Read plainly", "right", drop=4),
        Column("scopes", "Fit/tried", "right", drop=3),
        Column("why", "Under which scope, or why not", grow=True, drop=5),
    )
    return TableView(
        title="Claims · published figures against the data",
        caption="a figure fits if it would be printed so; fit/tried: under how many scopes it does",
        columns=columns,
        rows=tuple(_row(one, detail=detail, on_screen=on_screen) for one in checked),
        empty="no claims",
    )


def _row(one: "Checked", *, detail: bool, on_screen: bool) -> Row:
    why = amounts.clean(_why(one))
    if not detail and not on_screen:
        why = cut(why, LONGEST_WHY)
    plain = one.plain
    cells = (
        Cell(cut(one.claim.id, LONGEST_ID) if on_screen else one.claim.id),
        Cell(one.claim.figure.text),
        Cell(one.verdict, TONES[one.verdict], sort=VERDICTS.index(one.verdict)),
        Cell(one.found or amounts.UNKNOWN),
        Cell(amounts.UNKNOWN if plain is None else spelled_found(one, plain), "dim"),
        Cell(f"{one.matched:,}/{len(one.trials):,}", "dim", sort=len(one.trials)),
        Cell(why, "dim"),
    )
    cite = f"{one.claim.says} ({one.claim.said}): {one.verdict}; {one.found}. {one.reason}."
    cites = " ".join(origin.citation for origin in one.brief_origins)
    cite = amounts.clean(f"{cite} {cites}".strip())
    return Row(one.claim.id, cells, cite=cite, claim=ALREADY)


def _why(one: "Checked") -> str:
    """The reason; of a figure of the screen, whose name says little, what it says comes first."""
    if one.claim.said.outlet != OWN:
        return one.reason
    return one.claim.says if one.verdict == "reproduced" else f"{one.claim.says} · {one.reason}"


def _sentences(sentences: Sequence["Sentence"], wrap: int) -> TableView:
    columns = (Column("name", "Published together"), Column("note", "What holds", grow=True))
    rows = []
    for one in sentences:
        lines = [line for note in one.notes for line in broken(amounts.clean(note), wrap)]
        for number, line in enumerate(lines):
            cells = (Cell("" if number else one.name), Cell(line))
            rows.append(Row(f"{one.name} {number}", cells, claim=ALREADY))
    return TableView(
        title="Figures of one sentence",
        caption="what was published together must hold under one scope, on the same days",
        columns=columns,
        rows=tuple(rows),
    )


def _claim(one: "Checked") -> dict[str, Any]:
    claim, plain = one.claim, one.plain
    return plain_row(
        {
            "id": claim.id,
            "says": claim.says,
            "outlet": claim.said.outlet,
            "title": claim.said.title or None,
            "date": claim.said.date or None,
            "url": claim.said.url or None,
            "measure": claim.measure,
            "subject": claim.of or None,
            "against": claim.to or None,
            "metric": None if claim.measure.startswith("price") else claim.metric,
            "first": claim.period.first if claim.period else None,
            "last": claim.period.last if claim.period else None,
            "stated": claim.figure.text,
            "unit": claim.figure.unit,
            "stated_low": one.figure.low,
            "stated_high": one.figure.high,
            "verdict": one.verdict,
            "found": one.found or None,
            "reason": one.reason,
            "plain_low": None if plain is None else plain.low,
            "plain_high": None if plain is None else plain.high,
            "tried": len(one.trials),
            "matched": one.matched,
            "possible": one.possible,
            "near": one.near,
            "together": claim.together or None,
            "contradicts": ", ".join(claim.contradicts) or None,
        }
    )


def _texts(checked: Sequence["Checked"], name: str, key: str) -> list[dict[str, Any]]:
    return [
        {"claim": one.claim.id, key: amounts.clean(text)}
        for one in checked
        for text in getattr(one, name)
    ]
