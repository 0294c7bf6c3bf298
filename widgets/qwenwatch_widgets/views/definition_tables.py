"""Definitions side by side as tables: who leads, the other countries, the first of each."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.claim_draft import Claimable
from qwenwatch_widgets.views.drafts import NO_USER, UNKNOWN, measured_claim
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView

if TYPE_CHECKING:
    from qwenwatch_cache.market.side_by_side import SideBySide

NAMED = ("CN", "US")
"""Countries with a column of their own in the first table."""

UNATTRIBUTED = "unattributed"
LEADERS_SHOWN = 3
LONGEST_NAME = 22
LONGEST_LEADER = 22
"""Letters of a name that a table shows."""

BAR = "█▓▒"
"""Of what the parts of a bar are made: China, the United States, others; the rest is "░"."""

BAR_TITLE = "█CN ▓US ▒oth"
BAR_CELLS = 12

Shares = Mapping[str, Any]
"""A row with `share`, `share_low` and `share_high`."""


def definitions_table(side: "SideBySide") -> TableView:
    """Who leads by each definition, and how the countries share it."""
    columns = (
        Column("definition", "Definition", grow=True),
        Column("window", "Figures of", drop=2),
        Column("leader", "Leader"),
        Column("value", "Value", "right", drop=3),
        Column("share", "Share", "right"),
        *(Column(country, country, "right") for country in NAMED),
        Column("others", "Others", "right", drop=1),
        Column("unattributed", "Unattrib.", "right"),
        Column("bar", BAR_TITLE, drop=4),
    )
    countries = shares_by_key(side)
    rows = []
    for row in side.rows.to_dicts():
        shares = countries.get(row["key"], {})
        others = [one for name, one in shares.items() if name not in {*NAMED, UNATTRIBUTED}]
        leader = amounts.clean(row["leader_name"] or amounts.UNKNOWN)
        cells = (
            Cell(row["label"], sort=row["label"]),
            Cell(figures_of(row["grain"], row["end"]), "dim", row["end"].isoformat()),
            Cell(_cut(leader, LONGEST_LEADER), sort=leader.casefold()),
            Cell(amount(row["leader_value"], row["unit"])),
            _share_cell(_leader_share(row)),
            *(_share_cell(shares.get(country)) for country in NAMED),
            _share_cell(_sum(others)),
            _share_cell(shares.get(UNATTRIBUTED)),
            Cell(_bar([shares.get(NAMED[0]), shares.get(NAMED[1]), _sum(others)])),
        )
        rows.append(Row(row["key"], cells, cite=_cite(row, side), claim=_leader_claim(row)))
    return TableView(
        title="Definitions · who leads, by what",
        caption="the same window wherever a source has it, else its newest figures of that time",
        columns=columns,
        rows=tuple(rows),
        empty="no figures of that time: run `qwenwatch refresh`, or see `qwenwatch feeds`",
    )


def other_countries_table(side: "SideBySide") -> TableView:
    """The share of every country that has no column in the first table."""
    countries = shares_by_key(side)
    found = {name for shares in countries.values() for name in shares}
    others = sorted(found - {*NAMED, UNATTRIBUTED})
    of = {row["key"]: row for row in side.rows.to_dicts()}
    columns = (
        Column("definition", "Definition", grow=True),
        *(Column(country, country, "right") for country in others),
    )
    rows = [
        Row(
            key,
            (Cell(of[key]["label"]), *(_share_cell(shares.get(country)) for country in others)),
            claim=_largest(of[key], {name: shares[name] for name in others if name in shares}),
        )
        for key, shares in countries.items()
        if set(others) & set(shares)
    ]
    return TableView(
        title="Other countries",
        caption="of the vendors' headquarters; – where the source names nobody of that country",
        columns=columns,
        rows=tuple(rows),
    )


def leaders_table(side: "SideBySide") -> TableView:
    """The first of each definition."""
    columns = (
        Column("definition", "Definition", grow=True),
        *(Column(f"rank{rank}", f"# {rank}") for rank in range(1, LEADERS_SHOWN + 1)),
    )
    units = dict(side.rows.select("key", "unit").iter_rows())
    first: dict[str, list[str]] = {}
    for row in side.leaders.to_dicts():
        name = _cut(amounts.clean(row["name"]), LONGEST_NAME)
        known = share_text(row)
        figure = amount(row["value"], units[row["key"]]) if known == amounts.UNKNOWN else known
        first.setdefault(row["key"], []).append(f"{name} {figure}")
    of = {row["key"]: row for row in side.rows.to_dicts()}
    rows = [
        Row(
            key,
            (Cell(of[key]["label"]), *(Cell(text) for text in _padded(texts))),
            claim=_leader_claim(of[key]),
        )
        for key, texts in first.items()
    ]
    return TableView(
        title=f"Leaders · the first {LEADERS_SHOWN}",
        caption="by share, or by value where the source states no total",
        columns=columns,
        rows=tuple(rows),
    )


def share_text(row: Shares | None) -> str:
    """A share: ``26.2 %``; the bounds where only they are known: ``12.0–45.6 %``."""
    if row is None or row["share"] is not None:
        return amounts.percent(row["share"] if row else None)
    low, high = row["share_low"], row["share_high"]
    if low is None or high is None:
        return amounts.UNKNOWN
    return amounts.percent_between(low, high)


def figures_of(grain: str, end: date) -> str:
    """Of which days figures are: ``week to 2026-08-16``, ``30 d to 2026-08-21``."""
    if grain == "total":
        return f"on {end}"
    if grain == "day":
        return f"day {end}"
    if not grain.startswith("rolling"):
        return f"{grain} to {end}"
    days = grain.removeprefix("rolling")
    return f"{days} d to {end}" if days else f"to {end}"


def amount(value: Decimal | None, unit: str) -> str:
    """A value in its unit: ``19.77T``, ``12.00 USD``."""
    if value is None:
        return amounts.UNKNOWN
    if unit != "USD":
        return amounts.tokens(int(value))
    return f"{amounts.tokens(int(value)) if value >= 1000 else amounts.money(value)} USD"


def shares_by_key(side: "SideBySide") -> dict[str, dict[str, Shares]]:
    """Shares by definition and country."""
    countries: dict[str, dict[str, Shares]] = {}
    for row in side.countries.to_dicts():
        countries.setdefault(row["key"], {})[row["country"]] = row
    return countries


def _leader_claim(row: Mapping[str, Any]) -> Claimable:
    """What a definition says of who leads by it."""
    if row["kind"] != "vendor":
        return NO_USER
    return measured_claim(row, "vendor", row["leader"], _leader_share(row), row["leader_value"])


def _largest(row: Mapping[str, Any], shares: Mapping[str, Shares]) -> Claimable:
    """What a definition says of the country with the largest share of some."""
    stated = {
        name: one["share_high"] if one["share"] is None else one["share"]
        for name, one in shares.items()
    }
    known = {name: share for name, share in stated.items() if share is not None}
    if not known:
        return UNKNOWN
    country = max(known, key=lambda name: (known[name], name))
    return measured_claim(row, "country", country, shares[country], None)


def _sum(rows: Sequence[Shares]) -> Shares | None:
    """The shares of several together; of intervals the bounds. None of nobody."""
    if not rows:
        return None
    total: dict[str, float | None] = {}
    for name in ("share", "share_low", "share_high"):
        stated = [row[name] for row in rows]
        total[name] = None if None in stated else min(1.0, sum(stated))
    return total


def _leader_share(row: Mapping[str, Any]) -> Shares:
    return {name: row[f"leader_{name}"] for name in ("share", "share_low", "share_high")}


def _share_cell(row: Shares | None) -> Cell:
    sort = None if row is None else row["share"] if row["share"] is not None else row["share_low"]
    return Cell(share_text(row), sort=sort)


def _bar(parts: Sequence[Shares | None]) -> str:
    """Shares as a stacked bar, the rest of the whole included; nothing where any is an interval."""
    stated = [0.0 if part is None else part["share"] for part in parts]
    if None in stated or not any(stated):
        return ""
    ends = [round(BAR_CELLS * min(1.0, sum(stated[: at + 1]))) for at in range(len(stated))]
    widths = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    drawn = "".join(block * cells for block, cells in zip(BAR, widths, strict=True))
    return drawn.ljust(BAR_CELLS, "░")


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"


def _padded(texts: Sequence[str]) -> list[str]:
    return [*texts, *[amounts.UNKNOWN] * LEADERS_SHOWN][:LEADERS_SHOWN]


def _cite(row: Mapping[str, Any], side: "SideBySide") -> str:
    citation = next(
        (origin.citation for origin in side.origins if origin.feed.startswith(row["feed"])), ""
    )
    return amounts.clean(
        f"{row['leader_name'] or amounts.UNKNOWN}: {amount(row['leader_value'], row['unit'])}, "
        f"{share_text(_leader_share(row))} of {row['label']} ({row['scope']}), "
        f"{figures_of(row['grain'], row['end'])}. {citation}"
    )
