"""One model: who serves it at what price, how its prices moved, and what other feeds say."""

from typing import ClassVar

from msgspec.structs import replace
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from qwenwatch.screens.page import LAST_KEYS, PLACES, Desk, Page
from qwenwatch_widgets.headline import NO_HEADLINE, StatusLines, TopLines
from qwenwatch_widgets.keybar import KeyBar
from qwenwatch_widgets.stack import TableStack
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.market import HostsView
from qwenwatch_widgets.views.query import TablesQuery
from qwenwatch_widgets.views.table import TableView
from qwenwatch_widgets.views.tables import TablesView

_WAIT = TableView("", "", (), (), empty="Reading the cache…")
_NOTHING = TableView("", "", (), (), empty="Nothing to show: the line below says why.")


class HostsScreen(Page):
    """One row per host, and below it tables about the model; shows what is known at once, and asks
    the feed then."""

    AUTO_FOCUS = "ViewTable"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "table", id="hosts.next", key_display="⇥",
                tooltip="Next table"),
        Binding("z", "zoom", "zoom", id="hosts.zoom", tooltip="Give the table the whole screen"),
        Binding("r", "ask_feed", "ask again", id="hosts.ask",
                tooltip="Ask again who serves the model"),
        Binding("escape,backspace", "leave", "back", id="hosts.back", key_display="esc",
                tooltip="Back to where you came from"),
    ]  # fmt: skip

    top = getters.query_one(TopLines)
    stack = getters.query_one(TableStack)

    _asked = False

    def __init__(self, desk: Desk, model: str) -> None:
        """Make the screen.

        Args:
            desk: What it works with.
            model: Id of the model, as a row of a table carries it.
        """
        super().__init__(desk)
        self._model = model
        self._hosts = _WAIT
        self._more: tuple[TableView, ...] = ()
        self._sources: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        """Make the table, empty until there is an answer."""
        yield TopLines(NO_HEADLINE, places=PLACES, here="Hosts")
        yield TableStack(_WAIT, ascii_only=self.desk.ascii_only)
        yield StatusLines()
        yield KeyBar(last=LAST_KEYS)

    @property
    def table(self) -> ViewTable:
        """The table of the hosts."""
        return self.stack.tables[0]

    def reload(self) -> None:
        """Ask again for what the cache knows."""
        self.ask(self.desk.answers.hosts(self._model, ask=False), self._apply)
        # Apart, so that neither answer waits for the other.
        question = self.desk.answers.tables(TablesQuery("model", subject=self._model))
        self.ask(question, self._apply_more, group="model")

    def failed(self) -> None:
        """Without figures, say so in their place."""
        if self.table.view is _WAIT:
            self._hosts = _NOTHING
            self._show()

    def action_zoom(self) -> None:
        """Give the focused table the whole screen, or take it back."""
        self.stack.zoom()

    def action_leave(self) -> None:
        """Show all tables again, or go back."""
        if not self.stack.unzoom():
            self.app.pop_screen()

    def notes(self) -> tuple[str, ...]:
        """Say what the figures are, and name every source."""
        return (*super().notes(), *self._sources)

    def action_ask_feed(self) -> None:
        """Ask the feed who serves the model."""
        self.say("Asking OpenRouter who serves it…")
        # Not in the group of the other questions: one of those must not take its place.
        question = self.desk.answers.hosts(self._model, ask=True)
        self.ask(question, self._tell, group="ask-feed")

    def _apply(self, view: HostsView) -> None:
        lines = replace(
            NO_HEADLINE,
            summary=f"{view.model} · {view.caveat}",
            source=view.source,
            health=view.state,
            health_tone=view.state_tone,
        )
        with self.app.batch_update():
            self.top.view = self.status.view = lines
            self._hosts = view.table
            self._show()
        if not self._asked:
            self._asked = True
            self.action_ask_feed()

    def _apply_more(self, view: TablesView) -> None:
        self._more = view.tables
        self._sources = view.sources
        self._show()

    def _show(self) -> None:
        self.stack.show((self._hosts, *self._more))

    def _tell(self, view: HostsView) -> None:
        self._apply(view)
        self.say(view.note)
