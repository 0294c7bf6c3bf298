"""The manifest of a cache: which parts it consists of. Needs no data-frame library.

A part is a Parquet file with rows of one table and one feed. It is named by its content and never
changed; a write adds parts, perhaps in place of smaller ones, and replaces the manifest. So the
manifest is the one commit point of every write: what it does not name is not there.
"""

import json
import re
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from qwenwatch_cache.errors import CacheTooNew, StoreError

FORMAT = 2

FORMAT_FILE = "format.json"
MANIFEST_FILE = "manifest.json"

TABLES_OF_FORMAT_1 = ("usage", "price", "catalog", "fx", "session", "task", "host", "fetch")

_PART_FILE = re.compile(r"[a-z]+/[\w%.~-]+\.parquet")

Read = Callable[[str], bytes]
"""Gives the content of a file of the cache by its name; FileNotFoundError if there is none."""


class ManifestLost(StoreError):
    """The cache has parts, and nothing that says which of them count."""


class Part(NamedTuple):
    """One Parquet file.

    Attributes:
        table: Name of the table it has rows of.
        feed: The feed they came from; "" if from several (format 1).
        file: Its name below the root of the cache.
        rows: How many.
        bytes: Size of the file.
        sha256: Of its content; "" if unknown (format 1, or a manifest that was lost).
        first: Oldest of the table's time column, None if unknown.
        last: Newest of it.
    """

    table: str
    feed: str
    file: str
    rows: int = 0
    bytes: int = 0
    sha256: str = ""
    first: datetime | None = None
    last: datetime | None = None


class Manifest(NamedTuple):
    """The state of a cache.

    Attributes:
        format: Version of the layout.
        generation: Number of the write that made this state.
        past: Changes whenever what was known at an earlier time may have changed: rows were lost,
            imported, or came with a time before those that are there; or figures of use came when
            their day had closed (see `qwenwatch_cache.store.past`).
        parts: What counts; those of one table and feed in the order in which they were stored.
        retired: What the last write of a table and feed replaced; kept to fall back on.
        losses: When rows of a feed were last lost to damage; under "" of all feeds.
        merged: When rows of another cache were last put beside its own, None if never.
    """

    format: int = FORMAT
    generation: int = 0
    past: int = 0
    parts: tuple[Part, ...] = ()
    retired: tuple[Part, ...] = ()
    losses: Mapping[str, datetime] = MappingProxyType({})
    merged: datetime | None = None

    def series(self, table: str, feed: str) -> list[Part]:
        """The parts of one table and feed, in the order in which they were stored."""
        return [part for part in self.parts if (part.table, part.feed) == (table, feed)]

    @property
    def newest(self) -> datetime | None:
        """Time of the newest row of all tables, None if there is none."""
        return max((part.last for part in self.parts if part.last is not None), default=None)


def read_manifest(read: Read) -> Manifest:
    """The state of a cache as its last write left it; an empty one if nobody ever wrote.

    A question asks for it a dozen times; the same bytes are understood only once.

    Raises:
        CacheTooNew: A newer version of the program wrote it.
        ManifestLost: There is a cache and its manifest is missing or damaged.
        StoreError: `format.json` is there and makes no sense, or cannot be read.
    """
    stated = _stated_format(read)
    if stated == 1:
        return FORMAT_1
    try:
        return from_json(read(MANIFEST_FILE))
    except FileNotFoundError as error:
        if stated is None:
            return FORMAT_1 if _has_tables_of_format_1(read) else Manifest()
        raise ManifestLost(f"{MANIFEST_FILE} of the cache is missing") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestLost(f"{MANIFEST_FILE} of the cache is damaged") from error
    except OSError as error:
        raise StoreError(f"cannot read {MANIFEST_FILE} of the cache: {error.strerror}") from error


def to_json(manifest: Manifest) -> bytes:
    """The manifest as it is written to disk; its format is described in docs/data.md."""
    plain = {
        "format": manifest.format,
        "generation": manifest.generation,
        "past": manifest.past,
        "parts": [_plain(part) for part in manifest.parts],
        "retired": [_plain(part) for part in manifest.retired],
        "losses": {feed: moment.isoformat() for feed, moment in sorted(manifest.losses.items())},
        "merged": manifest.merged.isoformat() if manifest.merged else None,
    }
    return json.dumps({**plain, "crc32": _checksum(plain)}, indent=1).encode()


@lru_cache(maxsize=2)
def from_json(text: bytes) -> Manifest:
    """Read what `to_json` wrote.

    Raises:
        CacheTooNew: A newer version of the program wrote it.
        ValueError, KeyError, TypeError, AttributeError: It is something else.
    """
    plain = json.loads(text)
    _refuse_newer(plain["format"])
    if plain.pop("crc32") != _checksum(plain):
        raise ValueError("its content is not what was written")
    return Manifest(
        format=plain["format"],
        generation=int(plain["generation"]),
        past=int(plain["past"]),
        parts=tuple(_part(one) for one in plain["parts"]),
        retired=tuple(_part(one) for one in plain["retired"]),
        losses={feed: _moment(text) for feed, text in plain["losses"].items()},
        merged=_moment(plain["merged"]) if plain["merged"] else None,
    )


FORMAT_1 = Manifest(
    format=1,
    parts=tuple(Part(table, "", f"{table}.parquet") for table in TABLES_OF_FORMAT_1),
    retired=tuple(Part(table, "", f"previous/{table}.parquet") for table in TABLES_OF_FORMAT_1),
)
"""Format 1 had one file a table, if it had rows, and beside it the version before."""


def _has_tables_of_format_1(read: Read) -> bool:
    """Whether a directory without `format.json` is an old cache that lost it."""
    for part in FORMAT_1.parts:
        try:
            read(part.file)
        except FileNotFoundError:
            continue
        except OSError:
            return True
        return True
    return False


def _stated_format(read: Read) -> int | None:
    try:
        stated = json.loads(read(FORMAT_FILE))["format"]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {FORMAT_FILE} of the cache: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{FORMAT_FILE} does not say which format the cache has; if the directory is not a "
            "qwenwatch cache choose another with --cache-dir, else delete that file"
        ) from error
    _refuse_newer(stated)
    return int(stated)


def _refuse_newer(stated: object) -> None:
    if not isinstance(stated, int) or not 1 <= stated <= FORMAT:
        raise CacheTooNew(
            f"the cache has format {stated}, this version knows up to {FORMAT}: "
            "upgrade qwenwatch or choose another directory with --cache-dir"
        )


def _checksum(plain: Mapping[str, object]) -> int:
    """Of all that the manifest says; one of SHA-256 would take longer to load than to compute."""
    return zlib.crc32(json.dumps(plain, sort_keys=True).encode())


def _plain(part: Part) -> dict[str, str | int | None]:
    return {
        "table": part.table,
        "feed": part.feed,
        "file": part.file,
        "rows": part.rows,
        "bytes": part.bytes,
        "sha256": part.sha256,
        "first": part.first.isoformat() if part.first else None,
        "last": part.last.isoformat() if part.last else None,
    }


def _part(plain: Mapping[str, str | int | None]) -> Part:
    first, last = plain["first"], plain["last"]
    if not _PART_FILE.fullmatch(str(plain["file"])):
        raise ValueError(f"{plain['file']!r:.80} is no name of a part")
    return Part(
        table=str(plain["table"]),
        feed=str(plain["feed"]),
        file=str(plain["file"]),
        rows=int(plain["rows"] or 0),
        bytes=int(plain["bytes"] or 0),
        sha256=str(plain["sha256"]),
        first=_moment(first) if first else None,
        last=_moment(last) if last else None,
    )


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text)).astimezone(UTC)
