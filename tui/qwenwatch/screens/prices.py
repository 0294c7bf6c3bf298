"""The Prices screen: every offer, where sources disagree, and how vendors' prices moved."""

from typing import ClassVar, TypeVar

from msgspec.structs import replace
from textual import on
from textual.binding import Binding, BindingType

from qwenwatch.screens.page import Desk
from qwenwatch.screens.tables import TablesScreen
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.query import PriceWish, TablesQuery
from qwenwatch_widgets.views.table import TableView
from qwenwatch_widgets.views.tables import TablesView

Value = TypeVar("Value")

_BASES = ("", "route", "list")
_CURRENCIES = ("", "USD", "CNY", "EUR")
_SIZES = (0, 40_000, 200_000)

_OF_MODELS = 2
"""Tables, from the top, whose rows are of a model: the prices and the disagreement."""


class PricesScreen(TablesScreen):
    """The whole price table and two tables below it; the index comes when it is computed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "compare", "compare", id="prices.compare",
                tooltip="Compare the marked models side by side (space marks)"),
        Binding("b", "baseline", "baseline", id="prices.baseline",
                tooltip="Compare prices with this model"),
        Binding("B", "basis", "basis", id="prices.basis",
                tooltip="Route prices, list prices or both"),
        Binding("dollar_sign", "currency", "currency", id="prices.currency", key_display="$",
                tooltip="Prices as stated, or in USD, CNY or EUR"),
        Binding("number_sign", "size", "size", id="prices.size", key_display="#",
                tooltip="Prices for the shortest prompts, for 40k or for 200k tokens"),
    ]  # fmt: skip

    OPENS = MARKS = _OF_MODELS

    def __init__(self, desk: Desk, baseline: str) -> None:
        """Make the screen.

        Args:
            desk: What it works with.
            baseline: Model that price ratios refer to.
        """
        super().__init__(desk, "prices")
        self.query_wanted = replace(self.query_wanted, prices=PriceWish(baseline=baseline))
        self._query_shown = self.query_wanted
        self._prices: tuple[TableView, ...] = ()
        self._index: tuple[TableView, ...] = ()
        self._index_of: tuple[str, str, int] | None = None

    def reload(self) -> None:
        """Ask again for what is wanted, and then for the index."""
        self._index_of = None
        super().reload()

    def newest(self) -> str:
        """Say that nothing comes after now."""
        return "These are the prices of now"

    def action_basis(self) -> None:
        """Switch between route prices, list prices and both."""
        wish = self.query_wanted.prices
        self._wish(replace(wish, basis=_after(_BASES, wish.basis)))

    def action_currency(self) -> None:
        """Switch between prices as stated and prices in one currency."""
        wish = self.query_wanted.prices
        self._wish(replace(wish, currency=_after(_CURRENCIES, wish.currency)))

    def action_size(self) -> None:
        """Switch between lengths of prompts."""
        wish = self.query_wanted.prices
        self._wish(replace(wish, prompt_tokens=_after(_SIZES, wish.prompt_tokens)))

    def action_baseline(self) -> None:
        """Compare prices with the model under the cursor."""
        table = self.focused
        if table in self.stack.tables[:_OF_MODELS] and isinstance(table, ViewTable) and table.row:
            self._wish(replace(self.query_wanted.prices, baseline=_model_of(table.row.key)))
        else:
            self.say("There is no model under the cursor")

    def action_compare(self) -> None:
        """Show the marked models side by side."""
        self.compare(self._marked(), self._query_shown)

    @on(ViewTable.RowSelected)
    def _open_model(self, event: ViewTable.RowSelected) -> None:
        from qwenwatch.screens.hosts import HostsScreen

        self.app.push_screen(HostsScreen(self.desk, _model_of(event.row.key)))

    def _marked(self) -> tuple[str, ...]:
        """The marked models, in the order in which their rows are shown."""
        keys = (
            row.key
            for table in self.stack.tables[:_OF_MODELS]
            for row in (*table.rows, *table.view.rows)  # a filter hides no mark
            if row.key in table.marked
        )
        return tuple(dict.fromkeys(map(_model_of, keys)))

    def _wish(self, wish: PriceWish) -> None:
        self._want(replace(self.query_wanted, prices=wish))

    def _apply(self, query: TablesQuery, view: TablesView) -> None:
        self._prices = view.tables
        super()._apply(query, replace(view, tables=(*view.tables, *self._index)))
        index_of = (query.prices.basis, query.grain if query.steps_back else "", query.steps_back)
        if self._index_of != index_of:
            # Afterwards: it takes longer than all else, and is the same for this basis and time.
            self._index_of = index_of
            question = self.desk.answers.tables(replace(query, question="index"))
            self.ask(question, self._apply_index, group="index")

    def _apply_index(self, view: TablesView) -> None:
        self._index = view.tables
        self.stack.show((*self._prices, *self._index))


def _after(values: tuple[Value, ...], value: Value) -> Value:
    return values[(values.index(value) + 1) % len(values)]


def _model_of(key: str) -> str:
    """The model of a row: it comes first in the key."""
    return key.partition(" ")[0]
