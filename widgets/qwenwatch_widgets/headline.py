"""The lines above and below a screen: where one is, what the figures are, how the feeds are."""

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from qwenwatch_widgets.canvas import Canvas, Piece, strip
from qwenwatch_widgets.text import fit, plain, width
from qwenwatch_widgets.views.market import Choice, Headline
from qwenwatch_widgets.views.table import Tone

NO_HEADLINE = Headline("", "", "", "", "", "", "", "")

NAME = "qwenwatch"

BETWEEN = " · "
"""Between parts of a line, the most important first."""


class TopLines(Canvas):
    """Name of the program and its screens, window and origin; below, the figures in one line."""

    DEFAULT_CSS = "TopLines { height: 2; overflow: hidden; }"

    view: reactive[Headline] = reactive(NO_HEADLINE)
    """Window, badge and summary."""

    @dataclass
    class PlaceSelected(Message):
        """The name of a screen was clicked."""

        top: "TopLines"
        key: str

        @property
        def control(self) -> "TopLines":
            """The lines."""
            return self.top

    def __init__(
        self,
        view: Headline = NO_HEADLINE,
        *,
        places: tuple[Choice, ...] = (),
        here: str = "",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Make the lines.

        Args:
            view: What to show at first.
            places: Screens that can be gone to, each by its key.
            here: What the screen in front is called.
            name: The name of the widget.
            id: The ID of the widget in the DOM.
            classes: The CSS classes of the widget.
        """
        super().__init__(name=name, id=id, classes=classes)
        self._places = places
        self.here = here
        self.set_reactive(TopLines.view, view)

    def render_line(self, y: int) -> Strip:
        """Draw one of the two lines.

        Args:
            y: Line.

        Returns:
            The line.
        """
        cells, paint = self.room.width, self.paint
        if y > 0:
            return strip(
                [(f" {fit(plain(self.view.summary), cells - 2)}", paint[""])], cells, paint[""]
            )
        left: list[Piece] = [(f" {NAME} ", paint["accent"])]
        for place, label in self._labelled():
            here = place.label == self.here
            left.append(
                (f"  {place.key}{' ' if label else ''}", paint["accent" if here else "dim"])
            )
            left.append((label, paint["strong" if here else "dim"]))
        if self.here not in {place.label for place in self._places}:
            left.append((f"  {plain(self.here)}", paint["strong"]))
        badge = self._badge()
        free = cells - 1 - width(badge) - sum(width(text) for text, _ in left)
        window = plain(self.view.window)
        between = BETWEEN if badge and window else ""
        right: list[Piece] = [
            (fit(window, max(0, free - 2 - width(between)), "right"), paint[""]),
            (between, paint["dim"]),
            (badge, paint[self.view.badge_tone]),
        ]
        return strip([*left, ("  ", paint[""]), *right], cells, paint[""])

    def on_click(self, event: events.Click) -> None:
        """Go to the screen whose name was clicked."""
        x = len(NAME) + 2
        for place, label in self._labelled():
            end = x + 2 + width(place.key) + bool(label) + width(label)
            if event.y == 0 and x <= event.x < end:
                event.stop()
                self.post_message(self.PlaceSelected(self, place.key))
            x = end

    def _labelled(self) -> list[tuple[Choice, str]]:
        """The screens with their names; where there is no room for all, with that of this one.

        Where the time of the figures would be cut, only this one is shown: it matters more.
        """
        needed = self._needed(self._badge())
        here = [place for place in self._places if place.label == self.here]
        own = width(plain(self.here)) + 2
        if needed + self._named() <= self.room.width:
            return [(place, place.label) for place in self._places]
        keys = sum(2 + width(place.key) for place in self._places)
        if needed + keys + own <= self.room.width:
            return [(place, place.label if place in here else "") for place in self._places]
        return [(place, place.label) for place in here]

    def _badge(self) -> str:
        """Where the figures come from; shorter, where all screens then have room for their names.

        First the moment that is replayed goes, then that it is: the window says of when the figures
        are.
        """
        whole = plain(self.view.badge)
        first, between, replayed = whole.partition(BETWEEN)
        names = self._named()
        for text in (whole, f"{first}{between}{replayed.partition(' at ')[0]}", first):
            if self._needed(text) + names <= self.room.width:
                return text
        return whole

    def _needed(self, badge: str) -> int:
        """Cells that the window and what stands behind it need, the program's name included."""
        shown = plain(self.view.window), badge
        return len(NAME) + 2 + 2 + sum(width(text) + 3 for text in shown if text)

    def _named(self) -> int:
        """Cells of all screens with their names."""
        listed = sum(3 + width(place.key) + width(place.label) for place in self._places)
        among = self.here in {place.label for place in self._places}
        return listed + (0 if among else width(plain(self.here)) + 2)


class StatusLines(Canvas):
    """What the figures are not, where they come from, and how the feeds are."""

    DEFAULT_CSS = "StatusLines { height: 2; overflow: hidden; }"

    view: reactive[Headline] = reactive(NO_HEADLINE)
    """Caveat, source and health."""

    problem: reactive[str] = reactive("")
    """What went wrong last, until it goes well again."""

    waiting: reactive[str] = reactive("")
    """What is being waited for."""

    note: reactive[str] = reactive("")
    """An answer to the last key, for a few seconds."""

    paused: reactive[bool] = reactive(False)
    """Whether polling is paused."""

    def __init__(
        self,
        view: Headline = NO_HEADLINE,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Make the lines.

        Args:
            view: What to show at first.
            name: The name of the widget.
            id: The ID of the widget in the DOM.
            classes: The CSS classes of the widget.
        """
        super().__init__(name=name, id=id, classes=classes)
        self.set_reactive(StatusLines.view, view)

    def render_line(self, y: int) -> Strip:
        """Draw one of the two lines.

        Args:
            y: Line.

        Returns:
            The line.
        """
        cells = self.room.width
        upper, lower = self._lines(cells - 2)
        pieces = upper if y == 0 else lower
        return strip([(" ", self.paint[""]), *pieces], cells, self.paint[""])

    def _lines(self, cells: int) -> tuple[list[Piece], list[Piece]]:
        view = self.view
        source, health = plain(view.source), plain(view.health)
        paused = ("paused · " if health else "paused") if self.paused else ""
        tone: Tone = "warn" if self.paused else view.health_tone or "dim"
        right: list[Piece] = [(paused + health, self.paint[tone])]
        taken = width(paused) + width(health)
        if width(source) + 2 + taken <= cells:
            lower = [(fit(source, cells - taken), self.paint["dim"]), *right]
            upper = self._said() or [(fit(plain(view.caveat), cells), self.paint["dim"])]
            return upper, lower
        # No room for both: the source takes the upper line, with as much of the caveat as fits.
        lower = self._said() or [(fit(paused + health, cells), self.paint[tone])]
        upper_text = " · ".join(text for text in (source, plain(view.caveat)) if text)
        return [(fit(upper_text, cells), self.paint["dim"])], lower

    def _said(self) -> list[Piece]:
        if self.note:
            return [(plain(self.note), self.paint["accent"])]
        if self.problem:
            return [(f"! {plain(self.problem)}", self.paint["bad"])]
        if self.waiting:
            return [(plain(self.waiting), self.paint["warn"])]
        return []


class TextLines(Canvas):
    """Lines of plain text, cut where they are too long."""

    DEFAULT_CSS = "TextLines { height: auto; overflow: hidden; }"

    lines: reactive[tuple[str, ...]] = reactive((), layout=True)
    """One text per line."""

    def get_content_height(self, *_: object) -> int:
        """As high as there are lines."""
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        """Draw one line.

        Args:
            y: Line.

        Returns:
            The line.
        """
        cells = self.room.width
        text = plain(self.lines[y]) if y < len(self.lines) else ""
        return strip([(f" {fit(text, cells - 2)}", self.paint["dim"])], cells, self.paint[""])
