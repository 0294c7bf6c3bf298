"""Small frames for the tests of the store, and processes that write them."""

import hashlib
import multiprocessing
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl
import pytest
from filelock import FileLock

from qwenwatch_cache.frames import FETCH, PRICE, PRICE_FIELDS, USAGE, USAGE_TABLE, Table
from qwenwatch_cache.store import Store, parts

NOW = datetime(2026, 8, 17, 12, tzinfo=UTC)
DAY = date(2026, 8, 16)

MANY = frozenset[str]()
"""As `whole` of an answer: it is one of many, so nothing is withdrawn."""


def at(minutes: float) -> datetime:
    """A moment some minutes after `NOW`."""
    return NOW + timedelta(minutes=minutes)


def usage(
    values: Mapping[str, int | None],
    when: datetime = NOW,
    *,
    feed: str = "f",
    period: date = DAY,
) -> pl.DataFrame:
    """Tokens by model, of one day, as a feed stated them at `when`."""
    rows = [
        {
            "feed": feed,
            "metric": "tokens",
            "kind": "model",
            "entity": entity,
            "grain": "day",
            "period": period,
            "value": value,
            "share": None,
            "scope": "all",
            "as_of": when,
            "observed_at": when,
        }
        for entity, value in values.items()
    ]
    return pl.DataFrame(rows, schema=USAGE)


def prices(
    inputs: Mapping[str, Decimal | None], when: datetime = NOW, *, feed: str = "f"
) -> pl.DataFrame:
    """Input prices by model, as a feed stated them at `when`."""
    rows = [
        {
            "feed": feed,
            "basis": "route",
            "provider": "p",
            "region": "",
            "model": model,
            "variant": "",
            "tier_from": 0,
            "window_utc": "",
            "currency": "USD",
            **dict.fromkeys(PRICE_FIELDS),
            "input": amount,
            "listed": True,
            "observed_at": when,
        }
        for model, amount in inputs.items()
    ]
    return pl.DataFrame(rows, schema=PRICE)


def fetches(started: Sequence[datetime], feed: str = "f") -> pl.DataFrame:
    """Log rows of requests that went well."""
    rows: list[dict[str, Any]] = [
        {**dict.fromkeys(FETCH), "feed": feed, "url": "http://x/", "started": moment}
        for moment in started
    ]
    return pl.DataFrame(rows, schema=FETCH)


def values_of(frame: pl.DataFrame) -> list[tuple[str, int | None]]:
    """Entity and value of every row, in its order."""
    return list(frame.select("entity", "value").iter_rows())


def temporaries(root: Path) -> list[Path]:
    """Files that a write left half done."""
    return [path for path in root.rglob("*") if ".tmp" in path.name]


def files_of(root: Path) -> dict[Path, bytes]:
    """Every file below a directory, with its content."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def stored(root: Path, table: Table = USAGE_TABLE) -> pl.DataFrame:
    """What a new reader finds."""
    return Store(root).cached(table)


def small_parts(patch: pytest.MonkeyPatch, rows: int) -> None:
    """Have parts of so many rows treated as large ones: not merged with every write."""
    patch.setattr(parts, "OPEN_ROWS", rows)
    patch.setattr(parts, "STEP", 2)


def several_parts(root: Path) -> Path:
    """A cache whose usage lies in two parts with one replaced, whose log and prices in one each."""
    store = Store(root)
    with pytest.MonkeyPatch.context() as patch:
        small_parts(patch, 0)
        for minute, values in enumerate([{"a": 1, "b": 2, "c": 3, "d": 4}, {"e": 5}, {"f": 6}]):
            store.append({"usage": usage(values, at(minute))}, at(minute), whole=MANY)
        store.append({"price": prices({"a": Decimal(1)})}, NOW)
        store.log(fetches([NOW, at(1)]), at(1))
    return root


# What lies in a cache, by its manifest.


def parts_of(root: Path, table: Table = USAGE_TABLE, feed: str = "f") -> list[Path]:
    """The files that hold a table of a feed, in the order in which they were written."""
    return [root / part.file for part in Store(root).manifest().series(table.name, feed)]


def last_part(root: Path, table: Table = USAGE_TABLE, feed: str = "f") -> Path:
    """The file with the newest rows of a table of a feed."""
    return parts_of(root, table, feed)[-1]


def before_it(root: Path, table: Table = USAGE_TABLE, feed: str = "f") -> Path:
    """The file that the last write of a table of a feed replaced."""
    [path] = [
        root / part.file
        for part in Store(root).manifest().retired
        if (part.table, part.feed) == (table.name, feed)
    ]
    return path


def leftovers(root: Path) -> list[Path]:
    """Files that nobody needs: half written, of an old layout, or named by no manifest."""
    manifest = Store(root).manifest()
    named = {root / part.file for part in (*manifest.parts, *manifest.retired)}
    parquet = {path for path in root.rglob("*.parquet") if path.parent.name != "set-aside"}
    return sorted({*temporaries(root), *(parquet - named)})


def wrong_sums(root: Path) -> list[str]:
    """Files whose content or size is not what the manifest says."""
    manifest = Store(root).manifest()
    wrong = []
    for part in (*manifest.parts, *manifest.retired):
        content = (root / part.file).read_bytes()
        same = hashlib.sha256(content).hexdigest() == part.sha256
        if not (same and len(content) == part.bytes):
            wrong.append(part.file)
    return wrong


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A file system of a size ("128k") of its own; without the right to make one it skips."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


# Processes. They are forked from a server that has Polars loaded already: a start takes 30 ms.

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    # Polars loads NumPy with the first frame, if it is installed: a tenth of a second.
    ["filelock", "numpy", "qwenwatch_cache.store", "tests.cache.stress"]
)


class Child:
    """A process that runs `work` and sends what it has to say; killed at the end at the latest."""

    def __init__(self, work: Callable[..., None], *arguments: object) -> None:
        self.said, there = PROCESSES.Pipe(duplex=False)
        self.process = PROCESSES.Process(target=work, args=(there, *arguments), daemon=True)
        self.process.start()
        there.close()

    def hear(self, timeout: float = 20.0) -> Any:
        """The next thing it says.

        Raises:
            EOFError: It ended.
            TimeoutError: It says nothing.
        """
        if not self.said.poll(timeout):
            raise TimeoutError("the process says nothing")
        return self.said.recv()

    def hear_now(self) -> list[Any]:
        """What it has said by now."""
        heard = []
        with suppress(EOFError):
            while self.said.poll():
                heard.append(self.said.recv())
        return heard

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def kill(self) -> list[Any]:
        """End it without notice; gives what it said before."""
        if self.said.closed:
            return []
        self.process.kill()
        self.process.join()
        heard = self.hear_now()
        self.said.close()
        self.process.close()
        return heard


def hold_the_lock(told: Connection, root: Path) -> None:
    """Be a writer that never finishes."""
    with FileLock(root / "writer.lock"):
        told.send("held")
        signal.pause()
