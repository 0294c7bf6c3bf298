"""Changes of hand-kept feeds that corrected the feed, not the price."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from qwenwatch_cache.frames import PRICE_FIELDS
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.doubts import Polls

HAND_KEPT = frozenset({"models-dev", "litellm"})
"""Feeds that people keep. At least 9 of 37 changes of first-party prices at models.dev in 13 months
were corrections (yuan entered as dollars, input and output swapped)."""

ROUTE = "openrouter-models"
"""Feed whose prices are those that a router charges, so that they move when prices do."""

CORRECTION_SPAN = timedelta(days=7)
"""How long before or after a change of the list price the route price may move with it."""


def with_corrections(
    changes: Sequence[dict[str, Any]], rows: pl.DataFrame, polls: Polls, directory: Directory
) -> list[dict[str, Any]]:
    """Mark confirmed changes of hand-kept feeds as corrections where the route price stood still.

    Where no route price of the model is known at the time, or the router was not read within
    `CORRECTION_SPAN` before and after, the change stays confirmed.

    Args:
        changes: Rows of a price history, those of the route feed included.
        rows: Price rows behind them.
        polls: Moments at which each feed was read successfully, by feed.
        directory: Says which ids are the same model.
    """
    read = polls.get(ROUTE, ())
    first_seen: dict[str, datetime] = {}
    route = rows.filter((pl.col("feed") == ROUTE) & (pl.col("variant") == ""))
    for model, moment in route.group_by("model").agg(pl.col("observed_at").min()).iter_rows():
        canonical = directory.model(ROUTE, model).id
        first_seen[canonical] = min(moment, first_seen.get(canonical, moment))
    moves, away = _route_changes(changes, directory)

    def stood_still(change: dict[str, Any]) -> bool:
        """Whether the router had a price then, was read around it, and did not move it."""
        at: datetime = change["at"]
        model = directory.model(change["feed"], change["model"]).id
        if model not in first_seen or first_seen[model] > at:
            return False
        if any(left <= at and (back is None or at < back) for left, back in away[model]):
            return False
        before, after = at - CORRECTION_SPAN, at + CORRECTION_SPAN
        if _any(sorted(moves[model]), before, after):
            return False
        return _any(read, before, at) and _any(read, at, after)

    return [
        {**change, "mark": "correction"}
        if change["feed"] in HAND_KEPT
        and change["mark"] == "confirmed"
        and change["field"] in PRICE_FIELDS
        and stood_still(change)
        else change
        for change in changes
    ]


def _route_changes(
    changes: Sequence[dict[str, Any]], directory: Directory
) -> tuple[
    dict[str, list[datetime]],
    dict[str, list[tuple[datetime, datetime | None]]],
]:
    """By canonical id: when the route price moved, and when there was none."""
    moves: dict[str, list[datetime]] = defaultdict(list)
    away: dict[str, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for change in changes:
        if change["feed"] != ROUTE or change["variant"]:
            continue
        model = directory.model(ROUTE, change["model"]).id
        if change["field"] == "listed" and change["mark"] == "gone":
            away[model].append((change["at"], change["until"]))
        elif change["mark"] in {"confirmed", "unconfirmed"} and change["field"] != "listed":
            moves[model].append(change["at"])
    return moves, away


def _any(moments: Sequence[datetime], first: datetime, last: datetime) -> bool:
    """Whether one of some moments, oldest first, lies between two, both included."""
    return bisect_left(moments, first) < bisect_right(moments, last)
