"""Tables one below the other."""

from textual.containers import VerticalScroll

from qwenwatch_widgets.row_table import NO_TABLE
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.table import TableView

FRAME = 3
"""Lines of a table besides its rows: two of the border and the headings."""

LEAST = 6
"""Lines that a table keeps however many there are."""

MOST = 20
"""Lines beyond which a table takes no more from the others."""


class TableStack(VerticalScroll, can_focus=False):
    """Tables share the height by their rows; where there is too little of it they scroll.

    A table keeps its cursor, sort, filter and marks when it gets another view: the first table
    stays the first.
    """

    DEFAULT_CSS = """
    TableStack {
        height: 1fr;
        scrollbar-size-vertical: 1;
        & > .-unused, &.-zoomed > ViewTable { display: none; }
        &.-zoomed > ViewTable.-zoom {
            display: block; height: 1fr !important; max-height: 100% !important;
        }
    }
    """

    def __init__(
        self, first: TableView, *, opens: int = 0, marks: int = 0, ascii_only: bool = False
    ) -> None:
        """Make a stack of one table.

        Args:
            first: What to show until there is more.
            opens: How many tables, from the top, have rows that can be opened.
            marks: How many have rows that can be marked.
            ascii_only: Whether sparklines do without block elements.
        """
        self._opens = opens
        self._marks = marks
        self._ascii_only = ascii_only
        super().__init__(self._table(0, first))

    @property
    def tables(self) -> list[ViewTable]:
        """The tables in use, from the top."""
        return [table for table in self.query(ViewTable) if not table.has_class("-unused")]

    def show(self, views: tuple[TableView, ...]) -> None:
        """Show some tables in place of those before.

        Args:
            views: From the top; at least one.
        """
        tables = list(self.query(ViewTable))
        while len(tables) < len(views):
            tables.append(self._table(len(tables), NO_TABLE))
            self.mount(tables[-1])
        for at, table in enumerate(tables):
            table.set_class(at >= len(views), "-unused")
            if at < len(views):
                table.view = views[at]
        self._fit()

    def on_resize(self) -> None:
        """Share the height anew."""
        self._fit()

    def zoom(self) -> None:
        """Give the focused table all of the room, or show all tables again."""
        if not self.unzoom() and self.screen.focused in self.tables:
            self.screen.focused.add_class("-zoom")
            self.add_class("-zoomed")

    def unzoom(self) -> bool:
        """Show all tables.

        Returns:
            Whether there was only one.
        """
        zoomed = self.has_class("-zoomed")
        self.remove_class("-zoomed")
        self.query(".-zoom").remove_class("-zoom")
        return zoomed

    def _table(self, at: int, view: TableView) -> ViewTable:
        """Make the table of a place."""
        return ViewTable(
            view, opens=at < self._opens, marks=at < self._marks, ascii_only=self._ascii_only
        )

    def _fit(self) -> None:
        """Give every table the height of its rows, or its part of the room if that is less."""
        if len(self.tables) == 1:
            self.tables[0].styles.height = "1fr"
            self.tables[0].styles.max_height = None
            return
        for at, table in enumerate(self.tables):
            lines = len(table.view.rows) + FRAME
            table.styles.height = f"{min(lines, MOST)}fr"
            # The first one is what is asked for; it goes before the others.
            table.styles.min_height = max(LEAST, 0 if at else min(lines, self.size.height // 2))
            # Never higher than the room: its last row must come into sight.
            table.styles.max_height = max(min(lines, self.size.height), LEAST)
