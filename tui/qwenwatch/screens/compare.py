"""Some models side by side, on the terms of the Prices screen."""

from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from qwenwatch.screens.page import LAST_KEYS, PLACES, Desk, Page
from qwenwatch_widgets.headline import NO_HEADLINE, StatusLines, TopLines
from qwenwatch_widgets.keybar import KeyBar
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.query import TablesQuery
from qwenwatch_widgets.views.table import TableView
from qwenwatch_widgets.views.tables import TablesView

_WAIT = TableView("", "", (), (), empty="Reading the cache…")
_NOTHING = TableView("", "", (), (), empty="Nothing to show: the line below says why.")

NEWEST = "These are the prices of now"
"""That nothing comes after what is shown."""

_NAMES = 2
"""Columns that name a line; those of models follow."""


class CompareScreen(Page):
    """A column per model; where there is no room for all, they can be gone through."""

    DEFAULT_CSS = "CompareScreen > ViewTable { height: 1fr; }"

    AUTO_FOCUS = "ViewTable"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "turn(-1)", "left", id="compare.left", key_display="←",
                tooltip="One model to the left"),
        Binding("right,l", "turn(1)", "right", id="compare.right", key_display="→",
                tooltip="One model to the right"),
        Binding("escape,backspace", "app.pop_screen", "back", id="compare.back",
                key_display="esc", tooltip="Back to the prices"),
        Binding("less_than_sign", "step(1)", "earlier", id="compare.earlier", key_display="<",
                tooltip="One window back in time"),
        Binding("greater_than_sign", "step(-1)", "later", id="compare.later", key_display=">",
                tooltip="One window forth in time"),
    ]  # fmt: skip

    top = getters.query_one(TopLines)
    table = getters.query_one(ViewTable)

    def __init__(self, desk: Desk, query: TablesQuery) -> None:
        """Make the screen.

        Args:
            desk: What it works with.
            query: Which models, at which time, on which terms.
        """
        super().__init__(desk)
        self._query = query
        self._query_shown = query
        self._first = 0
        self._whole = _WAIT
        self._sources: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        """Make the table, empty until there is an answer."""
        yield TopLines(NO_HEADLINE, places=PLACES, here="Compare")
        yield ViewTable(_WAIT, ascii_only=self.desk.ascii_only)
        yield StatusLines()
        yield KeyBar(last=LAST_KEYS)

    def reload(self) -> None:
        """Ask again."""
        self._want(self._query)

    def failed(self) -> None:
        """Go back to wanting what is shown; without figures, say so in their place."""
        self._query = self._query_shown
        if self._whole is _WAIT:
            self.table.view = _NOTHING

    def notes(self) -> tuple[str, ...]:
        """Say what the figures are, and name every source."""
        return (*super().notes(), *self._sources)

    def action_turn(self, step: int) -> None:
        """Begin with the next model, or with the one before."""
        last = len(self._whole.columns) - _NAMES - 1
        self._first = max(0, min(self._first + step, last))
        self._show()

    def action_step(self, step: int) -> None:
        """Step back (1) or forth (-1) in time."""
        back = self._query.steps_back + step
        if back < 0:
            self.say(NEWEST)
            return
        self._want(replace(self._query, steps_back=back))

    def _want(self, query: TablesQuery) -> None:
        self._query = query
        question = self.desk.answers.tables(query)
        self.ask(question, partial(self._apply, query), switched=query != self._query_shown)

    def _apply(self, query: TablesQuery, view: TablesView) -> None:
        self._query = self._query_shown = query
        self._whole = view.tables[0]
        self._sources = view.sources
        with self.app.batch_update():
            self.top.view = self.status.view = view.headline
            self._show()

    def _show(self) -> None:
        """Show the models from the first one on; the last ones go where there is no room."""
        whole, skip = self._whole, range(_NAMES, _NAMES + self._first)
        columns = [
            replace(column, drop=at if at > _NAMES + self._first else 0)
            for at, column in enumerate(whole.columns)
            if at not in skip
        ]
        rows = [
            replace(row, cells=tuple(cell for at, cell in enumerate(row.cells) if at not in skip))
            for row in whole.rows
        ]
        models = len(whole.columns) - _NAMES
        title = whole.title
        if self._first:
            title += f" · from the {self._first + 1}. of {models} on"
        self.table.view = replace(whole, title=title, columns=tuple(columns), rows=tuple(rows))
