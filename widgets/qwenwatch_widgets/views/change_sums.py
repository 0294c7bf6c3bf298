"""Tables over many changes: who moved in rank and share, and how many prices changed when."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.change_tables import how_many
from qwenwatch_widgets.views.drafts import mover_claim
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.between import Compared

MARKS = ("confirmed", "unconfirmed", "flicker", "glitch", "jump", "correction")
"""Marks in the order of their columns; those of prices that are not stated are left out."""


def movers_table(
    rows: Iterable[Mapping[str, Any]], pair: "Compared", top: int, *, by_rank: bool
) -> TableView:
    """Ranks and shares of one grouping: what moved most first.

    Args:
        rows: Rows of changes.CHANGES.
        pair: What was compared.
        top: How many, 0 for all.
        by_rank: Whether places count rather than shares.
    """
    both: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        if row["kind"] in {"rank", "share"} and row["by"] == pair.by:
            both.setdefault(f"{row['id']}:{row['variant']}", {})[row["kind"]] = row
    moved = sorted(
        both.items(),
        key=lambda item: (-_step(item[1].get("rank" if by_rank else "share")), item[0]),
    )
    shown = moved[:top] if top else moved
    caption = pair.note
    if pair.definition and pair.before and pair.after and not pair.note:
        windows = [
            amounts.window(one.grain, one.start, one.end) for one in (pair.before, pair.after)
        ]
        caption = f"{pair.definition.label}, {pair.scope} · {windows[0]} → {windows[1]} · "
        caption += "a rank or share that is not given is as before"
    return TableView(
        title=f"Movers · by {pair.by}{how_many(len(shown), len(moved))}",
        caption=amounts.clean(caption),
        columns=(
            Column("name", pair.by.capitalize(), grow=True),
            Column("rank", "Rank"),
            Column("places", "Places", "right", drop=1),
            Column("share", "Share"),
            Column("points", "Δ pp", "right"),
        ),
        rows=tuple(_mover_row(key, kinds, pair) for key, kinds in shown),
        empty="nothing moved" if not pair.note else "nothing can be compared",
    )


def _step(row: Mapping[str, Any] | None) -> float:
    """How far something moved; what only one window names comes last."""
    if row is None or row["before"] is None or row["after"] is None:
        return -1.0
    return abs(float(row["after"] - row["before"]))


def _mover_row(key: str, kinds: Mapping[str, Mapping[str, Any]], pair: "Compared") -> Row:
    rank, share = kinds.get("rank"), kinds.get("share")
    places = None if rank is None or None in _ends(rank) else int(rank["before"] - rank["after"])
    points = None
    if share is not None and None not in _ends(share):
        points = float(share["after"] - share["before"])
    name = amounts.clean((rank or share or {})["name"])
    cells = (
        Cell(name, sort=name.casefold()),
        Cell(_both(rank, lambda value: str(int(value)))),
        Cell("" if places is None else f"{'▲' if places > 0 else '▼'}{abs(places)}", _tone(places)),
        Cell(_both(share, lambda value: amounts.percent(float(value)))),
        Cell("" if share is None else amounts.points(points), _tone(points), sort=points),
    )
    return Row(key, cells, claim=mover_claim(rank, share, pair))


def counts_table(counts: "pl.DataFrame") -> TableView:
    """How many prices changed in each month, by feed and mark."""
    cells: dict[tuple[date, str], dict[str, int]] = {}
    for row in counts.to_dicts():
        cells.setdefault((row["month"], row["feed"]), {})[row["mark"]] = row["count"]
    return TableView(
        title="Price changes by month",
        caption="offers whose input or output price changed, each once per moment",
        columns=(
            Column("month", "Month"),
            Column("feed", "Feed"),
            *(Column(mark, mark.capitalize(), "right") for mark in MARKS),
        ),
        rows=tuple(
            Row(
                f"{month} {feed}",
                (
                    Cell(f"{month:%Y-%m}"),
                    Cell(feed, "dim"),
                    *(Cell(str(found.get(mark, 0)), sort=found.get(mark, 0)) for mark in MARKS),
                ),
            )
            for (month, feed), found in sorted(cells.items())
        ),
        empty="no price changed",
    )


def _ends(row: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    return row["before"], row["after"]


def _both(row: Mapping[str, Any] | None, text: Callable[[Decimal], str]) -> str:
    """Both values of a change; unknown where only one window names it."""
    if row is None:
        return ""
    ends = (amounts.UNKNOWN if value is None else text(value) for value in _ends(row))
    return " → ".join(ends)


def _tone(step: float | None) -> Tone:
    return "dim" if not step else "up" if step > 0 else "down"
