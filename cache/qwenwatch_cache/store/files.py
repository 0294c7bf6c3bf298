"""Single files that are never seen half written: atomic writes, checked reads."""

import contextlib
import os
import re
import secrets
import shutil
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


class Unreadable(Damaged):
    """The system does not give the file out (no permission, too many open files)."""


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file, make it durable and put it in place of `path`.

    Raises:
        StoreError: The file could not be written (disk full, no permission); the old one stands.
    """
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}{TEMPORARY}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    except (OSError, PolarsError) as error:
        reason = _system_reason(error) or _first_line(error)
        raise StoreError(
            f"cannot write {path}: {reason}; what was stored before is unchanged"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_table(path: Path, frame: pl.DataFrame, previous: Path | None = None) -> None:
    """Put a frame in place of a Parquet file, atomically.

    Args:
        path: The file.
        frame: What it should hold.
        previous: Name under which the version before is kept; untouched if there is no room for
            the new one.

    Raises:
        StoreError: As `write_atomically`.
    """

    def write(target: Path) -> None:
        frame.write_parquet(target, compression="zstd")
        if previous is not None and path.exists():
            keep_beside(path, previous)

    write_atomically(path, write)


def keep_beside(path: Path, other: Path) -> None:
    """Give a file a second name, replacing what had it; the first one is never missing.

    Raises:
        StoreError: As `write_atomically`.
    """
    # Renaming one name of a file to another name of the same file does nothing, by POSIX.
    if not (other.exists() and path.samefile(other)):
        write_atomically(other, lambda target: _link(path, target))


def read_table(path: Path, table: Table) -> pl.DataFrame:
    """Read a Parquet file of this cache; a missing one is an empty table.

    Raises:
        Unreadable: The file is there and the system does not give it out.
        Damaged: The file is there and is not a whole table of this kind.
    """
    try:
        # All bytes at once: Polars opens a path more than once, and a writer may replace the file
        # in between.
        content = path.read_bytes()
    except FileNotFoundError:
        return table.empty()
    except OSError as error:
        raise Unreadable(path, error.strerror or _first_line(error)) from error
    try:
        frame = pl.read_parquet(content)
        missing = [name for name in table.later if name not in frame.columns]
        return conform(
            frame.with_columns(pl.lit(None).alias(name) for name in missing), table.schema
        )
    except (PolarsError, PanicException) as error:
        raise Damaged(path, _first_line(error)) from error


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:  # not every file system knows hard links
        shutil.copyfile(path, target)


def _flush(path: Path) -> None:
    """Make a file's content, or a directory's entries, survive a power cut."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a directory, and needs no flush of one.
    # A directory can only be opened for reading, and Windows flushes only what it may write.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _system_reason(error: Exception) -> str | None:
    """The system's own words: Polars wraps them in its own, with the number at the end."""
    if isinstance(error, OSError):
        return error.strerror
    number = re.search(r"\(os error (\d+)\)", str(error))
    return os.strerror(int(number[1])) if number else None


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
