"""OpenRouter Data API, rankings-daily: tokens per model and day, top 50 plus `other`.

Facts (OpenRouterTeam/docs openapi.yaml and the Data API cookbook, read 2026-08-22): UTC days since
2025-01-01; at most 366 days a request, oldest first; `total_tokens` is a decimal string of prompt
and completion tokens by each provider's own tokenizer; `other` is reserved, holds the tail and is
the last of its day; a day may be restated within a day or so, older ones now and then; public
traffic only. Any API key will do.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec
import polars as pl

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import Done, Feed, Parsed, Request, decode, refuse_empty
from qwenwatch_cache.feeds.openrouter_data import HOST, KEY_ENV, KIN, LICENCE, instant, whole_number
from qwenwatch_cache.frames import USAGE, conform

NAME = "openrouter-rankings"
PATH = "/api/v1/datasets/rankings-daily"
EARLIEST = date(2025, 1, 1)
SPAN = 364  # days of a full round: within the limit of 366, both ends included
RESTATED = 3  # newest days that are asked for again in every round
FULL_EVERY = timedelta(days=7)
SCOPE = "top 50 a day + other"
OTHER = "other"


class _Row(msgspec.Struct):
    date: date
    model_permaslug: str
    total_tokens: str


class _Meta(msgspec.Struct):
    as_of: str | None = None


class _Body(msgspec.Struct):
    data: list[_Row]
    meta: _Meta = msgspec.field(default_factory=_Meta)


def parse(body: bytes, fetched_at: datetime) -> Parsed:
    """Read a rankings-daily answer into usage rows, one per model and day.

    Raises:
        FeedError: Not the documented shape, no rows, cut off within a day, a model twice on a
            day, or a token count that is no whole number. Rows of a day are shares of one total,
            so a bad row refuses the whole answer.
    """
    answer = decode(NAME, body, _Body)
    refuse_empty(NAME, answer.data, "rows")
    as_of = instant(NAME, "meta.as_of", answer.meta.as_of) if answer.meta.as_of else fetched_at
    rows = [
        {
            "feed": NAME,
            "metric": "tokens",
            "kind": "model",
            "entity": row.model_permaslug,
            "grain": "day",
            "period": row.date,
            "value": whole_number(
                NAME, f"total_tokens of {row.model_permaslug} on {row.date}", row.total_tokens
            ),
            "share": None,
            "scope": SCOPE,
            "as_of": as_of,
            "observed_at": fetched_at,
        }
        for row in answer.data
    ]
    frame = conform(pl.DataFrame(rows, schema=USAGE), USAGE)
    twice = frame.filter(pl.struct("period", "entity").is_duplicated())
    if not twice.is_empty():
        first = twice.row(0, named=True)
        raise FeedError(f"{NAME}: {first['entity']} stands twice on {first['period']}")
    _refuse_cut_day(answer.data)
    return Parsed({"usage": frame}, len(rows))


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """The last year once a week, else the days since the last round and the newest three again."""
    last_day = now.astimezone(UTC).date() - timedelta(days=1)
    first = last_day - timedelta(days=SPAN)
    if any(_is_full(one) and now - one.started < FULL_EVERY for one in done):
        newest = max(one.started for one in done if one.is_current).date()
        first = max(first, min(newest, last_day + timedelta(days=1)) - timedelta(days=RESTATED))
    first = max(first, EARLIEST)
    return [_request(first, last_day)]


def backfill(now: datetime) -> Sequence[Request]:
    """Every day there is, a year at a time: 366 days is the longest that may be asked for."""
    last_day = now.astimezone(UTC).date() - timedelta(days=1)
    return [
        _request(max(date(year, 1, 1), EARLIEST), min(date(year, 12, 31), last_day))
        for year in range(last_day.year, EARLIEST.year - 1, -1)
    ]


def days(first: date, last: date) -> Sequence[Request]:
    """The days of a span, as far as there are any: 366 in one request at most."""
    first = max(first, EARLIEST)
    longest = timedelta(days=SPAN)
    starts = [first]
    while starts[-1] + longest < last:
        starts.append(starts[-1] + longest + timedelta(days=1))
    return [_request(start, min(start + longest, last)) for start in starts if start <= last]


def _request(first: date, last: date) -> Request:
    return Request(f"{PATH}?start_date={first}&end_date={last}", parse)


def _is_full(one: Done) -> bool:
    """Whether an answer held the whole year up to when it was asked for."""
    query = parse_qs(urlsplit(one.url).query)
    start, end = query.get("start_date"), query.get("end_date")
    if not start or not end:
        return False
    try:
        first, last = date.fromisoformat(start[0]), date.fromisoformat(end[0])
    except ValueError:  # no address of ours: the log may hold another machine's
        return False
    return one.is_current and ((last - first).days >= SPAN or first == EARLIEST)


def _refuse_cut_day(rows: Sequence[_Row]) -> None:
    """Refuse an answer that ends before the tail of its last day, by the days before."""
    ended = {row.date for row in rows if row.model_permaslug == OTHER}
    last = rows[-1].date
    if ended and last not in ended:
        raise FeedError(f"{NAME}: the answer ends in the middle of {last}, before {OTHER!r}")


FEED = Feed(
    name=NAME,
    title="OpenRouter rankings (tokens per model and day)",
    publisher="OpenRouter",
    kind="usage",
    host=HOST,
    plan=plan,
    budget=200,
    floor=timedelta(hours=1),
    licence=LICENCE,
    citation="Source: OpenRouter (openrouter.ai/rankings), as of {as_of}. CC BY 4.0",
    page="https://openrouter.ai/rankings",
    key_env=KEY_ENV,
    kin=KIN,
    backfill=backfill,
    days=days,
)
