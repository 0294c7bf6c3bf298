"""Whether what is kept ready is what the tables say. Imports Polars."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from qwenwatch.preparing import stamp_of
from qwenwatch.ready import KeptMarket, market_path, read_kept_market
from qwenwatch.ready_health import basis_of, read_tails, tails_path
from qwenwatch.ready_snapshot import Kept, kept_paths, path_of, read_kept
from qwenwatch.session import Session
from qwenwatch.snapshots import answer_of, ask_of, take
from qwenwatch_cache.clock import is_replayed
from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.health import recent_log, states_of, tails_of
from qwenwatch_widgets.views.build import market_view
from qwenwatch_widgets.views.market import MarketView

DIFFERS = "differs from what the tables say"


def ready_faults(session: Session) -> Sequence[str]:
    """Compute every answer that is kept ready again, and name those that differ.

    What does not hold any more (the cache has other rows, the program or its settings are others)
    is no fault: nobody uses it. Of the Market view the line about the feeds' health is not
    compared: it depends on the keys that whoever made it had.

    Args:
        session: The cache.

    Returns:
        A line per answer, with its file and what to do.
    """
    root = session.store.address
    if isinstance(root, str):
        return []
    return [
        f"{path.relative_to(root).as_posix()} {fault}; delete it"
        for path, fault in (
            *_snapshots(session, root),
            *_market(session, root),
            *_health(session, root),
        )
    ]


def _snapshots(session: Session, root: Path) -> Iterator[tuple[Path, str]]:
    for path in kept_paths(root):
        try:
            kept = read_kept(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            yield path, f"cannot be used ({error})"
            continue
        if kept is None:
            continue
        if path_of(root, kept.question) != path:
            yield path, "answers another question than its name says"
        elif _is_used(kept, session) and not _is_true(kept, session):
            yield path, DIFFERS


def _market(session: Session, root: Path) -> Iterator[tuple[Path, str]]:
    path = market_path(root)
    try:
        kept = read_kept_market(root)
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield path, f"cannot be used ({error})"
        return
    if kept is not None and _is_of_now(kept, session):
        view = _view_again(kept, session)
        if view is None or _without_health(view) != _without_health(kept.view):
            yield path, DIFFERS


def _health(session: Session, root: Path) -> Iterator[tuple[Path, str]]:
    path, now = tails_path(root), session.clock()
    try:
        kept = read_tails(root)
    except FileNotFoundError:
        return
    except (OSError, msgspec.DecodeError) as error:
        yield path, f"cannot be used ({error})"
        return
    feeds = session.feeds
    if kept.basis == basis_of(session.store, feeds, now):
        tails = tails_of(recent_log(session.store, feeds, now), feeds, now)
        # Not the tails themselves: a wait that is long over drops out of the log that is looked at.
        if states_of(kept.tails, feeds, now) != states_of(tails, feeds, now):
            yield path, DIFFERS


def _is_used(kept: Kept, session: Session) -> bool:
    """Whether somebody who asks the same here and now would get it."""
    same_clock = kept.question.replayed == is_replayed()
    return same_clock and kept.holds(session.store.manifest(), session.clock())


def _is_true(kept: Kept, session: Session) -> bool:
    with contextlib.suppress(QwenwatchError):
        taken = take(session, ask_of(kept.question))
        again = answer_of(taken.snapshot, kept.question.top)
        return taken.closed and kept.is_whole and kept.answer == again
    return False


def _is_of_now(kept: KeptMarket, session: Session) -> bool:
    made, config = kept.made, session.config
    return (
        made.stamp == stamp_of(session)
        and made.mix == tuple(str(part) for part in config.mix)
        and made.panels == config.panels
    )


def _view_again(kept: KeptMarket, session: Session) -> MarketView | None:
    made = kept.made
    with contextlib.suppress(QwenwatchError, ValueError):
        scene = replace(
            session.scene(),
            now=datetime.fromisoformat(made.now),
            offline=made.offline,
            replayed=made.replayed,
            notices=(),
        )
        return market_view(session.known(datetime.fromisoformat(made.at)), kept.query, scene)
    return None


def _without_health(view: MarketView) -> MarketView:
    return replace(view, headline=replace(view.headline, health="", health_tone="dim"))
