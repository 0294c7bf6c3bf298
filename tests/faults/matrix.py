"""Plays every fault on every feed and notes what the program said and what it kept."""

import asyncio
import os
import re
import shutil
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Literal
from unittest.mock import patch
from urllib.parse import urlsplit

import polars as pl
import stamina
from msgspec.structs import replace

from qwenwatch.narration import outcome_line
from qwenwatch_cache import feeds, http
from qwenwatch_cache.feeds import FEEDS, openrouter_endpoints
from qwenwatch_cache.feeds.feed import Done, Feed, Request
from qwenwatch_cache.frames import FETCH_TABLE, TABLES
from qwenwatch_cache.outcome import Outcome, State
from qwenwatch_cache.refresh import ask_about, refresh
from qwenwatch_cache.schedule import FeedSettings
from qwenwatch_cache.store import Store
from tests.faults.bodies import LongerBodies
from tests.faults.compare import Frames, Tables, added, false_rows, tables_with_losses, without
from tests.feedserver import FAULTS, FIXTURE_NOW, FeedServer, faults_for, huggingface, wire

KEY = "sk-or-v1-of-the-fault-matrix"
MODEL = "qwen/qwen3-max"
"""What a feed that is asked on demand is asked about."""

LATER = timedelta(days=1, hours=2)
"""From the good round to the one with the fault: every feed is due, and has news."""

RETRY_AFTER = {"429": timedelta(hours=2)}
"""Faults that are played with a wish to be left alone, and for how long."""

SILENT = frozenset({"hang", "slow-drip"})
BOMB_BYTES = 40 * 1024 * 1024
"""What the bomb unpacks to, here only: more than is accepted, and sooner made."""

DEADLINE = 0.15
"""Seconds until a silent server is given up, here only."""

PASSING = ("503", "429-bare", "500", "reset", "short-body")
"""Faults that may be gone at the next attempt."""

LIKE_503 = frozenset(
    {"401", "403", "429-bare", "500", "short-body", "slow-drip", "hang", "reset", "gzip-bomb"}
)
"""Faults that, like 503, leave nothing behind but lines in the log: what comes after them is played
after 503 only."""

ORGANISATIONS = ("Qwen", "deepseek-ai", "moonshotai")
"""On Hugging Face, those that the fixtures have."""

PLAYED: Mapping[str, Feed] = {**FEEDS, openrouter_endpoints.NAME: openrouter_endpoints.FEED}
"""All feeds, also the one on demand."""

Stored = Literal["nothing", "a part", "all"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What one fault did to one feed.

    Attributes:
        feed: Its name.
        fault: As the feed server calls it.
        state: Of the round's outcome.
        message: Of the round's outcome.
        line: What the user is told, with HOST for the server.
        told: The same, without what a good answer leaves out too and without the next time.
        due: When the feed may be asked again.
        wait: From the round's first request to when the feed may be asked again.
        stored: How much of what a good answer brings was stored.
        lost: Tables in which a row of before is not what it was.
        false: Rows that were stored and that a good answer would not have brought: wrong values,
            wrong withdrawals, rows of other feeds.
        requests: How many were made.
        logged: The last row of the log.
        recovered: Whether later good answers brought all that was missing, or would: see
            `LIKE_503`.
    """

    feed: str
    fault: str
    state: State
    message: str
    line: str
    told: str
    due: datetime
    wait: timedelta
    stored: Stored
    lost: tuple[str, ...]
    false: tuple[str, ...]
    requests: int
    logged: Mapping[str, object] = field(repr=False)
    recovered: bool


class Clock:
    """A clock that moves on by a second with every look."""

    def __init__(self) -> None:
        """Start on the fixtures' day."""
        self.now = FIXTURE_NOW

    def __call__(self) -> datetime:
        """The time."""
        self.now += timedelta(seconds=1)
        return self.now


class Matrix:
    """The server, a cache after one good round, and what a second good round brings.

    Args:
        server: Plays the feeds.
        clock: The one that the server and its bodies go by.
        folder: For caches.
    """

    def __init__(self, server: FeedServer, clock: Clock, folder: Path) -> None:
        """Make the first good round, and a second one in a copy for each feed."""
        self._server = server
        self._clock = clock
        self._folder = folder
        self._number = 0
        self._tables = Tables()
        good = self._store(folder / "good")
        self._usual: dict[str, Mapping[str, int]] = {}
        for feed in PLAYED:
            outcome = self._ask(good, feed)
            assert outcome.state == "stored", outcome
            self._usual[feed] = outcome.refused
        self.before = self._tables.of(good)
        self.news: dict[str, Frames] = {}
        for feed in PLAYED:
            store = self._copy()
            outcome = self._ask(store, feed)
            assert outcome.state == "stored", outcome
            self.news[feed] = added(self._tables.of(store), self.before)

    def play(self, feed: str, fault: str, last: int | None = None) -> Cell:
        """Play one fault, on all requests of a round or on the first ones."""
        store = self._copy()
        asked = len(self._server.requests)
        wish = RETRY_AFTER.get(fault)
        seconds = None if wish is None else int(wish.total_seconds())
        self._server.fault(feed, fault, last=last, retry_after=seconds)
        with patch.object(http, "DEADLINE", DEADLINE if fault in SILENT else http.DEADLINE):
            outcome = self._ask(store, feed)
        self._server.clear_faults()
        requests = len(self._server.requests) - asked
        after = self._tables.of(store)
        fresh = added(after, self.before)
        log = store.cached(FETCH_TABLE, feeds={feed})
        began = log.filter(pl.col("started") > FIXTURE_NOW + LATER)["started"].min()
        assert isinstance(began, datetime)
        assert outcome.due is not None
        return Cell(
            feed=feed,
            fault=fault,
            state=outcome.state,
            message=outcome.message,
            line=self._line(outcome),
            told=re.sub(r"; next [-0-9]+ [0-9:]+Z$", "", self._line(self._unusual(outcome))),
            due=outcome.due,
            wait=outcome.due - began,
            stored=self._stored(feed, fresh),
            lost=tables_with_losses(after, self.before),
            false=tuple(false_rows(fresh, self.news[feed])),
            requests=requests,
            logged=log.row(-1, named=True),
            recovered=fault in LIKE_503 or self._recovers(store, feed, outcome.due),
        )

    def _recovers(self, store: Store, feed: str, due: datetime) -> bool:
        """Whether good rounds bring what was missing: when the feed is due, and once more after.

        The second one is for what was answered, but not in full: that is asked again as usual.
        """
        for _ in range(2):
            self._clock.now = max(self._clock.now, due)
            again = self._ask(store, feed)
            if not self._missing(feed, added(self._tables.of(store), self.before)):
                return True
            assert again.due is not None
            due = again.due
        return False

    def _stored(self, feed: str, fresh: Frames) -> Stored:
        if all(frame.is_empty() for frame in fresh.values()):
            return "nothing"
        return "a part" if self._missing(feed, fresh) else "all"

    def _missing(self, feed: str, fresh: Frames) -> bool:
        """Whether rows that a good round brings are not among those that were added."""
        return any(
            not without(news, fresh[name], TABLES[name]).is_empty()
            for name, news in self.news[feed].items()
        )

    def _line(self, outcome: Outcome) -> str:
        line = outcome_line(outcome, self._clock.now).removeprefix(f"{outcome.feed}: ")
        return re.sub(rf"(127\.0\.0\.1|localhost):{self._server.port}", "HOST", line)

    def _unusual(self, outcome: Outcome) -> Outcome:
        """The outcome without the entries that a good round leaves out as well."""
        usual = self._usual[outcome.feed]
        return replace(
            outcome,
            refused={
                rule: count for rule, count in outcome.refused.items() if count > usual.get(rule, 0)
            },
        )

    def _ask(self, store: Store, name: str) -> Outcome:
        feed = PLAYED[name]
        if name == "huggingface":
            feed = _of_organisations(feed)
        settings = FeedSettings(
            feed=feed,
            enabled=True,
            base_url=self._server.url,
            key=KEY if feed.key_env else "",
            every=feed.floor,
        )
        if feed.on_demand is not None:
            return asyncio.run(ask_about(store, settings, MODEL, self._clock))
        [outcome] = asyncio.run(refresh(store, [settings], self._clock))
        return outcome

    def _copy(self) -> Store:
        """A cache after the good round, on the day of the faults."""
        self._number += 1
        root = self._folder / str(self._number)
        shutil.copytree(
            self._folder / "good", root, ignore=shutil.ignore_patterns("bodies", "previous")
        )
        self._clock.now = FIXTURE_NOW + LATER
        return self._store(root)

    def _store(self, root: Path) -> Store:
        # No such folder: the bundled baseline would come into view.
        return Store(root, bundled=self._folder / "no-baseline")


@contextmanager
def matrix(folder: Path) -> Iterator[Matrix]:
    """Open a matrix whose caches go below a folder."""
    clock = Clock()
    # Nothing here is TLS, and to load the certificates takes longer than a round; that a write
    # outlives a power cut is not what is tried here.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with ExitStack() as stack:
        stack.enter_context(patch.object(ssl, "create_default_context", lambda: context))
        stack.enter_context(patch.object(os, "fsync", lambda descriptor: None))
        # Pages as long as the real ones: paging has tests of its own.
        stack.enter_context(patch.object(huggingface, "LONGEST_PAGE", 1000))
        # All models are kept, so that one that moves up for one that cannot be read is known.
        stack.enter_context(patch.object(feeds.huggingface, "TOP", 1000))
        stack.enter_context(patch.object(wire, "BOMB_BYTES", BOMB_BYTES))
        stack.enter_context(stamina.set_testing(True, attempts=http.ATTEMPTS, cap=True))
        server = FeedServer(LongerBodies(lambda: clock.now), now=lambda: clock.now)
        stack.enter_context(server)
        yield Matrix(server, clock, folder)


def every_cell() -> list[tuple[str, str]]:
    """Every feed with every fault that can be played on it."""
    return [(feed, fault) for feed in PLAYED for fault in FAULTS if fault in faults_for(feed)]


def passing_cells() -> list[tuple[str, str]]:
    """Every feed with one of the faults that pass, each in turn."""
    return list(zip(PLAYED, cycle(PASSING)))


def _of_organisations(feed: Feed) -> Feed:
    """Hugging Face, asked of those organisations only that the fixtures have."""

    def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
        return [
            request
            for request in feed.plan(now, done)
            if any(f"author={name}&" in urlsplit(request.path).query for name in ORGANISATIONS)
        ]

    return replace(feed, plan=plan)
