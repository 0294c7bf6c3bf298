"""Vercel AI Gateway leaderboard export: daily shares of tokens, requests and spend.

Facts (vercel.com/docs/ai-gateway/leaderboards, 2026-08-24, and Vercel's CLI source): no key; shares
in percent, never volumes; `models` lists display names and `Other`, and which models are listed
depends on the days asked, so whole calendar months are asked for; `labs` is complete; the running
day is visible and left out here; days before 2025-10-01 are refused; cached for 24 hours.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial

import msgspec
import polars as pl

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import (
    Done,
    Feed,
    Parsed,
    Parser,
    Request,
    decode,
    query_of,
    refuse_empty,
)
from qwenwatch_cache.frames import USAGE, conform

NAME = "vercel-leaderboard"
PATH = "/api/ai/leaderboard-export"
EARLIEST = date(2025, 10, 1)
AGAIN = 4  # days before the last round that are asked for again
WHOLE = (0.98, 1.02)  # what the shares of a day may add up to, roundings granted
METRICS = frozenset({"tokens", "requests", "spend"})
OTHER = "Other"
KINDS = {"models": "model", "labs": "lab"}  # by data set
SCOPE = {"model": "models named by Vercel + other", "lab": "all labs"}


class _Row(msgspec.Struct):
    date: date
    group: str
    name: str
    metric: str
    share_percent: float


class _Body(msgspec.Struct):
    rows: list[_Row]


def parse(body: bytes, fetched_at: datetime, kind: str) -> Parsed:
    """Read an export into usage rows, one per name, metric and day.

    Args:
        body: JSON body of the export.
        fetched_at: When it came.
        kind: "model" or "lab".

    Raises:
        FeedError: Not the documented shape, no rows, a share outside 0–100 %, a name twice, or
            a day whose shares do not add up to 100 %.
    """
    rows = decode(NAME, body, _Body).rows
    refuse_empty(NAME, rows, "rows")
    today = fetched_at.astimezone(UTC).date()
    kept = [row for row in rows if row.metric in METRICS and row.date < today]
    frame = pl.DataFrame(
        [
            {
                "feed": NAME,
                "metric": row.metric,
                "kind": kind,
                "entity": "other" if row.name == OTHER else row.name,
                "grain": "day",
                "period": row.date,
                "value": None,
                "share": _share(row),
                "scope": SCOPE[kind],
                "as_of": fetched_at,
                "observed_at": fetched_at,
            }
            for row in kept
        ],
        schema=USAGE,
    )
    twice = frame.filter(pl.struct("metric", "period", "entity").is_duplicated())
    if not twice.is_empty():
        first = twice.row(0, named=True)
        raise FeedError(f"{NAME}: {first['entity']} stands twice on {first['period']}")
    sums = frame.group_by("metric", "period").agg(pl.col("share").sum()).sort("metric", "period")
    off = sums.filter(~pl.col("share").is_between(*WHOLE))
    if not off.is_empty():
        metric, day, total = off.row(0)
        raise FeedError(
            f"{NAME}: the shares of {metric} on {day} add up to {total * 100:.1f} %, expected 100"
        )
    return Parsed(
        {"usage": conform(frame, USAGE)},
        len(rows),
        {"running day or metric not followed": len(rows) - len(kept)},
    )


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """Both data sets of every month since the last round, at first of this one and the last.

    Days just before the last round are asked for again: early in a month that is the month before.
    """
    last_day = now.astimezone(UTC).date() - timedelta(days=1)
    return [
        _request(dataset, first, last_day)
        for dataset in KINDS
        for first in _months(now, last_day, [one for one in done if f"={dataset}&" in one.url])
    ]


def backfill(now: datetime) -> Sequence[Request]:
    """Both data sets of every month there is."""
    last_day = now.astimezone(UTC).date() - timedelta(days=1)
    months = [EARLIEST]
    while (following := (months[-1] + timedelta(days=32)).replace(day=1)) <= last_day:
        months.append(following)
    return [_request(dataset, first, last_day) for first in reversed(months) for dataset in KINDS]


def days(first: date, last: date) -> Sequence[Request]:
    """Both data sets of the days of a span, month by month."""
    starts = [max(first, EARLIEST)]
    while (following := _month_end(starts[-1], last) + timedelta(days=1)) <= last:
        starts.append(following)
    return [_request(dataset, each, last) for each in starts for dataset in KINDS if each <= last]


def _request(dataset: str, first: date, last_day: date) -> Request:
    days = f"from={first}&to={_month_end(first, last_day)}"
    path = f"{PATH}?dataset={dataset}&format=json&{days}"
    return Request(path, reads(path))


def reads(url: str) -> Parser:
    """The data sets have rows alike, of other kinds of names."""
    return partial(parse, kind=KINDS[query_of(url)["dataset"]])


def _months(now: datetime, last_day: date, done: Sequence[Done]) -> Sequence[date]:
    """First days of the months to ask a data set for, given its earlier requests."""
    months = [last_day.replace(day=1)]
    newest = max((one.started for one in done if one.is_current), default=None)
    since = months[0] - timedelta(days=1)
    if newest is not None:
        since = min(newest, now).astimezone(UTC).date() - timedelta(days=AGAIN)
    while months[0] > since:
        months.insert(0, (months[0] - timedelta(days=1)).replace(day=1))
    return [first for first in months if first >= EARLIEST]


def _month_end(first: date, last_day: date) -> date:
    next_month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    return min(next_month - timedelta(days=1), last_day)


def _share(row: _Row) -> float:
    if not 0 <= row.share_percent <= 100.5:
        raise FeedError(
            f"{NAME}: share_percent of {row.name[:40]!r} on {row.date} is {row.share_percent}, "
            "expected 0 to 100"
        )
    return round(row.share_percent / 100, 12)


FEED = Feed(
    name=NAME,
    title="Vercel AI Gateway leaderboard (shares of tokens, requests, spend)",
    publisher="Vercel",
    kind="usage",
    host="https://vercel.com",
    plan=plan,
    budget=100,
    floor=timedelta(days=1),
    licence="CC BY 4.0",
    citation="© 2026 Vercel, AI Gateway Leaderboard Data, CC BY 4.0, as of {as_of}",
    page="https://vercel.com/ai-gateway/leaderboards",
    reads=reads,
    backfill=backfill,
    days=days,
)
