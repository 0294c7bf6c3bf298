"""OpenRouter's endpoints, as its OpenAPI description and the recordings have them."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from tests.feedserver.answers import Answer, error, json_answer, not_played
from tests.feedserver.bodies import Bodies, Row

FIRST_DAY = date(2025, 1, 1)
DEFAULT_DAYS = 30
MAX_DAYS = 366

_INVALID = "Invalid request parameters"
_FILTERS = ("modality", "context_bucket", "category", "language_type")


def rankings_daily(bodies: Bodies, query: Mapping[str, str], now: datetime) -> Answer:
    """``/api/v1/datasets/rankings-daily``: tokens per model and complete UTC day."""
    period = query.get("period", "day")
    if period not in ("day", "week", "month"):
        return error(400, _INVALID)
    if period == "day" and ("category" in query or "language_type" in query):
        return error(400, _INVALID)
    # The real feed would filter or bucket; to ignore the wish would pass as its answer.
    if period != "day" or any(name in query for name in _FILTERS):
        return error(400, "feedserver: only daily rows without a filter are played")
    window = _window(query, now)
    if window is None:
        return error(400, _INVALID)
    first, last = (day.isoformat() for day in window)
    rows = [row for row in bodies.rankings() if first <= row["date"] <= last]
    rows.sort(key=_rank_order)
    return json_answer({"data": rows, "meta": _meta(window, now)})


def app_rankings(bodies: Bodies, query: Mapping[str, str], now: datetime) -> Answer:
    """``/api/v1/datasets/app-rankings``: one window only, whatever the dates asked for."""
    if any(name in query for name in ("category", "subcategory", "sort")):
        return error(400, "feedserver: app-rankings are played without a filter only")
    window = _window(query, now)
    limit, offset = query.get("limit", "50"), query.get("offset", "0")
    if window is None or not (limit.isdecimal() and offset.isdecimal()):
        return error(400, _INVALID)
    if not (1 <= int(limit) <= 100 and int(offset) <= 100):
        return error(400, _INVALID)
    rows = bodies.apps()
    if rows is None:
        return not_played("app-rankings at this time")
    page = rows[int(offset) : int(offset) + int(limit)]
    return json_answer({"data": page, "meta": _meta(window, now)})


def _window(query: Mapping[str, str], now: datetime) -> tuple[date, date] | None:
    """The days asked for, both inclusive; `None` where the real feed answers 400."""
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    try:
        last = _day(query["end_date"]) if "end_date" in query else yesterday
        if "start_date" in query:
            first = _day(query["start_date"])
        else:
            first = last - timedelta(days=DEFAULT_DAYS - 1)
    except ValueError:
        return None
    if first > last or last < FIRST_DAY:
        return None
    first, last = max(first, FIRST_DAY), min(last, yesterday)
    if first > last or (last - first).days >= MAX_DAYS:
        return None
    return first, last


def _day(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError(text)
    return date.fromisoformat(text)


def _rank_order(row: Row) -> tuple[str, bool, int, str]:
    slug = row["model_permaslug"]
    return row["date"], slug == "other", -int(row["total_tokens"]), slug


def _meta(window: tuple[date, date], now: datetime) -> Row:
    return {
        "as_of": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "version": "v1",
        "start_date": window[0].isoformat(),
        "end_date": window[1].isoformat(),
    }
