"""One question and its answer as tables, one below the other: Definitions, Changes."""

from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from qwenwatch.screens.page import LAST_KEYS, PLACES, Desk, Page, steps_about
from qwenwatch_widgets.headline import NO_HEADLINE, StatusLines, TopLines
from qwenwatch_widgets.keybar import KeyBar
from qwenwatch_widgets.stack import TableStack
from qwenwatch_widgets.views.query import TablesQuery
from qwenwatch_widgets.views.table import TableView
from qwenwatch_widgets.views.tables import TablesView

_WAIT = TableView("", "", (), (), empty="Reading the cache…")
_NOTHING = TableView("", "", (), (), empty="Nothing to show: the line below says why.")

_GRAINS = ("day", "week", "month")


class TablesScreen(Page):
    """The tables of an answer; `t`, `<` and `>` ask for other times."""

    AUTO_FOCUS = "ViewTable"

    OPENS: ClassVar[int] = 0
    """How many tables, from the top, have rows that can be opened."""

    MARKS: ClassVar[int] = 0
    """How many have rows that can be marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "table", id="tables.next", key_display="⇥",
                tooltip="Next table"),
        Binding("shift+tab", "app.focus_previous", "Table back", show=False, id="tables.previous",
                tooltip="Table before"),
        Binding("t", "grain", "window", id="tables.window", tooltip="Day, week or month"),
        Binding("less_than_sign", "step(1)", "back", id="tables.back", key_display="<",
                tooltip="One window back in time"),
        Binding("greater_than_sign", "step(-1)", "forth", id="tables.forth", key_display=">",
                tooltip="One window forth in time"),
        Binding("z", "zoom", "zoom", id="tables.zoom", tooltip="Give the table the whole screen"),
        Binding("escape", "leave", "back", id="tables.leave", key_display="esc",
                tooltip="Back from zoom, or to the market"),
    ]  # fmt: skip

    top = getters.query_one(TopLines)
    stack = getters.query_one(TableStack)

    def __init__(self, desk: Desk, question: str) -> None:
        """Make the screen.

        Args:
            desk: What it works with.
            question: Which question it answers; its name is the screen's too.
        """
        super().__init__(desk)
        self.query_wanted = TablesQuery(question)
        self._query_shown = self.query_wanted
        self._sources: tuple[str, ...] = ()
        self._steps: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        """Make one table, empty until there is an answer."""
        name = self.query_wanted.question.capitalize()
        yield TopLines(NO_HEADLINE, places=PLACES, here=name)
        yield TableStack(_WAIT, opens=self.OPENS, marks=self.MARKS, ascii_only=self.desk.ascii_only)
        yield StatusLines()
        yield KeyBar(last=LAST_KEYS)

    def reload(self) -> None:
        """Ask again for what is wanted."""
        self._want(self.query_wanted)

    def failed(self) -> None:
        """Go back to wanting what is shown; without figures, say so in their place."""
        self.query_wanted = self._query_shown
        if self.stack.tables[0].view is _WAIT:
            self.stack.show((_NOTHING,))

    def notes(self) -> tuple[str, ...]:
        """Say what the figures are, and name every source."""
        view = self.status.view
        said = (view.summary, view.caveat, *self._sources, view.health)
        return tuple(text for text in said if text)

    def newest(self) -> str:
        """Say that nothing comes after what is shown."""
        return f"This is the newest complete {self.query_wanted.grain}"

    def action_grain(self) -> None:
        """Switch between days, weeks and months, about the same time."""
        at = _GRAINS.index(self.query_wanted.grain)
        grain = _GRAINS[(at + 1) % len(_GRAINS)]
        back = self._steps.get(grain, 0)
        if self.query_wanted != self._query_shown:  # its answer, with the steps, is yet to come
            back = steps_about(self.query_wanted.steps_back, self.query_wanted.grain, grain)
        self._want(replace(self.query_wanted, grain=grain, steps_back=back))

    def action_step(self, step: int) -> None:
        """Step back (1) or forth (-1) in time."""
        back = self.query_wanted.steps_back + step
        if back < 0:
            self.say(self.newest())
            return
        self._want(replace(self.query_wanted, steps_back=back))

    def action_zoom(self) -> None:
        """Give the focused table the whole screen, or take it back."""
        self.stack.zoom()

    def action_leave(self) -> None:
        """Show all tables again, or go to the market."""
        if not self.stack.unzoom():
            self.app.switch_mode("market")

    def _want(self, query: TablesQuery) -> None:
        self.query_wanted = query
        switched = query != self._query_shown
        question = self.desk.answers.tables(query)
        self.ask(question, partial(self._apply, query), switched=switched)

    def _apply(self, query: TablesQuery, view: TablesView) -> None:
        self._query_shown = self.query_wanted = query
        self._sources, self._steps = view.sources, view.steps
        with self.app.batch_update():
            self.top.view = self.status.view = view.headline
            self.stack.show(view.tables or (_NOTHING,))
