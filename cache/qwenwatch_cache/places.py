"""Where the bytes of a cache come from: a directory, or an object store that is only read.

Needs no data-frame library: an answer that is kept ready is printed without one.
"""

import errno
import re
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from qwenwatch_cache.errors import StoreError

SCHEMES = ("s3", "gs", "az")
"""Object stores: Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure Blob."""

ATTEMPTS = 3
PATIENCE = timedelta(seconds=20)
"""A store that fails is asked so often, and for so long, for one file."""

# Two letters at least: C:\ is a drive.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_PART = re.compile(r"\w+/[^/]+-[0-9a-f]{8}\.parquet")
_QUERY = re.compile(r"\?\S+")


class Place(Protocol):
    """What holds the files of a cache."""

    def read(self, name: str) -> bytes:
        """The content of a file.

        Args:
            name: Its name below the root of the cache, with forward slashes.

        Raises:
            FileNotFoundError: There is no such file.
            OSError: It is not given out; `strerror` says why, in words for people.
        """


def is_url(text: str) -> bool:
    """Whether a text is the address of an object store, rather than the path of a directory."""
    return _URL.match(text) is not None


def place_of(root: Path | str) -> Place:
    """What is behind a directory or an address.

    Raises:
        StoreError: The address cannot be used.
    """
    return LocalPlace(root) if isinstance(root, Path) else CloudPlace(root)


def read_only(url: str) -> StoreError:
    """The error of whoever wants to write to an address."""
    return StoreError(f"{url} can only be read: poll on the machine that owns the cache")


class LocalPlace:
    """A directory, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        """Take a directory as it is."""
        self._root = root

    def read(self, name: str) -> bytes:
        """See `Place.read`."""
        return (self._root / name).read_bytes()


class CloudPlace:
    """A folder of an object store. Credentials and endpoint come from the environment."""

    def __init__(self, url: str) -> None:
        """Take an address; nothing is asked yet.

        Raises:
            StoreError: It is of no object store, or what reads object stores is not installed.
        """
        match = _URL.match(url)
        if match is None or match[1].lower() not in SCHEMES:
            known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
            raise StoreError(f"{url} is no place for a cache: give a directory, or one of {known}")
        if "@" in url:
            # Not repeated: what stands there may be a secret.
            raise StoreError(
                "the address of the cache holds credentials: they belong into the environment"
            )
        try:
            # Nobody else needs it, and it is not installed unless asked for.
            from obstore.exceptions import BaseError
            from obstore.store import from_url
        except ImportError as error:
            raise StoreError(
                f"to read {url} the package obstore is needed: pip install 'qwenwatch[cloud]'"
            ) from error
        self._url = url.rstrip("/")
        self._failures = (BaseError, OSError)
        self._parts: dict[str, bytes] = {}
        try:
            self._store = from_url(
                self._url,
                retry_config={"max_retries": ATTEMPTS - 1, "retry_timeout": PATIENCE},
            )
        except BaseError as error:
            raise StoreError(f"{url} cannot be opened: {_plain(error)}") from error

    def read(self, name: str) -> bytes:
        """See `Place.read`. A part is fetched once: it is named by its content."""
        if name not in self._parts:
            content = self._fetch(name)
            if not _PART.fullmatch(name):
                return content
            self._parts[name] = content
        return self._parts[name]

    def _fetch(self, name: str) -> bytes:
        where = f"{self._url}/{name}"
        try:
            return self._store.get(name).bytes().to_bytes()
        except FileNotFoundError as error:
            raise FileNotFoundError(errno.ENOENT, "there is no such object", where) from error
        except self._failures as error:
            raise OSError(errno.EIO, _plain(error), where) from error


def _plain(error: Exception) -> str:
    """What the library says, in one line and without what an address may carry as its query."""
    text = _QUERY.sub("", (str(error).strip() or type(error).__name__).splitlines()[0])
    return text[:300]
