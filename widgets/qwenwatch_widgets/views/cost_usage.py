"""The usage of an export, model by model, with what it costs today."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView

if TYPE_CHECKING:
    from qwenwatch_cache.market.usage_export import Export


def usage_table(
    rows: Sequence[Mapping[str, Any]], export: "Export", currency: str, top: int
) -> TableView:
    """Show what was used.

    Args:
        rows: own_usage.OWN_USAGE as dictionaries, most tokens first.
        export: Where they came from.
        currency: What the costs are stated in.
        top: Rows to print before the sum, 0 for all.
    """
    tokens = ("input", "cached", "written", "output")
    units = {name: amounts.unit_of([row[name] for row in rows]) for name in tokens}
    shown = rows[:top] if top else rows
    costs = amounts.on_point([amounts.money(row["total"]) for row in (*shown, _sum(rows))])
    table = [_row(row, units, text) for row, text in zip((*shown, _sum(rows)), costs, strict=True)]
    span = f"{export.first} to {export.last}" if export.first else "no dates stated"
    unknown = sum(row["total"] is None for row in rows)
    notes = [export.source, span, "each model with its own tokens at the price of this date"]
    if not export.tells_cached:
        told = any(row["cached"] or row["written"] for row in rows)
        how = "the stated part of each model" if told else "all at the input price"
        notes.append(f"cached tokens are not told apart: {how}")
    if unknown:
        notes.append(f"{unknown} of {len(rows)} models have no cost: the sum is of the others")
    return TableView(
        title="Your usage · models with most tokens first",
        caption=" · ".join(notes),
        columns=(
            Column("name", "Model", grow=True),
            Column("model", "Is", drop=2),
            Column("basis", "Price", drop=3),
            Column("input", "In", "right"),
            Column("cached", "Cached", "right", drop=1),
            Column("written", "Written", "right", drop=1),
            Column("output", "Out", "right"),
            Column("total", f"Cost {currency}", "right"),
            Column("why", "", drop=4),
        ),
        rows=tuple(table),
    )


def _row(row: Mapping[str, Any], units: Mapping[str, int], cost: str) -> Row:
    title = amounts.clean(row["name"])
    cells = (
        Cell(title, sort=title.casefold()),
        Cell("" if row["model"] is None else amounts.clean(row["model"]), "dim"),
        Cell(row["basis"] or "", "dim"),
        *(
            Cell(amounts.tokens(row[column], unit), sort=row[column])
            for column, unit in units.items()
        ),
        Cell(cost, "accent", sort=amounts.sortable(row["total"])),
        Cell(row["why"], "dim"),
    )
    return Row(title, cells, pinned=row["model"] is None and row["why"] == "")


def _sum(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All of it; the cost of what has one, and unknown if nothing has."""
    known: list[Decimal] = [row["total"] for row in rows if row["total"] is not None]
    total: dict[str, Any] = {"name": "all", "model": None, "basis": None, "why": ""}
    for name in ("input", "cached", "written", "output"):
        stated = [row[name] for row in rows if row[name] is not None]
        total[name] = sum(stated) if stated else None
    return {**total, "total": sum(known, Decimal(0)) if known else None}
