"""Text on its way to the terminal: control characters taken out, cut and padded by cells."""

from typing import Literal

from rich.cells import cell_len, set_cell_size

_SPACES = frozenset("\u00a0\u2007\u2009\u202f\u3000")
"""Spaces that figures and CJK names use; `str.isprintable` rejects them."""

_INVISIBLE = frozenset("\ufe0e\ufe0f")
"""Printable by name, but terminals disagree about the width they give to their neighbour."""


def plain(text: str) -> str:
    """Take out everything that a terminal could take for a command.

    Control and format characters (escape, bell, bidirectional overrides, zero-width joiners, lone
    surrogates) vanish; line breaks and tabs become one space.

    Args:
        text: Text from anywhere.

    Returns:
        The same text, safe to write to a terminal.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_safe(char) for char in text)


def width(text: str) -> int:
    """Count the terminal cells that `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, cells: int, align: Literal["left", "right"] = "left") -> str:
    """Cut or pad a text to an exact number of cells.

    Args:
        text: Text without control characters.
        cells: Cells wanted.
        align: Side to which the text is pushed when it is shorter.

    Returns:
        Text of exactly `cells` cells; an ellipsis shows that something was cut.
    """
    if cells <= 0:
        return ""
    taken = width(text)
    if taken > cells:
        return set_cell_size(text, cells - 1) + "…"
    if align == "right":
        return " " * (cells - taken) + text
    return text + " " * (cells - taken)


def _safe(char: str) -> str:
    if char in _INVISIBLE:
        return ""
    if char.isprintable() or char in _SPACES:
        return char
    return " " if char in "\t\n\r\u2028\u2029" else ""
