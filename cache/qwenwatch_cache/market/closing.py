"""When a day closes: the moment as known at which it is answered from then on, for ever."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.frames import USAGE_TABLE
from qwenwatch_cache.market.definitions import GROUPINGS, Definition
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.windows import Grain, Window
from qwenwatch_cache.store import Store

REST = timedelta(days=2)
"""A day closes at the end of the day after it at the earliest: what feeds say of it comes late."""


def earliest_closing(day: date) -> datetime:
    """When a day closes if all that is wanted of it has been learned by then."""
    return datetime.combine(day + REST, time.min, UTC)


def closing(
    known: Known, store: Store, day: date, grain: Grain, metric: str = ""
) -> datetime | None:
    """When a day closes as far as its figures of use are concerned.

    That is the first midnight (UTC) by which the figures of its window had been learned, each day
    of it in any revision, and not before `earliest_closing`. Later revisions do not move it; a
    better source that answers for the window from now on does.

    Args:
        known: What is known now.
        store: The cache it comes from.
        day: The day.
        grain: Length of the window.
        metric: Definition key or metric, "" lets the data decide.

    Returns:
        The moment, perhaps still to come; None if the day is not over or has no figures.

    Raises:
        QwenwatchError: There is no such definition.
    """
    if day >= known.at.date():
        return None
    try:
        definition = known.choose_definition(grain, metric, day)
        window = known.choose_window(definition, grain, day)
    except NothingToShow:
        return None
    complete = _learned(known, store, definition, window)
    return None if complete is None else max(_next_midnight(complete), earliest_closing(day))


def _learned(known: Known, store: Store, definition: Definition, window: Window) -> datetime | None:
    """When the last of the periods of a window was first stated by the source that counts."""
    wanted, span = [], (window.start, window.end)
    for by in GROUPINGS:
        totals = known.totals(definition, by, window.grain, span)
        here = totals.filter(pl.col("start") == window.start)
        answered = set(here.select("feed", "kind").unique().iter_rows())
        wanted += [one for one in definition.sources(by) if (one.feed, one.kind) in answered]
    sources = pl.DataFrame(
        {
            "feed": [one.feed for one in wanted],
            "kind": [one.kind for one in wanted],
            "grain": [one.grain for one in wanted],
        }
    )
    columns = [*sources.columns, "metric", "period", "value", "share", USAGE_TABLE.time]
    rows = store.read(USAGE_TABLE, feeds={one.feed for one in wanted}, columns=columns)
    moment = (
        rows.filter(
            (pl.col("metric") == definition.metric)
            & pl.col("period").is_between(window.start, window.end)
            & (pl.col(USAGE_TABLE.time) <= known.at)
            & (pl.col("value").is_not_null() | pl.col("share").is_not_null())
        )
        .join(sources, on=sources.columns, how="semi")
        .group_by(*sources.columns, "period")
        .agg(pl.col(USAGE_TABLE.time).min())
        .get_column(USAGE_TABLE.time)
        .max()
    )
    return moment if isinstance(moment, datetime) else None


def _next_midnight(moment: datetime) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == moment else midnight + timedelta(days=1)
