"""Sparklines as text: one character a value, or bars of several rows."""

from collections.abc import Sequence
from math import isfinite

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII_BLOCKS = " _.:-=+*#"
"""For terminals whose font has no block elements."""


def sparkline(
    values: Sequence[float | None],
    width: int,
    *,
    top: float | None = None,
    height: int = 1,
    bar: int = 1,
    airy: bool = False,
    ascii_only: bool = False,
) -> tuple[str, ...]:
    """Draw the newest values that fit, from 0 up to `top`.

    A gap (None, or not a number) is a space; a zero is the lowest block, so that the two differ.

    Args:
        values: Oldest first.
        width: Cells to fill; shorter series are pushed to the right, where the newest value is.
        top: Value of a full bar; by default the highest of all `values`, also of those cut off.
        height: Rows.
        bar: Cells taken by each value.
        airy: Whether the highest bar leaves an eighth free, so that lines of text above each other
            do not run together.
        ascii_only: Whether to do without block elements.

    Returns:
        One text per row, from the top row down, each `width` cells wide.
    """
    blocks = ASCII_BLOCKS if ascii_only else BLOCKS
    if top is None:
        top = max((value for value in values if value is not None and isfinite(value)), default=0)
    shown = values[max(0, len(values) - width // bar) :] if width >= bar else ()
    levels = [_level(value, top, 8 * height - airy) for value in shown]
    return tuple(
        "".join(blocks[min(8, max(0, level - 8 * row))] * bar for level in levels).rjust(width)
        for row in reversed(range(height))
    )


def _level(value: float | None, top: float, steps: int) -> int:
    if value is None or not isfinite(value):
        return 0
    if top <= 0 or value <= 0:
        return 1
    return 1 + round(min(1.0, value / top) * (steps - 1))
