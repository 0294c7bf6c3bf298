"""What changed in a period: as tables for people, and as plain values for programs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Answer, Page, framed, known_lines
from qwenwatch_widgets.views.change_lines import Order, PriceLine, days_text, price_lines
from qwenwatch_widgets.views.change_sums import counts_table, movers_table
from qwenwatch_widgets.views.change_tables import expiring_table, listing_table, prices_table
from qwenwatch_widgets.views.plain import plain_row
from qwenwatch_widgets.views.sources import source_lines
from qwenwatch_widgets.views.table import TableView

if TYPE_CHECKING:
    from qwenwatch_cache.market.between import Changes, Compared

LONG = timedelta(days=45)
"""Periods longer than this are counted by month."""

STATING = frozenset({"known", "unknown"})
"""Marks of prices that began or ceased to be stated: no price moved."""

ALSO = "Also: other prices, tiers and times of day that changed with it"

MEANING = {
    "correction": "of the list: the price charged stood still",
    "flicker": "went back at once",
    "glitch": "to 0 and back",
    "jump": "×50 or more, not believed yet",
    "unconfirmed": "no second poll said so",
}


def changes_answer(
    changes: "Changes", known_at: datetime, *, title: str, top: int, order: Order
) -> Answer:
    """The changes of a period in both forms.

    Args:
        changes: What changed.
        known_at: Nothing learned later was used.
        title: Headline of the page.
        top: Rows of a table, 0 for all.
        order: Order of the price changes; other than "time", only those that dropped or rose.
    """
    return Answer(
        page=Page(
            title=title,
            lines=_lines(changes),
            tables=_tables(changes, top, order),
            sources=source_lines(changes.origins, known_at),
        ),
        document=lambda: document(changes, known_at, order),
        parts=("sources", "compared", "counts", "changes"),
    )


def document(changes: "Changes", known_at: datetime, order: Order = "time") -> dict[str, Any]:
    """The changes as plain values: shares are fractions, times ISO 8601 UTC, unknown is null."""
    asked = changes.asked
    rows: Sequence[Mapping[str, Any]] = changes.rows.to_dicts()
    if order != "time":
        prices = [row for line in price_lines(changes.rows, order) for row in line.rows]
        rows = [*prices, *(row for row in rows if row["kind"] != "price")]
    answer = framed(
        known_at,
        changes.origins,
        since=asked.period.first.isoformat(),
        until=asked.period.last.isoformat(),
        vendors=sorted(asked.vendors),
        models=sorted(asked.models),
    )
    counts = changes.counts.to_dicts()
    answer["compared"] = [_compared(pair) for pair in changes.compared]
    answer["counts"] = [{**row, "month": f"{row['month']:%Y-%m}"} for row in counts]
    answer["changes"] = [plain_row(row) for row in rows]
    return answer


def _compared(pair: "Compared") -> dict[str, Any]:
    def window(name: str) -> dict[str, Any]:
        one = getattr(pair, name)
        return {
            f"{name}_start": None if one is None else one.start.isoformat(),
            f"{name}_end": None if one is None else one.end.isoformat(),
        }

    return {
        "by": pair.by,
        "definition": None if pair.definition is None else pair.definition.key,
        "scope": pair.scope or None,
        **window("before"),
        **window("after"),
        "note": amounts.clean(pair.note) or None,
    }


def _lines(changes: "Changes") -> list[str]:
    asked = changes.asked
    lines = [days_text(changes)]
    named = [*sorted(asked.vendors), *sorted(asked.models)]
    if named:
        lines.append(f"only {', '.join(named)}")
    if asked.basis:
        lines.append(f"{asked.basis} prices only")
    if asked.believed:
        lines.append("confirmed changes only")
    return [*lines, *known_lines(changes.known_at)]


def _tables(changes: "Changes", top: int, order: Order) -> list[TableView]:
    asked, rows = changes.asked, changes.rows
    kinds = set(asked.kinds)
    names = {origin.feed: origin.publisher for origin in changes.origins}
    plain_rows = rows.to_dicts()
    tables = []
    if "price" in kinds:
        lines = price_lines(rows, order)
        tables.append(_confirmed(lines, names, top, order))
        if not asked.believed:
            tables.append(_doubted(lines, names, top, order))
        if asked.period.end - asked.period.begin > LONG:
            tables.append(counts_table(changes.counts))
    for kind in ("added", "removed"):
        if kind in kinds:
            tables.append(listing_table(plain_rows, kind, names, top))
    if "expiring" in kinds:
        tables.append(expiring_table(plain_rows, asked.period.last, names, top))
    if kinds & {"rank", "share"}:
        for pair in changes.compared:
            tables.append(movers_table(plain_rows, pair, top, by_rank="share" not in kinds))
    return tables


def _confirmed(
    lines: Sequence[PriceLine], names: Mapping[str, str], top: int, order: Order
) -> TableView:
    news = [line for line in lines if line.first["mark"] == "confirmed"]
    how = {
        "time": "newest first",
        "drop": "largest drop of input or output first; 0 counts once it has stood for 3 days",
        "rise": "largest rise of input or output first",
    }[order]
    return prices_table(
        news,
        names,
        top,
        title="Prices · confirmed changes",
        caption=f"per 1M tokens · {how} · {ALSO}",
        empty="no confirmed change of a price",
    )


def _doubted(
    lines: Sequence[PriceLine], names: Mapping[str, str], top: int, order: Order
) -> TableView:
    doubted = [line for line in lines if line.first["mark"] not in {"confirmed", *STATING}]
    counted = Counter(line.first["mark"] for line in doubted)
    parts = [f"{count} {mark} ({MEANING[mark]})" for mark, count in sorted(counted.items())]
    if order == "time":
        stated = sum(line.first["mark"] in STATING for line in lines)
        if stated:
            parts.append(f"left out: {stated} that began or ceased to be stated")
    return prices_table(
        doubted,
        names,
        top,
        title="Prices · not alarmed",
        caption=" · ".join(["per 1M tokens", *([", ".join(parts)] if parts else []), ALSO]),
        empty="no change of a price is in doubt",
        marked=True,
    )
