"""OpenRouter's endpoints, as its OpenAPI description and the recordings have them."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

from tests.feedserver.answers import Answer, error, json_answer, not_played
from tests.feedserver.bodies import Bodies, Row

FIRST_DAY = date(2025, 1, 1)
DEFAULT_DAYS = 30
MAX_DAYS = 366

_INVALID = "Invalid request parameters"
_ENDPOINTS = re.compile(r"/api/v1/models/(\w[\w.-]*/\w[\w.:-]*)/endpoints", re.ASCII)
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
    """``/api/v1/datasets/app-rankings``: apps by tokens in a window."""
    if any(name in query for name in ("category", "subcategory", "sort")):
        return error(400, "feedserver: app-rankings are played without a filter only")
    window = _window(query, now)
    page = _page(query, default=50, most=100, furthest=100)
    if window is None or page is None:
        return error(400, _INVALID)
    rows = bodies.apps(*window)
    if rows is None:
        return not_played(f"app-rankings of {window[0]} to {window[1]}")
    return json_answer({"data": rows[page], "meta": _meta(window, now)})


def session_cost(bodies: Bodies, query: Mapping[str, str], now: datetime) -> Answer:
    """``/api/v1/datasets/session-cost``: always of the 30 days that end with the last Sunday."""
    if any(name in query for name in ("app_slug", "model", "turn_range")):
        return error(400, "feedserver: session-cost is played without a filter only")
    page = _page(query, default=100, most=500, furthest=5000)
    if page is None:
        return error(400, _INVALID)
    rows = bodies.sessions()
    if rows is None:
        return not_played("session-cost")
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    sunday = yesterday - timedelta(days=yesterday.isoweekday() % 7)
    meta = {
        "as_of": _instant(now),
        "version": "v1",
        "window_days": 30,
        "window_end_date": sunday.isoformat(),
    }
    return json_answer({"data": rows[page], "meta": meta})


def task_classifications(bodies: Bodies, query: Mapping[str, str], now: datetime) -> Answer:
    """``/api/v1/classifications/task``: the same shares every day, as of the day before."""
    if query.get("window", "7d") != "7d":
        return error(400, _INVALID)
    tasks = bodies.tasks()
    if tasks is None:
        return not_played("classifications/task")
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    return json_answer({"data": {**tasks, "as_of": yesterday.isoformat()}})


def model_of(path: str) -> str | None:
    """The model whose endpoints a path asks for, None for other paths."""
    match = _ENDPOINTS.fullmatch(path)
    return match[1] if match else None


def endpoints(model: str) -> Callable[[Bodies, Mapping[str, str], datetime], Answer]:
    """``/api/v1/models/{author}/{slug}/endpoints``: who serves a model."""

    def endpoint(bodies: Bodies, query: Mapping[str, str], now: datetime) -> Answer:
        body = bodies.endpoints(model)
        return not_played(f"endpoints of {model}") if body is None else Answer(body)

    return endpoint


def _page(query: Mapping[str, str], *, default: int, most: int, furthest: int) -> slice | None:
    """The rows asked for by limit and offset; `None` where the real feed answers 400."""
    limit, offset = query.get("limit", str(default)), query.get("offset", "0")
    if not (limit.isdecimal() and offset.isdecimal()):
        return None
    if not (1 <= int(limit) <= most and int(offset) <= furthest):
        return None
    return slice(int(offset), int(offset) + int(limit))


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
        "as_of": _instant(now),
        "version": "v1",
        "start_date": window[0].isoformat(),
        "end_date": window[1].isoformat(),
    }


def _instant(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
