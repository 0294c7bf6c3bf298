"""Vercel's leaderboard export, as its documentation has it."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from tests.feedserver.answers import Answer, error, json_answer, not_played
from tests.feedserver.bodies import Bodies, Row

EARLIEST = date(2025, 10, 1)
#: "Rolling two months" is not defined to the day; the recorded page showed 61 days.
DEFAULT_DAYS = 61

_LICENCE = {
    "license": "CC-BY-4.0",
    "license_url": "https://creativecommons.org/licenses/by/4.0/",
}
_ATTRIBUTION = (
    '© 2026 Vercel. "AI Gateway Leaderboard Data" is licensed under CC BY 4.0. '
    "To view a copy of this license, visit https://creativecommons.org/licenses/by/4.0/"
)
_COLUMNS = ("date", "group", "name", "metric", "modality", "share_percent")


def leaderboard_export(bodies: Bodies, query: Mapping[str, str], now: datetime) -> Answer:
    """``/api/ai/leaderboard-export``: daily shares, the running day included."""
    dataset = query.get("dataset", "models")
    modality = query.get("modality", "all")
    kind = query.get("format", "json")
    if (
        dataset not in ("models", "labs", "apps", "providers")
        or modality not in ("all", "text", "image", "video")
        or kind not in ("json", "csv")
    ):
        return error(400, "Invalid query parameters")
    ranged = "from" in query or "to" in query
    if ranged and dataset in ("apps", "providers"):
        return error(400, "from and to apply to models and labs only")
    today = now.astimezone(UTC).date()
    try:
        first, last = _range(query, today)
    except ValueError as problem:
        return error(400, str(problem))
    rows = bodies.leaderboard(dataset)
    if rows is None or modality != "all":
        return not_played(f"dataset {dataset}, modality {modality}")
    shown = [row for row in rows if str(first) <= row["date"] <= str(min(last, today))]
    if kind == "csv":
        return Answer(_csv(shown), content_type="text/csv; charset=utf-8")
    echo = {"from": str(first), "to": str(last), "earliest_available_date": str(EARLIEST)}
    payload = {"dataset": dataset, "modality": modality, **_LICENCE, **(echo if ranged else {})}
    return json_answer({**payload, "rows": shown})


def _range(query: Mapping[str, str], today: date) -> tuple[date, date]:
    if "to" in query and "from" not in query:
        raise ValueError("to needs from")
    if "from" not in query:
        return today - timedelta(days=DEFAULT_DAYS - 1), today
    first = date.fromisoformat(query["from"])
    last = date.fromisoformat(query["to"]) if "to" in query else today
    if first < EARLIEST:
        raise ValueError(f"from must not be before {EARLIEST}")
    if first > last:
        raise ValueError("from must not be after to")
    return first, last


def _csv(rows: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows([row[column] for column in _COLUMNS] for row in rows)
    # The real file ends with its attribution, which is no row of data.
    writer.writerow([_ATTRIBUTION])
    return text.getvalue().encode()
