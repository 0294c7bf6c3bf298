"""Single files that are never seen half written: atomic writes, checked reads."""

import contextlib
import io
import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from qwenwatch_cache.errors import StoreError
from qwenwatch_cache.frames import Table, conform

TEMPORARY = ".tmp"
"""Ending of files that are being written; one that is found under the lock was left by a kill."""


class Damaged(StoreError):
    """A file of the cache is torn, foreign or unreadable."""

    def __init__(self, name: Path | str, reason: str) -> None:
        """Name the file and say in one line why it cannot be used."""
        self.reason = reason
        super().__init__(f"{name} cannot be read as a table of this cache ({reason})")


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
        reason = _system_reason(error) or first_line(error)
        raise StoreError(
            f"cannot write {path}: {reason}; what was stored before is unchanged"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Put a frame in place of a Parquet file, atomically.

    Raises:
        StoreError: As `write_atomically`.
    """
    write_atomically(path, lambda target: frame.write_parquet(target, compression="zstd"))


def write_bytes(path: Path, content: bytes) -> None:
    """Put bytes in place of a file, atomically.

    Raises:
        StoreError: As `write_atomically`.
    """

    def fill(target: Path) -> None:
        target.write_bytes(content)

    write_atomically(path, fill)


def keep_beside(path: Path, other: Path) -> None:
    """Give a file a second name, replacing what had it; the first one is never missing.

    Raises:
        StoreError: As `write_atomically`.
    """
    # Renaming one name of a file to another name of the same file does nothing, by POSIX.
    if not (other.exists() and path.samefile(other)):
        write_atomically(other, lambda target: _link(path, target))


def read_table(
    path: Path,
    table: Table,
    columns: Collection[str] | None = None,
    where: pl.Expr | None = None,
) -> pl.DataFrame:
    """Read a Parquet file that holds a table of its own; a missing one is an empty table.

    Args:
        path: The file.
        table: What it holds.
        columns: Only these; None for all.
        where: Only rows of which this is true; None for all.

    Raises:
        Unreadable: The file is there and the system does not give it out.
        Damaged: The file is there and is not a whole table of this kind.
    """
    try:
        # All bytes at once: Polars opens a path more than once, and it may be replaced in between.
        content = path.read_bytes()
    except FileNotFoundError:
        return conform(table.empty(), schema_of(table, columns))
    except OSError as error:
        raise Unreadable(path, error.strerror or first_line(error)) from error
    return decode(content, str(path), table, columns, where)


def decode(
    content: bytes,
    name: str,
    table: Table,
    columns: Collection[str] | None = None,
    where: pl.Expr | None = None,
) -> pl.DataFrame:
    """A table, or a part of it, out of the bytes of a Parquet file; see `read_table`.

    Raises:
        Damaged: They are not a whole table of this kind; `name` is the file to name.
    """
    schema = schema_of(table, columns)
    try:
        # What a later version added is missing in older files.
        there = pl.read_parquet_schema(io.BytesIO(content)) if table.later else table.schema
        missing = [one for one in schema if one in table.later and one not in there]
        present = [one for one in schema if one not in missing]
        if where is None:
            frame = pl.read_parquet(content, columns=None if columns is None else present)
        else:  # groups of rows whose bounds rule them out are not even unpacked
            rows = pl.scan_parquet(io.BytesIO(content)).filter(where).select(present)
            frame = rows.collect(engine="in-memory")
        return conform(frame.with_columns(pl.lit(None).alias(one) for one in missing), schema)
    except (PolarsError, PanicException) as error:
        raise Damaged(name, first_line(error)) from error


def schema_of(table: Table, columns: Collection[str] | None) -> pl.Schema:
    """The schema of some columns of a table, in its order; of all if None."""
    return pl.Schema(
        {name: kind for name, kind in table.schema.items() if columns is None or name in columns}
    )


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


def first_line(error: BaseException) -> str:
    """What an error says, in one line of bounded length."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
