"""Writers that are killed at random moments, and crowds of processes on one cache."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from qwenwatch_cache.store import Store
from tests.cache.old_caches import OLD
from tests.cache.rows import NOW, Child, leftovers, stored, wrong_sums
from tests.cache.stress import Acknowledged, Seen, compact, look, make_archive, read, write

Kind = Literal["write", "import", "migrate"]

KINDS: tuple[Kind, ...] = ("write", "import", "migrate")
WEIGHTS = (2, 1, 4)

PER_CACHE = {"write": 20, "import": 20, "migrate": 3}
"""Kills, at most, after which a new cache is begun: its first write is a moment of its own."""

LONG = 3600.0
"""Seconds after which a process ends that nobody kills."""

ANSWERS = (0, 1, 1, 1, 2, 3, 5)
"""How many times a writer is listened to; the first time it says that it begins."""

LONGEST = 0.06
"""Seconds after which it is killed then, at the latest."""


@dataclass(slots=True)
class Killed:
    """What came of it.

    Attributes:
        kills: By what was begun.
        caches: How many caches there were.
        acknowledged: Writes that came back.
        reads: Looks at a cache while it was written or after a kill.
    """

    kills: Counter[str] = field(default_factory=Counter)
    caches: int = 0
    acknowledged: int = 0
    reads: int = 0


def kill_writers(folder: Path, kills: int, seed: int) -> Killed:
    """Begin writes and kill them, `kills` times, and look for what must not be.

    Args:
        folder: Where the caches are made; those without fault are removed.
        kills: How many.
        seed: Of the dice that say what is written and when it ends.

    Raises:
        AssertionError: Something that was acknowledged is missing, or a reader saw a torn state.
    """
    dice, killed = random.Random(seed), Killed()
    left = kills
    while left:
        [kind] = dice.choices(KINDS, WEIGHTS)
        root = folder / str(killed.caches)
        if kind == "migrate":
            shutil.copytree(OLD / dice.choice(("format-1-first", "format-1-last")), root)
        archive = folder / f"archive{killed.caches}.zip"
        make_archive(archive)
        cache = _Cache(root, archive, dice, killed)
        with Child(read, root, LONG, cache.others) as reader:
            for number in range(min(left, dice.randint(1, PER_CACHE[kind]))):
                cache.kill_one(kind if number == 0 else dice.choice(("write", "import")))
                left -= 1
            told = reader.kill()
        assert set(told) <= {""}, sorted(set(told))
        killed.reads += len(told)
        killed.caches += 1
        shutil.rmtree(root, ignore_errors=True)
    return killed


class _Cache:
    """One cache, and what must be in it."""

    def __init__(self, root: Path, archive: Path, dice: random.Random, killed: Killed) -> None:
        self.root, self.archive, self.dice, self.killed = root, archive, dice, killed
        self.others = stored(root).height
        self.acknowledged = Acknowledged()
        self.aside = self._aside()
        self.kills = 0

    def kill_one(self, kind: Kind) -> None:
        """Begin a writer, kill it, and look."""
        name, seed = f"{kind}{self.kills}", self.dice.randrange(2**32)
        source = self.archive if kind == "import" else Path("none")
        with Child(write, self.root, name, seed, LONG, source) as writer:
            for _ in range(1 if kind == "migrate" else self.dice.choice(ANSWERS)):
                self._hear([writer.hear()])
            self._look()
            time.sleep(self.dice.uniform(0, LONGEST))
            assert writer.process.exitcode is None, "the writer gave up"
            self._hear(writer.kill())
        self.kills += 1
        self.killed.kills[kind] += 1
        seen = self._look()
        self._sums()
        if self.dice.random() < 0.8:  # else the next writer takes it up as it lies
            Store(self.root).repair(NOW)
            assert leftovers(self.root) == []
            assert self._look() == seen
            self._sums()

    def _hear(self, told: Sequence[list[str] | None]) -> None:
        before = len(self.acknowledged.names)
        self.acknowledged.hear(told)
        self.killed.acknowledged += len(self.acknowledged.names) - before

    def _look(self) -> Seen:
        seen = look(Store(self.root), self.others)
        assert self.acknowledged.missing(self.root, seen) == []
        self.killed.reads += 1
        # Beyond what was heard of there is at most what each kill met under way.
        beyond = {name.partition("/")[0] for name in seen.batches - self.acknowledged.names}
        assert len(beyond) <= self.kills + 1
        return seen

    def _sums(self) -> None:
        if Store(self.root).manifest().format != 1:
            assert wrong_sums(self.root) == []
        assert self._aside() == self.aside, "something was taken for damaged"

    def _aside(self) -> list[Path]:
        return sorted((self.root / "set-aside").glob("*"))


@dataclass(frozen=True, slots=True)
class Crowd:
    """What came of processes that used one cache at the same time.

    Attributes:
        written: What writers said they had stored, by kind, against what was found.
        reads: How often readers read.
        compactions: How often it was compacted.
        errors: What readers met that must not be.
        missing: What was written and is not there.
        strange: What is there and nobody wrote.
    """

    written: int
    reads: int
    compactions: int
    errors: Sequence[str]
    missing: Sequence[str]
    strange: Sequence[str]


def crowd(root: Path, seconds: float, seed: int, *, writers: int = 2, readers: int = 3) -> Crowd:
    """Let writers, readers and one who compacts use a cache for some seconds."""
    told: dict[str, list[object]] = {"write": [], "read": [], "compact": []}
    with ExitStack() as stack:
        running = [
            ("write", Child(write, root, f"writer{one}", seed + one, seconds, Path("none")))
            for one in range(writers)
        ]
        running += [("read", Child(read, root, seconds, 0)) for _ in range(readers)]
        running.append(("compact", Child(compact, root, seconds)))
        for _, child in running:
            stack.enter_context(child)
        for what, child in running:
            while (heard := child.hear(seconds + 60)) is not None:
                told[what].append(heard)
    acknowledged = Acknowledged()
    acknowledged.hear([one for one in told["write"] if isinstance(one, list)])
    seen = look(Store(root))
    found = seen.batches | {f"log {name}" for name in seen.logged}
    return Crowd(
        written=len(acknowledged.names),
        reads=len(told["read"]),
        compactions=len(told["compact"]),
        errors=[str(one) for one in told["read"] if one],
        missing=acknowledged.missing(root, seen),
        strange=sorted(found - acknowledged.names),
    )
