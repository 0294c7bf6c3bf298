"""Health of every feed, in plain words."""

from dataclasses import replace
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from qwenwatch.screens.page import LAST_KEYS, PLACES, Page
from qwenwatch.screens.pulse import Pulse
from qwenwatch_widgets.headline import NO_HEADLINE, StatusLines, TextLines, TopLines
from qwenwatch_widgets.keybar import KeyBar
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.market import FeedsView
from qwenwatch_widgets.views.table import TableView

_WAIT = TableView("", "", (), (), empty="Reading the cache…")


class FeedsScreen(Page):
    """One row per feed; below, what the cache has to say and what the last round brought."""

    DEFAULT_CSS = """
    FeedsScreen {
        & > TopLines, & > StatusLines { height: 1; }
        & > ViewTable { height: 1fr; }
    }
    """

    AUTO_FOCUS = "ViewTable"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.market", "back", id="feeds.back", key_display="esc",
                tooltip="Back to the market"),
    ]  # fmt: skip

    table = getters.query_one(ViewTable)
    lines = getters.query_one(TextLines)

    def compose(self) -> ComposeResult:
        """Make the table, empty until there is an answer."""
        headline = replace(NO_HEADLINE, badge="health of the feeds")
        yield TopLines(headline, places=PLACES, here="Feeds")
        yield ViewTable(_WAIT, ascii_only=self.desk.ascii_only)
        yield TextLines()
        yield StatusLines()
        yield KeyBar(last=LAST_KEYS)

    def reload(self) -> None:
        """Ask again for the feeds."""
        self.ask(self.desk.answers.feeds(), self._apply)

    def notes(self) -> tuple[str, ...]:
        """Say what the cache has to say."""
        return self.lines.lines

    def _on_pulse(self, pulse: Pulse) -> None:
        # Also a round that brought nothing new changes when a feed was asked and is due.
        super()._on_pulse(replace(pulse, changed=True))

    def _apply(self, view: FeedsView) -> None:
        self.table.view = view.table
        self.lines.lines = view.notices + self.desk.pulse().lines
