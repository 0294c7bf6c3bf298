"""What the terminal has room for, and which signs it can draw."""

import os
from collections.abc import Iterable

from textual.geometry import Size

WIDTHS = [(0, "-narrow"), (110, "-wide")]
"""From how many columns on a screen has a class."""

HEIGHTS = [(0, "-low"), (18, "-short"), (34, "-tall")]
"""From how many lines on a screen has a class."""


def classes_of(size: Size) -> tuple[str, str]:
    """The classes of a terminal's width and height."""
    return _fitting(WIDTHS, size.width), _fitting(HEIGHTS, size.height)


def is_ascii_only() -> bool:
    """Whether sparklines must do without block elements: the kernel's console has none."""
    return os.environ.get("TERM") in {"linux", "dumb"}


def _fitting(breakpoints: Iterable[tuple[int, str]], cells: int) -> str:
    return max(each for each in breakpoints if each[0] <= cells)[1]
