"""Tables of what changed: prices, and models that came, went or are about to."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from qwenwatch_cache.vendors import load_vendors
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.change_lines import COLUMN_FIELDS, PriceLine, change, step
from qwenwatch_widgets.views.drafts import COMES_AND_GOES
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView

FEW = 2
"""How many further names a cell holds before it counts the rest."""


def prices_table(
    lines: Sequence[PriceLine],
    names: Mapping[str, str],
    top: int,
    *,
    title: str,
    caption: str,
    empty: str,
    marked: bool = False,
) -> TableView:
    """Price changes, one line per offer and moment.

    Args:
        lines: In the order wanted.
        names: What each feed is called.
        top: How many, 0 for all.
        title: Heading.
        caption: What holds for all of them.
        empty: What to say if there are none.
        marked: Whether the mark has a column.
    """
    shown = lines[:top] if top else lines
    columns = [
        Column("at", "First seen", drop=1),
        Column("model", "Model", grow=True),
        Column("source", "Source", drop=3),
        Column("input", "Input"),
        Column("output", "Output", drop=2),
        Column("cached", "Cached", drop=4),
        Column("change", "Change"),
        Column("also", "Also", drop=5),
    ]
    if marked:
        columns.insert(1, Column("mark", "Mark"))
    return TableView(
        title=f"{title}{how_many(len(shown), len(lines))}",
        caption=caption,
        columns=tuple(columns),
        rows=tuple(_price_row(line, names, marked=marked) for line in shown),
        empty=empty,
    )


def _price_row(line: PriceLine, names: Mapping[str, str], *, marked: bool) -> Row:
    first = line.first
    name = amounts.clean(first["name"])
    steps = [Cell(step(line.price(field))) for field in COLUMN_FIELDS]
    others = line.others
    more = f" +{len(others) - FEW}" if len(others) > FEW else ""
    moved = change(line)
    cells = [
        Cell(amounts.instant(first["at"]), sort=first["at"].timestamp()),
        Cell(name, sort=name.casefold()),
        Cell(_source(first, names), "dim"),
        *steps,
        moved,
        Cell(", ".join(others[:FEW]) + more, "dim"),
    ]
    if marked:
        cells.insert(1, Cell(first["mark"], "warn"))
    cite = (
        f"{name}: {first['basis']} price {first['unit']} per 1M tokens, input "
        f"{steps[0].text or 'as before'}, output {steps[1].text or 'as before'} ({moved.text}), "
        f"first seen {amounts.instant(first['at'])}, {first['mark']} "
        f"({first['feed']}: {first['source_id']})"
    )
    return Row(line.key, tuple(cells), cite=amounts.clean(cite), claim=line.claim)


def listing_table(
    rows: Iterable[Mapping[str, Any]], kind: str, names: Mapping[str, str], top: int
) -> TableView:
    """Models that were added or removed, the variants of one model in one line."""
    same = ("at", "mark", "feed", "basis", "id")
    chosen = [row for row in rows if row["kind"] == kind]

    def group(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in same)

    chosen.sort(key=lambda row: (-row["at"].timestamp(), *map(str, group(row)), row["variant"]))
    found = [list(several) for _, several in groupby(chosen, key=group)]
    # What is certain comes first.
    found.sort(key=lambda several: several[0]["mark"] != "confirmed")
    shown = found[:top] if top else found
    explained = {
        "added": "confirmed: listed again by a later poll",
        "removed": "confirmed: away for 7 days or longer; absent: for less, it may be back; "
        "returned: it was back within 7 days",
    }[kind]
    return TableView(
        title=f"Models {kind}{how_many(len(shown), len(found))}",
        caption=f"as each feed lists them · {explained}",
        columns=(
            Column("at", "First seen"),
            Column("mark", "Mark"),
            Column("model", "Model", grow=True),
            Column("vendor", "Vendor", drop=2),
            Column("source", "Source", drop=1),
        ),
        rows=tuple(
            _listing_row(several, names, " ".join(map(str, group(several[0])))) for several in shown
        ),
        empty=f"no model was {kind}",
    )


def _listing_row(several: Sequence[Mapping[str, Any]], names: Mapping[str, str], key: str) -> Row:
    first = several[0]
    variants = dict.fromkeys(row["variant"] for row in several)
    name = amounts.clean(first["name"].removesuffix(f" ({first['variant']})"))
    named = ", ".join(variant for variant in variants if variant)
    if named:
        name += f", also {amounts.clean(named)}" if "" in variants else f" ({amounts.clean(named)})"
    until = f" {first['until']:%m-%d}" if first["mark"] == "returned" else ""
    return Row(
        key,
        (
            Cell(amounts.instant(first["at"]), sort=first["at"].timestamp()),
            Cell(first["mark"] + until, "" if first["mark"] == "confirmed" else "warn"),
            Cell(name, sort=name.casefold()),
            _vendor(first),
            Cell(_source(first, names), "dim"),
        ),
        cite=amounts.clean(
            f"{name}: {first['kind']} ({first['mark']}), first seen "
            f"{amounts.instant(first['at'])} ({first['feed']}: {first['source_id']})"
        ),
        claim=COMES_AND_GOES,
    )


def expiring_table(
    rows: Iterable[Mapping[str, Any]], day: date, names: Mapping[str, str], top: int
) -> TableView:
    """Models whose end is announced, the soonest first."""
    chosen = [row for row in rows if row["kind"] == "expiring"]
    chosen.sort(key=lambda row: (row["at"], row["id"], row["variant"], row["feed"]))
    shown = chosen[:top] if top else chosen
    return TableView(
        title=f"Models expiring{how_many(len(shown), len(chosen))}",
        caption=f"announced for the 30 days after {day}",
        columns=(
            Column("at", "Last day"),
            Column("model", "Model", grow=True),
            Column("vendor", "Vendor", drop=2),
            Column("source", "Source", drop=1),
        ),
        rows=tuple(
            Row(
                f"{row['feed']} {row['source_id']}",
                (
                    Cell(f"{row['at']:%Y-%m-%d}", sort=row["at"].timestamp()),
                    Cell(amounts.clean(row["name"])),
                    _vendor(row),
                    Cell(names.get(row["feed"], row["feed"]), "dim"),
                ),
                claim=COMES_AND_GOES,
            )
            for row in shown
        ),
        empty="none announced",
    )


def how_many(shown: int, there: int) -> str:
    """How many rows are shown of how many, for a heading."""
    return f" · {shown} of {there}" if shown < there else f" · {there}" if there else ""


def _vendor(row: Mapping[str, Any]) -> Cell:
    vendor = load_vendors().get(row["vendor"] or "")
    return Cell(vendor.label if vendor else amounts.UNKNOWN, "dim")


def _source(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Basis, feed, and the region if the price is not the same everywhere."""
    region = f" {row['region']}" if row["region"] in {"cn", "intl"} else ""
    return amounts.clean(f"{row['basis']} {names.get(row['feed'], row['feed'])}{region}")
