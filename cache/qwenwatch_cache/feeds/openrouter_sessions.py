"""OpenRouter Data API, session-cost: median USD of a session per app, model and number of turns.

Facts (OpenRouterTeam/docs openapi.yaml, read 2026-08-22; no real body is recorded, so this reads
the documented shape and is proven on hand-written bodies only): medians over sampled sessions of
published apps, refreshed weekly; at most 500 rows a request, at most 5,000 skipped, so that 5,500
rows can be reached; `window_days` and `window_end_date` are null while nothing is published.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import polars as pl

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import (
    Count,
    Done,
    Feed,
    Parsed,
    Parser,
    Request,
    decode,
    decode_each,
    noted,
    query_of,
    refuse_empty,
    refuse_unit_error,
)
from qwenwatch_cache.feeds.money import RefusedPrice, kept
from qwenwatch_cache.feeds.openrouter_data import HOST, KEY_ENV, KIN, LICENCE, instant
from qwenwatch_cache.frames import SESSION, conform

NAME = "openrouter-sessions"
PATH = "/api/v1/datasets/session-cost"
LIMIT = 500  # rows of a page, the most there can be
LAST_OFFSET = 5000  # the server skips no more


class _Row(msgspec.Struct):
    app_slug: str
    app_name: str
    turn_range: str
    model_permaslug: str
    median_session_cost_usd: Decimal


class _Meta(msgspec.Struct):
    as_of: str | None = None
    window_days: Count | None = None
    window_end_date: date | None = None


class _Body(msgspec.Struct):
    data: list[msgspec.Raw]
    meta: _Meta = msgspec.field(default_factory=_Meta)


def parse(body: bytes, fetched_at: datetime, offset: int = 0) -> Parsed:
    """Read a page of session-cost; a full page leads to the next one.

    Args:
        body: JSON body.
        fetched_at: When it came.
        offset: Rows on the pages before.

    Raises:
        FeedError: Not the documented shape, a first page without rows, a cell twice, too many bad
            rows, or too many medians that cannot be right (above 1,000 USD, negative).
    """
    answer = decode(NAME, body, _Body)
    if offset == 0:
        refuse_empty(NAME, answer.data, "rows")
    as_of = instant(NAME, "meta.as_of", answer.meta.as_of) if answer.meta.as_of else fetched_at
    named = [(f"row {number}", raw) for number, raw in enumerate(answer.data, offset + 1)]
    good, bad = decode_each(NAME, named, _Row)
    refused: Counter[str] = Counter()
    if bad:
        refused["another shape than documented"] = len(bad)
    of_all = {
        "feed": NAME,
        "period": _last_day(answer.meta, as_of),
        "window_days": answer.meta.window_days,
        "as_of": as_of,
        "observed_at": fetched_at,
    }
    rows: list[dict[str, Any]] = []
    wrong: list[str] = []
    for name, row in good:
        try:
            median = kept(row.median_session_cost_usd)
        except RefusedPrice as reason:
            refused[reason.rule] += 1
            wrong.append(f"{name}, a session of {row.app_slug[:40]!r}: {reason.rule}")
            continue
        rows.append(
            {
                **of_all,
                "app": row.app_slug,
                "app_name": row.app_name,
                "turns": row.turn_range,
                "model": row.model_permaslug,
                "median_usd": median,
            }
        )
    refuse_unit_error(NAME, len(wrong), len(answer.data), wrong[0] if wrong else "")
    frame = conform(pl.DataFrame(rows, schema=SESSION), SESSION)
    _refuse_twice(frame)
    following = [_page(offset + LIMIT)] if len(answer.data) >= LIMIT else []
    return Parsed(
        {"session": frame},
        len(answer.data),
        refused,
        notes=noted(bad, wrong),
        whole=frozenset(),
        follow=following if offset + LIMIT <= LAST_OFFSET else [],
    )


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """The first page; each full page asks for the next."""
    return [_page(0)]


def _page(offset: int) -> Request:
    path = f"{PATH}?limit={LIMIT}&offset={offset}"
    return Request(path, reads(path), conditional=False)


def reads(url: str) -> Parser:
    """Of each page the place is known, to count its rows on."""
    return partial(parse, offset=int(query_of(url)["offset"]))


def _last_day(meta: _Meta, as_of: datetime) -> date:
    """Last day of the window; where it is not stated, the last complete one when it was made."""
    if meta.window_end_date is not None:
        return meta.window_end_date
    try:
        return as_of.astimezone(UTC).date() - timedelta(days=1)
    except OverflowError as error:
        raise FeedError(f"{NAME}: meta.as_of is {as_of}, which has no day before") from error


def _refuse_twice(frame: pl.DataFrame) -> None:
    twice = frame.filter(pl.struct("app", "turns", "model").is_duplicated())
    if not twice.is_empty():
        cell = " / ".join(twice.select("app", "turns", "model").row(0))
        raise FeedError(f"{NAME}: {cell[:120]!r} stands twice")


FEED = Feed(
    name=NAME,
    title="OpenRouter sessions (median cost per app, model and turns)",
    publisher="OpenRouter",
    kind="usage",
    host=HOST,
    plan=plan,
    budget=120,
    floor=timedelta(days=1),
    licence=LICENCE,
    citation=(
        "Source: OpenRouter Data API (openrouter.ai/docs/cookbook/administration/data-api), "
        "as of {as_of}. CC BY 4.0"
    ),
    page="https://openrouter.ai/docs/cookbook/administration/data-api",
    reads=reads,
    key_env=KEY_ENV,
    kin=KIN,
)
