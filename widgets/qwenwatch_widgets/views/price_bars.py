"""A ratio of prices as a bar: to the left of the middle cheaper, to the right dearer."""

from math import log2

from qwenwatch_widgets.views.table import Cell

TITLE = "cheaper│dearer"
"""Heading of the bars; its stroke stands over theirs. A cell is a factor of two."""

LEFT, RIGHT = (len(side) for side in TITLE.split("│"))
"""Cells of either side."""


def bar_cell(ratio: float | None) -> Cell:
    """A ratio as a bar of half cells, each a factor of √2; empty where it is unknown.

    A bar that would not fit ends in an arrow. A price of 0 is cheaper than any bar can show.
    """
    if ratio is None:
        return Cell()
    halves = -2 * LEFT - 1 if ratio <= 0 else round(2 * log2(ratio))
    if halves < 0:
        return Cell(f"{_left(-halves)}│", "up", ratio)
    return Cell(f"{' ' * LEFT}│{_right(halves)}", "down" if halves else "dim", ratio)


def _left(halves: int) -> str:
    if halves > 2 * LEFT:
        return "◀" + "█" * (LEFT - 1)
    return f"{'▐' * (halves % 2)}{'█' * (halves // 2)}".rjust(LEFT)


def _right(halves: int) -> str:
    if halves > 2 * RIGHT:
        return "█" * (RIGHT - 1) + "▶"
    return f"{'█' * (halves // 2)}{'▌' * (halves % 2)}"
