"""What an archive of a cache holds: `archive.json`, its index.

Nothing that an archive says is trusted. Types, lengths and ranges are checked while the index is
decoded; the name of a member is worked out from what it holds, and a name that says otherwise is
refused.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from qwenwatch_cache.errors import CacheTooNew, StoreError
from qwenwatch_cache.frames import TABLES
from qwenwatch_cache.manifest import FORMAT
from qwenwatch_cache.store.bodies import NAMED

VERSION = 1
"""Of the archive's own layout."""

INDEX = "archive.json"

LARGEST_INDEX = 64 * 1024**2
LARGEST_TABLE = 256 * 1024**2
"""Bytes of one member with rows; ten years of the largest feed are below 30 MB."""

LARGEST_BODY = 64 * 1024**2
"""Bytes of a response body, compressed or not: twice what is taken from a feed."""

LARGEST_ALL = 8 * 1024**3
MOST_TABLES = 1_000
MOST_BODIES = 200_000
MOST_ROWS = 20_000_000
"""Rows of one member."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Whatever claims to have been learned before this was not."""

AHEAD = timedelta(days=1)
"""How much later than now something may seem to be learned: clocks are set back by hours."""

Feed = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=64)]
FeedOrAll = Annotated[str, msgspec.Meta(pattern=r"\A([a-z0-9]+(-[a-z0-9]+)*)?\Z", max_length=64)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Digest = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{16}\Z")]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Version = Annotated[int, msgspec.Meta(ge=1)]


class BadArchive(StoreError):
    """A file is no archive of a cache, or not a whole one; nothing of it was imported."""


class Refusal(Exception):
    """Why an archive cannot be used, in words for people; names no file."""


class RowsMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member with all rows of one table and one feed, as Parquet.

    Attributes:
        name: Its name in the archive.
        table: Name of the table.
        feed: The feed that brought the rows.
        rows: How many.
        bytes: Size of the member.
        sha256: Of its content.
        first: When the oldest row was learned (of the log: when the request was made).
        last: The same of the newest.
    """

    name: str
    table: str
    feed: Feed
    rows: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)]
    bytes: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_TABLE)]
    sha256: Sha256
    first: Moment
    last: Moment


class BodyMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member with one response body, compressed by gzip.

    Attributes:
        name: Its name in the archive.
        feed: Whose answer it is.
        came: When it came first, to the second.
        digest: The first 16 hexadecimal digits of the SHA-256 of the body.
        bytes: Size of the member.
        sha256: Of its content, which is the compressed body.
    """

    name: str
    feed: Feed
    came: Moment
    digest: Digest
    bytes: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_BODY)]
    sha256: Sha256


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole index.

    Attributes:
        archive: Version of the archive's layout.
        format: Version of the tables (`qwenwatch_cache.manifest.FORMAT`).
        program: Which program wrote it, with its version; of no consequence.
        losses: When the cache last lost rows of a feed to damage; under "" of all feeds.
        rows: The members with rows, one per table and feed.
        bodies: The members with response bodies.
    """

    archive: Version
    format: Version
    program: Annotated[str, msgspec.Meta(max_length=200)]
    losses: dict[FeedOrAll, Moment]
    rows: Annotated[list[RowsMember], msgspec.Meta(max_length=MOST_TABLES)]
    bodies: Annotated[list[BodyMember], msgspec.Meta(max_length=MOST_BODIES)]

    @property
    def members(self) -> Sequence[RowsMember | BodyMember]:
        """All members but the index itself."""
        return [*self.rows, *self.bodies]


class _Versions(msgspec.Struct):
    """What an index of any later version has too."""

    archive: Version
    format: Version


def rows_name(table: str, feed: str) -> str:
    """The name of the member with the rows of a table and a feed."""
    return f"rows/{table}/{feed}.parquet"


def body_name(feed: str, came: datetime, digest: str) -> str:
    """The name of the member with a response body."""
    return f"bodies/{feed}/{came:{NAMED}}-{digest}.gz"


def write_index(index: Index) -> bytes:
    """The index as it stands in an archive."""
    return msgspec.json.format(msgspec.json.encode(index), indent=1)


def read_index(content: bytes, now: datetime) -> Index:
    """Read an index that nobody vouches for.

    Raises:
        CacheTooNew: A newer version of the program wrote it; the message names no file.
        Refusal: It makes no sense.
    """
    try:
        versions = msgspec.json.decode(content, type=_Versions)
        _refuse_newer("archive version", versions.archive, VERSION)
        _refuse_newer("format", versions.format, FORMAT)
        index = msgspec.json.decode(content, type=Index)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Refusal(f"{INDEX}: {str(error)[:200] or 'nested too deeply'}") from error
    latest = now + AHEAD
    for rows in index.rows:
        if rows.table not in TABLES:
            raise Refusal(f"{INDEX} names a table that there is not: {_quoted(rows.table)}")
        if rows.rows > rows.bytes:
            raise Refusal(f"{INDEX}: {rows.rows:,} rows in {rows.bytes:,} bytes cannot be")
        _refuse_other_name(rows.name, rows_name(rows.table, rows.feed))
        for moment in (rows.first, rows.last):
            _refuse_absurd(moment, latest, rows.name)
    for body in index.bodies:
        _refuse_absurd(body.came, latest, "a body")
        if body.came.utcoffset() or body.came.microsecond:
            raise Refusal(f"{INDEX}: a body came at {body.came}, which is no whole second of UTC")
        _refuse_other_name(body.name, body_name(body.feed, body.came, body.digest))
    for moment in index.losses.values():
        _refuse_absurd(moment, latest, "a loss")
    _refuse_twice([one.name for one in index.members])
    _refuse_twice([f"{body.feed} {body.digest}" for body in index.bodies])
    if sum(one.bytes for one in index.members) > LARGEST_ALL:
        raise Refusal(f"its members have more than {LARGEST_ALL // 1024**3} GB together")
    return index


def _refuse_newer(what: str, stated: int, known: int) -> None:
    if stated > known:
        raise CacheTooNew(
            f"a newer qwenwatch wrote it ({what} {stated}, this version knows up to {known}): "
            "upgrade qwenwatch"
        )


def _refuse_other_name(stated: str, own: str) -> None:
    if stated != own:
        raise Refusal(f"{INDEX} gives the name {_quoted(stated)} to what must be called {own}")


def _refuse_absurd(moment: datetime, latest: datetime, what: str) -> None:
    if not EARLIEST <= moment <= latest:
        raise Refusal(
            f"{INDEX}: {what} is of {moment}, which cannot be; if it is later than now, "
            "the clock of this machine or of the other one is wrong"
        )


def _refuse_twice(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Refusal(f"{INDEX} names {name} twice")
        seen.add(name)


def _quoted(text: str) -> str:
    """Text of a stranger, fit for a message."""
    return ascii(text[:100])
