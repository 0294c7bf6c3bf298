"""Real processes that write to one cache, read it, and are killed; what they must never see.

Every write has a name, and what it stores tells it: `BATCH` rows of usage and one price, or a row
of the log, or a body. A writer says the name when the write came back: then it must be there.
"""

import hashlib
import io
import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path

import polars as pl
import pytest

from qwenwatch_cache.frames import FETCH_TABLE, PRICE_TABLE, USAGE_TABLE
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.archive import export_archive, import_archive
from tests.cache.rows import MANY, NOW, fetches, prices, small_parts, usage

BATCH = 3
FEED = "stress"
PAUSE = 0.03
"""Seconds between two looks of a reader, so that writers get somewhere."""

SMALL = 8
"""Rows up to which parts are merged whatever comes, so that there are several of them soon."""


def batch(name: str) -> dict[str, pl.DataFrame]:
    """What the write of that name stores: rows of two tables."""
    values = {f"{name}/{number}": number for number in range(BATCH)}
    return {
        "usage": usage(values, feed=FEED),
        "price": prices({name: Decimal(1)}, feed=FEED),
    }


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader found: the names of writes, by kind.

    Attributes:
        batches: Those whose rows are there.
        logged: Those whose row of the log is there.
    """

    batches: frozenset[str]
    logged: frozenset[str]


def look(store: Store, others: int = 0) -> Seen:
    """Read a cache that others write to.

    Args:
        store: A new one, without notices.
        others: Rows of usage that other feeds have, before and after.

    Raises:
        AssertionError: A batch was there in part, or damage was told of.
    """
    earlier = _priced(store)
    every = store.cached(USAGE_TABLE)
    rows = every.filter(feed=FEED)
    assert every.height - rows.height == others, "rows of before are gone"
    later = _priced(store)
    names = rows.select(name=pl.col("entity").str.replace(r"/\d+$", "")).to_series()
    torn = names.value_counts().filter(pl.col("count") != BATCH)
    assert torn.is_empty(), f"part of a batch: {torn.rows()}"
    found = frozenset(names)
    # Both tables of a write appear together: what one shows, a later look at the other shows too.
    assert earlier <= found <= later, f"one table of two: {sorted(earlier - found)} {found - later}"
    urls = store.cached(FETCH_TABLE, feeds=[FEED]).get_column("url")
    assert urls.is_unique().all(), "a request is logged twice"
    assert store.notices == [], store.notices
    return Seen(found, frozenset(urls))


def _priced(store: Store) -> frozenset[str]:
    return frozenset(store.cached(PRICE_TABLE, feeds=[FEED]).get_column("model"))


ARCHIVED = 4
"""Batches in an archive."""


def make_archive(path: Path) -> None:
    """Make an archive; its batches have its name."""
    store = Store(path.with_suffix(".cache"))
    for name in names_in(path):
        store.append(batch(name), NOW, whole=MANY)
    export_archive(store, path)


def names_in(archive: Path) -> list[str]:
    """The names of the writes that are in an archive."""
    return [f"{archive.stem}/{number}" for number in range(ARCHIVED)]


# What a writing process does. Each gives the names that it stored.


def _append(store: Store, name: str) -> list[str]:
    store.append(batch(name), NOW, whole=MANY)
    return [name]


def _log(store: Store, name: str) -> list[str]:
    row = fetches([NOW + timedelta(microseconds=time.monotonic_ns() % 10**9)], FEED)
    store.log(row.with_columns(url=pl.lit(name)), NOW)
    return [f"log {name}"]


def _keep_body(store: Store, name: str) -> list[str]:
    body = name.encode()
    store.keep_body(FEED, body, hashlib.sha256(body).hexdigest(), NOW)
    return [f"body {name}"]


def _add(store: Store, name: str) -> list[str]:
    store.add(batch(name), NOW)
    return [name]


def _compact(store: Store, name: str) -> list[str]:
    store.compact(NOW)
    return []


def _repair(store: Store, name: str) -> list[str]:
    store.repair(NOW)
    return []


WRITES: dict[str, Callable[[Store, str], list[str]]] = {
    "append": _append,
    "log": _log,
    "keep a body": _keep_body,
    "import": _add,
    "compact": _compact,
    "repair": _repair,
}
WEIGHTS = (4, 2, 1, 2, 2, 1)


def write(
    told: Connection, root: Path, name: str, seed: int, seconds: float, archive: Path
) -> None:
    """Write one thing after the other for some seconds, and say what was stored.

    The first is the import of the archive, if there is one.
    """
    small_parts(pytest.MonkeyPatch(), SMALL)
    dice = random.Random(seed)
    batch("")["usage"].write_parquet(io.BytesIO())  # what is slow only the first time
    told.send([])
    store = Store(root, patience=60)
    if archive.is_file():
        import_archive(store, archive, NOW)
        told.send(names_in(archive))
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        [what] = dice.choices(list(WRITES), WEIGHTS)
        told.send(WRITES[what](store, f"{name}/{count}"))
        count += 1
    told.send(None)


def compact(told: Connection, root: Path, seconds: float) -> None:
    """Compact and repair again and again."""
    small_parts(pytest.MonkeyPatch(), SMALL)
    store, until = Store(root, patience=60), time.monotonic() + seconds
    while time.monotonic() < until:
        store.compact(NOW)
        store.repair(NOW)
        told.send([])
        time.sleep(3 * PAUSE)
    told.send(None)


def read(told: Connection, root: Path, seconds: float, others: int) -> None:
    """Read again and again; say what was wrong, "" if nothing was."""
    before, until = Seen(frozenset(), frozenset()), time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            seen = look(Store(root), others)
            gone = (before.batches - seen.batches) | (before.logged - seen.logged)
            assert not gone, f"gone: {sorted(gone)}"
            before = seen
            told.send("")
        except Exception as error:
            told.send(f"{type(error).__name__}: {error}")
        time.sleep(PAUSE)
    told.send(None)


@dataclass(slots=True)
class Acknowledged:
    """What writers said they had stored."""

    names: set[str] = field(default_factory=set)

    def hear(self, heard: Collection[list[str] | None]) -> None:
        """Take in what a writer said."""
        self.names.update(name for names in heard if names for name in names)

    def missing(self, root: Path, seen: Seen) -> list[str]:
        """What of it a reader did not find."""
        logged = {f"log {name}" for name in seen.logged}
        bodies = self.names - seen.batches - logged
        kept = {_of_body(name) for name in bodies if name.startswith("body ")} - _digests(root)
        lost = {name for name in bodies if not name.startswith("body ")}
        return sorted({*lost, *kept})


def _of_body(name: str) -> str:
    return hashlib.sha256(name.removeprefix("body ").encode()).hexdigest()[:16]


def _digests(root: Path) -> set[str]:
    return {path.stem.rpartition("-")[2] for path in (root / "bodies" / FEED).glob("*.gz")}
