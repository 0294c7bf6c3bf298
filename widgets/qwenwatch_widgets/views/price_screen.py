"""The whole price table, as the Prices screen shows it: one line per offer."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Answer, Page
from qwenwatch_widgets.views.disagreement import SAME
from qwenwatch_widgets.views.price_bars import TITLE, bar_cell
from qwenwatch_widgets.views.price_extras import inserted, rates_text
from qwenwatch_widgets.views.prices import (
    SAME_CURRENCY,
    mix_text,
    money_text,
    offer_key,
    prices_table,
)
from qwenwatch_widgets.views.sources import source_line
from qwenwatch_widgets.views.table import Cell, Column, TableView

if TYPE_CHECKING:
    from qwenwatch_cache.market.terms import Terms
    from qwenwatch_cache.vendors import Vendors
    from qwenwatch_widgets.views.snapshot import Snapshot

ACROSS = "same basis, in the same currency or converted"
"""What a price and the baseline's have in common once prices are converted."""

AMOUNTS = {"input": "input", "output": "output", "cached": "cache_read", "blended": "blended"}
"""Columns of the table by key, and the columns of prices.PRICES that they show."""

DROPS = {
    **{"vendor": 10, "changed": 6, "cached": 5, "blended": 4, "ratio_input": 3, "ratio_output": 3},
    **{"bar": 2, "ratio_blended": 1},
}
"""Which columns go first where there is little room."""

NOTES = (
    "standard prices; those of LiteLLM are left out where another source lists the model · "
    "≠ sources disagree, see below · a cell of the bar is a factor of two"
)


def prices_page(snapshot: "Snapshot", disagreement: Answer, vendors: "Vendors") -> Page:
    """The price table and, below it, where sources disagree.

    Args:
        snapshot: Of the section "prices" alone, for the standard variant.
        disagreement: Where sources disagree at the same time.
        vendors: For the vendors' names.
    """
    assert snapshot.prices is not None
    ask, terms = snapshot.ask, snapshot.ask.terms
    origins = {origin.feed: origin for origin in snapshot.origins}
    frame = snapshot.prices.filter(~snapshot.prices["cross_check"])
    table = prices_table(
        frame,
        baseline=ask.baseline,
        mix=ask.mix,
        at=snapshot.priced_at,
        names={vendor.id: vendor.label for vendor in vendors},
        origins=origins,
        order=snapshot.order,
    )
    by_key = {offer_key(row): row for row in frame.to_dicts()}
    rows = [by_key[row.key] for row in table.rows]
    if terms.currency:
        rates = rates_text(rows, terms.currency, origins)
        table = _converted(table, rows, terms.currency)
        notes = table.caption.partition(" · ")[2].replace(SAME_CURRENCY, ACROSS)
        table = replace(table, caption=f"{terms.currency}, {rates} · {notes}")
    contradicted = {tuple(row[name] for name in SAME) for row in disagreement.document["prices"]}
    table = inserted(table, "basis", [_flags(rows, contradicted)])
    bars = [bar_cell(row["ratio_blended"]) for row in rows]
    table = inserted(table, "ratio_blended", [(Column("bar", TITLE), bars)])
    columns = [
        replace(one, drop=DROPS.get(one.key, one.drop), grow=one.key in {"model", "basis"})
        for one in table.columns
    ]
    table = replace(table, columns=tuple(columns))
    models = len({row["model"] for row in rows})
    summary = (
        f"{len(rows):,} offers of {models:,} models",
        terms_text(terms),
        mix_text(ask.mix),
        f"× to {amounts.clean(ask.baseline)}",
    )
    return Page(
        title="qwenwatch prices",
        lines=[" · ".join(summary), NOTES],
        tables=[table, *disagreement.page.tables],
        sources=[source_line(origin, snapshot.known_at) for origin in snapshot.origins],
    )


def terms_text(terms: "Terms") -> str:
    """What the prices are: ``list prices in CNY for prompts of 40k``."""
    basis = f"{terms.basis or 'route and list'} prices"
    money = f"in {terms.currency}" if terms.currency else "as stated"
    size = amounts.short_count(terms.prompt_tokens)
    prompts = f"for prompts of {size}" if terms.prompt_tokens else "for the shortest prompts"
    return f"{basis} {money} {prompts}"


def _flags(
    rows: Sequence[Mapping[str, Any]], contradicted: Collection[tuple[Any, ...]]
) -> tuple[Column, Sequence[Cell]]:
    """Which prices another source contradicts."""
    flag = Cell("≠", "warn", 1.0)
    cells = [flag if tuple(row[name] for name in SAME) in contradicted else Cell() for row in rows]
    return Column("differs", "≠"), cells


def _converted(table: TableView, rows: Sequence[Mapping[str, Any]], currency: str) -> TableView:
    """The table with amounts in one currency, which can be compared and sorted."""
    keys = [column.key for column in table.columns]
    found: dict[int, Sequence[Cell]] = {}
    for key, name in AMOUNTS.items():
        values = [row[f"converted_{name}"] for row in rows]
        texts = amounts.on_point([money_text(value, currency) for value in values])
        found[keys.index(key)] = [
            Cell(text, sort=None if value is None else float(value))
            for text, value in zip(texts, values, strict=True)
        ]
    lines = []
    for number, (row, line) in enumerate(zip(rows, table.rows, strict=True)):
        cells = (found[at][number] if at in found else cell for at, cell in enumerate(line.cells))
        cite = line.cite
        if row["currency"] != currency and row["rate"] is not None:
            own = " in, ".join(
                amounts.money(row[f"converted_{name}"]) for name in ("input", "output")
            )
            cite += f" Converted: {currency} {own} out, at the rate of {row['rate_date']}."
        lines.append(replace(line, cells=tuple(cells), cite=cite))
    return replace(table, rows=tuple(lines))
