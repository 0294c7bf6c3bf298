"""A day of polling by two programs on one cache, played with a clock of its own."""

import asyncio
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import polars as pl

from qwenwatch_cache import refresh as polling
from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.frames import FETCH_TABLE, Table
from qwenwatch_cache.manifest import MANIFEST_FILE, Manifest
from qwenwatch_cache.refresh import Wish
from qwenwatch_cache.schedule import FeedSettings, Record, record_of
from qwenwatch_cache.store import Store
from tests.cache.polling import NO_BASELINE, Watch
from tests.feedserver import FeedServer, Request

BEGIN = datetime(2026, 8, 17, tzinfo=UTC)
LOOKS = 288  # every five minutes
BETWEEN = timedelta(days=1) / LOOKS


class Sound(Store):
    """A cache that is never damaged, and in which nothing is older than the day.

    To look for damage, and to read anew what nobody has written to, is most of the work of a day.
    What is written is read as soon as the manifest is another file, whoever wrote it.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root, bundled=NO_BASELINE)
        self._file: tuple[int, int] | None = None
        self._manifest = Manifest()
        self._read_before: dict[tuple[str, Collection[str]], tuple[int, pl.DataFrame]] = {}

    def repair(self, now: datetime) -> None:
        pass

    def manifest(self) -> Manifest:
        path = self.root / MANIFEST_FILE
        file = (path.stat().st_ino, path.stat().st_mtime_ns) if path.exists() else None
        if file is None or file != self._file:
            self._file, self._manifest = file, super().manifest()
        return self._manifest

    def cached(
        self,
        table: Table,
        *,
        feeds: Collection[str] | None = None,
        since: datetime | None = None,
        columns: Collection[str] | None = None,
        where: pl.Expr | None = None,
    ) -> pl.DataFrame:
        if table is not FETCH_TABLE or columns is not None or where is not None:
            return super().cached(table, feeds=feeds, since=since, columns=columns, where=where)
        asked = table.name, frozenset(feeds or ())
        generation = self.manifest().generation
        if self._read_before.get(asked, (None,))[0] != generation:
            self._read_before[asked] = generation, super().cached(table, feeds=feeds)
        return self._read_before[asked][1]


class Remembered:
    """`record_of`, which reads the log of a feed again only if rows were added or a day is over.

    A day has thousands of looks at logs to which nothing was added since the look before. What a
    record says depends on nothing else, as long as the clock goes on and no cache is damaged.
    """

    def __init__(self) -> None:
        self._before: dict[tuple[int, str, date], tuple[pl.DataFrame, Record]] = {}

    def __call__(
        self, log: pl.DataFrame, settings: FeedSettings, now: datetime, *others: datetime | None
    ) -> Record:
        asked = id(log), settings.feed.name, now.date()
        if asked not in self._before:  # with the log, so that no other one gets its place
            self._before[asked] = log, record_of(log, settings, now, *others)
        return self._before[asked][1]


@dataclass
class Day:
    """What came to the server in a day.

    Attributes:
        rounds: Per feed its rounds; each is the requests between two looks.
        forced: Looks at which a program asked by force.
    """

    rounds: dict[str, dict[int, list[Request]]] = field(default_factory=dict)
    forced: Collection[int] = ()

    def requests(self, feed: str) -> int:
        """How many requests a feed got."""
        return sum(map(len, self.rounds.get(feed, {}).values()))

    def gaps(self, feed: str) -> list[tuple[int, timedelta]]:
        """Each round's look, and the time since the round before it began."""
        starts = [(look, asked[0].time) for look, asked in self.rounds.get(feed, {}).items()]
        return [(look, after - before) for (_, before), (look, after) in pairwise(starts)]

    def most_rounds(self, feed: str) -> int:
        """Rounds that the floor allows in a day, and those by force."""
        return math.ceil(timedelta(days=1) / FEEDS[feed].floor) + len(self.forced)


async def live_through(
    server: FeedServer,
    watch: Watch,
    root: Path,
    feeds: Sequence[FeedSettings],
    *,
    forced: Mapping[int, int] | None = None,
    every: int = 1,
    meanwhile: Callable[[int], None] = lambda look: None,
) -> Day:
    """Let two programs look every five minutes, from midnight to midnight.

    Args:
        server: Where the feeds are.
        watch: The one clock; set to each look's time.
        root: The cache directory that both use.
        feeds: What both are to ask.
        forced: Program (0 or 1) that asks by force, by look.
        every: Only every so manieth look is played.
        meanwhile: Called after each look, with its number.
    """
    forced = forced or {}
    programs = [Sound(root) for _ in range(2)]
    day = Day(forced=forced)
    seen = len(server.requests)
    remembered = Remembered()
    for look in range(0, LOOKS, every):
        watch.now = BEGIN + look * BETWEEN
        wishes = [Wish(force=forced.get(look) == number) for number in (0, 1)]
        with patch.object(polling, "record_of", remembered):
            rounds = [
                polling.refresh(store, feeds, watch, wish)
                for store, wish in zip(programs, wishes, strict=True)
            ]
            if look % 2:  # who comes first changes, and often both come at once
                for one in reversed(rounds):
                    await one
            else:
                await asyncio.gather(*rounds)
        meanwhile(look)
        for request in server.requests[seen:]:
            day.rounds.setdefault(request.feed, {}).setdefault(look, []).append(request)
        seen = len(server.requests)
    return day


def table_of(day: Day) -> str:
    """Requests, rounds and budget of each feed, as lines of a Markdown table."""
    lines = ["| feed | floor | rounds | requests | budget a day |", "|---|---|---|---|---|"]
    for name in day.rounds:
        feed = FEEDS[name]
        hours = feed.floor / timedelta(hours=1)
        rounds = len(day.rounds[name])
        lines.append(f"| {name} | {hours:g} h | {rounds} | {day.requests(name)} | {feed.budget} |")
    return "\n".join(lines)
