"""Where the panels of a grid stand: whole panels that fill what is in sight."""

from typing import NamedTuple

from textual.geometry import Region, Size

from qwenwatch_widgets.panel_lines import LEAST_HEIGHT, LEAST_WIDTH


class Lattice(NamedTuple):
    """A grid of panels; sizes that do not divide evenly differ by one cell.

    Attributes:
        room: Cells in sight.
        panels: How many there are.
        columns: Panels side by side.
        rows_in_sight: Panels above each other before one has to scroll.
    """

    room: Size
    panels: int
    columns: int
    rows_in_sight: int

    @classmethod
    def fitting(cls, room: Size, panels: int) -> "Lattice":
        """Fit as many panels into the room as keep their least size.

        A room that is only one panel high shows one panel, as wide as the room.
        """
        many = room.height >= 2 * LEAST_HEIGHT
        columns = max(1, room.width // LEAST_WIDTH) if many else 1
        rows = -(-panels // columns)
        return cls(room, panels, columns, max(1, min(rows, room.height // LEAST_HEIGHT)))

    @property
    def height(self) -> int:
        """Lines of all panels, in sight or not."""
        return self.top(-(-self.panels // self.columns))

    def left(self, column: int) -> int:
        """First cell of a column."""
        return column * self.room.width // self.columns

    def top(self, row: int) -> int:
        """First line of a row."""
        return row * self.room.height // self.rows_in_sight

    def row_at(self, line: int) -> int:
        """Row that a line belongs to."""
        row = line * self.rows_in_sight // max(1, self.room.height)
        return row + 1 if self.top(row + 1) <= line else row

    def at(self, x: int, line: int) -> int:
        """Place of the panel at a cell."""
        column = next(j for j in reversed(range(self.columns)) if self.left(j) <= x)
        return self.row_at(line) * self.columns + column

    def panel(self, index: int) -> Region:
        """Where a panel stands, from the top of all panels."""
        row, column = divmod(index, self.columns)
        left, top = self.left(column), self.top(row)
        return Region(left, top, self.left(column + 1) - left, self.top(row + 1) - top)
