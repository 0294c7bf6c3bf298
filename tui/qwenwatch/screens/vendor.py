"""One vendor in full."""

from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from qwenwatch.screens.page import LAST_KEYS, PLACES, Desk, Page
from qwenwatch_widgets.headline import StatusLines, TextLines, TopLines
from qwenwatch_widgets.keybar import KeyBar
from qwenwatch_widgets.panels import VendorPanel
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.market import Headline, PanelView, VendorView
from qwenwatch_widgets.views.query import MarketQuery, TablesQuery
from qwenwatch_widgets.views.table import TableView
from qwenwatch_widgets.views.tables import TablesView

_WAIT = TableView("", "", (), (), empty="Reading the cache…")


class VendorScreen(Page):
    """The vendor's history, its models, their prices and what changed, and where it comes from."""

    DEFAULT_CSS = """
    VendorScreen {
        layout: grid;
        grid-size: 2;
        grid-columns: 60 1fr;
        grid-rows: 2 11 2fr 1fr auto 2 1;
        & > TopLines, & > VendorPanel, & > #changes, & > TextLines, & > StatusLines, & > KeyBar {
            column-span: 2;
        }
        &.-narrow {
            layout: vertical;
            & > VendorPanel { height: 7; }
            & > ViewTable { height: 1fr; }
            & > TextLines { display: none; }
        }
        &.-narrow.-short > #changes, &.-narrow.-low > #changes { display: none; }
    }
    """

    AUTO_FOCUS = "#models"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "app.pop_screen", "back", id="vendor.back", key_display="esc",
                tooltip="Back to the market"),
    ]  # fmt: skip

    top = getters.query_one(TopLines)
    panel = getters.query_one(VendorPanel)
    models = getters.query_one("#models", ViewTable)
    prices = getters.query_one("#prices", ViewTable)
    changes = getters.query_one("#changes", ViewTable)
    sources = getters.query_one(TextLines)

    def __init__(
        self, desk: Desk, query: MarketQuery, panel: PanelView, headline: Headline
    ) -> None:
        """Make the screen.

        Args:
            desk: What it works with.
            query: Window, definition and baseline.
            panel: The vendor's panel on the Market screen, shown until there is more.
            headline: That of the Market screen.
        """
        super().__init__(desk)
        self._query = query
        self._panel = panel
        self._headline = headline

    def compose(self) -> ComposeResult:
        """Make the parts, filled with what the Market screen knows."""
        plain = self.desk.ascii_only
        yield TopLines(self._headline, places=PLACES, here=self._panel.title.partition(" ")[2])
        yield VendorPanel(self._panel, ascii_only=plain)
        yield ViewTable(_WAIT, id="models", opens=True, ascii_only=plain)
        yield ViewTable(_WAIT, id="prices", opens=True, ascii_only=plain)
        yield ViewTable(_WAIT, id="changes", ascii_only=plain)
        yield TextLines()
        yield StatusLines(self._headline)
        yield KeyBar(last=LAST_KEYS)

    def reload(self) -> None:
        """Ask again for the vendor."""
        self.ask(self.desk.answers.vendor(self._panel.vendor, self._query), self._apply)
        # Apart: to find what changed takes longer than all else.
        question = self.desk.answers.tables(TablesQuery("vendor", subject=self._panel.vendor))
        self.ask(question, self._apply_changes, group="changes")

    @on(ViewTable.RowSelected)
    def _open_row(self, event: ViewTable.RowSelected) -> None:
        # Loaded when first wanted, like this screen itself.
        from qwenwatch.screens.hosts import HostsScreen

        # A price row is one offer: the model comes first in its key.
        key = event.row.key
        model = key.partition(" ")[0] if event.table is self.prices else key
        self.app.push_screen(HostsScreen(self.desk, model))

    def _apply_changes(self, view: TablesView) -> None:
        self.changes.view = view.tables[0]

    def _apply(self, view: VendorView) -> None:
        with self.app.batch_update():
            self.top.view = self.status.view = view.headline
            self.panel.view = self._panel = view.panel
            self.models.view = view.models
            self.prices.view = view.prices
            # The status lines name the first source already.
            self.sources.lines = tuple(x for x in view.sources if x != view.headline.source)
