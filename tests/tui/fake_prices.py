"""Made-up answers to the questions of the Prices screen."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from qwenwatch_widgets.views.price_bars import TITLE, bar_cell
from qwenwatch_widgets.views.price_extras import inserted
from qwenwatch_widgets.views.query import TablesQuery
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView
from qwenwatch_widgets.views.tables import TablesView
from tests.tui.fakes import PRICES, claim, market, money, prices, ratio, series

DISAGREEING = "deepseek/v4-flash-0731"
"""The model of which sources state different prices."""


def price_table(query: TablesQuery) -> TableView:
    """The price table, of the basis wanted."""
    wish = query.prices
    table = prices(wish.baseline)
    flags = [Cell("≠", "warn", 1.0) if _differs(row) else Cell() for row in table.rows]
    table = inserted(table, "basis", [(Column("differs", "≠"), flags)])
    costs = [cost for _, _, _, cost, _, _, _ in PRICES]
    bars = [bar_cell(None if cost is None else cost / 1.2) for cost in costs]
    table = inserted(table, "ratio_output", [(Column("bar", TITLE, drop=2), bars)])
    rows = tuple(row for row in table.rows if wish.basis in row.cells[2].text)
    caption = f"{wish.currency or 'as stated'} · {wish.prompt_tokens} tokens · made-up prices"
    return replace(table, rows=rows, caption=caption)


def disagreement() -> TableView:
    """Two sources that differ about a cached price."""
    columns = (
        Column("model", "Model", grow=True),
        Column("source", "Source"),
        Column("cached", "Cached", "right"),
    )
    rows = tuple(
        Row(
            f"{DISAGREEING}  list global USD {feed}",
            (Cell("v4-flash-0731" if first else ""), Cell(feed), Cell(f"≠ {cached}")),
            claim=claim(feed),
        )
        for feed, cached, first in (("LiteLLM ✎", "0.028", True), ("models.dev ✎", "0.0028", False))
    )
    return TableView("Disagreement", "made-up figures", columns, rows)


def index() -> TableView:
    """Two vendors and all of them."""
    columns = (
        Column("vendor", "Vendor", grow=True),
        Column("spark", "Index", drop=2, width=26),
        Column("now", "22 Aug", "right"),
    )
    rows = tuple(
        Row(key, (Cell(name), Cell(series=series(at, 80.0)), Cell("80.0", sort=80.0)), pinned=pin)
        for at, (key, name, pin) in enumerate(
            (("alibaba", "Alibaba · Qwen", False), ("xai", "xAI", False), ("all", "All", True))
        )
    )
    return TableView("Price index", "made-up figures", columns, rows)


def compared(query: TablesQuery) -> TableView:
    """A column per model."""
    fields = ("input", "output", "cached")
    route = {model: found for model, _, basis, *found, _ in PRICES if basis == "route"}
    rows = [
        Row(
            f"route · test {field}",
            (
                Cell("route · test"),
                Cell(field, "dim"),
                *(Cell(money(route[model][at])) for model in query.models),
            ),
            claim=claim(f"{field} of {' and '.join(query.models[:2])}"),
        )
        for at, field in enumerate(fields)
    ]
    ratios = (Cell(ratio(route[model][0], 1.2), "accent") for model in query.models)
    pictures = (Cell(series=series(at, 1.0, 20)) for at in range(len(query.models)))
    rows.append(Row("ratio", (Cell("route · test", "dim"), Cell("× blended"), *ratios)))
    rows.append(Row("history", (Cell("route · test", "dim"), Cell("history"), *pictures)))
    return TableView(
        f"{len(query.models)} models side by side",
        "made-up figures",
        (
            Column("offer", "Offer", grow=True),
            Column("field", ""),
            *(Column(one, one.partition("/")[2], "right", width=20) for one in query.models),
        ),
        tuple(rows),
    )


def _differs(row: Row) -> bool:
    return row.key.startswith(DISAGREEING) and "list" in row.key


def _view(query: TablesQuery, *tables: TableView) -> TablesView:
    wish = query.prices
    headline = replace(
        market().headline,
        window=f"{query.grain} {query.steps_back} back",
        summary=f"{wish.basis or 'route and list'} prices · × to {wish.baseline}",
    )
    return TablesView(headline, tables, ("Source: test data",))


PAGES: Mapping[str, Callable[[TablesQuery], TablesView]] = {
    "prices": lambda query: _view(query, price_table(query), disagreement()),
    "index": lambda query: _view(query, index()),
    "compare": lambda query: _view(query, compared(query)),
}
"""The questions by name."""
