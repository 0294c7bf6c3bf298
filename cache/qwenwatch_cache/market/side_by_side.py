"""Who is used most by every definition there is, side by side."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

import msgspec
import polars as pl

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.frames import INSTANT
from qwenwatch_cache.market.apps import AMOUNT, APPS, apps
from qwenwatch_cache.market.definitions import DEFINITIONS, STANDING
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.measured import (
    COUNTRIES,
    LEADERS,
    Measured,
    of_apps,
    of_boards,
    of_organisations,
    of_sessions,
)
from qwenwatch_cache.market.origins import Origin
from qwenwatch_cache.market.sessions import SESSIONS, sessions
from qwenwatch_cache.market.standing import CARRIED, Reach
from qwenwatch_cache.market.windows import Grain, Window, last_complete

Further = Callable[[Window], Sequence[Measured]]

BEFORE = timedelta(days=7)
"""How long before the first day of a window a standing figure may have ended: it is the newest of
the time, not of the window, and says of which days it is."""

DEFINITION_ROWS = pl.Schema(
    {
        "key": pl.String(),  # "name/feed"
        "metric": pl.String(),  # the name alone
        "feed": pl.String(),
        "label": pl.String(),
        "kind": pl.String(),  # who is ranked: vendor, app, session
        "unit": pl.String(),  # of leader_value
        "start": pl.Date(),  # null if it is not known
        "end": pl.Date(),
        "grain": pl.String(),  # day, week, month, rolling30, total (see Measured)
        "complete": pl.Boolean(),
        "leader": pl.String(),  # null if nobody is ranked
        "leader_name": pl.String(),
        "leader_value": AMOUNT,  # null where only shares are published
        "leader_share": pl.Float64(),  # see Measured: one number, or an interval, or unknown
        "leader_share_low": pl.Float64(),
        "leader_share_high": pl.Float64(),
        "scope": pl.String(),
        "caveat": pl.String(),
        "as_of": INSTANT,  # the source's own date, null if it states none
    }
)

DEFINITION_COUNTRIES = pl.Schema({"key": pl.String(), **COUNTRIES})
DEFINITION_LEADERS = pl.Schema({"key": pl.String(), **LEADERS})


class SideBySide(msgspec.Struct, frozen=True):
    """Every definition that has figures of a time.

    Attributes:
        window: The window that all are of that can be.
        rows: DEFINITION_ROWS, in the order in which definitions are shown.
        countries: DEFINITION_COUNTRIES: of each definition its countries, most first, what is not
            attributed last; none where the source does not tell of vendors.
        leaders: DEFINITION_LEADERS: of each definition everybody ranked, most first.
        apps: apps.APPS of the newest figures of apps; empty if there are none.
        sessions: sessions.SESSIONS, the same.
        missing: Labels of the definitions without figures of that time.
        origins: Where the figures came from, one per feed.
    """

    window: Window
    rows: pl.DataFrame
    countries: pl.DataFrame
    leaders: pl.DataFrame
    apps: pl.DataFrame
    sessions: pl.DataFrame
    missing: Sequence[str]
    origins: Sequence[Origin]


def side_by_side(
    known: Known,
    grain: Grain,
    day: date | None,
    further: Further = lambda window: (),
    *,
    window: Window | None = None,
) -> SideBySide:
    """Ask every definition about a time.

    Args:
        known: What is known.
        grain: Length of the window for those that count days, weeks or months.
        day: The day that must be over by the window's end; None for the newest there is. Of
            figures with a span of their own the newest are taken that ended by that day (by the
            day of `known.at`), if they did not end more than `BEFORE` before the window began.
        further: Measures a window by definitions that are worked out elsewhere (implied spend);
            they are shown behind those that feeds state of windows.
        window: The window itself, where it is chosen already.

    Raises:
        NothingToShow: No definition has figures of that time.
    """
    reason: NothingToShow | None = None
    if window is None:
        window, reason = _window(known, grain, day)
    counted = [
        of_boards(vendors, known.board(one, "country", window))
        for one in known.definitions()
        if not (vendors := known.board(one, "vendor", window)).rows.is_empty()
    ]
    reach = Reach(window.start - BEFORE, day or known.at.date())
    app_rows, from_apps = apps_known(known, reach)
    session_rows, from_sessions = sessions_known(known, reach)
    found = [*counted, *further(window), *from_apps, *from_sessions, *_organisations(known, reach)]
    if not found and reason is not None:
        raise reason
    keys = {one.key for one in found}
    labels = {key: one.label for key, one in DEFINITIONS.items()}
    labels |= {key: one.label for key, one in STANDING.items()}
    return SideBySide(
        window=window,
        rows=rows_of(found),
        countries=_stacked(found, [one.countries for one in found], DEFINITION_COUNTRIES),
        leaders=_stacked(found, [one.leaders for one in found], DEFINITION_LEADERS),
        apps=app_rows,
        sessions=session_rows,
        missing=[label for key, label in labels.items() if key not in keys],
        origins=_origins(found),
    )


def _window(known: Known, grain: Grain, day: date | None) -> tuple[Window, NothingToShow | None]:
    """The window that is asked about, and why no definition has figures of it, if none has."""
    try:
        return known.choose_window(known.choose_definition(grain, "", day), grain, day), None
    except NothingToShow as reason:
        return last_complete(day or known.at.date() - timedelta(days=1), grain), reason


def rows_of(measured: Sequence[Measured]) -> pl.DataFrame:
    """DEFINITION_ROWS of what definitions say, in the same order."""
    rows = []
    for one in measured:
        first = next(one.leaders.iter_rows(named=True), None)
        leads = first or dict.fromkeys(LEADERS)
        rows.append(
            {
                "key": one.key,
                "metric": one.key.partition("/")[0],
                "feed": one.feed,
                "label": one.label,
                "kind": one.kind,
                "unit": one.unit,
                "start": one.start,
                "end": one.end,
                "grain": one.grain,
                "complete": one.complete,
                "leader": leads["id"],
                "leader_name": leads["name"],
                "leader_value": leads["value"],
                "leader_share": leads["share"],
                "leader_share_low": leads["share_low"],
                "leader_share_high": leads["share_high"],
                "scope": one.scope,
                "caveat": one.caveat,
                "as_of": one.origin.as_of,
            }
        )
    return pl.DataFrame(rows, schema=DEFINITION_ROWS)


def apps_known(known: Known, reach: Reach) -> tuple[pl.DataFrame, Sequence[Measured]]:
    """apps.APPS of the newest figures within reach, and what the definitions of apps say."""
    feed = "openrouter-apps"
    both = [known.standing.usage(feed, "app", metric, reach) for metric in ("tokens", "requests")]
    stated = [one for one in both if one is not None]
    if not stated:
        return pl.DataFrame(schema=APPS), ()
    newest = max(stated, key=lambda one: one.end)
    # Figures of different days are never put together.
    tokens, requests = (
        one.rows if one is not None and one.end == newest.end else newest.rows.clear()
        for one in both
    )
    rows = apps(tokens, requests, known.directory.app)
    origin = known.origin(feed, newest.as_of, newest.status)
    found = [
        of_apps(key, newest, rows, origin)
        for key, standing in STANDING.items()
        if standing.feed == feed and rows.get_column(standing.metric).is_not_null().any()
    ]
    return rows, found


def sessions_known(known: Known, reach: Reach) -> tuple[pl.DataFrame, Sequence[Measured]]:
    """sessions.SESSIONS of the newest window within reach, and what the dearest cost."""
    feed, key = "openrouter-sessions", "session_cost/openrouter-sessions"
    newest = known.standing.sessions(feed, reach)
    if newest is None:
        return pl.DataFrame(schema=SESSIONS), ()
    rows = sessions(newest.rows, known.directory)
    origin = known.origin(feed, newest.as_of, newest.status)
    return rows, [of_sessions(key, newest, rows, origin)]


def _origins(measured: Sequence[Measured]) -> Sequence[Origin]:
    """Where all figures came from, one per feed: the one that is dated last."""
    every = [origin for one in measured for origin in (one.origin, *one.further_origins)]
    newest: dict[str, Origin] = {}
    for origin in every:
        other = newest.setdefault(origin.feed, origin)
        if origin.as_of and (other.as_of is None or other.as_of < origin.as_of):
            newest[origin.feed] = origin
    return tuple(newest.values())


def _organisations(known: Known, reach: Reach) -> Iterator[Measured]:
    feed = "huggingface"
    for key, standing in STANDING.items():
        if standing.feed != feed:
            continue
        newest = known.standing.usage(feed, "org", standing.metric, reach, CARRIED)
        if newest is not None:
            origin = known.origin(feed, newest.as_of, newest.status)
            yield of_organisations(key, newest, known.directory, origin)


def _stacked(
    measured: Sequence[Measured], frames: Sequence[pl.DataFrame], schema: pl.Schema
) -> pl.DataFrame:
    """Frames of several definitions one under the other, with the definition's key."""
    keyed = [
        frame.select(pl.lit(one.key).alias("key"), pl.all())
        for one, frame in zip(measured, frames, strict=True)
    ]
    return pl.concat(keyed) if keyed else pl.DataFrame(schema=schema)
