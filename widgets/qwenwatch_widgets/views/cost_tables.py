"""The tables of what a workload costs: what is ranked, what is free, what could not be compared."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from qwenwatch_cache.market.hours import hours_text
from qwenwatch_cache.market.workload import FREE, Workload
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.sources import known_until
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone

if TYPE_CHECKING:
    from qwenwatch_cache.market.origins import Origin

NO_CACHED_PRICE = "† none stated: at the input price"
NO_TIERS = "‡ another feed has a tier for such prompts"

AMOUNTS = {
    "input": "fresh_cost",
    "cached": "cached_cost",
    "written": "written_cost",
    "output": "output_cost",
    "fees": "request_cost",
    "total": "total",
}
"""Columns of amounts, and where they are in cost.COST."""

NAMED = 2
"""How many models that are left out are named."""


class CostAsked(msgspec.Struct, frozen=True):
    """What was asked, beside the workload.

    Attributes:
        known_at: The moment of knowledge.
        priced_at: The moment that the prices are of.
        currency: What costs are stated in.
        baseline: Canonical id of the model that costs are compared with.
        batch: Whether batch prices were asked for.
        filters: What restricts the candidates: option and value.
        top: Ranked rows to print, 0 for all.
        free: Whether to list what costs nothing.
    """

    known_at: datetime
    priced_at: datetime
    currency: str
    baseline: str
    batch: bool
    filters: Mapping[str, str]
    top: int
    free: bool


def ranking(
    rows: Sequence[Mapping[str, Any]],
    asked: CostAsked,
    vendors: Mapping[str, str],
    origins: Mapping[str, "Origin"],
    workload: Workload,
) -> TableView:
    """What can be compared, cheapest first; the baseline's offers are always shown.

    Args:
        rows: The ranked rows of cost.COST as dictionaries.
        asked: What was asked.
        vendors: Vendor labels by id.
        origins: Where the prices of each feed came from.
        workload: What was priced; it decides on the columns.
    """
    shown = list(rows[: asked.top] if asked.top else rows)
    references = [row for row in rows if row["model"] == asked.baseline]
    shown += [row for row in references if row not in shown]
    foreign = any(row["currency"] != asked.currency for row in shown)
    columns = [
        Column("rank", "#", "right"),
        Column("model", "Model", grow=True),
        Column("vendor", "Vendor", drop=6),
        Column("basis", "Basis", drop=4),
        Column("tier", "Prompts", drop=5),
        Column("input", "Input", "right", drop=2),
        *([Column("cached", "Cached", "right", drop=2)] if workload.cached else []),
        *([Column("written", "Written", "right", drop=2)] if workload.written else []),
        Column("output", "Output", "right", drop=2),
        *([Column("fees", "Fees", "right", drop=3)] if _any(shown, "request_cost") else []),
        Column("total", f"Total {asked.currency}", "right"),
        *([Column("native", "As stated", "right", drop=3)] if foreign else []),
        Column("times_cheapest", "× cheapest", "right", drop=1),
        Column("times_baseline", "× ◆", "right", drop=1),
    ]
    texts = _texts(shown)
    table = []
    for at, row in enumerate(shown):
        cells = _cells(row, asked, vendors, origins)
        for name, column in AMOUNTS.items():
            tone: Tone = "accent" if name == "total" else ""
            cells[name] = Cell(texts[name][at], tone, sort=amounts.sortable(row[column]))
        key = " ".join(str(row[name]) for name in _KEY)
        table.append(
            Row(
                key, tuple(cells[column.key] for column in columns), cite=_cite(row, asked, origins)
            )
        )
    some = f"{asked.top} of " if 0 < asked.top < len(rows) else ""
    notes = [
        f"× ◆ to {asked.baseline.partition('/')[2] or asked.baseline}",
        *([NO_CACHED_PRICE] if _any(shown, "cached_at_input", "written_at_input") else []),
        *([NO_TIERS] if _any(shown, "tiers_elsewhere") else []),
        *([_rates_line(shown)] if foreign else []),
        *(["--top 0 prints all"] if some else []),
    ]
    return TableView(
        title=f"Cost · {some}{len(rows)} offers, cheapest first · tokens as each model counts them",
        caption=" · ".join(notes),
        columns=tuple(columns),
        rows=tuple(table),
        empty="no offer has the prices that this workload needs",
    )


_KEY = ("model", "basis", "feed", "provider", "region", "source_id", "variant", "window_utc")


def _cells(
    row: Mapping[str, Any],
    asked: CostAsked,
    vendors: Mapping[str, str],
    origins: Mapping[str, "Origin"],
) -> dict[str, Cell]:
    name = amounts.clean(row["name"])
    if row["variant"] not in {"", "batch"}:
        name += f" ({amounts.clean(row['variant'])})"
    mark = "◆ " if row["model"] == asked.baseline else ""
    vendor = vendors.get(row["vendor"] or "", amounts.UNKNOWN)
    native = amounts.UNKNOWN
    if row["currency"] == asked.currency:
        native = ""
    elif row["native_total"] is not None:
        native = f"{row['currency']} {amounts.money(row['native_total'])}"
    return {
        "rank": Cell("" if row["rank"] is None else str(row["rank"]), sort=row["rank"]),
        "model": Cell(mark + name, sort=name.casefold()),
        "vendor": Cell(vendor, "dim", sort=vendor.casefold()),
        "basis": Cell(basis_text(row, origins), "dim"),
        "tier": Cell(_tier(row), "dim", sort=row["tier_from"]),
        "native": Cell(native, "dim", sort=amounts.sortable(row["native_total"])),
        "times_cheapest": Cell(_times(row["times_cheapest"]), sort=row["times_cheapest"]),
        "times_baseline": Cell(_times(row["times_baseline"]), sort=row["times_baseline"]),
    }


def _texts(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Amounts with their marks, decimal points in line."""
    marks = {"cached": ("cached_at_input", "†"), "written": ("written_at_input", "†")}
    marks["total"] = ("tiers_elsewhere", "‡")
    texts = {}
    for name, column in AMOUNTS.items():
        flag, mark = marks.get(name, ("", ""))
        texts[name] = amounts.on_point(
            [
                amounts.money(row[column]) + (mark if flag and row[flag] else " " * len(mark))
                for row in rows
            ]
        )
    return texts


def basis_text(row: Mapping[str, Any], origins: Mapping[str, "Origin"]) -> str:
    """Basis, region and feed of an offer: ``list · cn · Alibaba``."""
    region = row["region"] if row["region"] not in {"", "global"} else ""
    parts = (row["basis"], region, origins[row["feed"]].publisher)
    return " · ".join(part for part in parts if part)


def _tier(row: Mapping[str, Any]) -> str:
    """Which prompts and times of day a price is for; "" if for all."""
    parts = []
    if row["tier_from"]:
        parts.append(f">{amounts.short_count(row['tier_from'])}")
    if row["up_to"] is not None:
        parts.append(f"≤{amounts.short_count(row['up_to'])}")
    if row["window_utc"]:
        parts.append(hours_text(amounts.clean(row["window_utc"])))
    return " ".join(parts)


def free_table(
    rows: Sequence[Mapping[str, Any]],
    vendors: Mapping[str, str],
    origins: Mapping[str, "Origin"],
) -> TableView:
    """What has a price of 0; it is not ranked."""
    return TableView(
        title="Free · not ranked",
        caption="offers at a price of 0: whoever gives them away limits their rate, or ends it",
        columns=(Column("model", "Model", grow=True), Column("vendor", "Vendor"), _BASIS),
        rows=tuple(
            Row(
                " ".join(str(row[name]) for name in _KEY),
                (
                    Cell(amounts.clean(row["name"])),
                    Cell(vendors.get(row["vendor"] or "", amounts.UNKNOWN), "dim"),
                    Cell(basis_text(row, origins), "dim"),
                ),
            )
            for row in rows
        ),
    )


_BASIS = Column("basis", "Basis")


NO_PURPOSE = (
    "no source kept here says what a model is for: models for speech, search or images are ranked "
    "where they state a price of both prompts and answers"
)


def left_out_table(rows: Sequence[Mapping[str, Any]]) -> TableView:
    """How many models are not ranked, by reason, and the first of each."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        models = reasons.setdefault(row["left_out"], [])
        if row["model"] not in models:
            models.append(row["model"])
    table = []
    for why, models in sorted(reasons.items(), key=lambda one: (-len(one[1]), one[0])):
        named = ", ".join(amounts.clean(model) for model in models[:NAMED])
        more = " …" if len(models) > NAMED else ""
        text = f"{why}: --free lists them" if why == FREE else why
        cells = (Cell(str(len(models)), sort=len(models)), Cell(text), Cell(named + more, "dim"))
        table.append(Row(why, cells))
    return TableView(
        title="Not ranked",
        caption=f"models with an offer that could not be compared, by the reason · {NO_PURPOSE}",
        columns=(Column("models", "Models", "right"), Column("why", "Why"), Column("which", "")),
        rows=tuple(table),
    )


def _rates_line(rows: Sequence[Mapping[str, Any]]) -> str:
    """Which rate of which day amounts were converted with."""
    days: dict[str, date] = {
        row["currency"]: row["rate_date"] for row in rows if row["rate_date"] is not None
    }
    texts = [f"{currency} at the rate of {day}" for currency, day in sorted(days.items())]
    return ", ".join(texts)


def _cite(row: Mapping[str, Any], asked: CostAsked, origins: Mapping[str, "Origin"]) -> str:
    origin = origins[row["feed"]]
    return amounts.clean(
        f"{row['name']}: {asked.currency} {amounts.money(row['total'])} for the workload at the "
        f"{row['basis']} price {row['currency']} {amounts.money(row['input'])} in, "
        f"{amounts.money(row['output'])} out per 1M tokens ({row['feed']}: {row['source_id']}), "
        f"{amounts.instant(known_until(origin, asked.priced_at))}. {origin.citation}"
    )


def _any(rows: Sequence[Mapping[str, Any]], *names: str) -> bool:
    return any(row[name] for row in rows for name in names)


def short(tokens: int) -> str:
    """A count as people say it: ``12M``, ``1.5M``; exact below a thousand."""
    for size, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if tokens >= size:
            return f"{tokens / size:.4g}{letter}"
    return str(tokens)


def _times(value: float | None) -> str:
    """A ratio; of the small ones two digits: ``0.0046×``."""
    return f"{value:.2g}×" if value is not None and 0 < value < 0.095 else amounts.ratio(value)
