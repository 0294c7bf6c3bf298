"""Behind the totals: what apps use, how much to a request, and what a session costs."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Answer, Page, framed, known_lines
from qwenwatch_widgets.views.drafts import NO_USER
from qwenwatch_widgets.views.plain import plain_row
from qwenwatch_widgets.views.sources import source_lines
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.measured import Measured

TURNS = {
    "1-turn": "1 turn",
    "2-9-turns": "2–9",
    "10-49-turns": "10–49",
    "50-plus-turns": "50+",
}
"""The source's ranges of turns, and their headings."""


def apps_answer(
    frame: "pl.DataFrame", measured: "Measured", known_at: datetime, top: int
) -> Answer:
    """The answer to "which apps use most".

    Args:
        frame: apps.APPS.
        measured: What a definition says of them: scope, days, source.
        known_at: Nothing learned later was used.
        top: How many rows of the table, 0 for all.
    """
    lines = [*known_lines(known_at), measured.caveat]
    table = apps_table(frame, caption(measured.scope, measured.start, measured.end), top)
    span = {
        "grain": measured.grain,
        "start": measured.start.isoformat() if measured.start else None,
        "end": measured.end.isoformat(),
    }
    origins = [measured.origin]
    document = framed(known_at, origins, window=span, scope=measured.scope)
    document["apps"] = [plain_row(row) for row in frame.to_dicts()]
    page = Page("qwenwatch leaders", lines, [table], source_lines(origins, known_at))
    return Answer(page, lambda: document, ("sources", "apps"))


def apps_table(frame: "pl.DataFrame", text: str, top: int = 0) -> TableView:
    """Tokens, requests and tokens per request of each app.

    Args:
        frame: apps.APPS.
        text: Scope and days of the figures.
        top: How many rows, 0 for all.
    """
    rows = frame.to_dicts()
    unit = amounts.unit_of([row["tokens"] for row in rows])
    return TableView(
        title="Apps · by tokens",
        caption=text,
        columns=(
            Column("rank", "#", "right"),
            Column("app", "App", grow=True),
            Column("tokens", "Tokens", "right"),
            Column("requests", "Requests", "right", drop=1),
            Column("tokens_per_request", "Tokens per request", "right"),
        ),
        rows=tuple(_app(row, unit) for row in (rows[:top] if top else rows)),
        empty="no app rankings are known of that time: they need a key, see `qwenwatch feeds`",
    )


def sessions_table(frame: "pl.DataFrame", text: str, top: int = 0) -> TableView:
    """Median USD of a session of each app with each model, by number of turns.

    Args:
        frame: sessions.SESSIONS.
        text: Scope and days of the figures.
        top: How many rows, 0 for all; those with the dearest sessions come first.
    """
    medians: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for row in frame.to_dicts():  # dearest first
        medians.setdefault((row["app"], row["source_id"]), {})[row["turns"]] = row
    pairs = list(medians.items())[:top] if top else list(medians.items())
    stated = {turns for _, cells in pairs for turns in cells}
    ranges = [*(one for one in TURNS if one in stated), *sorted(stated - set(TURNS))]
    texts = {
        turns: amounts.on_point([amounts.money(_median(cells.get(turns))) for _, cells in pairs])
        for turns in ranges
    }
    rows = []
    for at, ((app, model), cells) in enumerate(pairs):
        any_row = next(iter(cells.values()))
        names = [amounts.clean(any_row[name]) for name in ("app_name", "model_name")]
        shown = [
            Cell(texts[turns][at], sort=amounts.sortable(_median(cells.get(turns))))
            for turns in ranges
        ]
        key = f"{app} {model}"
        whose = (Cell(name, sort=name.casefold()) for name in names)
        rows.append(Row(key, (*whose, *shown), claim=NO_USER))
    return TableView(
        title="Sessions · median USD, by number of turns",
        caption=text,
        columns=(
            Column("app", "App", grow=True),
            Column("model", "Model"),
            *(Column(turns, amounts.clean(TURNS.get(turns, turns)), "right") for turns in ranges),
        ),
        rows=tuple(rows),
        empty="no session costs are known of that time: they need a key, see `qwenwatch feeds`",
    )


def caption(scope: str, start: date | None, end: date) -> str:
    """Scope and days of figures: ``top 100 apps · 2026-07-23 to 2026-08-21``."""
    return f"{scope} · {f'{start} ' if start else ''}to {end}"


def _app(row: Mapping[str, Any], unit: int) -> Row:
    name, each = amounts.clean(row["name"]), row["tokens_per_request"]
    cells = (
        Cell(amounts.UNKNOWN if row["rank"] is None else str(row["rank"]), sort=row["rank"]),
        Cell(name, sort=name.casefold()),
        Cell(amounts.tokens(row["tokens"], unit), sort=row["tokens"]),
        Cell(amounts.tokens(row["requests"]), sort=row["requests"]),
        Cell(amounts.UNKNOWN if each is None else f"{each:,.0f}", sort=amounts.sortable(each)),
    )
    return Row(row["id"], cells, claim=NO_USER)


def _median(row: Mapping[str, Any] | None) -> Decimal | None:
    return None if row is None else row["median_usd"]
