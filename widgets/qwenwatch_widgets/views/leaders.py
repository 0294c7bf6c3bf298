"""The leaderboard as a table and as vendor panels."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.drafts import board_claim, several_variants
from qwenwatch_widgets.views.market import PanelLine, PanelView
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone

if TYPE_CHECKING:
    from qwenwatch_cache.market.board import Board

Prices = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows of prices.PRICES by canonical model id."""

HEADINGS = {"vendor": "Vendor", "model": "Model", "country": "Country"}
PANEL_MODELS = 3


def leaders_table(board: "Board", *, top: int = 0) -> TableView:
    """Show a leaderboard.

    Args:
        board: The leaderboard.
        top: How many ranked rows, 0 for all; rows without a rank are always shown.
    """
    rows = board.rows.to_dicts()
    ranked = [row for row in rows if row["rank"] is not None]
    shown = ranked[:top] if top else ranked
    shown += [row for row in rows if row["rank"] is None]
    starts = window_starts(board)
    several = several_variants(row["id"] for row in rows)
    unit = amounts.unit_of([row["value"] for row in rows])
    has_values = board.total is not None
    short = amounts.short_grain(board.window.grain)
    columns = [
        Column("rank", "#", "right"),
        Column("moved", "Δ", drop=3),
        Column("name", HEADINGS[board.by], grow=True),
    ]
    if board.by != "country":
        columns.append(Column("country", "", drop=4))
    if has_values:
        columns.append(Column("value", board.definition.metric.capitalize(), "right", drop=2))
    columns += [
        Column("share", "Share", "right"),
        Column("change", "Δ pp", "right", drop=1),
        Column("history", f"{_history_length(rows)} {short}", drop=5, width=12),
    ]
    return TableView(
        title=f"Leaders · by {board.by}",
        caption=board.scope,
        columns=tuple(columns),
        rows=tuple(_row(row, board, starts, unit, has_values, several) for row in shown),
        empty=f"no figures of {board.definition.label} in this {board.window.grain}",
    )


def panels(
    board: "Board", models: "Board", prices: Prices, only: Sequence[str] = ()
) -> tuple[PanelView, ...]:
    """One panel per vendor.

    Args:
        board: Leaderboard by vendor.
        models: Leaderboard by model of the same window and definition.
        prices: Prices in force, by canonical model id.
        only: Vendor ids to show, in this order; empty for all in rank order.
    """
    ranked = {row["id"]: row for row in board.rows.to_dicts() if row["rank"] is not None}
    chosen = [ranked[vendor] for vendor in only if vendor in ranked] if only else ranked.values()
    by_vendor: dict[str, list[dict[str, Any]]] = {}
    for model in models.rows.to_dicts():
        by_vendor.setdefault(model["vendor"] or "", []).append(model)
    starts = window_starts(board)
    return tuple(panel(row, board, starts, by_vendor.get(row["id"], []), prices) for row in chosen)


def panel(
    row: Mapping[str, Any],
    board: "Board",
    starts: Sequence[date],
    models: Sequence[Mapping[str, Any]],
    prices: Prices,
) -> PanelView:
    """One vendor's panel from its leaderboard row and those of its models."""
    series = series_of(row, starts)
    highest = max((value for value in series if value is not None), default=0)
    short = amounts.short_grain(board.window.grain)
    unit = amounts.unit_of(board.rows["value"].to_list())
    return PanelView(
        vendor=row["id"],
        title=amounts.clean(f"{row['rank']} {row['name']}"),
        country=row["country"] or amounts.UNKNOWN,
        value=amounts.tokens(row["value"], unit),
        share=amounts.percent(row["share"]),
        change=_change(row, board),
        change_tone=_tone(row["share_change"]),
        series=series,
        scale=f"{len(series)} {short}, 0–{highest * 100:.0f} %",
        models=tuple(
            PanelLine(
                amounts.clean(model["name"]),
                amounts.tokens(model["value"], unit)
                if model["value"] is not None
                else amounts.percent(model["share"]),
            )
            for model in models[:PANEL_MODELS]
        ),
        route=_span(models, prices, "route"),
        list=_span(models, prices, "list"),
        cite=cite(row, board),
        claim=board_claim(row, board),
    )


def window_starts(board: "Board", length: int = 26) -> Sequence[date]:
    """First days of the board's window and those before it, as far back as there are figures."""
    histories = board.rows["history"].to_list()
    first = min((point["start"] for history in histories for point in history), default=None)
    starts = [board.window.shifted(-back).start for back in range(length - 1, -1, -1)]
    return [start for start in starts if first is None or start >= first]


def series_of(row: Mapping[str, Any], starts: Sequence[date]) -> tuple[float | None, ...]:
    """Share of a leaderboard row in each window; None where there is no figure."""
    by_start = {point["start"]: point["share"] for point in row["history"]}
    return tuple(by_start.get(start) for start in starts)


def cite(row: Mapping[str, Any], board: "Board") -> str:
    """The row's figure with definition, scope, window and source."""
    value = f"{amounts.tokens(row['value'])}, " if row["value"] is not None else ""
    when = amounts.window(board.window.grain, board.window.start, board.window.end)
    return amounts.clean(
        f"{row['name']}: {value}{amounts.percent(row['share'])} of {board.definition.label} "
        f"({board.scope}), {when} UTC. {board.origin.citation}"
    )


def _row(
    row: Mapping[str, Any],
    board: "Board",
    starts: Sequence[date],
    unit: int,
    has_values: bool,
    several: Collection[str],
) -> Row:
    ranked = row["rank"] is not None
    cells = [
        Cell(str(row["rank"]) if ranked else amounts.UNKNOWN, sort=row["rank"]),
        _moved(row, board),
        Cell(amounts.clean(row["name"]), tone="" if ranked else "dim", sort=row["name"].casefold()),
    ]
    if board.by != "country":
        country = row["country"]
        cells.append(Cell(country or (amounts.UNKNOWN if ranked else ""), "dim", sort=country))
    if has_values:
        cells.append(Cell(amounts.tokens(row["value"], unit), sort=row["value"]))
    change = row["share_change"]
    cells += [
        Cell(amounts.percent(row["share"]), sort=row["share"]),
        Cell(amounts.points(change), _tone(change), sort=change),
        Cell(sort=change, series=series_of(row, starts)),
    ]
    claim = board_claim(row, board, several)
    return Row(row["id"], tuple(cells), pinned=not ranked, cite=cite(row, board), claim=claim)


def _moved(row: Mapping[str, Any], board: "Board") -> Cell:
    """Change of rank: up, down, the same, or new among the ranked."""
    now, before = row["rank"], row["previous_rank"]
    if now is None:
        return Cell()
    if before is None:
        return Cell(_no_before(row, board), "dim", sort=None)
    if now == before:
        return Cell("·", "dim", sort=0)
    step = before - now
    return Cell(f"▲{step}", "up", step) if step > 0 else Cell(f"▼{-step}", "down", step)


def _no_before(row: Mapping[str, Any], board: "Board") -> str:
    """Why there is nothing to compare with.

    There are no comparable figures of the window before, or it was not named then: back if it was
    named earlier, else new.
    """
    if not board.rows["previous_rank"].count():
        return amounts.UNKNOWN
    return "back" if len(row["history"]) > 1 else "new"


def _change(row: Mapping[str, Any], board: "Board") -> str:
    change = row["share_change"]
    if change is None:
        return _no_before(row, board)
    sign = {"up": "▲", "down": "▼"}.get(_tone(change), "·")
    return f"{sign} {amounts.points(change)} pp"


def _tone(change: float | None) -> Tone:
    if change is None or abs(change) < 0.0005:
        return "dim"
    return "up" if change > 0 else "down"


def _span(models: Sequence[Mapping[str, Any]], prices: Prices, basis: str) -> str:
    """Cheapest and dearest price among the vendor's used models, by the blended one."""
    offers = [
        offer
        for model in models
        for offer in prices.get(model["id"].partition(":")[0], ())
        if offer["basis"] == basis and offer["variant"] == "" and offer["region"] != "cn"
        if offer["input"] is not None and offer["output"] is not None
    ]
    if not offers:
        return f"{basis} {amounts.UNKNOWN}"
    offers.sort(key=lambda offer: (offer["blended"], offer["model"]))
    ends = dict.fromkeys(
        f"{amounts.short_money(offer['input'])}/{amounts.short_money(offer['output'])}"
        for offer in (offers[0], offers[-1])
    )
    return f"{basis} ${'–'.join(ends)}"


def _history_length(rows: Sequence[Mapping[str, Any]]) -> int:
    return min(12, max((len(row["history"]) for row in rows), default=0))
