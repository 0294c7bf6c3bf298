"""Parts of a table: written once, read with their checksum, merged so that they stay few."""

import hashlib
import io
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import polars as pl

from qwenwatch_cache.frames import FETCH_TABLE, Table
from qwenwatch_cache.manifest import Part, Read
from qwenwatch_cache.store.files import Damaged, Unreadable, decode, first_line, write_bytes

OPEN_ROWS = 4096
"""Below this a part is merged with what comes next, however little that is."""

STEP = 8
"""How many times as large as what comes after it a part must be to be left alone."""

SEALED = 2**20
"""Bytes from which on a part stays as it is: whoever asks about the last days reads, and checks,
little more than this of a log of ten years, and no write rewrites more."""

SLICES = 4
"""Rows are put into a new part by such fractions of it, until it is sealed."""

MOST_ROWS = 1_000_000
"""Parts are not merged beyond this: to merge takes memory."""

GROUP_ROWS = 32_768
"""Rows of one group of a file. Rows stand in order of time, so of many years few groups are
unpacked for a question about few days; smaller ones gain nothing and cost bytes."""

_DIGEST = re.compile(r".+-\d{7,}-([0-9a-f]{8})\.parquet")


def write_parts(
    root: Path, table: Table, feed: str, frame: pl.DataFrame, generation: int
) -> Iterator[Part]:
    """Write rows of one feed as new parts: one, or several where one would be far beyond `SEALED`.

    Of several all but the last are sealed, however unlike the rows are in size. The log stays in
    the order in which it was logged; all else is put in order of time.

    Raises:
        StoreError: The disk refused.
    """
    rows = in_order(frame, table)
    content = _encoded(rows)
    pieces = len(content) // (SEALED + SEALED // 4)
    if pieces < 2:
        yield _write(root, table, feed, rows, content, generation)
        return
    taken = rows.clear()
    for piece in rows.iter_slices(-(-rows.height // (pieces * SLICES))):
        taken = pl.concat([taken, piece])
        content = _encoded(taken)
        if len(content) >= SEALED:
            yield _write(root, table, feed, taken, content, generation)
            taken = rows.clear()
    if not taken.is_empty():
        yield _write(root, table, feed, taken, content, generation)


def _encoded(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd", row_group_size=GROUP_ROWS)
    return buffer.getvalue()


def _write(
    root: Path, table: Table, feed: str, rows: pl.DataFrame, content: bytes, generation: int
) -> Part:
    digest = hashlib.sha256(content).hexdigest()
    file = f"{table.name}/{quote(feed, safe='')}-{generation:07}-{digest[:8]}.parquet"
    write_bytes(root / file, content)
    times = rows.get_column(table.time)
    first, last = times.min(), times.max()
    return Part(
        table=table.name,
        feed=feed,
        file=file,
        rows=rows.height,
        bytes=len(content),
        sha256=digest,
        first=first if isinstance(first, datetime) else None,
        last=last if isinstance(last, datetime) else None,
    )


def read_part(
    read: Read,
    part: Part,
    table: Table,
    columns: Collection[str] | None = None,
    where: pl.Expr | None = None,
) -> pl.DataFrame:
    """Read a part, or some of its columns, or the rows of which something is true.

    Raises:
        FileNotFoundError: It is gone.
        Unreadable: The system does not give it out.
        Damaged: Its content is not what was written, or not a whole table of this kind.
    """
    return decode(content_of(read, part), part.file, table, columns, where)


def content_of(read: Read, part: Part) -> bytes:
    """The bytes of a part, which are those that were written.

    Raises:
        FileNotFoundError: It is gone.
        Unreadable: The system does not give it out.
        Damaged: They are others.
    """
    try:
        content = read(part.file)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(part.file, error.strerror or first_line(error)) from error
    known = part.sha256 or digest_in(part.file)
    if not hashlib.sha256(content).hexdigest().startswith(known):
        raise Damaged(part.file, "its content is not what was written")
    return content


def digest_in(file: str) -> str:
    """What the name of a part says of its digest; "" of a file of format 1."""
    match = _DIGEST.fullmatch(file)
    return match[1] if match else ""


def in_order(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Rows in the order of a part: by time, and of one instant as they were stored."""
    return frame if table is FETCH_TABLE else frame.sort(table.time, maintain_order=True)


def to_merge(series: Sequence[Part], rows: int) -> int:
    """How many of the last parts of a series are to be written anew, with rows that come.

    A part is taken in unless it is at least `STEP` times as large as what comes after it, so there
    are few however many rows come one by one, and a large one is seldom written again; one of
    `SEALED` bytes never is.
    """
    count, size = 0, rows
    for before in reversed(series):
        kept = before.bytes >= SEALED or before.rows >= max(OPEN_ROWS, STEP * size)
        if kept or before.rows + size > MOST_ROWS:
            break
        count += 1
        size += before.rows
    return count


def is_whole(series: Sequence[Part]) -> bool:
    """Whether a series is in as few parts as it can be: no two beside each other are open."""
    opened = [part.bytes < SEALED for part in series]
    return not any(here and after for here, after in pairwise(opened))
