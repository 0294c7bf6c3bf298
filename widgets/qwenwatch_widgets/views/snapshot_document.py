"""The snapshot of a day as the JSON document that docs/snapshot.schema.json describes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.clock import is_replayed, iso
from qwenwatch_widgets.views.amounts import clean
from qwenwatch_widgets.views.answer import SCHEMA_VERSION
from qwenwatch_widgets.views.definitions import definition_rows
from qwenwatch_widgets.views.plain import plain_row, plain_window
from qwenwatch_widgets.views.price_rows import prices_block
from qwenwatch_widgets.views.sources import source_row
from qwenwatch_widgets.views.spend import spend_rows

if TYPE_CHECKING:
    from qwenwatch_cache.market.windows import Window
    from qwenwatch_widgets.views.snapshot import Snapshot


def document(snapshot: "Snapshot") -> dict[str, Any]:
    """The snapshot as plain values: shares are fractions, times ISO 8601 UTC, unknown is null."""
    window = snapshot.window
    plain: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "replayed": is_replayed(),
        "date": snapshot.date.isoformat(),
        "known_at": iso(snapshot.known_at),
        "baseline": any(origin.status != "live" for origin in snapshot.origins),
        "window": None if window is None else _window(window, snapshot),
        "sources": [source_row(origin, snapshot.known_at) for origin in snapshot.origins],
    }
    if "leaderboards" in snapshot.ask.sections:
        plain["leaderboards"] = {
            by: [_leader(row) for row in board.rows.to_dicts()]
            for by, board in snapshot.boards.items()
        }
    if snapshot.definitions is not None:
        plain["definitions"] = definition_rows(snapshot.definitions)
    if "spend" in snapshot.ask.sections:
        plain["spend"] = spend_rows(snapshot.spend) if snapshot.spend else []
    if snapshot.changes is not None:
        plain["changes"] = [plain_row(row) for row in snapshot.changes.rows.to_dicts()]
    if snapshot.prices is not None:
        plain["prices"] = prices_block(snapshot.ask, snapshot.prices, snapshot.priced_at)
    return plain


def _window(window: "Window", snapshot: "Snapshot") -> dict[str, Any]:
    whole = [board.complete for board in snapshot.boards.values()]
    if snapshot.definitions is not None:
        rows = snapshot.definitions.rows
        whole += rows.filter(rows["grain"] == window.grain)["complete"].to_list()
    if snapshot.spend is not None:
        whole.append(snapshot.spend.complete)
    return plain_window(window, complete=all(whole))


def _leader(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rank": row["rank"],
        "previous_rank": row["previous_rank"],
        "id": clean(row["id"]),
        "source_id": None if row["source_id"] is None else clean(row["source_id"]),
        "name": clean(row["name"]),
        "vendor": row["vendor"],
        "country": row["country"],
        "metric": row["metric"],
        "value": row["value"],
        "share": row["share"],
        "share_change": row["share_change"],
        "history": [
            {"start": point["start"].isoformat(), "share": point["share"]}
            for point in row["history"]
        ],
    }
