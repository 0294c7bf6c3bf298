"""One line that names the keys of the screen in front."""

from textual import events
from textual.binding import Binding
from textual.reactive import reactive
from textual.screen import Screen
from textual.strip import Strip

from qwenwatch_widgets.canvas import Canvas, Piece, strip
from qwenwatch_widgets.text import width

Key = tuple[str, str, str]
"""Name of the key, how it is written, what it does."""


class KeyBar(Canvas):
    """Names the keys that work now, as many as fit; a click presses the key.

    Textual's own footer makes several widgets for each key; this one draws a line.
    """

    DEFAULT_CSS = "KeyBar { height: 1; overflow: hidden; }"

    keys: reactive[tuple[tuple[Key, ...], tuple[Key, ...]]] = reactive(((), ()))
    """Keys on the left, and those on the right that are never left out."""

    def __init__(
        self,
        *,
        last: tuple[str, ...] = (),
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Make the line.

        Args:
            last: IDs of the bindings on the right.
            name: The name of the widget.
            id: The ID of the widget in the DOM.
            classes: The CSS classes of the widget.
        """
        super().__init__(name=name, id=id, classes=classes)
        self._last = last
        self._spans: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        """Follow the bindings of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._read)
        self._read(self.screen)

    def render_line(self, y: int) -> Strip:
        """Draw the line.

        Args:
            y: Line, always 0.

        Returns:
            The line.
        """
        cells, paint = self.room.width, self.paint
        left, right = self.keys
        taken = sum(_cells(key) for key in right)
        pieces: list[Piece] = []
        self._spans = []
        x = 0
        for key in left:
            if x + _cells(key) + taken > cells:
                break
            x = self._add(pieces, key, x)
        pieces.append((" " * max(0, cells - taken - x), paint[""]))
        x = max(x, cells - taken)
        for key in right:
            x = self._add(pieces, key, x)
        return strip(pieces, cells, paint[""])

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        for start, end, key in self._spans:
            if start <= event.x < end:
                event.stop()
                self.app.simulate_key(key)

    def _add(self, pieces: list[Piece], key: Key, x: int) -> int:
        name, written, does = key
        pieces.append((f" {written}", self.paint["accent"]))
        pieces.append((f" {does} ", self.paint["dim"]))
        end = x + _cells(key)
        self._spans.append((x, end, name))
        return end

    def _read(self, screen: Screen[object]) -> None:
        shown: dict[str, Binding] = {}
        for active in screen.active_bindings.values():
            if active.binding.show and active.enabled:
                shown.setdefault(active.binding.action, active.binding)
        left = [self._key(each) for each in shown.values() if each.id not in self._last]
        right = [self._key(each) for each in shown.values() if each.id in self._last]
        self.keys = (tuple(left), tuple(right))

    def _key(self, binding: Binding) -> Key:
        return binding.key, self.app.get_key_display(binding), binding.description


def _cells(key: Key) -> int:
    return width(key[1]) + width(key[2]) + 3
