"""Writers that are killed: what was acknowledged is there, and no reader sees a torn state."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from qwenwatch_cache.frames import TABLES
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.archive import export_archive, import_archive
from tests.cache.kills import kill_writers
from tests.cache.old_caches import OLD
from tests.cache.rows import (
    MANY,
    NOW,
    Child,
    at,
    fetches,
    last_part,
    leftovers,
    several_parts,
    small_parts,
    temporaries,
    usage,
    wrong_sums,
)
from tests.cache.stress import batch

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")

KILLS = int(os.environ.get("QWENWATCH_KILLS", "25"))


def test_kills_at_random_moments(tmp_path: Path) -> None:
    seed = int(os.environ.get("QWENWATCH_SEED", time.time_ns() % 10**9))
    sys.stdout.write(f"QWENWATCH_SEED={seed} QWENWATCH_KILLS={KILLS}\n")  # shown when it fails
    killed = kill_writers(tmp_path, KILLS, seed)
    assert killed.kills.total() == KILLS
    assert killed.reads > KILLS


# A kill at every step of a write, one after the other, rather than at random moments.

STEPS = frozenset(
    {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "shutil.copyfile"}
)
MOST_STEPS = 200

WRITES: dict[str, Callable[[Store], object]] = {
    "append": lambda store: store.append(batch("new"), at(9), whole=MANY),
    "the first write": lambda store: store.append(batch("new"), at(9), whole=MANY),
    "log": lambda store: store.log(fetches([at(9)]), at(9)),
    "keep a body": lambda store: store.keep_body("f", b"body", "f" * 64, at(9)),
    "drop old bodies": lambda store: store.drop_old_bodies(NOW + timedelta(days=5), 1),
    "repair": lambda store: store.repair(at(9)),
    "mend": lambda store: store.repair(at(9)),
    "make the manifest anew": lambda store: store.repair(at(9)),
    "compact": lambda store: store.compact(at(9)),
    "add": lambda store: store.add(batch("new"), at(9)),
    "import": lambda store: import_archive(store, store.root.parent / "archive.zip", at(9)),
    "migrate": lambda store: store.repair(at(9)),
}


def make(what: str, root: Path) -> None:
    """The cache that is about to be written to."""
    if what == "the first write":
        return
    if what == "migrate":
        # Three tables with what was before two of them: each further one is steps of the same kind.
        (root / "previous").mkdir(parents=True)
        for name in ("format.json", "usage.parquet", "price.parquet", "fx.parquet"):
            shutil.copy(OLD / "format-1-last" / name, root / name)
        for name in ("usage.parquet", "price.parquet"):
            shutil.copy(OLD / "format-1-last" / "previous" / name, root / "previous" / name)
        return
    several_parts(root)
    for number, moment in enumerate([NOW, at(60 * 24 * 9)]):
        Store(root).keep_body("f", b"{}" * number, f"{number}" * 64, moment)
    if what == "mend":
        last_part(root).write_bytes(b"torn")
    if what == "make the manifest anew":
        (root / "manifest.json").unlink()
    if what == "import":
        other = Store(root.parent / "other")
        other.append(batch("new"), at(9), whole=MANY)
        export_archive(other, root.parent / "archive.zip")


def die_at(told: Connection, root: Path, step: int, what: str) -> None:
    """Do something to a cache and die before the given step that the file system would see."""
    patch = pytest.MonkeyPatch()
    small_parts(patch, 4)  # so that there are parts to merge, and some to leave
    patch.setattr(os, "fsync", os.fstat)  # it is killed; the power stays on
    store = Store(root)
    left = step

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event in STEPS and str(root) in str(arguments[0]):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    WRITES[what](store)
    told.send("done")


def survives(root: Path, step: int, what: str) -> bool:
    """Whether the process came to its end before the step was reached."""
    with Child(die_at, root, step, what) as child:
        try:
            assert child.hear() == "done"
        except EOFError:
            return False
        return True


def state_of(root: Path, told: str = "") -> dict[str, Any]:
    """What a reader finds: rows in no order, as a write may merge them; and the bodies."""
    store = Store(root, patience=1)
    rows = {name: sorted(map(repr, store.cached(table).rows())) for name, table in TABLES.items()}
    assert all(told and told in notice for notice in store.notices), store.notices
    return {**rows, "bodies": sorted(path.name for path in root.glob("bodies/*/*.gz"))}


@pytest.mark.parametrize("what", WRITES)
def test_a_kill_at_every_step(tmp_path: Path, what: str) -> None:
    origin = tmp_path / "origin"
    make(what, origin)
    told = {"mend": "damaged", "make the manifest anew": "manifest.json"}.get(what, "")
    before = state_of(origin, told)
    whole = tmp_path / "whole"
    if origin.exists():
        shutil.copytree(origin, whole)
    assert survives(whole, 10**6, what)
    after = state_of(whole)
    changed = what not in ("repair", "mend", "compact", "migrate", "make the manifest anew")
    assert (before != after) == changed
    for step in range(MOST_STEPS):
        root = tmp_path / str(step)
        if origin.exists():
            shutil.copytree(origin, root)
        ended = survives(root, step, what)
        found = state_of(root, told)
        if what == "drop old bodies":
            assert {**found, "bodies": []} == {**before, "bodies": []}
        else:
            assert found in ([after] if ended else [before, after])
        # The next one takes it up: nothing is lost, and nothing lies about.
        Store(root, patience=1).repair(at(10))
        assert state_of(root) == found
        assert leftovers(root) == temporaries(root) == []
        assert not root.exists() or wrong_sums(root) == []
        if what == "mend":
            assert Store(root).last_damage("f") is not None
            assert {path.read_bytes() for path in (root / "set-aside").iterdir()} == {b"torn"}
        Store(root, patience=1).append({"usage": usage({"next": 1}, at(11))}, at(11), whole=MANY)
        assert len(state_of(root)["usage"]) == len(found["usage"]) + 1
        shutil.rmtree(root)
        if ended:
            break
    else:
        raise AssertionError(f"it takes more than {MOST_STEPS} steps")
    assert step > (1 if what == "drop old bodies" else 3)
