"""A row of a frame as plain values for programs."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from qwenwatch_cache.clock import iso
from qwenwatch_widgets.views import amounts


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same row for JSON: exact numbers, ISO 8601 times, text that no terminal obeys."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return amounts.number(value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return amounts.clean(value) if isinstance(value, str) else value
