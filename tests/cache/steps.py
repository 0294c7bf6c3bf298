"""The states in which a kill could leave a folder: one for every step of what is done to it.

A process that is killed loses nothing of what it wrote, and what it had yet to write it never
wrote. So what lies on the disk just before a step is what a kill at that step leaves behind, and
one process that copies it there shows what a process for each step would show.
"""

import os
import shutil
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.cache.rows import Child

STEPS = frozenset(
    {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "shutil.copyfile"}
)
"""Events of Python's audit: before each of them the folder is looked at."""

Work = Callable[[Path], object]


def states_of(folder: Path, work: Work, copies: Path) -> list[Path]:
    """Let a process of its own do something to a folder; copy every state that this goes through.

    Args:
        folder: What is changed.
        work: What changes it; a function of a module, as the process must find it.
        copies: A folder to be made, where the copies go.

    Returns:
        The copies in order: as it was, each state that differs from the one before, as it is now.
    """
    with Child(_work, folder, work, copies) as child:
        assert child.hear(60) == "done"
    return sorted(copies.iterdir())


def _work(told: Connection, folder: Path, work: Work, copies: Path) -> None:
    os.fsync = os.fstat  # type: ignore[assignment]  # as in tests/conftest.py
    copies.mkdir()
    copy = _Copies(folder, copies)
    sys.addaudithook(copy.watch)
    work(folder)
    copy.look()
    told.send("done")


class _Copies:
    """Copies a folder whenever it is another than it was."""

    def __init__(self, folder: Path, copies: Path) -> None:
        self._folder, self._copies = folder, copies
        self._last: dict[Path, bytes] | None = None
        self._number = 0
        self._looks = False

    def watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in STEPS and str(self._folder) in str(arguments[0]) and not self._looks:
            self.look()

    def look(self) -> None:
        self._looks = True
        found = {
            path: path.read_bytes() if path.is_file() else b"" for path in self._folder.rglob("*")
        }
        if found != self._last:
            self._last = found
            copy_with_links(self._folder, self._copies / f"{self._number:03}")
            self._number += 1
        self._looks = False


def copy_with_links(folder: Path, target: Path) -> None:
    """Copy a folder; names of one file are names of one file in the copy too."""
    copied: dict[int, str] = {}

    def copy(source: str, destination: str) -> str:
        first = copied.setdefault(Path(source).stat().st_ino, destination)
        if first == destination:
            return str(shutil.copy2(source, destination))
        os.link(first, destination)
        return destination

    shutil.copytree(folder, target, copy_function=copy)
