"""A cache as one file: to keep it, to move it, to put what two machines saw together.

The archive is a zip file with an index (`archive_index`), the rows of each table and feed as
Parquet, and the response bodies that are kept. The same cache gives the same bytes.
"""

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import cast

import msgspec
import polars as pl

from qwenwatch_cache.errors import StoreError
from qwenwatch_cache.frames import FETCH_TABLE, TABLES, Table
from qwenwatch_cache.manifest import FORMAT, Manifest, Read
from qwenwatch_cache.places import place_of
from qwenwatch_cache.store.archive_index import (
    INDEX,
    VERSION,
    BodyMember,
    Index,
    RowsMember,
    body_name,
    rows_name,
    write_index,
)
from qwenwatch_cache.store.archive_reader import digest_of, digests_in, opened
from qwenwatch_cache.store.bodies import Body, kept
from qwenwatch_cache.store.files import write_atomically
from qwenwatch_cache.store.parts import in_order
from qwenwatch_cache.store.reader import Reader
from qwenwatch_cache.store.reading import rows_of
from qwenwatch_cache.store.store import Store
from qwenwatch_cache.store.writing import by_feed

_DATE = (1980, 1, 1, 0, 0, 0)
"""Of every member: the earliest that a zip file knows. When it was written is of no interest."""

_UNIX = 3
_PLAIN_FILE = 0o100644 << 16


class Exported(msgspec.Struct, frozen=True):
    """What went into an archive.

    Attributes:
        rows: Rows of all tables, the log of requests included.
        bodies: Response bodies.
        bytes: Size of the archive.
        left_out: Files of bodies that are damaged.
    """

    rows: int
    bodies: int
    bytes: int
    left_out: tuple[Path, ...] = ()


class Imported(msgspec.Struct, frozen=True):
    """What came out of an archive.

    Attributes:
        rows: Rows that it holds, the log of requests included.
        rows_new: Those that were not here yet.
        bodies: Response bodies that it holds.
        bodies_new: Those that were not here yet.
        first: When the oldest new row was learned, elsewhere; None if no row is new. What was known
            here at a time from then on has changed.
        last: The same of the newest.
    """

    rows: int
    rows_new: int
    bodies: int
    bodies_new: int
    first: datetime | None = None
    last: datetime | None = None


def export_archive(store: Reader, target: Path, *, bodies: bool = True) -> Exported:
    """Write a cache into one file, as it was at one moment, also while somebody writes to it.

    Args:
        store: The cache.
        target: The file, which is replaced if there is one.
        bodies: Whether the response bodies go with it, as far as the log tells of them.

    Raises:
        StoreError: The cache is damaged, or the file cannot be written; what it held before is
            unchanged.
    """
    _refuse_place(store, target)
    target = target.resolve()  # a link stays a link
    manifest, read = _one_state(store)
    exported: list[Exported] = []

    def fill(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as zipped:
            index, left_out = _fill(zipped, store, manifest, read, bodies)
        exported.append(
            Exported(
                rows=sum(member.rows for member in index.rows),
                bodies=len(index.bodies),
                bytes=path.stat().st_size,
                left_out=tuple(left_out),
            )
        )

    write_atomically(target, fill)
    return exported[0]


def import_archive(store: Store, source: Path, now: datetime) -> Imported:
    """Put what an archive holds beside what a cache has.

    All of it is checked before anything is stored; rows that are here already stay as they are.

    Args:
        store: The cache.
        source: The archive; nothing that it says is trusted.
        now: The present moment.

    Raises:
        BadArchive: It cannot be used; the cache is as it was.
        CacheTooNew: A newer version of the program wrote it; the cache is as it was.
        CacheLocked: Another writer did not finish in time.
        StoreError: The disk refused; the cache is as it was.
    """
    with opened(source, now) as archive:
        archive.check()
        index = archive.index
        # Nobody can have lost later what is known now: such a loss would make all answers void.
        losses = {feed: min(moment, now) for feed, moment in index.losses.items()}
        added = store.merge(archive.tables(), now, losses=losses, kept=archive.bodies())
    return Imported(
        rows=sum(member.rows for member in index.rows),
        rows_new=added.rows,
        bodies=len(index.bodies),
        bodies_new=added.bodies,
        first=added.first,
        last=added.last,
    )


def _refuse_place(store: Reader, target: Path) -> None:
    if not target.parent.is_dir():
        raise StoreError(f"cannot write {target}: there is no directory {target.parent}")
    if target.is_dir():
        raise StoreError(f"cannot write {target}: it is a directory; name a file")
    if str(target) == "-" or (target.exists() and not target.is_file()):
        # An archive is put in place as a whole, which a pipe or a device does not survive.
        raise StoreError(f"cannot write {target}: an archive needs a file; name one")
    if isinstance(store.address, Path) and target.resolve().is_relative_to(store.address.resolve()):
        raise StoreError(
            f"cannot write {target}: it lies in the cache itself; choose another place"
        )


def _one_state(store: Reader) -> tuple[Manifest, Read]:
    """A state of the cache with all of its parts, which a writer may delete at any time.

    Raises:
        StoreError: A part is not given out.
    """
    place, manifest = place_of(store.address), store.manifest()
    while True:
        contents: dict[str, bytes] = {}
        for part in manifest.parts:
            try:
                with contextlib.suppress(FileNotFoundError):
                    contents[part.file] = place.read(part.file)
            except OSError as error:
                raise StoreError(
                    f"cannot read {store.address}/{part.file}: {error.strerror}"
                ) from error
        newer = store.manifest()
        same = (newer.format, newer.generation) == (manifest.format, manifest.generation)
        if same or (manifest.format != 1 and len(contents) == len(manifest.parts)):
            break
        manifest = newer

    def read(name: str) -> bytes:
        if name not in contents:
            raise FileNotFoundError(name)
        return contents[name]

    return manifest, read


def _fill(
    zipped: zipfile.ZipFile, store: Reader, manifest: Manifest, read: Read, bodies: bool
) -> tuple[Index, Sequence[Path]]:
    """Write all members; gives the index, and the damaged bodies that were left out."""
    rows: list[RowsMember] = []
    asked: set[tuple[str, str]] = set()
    for table in TABLES.values():
        for feed, frame in _sound_rows(store, manifest, read, table):
            rows.append(_put_rows(zipped, table, feed, in_order(frame, table)))
            if table is FETCH_TABLE:
                asked.update((feed, digest) for digest in digests_in(frame))
    packed: list[BodyMember] = []
    left_out: list[Path] = []
    if bodies and isinstance(store.address, Path):
        for body in kept(store.address):
            # An answer that came after this state, or was refused: the log does not tell of it.
            if (body.feed, body.digest) in asked:
                try:
                    packed.append(_put_body(zipped, body))
                except ValueError:
                    left_out.append(body.path)
                except FileNotFoundError:
                    continue  # it has become too old meanwhile
    index = Index(
        archive=VERSION,
        format=FORMAT,
        program=f"qwenwatch {version('qwenwatch')}",
        losses=dict(sorted(manifest.losses.items())),
        rows=rows,
        bodies=packed,
    )
    _put(zipped, INDEX, write_index(index), zipfile.ZIP_DEFLATED)
    return index, left_out


def _sound_rows(
    store: Reader, manifest: Manifest, read: Read, table: Table
) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of a table by feed, one feed at a time.

    Raises:
        StoreError: Some are damaged.
    """
    names = sorted({part.feed for part in manifest.parts if part.table == table.name})
    for name in names:
        # Parts of several feeds are of format 1, where a table has but one.
        feeds = {name} if name else None
        rows, damaged = rows_of(read, manifest, table, feeds=feeds, missing_is_damage=True)
        for part, damage in damaged:
            # What is left would be shown to a reader, but an archive is taken for whole.
            raise StoreError(
                f"{store.address}/{part.file} is damaged ({damage.reason}), and nothing was "
                "exported: `qwenwatch refresh` repairs the cache"
            )
        yield from by_feed(rows)


def _put_rows(zipped: zipfile.ZipFile, table: Table, feed: str, rows: pl.DataFrame) -> RowsMember:
    buffer = io.BytesIO()
    # In one piece, or the parts it came from would show in the file.
    rows.rechunk().write_parquet(buffer, compression="zstd")
    content = buffer.getvalue()
    times = rows.get_column(table.time)
    name = rows_name(table.name, feed)
    _put(zipped, name, content)
    return RowsMember(
        name=name,
        table=table.name,
        feed=feed,
        rows=rows.height,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        first=cast(datetime, times.min()),
        last=cast(datetime, times.max()),
    )


def _put_body(zipped: zipfile.ZipFile, body: Body) -> BodyMember:
    """Write one body.

    Raises:
        FileNotFoundError: It is gone.
        ValueError: It is damaged.
    """
    content = body.path.read_bytes()
    if not digest_of(content).startswith(body.digest):
        raise ValueError("its content is not what came")
    name = body_name(body.feed, body.came, body.digest)
    _put(zipped, name, content)
    return BodyMember(
        name=name,
        feed=body.feed,
        came=body.came,
        digest=body.digest,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _put(
    zipped: zipfile.ZipFile, name: str, content: bytes, compression: int = zipfile.ZIP_STORED
) -> None:
    """Write one member; most are compressed already."""
    info = zipfile.ZipInfo(name, _DATE)
    info.create_system, info.external_attr = _UNIX, _PLAIN_FILE
    zipped.writestr(info, content, compression)
