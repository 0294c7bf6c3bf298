"""What the map of model ids knows: how much of the usage, and which ids are one model."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Answer, Page, framed, known_lines
from qwenwatch_widgets.views.plain import plain_row
from qwenwatch_widgets.views.sources import source_lines
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone

if TYPE_CHECKING:
    from qwenwatch_cache.market.joined import JoinedModel
    from qwenwatch_cache.market.unmapped import Coverage

SHOWN = 20
"""Ids that are not mapped in one table for people; a document has all."""

MEANING = (
    "mapped: the map knows the model · cloaked: its maker hides · unmapped: joined with nothing · "
    "other: not named"
)

VARIANTS = 'an OpenRouter id with ":free", ":batch" and the like belongs to the id without it'

MAP = (
    "identity.csv, made from what OpenRouter (catalogue) and models.dev (MIT) publish about their "
    "ids, and reviewed"
)

TONES: Mapping[str, Tone] = {"unmapped": "warn", "cloaked": "dim"}


def coverage_answer(coverages: Sequence["Coverage"], known_at: datetime) -> Answer:
    """How much of each definition's usage is of models that the map knows, and of which not."""
    origins = {one.origin.feed: one.origin for one in coverages}
    page = Page(
        title="qwenwatch identity · what is not mapped, by weight",
        lines=known_lines(known_at),
        tables=[_sums(coverages), *(_ids(one) for one in coverages if not one.rows.is_empty())],
        sources=source_lines(origins.values(), known_at),
    )
    document = framed(known_at, origins.values())
    document["coverage"] = [_sums_row(one) for one in coverages]
    document["not_mapped"] = [row for one in coverages for row in _id_rows(one)]
    return Answer(page, lambda: document, ("coverage", "not_mapped", "sources"))


def model_answer(model: "JoinedModel", known_at: datetime) -> Answer:
    """All ids of one model, and who says that they are the same."""
    rows = model.rows.to_dicts()
    feeds = {row["feed"] for row in rows}
    label = model.vendor.label if model.vendor else amounts.UNKNOWN
    country = (model.vendor.country if model.vendor else "") or amounts.UNKNOWN
    table = TableView(
        title=f"Ids of {model.canonical}",
        caption=f"{label} · {country} · {len(rows)} ids in {len(feeds)} feeds",
        columns=(
            Column("feed", "Feed"),
            Column("id", "Id"),
            Column("variants", "Priced variants", drop=1),
            Column("source", "Who says so", grow=True),
        ),
        rows=tuple(
            Row(
                f"{row['feed']} {row['id']}",
                tuple(Cell(text, tone, text.casefold()) for text, tone in _texts(row)),
            )
            for row in rows
        ),
        empty="no feed has an id of it",
    )
    document = framed(
        known_at,
        (),
        model=model.canonical,
        vendor=model.vendor.id if model.vendor else None,
        country=(model.vendor.country if model.vendor else "") or None,
    )
    document["ids"] = [plain_row({**row, "variants": " ".join(row["variants"])}) for row in rows]
    page = Page(f"qwenwatch identity {model.canonical}", [VARIANTS], [table], [MAP])
    return Answer(page, lambda: document, ("ids", "sources"))


def _texts(row: Mapping[str, Any]) -> list[tuple[str, Tone]]:
    variants = ", ".join(amounts.clean(each) for each in row["variants"])
    return [
        (row["feed"], ""),
        (amounts.clean(row["id"]), ""),
        (variants, "dim"),
        (amounts.clean(row["source"]), "dim"),
    ]


def _when(coverage: "Coverage") -> str:
    window = coverage.window
    return amounts.window(window.grain, window.start, window.end)


def _sums(coverages: Sequence["Coverage"]) -> TableView:
    return TableView(
        title="Share of the usage",
        caption=MEANING,
        columns=(
            Column("definition", "Definition", grow=True),
            Column("window", "Window"),
            Column("mapped", "Mapped", "right"),
            Column("cloaked", "Cloaked", "right"),
            Column("unmapped", "Unmapped", "right"),
            Column("other", "Other", "right"),
            Column("ids", "Ids not mapped", "right", drop=1),
        ),
        rows=tuple(_sums_cells(one) for one in coverages),
    )


def _sums_cells(coverage: "Coverage") -> Row:
    shares = {row["status"]: row["share"] for row in coverage.shares.to_dicts()}
    label = coverage.definition.label
    cells = [Cell(label, sort=label.casefold()), Cell(_when(coverage))]
    for status, share in shares.items():
        heavy = status == "unmapped" and share is not None and share >= 0.01
        cells.append(Cell(amounts.percent(share), "warn" if heavy else "", share))
    cells.append(Cell(str(coverage.rows.height), "dim", coverage.rows.height))
    said = ", ".join(f"{status} {amounts.percent(share)}" for status, share in shares.items())
    cite = f"{label} ({coverage.scope}), {_when(coverage)} UTC: {said}. {coverage.origin.citation}"
    return Row(coverage.definition.key, tuple(cells), cite=amounts.clean(cite))


def _ids(coverage: "Coverage") -> TableView:
    rows = coverage.rows.to_dicts()
    unit = amounts.unit_of([row["value"] for row in rows])
    hidden = len(rows) - SHOWN
    more = f" · the heaviest {SHOWN} of {len(rows)}" if hidden > 0 else ""
    stated = any(row["value"] is not None for row in rows)
    columns = [Column("id", "Id at the source", grow=True), Column("status", "Status")]
    if stated:
        columns.append(Column("value", coverage.definition.metric.capitalize(), "right"))
    columns.append(Column("share", "Share", "right"))
    return TableView(
        title=f"Not mapped · {coverage.definition.label}",
        caption=f"{_when(coverage)}{more}",
        columns=tuple(columns),
        rows=tuple(_id_cells(row, unit, coverage, stated) for row in rows[:SHOWN]),
    )


def _id_cells(row: Mapping[str, Any], unit: int, coverage: "Coverage", stated: bool) -> Row:
    entity, status = amounts.clean(row["entity"]), row["status"]
    value = Cell(amounts.tokens(row["value"], unit), sort=row["value"])
    cells = (
        Cell(entity, sort=entity.casefold()),
        Cell(status, TONES[status]),
        *((value,) if stated else ()),
        Cell(amounts.percent(row["share"]), sort=row["share"]),
    )
    cite = (
        f"{entity}: {status}, {amounts.percent(row['share'])} of {coverage.definition.label} "
        f"({coverage.scope}), {_when(coverage)} UTC. {coverage.origin.citation}"
    )
    return Row(row["entity"], cells, cite=amounts.clean(cite))


def _asked(coverage: "Coverage") -> dict[str, Any]:
    """What a row is of: definition and window."""
    return {
        "definition": coverage.definition.key,
        "metric": coverage.definition.metric,
        "feed": coverage.origin.feed,
        "grain": coverage.window.grain,
        "start": str(coverage.window.start),
        "end": str(coverage.window.end),
    }


def _sums_row(coverage: "Coverage") -> dict[str, Any]:
    rows = coverage.shares.to_dicts()
    return {
        **_asked(coverage),
        "complete": coverage.complete,
        "scope": amounts.clean(coverage.scope),
        **{f"{row['status']}_share": row["share"] for row in rows},
        **{f"{row['status']}_value": row["value"] for row in rows},
        **{f"{row['status']}_ids": row["entities"] for row in rows},
    }


def _id_rows(coverage: "Coverage") -> list[dict[str, Any]]:
    return [
        {
            **_asked(coverage),
            "id": amounts.clean(row["entity"]),
            "name": amounts.clean(row["name"]),
            "status": row["status"],
            "value": row["value"],
            "share": row["share"],
        }
        for row in coverage.rows.to_dicts()
    ]
