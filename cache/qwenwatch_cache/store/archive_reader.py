"""An archive that somebody gave us, opened to be read: checked member by member, never unpacked."""

import contextlib
import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from qwenwatch_cache.errors import CacheTooNew
from qwenwatch_cache.frames import FETCH_TABLE
from qwenwatch_cache.store.archive_index import (
    INDEX,
    LARGEST_BODY,
    LARGEST_INDEX,
    MOST_BODIES,
    MOST_TABLES,
    BadArchive,
    BodyMember,
    Index,
    Refusal,
    RowsMember,
    read_index,
)
from qwenwatch_cache.store.archive_rows import checked_rows
from qwenwatch_cache.store.bodies import Packed
from qwenwatch_cache.store.files import first_line

_ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What `zipfile` raises over files that were tampered with."""


class Archive:
    """An open archive whose index is sound; what its members hold is checked when they are read.

    Attributes:
        index: What it says it holds.
    """

    def __init__(self, file: zipfile.ZipFile, now: datetime) -> None:
        """Read the index and compare it with what is there.

        Raises:
            CacheTooNew, Refusal: It cannot be used.
        """
        self._file = file
        self._now = now
        self._members = _members_of(file)
        if INDEX not in self._members:
            raise Refusal(f"{INDEX} is missing: this is no archive of qwenwatch")
        size = self._members[INDEX].file_size
        if size > LARGEST_INDEX:
            raise Refusal(f"{INDEX} has {size:,} bytes")
        self.index: Index = read_index(self._content(INDEX, size), now)
        named = {member.name: member.bytes for member in self.index.members}
        there = self._members.keys() - {INDEX}
        if unknown := sorted(there - named.keys()):
            raise Refusal(f"{len(unknown)} members are not in {INDEX}: {unknown[0][:100]!a}")
        if lacking := sorted(named.keys() - there):
            raise Refusal(f"{lacking[0]} is missing")
        for name, stated in named.items():
            if self._members[name].file_size != stated:
                real = self._members[name].file_size
                raise Refusal(f"{name} has {real:,} bytes, {INDEX} says {stated:,}")

    def rows(self, member: RowsMember) -> pl.DataFrame:
        """The rows of a member.

        Raises:
            Refusal: They are not what the index says, or cannot be rows of a cache.
        """
        return checked_rows(self._checked(member), member, self._now)

    def body(self, member: BodyMember) -> Packed:
        """A response body, still compressed.

        Raises:
            Refusal: It is not what the index says.
        """
        content = self._checked(member)
        try:
            found = digest_of(content)
        except ValueError as error:
            raise Refusal(f"{member.name}: {error}") from error
        if not found.startswith(member.digest):
            raise Refusal(f"{member.name} is not the body that its name tells of")
        return Packed(member.feed, member.came.astimezone(UTC), member.digest, content)

    def tables(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """All rows with the name of their table, one member at a time.

        Raises:
            Refusal: They are not what the index says, or cannot be rows of a cache.
        """
        return ((member.table, self.rows(member)) for member in self.index.rows)

    def bodies(self) -> Iterator[Packed]:
        """All response bodies, one at a time.

        Raises:
            Refusal: One is not what the index says.
        """
        return (self.body(member) for member in self.index.bodies)

    def check(self) -> None:
        """Read everything once.

        Raises:
            Refusal: Something is not what the index says, or cannot be part of a cache.
        """
        asked: set[tuple[str, str]] = set()
        for member in self.index.rows:
            frame = self.rows(member)
            if member.table == FETCH_TABLE.name:
                asked.update((member.feed, digest) for digest in digests_in(frame))
        for body in self.index.bodies:
            if (body.feed, body.digest) not in asked:
                raise Refusal(f"{body.name}: the log of requests knows of no such answer")
            self.body(body)

    def _checked(self, member: RowsMember | BodyMember) -> bytes:
        content = self._content(member.name, member.bytes)
        if hashlib.sha256(content).hexdigest() != member.sha256:
            raise Refusal(f"{member.name} is not what was written (its SHA-256 differs)")
        return content

    def _content(self, name: str, size: int) -> bytes:
        try:
            with self._file.open(self._members[name]) as member:
                content = member.read(size + 1)
        except _ZIP_FAULTS as error:
            raise Refusal(f"{name} cannot be read ({first_line(error)})") from error
        if len(content) != size:
            raise Refusal(f"{name} does not have the {size:,} bytes that it should")
        return content


@contextlib.contextmanager
def opened(source: Path, now: datetime) -> Iterator[Archive]:
    """An archive, for as long as it is read; what is wrong with it is told with its name.

    Raises:
        BadArchive: It cannot be used; also when that is found out while it is read.
        CacheTooNew: A newer version of the program wrote it.
    """
    try:
        if not source.exists():
            raise Refusal("there is no such file")
        if not source.is_file():  # to open a pipe would wait for ever
            raise Refusal("it is not a file")
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(source.open("rb"))
                zipped = stack.enter_context(zipfile.ZipFile(file))
            except OSError as error:
                raise Refusal(error.strerror or first_line(error)) from error
            except _ZIP_FAULTS as error:
                raise Refusal(
                    f"it is no zip archive, or not whole ({first_line(error)})"
                ) from error
            try:
                archive = Archive(zipped, now)
            except CacheTooNew as error:
                raise CacheTooNew(f"{source} was not imported: {error}") from error
            yield archive
    except Refusal as refusal:
        message = f"{source} was not imported: {refusal}; the cache is as it was"
        raise BadArchive(message) from refusal


def digest_of(packed: bytes) -> str:
    """SHA-256 of a compressed body, which is never held as a whole.

    Raises:
        ValueError: It is not compressed by gzip, not whole, or too large.
    """
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    digest, size = hashlib.sha256(), 0
    try:
        while not unpacker.eof:
            piece = unpacker.decompress(packed, 1024**2)
            packed = unpacker.unconsumed_tail
            size += len(piece)
            if size > LARGEST_BODY:
                raise ValueError(f"it holds more than {LARGEST_BODY // 1024**2} MB")
            if not piece and not packed and not unpacker.eof:
                raise ValueError("it is not whole")
            digest.update(piece)
    except zlib.error as error:
        raise ValueError(f"it is not gzip ({error})") from error
    if unpacker.unused_data:
        raise ValueError("something follows the body")
    return digest.hexdigest()


def digests_in(log: pl.DataFrame) -> set[str]:
    """The first 16 digits of every body's SHA-256 in a log of requests, as bodies are named."""
    return set(log.get_column("sha256").drop_nulls().str.slice(0, 16))


def _members_of(file: zipfile.ZipFile) -> Mapping[str, zipfile.ZipInfo]:
    infos = file.infolist()
    if len(infos) > MOST_TABLES + MOST_BODIES + 1:
        raise Refusal(f"it has {len(infos):,} members")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = ascii(info.filename[:100])
        if info.filename in members:
            raise Refusal(f"it has two members of the name {name}")
        if info.flag_bits & 0x41:
            raise Refusal(f"{name} is encrypted")
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise Refusal(f"{name} is a link or another thing that is no file")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refusal(f"{name} is compressed in a way that archives of qwenwatch are not")
        members[info.filename] = info
    return members
