"""Response bodies as they came: ``bodies/FEED/TIME-SHA16.gz``."""

import contextlib
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from qwenwatch_cache.store.files import TEMPORARY, Damaged, first_line, write_bytes

FOLDER = "bodies"
NAMED = "%Y%m%dT%H%M%SZ"


class Body(msgspec.Struct, frozen=True):
    """A kept body.

    Attributes:
        path: Its file.
        feed: Whose answer it is.
        came: When it came first, to the second.
        digest: The first 16 hexadecimal digits of its SHA-256.
    """

    path: Path
    feed: str
    came: datetime
    digest: str

    def read(self) -> bytes:
        """The bytes as they came.

        Raises:
            Damaged: The file is torn, or holds other bytes than those that came.
        """
        try:
            content = gzip.decompress(self.path.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            raise Damaged(self.path, first_line(error)) from error
        if not hashlib.sha256(content).hexdigest().startswith(self.digest):
            raise Damaged(self.path, "its content is not what came")
        return content


def keep(root: Path, feed: str, body: bytes, sha256: str, when: datetime) -> None:
    """Keep a body, for whoever holds the lock.

    Raises:
        StoreError: The disk refused.
    """
    path = root / FOLDER / feed / f"{when:{NAMED}}-{sha256[:16]}.gz"
    write_bytes(path, gzip.compress(body, mtime=0))


class Packed(msgspec.Struct, frozen=True):
    """A body that another cache kept, still compressed; see `Body`."""

    feed: str
    came: datetime
    digest: str
    content: bytes


@contextlib.contextmanager
def beside(root: Path, others: Iterable[Packed]) -> Iterator[Callable[[], int]]:
    """Write bodies of another cache under temporary names, for whoever holds the lock.

    Yields:
        What puts them into place and gives their number. Unless it is called none of them stays.

    Raises:
        StoreError: The disk refused.
    """
    written: list[Path] = []

    def put() -> int:
        for path in written:
            path.with_name(path.name + TEMPORARY).replace(path)
        return len(written)

    try:
        for one in others:
            if not is_kept(root, one.feed, one.digest):
                path = root / FOLDER / one.feed / f"{one.came:{NAMED}}-{one.digest}.gz"
                write_bytes(path.with_name(path.name + TEMPORARY), one.content)
                written.append(path)
        yield put
    finally:
        for path in written:
            with contextlib.suppress(OSError):
                path.with_name(path.name + TEMPORARY).unlink(missing_ok=True)


def is_kept(root: Path, feed: str, sha256: str) -> bool:
    """Whether the same bytes are there already."""
    return any((root / FOLDER / feed).glob(f"*-{sha256[:16]}.gz"))


def kept(root: Path) -> Iterator[Body]:
    """All kept bodies, by feed and time; files with other names are passed over."""
    for path in sorted((root / FOLDER).glob("*/*.gz")):
        came, _, digest = path.stem.partition("-")
        with contextlib.suppress(ValueError):
            moment = datetime.strptime(came, NAMED).replace(tzinfo=UTC)
            yield Body(path, path.parent.name, moment, digest)


def drop_old(root: Path, now: datetime, days: int) -> None:
    """Delete bodies that are older than so many days."""
    for body in kept(root):
        if body.came < now - timedelta(days=days):
            with contextlib.suppress(OSError):
                body.path.unlink()
