"""Which columns of a table have room, where they stand and how wide they are."""

from collections.abc import Sequence
from typing import NamedTuple

from qwenwatch_widgets.views.table import Column

MARGIN = 1
"""Cells left free at both sides."""

MARK_MARGIN = 2
"""Cells at the left where rows can be marked: the mark, and one that sets it apart from the row."""

_GAP = 2
_WIDEST_GAP = 8
_LEAST_GROW = 16
"""A column that may grow is cut down to this before another one is left out for it."""


LUXURY = 10
"""From this `drop` on a column is shown only where there is room for it to spare."""

_ROOMY = 32
"""A column that may grow is not cut down below this for one that is a luxury."""


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


def place(
    columns: Sequence[Column], wanted: Sequence[int], room: int, left: int = MARGIN
) -> tuple[Placed, ...]:
    """Fit columns into the width of a table.

    Columns that may grow are shortened first, the widest before the others, then the columns with
    the highest `drop` are left out. Spare room widens the gaps; the rest goes to the columns that
    grow.

    Args:
        columns: All columns, left to right.
        wanted: Cells each one needs for its widest text.
        room: Cells of the table.
        left: Cells left free at the left.

    Returns:
        The columns shown, left to right.
    """
    inner = room - left - MARGIN
    shown = list(range(len(columns)))
    while shown:
        last = max(shown, key=lambda index: (columns[index].drop, index))
        least = _ROOMY if columns[last].drop >= LUXURY else _LEAST_GROW
        if columns[last].drop == 0 or _needed(shown, columns, wanted, least) <= inner:
            break
        shown.remove(last)
    gaps = max(1, len(shown) - 1)
    spare = inner - sum(wanted[index] for index in shown) - _GAP * (len(shown) - 1)
    grows = [index for index in shown if columns[index].grow]
    gap = min(_WIDEST_GAP, _GAP + max(0, spare) // gaps)
    spare -= (gap - _GAP) * gaps if len(shown) > 1 else 0
    widths = {index: wanted[index] for index in shown}
    for grower in grows:
        widths[grower] += max(0, spare // len(grows))
    while spare < 0 and grows:
        widest = max(grows, key=widths.__getitem__)
        if widths[widest] <= _LEAST_GROW:
            break
        widths[widest] -= 1
        spare += 1
    placed = []
    x = left
    for index in shown:
        cells = min(widths[index], room - x)
        if cells <= 0:
            break
        placed.append(Placed(index, columns[index], x, cells))
        x += cells + gap
    return tuple(placed)


def _needed(
    shown: Sequence[int], columns: Sequence[Column], wanted: Sequence[int], least: int
) -> int:
    """Cells that columns need where those that may grow are cut down to `least`."""
    cells = (min(wanted[index], least) if columns[index].grow else wanted[index] for index in shown)
    return sum(cells) + _GAP * max(0, len(shown) - 1)
