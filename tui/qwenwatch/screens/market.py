"""The Market screen: who is used how much, at what price."""

from typing import ClassVar

from msgspec.structs import replace
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from qwenwatch.screens.page import LAST_KEYS, PLACES, Desk, steps_about
from qwenwatch.screens.panes import PanedPage
from qwenwatch_widgets.headline import StatusLines, TopLines
from qwenwatch_widgets.keybar import KeyBar
from qwenwatch_widgets.panels import PanelGrid
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.text import plain
from qwenwatch_widgets.views.claim_draft import Claimable
from qwenwatch_widgets.views.market import Headline, MarketView
from qwenwatch_widgets.views.query import MarketQuery, PriceWish, TablesQuery
from qwenwatch_widgets.views.table import TableView

_WAIT = TableView("", "", (), (), empty="Reading the cache…")
_WAIT_HEADLINE = Headline("", "starting", "dim", "Reading the cache…", "", "", "", "")
_NOTHING = TableView("", "", (), (), empty="No figures yet: the line below says why.")
_NO_HEADLINE = Headline("", "no figures", "warn", "", "", "", "", "")

_GRAINS = ("day", "week", "month")
_GROUPINGS = ("vendor", "model", "country")


class MarketScreen(PanedPage):
    """Leaders, vendor panels and prices; one under the other where there is little room."""

    AUTO_FOCUS = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "definition(1)", "definition", id="market.definition",
                tooltip="Next definition of usage"),
        Binding("D", "definition(-1)", "Definition back", show=False, id="market.definition-back",
                tooltip="Definition before"),
        Binding("t", "grain", "window", id="market.window", tooltip="Day, week or month"),
        Binding("m", "grouping", "group", id="market.group",
                tooltip="Leaders by vendor, model or country"),
        Binding("less_than_sign", "step(1)", "back", id="market.back", key_display="<",
                tooltip="One window back in time"),
        Binding("greater_than_sign", "step(-1)", "forth", id="market.forth", key_display=">",
                tooltip="One window forth in time"),
        Binding("b", "baseline", "baseline", id="market.baseline",
                tooltip="Compare prices with this model"),
        Binding("v", "compare_marked", "Compare", show=False, id="market.compare",
                tooltip="Models of marked prices side by side"),
        Binding("o", "source", "source", id="market.source",
                tooltip="Open the source in a browser"),
        Binding("z", "zoom", "zoom", id="market.zoom", tooltip="Give the pane the whole screen"),
        Binding("escape", "unzoom", "Back", show=False, id="market.unzoom",
                tooltip="Back from zoom and from the prices"),
        Binding("tab", "pane(1)", "pane", id="market.pane", key_display="⇥",
                tooltip="Next pane: leaders, panels, prices"),
        Binding("shift+tab", "pane(-1)", "Pane back", show=False, id="market.pane-back",
                tooltip="Pane before"),
        Binding("right,l", "focus_pane('panels')", "Panels", show=False, id="market.to-panels",
                tooltip="From the leaders to the panels"),
        Binding("left,h", "focus_pane('leaders')", "Leaders", show=False, id="market.to-leaders",
                tooltip="From the panels to the leaders"),
        Binding("slash", "in_leaders(\"ask('/')\")", "find", id="market.find", key_display="/",
                tooltip="Find a text in the leaders"),
        Binding("f", "in_leaders(\"ask('f')\")", "Filter", show=False, id="market.filter",
                tooltip="Show only leaders with a text"),
        Binding("s", "in_leaders('sort')", "sort", id="market.sort",
                tooltip="Sort the leaders by the next column"),
        Binding("S", "in_leaders('reverse')", "Reverse", show=False, id="market.reverse",
                tooltip="Reverse the order of the leaders"),
    ]  # fmt: skip

    view: reactive[MarketView | None] = reactive(None, init=False)
    """What is shown."""

    top = getters.query_one(TopLines)
    leaders = getters.query_one("#leaders", ViewTable)
    panels = getters.query_one(PanelGrid)
    prices = getters.query_one("#prices", ViewTable)

    def __init__(self, desk: Desk, query: MarketQuery, view: MarketView | None) -> None:
        """Make the screen.

        Args:
            desk: What it works with.
            query: What to ask for first.
            view: What to show until there is an answer.
        """
        super().__init__(desk)
        self.query_wanted = query
        self._query_shown = query
        self.set_reactive(MarketScreen.view, view)

    def compose(self) -> ComposeResult:
        """Make the panes, filled with the view that was ready."""
        view, ascii_only = self.view, self.desk.ascii_only
        headline = view.headline if view else _WAIT_HEADLINE
        leaders, prices = (view.leaders, view.prices) if view else (_WAIT, _WAIT)
        yield TopLines(headline, places=PLACES, here="Market")
        yield ViewTable(leaders, id="leaders", opens=True, ascii_only=ascii_only)
        yield PanelGrid(view.panels if view else (), id="panels", ascii_only=ascii_only)
        yield ViewTable(prices, id="prices", opens=True, marks=True, ascii_only=ascii_only)
        yield StatusLines(headline)
        yield KeyBar(last=LAST_KEYS)

    def on_mount(self) -> None:
        """Give the keys to the panels, or to the leaders where only one panel has room."""
        narrow = self.app.size.width < 110 or self.app.size.height < 34
        self.set_focus(self.leaders if narrow else self.panels)
        # Watched rather than told by message: both panes then change in the same frame.
        self.watch(self.leaders, "cursor", self._follow_leader, init=False)
        self.watch(self.panels, "selected", self._follow_panel, init=False)

    def reload(self) -> None:
        """Ask again for what is wanted."""
        self._want(self.query_wanted)

    def failed(self) -> None:
        """Go back to wanting what is shown; without figures, say so in their place."""
        self.query_wanted = self._query_shown
        if self.view is None:
            self.top.view = _NO_HEADLINE
            self.leaders.view = self.prices.view = _NOTHING

    def watch_view(self, view: MarketView) -> None:
        """Hand every widget its part of the view."""
        with self.app.batch_update():
            self.top.view = self.status.view = view.headline
            self.leaders.view = view.leaders
            self.panels.panels = view.panels
            self.prices.view = view.prices

    def under_cursor(self) -> tuple[str, str]:
        """Give the figures of the selected panel, where the keys go to the panels."""
        panel = self.panels.panel
        if panel is None or not self.panels.has_focus:
            return super().under_cursor()
        figures = (panel.title, panel.value, panel.share, panel.change)
        return "\t".join(plain(figure) for figure in figures), plain(panel.cite)

    def claimable(self) -> Claimable:
        """Give the claim of the selected panel, where the keys go to the panels."""
        panel = self.panels.panel
        return panel.claim if panel and self.panels.has_focus else super().claimable()

    def _follow_leader(self) -> None:
        if self.leaders.has_focus and self.leaders.row is not None:
            self.panels.go_to(self.leaders.row.key.partition("/")[0])

    def _follow_panel(self) -> None:
        if self.panels.has_focus and self.panels.panel is not None:
            self.leaders.go_to(self.panels.panel.vendor)

    @on(ViewTable.RowSelected)
    def _open_row(self, event: ViewTable.RowSelected) -> None:
        if event.table is self.prices:
            self._open_hosts(event.row.key)
            return
        # The key of a model begins with its vendor.
        vendor = event.row.key.partition("/")[0]
        if any(panel.vendor == vendor for panel in self.panels.panels):
            self._open_vendor(vendor)
        else:
            self.say("There is no panel of this row's vendor")

    @on(PanelGrid.Selected)
    def _open_panel(self, event: PanelGrid.Selected) -> None:
        self._open_vendor(event.vendor)

    def action_definition(self, step: int) -> None:
        """Switch to another definition of usage."""
        if self.view is None or len(self.view.definitions) < 2:
            self.say("There are figures under one definition only")
            return
        keys = [choice.key for choice in self.view.definitions]
        wanted = self.query_wanted.definition or self.view.definition
        at = keys.index(wanted) if wanted in keys else 0
        self._want(replace(self.query_wanted, definition=keys[(at + step) % len(keys)]))

    def action_grain(self) -> None:
        """Switch between days, weeks and months, about the same time."""
        grain = _after(_GRAINS, self.query_wanted.grain)
        back = self.view.steps.get(grain, 0) if self.view else 0
        if self.query_wanted != self._query_shown:  # its answer, with the steps, is yet to come
            back = steps_about(self.query_wanted.steps_back, self.query_wanted.grain, grain)
        self._want(replace(self.query_wanted, grain=grain, steps_back=back))

    def action_grouping(self) -> None:
        """Switch the leaders between vendors, models and countries."""
        self._want(replace(self.query_wanted, by=_after(_GROUPINGS, self.query_wanted.by)))

    def action_step(self, step: int) -> None:
        """Step back (1) or forth (-1) in time."""
        back = self.query_wanted.steps_back + step
        if back < 0:
            self.say(f"This is the newest complete {self.query_wanted.grain}")
            return
        self._want(replace(self.query_wanted, steps_back=back))

    def action_baseline(self) -> None:
        """Compare prices with the model under the cursor."""
        if self.prices.row is not None:
            self._want(replace(self.query_wanted, baseline=_model_of(self.prices.row.key)))
        else:
            self.say("There is no price to compare with")

    def action_compare_marked(self) -> None:
        """Show the models of the marked prices side by side, as on the Prices screen."""
        shown, marked = self._query_shown, self.prices.marked
        rows = (*self.prices.rows, *self.prices.view.rows)  # a filter hides no mark
        models = dict.fromkeys(_model_of(row.key) for row in rows if row.key in marked)
        prices = PriceWish(baseline=shown.baseline)
        query = TablesQuery("compare", shown.grain, shown.steps_back, prices=prices)
        self.compare(tuple(models), query)

    async def action_in_leaders(self, action: str) -> None:
        """Do in the leaders what a table does, where the keys go to no table."""
        self.action_focus_pane("leaders")
        await self.leaders.run_action(action)

    def action_source(self) -> None:
        """Open the page of the source."""
        url = self.view.source_url if self.view else ""
        if url.startswith(("https://", "http://")):
            self.app.open_url(url)
            self.say(f"Opened {url}")
        else:
            self.say("These figures have no page to open")

    def _want(self, query: MarketQuery) -> None:
        self.query_wanted = query
        switched = query != self._query_shown
        self.ask(self.desk.answers.market(query), self._apply, switched=switched)

    def _apply(self, view: MarketView) -> None:
        self._query_shown = self.query_wanted
        self.view = view

    def _open_hosts(self, offer: str) -> None:
        from qwenwatch.screens.hosts import HostsScreen

        self.app.push_screen(HostsScreen(self.desk, _model_of(offer)))

    def _open_vendor(self, vendor: str) -> None:
        # Loaded when first wanted: the first paint does not wait for it.
        from qwenwatch.screens.vendor import VendorScreen

        panel = next(each for each in self.panels.panels if each.vendor == vendor)
        self.app.push_screen(VendorScreen(self.desk, self._query_shown, panel, self.status.view))


def _model_of(offer: str) -> str:
    """The model of a price row's key: one offer, of which the model comes first."""
    return offer.partition(" ")[0]


def _after(values: tuple[str, ...], value: str) -> str:
    return values[(values.index(value) + 1) % len(values)] if value in values else values[0]
