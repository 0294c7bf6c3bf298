"""What the table of prices shows besides, on terms of its own: a currency, batch prices."""

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.prices import (
    SAME_CURRENCY,
    money_text,
    offer_key,
    ratio_text,
)
from qwenwatch_widgets.views.table import Cell, Column, TableView

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.origins import Origin
    from qwenwatch_cache.market.terms import Terms

RATIOS = ("ratio_input", "ratio_output", "ratio_blended")

AS_STATED = frozenset({"blended", "changed"})
"""Columns that make room for amounts in one currency: what is blended of stated amounts says the
same again, and it is stated amounts that changed."""


def with_extras(
    table: TableView,
    frame: "pl.DataFrame",
    terms: "Terms",
    origins: Mapping[str, "Origin"],
    *,
    batch: bool,
) -> TableView:
    """Add the columns and notes that the terms call for.

    Args:
        table: As `prices.prices_table` makes it, of the variant of the terms.
        frame: prices.PRICES, or conversion.CONVERTED if the terms name a currency.
        terms: What was wanted.
        origins: Where figures came from, by feed.
        batch: Whether batch prices get columns, where there are any.
    """
    rows = frame.to_dicts()
    shown = {offer_key(row): row for row in rows if row["variant"] == (terms.variant or "")}
    in_order = [shown[row.key] for row in table.rows]
    if terms.variant:
        variant = amounts.clean(terms.variant)
        to_standard = table.caption.replace(SAME_CURRENCY, f"standard price, {SAME_CURRENCY}")
        table = replace(table, caption=f"{variant} prices · {to_standard}")
    if terms.prompt_tokens:
        prompts = f"for prompts of {terms.prompt_tokens:,} tokens"
        table = replace(table, caption=f"{prompts} · {table.caption}")
    if batch and terms.variant is None:
        table = _with_batch(table, rows, in_order)
    if terms.currency:
        table = _with_currency(table, in_order, terms.currency, origins)
    return table


def _with_batch(
    table: TableView, rows: Sequence[Mapping[str, Any]], shown: Sequence[Mapping[str, Any]]
) -> TableView:
    batches = {offer_key(row): row for row in rows if row["variant"] == "batch"}
    if not any(offer_key(row) in batches for row in shown):
        return table
    found = [batches.get(offer_key(row), {"currency": row["currency"]}) for row in shown]
    return inserted(
        table,
        "cached",
        [
            _column("batch_input", "Batch in", found, lambda row: row.get("input")),
            _column("batch_output", "Batch out", found, lambda row: row.get("output")),
        ],
    )


def _with_currency(
    table: TableView,
    rows: Sequence[Mapping[str, Any]],
    currency: str,
    origins: Mapping[str, "Origin"],
) -> TableView:
    at = [column.key for column in table.columns].index(RATIOS[0])
    end = at + len(RATIOS)
    lines = []
    for row, line in zip(rows, table.rows, strict=True):
        ratios = (
            Cell(ratio_text(row[name]), cell.tone, row[name])
            for name, cell in zip(RATIOS, line.cells[at:end], strict=True)
        )
        lines.append(replace(line, cells=(*line.cells[:at], *ratios, *line.cells[end:])))
    notes = f"{rates_text(rows, currency, origins)} · {table.caption}"
    across = "same basis, in the same currency or converted"
    table = replace(table, rows=tuple(lines), caption=notes.replace(SAME_CURRENCY, across))
    if all(row["currency"] == currency for row in rows):
        return table
    own = [{**row, "currency": currency} for row in rows]
    wanted = (("input", "In"), ("output", "Out"), ("blended", "Blend"))
    both = inserted(
        table,
        "blended",
        [
            _column(f"converted_{name}", f"{title} {currency}", own, _getter(f"converted_{name}"))
            for name, title in wanted
        ],
    )
    return _without(both, AS_STATED)


def _without(table: TableView, keys: Collection[str]) -> TableView:
    """The table without some of its columns."""
    kept = [at for at, column in enumerate(table.columns) if column.key not in keys]
    rows = (replace(row, cells=tuple(row.cells[at] for at in kept)) for row in table.rows)
    return replace(table, columns=tuple(table.columns[at] for at in kept), rows=tuple(rows))


def rates_text(
    rows: Sequence[Mapping[str, Any]], currency: str, origins: Mapping[str, "Origin"]
) -> str:
    """At which rates amounts were converted: ``1 CNY = 0.1447 USD (ECB, 2026-02-18)``."""
    texts = {}
    for row in rows:
        own, feed = row["currency"], row["rate_feed"]
        if own == currency:
            continue
        if row["rate"] is None:
            texts[own] = f"no rate of {own} is known"
            continue
        publisher = origins[feed].publisher if feed in origins else feed
        rate = amounts.money(row["rate"].quantize(Decimal("0.0001")))
        if row["rate"] < 1:
            rate = f"{row['rate']:.4f}"
        texts[own] = f"1 {own} = {rate} {currency} ({publisher}, {row['rate_date']})"
    return ", ".join(texts[own] for own in sorted(texts)) or f"all in {currency}"


def _getter(name: str) -> Callable[[Mapping[str, Any]], Decimal | None]:
    return lambda row: row[name]


def _column(
    key: str,
    title: str,
    rows: Sequence[Mapping[str, Any]],
    amount: Callable[[Mapping[str, Any]], Decimal | None],
) -> tuple[Column, list[Cell]]:
    values = [amount(row) for row in rows]
    texts = amounts.on_point(
        [money_text(value, row["currency"]) for value, row in zip(values, rows, strict=True)]
    )
    cells = [
        Cell(text, sort=None if value is None else float(value))
        for text, value in zip(texts, values, strict=True)
    ]
    return Column(key, title, "right", drop=3), cells


def inserted(
    table: TableView, after: str, columns: Sequence[tuple[Column, Sequence[Cell]]]
) -> TableView:
    """The table with some columns behind one of its own."""
    at = [column.key for column in table.columns].index(after) + 1
    added = tuple(column for column, _ in columns)
    lines = [
        replace(
            line,
            cells=(
                *line.cells[:at],
                *(cells[number] for _, cells in columns),
                *line.cells[at:],
            ),
        )
        for number, line in enumerate(table.rows)
    ]
    return replace(
        table, columns=(*table.columns[:at], *added, *table.columns[at:]), rows=tuple(lines)
    )
