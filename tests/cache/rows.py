"""Small frames for the tests of the store, and processes that write them."""

import multiprocessing
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl
from filelock import FileLock

from qwenwatch_cache.frames import FETCH, PRICE, PRICE_FIELDS, USAGE, USAGE_TABLE, Table
from qwenwatch_cache.store import Store

NOW = datetime(2026, 8, 17, 12, tzinfo=UTC)
DAY = date(2026, 8, 16)
BATCH = 3
"""Rows that a writing process stores at once; a reader must never see a part of them."""


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


# Processes. They are forked from a server that has Polars loaded already: a start takes 30 ms.

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["qwenwatch_cache.store"])


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


def append_batches(told: Connection, root: Path, name: str, count: int) -> None:
    """Store batch after batch of new rows, and say the number of each that was acknowledged."""
    store = Store(root, patience=30)
    for number in range(count):
        batch = {f"{name}/{number}/{part}": number for part in range(BATCH)}
        store.append({"usage": usage(batch, feed=f"{name}/{number}")}, NOW)
        told.send(number)


def hold_the_lock(told: Connection, root: Path) -> None:
    """Be a writer that never finishes."""
    with FileLock(root / "writer.lock"):
        told.send("held")
        signal.pause()
