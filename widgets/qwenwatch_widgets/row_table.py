"""A table that draws only the rows in sight: its rows, its cursor and where they stand."""

from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from qwenwatch_widgets.canvas import Canvas, strip
from qwenwatch_widgets.columns import MARGIN, MARK_MARGIN, Placed, place
from qwenwatch_widgets.order import Sort, arrange, index_of
from qwenwatch_widgets.sight import Sight
from qwenwatch_widgets.table_lines import header_line, row_line, wanted_widths
from qwenwatch_widgets.text import plain
from qwenwatch_widgets.views.table import Row, TableView

NO_TABLE = TableView("", "", (), ())


def hidden(keys: str, action: str, id: str, tooltip: str) -> Binding:
    """Bind keys that are named in the help only."""
    return Binding(keys, action, tooltip, show=False, id=f"table.{id}", tooltip=tooltip)


class RowTable(Canvas, can_focus=True):
    """Draws a `TableView` in the order and with the marks that a subclass decides."""

    DEFAULT_CSS = """
    RowTable {
        border: round $border-blurred;
        border-subtitle-color: $text-muted;
        &:focus { border: round $border; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        hidden("up,k", "move(-1)", "up", "One row up"),
        hidden("down,j", "move(1)", "down", "One row down"),
        hidden("pageup", "page(-1)", "page-up", "One page up"),
        hidden("pagedown", "page(1)", "page-down", "One page down"),
        hidden("ctrl+u", "page(-0.5)", "half-up", "Half a page up"),
        hidden("ctrl+d", "page(0.5)", "half-down", "Half a page down"),
        hidden("home,g", "go(0)", "first", "First row"),
        hidden("end,G", "go(-1)", "last", "Last row"),
        Binding(
            "enter",
            "select",
            "open",
            id="table.open",
            key_display="⏎",
            tooltip="Open the vendor, or the hosts of the model",
        ),
    ]

    view: reactive[TableView] = reactive(NO_TABLE, repaint=False, init=False)
    """The table shown."""

    cursor: reactive[int] = reactive(0, repaint=False, init=False)
    """Place of the cursor among the rows shown."""

    sort_by: reactive[Sort | None] = reactive(None, repaint=False, init=False)
    """Column and direction, None for the order of the view."""

    filter_text: reactive[str] = reactive("", repaint=False, init=False)
    """Text that a row must contain to be shown."""

    found: reactive[str] = reactive("", init=False)
    """Text that is pointed out in the rows."""

    @dataclass
    class RowSelected(Message):
        """A row was opened."""

        table: "RowTable"
        row: Row

        @property
        def control(self) -> "RowTable":
            """The table."""
            return self.table

    def __init__(
        self,
        view: TableView = NO_TABLE,
        *,
        opens: bool = False,
        marks: bool = False,
        ascii_only: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make a table.

        Args:
            view: What to show at first.
            opens: Whether rows can be opened.
            marks: Whether rows can be marked, for their screen to do something with them.
            ascii_only: Whether sparklines do without block elements.
            name: The name of the widget.
            id: The ID of the widget in the DOM.
            classes: The CSS classes of the widget.
            disabled: Whether the widget is disabled.
        """
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._opens = opens
        self._markable = marks
        self._ascii_only = ascii_only
        self._marks: set[str] = set()
        self._placed: tuple[Placed, ...] = ()
        self._placed_for: tuple[TableView, Sort | None, int] | None = None
        self._rows = arrange(view, None, "")
        self._pins = sum(row.pinned for row in self._rows)
        self.set_reactive(RowTable.view, view)
        self.set_reactive(RowTable.virtual_size, Size(0, len(self._rows) + 1))
        self.show_titles()

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows in the order in which they are shown."""
        return self._rows

    @property
    def row(self) -> Row | None:
        """The row of the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def go_to(self, key: str) -> bool:
        """Put the cursor on a row, where the table shows it.

        Args:
            key: Key of the row.

        Returns:
            Whether there is such a row.
        """
        index = next((i for i, row in enumerate(self._rows) if row.key == key), None)
        if index is not None:
            self.cursor = index
        return index is not None

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is in sight.

        Args:
            y: Line, from the top of the content.

        Returns:
            The line.
        """
        cells = self.room.width
        placed = self._columns(cells)
        if y == 0:
            return header_line(placed, self.sort_by, cells, self.paint)
        index = self._sight.row_at(y - 1)
        if index is None:
            text = f" {plain(self._nothing())}" if y == 1 and not self._rows else ""
            return strip([(text, self.paint["dim"])], cells, self.paint[""])
        row = self._rows[index]
        return row_line(
            row,
            placed,
            cells,
            self.paint,
            over=self._over(index),
            marked=row.key in self._marks,
            found=self.found,
            match=self.paint["match"] if self.found else None,
            ascii_only=self._ascii_only,
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to open and to mark rows only where that leads somewhere."""
        return {"select": self._opens, "mark": self._markable}.get(action, True)

    def watch_view(self, old: TableView, new: TableView) -> None:
        """Apply what differs, keeping the place by the keys of the rows."""
        self._marks &= {row.key for row in new.rows}
        if (old.title, old.caption) != (new.title, new.caption):
            self.show_titles()
        self.rearrange()
        if not self._rows and old.empty != new.empty:
            self.refresh()

    def watch_sort_by(self) -> None:
        """Put the rows in the new order, the cursor on the same row."""
        self.rearrange()

    def watch_filter_text(self) -> None:
        """Show the rows that contain the new text."""
        self.rearrange()
        self.show_titles()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(cursor, len(self._rows) - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Repaint the two rows and bring the new one into sight."""
        self._refresh_row(old)
        self._refresh_row(new)
        self._scroll_to_cursor()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._scroll_to_cursor()

    def on_focus(self) -> None:
        """Show the cursor as the one that the keys go to."""
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        """Show the cursor at rest."""
        self._refresh_row(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Go to the row clicked; open it when the cursor is there."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        index = self._sight.row_at(offset.y - 1)
        if offset.y == 0:
            hit = (each for each in self._placed if each.x <= offset.x < each.x + each.width)
            if (each := next(hit, None)) is not None:
                self.heading_clicked(each.at)
        elif index is not None and index == self.cursor and self._opens:
            self.action_select()
        elif index is not None:
            self.cursor = index

    def action_move(self, step: int) -> None:
        """Move the cursor by some rows."""
        self.cursor += step

    def action_page(self, pages: float) -> None:
        """Move the cursor by pages."""
        self.cursor += int(pages * self._sight.body)

    def action_go(self, index: int) -> None:
        """Move the cursor to the first (0) or last (-1) row."""
        self.cursor = index if index >= 0 else len(self._rows) + index

    def action_select(self) -> None:
        """Open the row of the cursor."""
        if self.row is not None:
            self.post_message(self.RowSelected(self, self.row))

    def heading_clicked(self, index: int) -> None:
        """React to a click on a heading.

        Args:
            index: Place of the column in the view.
        """

    def subtitle(self) -> str:
        """Say what is being done with the rows, for the lower edge of the frame."""
        return ""

    def show_titles(self) -> None:
        """Write title and caption into the upper edge of the frame, the subtitle into the lower."""
        title, caption = plain(self.view.title), plain(self.view.caption)
        self.border_title = Content.assemble(
            (title, "bold $foreground"), (f" · {caption}" if caption else "", "$text-muted")
        )
        subtitle = plain(self.subtitle())
        self.border_subtitle = Content(subtitle) if subtitle else None

    def rearrange(self) -> None:
        """Put the rows in order; cursor and scroll stay with the rows they were at."""
        old, old_placed, at, top = self._rows, self._placed, self.row, self.scroll_offset.y
        first = old[top].key if top < len(old) else ""
        if self.sort_by is not None and index_of(self.view, self.sort_by.column) is None:
            self.set_reactive(RowTable.sort_by, None)
        self._rows = arrange(self.view, self.sort_by, self.filter_text)
        self._pins = sum(row.pinned for row in self._rows)
        places = {row.key: index for index, row in enumerate(self._rows)}
        self.virtual_size = Size(0, len(self._rows) + 1)
        cursor = places.get(at.key, self.cursor) if at is not None else 0
        cursor = self.validate_cursor(cursor)
        moved = cursor != self.cursor
        self.set_reactive(RowTable.cursor, cursor)
        if first in places and top > 0:
            self.scroll_to(y=places[first], animate=False, force=True)
        placed = self._columns(self.room.width)
        if placed == old_placed and [row.key for row in old] == [row.key for row in self._rows]:
            for index, (before, after) in enumerate(zip(old, self._rows, strict=True)):
                if before != after:
                    self._refresh_row(index)
        else:
            self.refresh()
        if moved:
            self._scroll_to_cursor()

    def _nothing(self) -> str:
        """Say why there is no row."""
        if self.filter_text and self.view.rows:
            return f"No row matches {self.filter_text!r}"
        return self.view.empty

    def _columns(self, cells: int) -> tuple[Placed, ...]:
        wanted_for = (self.view, self.sort_by, cells)
        known = self._placed_for
        # The view is compared by identity: comparing hundreds of rows takes longer than drawing.
        if known is None or known[0] is not wanted_for[0] or known[1:] != wanted_for[1:]:
            self._placed_for = wanted_for
            wanted = wanted_widths(self.view, self.sort_by)
            left = MARK_MARGIN if self._markable else MARGIN
            self._placed = place(self.view.columns, wanted, cells, left)
        return self._placed

    @property
    def _sight(self) -> Sight:
        return Sight(len(self._rows), self._pins, self.room.height - 1, self.scroll_offset.y)

    def _refresh_row(self, index: int) -> None:
        line = self._sight.line_of(index)
        if line is not None:
            self.refresh(Region(0, line + 1, self.room.width, 1))

    def _scroll_to_cursor(self) -> None:
        top = self._sight.top_for(self.cursor)
        if top is not None:
            self.scroll_to(y=top, animate=False, force=True)

    def _over(self, index: int) -> Style | None:
        if index != self.cursor:
            return None
        return self.paint["cursor" if self.has_focus else "rest"]
