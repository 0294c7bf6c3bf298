"""What all widgets here share: they are drawn line by line, with the same few colours."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from qwenwatch_widgets.text import width

Paint = Mapping[str, Style]
"""Styles by name: "" for plain text, the tones of the views, and the names listed at `Canvas`."""

Piece = tuple[str, Style]
"""Text without control characters, and its style."""


def strip(pieces: Sequence[Piece], cells: int, rest: Style) -> Strip:
    """Make one line of pieces, cut or padded to a width.

    Args:
        pieces: Left to right.
        cells: Width of the line.
        rest: Style of what the pieces leave free.

    Returns:
        A line of exactly `cells` cells.
    """
    taken = sum(width(text) for text, _ in pieces)
    segments = [Segment(text, style) for text, style in pieces if text]
    line = Strip(segments, taken)
    return line if taken == cells else line.adjust_cell_length(cells, rest)


_COLOURS: Final = {
    "dim": "foreground-muted",
    "up": "success",
    "down": "error",
    "accent": "accent",
    "warn": "warning",
    "bad": "error",
    "spark": "secondary",
    "frame": "border-blurred",
    "focus": "border",
}
"""Names of styles, and the variable of the theme that colours them."""

_ATTRIBUTES: Final = {"bad": Style(bold=True), "strong": Style(bold=True)}

_DIM_WHERE_COLOURS_ARE_FEW: Final = ("dim", "spark")


def _rich(colour: Color, background: Color) -> RichColor:
    return (colour if colour.ansi is not None else background + colour).rich_color


class Canvas(ScrollView, can_focus=False, inherit_bindings=False):
    """A widget that is drawn by `render_line`, in styles that it knows by name.

    The styles come from the variables of the theme, not from component classes: those are matched
    against the style sheet for every widget and every class, before the first paint.

    | Style | Description |
    | :- | :- |
    | `dim` | Context: headings, units, captions. |
    | `up`, `down` | A change for more, a change for less. |
    | `accent` | The one thing to look at. |
    | `warn`, `bad` | Something is old or in doubt; something failed. |
    | `strong` | Names and titles. |
    | `spark` | Sparklines. |
    | `frame`, `focus` | Frames at rest, the frame that the keys go to. |
    | `cursor`, `rest` | Laid over the row of the cursor, with the focus and without. |
    | `match` | Laid over text that was found. |
    """

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    Canvas { scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    _paint: dict[str, Style] | None = None

    _room: tuple[Size, bool, Size] | None = None

    @property
    def room(self) -> Size:
        """Cells to draw in, scrollbars and frame apart; reckoned once for each size."""
        known, outer, scrollbar = self._room, self.outer_size, self.show_vertical_scrollbar
        if known is None or known[0] != outer or known[1] != scrollbar:
            self._room = known = (outer, scrollbar, self.scrollable_size)
        return known[2]

    @property
    def paint(self) -> Paint:
        """Styles by name, made once for each theme."""
        if self._paint is None:
            self._paint = self._mix()
        return self._paint

    def notify_style_update(self) -> None:
        """Forget the styles: the theme may be another one."""
        self._paint = None
        self._room = None
        super().notify_style_update()

    def _mix(self) -> dict[str, Style]:
        base, background = self.rich_style, self.background_colors[1]
        few = self.app.current_theme.ansi
        theme = {
            # Themes of few colours give some of them with an opacity, which those cannot have.
            name: Color.parse(self.app.theme_variables[name].partition(" ")[0])
            for name in (*_COLOURS.values(), "block-cursor-background", "block-cursor-foreground")
        }
        paint = {"": base}
        for name, variable in _COLOURS.items():
            paint[name] = base + Style(color=_rich(theme[variable], background))
            if few and name in _DIM_WHERE_COLOURS_ARE_FEW:
                paint[name] += Style(dim=True)
        for name, style in _ATTRIBUTES.items():
            paint[name] = paint.get(name, base) + style
        cursor = theme["block-cursor-background"]
        paint["cursor"] = Style(
            bgcolor=_rich(cursor, background),
            color=theme["block-cursor-foreground"].rich_color if few else None,
        )
        paint["rest"] = (
            Style() if few else Style(bgcolor=_rich(cursor.multiply_alpha(0.35), background))
        )
        paint["match"] = Style(color=_rich(theme["accent"], background), underline=True)
        return paint
