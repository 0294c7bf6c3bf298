"""Writers that are killed: what was acknowledged is there, and no reader sees a torn state."""

import hashlib
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
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
    files_of,
    last_part,
    leftovers,
    several_parts,
    small_parts,
    temporaries,
    usage,
    wrong_sums,
)
from tests.cache.steps import STEPS, copy_with_links, states_of
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


def do(what: str, stage: Path) -> None:
    """What a process does to the cache."""
    small_parts(pytest.MonkeyPatch(), 4)  # so that there are parts to merge, and some to leave
    WRITES[what](Store(stage / "cache"))


def die_at(told: Connection, stage: Path, step: int, what: str) -> None:
    """Do it, and die before the given step."""
    left = step

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event in STEPS and str(stage) in str(arguments[0]):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    do(what, stage)
    told.send("done")


def state_of(root: Path, told: str = "") -> dict[str, Any]:
    """What a reader finds: rows in no order, as a write may merge them; and the bodies."""
    store = Store(root, patience=1)
    rows = {name: sorted(map(repr, store.cached(table).rows())) for name, table in TABLES.items()}
    assert all(told and told in notice for notice in store.notices), store.notices
    return {**rows, "bodies": sorted(path.name for path in root.glob("bodies/*/*.gz"))}


@pytest.mark.parametrize("what", WRITES)
def test_a_kill_at_every_step(tmp_path: Path, what: str) -> None:
    stage = tmp_path / "stage"
    stage.mkdir()
    make(what, stage / "cache")
    told = {"mend": "damaged", "make the manifest anew": "manifest.json"}.get(what, "")
    states = states_of(stage, partial(do, what), tmp_path / "states")
    # To read a cache may change it.
    ends = [shutil.copytree(states[end], tmp_path / str(end)) for end in (0, -1)]
    before, after = state_of(ends[0] / "cache", told), state_of(ends[1] / "cache")
    changed = what not in ("repair", "mend", "compact", "migrate", "make the manifest anew")
    assert (before != after) == changed
    for state in states:
        root = state / "cache"
        found = state_of(root, told)
        if what == "drop old bodies":
            assert {**found, "bodies": []} == {**before, "bodies": []}
        else:
            assert found in ([after] if state == states[-1] else [before, after])
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
    assert len(states) >= {"repair": 1, "drop old bodies": 2}.get(what, 3)


@pytest.mark.parametrize(("what", "stride"), [("append", 5), ("migrate", 20)])
def test_a_kill_leaves_one_of_those_states(tmp_path: Path, what: str, stride: int) -> None:
    stage, origin = tmp_path / "stage", tmp_path / "origin"
    stage.mkdir()
    make(what, stage / "cache")
    copy_with_links(stage, origin)
    states = [content(state) for state in states_of(stage, partial(do, what), tmp_path / "states")]
    left = []
    ended = False
    for step in range(0, 1000, stride):
        killed = tmp_path / f"killed-{step}"
        copy_with_links(origin, killed)
        with Child(die_at, killed, step, what) as child, suppress(EOFError):
            ended = child.hear() == "done"
        left.append(states.index(content(killed)))
        if ended:
            break
    assert ended and states[left[-1]] == states[-1]
    assert left == sorted(left)
    assert len(set(left)) > 2


def content(folder: Path) -> list[tuple[str, str]]:
    """Every file in a folder: its place, without what is random in a name, and its digest."""
    return sorted(
        (re.sub(r"[0-9a-f]{16}\.tmp$", "tmp", str(path.relative_to(folder))), sha256(text))
        for path, text in files_of(folder).items()
    )


def sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
