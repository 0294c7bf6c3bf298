"""The command in a process of its own that is forked, rather than started from nothing.

A start of Python that loads Polars takes half a second, and these tests make hundreds. Here one
process per session loads the modules, does nothing with them, and forks for every run. A run has
all that a new process has: an environment, a working directory, streams and an end of its own.
What a start loads, and how fast, is tested elsewhere (tests/test_imports.py).
"""

import contextlib
import gc
import json
import os
import pkgutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self

import qwenwatch.commands
import qwenwatch_cache
from qwenwatch.cli import run

LONGEST = 60
"""Seconds after which a run is taken to hang."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of the command left behind."""

    code: int
    out: str
    err: str


class Forked:
    """Runs ``qwenwatch``; use it as a context manager.

    Args:
        folder: Where what a run says is kept for a moment.
    """

    def __init__(self, folder: Path) -> None:
        self._said = [folder / "out", folder / "err"]
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.cli.forked", *map(str, self._said)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Ran:
        """Run it in the working directory of this process.

        Args:
            arguments: After the program's name.
            environment: All the variables that it has.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        asked = {"arguments": arguments, "environment": environment, "folder": str(Path.cwd())}
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        out, err = (path.read_bytes().decode() for path in self._said)
        assert code != -signal.SIGALRM, f"{arguments} hangs; it said {out} {err}"
        return Ran(code, out, err)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=LONGEST)  # it ends with its input


def _serve(said: Sequence[str]) -> None:
    """Fork for every line of standard input, and say on standard output how it ended."""
    for package in (qwenwatch.commands, qwenwatch_cache):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    with contextlib.suppress(ImportError):
        import_module("numpy")  # Polars loads it with the first frame, if it is installed
    os.fsync = os.fstat  # type: ignore[assignment]  # as in tests/conftest.py
    gc.freeze()
    for line in sys.stdin:
        with warnings.catch_warnings():
            # Since Python 3.12, as Polars has threads; those that compute begin with the first use.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            _be_the_command(said, **json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _be_the_command(
    said: Sequence[str], arguments: list[str], environment: dict[str, str], folder: str
) -> None:
    """What happens in the fork: the command itself ends it."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["qwenwatch", *arguments]
    for number, path in enumerate((os.devnull, *said)):
        mode = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY
        file = os.open(path, mode, 0o600)
        os.dup2(file, number)
        os.close(file)
    signal.alarm(LONGEST)
    run()


if __name__ == "__main__":
    _serve(sys.argv[1:])
