"""Everything confirmed that changed, as one log: a block of the snapshot and of a screen."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.change_lines import PriceLine, change, days_text, price_lines, step
from qwenwatch_widgets.views.claim_draft import Claimable
from qwenwatch_widgets.views.drafts import COMES_AND_GOES, mover_claim
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView

if TYPE_CHECKING:
    from qwenwatch_cache.market.between import Changes

COLUMNS = (
    Column("at", "First seen"),
    Column("kind", "Kind"),
    Column("name", "Who", grow=True),
    Column("what", "What"),
    Column("change", "Change"),
    Column("source", "Source", drop=1),
)

SHORT = {"input": "in", "output": "out", "cache_read": "cached"}


def log_table(changes: "Changes", top: int = 0) -> TableView:
    """Confirmed changes of prices, models that came and went, vendors that changed places.

    Args:
        changes: What changed.
        top: How many, 0 for all.
    """
    names = {origin.feed: origin.publisher for origin in changes.origins}
    entries = sorted(_entries(changes, names), key=lambda entry: (-entry[0].timestamp(), entry[1]))
    rows = [row for _, _, row in entries]
    shown = rows[:top] if top else rows
    return TableView(
        title="Changes · confirmed",
        caption=f"{days_text(changes)} · {len(shown)} of {len(rows)}",
        columns=COLUMNS,
        rows=tuple(shown),
        empty="nothing changed, as far as a second poll said so",
    )


def _entries(changes: "Changes", names: Mapping[str, str]) -> Iterator[tuple[datetime, str, Row]]:
    """Rows with what they are sorted by."""
    for line in price_lines(changes.rows):
        if line.first["mark"] == "confirmed":
            cells = (Cell(_prices(line)), change(line))
            yield _entry(line.first, f"price {line.key}", cells, names, line.claim)
    by_vendor = next((pair for pair in changes.compared if pair.by == "vendor"), None)
    for row in changes.rows.to_dicts():
        if row["mark"] != "confirmed":
            continue
        key = f"{row['kind']} {row['id']} {row['variant']} {row['feed']} {row['source_id']}"
        if row["kind"] in {"added", "removed"}:
            yield _entry(row, key, (Cell(), Cell()), names, COMES_AND_GOES)
        elif row["kind"] == "rank" and row["by"] == "vendor" and by_vendor is not None:
            places = [row["before"], row["after"]]
            texts = [amounts.UNKNOWN if place is None else str(int(place)) for place in places]
            cells = (Cell(f"{row['field']} rank {' → '.join(texts)}"), Cell())
            yield _entry(row, key, cells, names, mover_claim(row, None, by_vendor))


def _entry(
    row: Mapping[str, Any],
    key: str,
    cells: tuple[Cell, Cell],
    names: Mapping[str, str],
    claim: Claimable,
) -> tuple[datetime, str, Row]:
    name = amounts.clean(row["name"])
    source = names.get(row["feed"], row["feed"])
    at: datetime = row["at"]
    shown = (
        Cell(amounts.instant(at), sort=at.timestamp()),
        Cell(row["kind"]),
        Cell(name, sort=name.casefold()),
        *cells,
        Cell(f"{row['basis']} {source}" if row["basis"] else source, "dim"),
    )
    key = f"{amounts.instant(at)} {key}"
    cite = amounts.clean(f"{name}: {row['kind']} {cells[0].text}")
    return at, key, Row(key, shown, cite=cite, claim=claim)


def _prices(line: PriceLine) -> str:
    """``in 1.50 → 0.75, out 6.00 → 3.00``; the names of other prices alone."""
    parts = [f"{word} {step(row)}" for name, word in SHORT.items() if (row := line.price(name))]
    return ", ".join(parts or line.others[:3])
