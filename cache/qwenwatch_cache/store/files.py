"""Single files that are never seen half written: atomic writes, checked reads."""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from qwenwatch_cache.errors import StoreError
from qwenwatch_cache.frames import Table, conform

TEMPORARY = ".tmp"
"""Ending of files that are being written; one that is found under the lock was left by a kill."""


class Damaged(StoreError):
    """A file of the cache is torn, foreign or unreadable."""

    def __init__(self, path: Path, reason: str) -> None:
        """Name the file and say in one line why it cannot be used."""
        self.path = path
        super().__init__(f"{path} cannot be read as a table of this cache ({reason})")


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file, make it durable and put it in place of `path`.

    Raises:
        StoreError: The file could not be written (disk full, no permission); the old one stands.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}{TEMPORARY}"
        write(temporary)
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    except (OSError, PolarsError) as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or _first_line(error)
        raise StoreError(
            f"cannot write {path}: {reason}; what was stored before is unchanged"
        ) from error


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Put a frame in place of a Parquet file, atomically.

    Raises:
        StoreError: As `write_atomically`.
    """
    write_atomically(path, lambda target: frame.write_parquet(target, compression="zstd"))


def read_table(path: Path, table: Table) -> pl.DataFrame:
    """Read a Parquet file of this cache; a missing one is an empty table.

    Raises:
        Damaged: The file is there and is not a whole table of this kind.
    """
    try:
        return conform(pl.read_parquet(path, glob=False, memory_map=False), table.schema)
    except FileNotFoundError:
        return table.empty()
    except (OSError, PolarsError, PanicException) as error:
        raise Damaged(path, _first_line(error)) from error


def _flush(path: Path) -> None:
    """Make a file's content, or a directory's entries, survive a power cut."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a directory, and needs no flush of one.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
