"""Who serves one model, at what price, and how reliably."""

from dataclasses import replace
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from qwenwatch.screens.page import LAST_KEYS, PLACES, Desk, Page
from qwenwatch_widgets.headline import NO_HEADLINE, StatusLines, TopLines
from qwenwatch_widgets.keybar import KeyBar
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.market import HostsView
from qwenwatch_widgets.views.table import TableView

_WAIT = TableView("", "", (), (), empty="Reading the cache…")
_NOTHING = TableView("", "", (), (), empty="Nothing to show: the line below says why.")


class HostsScreen(Page):
    """One row per host; shows what is known at once, and asks the feed then."""

    DEFAULT_CSS = """
    HostsScreen > ViewTable { height: 1fr; }
    """

    AUTO_FOCUS = "ViewTable"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "ask_feed", "ask again", id="hosts.ask",
                tooltip="Ask again who serves the model"),
        Binding("escape,backspace", "app.pop_screen", "back", id="hosts.back", key_display="esc",
                tooltip="Back to where you came from"),
    ]  # fmt: skip

    top = getters.query_one(TopLines)
    table = getters.query_one(ViewTable)

    _asked = False

    def __init__(self, desk: Desk, model: str) -> None:
        """Make the screen.

        Args:
            desk: What it works with.
            model: Id of the model, as a row of a table carries it.
        """
        super().__init__(desk)
        self._model = model

    def compose(self) -> ComposeResult:
        """Make the table, empty until there is an answer."""
        yield TopLines(NO_HEADLINE, places=PLACES, here="Hosts")
        yield ViewTable(_WAIT, ascii_only=self.desk.ascii_only)
        yield StatusLines()
        yield KeyBar(last=LAST_KEYS)

    def reload(self) -> None:
        """Ask again for what the cache knows."""
        self.ask(self.desk.answers.hosts(self._model, ask=False), self._apply)

    def failed(self) -> None:
        """Without figures, say so in their place."""
        if self.table.view is _WAIT:
            self.table.view = _NOTHING

    def action_ask_feed(self) -> None:
        """Ask the feed who serves the model."""
        self.say("Asking OpenRouter who serves it…")
        # Not in the group of the other questions: one of those must not take its place.
        question = self.desk.answers.hosts(self._model, ask=True)
        self.run_worker(self._answer(question, self._tell, ""), group="ask-feed", exclusive=True)

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
            self.table.view = view.table
        if not self._asked:
            self._asked = True
            self.action_ask_feed()

    def _tell(self, view: HostsView) -> None:
        self._apply(view)
        self.say(view.note)
