"""The price index of vendors: a line per vendor, from what fell most to what rose most."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.vendors import load_vendors
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Answer, Page, framed, known_lines
from qwenwatch_widgets.views.drafts import NO_INDEX
from qwenwatch_widgets.views.plain import plain_row
from qwenwatch_widgets.views.price_rows import plain_mix
from qwenwatch_widgets.views.prices import mix_text
from qwenwatch_widgets.views.sources import source_lines
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.known import Known
    from qwenwatch_cache.market.prices import Mix

ALL = "all"
"""The basket of all vendors in the frame."""

SPARK = 26  # cells of the sparkline
DATES = 6  # newest points that have a column

BASES = {"route": "what OpenRouter charges for their models", "list": "list prices"}

METHOD = (
    "each point against the one before, models that have a price at both, geometric mean, equal "
    "weights; 100 at a vendor's first point; – where fewer than 3 models match"
)


def index_answer(
    known: "Known",
    frame: "pl.DataFrame",
    *,
    basis: str,
    grain: str,
    mix: "Mix",
    vendors: Sequence[str] = (),
    at: datetime | None = None,
) -> Answer:
    """The index as a table and as rows.

    Args:
        known: What was known.
        frame: price_index.PRICE_INDEX.
        basis: "route" or "list".
        grain: "month" or "week".
        mix: Workload behind blended prices.
        vendors: Ids of the vendors wanted, in their order; empty for all, the one that fell most
            first.
        at: The moment that the index was asked for, None for now.

    Raises:
        NothingToShow: There is no index of them.
    """
    rows = [row for row in frame.to_dicts() if not vendors or row["vendor"] in {*vendors, ALL}]
    by_vendor: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_vendor.setdefault(row["vendor"], []).append(row)
    if not set(by_vendor) - {ALL}:
        whose = f" of {', '.join(vendors)}" if vendors else ""
        raise NothingToShow(f"no vendor{whose} has three models with {basis} prices at two dates")
    prices = known.price
    feeds = prices.filter(prices["basis"] == basis)["feed"].unique().sort().to_list()
    origins = [known.price_origin(feed, at or known.at) for feed in feeds]
    asked = {"basis": basis, "grain": grain, "mix": plain_mix(mix), "method": METHOD}
    document = framed(known.at, origins, **asked)
    document["index"] = [plain_row(row) for row in rows]
    page = Page(
        title=f"qwenwatch index · {basis} prices by {grain}",
        lines=known_lines(known.at),
        tables=[_table(by_vendor, basis, mix, vendors)],
        sources=source_lines(origins, known.at),
    )
    return Answer(page, lambda: document, ("sources", "index"))


def _table(
    by_vendor: Mapping[str, Sequence[Mapping[str, Any]]],
    basis: str,
    mix: "Mix",
    vendors: Sequence[str],
) -> TableView:
    points = sorted({row["at"] for rows in by_vendor.values() for row in rows})
    dates = points[-DATES:]
    if not vendors:  # of those that ended long ago nobody asks, unless by name
        by_vendor = {vendor: rows for vendor, rows in by_vendor.items() if _known(rows, dates[0])}
    labels = {vendor.id: vendor.label for vendor in load_vendors()}
    place = {vendor: number for number, vendor in enumerate(vendors)}

    def order(vendor: str) -> tuple[float, bool, float, str]:
        rows = by_vendor[vendor]
        change = _change(rows)
        ended = not _known(rows, dates[-1]) or change is None
        return place.get(vendor, 0), ended, change or 0.0, vendor

    shown = [*sorted(by_vendor.keys() - {ALL}, key=order), ALL]
    columns = (
        Column("vendor", "Vendor", grow=True),
        Column("base", "100 on"),
        Column("spark", "Index", drop=2, width=min(SPARK, len(points))),
        *(
            Column(f"at{number}", f"{at.day} {at:%b}", "right", drop=3)
            for number, at in enumerate(dates)
        ),
        Column("change", "Since base", "right"),
        Column("matched", "Matched", "right", drop=1),
        Column("models", "Models", "right", drop=4),
        Column("median", "Median $", "right", drop=1),
    )
    return TableView(
        title=f"Price index · {BASES[basis]} · up to {_day(points[-1])}",
        caption=f"{METHOD} · {mix_text(mix)}",
        columns=columns,
        rows=tuple(
            _row(by_vendor[vendor], vendor, labels.get(vendor, vendor), points, dates)
            for vendor in shown
        ),
    )


def _row(
    rows: Sequence[Mapping[str, Any]],
    vendor: str,
    label: str,
    points: Sequence[datetime],
    dates: Sequence[datetime],
) -> Row:
    index = {row["at"]: row["index"] for row in rows}
    last, change = rows[-1], _change(rows)
    cells = (
        Cell("All vendors" if vendor == ALL else label),
        Cell(_day(rows[0]["at"]), "dim", rows[0]["at"].timestamp()),
        Cell(series=tuple(index.get(at) for at in points)),
        *(Cell(_number(index.get(at)), sort=index.get(at)) for at in dates),
        Cell(
            amounts.change(change),
            "dim" if not change else "up" if change < 0 else "down",
            change,
        ),
        Cell(amounts.UNKNOWN if last["matched"] is None else str(last["matched"]), "dim"),
        Cell(str(last["models"]), "dim"),
        Cell(amounts.money(last["median_blended"])),
    )
    return Row(vendor, cells, pinned=vendor == ALL, claim=NO_INDEX)


def _change(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Percent between the first point and the last that has an index, None if that is the first."""
    known = [row["index"] for row in rows if row["index"] is not None]
    return None if len(known) < 2 else float(known[-1]) - 100


def _known(rows: Sequence[Mapping[str, Any]], since: datetime) -> bool:
    """Whether there is an index at or after a point."""
    return any(row["index"] is not None and row["at"] >= since for row in rows)


def _number(index: float | None) -> str:
    return amounts.UNKNOWN if index is None else f"{index:.1f}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
