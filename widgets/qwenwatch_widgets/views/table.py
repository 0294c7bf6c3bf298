"""The view of a table: columns, rows known by their key, cells of ready text."""

from typing import Literal

from qwenwatch_widgets.views.claim_draft import Claimable
from qwenwatch_widgets.views.codec import View

Tone = Literal["", "dim", "up", "down", "accent", "warn", "bad"]
"""What a cell's colour may add to its text. Never the only carrier of a meaning."""


class Column(View, frozen=True):
    """One column of a table.

    Attributes:
        key: Stable name, used by sorting and remembered across runs.
        title: Heading.
        align: Side to which text is pushed.
        drop: Columns with the highest value are left out first where there is no room; 0 is kept,
            and those from 10 on go before another is cut short.
        grow: Whether the column takes the room that is left over.
        width: Cells wanted by a sparkline column; 0 means as wide as the widest text.
    """

    key: str
    title: str
    align: Literal["left", "right"] = "left"
    drop: int = 0
    grow: bool = False
    width: int = 0


class Cell(View, frozen=True):
    """One cell: ready text, and what sorting and sparklines need besides.

    Attributes:
        text: Text to show, free of control characters; never interpreted as markup.
        tone: Colour hint.
        sort: Value to sort by; None sorts last in both directions.
        series: Values of a sparkline, oldest first, None for a gap; drawn in place of `text`.
    """

    text: str = ""
    tone: Tone = ""
    sort: int | float | str | None = None
    series: tuple[float | None, ...] | None = None


class Row(View, frozen=True):
    """One row of a table.

    Attributes:
        key: Identity of the row, unique in its table; cursor, scroll and marks follow it.
        cells: As many as the table has columns.
        pinned: Stays below the ranked rows however the table is sorted (totals, unattributed).
        cite: The row's figure with definition, scope, source and as-of, for copying.
        claim: The claim that its figure makes, or why it makes none.
    """

    key: str
    cells: tuple[Cell, ...]
    pinned: bool = False
    cite: str = ""
    claim: Claimable = ""


class TableView(View, frozen=True):
    """A table with its heading.

    Attributes:
        title: What the rows are ("Leaders · by vendor").
        caption: Definition, scope and date of the figures.
        columns: Left to right.
        rows: In their default order.
        empty: What to say, and what to do, when there are no rows.
    """

    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    empty: str = ""

    def __post_init__(self) -> None:
        """Refuse rows that do not fit the columns.

        Raises:
            ValueError: A row has more or fewer cells than there are columns.
        """
        if any(len(row.cells) != len(self.columns) for row in self.rows):
            raise ValueError("a row must have as many cells as the table has columns")
