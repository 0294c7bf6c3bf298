"""All faults, and when they happen. ``FAULTS`` is the table to look a fault up in."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.feedserver import mutations
from tests.feedserver.answers import JSON, XML, Answer, error
from tests.feedserver.mutations import FEED_SHAPES
from tests.feedserver.routes import FEEDS
from tests.feedserver.wire import Wire

#: Where ``redirect`` leads: the same path below this one answers well.
REDIRECTED = "/redirected"


@dataclass(frozen=True)
class Asked:
    """What a fault may want to know of the request it spoils."""

    target: str
    port: int
    retry_after: str | None


@dataclass(frozen=True)
class Fault:
    """A fault does one of three things.

    Attributes:
        instead: Gives another answer in place of the real one.
        body: Changes the body of the real answer.
        send: Sends the real answer badly.
        feeds: The feeds it can be played on.
        types: Content types whose body it can change; empty: any.
    """

    instead: Callable[[Asked], Answer] | None = None
    body: Callable[[str, bytes], bytes] | None = None
    send: Callable[[Wire, Answer], None] | None = None
    feeds: tuple[str, ...] = FEEDS
    types: tuple[str, ...] = (JSON,)


def _status(
    status: int, message: str, *, default_retry_after: str | None = None, bare: bool = False
) -> Fault:
    def instead(asked: Asked) -> Answer:
        wait = None if bare else asked.retry_after or default_retry_after
        return error(status, message, {} if wait is None else {"Retry-After": wait})

    return Fault(instead=instead)


def _html(asked: Asked) -> Answer:
    page = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"
    return Answer(page, content_type="text/html; charset=utf-8")


def _redirect(asked: Asked) -> Answer:
    return Answer(b"", 302, headers={"Location": REDIRECTED + asked.target})


def _redirect_other_host(asked: Asked) -> Answer:
    # This server again, under its other name: a client must treat it as a stranger, and the
    # test can see in `FeedServer.requests` what the stranger was told.
    other = f"http://localhost:{asked.port}{REDIRECTED}{asked.target}"
    return Answer(b"", 302, headers={"Location": other})


_JSON_FEEDS = tuple(FEED_SHAPES)
_NUMBER_FEEDS = tuple(feed for feed, shape in FEED_SHAPES.items() if not shape.is_text)
_TEXT_FEEDS = tuple(feed for feed, shape in FEED_SHAPES.items() if shape.is_text)

FAULTS: Mapping[str, Fault] = {
    # Another answer.
    "401": _status(401, "Missing Authentication header"),
    "403": _status(403, "Forbidden"),
    "404": _status(404, "Not Found"),
    "429": _status(429, "Rate limit exceeded", default_retry_after="1"),
    "429-bare": _status(429, "Rate limit exceeded", bare=True),
    "500": _status(500, "Internal Server Error"),
    "503": _status(503, "Service Unavailable"),
    "html": Fault(instead=_html),
    "redirect": Fault(instead=_redirect),
    "redirect-other-host": Fault(instead=_redirect_other_host),
    # The real answer with another body.
    "truncated": Fault(body=mutations.truncated, types=()),
    "empty-list": Fault(body=mutations.empty_list, feeds=_JSON_FEEDS),
    "half-list": Fault(body=mutations.half_list, feeds=_JSON_FEEDS),
    "renamed-field": Fault(body=mutations.renamed_field, feeds=_JSON_FEEDS),
    "string-for-number": Fault(body=mutations.other_type, feeds=_NUMBER_FEEDS),
    "number-for-string": Fault(body=mutations.other_type, feeds=_TEXT_FEEDS),
    "one-bad-row": Fault(body=mutations.one_bad_row, feeds=_JSON_FEEDS),
    "negative-price": Fault(body=mutations.negative_price, feeds=_JSON_FEEDS),
    "absurd-price": Fault(
        body=mutations.absurd_price, feeds=(*_JSON_FEEDS, mutations.RATES), types=(JSON, XML)
    ),
    "duplicate-rows": Fault(body=mutations.duplicate_rows, feeds=_JSON_FEEDS),
    # The real answer, badly sent.
    "short-body": Fault(send=Wire.short_body),
    "slow-drip": Fault(send=Wire.slow_drip),
    "hang": Fault(send=Wire.hang),
    "reset": Fault(send=Wire.reset),
    "huge": Fault(send=Wire.huge),
    "gzip-bomb": Fault(send=Wire.gzip_bomb),
}


def faults_for(feed: str) -> tuple[str, ...]:
    """The names of the faults that can be played on a feed."""
    return tuple(name for name, fault in FAULTS.items() if feed in fault.feeds)


@dataclass
class Rule:
    """A fault on the `first` to `last` request of a feed, counted from when the rule was made."""

    feed: str
    name: str
    first: int = 1
    last: int | None = None
    retry_after: str | None = None
    seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.feed not in FEEDS:
            raise ValueError(f"unknown feed {self.feed!r}; there are: {', '.join(FEEDS)}")
        if self.name not in FAULTS:
            raise ValueError(f"unknown fault {self.name!r}; there are: {', '.join(FAULTS)}")
        if self.name not in faults_for(self.feed):
            raise ValueError(f"{self.name} cannot be played on {self.feed}")
        if self.first < 1 or (self.last is not None and self.last < self.first):
            raise ValueError(f"no such requests: {self.first} to {self.last}")


_SPEC = re.compile(
    r"(?P<feed>[^:]+):(?P<name>[^@;]+)(@(?P<first>\d+)(-(?P<last>\d+))?)?"
    r"(;retry-after=(?P<retry_after>.+))?"
)


def parse_spec(spec: str) -> Rule:
    """Read ``FEED:FAULT[@N|@N-M][;retry-after=S]``; without ``@`` every request fails.

    Raises:
        ValueError: With what is wrong with it.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(f"{spec!r} is not FEED:FAULT[@N|@N-M][;retry-after=S]")
    feed, name, retry_after = match["feed"], match["name"], match["retry_after"]
    if match["first"] is None:
        return Rule(feed, name, retry_after=retry_after)
    first = int(match["first"])
    return Rule(feed, name, first, int(match["last"] or first), retry_after)


class FaultPlan:
    """The rules in force. Safe to use from many threads."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> None:
        """Put a rule in force; of two rules on the same request the older wins."""
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        """Drop all rules."""
        with self._lock:
            self._rules.clear()

    def next(self, feed: str) -> Rule | None:
        """Count one request of a feed and give the rule that spoils it, if any."""
        with self._lock:
            hit = None
            for rule in self._rules:
                if rule.feed != feed:
                    continue
                rule.seen += 1
                if hit is None and rule.first <= rule.seen <= (rule.last or rule.seen):
                    hit = rule
            return hit
