"""Errors that are meant for people: what happened, to which feed, file or key, and what to do.

QwenwatchError
├── FeedError          a feed did not answer, or not with what it promises
│   ├── KeyMissing     a feed needs a key that is not there
│   └── Implausible    a feed suddenly holds far less, or far more, than before
├── StoreError         the cache cannot be read or written
│   ├── CacheLocked    another writer holds it
│   └── CacheTooNew    written by a newer version of the program
└── NothingToShow      the question has no data at all
"""


class QwenwatchError(Exception):
    """Base of all errors whose message may be shown to a user as it is."""


class FeedError(QwenwatchError):
    """A feed failed; the message names the feed and the reason in plain words."""


class KeyMissing(FeedError):
    """A feed needs an API key and none was found."""


class Implausible(FeedError):
    """A feed suddenly holds far less or more than before: a fault, until it has lasted.

    Attributes:
        rows: Entries that the answer held.
    """

    rows: int | None = None


class StoreError(QwenwatchError):
    """The cache cannot be read or written; the message names the file."""


class CacheLocked(StoreError):
    """Another process is writing to the cache and did not finish in time."""


class CacheTooNew(StoreError):
    """The cache was written by a newer version of the program; it was left untouched."""


class NothingToShow(QwenwatchError):
    """There is no data at all for what was asked; the message says what would bring it."""
