"""A row of a frame as plain values for programs."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.clock import iso
from qwenwatch_widgets.views import amounts

if TYPE_CHECKING:
    from qwenwatch_cache.market.windows import Window


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same row for JSON: exact numbers, ISO 8601 times, text that no terminal obeys."""
    return {name: _plain(value) for name, value in row.items()}


def plain_window(window: "Window", *, complete: bool) -> dict[str, Any]:
    """A window for JSON, and whether there are figures of all of it."""
    return {
        "grain": window.grain,
        "start": window.start.isoformat(),
        "end": window.end.isoformat(),
        "complete": complete,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return amounts.number(value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return amounts.clean(value) if isinstance(value, str) else value
