"""The price comparison as a table."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.market.hours import hours_text
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.drafts import price_claim
from qwenwatch_widgets.views.sources import known_until
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.origins import Origin
    from qwenwatch_cache.market.prices import Mix

SAME_CURRENCY = "same basis and currency"
"""What a price and the baseline's that it is divided by have in common."""

OWN_CURRENCY = "USD"
"""The currency of amounts without a sign; others are never sorted or compared with these."""

SMALL_RATIO = 0.1
"""Below it two decimals say too little: 0.058 and 0.064 are 1/17.3 and 1/15.6."""

CHECKS = frozenset({"litellm"})
"""Feeds that others are checked by: not the vendors' word, so that they are always named."""

SIGNS = {"CNY": "¥", "EUR": "€"}

COLUMNS = (
    Column("model", "Model", grow=True),
    Column("vendor", "Vendor", drop=5),
    Column("basis", "Basis"),
    Column("input", "Input", "right"),
    Column("output", "Output", "right"),
    Column("cached", "Cached", "right", drop=4),
    Column("blended", "Blended", "right", drop=3),
    Column("ratio_input", "× in", "right", drop=1),
    Column("ratio_output", "× out", "right", drop=1),
    Column("ratio_blended", "× blend", "right", drop=2),
    Column("changed", "Changed", drop=6),
)


KEY = ("model", "basis", "feed", "source_id", "region", "currency")
"""Columns of prices.PRICES that name a row of the table."""


def offer_key(row: Mapping[str, Any]) -> str:
    """The key under which a row of prices.PRICES stands in the table."""
    return " ".join(row[name] for name in KEY)


def prices_table(
    frame: "pl.DataFrame",
    *,
    baseline: str,
    mix: "Mix",
    at: datetime,
    names: Mapping[str, str],
    origins: Mapping[str, "Origin"],
    order: Sequence[str] = (),
    only: Collection[str] | None = None,
    variant: str = "",
) -> TableView:
    """Show prices against a baseline model.

    Args:
        frame: prices.PRICES.
        baseline: Canonical id of the model that ratios refer to; stands first, marked ◆.
        mix: Workload behind the blended price.
        at: The moment the prices are of.
        names: Vendor labels by id.
        origins: Where the prices of each feed came from, by feed.
        order: Canonical ids in the order wanted; others follow by id.
        only: Canonical ids to show, None for all.
        variant: Variant to show, "" for standard prices.
    """
    place = {model: number for number, model in enumerate(dict.fromkeys((baseline, *order)))}
    rows = [
        row
        for row in frame.to_dicts()
        if row["variant"] == variant and (only is None or row["model"] in only)
    ]
    alike = Counter(map(_alike, rows))
    rows.sort(key=lambda row: (place.get(row["model"], len(place)), row["model"]))
    money = {
        name: amounts.on_point([money_text(row[name], row["currency"]) for row in rows])
        for name in ("input", "output", "cache_read", "blended")
    }
    return TableView(
        title="Prices · per 1M tokens",
        caption=" · ".join(
            (
                _currencies(rows),
                *_sources(rows, origins),
                mix_text(mix),
                f"× to {baseline.rpartition('/')[2]}, {SAME_CURRENCY}",
            )
        ),
        columns=COLUMNS,
        rows=tuple(
            _row(
                row,
                {name: texts[number] for name, texts in money.items()},
                baseline,
                at,
                names,
                origins[row["feed"]],
                row["feed"] in CHECKS or alike[_alike(row)] > 1,
            )
            for number, row in enumerate(rows)
        ),
        empty="no prices are known for this day: run `qwenwatch refresh`",
    )


def _alike(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What rows have in common that only their source tells apart."""
    return row["model"], row["basis"], row["region"]


def mix_text(mix: "Mix") -> str:
    """The workload in one phrase: ``mix 80:5:15 in:out:cached``."""
    parts = (mix.input, mix.output, mix.cached)
    return f"mix {':'.join(f'{float(part * 100):g}' for part in parts)} in:out:cached"


def _sources(rows: Sequence[Mapping[str, Any]], origins: Mapping[str, "Origin"]) -> list[str]:
    """Whose prices of each basis are shown, and of when: ``list models.dev 2026-07-02``.

    List prices are kept by hand, so that the day is as much as their date means.
    """
    texts = []
    for basis in ("route", "list"):
        feeds = sorted({row["feed"] for row in rows if row["basis"] == basis})
        named = []
        for feed in feeds:
            when = amounts.instant(origins[feed].as_of)
            date = when.partition(" ")[0] if basis == "list" else when
            named.append(f"{origins[feed].publisher} {date}")
        if named:
            texts.append(f"{basis} {', '.join(named)}")
    return texts


def money_text(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency before it, unless that is the table's own: ``¥2.50``."""
    if amount is None or currency == OWN_CURRENCY:
        return amounts.money(amount)
    return f"{SIGNS.get(currency, currency + ' ')}{amounts.money(amount)}"


def ratio_text(value: float | None) -> str:
    """A ratio, and a small one as a part: ``16.7×``, ``0.50×``, ``1/17.3``."""
    if value is None or value == 0 or value >= SMALL_RATIO:
        return amounts.ratio(value)
    return f"1/{1 / value:,.1f}"


def _row(
    row: Mapping[str, Any],
    money: Mapping[str, str],
    baseline: str,
    at: datetime,
    names: Mapping[str, str],
    origin: "Origin",
    named: bool,
) -> Row:
    name = amounts.clean(row["name"])
    vendor = names.get(row["vendor"] or "", amounts.UNKNOWN)
    basis = row["basis"] + (f" · {row['region']}" if row["region"] in {"cn", "intl"} else "")
    basis += f" · {origin.publisher}" if named else ""
    if row["tier_from"]:
        basis += f" · >{amounts.short_count(row['tier_from'])}"
    if row["up_to"] is not None:
        basis += f" · ≤{amounts.short_count(row['up_to'])}"
    hours = hours_text(amounts.clean(row["window_utc"]))
    basis += f" · {hours}" if hours else ""
    cells = (
        Cell(f"◆ {name}" if row["model"] == baseline else name, sort=name.casefold()),
        Cell(vendor, "dim", sort=vendor.casefold()),
        Cell(basis, "dim", sort=basis),
        Cell(money["input"], sort=_number(row, "input")),
        Cell(money["output"], sort=_number(row, "output")),
        Cell(money["cache_read"], sort=_number(row, "cache_read")),
        Cell(money["blended"], sort=_number(row, "blended")),
        Cell(amounts.ratio(row["ratio_input"]), sort=row["ratio_input"]),
        Cell(amounts.ratio(row["ratio_output"]), sort=row["ratio_output"]),
        Cell(amounts.ratio(row["ratio_blended"]), "accent", sort=row["ratio_blended"]),
        changed_cell(row, at),
    )
    cite = (
        f"{name}: {row['basis']} price {row['currency']} {amounts.money(row['input'])} in, "
        f"{amounts.money(row['output'])} out per 1M tokens{f', {hours}' if hours else ''} "
        f"({row['feed']}: {row['source_id']}), "
        f"unchanged since {amounts.instant(row['observed_at'])}. {origin.citation}"
    )
    claim = price_claim(row, known_until(origin, at))
    return Row(offer_key(row), cells, cite=amounts.clean(cite), claim=claim)


def changed_cell(row: Mapping[str, Any], at: datetime) -> Cell:
    """Direction and age of the last change of input or output price."""
    when: datetime | None = row["changed_at"]
    parts = [row[name] for name in ("previous_input", "previous_output", "input", "output")]
    if when is None or None in parts:
        return Cell(amounts.UNKNOWN, "dim")
    before, now = parts[0] + parts[1], parts[2] + parts[3]
    span = amounts.age(at - when)
    if now == before:
        return Cell(f"· {span}", "dim", sort=when.timestamp())
    up = now > before
    # A price that rises is bad news for the reader, so it takes the colour of a loss.
    return Cell(f"{'▲' if up else '▼'} {span}", "down" if up else "up", sort=when.timestamp())


def _number(row: Mapping[str, Any], name: str) -> float | None:
    """What an amount is sorted by; in another currency it has no place among the others."""
    if row[name] is None or row["currency"] != OWN_CURRENCY:
        return None
    return float(row[name])


def _currencies(rows: Sequence[Mapping[str, Any]]) -> str:
    """Which currencies the amounts are in, and by what they are told apart: ``USD, ¥ CNY``."""
    others = {row["currency"] for row in rows} - {OWN_CURRENCY}
    signed = [f"{SIGNS[name]} {name}" if name in SIGNS else name for name in sorted(others)]
    return ", ".join((OWN_CURRENCY, *signed))
