"""The rows of a table in the order in which they are shown."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from qwenwatch_widgets.text import plain
from qwenwatch_widgets.views.table import Row, TableView


class Sort(NamedTuple):
    """A column to sort by.

    Attributes:
        column: Key of the column.
        descending: Whether the highest value comes first.
    """

    column: str
    descending: bool


def index_of(view: TableView, column: str) -> int | None:
    """Find a column by its key, None where the table has no such column."""
    return next((i for i, each in enumerate(view.columns) if each.key == column), None)


def sortable(view: TableView, index: int) -> bool:
    """Tell whether a column has values to sort by."""
    return any(row.cells[index].sort is not None for row in view.rows)


def first_direction(view: TableView, index: int) -> bool:
    """Choose the direction that people want first: figures from the highest, names from A."""
    values = (row.cells[index].sort for row in view.rows)
    return not isinstance(next((value for value in values if value is not None), None), str)


def arrange(view: TableView, sort: Sort | None, needle: str) -> tuple[Row, ...]:
    """Sort and filter the rows of a table.

    Rows without a value come last in both directions, pinned rows after all others in their own
    order; rows with equal values keep their default order.

    Args:
        view: The table.
        sort: Column and direction, None for the default order.
        needle: Text that a row must contain; "" shows all.

    Returns:
        The rows to show.
    """
    rows = [row for row in view.rows if not row.pinned and matches(row, needle)]
    index = None if sort is None else index_of(view, sort.column)
    if sort is not None and index is not None:
        known = [row for row in rows if row.cells[index].sort is not None]
        known.sort(key=_by(index), reverse=sort.descending)
        rows = known + [row for row in rows if row.cells[index].sort is None]
    return (*rows, *(row for row in view.rows if row.pinned and matches(row, needle)))


def matches(row: Row, needle: str) -> bool:
    """Tell whether any text of a row contains `needle`, whatever its case."""
    if not needle:
        return True
    wanted = needle.casefold()
    return any(wanted in plain(cell.text).casefold() for cell in row.cells if cell.text)


def following(rows: Sequence[Row], needle: str, start: int, step: int) -> int | None:
    """Find the next row that contains `needle`, going round at the end.

    Args:
        rows: Rows as shown.
        needle: Text to find.
        start: Row to look at first.
        step: 1 downwards, -1 upwards.

    Returns:
        Place of the row, None where no row contains the text.
    """
    for distance in range(len(rows)):
        index = (start + step * distance) % len(rows)
        if matches(rows[index], needle):
            return index
    return None


def _by(index: int) -> Callable[[Row], tuple[bool, float | str]]:
    def value(row: Row) -> tuple[bool, float | str]:
        sort = row.cells[index].sort
        # Figures and texts cannot be compared: each kind stays among its own.
        return (True, sort.casefold()) if isinstance(sort, str) else (False, sort or 0.0)

    return value
