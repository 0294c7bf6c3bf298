"""Panels of vendors: one alone, and a grid of them in which the keys move."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from qwenwatch_widgets.canvas import Canvas
from qwenwatch_widgets.lattice import Lattice
from qwenwatch_widgets.panel_lines import panel_edges, panel_lines
from qwenwatch_widgets.views.market import PanelView

_Look = tuple[PanelView, int, int]
"""All that the lines of a panel at rest depend on, colours aside."""


class VendorPanel(Canvas):
    """One vendor at a glance; the wider and higher, the more of its history."""

    view: reactive[PanelView | None] = reactive(None)
    """The vendor shown."""

    def __init__(
        self,
        view: PanelView | None = None,
        *,
        ascii_only: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make a panel.

        Args:
            view: What to show at first.
            ascii_only: Whether the sparkline does without block elements.
            name: The name of the widget.
            id: The ID of the widget in the DOM.
            classes: The CSS classes of the widget.
            disabled: Whether the widget is disabled.
        """
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._ascii_only = ascii_only
        self.set_reactive(VendorPanel.view, view)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the panel.

        Args:
            y: Line, from the top.

        Returns:
            The line.
        """
        cells, height = self.room
        if self.view is None or height < 3:
            return Strip.blank(cells, self.paint[""])
        return panel_lines(self.view, cells, height, self.paint, ascii_only=self._ascii_only)[y]


class PanelGrid(Canvas, can_focus=True):
    """Panels side by side; one is selected, by its vendor, and stays so over a refresh."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(0, -1)", "Up", show=False, id="panels.up", tooltip="Panel above"),
        Binding("down,j", "move(0, 1)", "Down", show=False, id="panels.down",
                tooltip="Panel below"),
        Binding("left,h", "move(-1, 0)", "Left", show=False, id="panels.left",
                tooltip="Panel on the left"),
        Binding("right,l", "move(1, 0)", "Right", show=False, id="panels.right",
                tooltip="Panel on the right"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="panels.page-up",
                tooltip="A page of panels up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="panels.page-down",
                tooltip="A page of panels down"),
        Binding("home,g", "go(0)", "First", show=False, id="panels.first", tooltip="First panel"),
        Binding("end,G", "go(-1)", "Last", show=False, id="panels.last", tooltip="Last panel"),
        Binding("enter", "select", "vendor", id="panels.open", key_display="⏎",
                tooltip="Open the vendor"),
    ]  # fmt: skip

    panels: reactive[tuple[PanelView, ...]] = reactive((), repaint=False, init=False)
    """The panels, in their order."""

    selected: reactive[int] = reactive(0, repaint=False, init=False)
    """Place of the selected panel."""

    @dataclass
    class Selected(Message):
        """A panel was opened."""

        grid: "PanelGrid"
        vendor: str

        @property
        def control(self) -> "PanelGrid":
            """The grid."""
            return self.grid

    def __init__(
        self,
        panels: tuple[PanelView, ...] = (),
        *,
        ascii_only: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make a grid.

        Args:
            panels: What to show at first.
            ascii_only: Whether sparklines do without block elements.
            name: The name of the widget.
            id: The ID of the widget in the DOM.
            classes: The CSS classes of the widget.
            disabled: Whether the widget is disabled.
        """
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._ascii_only = ascii_only
        self._drawn: dict[int, tuple[_Look, tuple[Strip, ...]]] = {}
        self._laid_out: tuple[tuple[Size, int], Lattice] | None = None
        self.set_reactive(PanelGrid.panels, panels)

    @property
    def panel(self) -> PanelView | None:
        """The selected panel."""
        return self.panels[self.selected] if self.selected < len(self.panels) else None

    def go_to(self, vendor: str) -> bool:
        """Select a vendor's panel, where there is one.

        Args:
            vendor: Vendor id.

        Returns:
            Whether there is such a panel.
        """
        index = next((i for i, each in enumerate(self.panels) if each.vendor == vendor), None)
        if index is not None:
            self.selected = index
        return index is not None

    def render_line(self, y: int) -> Strip:
        """Draw one line of the panels in sight.

        Args:
            y: Line, from the top.

        Returns:
            The line.
        """
        lattice, line = self._lattice, y + self.scroll_offset.y
        row = lattice.row_at(line)
        first = row * lattice.columns
        indexes = range(first, min(first + lattice.columns, len(self.panels)))
        inside = line - lattice.top(row)
        joined = Strip.join([self._line(index, inside) for index in indexes])
        return joined.adjust_cell_length(self.room.width, self.paint[""])

    def notify_style_update(self) -> None:
        """Forget the drawn panels: the theme may be another one."""
        self._drawn.clear()
        super().notify_style_update()

    def watch_panels(self, old: tuple[PanelView, ...], new: tuple[PanelView, ...]) -> None:
        """Repaint the panels that differ; the selected vendor stays selected."""
        vendor = old[self.selected].vendor if self.selected < len(old) else ""
        kept = next((i for i, each in enumerate(new) if each.vendor == vendor), None)
        self.set_reactive(PanelGrid.selected, 0 if kept is None else kept)
        if len(old) != len(new):
            self._drawn.clear()
            self._measure()
            self.refresh()
        else:
            for index, (before, after) in enumerate(zip(old, new, strict=True)):
                if before != after or index == self.selected:
                    self._refresh_panel(index)

    def validate_selected(self, selected: int) -> int:
        """Keep the selection on a panel."""
        return max(0, min(selected, len(self.panels) - 1))

    def watch_selected(self, old: int, new: int) -> None:
        """Repaint the two frames and bring the new one into sight."""
        self._refresh_frame(old)
        self._refresh_frame(new)
        self._scroll_to_selected()

    def on_resize(self) -> None:
        """Lay the panels out for the new size."""
        self._measure()
        self._scroll_to_selected()

    def on_focus(self) -> None:
        """Show the selected panel as the one that the keys go to."""
        self._refresh_frame(self.selected)

    def on_blur(self) -> None:
        """Show the selected panel at rest."""
        self._refresh_frame(self.selected)

    def on_click(self, event: events.Click) -> None:
        """Select the panel clicked; open it when it is selected."""
        offset = event.get_content_offset(self)
        if offset is None or not self.panels:
            return
        event.stop()
        index = self._lattice.at(offset.x, offset.y + self.scroll_offset.y)
        if index == self.selected:
            self.action_select()
        elif index < len(self.panels):
            self.selected = index

    def action_move(self, across: int, down: int) -> None:
        """Move the selection; past the edge the key is left to whoever else wants it."""
        columns = self._lattice.columns
        column = self.selected % columns + across
        target = self.selected + across + down * columns
        if not 0 <= column < columns or not 0 <= target < len(self.panels):
            raise SkipAction()
        self.selected = target

    def action_page(self, pages: int) -> None:
        """Move the selection by as many panels as are in sight."""
        self.selected += pages * self._lattice.columns * self._lattice.rows_in_sight

    def action_go(self, index: int) -> None:
        """Move the selection to the first (0) or last (-1) panel."""
        self.selected = index if index >= 0 else len(self.panels) + index

    def action_select(self) -> None:
        """Open the selected panel."""
        if self.panel is not None:
            self.post_message(self.Selected(self, self.panel.vendor))

    def _line(self, index: int, y: int) -> Strip:
        view, (_, _, cells, height) = self.panels[index], self._lattice.panel(index)
        if index == self.selected and y in (0, height - 1):
            focused = self.has_focus
            # Alone in sight, a panel need not show that it is the selected one.
            selected = focused or self._lattice.columns > 1
            upper, lower = panel_edges(view, cells, self.paint, selected=selected, focused=focused)
            return lower if y else upper
        known = self._drawn.get(index)
        # Views are compared by identity: a look at every figure takes longer than drawing.
        if known is None or known[0][0] is not view or known[0][1:] != (cells, height):
            lines = panel_lines(view, cells, height, self.paint, ascii_only=self._ascii_only)
            self._drawn[index] = known = ((view, cells, height), lines)
        return known[1][y]

    @property
    def _lattice(self) -> Lattice:
        known, wanted = self._laid_out, (self.room, len(self.panels))
        if known is None or known[0] != wanted:
            self._laid_out = known = (wanted, Lattice.fitting(*wanted))
        return known[1]

    def _measure(self) -> None:
        self.virtual_size = Size(0, self._lattice.height)

    def _scroll_to_selected(self) -> None:
        lattice = self._lattice
        panel = lattice.panel(self.selected)
        if panel.y < self.scroll_offset.y:
            self.scroll_to(y=panel.y, animate=False, force=True)
        elif panel.bottom > self.scroll_offset.y + self.room.height:
            last = self.selected // lattice.columns
            first = max(0, last - lattice.rows_in_sight + 1)
            self.scroll_to(y=lattice.top(first), animate=False, force=True)

    def _refresh_panel(self, index: int) -> None:
        self.refresh(self._lattice.panel(index).translate((0, -self.scroll_offset.y)))

    def _refresh_frame(self, index: int) -> None:
        x, y, cells, height = self._lattice.panel(index).translate((0, -self.scroll_offset.y))
        self.refresh(
            Region(x, y, cells, 1),
            Region(x, y + height - 1, cells, 1),
        )
