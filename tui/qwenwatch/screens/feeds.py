"""Health of every feed, in plain words."""

from collections.abc import Mapping
from textwrap import wrap
from types import MappingProxyType
from typing import ClassVar

from msgspec.structs import replace
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from qwenwatch.screens.page import LAST_KEYS, PLACES, Page
from qwenwatch.screens.pulse import Pulse
from qwenwatch_widgets.headline import NO_HEADLINE, StatusLines, TextLines, TopLines
from qwenwatch_widgets.keybar import KeyBar
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.feeds import FeedsView
from qwenwatch_widgets.views.table import TableView

COLUMNS = (
    "Last good: when the feed was last read; as of: its own date of its newest figure.",
    "Left today: requests that its daily budget leaves until midnight UTC.",
    "New: rows that the last round with news brought; rows: all that the cache holds of it.",
)
"""What the columns are, for the help."""

_WAIT = TableView("", "", (), (), empty="Reading the cache…")


class FeedsScreen(Page):
    """One row per feed; below, more of the one under the cursor, and what the cache has to say."""

    DEFAULT_CSS = """
    FeedsScreen {
        & > TopLines { height: 1; }
        & > ViewTable { height: 1fr; }
        & > #detail { max-height: 8; }
    }
    """

    AUTO_FOCUS = "ViewTable"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.market", "back", id="feeds.back", key_display="esc",
                tooltip="Back to the market"),
    ]  # fmt: skip

    _details: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    table = getters.query_one(ViewTable)
    detail = getters.query_one("#detail", TextLines)
    lines = getters.query_one("#lines", TextLines)

    def compose(self) -> ComposeResult:
        """Make the table, empty until there is an answer."""
        headline = replace(NO_HEADLINE, badge="health of the feeds")
        yield TopLines(headline, places=PLACES, here="Feeds")
        yield ViewTable(_WAIT, ascii_only=self.desk.ascii_only)
        yield TextLines(id="detail")
        yield TextLines(id="lines")
        yield StatusLines()
        yield KeyBar(last=LAST_KEYS)

    def on_mount(self) -> None:
        """Show more of the feed under the cursor, whichever it is."""
        # Textual calls the handler of `Page` too.
        self.watch(self.table, "cursor", self._show_detail)

    def reload(self) -> None:
        """Ask again for the feeds."""
        self.ask(self.desk.answers.feeds(), self._apply)

    def notes(self) -> tuple[str, ...]:
        """Say what the columns are, and what the cache has to say."""
        return (*COLUMNS, *self.lines.lines)

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._show_detail()

    def _on_pulse(self, pulse: Pulse) -> None:
        # Also a round that brought nothing new changes when a feed was asked and is due.
        super()._on_pulse(replace(pulse, changed=True))

    def _apply(self, view: FeedsView) -> None:
        self._details = {one.feed: one.lines for one in view.details}
        self.table.view = view.table
        self._show_detail()
        self.lines.lines = view.notices

    def _show_detail(self) -> None:
        row = self.table.row
        lines = self._details.get(row.key, ()) if row else ()
        room = max(self.size.width - 3, 20)
        self.detail.lines = tuple(part for line in lines for part in wrap(line, room))
