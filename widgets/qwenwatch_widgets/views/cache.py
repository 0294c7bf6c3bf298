"""What a cache holds: one row per feed, and the whole."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView

if TYPE_CHECKING:
    from qwenwatch_cache.inventory import FeedStock, Inventory

_COLUMNS = (
    Column("feed", "Feed", grow=True),
    Column("rows", "Rows", "right"),
    Column("versions", "Versions", "right"),
    Column("periods", "Periods"),
    Column("learned", "Learned"),
    Column("parts", "Parts", "right"),
    Column("bytes", "Bytes", "right"),
    Column("logged", "Requests", "right"),
    Column("bodies", "Bodies", "right"),
    Column("body_bytes", "Bytes of bodies", "right"),
)


def cache_table(inventory: "Inventory") -> TableView:
    """What the cache holds of each feed."""
    return TableView(
        title="Cache",
        caption="rows of all revisions; versions are those that say anew what was known before",
        columns=_COLUMNS,
        rows=tuple(_row(stock) for stock in inventory.feeds),
        empty="Nothing is in the cache yet: `qwenwatch refresh` asks the feeds.",
    )


def cache_lines(inventory: "Inventory") -> list[str]:
    """What holds for the whole cache."""
    feeds = inventory.feeds
    bodies = sum(stock.bodies for stock in feeds)
    body_bytes = sum(stock.body_bytes for stock in feeds)
    lines = [
        f"cache {amounts.clean(str(inventory.root))}",
        f"format {inventory.format}, write {inventory.generation:,}",
        f"{sum(stock.rows for stock in feeds):,} rows in {inventory.parts:,} parts, "
        f"{inventory.bytes:,} bytes",
        f"{inventory.retired:,} parts to fall back on, {inventory.retired_bytes:,} bytes",
        f"{bodies:,} bodies, {body_bytes:,} bytes",
    ]
    if inventory.set_aside:
        lines.append(f"{inventory.set_aside:,} damaged files set aside")
    return lines


def _row(stock: "FeedStock") -> Row:
    cells = (
        Cell(amounts.clean(stock.feed)),
        Cell(f"{stock.rows:,}"),
        Cell(f"{stock.revisions:,}"),
        Cell(_span(stock.first_period, stock.last_period)),
        Cell(_span(_day(stock.first_learned), _day(stock.last_learned))),
        Cell(f"{stock.parts:,}"),
        Cell(f"{stock.bytes:,}"),
        Cell(f"{stock.logged:,}"),
        Cell(f"{stock.bodies:,}"),
        Cell(f"{stock.body_bytes:,}"),
    )
    return Row(stock.feed, cells)


def _span(first: date | None, last: date | None) -> str:
    if first is None or last is None:
        return amounts.UNKNOWN
    return f"{first}" if first == last else f"{first} … {last}"


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
