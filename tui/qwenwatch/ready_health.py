"""How the log of requests ends, kept beside it: not every question need read it for one line.

It is a plain file that may be deleted at any time, and holds for one state of the log only.
"""

import contextlib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import msgspec

from qwenwatch import __version__
from qwenwatch.files import write_whole
from qwenwatch_cache.frames import FETCH_TABLE
from qwenwatch_cache.health import Tails, recent_log, tails_of
from qwenwatch_cache.schedule import FeedSettings
from qwenwatch_cache.store import Store


class Basis(msgspec.Struct, frozen=True):
    """What kept tails were read from; under another they do not hold.

    Attributes:
        program: Version of the program.
        log: State of the log.
        day: The day (UTC) of whose requests there is a budget.
        cadences: Seconds between two rounds, by feed.
    """

    program: str
    log: str
    day: date
    cadences: dict[str, float]


class KeptTails(msgspec.Struct, frozen=True):
    """Tails, and what they were read from."""

    basis: Basis
    tails: Tails


def tails_now(store: Store, feeds: Sequence[FeedSettings], now: datetime) -> Tails:
    """What the log of a cache says of how the feeds are now; read from it only if it has changed.

    Args:
        store: The cache.
        feeds: What the configuration says of each feed.
        now: The present moment.
    """
    root, basis = store.address, basis_of(store, feeds, now)
    if isinstance(root, str):  # in an object store nothing is kept ready
        return tails_of(recent_log(store, feeds, now), feeds, now)
    with contextlib.suppress(OSError, msgspec.DecodeError):  # whatever is wrong, the log is there
        kept = read_tails(root)
        if kept.basis == basis:
            return kept.tails
    before = tuple(store.notices)
    tails = tails_of(recent_log(store, feeds, now), feeds, now)
    if basis.log and tuple(store.notices) == before and not _ahead(tails, now):
        path = tails_path(root)
        with contextlib.suppress(OSError):  # a disk that refuses is no reason to withhold it
            path.parent.mkdir(exist_ok=True)
            write_whole(path, msgspec.json.encode(KeptTails(basis, tails)).decode())
    return tails


def basis_of(store: Store, feeds: Sequence[FeedSettings], now: datetime) -> Basis:
    """What the tails of now are read from."""
    cadences = {one.feed.name: one.every.total_seconds() for one in feeds}
    return Basis(__version__, store.stamp(FETCH_TABLE), now.date(), cadences)


def read_tails(root: Path) -> KeptTails:
    """What is kept, whether it still holds or not.

    Raises:
        OSError: It cannot be read; FileNotFoundError if nothing is kept.
        msgspec.DecodeError: It is not what was written.
    """
    return msgspec.json.decode(tails_path(root).read_bytes(), type=KeptTails)


def tails_path(root: Path) -> Path:
    """Where they are kept."""
    return root / "ready" / "health.json"


def _ahead(tails: Tails, now: datetime) -> bool:
    """Whether a request was dated by a clock that was ahead: as time passes it counts otherwise."""
    ends = tails.ends.values()
    moments = [moment for end in ends for moment in (end.told, end.good, end.asked)]
    return any(moment is not None and moment > now for moment in moments)
