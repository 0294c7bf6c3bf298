"""What failed in a round over a feed, and whether the rest of it is worth asking."""

from datetime import datetime

import msgspec

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import Request
from qwenwatch_cache.http import Refused

HOPELESS = 3
"""Failures one after the other after which the rest of a round is not asked."""

ABOUT_ONE_REQUEST = frozenset({200, 400, 404, 410})
"""HTTP statuses that say something of one address, not of the whole server."""

ABOUT_ALL_REQUESTS = frozenset({0, 401, 403, 429})
"""Statuses (0: no connection) that every other request would meet too."""


class Failure(msgspec.Struct, frozen=True):
    """A request that failed; logged at the end, so that the log says how the round ended."""

    request: Request
    started: datetime
    error: FeedError


class Failures(msgspec.Struct):
    """The failures of a round, in order.

    Attributes:
        all: Every one.
        in_a_row: How many since a request was answered well.
    """

    all: list[Failure] = msgspec.field(default_factory=list)
    in_a_row: int = 0

    @property
    def last(self) -> Failure:
        """The last one."""
        return self.all[-1]

    def add(self, request: Request, started: datetime, error: FeedError) -> None:
        """Add one.

        Args:
            request: What was asked.
            started: When it was first.
            error: What came of it. Of several attempts the last counts: it was told how long to
                wait, if any was.
        """
        attempt = error.started if isinstance(error, Refused) else None
        self.all.append(Failure(request, attempt or started, error))
        self.in_a_row += 1

    def hopeless(self, made: int) -> bool:
        """Whether what went wrong would go wrong with every other request too.

        Args:
            made: Requests made so far.
        """
        if not self.all:
            return False
        error = self.last.error
        if isinstance(error, Refused) and error.status in ABOUT_ALL_REQUESTS:
            return True
        if isinstance(error, Refused) and error.status not in ABOUT_ONE_REQUEST and made == 1:
            return True
        return self.in_a_row >= HOPELESS

    def due(self, back_off: datetime) -> datetime:
        """When to ask again: after the back-off, and not before a server said."""
        due = back_off
        for failure in self.all:
            error = failure.error
            if isinstance(error, Refused) and error.retry_after is not None:
                due = max(due, failure.started + error.retry_after)
        return due

    def message(self, feed: str, made: int) -> str:
        """What went wrong last, and how often something did among the requests made."""
        others = len(self.all) - 1
        more = f" (and {others} more of {made} requests failed)" if others else ""
        return plain(self.last.error, feed) + more


def plain(error: FeedError, feed: str) -> str:
    """An error without the name of its feed."""
    return str(error).removeprefix(f"{feed}: ")
