"""Parts of a table: written once, read with their checksum, merged so that they stay few."""

import hashlib
import io
import re
from collections.abc import Collection, Sequence
from datetime import datetime
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

MOST_ROWS = 1_000_000
"""Parts are not merged beyond this: to merge takes memory."""

GROUP_ROWS = 32_768
"""Rows of one group of a file. Rows stand in order of time, so of many years few groups are
unpacked for a question about few days; smaller ones gain nothing and cost bytes."""

_DIGEST = re.compile(r".+-\d{7,}-([0-9a-f]{8})\.parquet")


def write_part(root: Path, table: Table, feed: str, frame: pl.DataFrame, generation: int) -> Part:
    """Write rows of one feed as a new part.

    The log stays in the order in which it was logged; all else is put in order of time.

    Raises:
        StoreError: The disk refused.
    """
    rows = in_order(frame, table)
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd", row_group_size=GROUP_ROWS)
    content = buffer.getvalue()
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


def to_merge(rows: Sequence[int]) -> int:
    """How many of the last parts are to be made one, by their numbers of rows, oldest first.

    A part takes in the one before it unless that is at least `STEP` times as large, so there are
    few however many rows come one by one, and a large one is seldom written again.
    """
    count, size = 1, rows[-1]
    for before in reversed(rows[:-1]):
        if before >= max(OPEN_ROWS, STEP * size) or before + size > MOST_ROWS:
            break
        count += 1
        size += before
    return count
