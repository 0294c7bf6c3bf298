"""Where sources disagree about a price: as a table for people, and as plain values for programs."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from qwenwatch_cache.clock import iso
from qwenwatch_cache.market.hours import hours_text
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Answer, Page, framed, known_lines
from qwenwatch_widgets.views.drafts import price_claim
from qwenwatch_widgets.views.plain import plain_row
from qwenwatch_widgets.views.sources import known_until, source_lines
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.origins import Origin

SAME = ("model", "variant", "basis", "region", "currency")
"""As `qwenwatch_cache.market.disagreement.SAME`, which cannot be imported without Polars."""

COLUMNS = (
    Column("model", "Model", grow=True),
    Column("basis", "Basis", drop=4),
    Column("source", "Source"),
    Column("input", "Input", "right"),
    Column("output", "Output", "right"),
    Column("cached", "Cached", "right", drop=2),
    Column("spread", "Spread", "right"),
    Column("share", "Used", "right", drop=3),
    Column("since", "Stands", "right", drop=1),
    Column("read", "Read", "right", drop=1),
    Column("note", "", drop=5),
)


class DisagreementAsked(msgspec.Struct, frozen=True):
    """What was asked, and what the answer is of.

    Attributes:
        known_at: The moment of knowledge.
        priced_at: The moment that the prices are of.
        usage: What the shares are of, "" if none are known.
        basis: "route", "list" or "" for both.
        min_percent: How far apart prices must be.
        compared: How many models have prices in several sources.
        models: Canonical ids asked for.
        top: Models to print, 0 for all.
        rates: Units of USD for one of another currency, and the day of that rate, for models that
            were asked for.
    """

    known_at: datetime
    priced_at: datetime
    usage: str
    basis: str
    min_percent: Decimal
    compared: int
    models: Sequence[str]
    top: int
    rates: Mapping[str, tuple[Decimal, date]]


def disagreement_answer(
    frame: "pl.DataFrame", asked: DisagreementAsked, origins: Sequence["Origin"]
) -> Answer:
    """The answer in both forms.

    Args:
        frame: disagreement.DISAGREEMENT.
        asked: What was asked.
        origins: Where the prices of each feed, and the shares, came from.
    """
    rows = frame.to_dicts()
    groups = [
        list(group) for _, group in groupby(rows, key=lambda row: tuple(row[name] for name in SAME))
    ]
    apart = sum(bool(group[0]["differs"]) for group in groups)
    shown = groups[: asked.top] if asked.top else groups
    lines = [f"as of {amounts.instant(asked.priced_at)}"]
    if not asked.models:
        lines.append(f"{apart} of the {asked.compared} that several sources state differ")
        if asked.min_percent:
            lines[-1] += f" by {asked.min_percent.normalize():f} % or more"
    page = Page(
        title="qwenwatch disagreement",
        lines=[
            *lines,
            "same model, variant, basis, region and currency; prices of short prompts",
            *known_lines(asked.known_at),
        ],
        tables=[_table(shown, len(groups), asked, {one.feed: one for one in origins})],
        sources=source_lines(origins, asked.known_at),
    )
    document = framed(
        asked.known_at,
        origins,
        priced_at=iso(asked.priced_at),
        basis=asked.basis or None,
        min_percent=amounts.number(asked.min_percent),
        usage=asked.usage or None,
        compared=asked.compared,
        differing=apart,
    )
    document["prices"] = [plain_row(row) for row in rows]
    return Answer(page, lambda: document, ["prices", "sources"])


def _table(
    groups: Sequence[Sequence[Mapping[str, Any]]],
    found: int,
    asked: DisagreementAsked,
    origins: Mapping[str, "Origin"],
) -> TableView:
    rows = [row for group in groups for row in group]
    texts = {
        name: amounts.on_point([_money(row, name) for row in rows])
        for name in ("input", "output", "cache_read")
    }
    firsts = {id(group[0]) for group in groups}
    table = [
        _row(
            row,
            {name: column[at] for name, column in texts.items()},
            asked,
            origins[row["feed"]],
            first=id(row) in firsts,
        )
        for at, row in enumerate(rows)
    ]
    order = "by spread"
    if asked.usage:
        order = f"by spread × share of {asked.usage}, then by spread"
    notes = [
        "per 1M tokens",
        f"{order}, what is explained last",
        "✎ kept by hand",
        *([f"{found - len(groups)} more, --top 0 shows all"] if found > len(groups) else []),
    ]
    return TableView(
        title="Disagreement · the dearest of the prices above the cheapest",
        caption=" · ".join(notes),
        columns=COLUMNS,
        rows=tuple(table),
        empty="no two sources state different prices of one model"
        if asked.basis != "route"
        else "only OpenRouter states route prices: there is nothing to compare them with",
    )


def _row(
    row: Mapping[str, Any],
    texts: Mapping[str, str],
    asked: DisagreementAsked,
    origin: "Origin",
    *,
    first: bool,
) -> Row:
    name = amounts.clean(row["name"])
    if row["variant"]:
        name += f" ({amounts.clean(row['variant'])})"
    region = row["region"] if row["region"] not in {"", "global"} else ""
    basis = " · ".join(part for part in (row["basis"], region, row["currency"]) if part)
    since = asked.priced_at - row["since"]
    read = None if row["read_at"] is None else asked.priced_at - row["read_at"]
    notes = [row["note"]] if row["note"] and first else []
    if row["up_to"] is not None:
        notes.append(f"≤{amounts.short_count(row['up_to'])} only")
    if row["window_utc"]:
        notes.append(hours_text(row["window_utc"]))
    if row["currency"] in asked.rates:
        rate, day = asked.rates[row["currency"]]
        both = " / ".join(amounts.money(_times(row[name], rate)) for name in ("input", "output"))
        notes.append(f"USD {both} at the rate of {day}, not compared")
    cells = (
        Cell(name if first else "", sort=name.casefold()),
        Cell(basis if first else "", "dim"),
        Cell(origin.publisher + (" ✎" if row["hand_kept"] else "")),
        Cell(texts["input"], sort=amounts.sortable(row["input"])),
        Cell(texts["output"], sort=amounts.sortable(row["output"])),
        Cell(texts["cache_read"], sort=amounts.sortable(row["cache_read"])),
        Cell(_spread(row) if first else "", "accent", sort=row["spread"]),
        Cell(amounts.percent(row["share"]) if first else "", "dim", sort=row["share"]),
        Cell(amounts.age(since), "dim", sort=since.total_seconds()),
        Cell(amounts.age(read), "dim", sort=None if read is None else read.total_seconds()),
        Cell(amounts.clean(", ".join(notes)), "dim"),
    )
    cite = (
        f"{name}: {basis} price {amounts.money(row['input'])} in, {amounts.money(row['output'])} "
        f"out per 1M tokens, unchanged since {amounts.instant(row['since'])} "
        f"({row['feed']}: {row['source_id']}). {origin.citation}"
    )
    key = " ".join(str(row[name]) for name in (*SAME, "feed", "provider", "source_id"))
    claim = price_claim(row, known_until(origin, asked.priced_at))
    return Row(key, cells, cite=amounts.clean(cite), claim=claim)


def _money(row: Mapping[str, Any], name: str) -> str:
    """An amount, with ≠ before it where sources differ about it."""
    text = amounts.money(row[name])
    return f"≠ {text}" if name in row["differs"] and row[name] is not None else text


def _spread(row: Mapping[str, Any]) -> str:
    """How far prices are apart: ``+25 %``; against a price of 0 there is none."""
    if row["feeds"] < 2:
        return "one source"
    if not row["differs"]:
        return "agree"
    return "one says 0" if row["spread"] is None else f"+{row['spread'] * 100:.0f} %"


def _times(amount: Decimal | None, rate: Decimal) -> Decimal | None:
    return None if amount is None else amount * rate
