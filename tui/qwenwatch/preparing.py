"""Computes what is likely to be asked next, and keeps it ready. Imports Polars."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from datetime import date, timedelta

from qwenwatch.ready import Made, opening_query, write_ready_market
from qwenwatch.ready_snapshot import Question, data_state, read_ready_snapshot
from qwenwatch.session import Session
from qwenwatch.snapshots import ask_of, closed_at, keep, take, will_stand
from qwenwatch_cache.clock import SETTLED
from qwenwatch_cache.frames import FETCH_TABLE
from qwenwatch_cache.market.closing import REST
from qwenwatch_widgets.views.build import market_view
from qwenwatch_widgets.views.market import MarketView
from qwenwatch_widgets.views.query import MarketQuery

LOOKED_BACK = 7
"""Days that are tried for one that has closed; where feeds are down for longer there is none."""


def prepare(session: Session) -> None:
    """Keep the snapshot of the newest closed day ready, and the view that the screen opens with.

    Where something is there already that still holds, it stays. A disk that refuses, or figures
    that are not there yet, are passed over.
    """
    for keep_ready in (keep_newest_snapshot, keep_opening_view):
        with contextlib.suppress(Exception):  # a convenience: who asks will be told what is wrong
            keep_ready(session)


def keep_newest_snapshot(session: Session) -> None:
    """Keep the snapshot of the newest closed day ready.

    Raises:
        QwenwatchError: It cannot be computed.
    """
    root, manifest = session.store.address, session.store.manifest()
    if isinstance(root, str):
        return
    for day in _newest_days(session):
        question = Question.default(session.config, day)
        if read_ready_snapshot(root, question, session.clock()) is not None:
            return
        ask = ask_of(question)
        closed = closed_at(session, ask)
        if closed is not None and will_stand(session, manifest, closed):
            keep(session, question, take(session, ask))
            return


def keep_opening_view(session: Session) -> None:
    """Keep the view that the screen opens with.

    Raises:
        QwenwatchError: It cannot be computed.
    """
    answer_market(session, opening_query(session.config), opening=True)


def answer_market(session: Session, query: MarketQuery, *, opening: bool) -> MarketView:
    """Answer what the Market screen shows; the view it opens with is kept ready.

    Raises:
        NothingToShow: There are no figures for what the query asks.
    """
    stamp, scene, known = stamp_of(session), session.scene(), session.known()
    view = market_view(known, query, scene)
    if tuple(session.store.notices) != tuple(scene.notices):  # damage met on the way
        view = market_view(known, query, session.scene())
    if opening:
        made = Made(
            at=known.at.isoformat(),
            now=scene.now.isoformat(),
            stamp=stamp,
            mix=tuple(str(part) for part in session.config.mix),
            panels=session.config.panels,
            offline=scene.offline,
            replayed=scene.replayed,
        )
        write_ready_market(session.store.address, query, view, made)
    return view


def stamp_of(session: Session) -> str:
    """Changes with the cache, its log included, and with the program's own data."""
    state = [session.store.stamp(), session.store.stamp(FETCH_TABLE), data_state()]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


def _newest_days(session: Session) -> Iterator[date]:
    """Days that may have closed, newest first."""
    newest = (session.clock() - SETTLED).date() - REST
    for back in range(LOOKED_BACK):
        yield newest - timedelta(days=back)
