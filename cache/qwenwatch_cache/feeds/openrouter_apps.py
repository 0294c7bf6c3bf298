"""OpenRouter Data API, app-rankings: tokens and requests of the top 100 apps in 30 days.

Facts (OpenRouterTeam/docs openapi.yaml and the Data API cookbook, read 2026-08-22; 50 real rows are
recorded): `total_tokens` is a decimal string of prompt and completion tokens by each provider's own
tokenizer, `total_requests` a number; at most 100 rows a request; public apps only, an app's aliases
are merged into it. Apps are known by number; names may change and go to the catalogue.

The feed states no total and has no `other`: what share of everything an app has cannot be told.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Annotated, Any

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
    query_of,
    refuse_empty,
)
from qwenwatch_cache.feeds.openrouter_data import HOST, KEY_ENV, KIN, LICENCE, instant, whole_number
from qwenwatch_cache.frames import CATALOG, USAGE, conform

NAME = "openrouter-apps"
PATH = "/api/v1/datasets/app-rankings"
LIMIT = 100  # rows of an answer, the most there can be
DAYS = 30  # of the window, both ends included
SCOPE = "top 100 apps"
MOST_A_REQUEST = 10**8
"""Tokens per request, ten times the longest context window; above it a count cannot be right."""

_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _Row(msgspec.Struct):
    app_id: _Id
    app_name: str
    total_tokens: str
    total_requests: Count


class _Meta(msgspec.Struct):
    as_of: str | None = None
    start_date: date | None = None
    end_date: date | None = None


class _Body(msgspec.Struct):
    data: list[_Row]
    meta: _Meta = msgspec.field(default_factory=_Meta)


def parse(body: bytes, fetched_at: datetime, asked: date) -> Parsed:
    """Read an app-rankings answer into two usage rows and one catalogue row per app.

    Args:
        body: JSON body.
        fetched_at: When it came.
        asked: First day that was asked for; what the answer itself states goes before.

    Raises:
        FeedError: Not the documented shape, no rows, another window than 30 days, an app twice,
            or a count that cannot be right. A row left out would pass as an app that fell out of
            the top 100, so a bad row refuses the whole answer.
    """
    answer = decode(NAME, body, _Body)
    refuse_empty(NAME, answer.data, "rows")
    as_of = instant(NAME, "meta.as_of", answer.meta.as_of) if answer.meta.as_of else fetched_at
    of_all = {
        "feed": NAME,
        "kind": "app",
        "grain": "rolling30",
        "period": _first_day(answer.meta, asked),
        "share": None,
        "scope": SCOPE,
        "as_of": as_of,
        "observed_at": fetched_at,
    }
    usage = pl.DataFrame(
        [
            {**of_all, "entity": str(row.app_id), "metric": metric, "value": value}
            for row in answer.data
            for metric, value in (("tokens", _tokens(row)), ("requests", row.total_requests))
        ],
        schema=USAGE,
    )
    twice = usage.filter(pl.struct("metric", "entity").is_duplicated())
    if not twice.is_empty():
        raise FeedError(f"{NAME}: app {twice['entity'][0]} stands twice")
    catalog = pl.DataFrame([_catalog_row(row, fetched_at) for row in answer.data], schema=CATALOG)
    frames = {"usage": conform(usage, USAGE), "catalog": conform(catalog, CATALOG)}
    return Parsed(frames, len(answer.data))


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """The trailing 30 complete days, which end yesterday (UTC)."""
    last_day = now.astimezone(UTC).date() - timedelta(days=1)
    first = last_day - timedelta(days=DAYS - 1)
    path = f"{PATH}?limit={LIMIT}&start_date={first}&end_date={last_day}"
    return [Request(path, reads(path))]


def reads(url: str) -> Parser:
    """An answer that does not say its first day is of the one that was asked for."""
    return partial(parse, asked=date.fromisoformat(query_of(url)["start_date"]))


def _first_day(meta: _Meta, asked: date) -> date:
    first, last = meta.start_date, meta.end_date
    if first and last and (last - first).days != DAYS - 1:
        raise FeedError(f"{NAME}: the answer is about {first} to {last}, expected {DAYS} days")
    return first or asked


def _tokens(row: _Row) -> int:
    field = f"total_tokens of app {row.app_id}"
    tokens = whole_number(NAME, field, row.total_tokens)
    # Without a request there is nothing to hold the tokens against.
    if row.total_requests and tokens > row.total_requests * MOST_A_REQUEST:
        raise FeedError(
            f"{NAME}: {field} is {tokens}, more than its {row.total_requests} requests can hold"
        )
    return tokens


def _catalog_row(row: _Row, fetched_at: datetime) -> dict[str, Any]:
    return {
        "feed": NAME,
        "model": str(row.app_id),
        "name": row.app_name,
        "observed_at": fetched_at,
    }


FEED = Feed(
    name=NAME,
    title="OpenRouter apps (tokens and requests per app, 30 days)",
    publisher="OpenRouter",
    kind="usage",
    host=HOST,
    plan=plan,
    budget=40,
    floor=timedelta(hours=6),
    licence=LICENCE,
    citation="Source: OpenRouter (openrouter.ai/apps), as of {as_of}. CC BY 4.0",
    page="https://openrouter.ai/apps",
    reads=reads,
    key_env=KEY_ENV,
    kin=KIN,
)
