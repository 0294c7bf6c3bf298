"""Writers that are killed: what was acknowledged is there, and no reader sees a torn table."""

import gzip
import hashlib
import os
import random
import shutil
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from qwenwatch_cache.frames import FETCH_TABLE, PRICE_TABLE, USAGE_TABLE
from qwenwatch_cache.store import Store
from tests.cache.rows import (
    BATCH,
    NOW,
    Child,
    append_batches,
    at,
    fetches,
    prices,
    stored,
    temporaries,
    usage,
    values_of,
)

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")

KILLS = int(os.environ.get("QWENWATCH_KILLS", "40"))


def read_whole(root: Path) -> set[str]:
    """The batches that a reader finds, each of which must be whole."""
    reader = Store(root)
    frame = reader.cached(USAGE_TABLE)
    assert reader.notices == []
    batches = frame.group_by("feed").len()
    assert set(batches["len"]) <= {BATCH}
    return set(batches["feed"])


def test_kills_at_random_moments(tmp_path: Path) -> None:
    seed = int(os.environ.get("QWENWATCH_SEED", time.time_ns() % 10**9))
    sys.stdout.write(f"QWENWATCH_SEED={seed} QWENWATCH_KILLS={KILLS}\n")  # shown when it fails
    dice = random.Random(seed)
    acknowledged: set[str] = set()
    reads = 0
    root = tmp_path / "0"
    for kill in range(KILLS):
        if kill % 20 == 0:
            # A new cache now and then: the first write is a moment of its own.
            root, acknowledged = tmp_path / str(kill), set()
        name = f"kill{kill}"
        with Child(append_batches, root, name, 10**6) as writer:
            if dice.random() < 0.8:
                acknowledged.add(f"{name}/{writer.hear()}")
            end = time.monotonic() + dice.uniform(0, 0.08)
            while time.monotonic() < end:
                acknowledged |= {f"{name}/{number}" for number in writer.hear_now()}
                told = set(acknowledged)
                assert told <= read_whole(root)
                reads += 1
            acknowledged |= {f"{name}/{number}" for number in writer.kill()}
        found = read_whole(root)
        assert acknowledged <= found
        # At most the batch that was being acknowledged is there beyond what was heard of.
        assert len(found - acknowledged) <= kill % 20 + 1
        if dice.random() < 0.2:
            Store(root).repair(NOW)
            assert temporaries(root) == []
            assert read_whole(root) == found
    assert reads > 0
    assert acknowledged


# A kill at every step of a write, one after the other, rather than at random moments.

STEPS = frozenset({"open", "os.rename", "os.link", "os.remove", "os.mkdir", "shutil.copyfile"})


def die_at(told: Connection, root: Path, step: int, what: str) -> None:
    """Do something to a cache and die before the given step that the file system would see."""
    store = Store(root)
    left = step

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event in STEPS and str(root) in str(arguments[0]):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    if what == "append":
        store.append({"usage": usage({"a": 1, "b": 2, "c": 3}, at(2))}, at(2))
    elif what == "repair":
        store.repair(at(2))
    elif what == "log":
        store.log(fetches([at(2)]), at(2))
    elif what == "keep a body":
        store.keep_body("f", b"body", hashlib.sha256(b"body").hexdigest(), at(2))
    told.send("done")


def survives(root: Path, step: int, what: str) -> bool:
    """Whether the process came to its end before the step was reached."""
    with Child(die_at, root, step, what) as child:
        try:
            assert child.hear() == "done"
        except EOFError:
            return False
        return True


MOST_STEPS = 60
BEFORE = [("a", 1), ("b", 2)]
AFTER = [*BEFORE, ("c", 3)]


def two_writes(root: Path) -> None:
    Store(root).append({"usage": usage({"a": 1})}, NOW)
    Store(root).append({"usage": usage({"a": 1, "b": 2}, at(1))}, at(1))
    Store(root).append({"price": prices({"a": None})}, NOW)
    Store(root).log(fetches([NOW]), NOW)


def check(root: Path, what: str, ended: bool) -> None:
    reader = Store(root, patience=1)
    shown = values_of(reader.cached(USAGE_TABLE))
    if what == "append":
        assert shown in ([AFTER] if ended else [BEFORE, AFTER])
        assert reader.notices == []
    elif what == "repair":
        assert shown == [("a", 1)]
    else:
        assert shown == BEFORE
        assert reader.notices == []
    assert reader.cached(PRICE_TABLE).height == 1
    assert reader.cached(FETCH_TABLE).height in ([2] if ended and what == "log" else [1, 2])
    for path in root.glob("bodies/*/*.gz"):
        assert gzip.decompress(path.read_bytes()) == b"body"


@pytest.mark.parametrize("what", ["append", "repair", "log", "keep a body"])
def test_a_kill_at_every_step(tmp_path: Path, what: str) -> None:
    origin = tmp_path / "origin"
    two_writes(origin)
    if what == "repair":
        (origin / "usage.parquet").write_bytes(b"torn")
    for step in range(MOST_STEPS):
        root = tmp_path / str(step)
        shutil.copytree(origin, root)
        ended = survives(root, step, what)
        check(root, what, ended)
        # The next one takes it up: nothing is lost, and nothing lies about.
        Store(root, patience=1).repair(at(3))
        check(root, what, ended)
        assert temporaries(root) == []
        if what == "repair":
            assert Store(root).last_damage() is not None
            torn = {path.read_bytes() for path in (root / "set-aside").iterdir()}
            assert torn == {b"torn"}
        next_rows = usage({"a": 1, "b": 2, "c": 3}, at(4))
        Store(root, patience=1).append({"usage": next_rows}, at(4))
        assert values_of(stored(root)) == AFTER
        if ended:
            break
    else:
        raise AssertionError(f"it takes more than {MOST_STEPS} steps")
    assert step > 3
