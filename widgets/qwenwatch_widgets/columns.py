"""Which columns of a table have room, where they stand and how wide they are."""

from collections.abc import Sequence
from typing import NamedTuple

from qwenwatch_widgets.views.table import Column

MARGIN = 1
"""Cells left free at both sides; the left one carries the mark of a row."""

_GAP = 2
_WIDEST_GAP = 8
_LEAST_GROW = 16
"""A column that may grow is cut down to this before another one is left out for it."""


class Placed(NamedTuple):
    """A column that is shown.

    Attributes:
        at: Its place among all columns, and of its cell in each row.
        column: The column.
        x: First cell.
        width: Cells.
    """

    at: int
    column: Column
    x: int
    width: int


def place(columns: Sequence[Column], wanted: Sequence[int], room: int) -> tuple[Placed, ...]:
    """Fit columns into the width of a table.

    Columns that may grow are shortened first, then the columns with the highest `drop` are left
    out. Spare room widens the gaps; the rest goes to the column that grows.

    Args:
        columns: All columns, left to right.
        wanted: Cells each one needs for its widest text.
        room: Cells of the table.

    Returns:
        The columns shown, left to right.
    """
    inner = room - 2 * MARGIN
    shown = list(range(len(columns)))
    while _needed(shown, columns, wanted) > inner:
        last = max(shown, key=lambda index: (columns[index].drop, index), default=None)
        if last is None or columns[last].drop == 0:
            break
        shown.remove(last)
    gaps = max(1, len(shown) - 1)
    spare = inner - sum(wanted[index] for index in shown) - _GAP * (len(shown) - 1)
    grows = [index for index in shown if columns[index].grow]
    gap = min(_WIDEST_GAP, _GAP + max(0, spare) // gaps)
    spare -= (gap - _GAP) * gaps if len(shown) > 1 else 0
    widths = {index: wanted[index] for index in shown}
    for grower in grows:
        widths[grower] = max(min(wanted[grower], _LEAST_GROW), wanted[grower] + spare // len(grows))
    placed = []
    x = MARGIN
    for index in shown:
        cells = min(widths[index], room - x)
        if cells <= 0:
            break
        placed.append(Placed(index, columns[index], x, cells))
        x += cells + gap
    return tuple(placed)


def _needed(shown: Sequence[int], columns: Sequence[Column], wanted: Sequence[int]) -> int:
    least = (
        min(wanted[index], _LEAST_GROW) if columns[index].grow else wanted[index] for index in shown
    )
    return sum(least) + _GAP * max(0, len(shown) - 1)
