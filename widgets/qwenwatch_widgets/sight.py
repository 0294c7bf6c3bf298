"""Which rows of a table are in sight, and on which lines."""

from typing import NamedTuple

LEAST_BODY = 3
"""Pinned rows stay in sight as long as this many others do."""


class Sight(NamedTuple):
    """Some lines below the headings of a table.

    Attributes:
        rows: All rows, pinned ones last.
        pins: How many are pinned: they stay on the last lines in use.
        lines: Lines that there are.
        top: The first row in sight.
    """

    rows: int
    pins: int
    lines: int
    top: int

    @property
    def pinned(self) -> int:
        """Pinned rows that do stay, 0 where there is no room for them."""
        return self.pins if self.lines - self.pins >= LEAST_BODY else 0

    @property
    def body(self) -> int:
        """Lines of rows that scroll."""
        return min(self.rows - self.pinned, max(1, self.lines - self.pinned))

    def row_at(self, line: int) -> int | None:
        """The row on a line, None where there is none."""
        if line < self.body:
            return line + self.top
        place = line - self.body
        return self.rows - self.pinned + place if place < self.pinned else None

    def line_of(self, row: int) -> int | None:
        """The line of a row, None where it is out of sight."""
        first_pin = self.rows - self.pinned
        if row >= first_pin:
            return self.body + row - first_pin
        return row - self.top if self.top <= row < self.top + self.body else None

    def top_for(self, row: int) -> int | None:
        """The first row in sight that brings a row into it, None where it is in sight."""
        if row >= self.rows - self.pinned or self.top <= row < self.top + self.body:
            return None
        return row if row < self.top else row - self.body + 1
