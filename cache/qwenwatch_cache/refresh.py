"""One polite round: ask the feeds that are due, keep what they say, log every request."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

import msgspec
import polars as pl
from msgspec.structs import replace

from qwenwatch_cache.clock import Clock
from qwenwatch_cache.feeds.feed import Request
from qwenwatch_cache.frames import FETCH_TABLE
from qwenwatch_cache.http import open_client, without_secrets
from qwenwatch_cache.log_ends import midnight_after
from qwenwatch_cache.outcome import Outcome
from qwenwatch_cache.round import Role, Round
from qwenwatch_cache.schedule import FeedSettings, Record, record_of
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.turns import turn

BUSY = timedelta(minutes=1)
"""When to look again whether another program has done with a host."""

ONCE = timedelta(days=30)
"""How long a request of a backfill counts as made."""

REMEMBERED = timedelta(days=400)
"""Requests that were made before say nothing of what is to be asked now."""

Progress = Callable[[str, int, int], None]
"""Told of a feed how many of its requests are made, and how many there are."""


class Wish(msgspec.Struct, frozen=True):
    """How a round is wanted.

    Attributes:
        force: Ask also what is not due, but nobody who said how long to wait.
        gap: With `force`, leave out what was asked less than this ago.
        backfill: Ask for the whole reachable past, as far as it is not there yet.
        days: Ask for the days of this span alone, first and last included, of feeds that give any.
        body_days: How long response bodies are kept.
    """

    force: bool = False
    gap: timedelta = timedelta(0)
    backfill: bool = False
    days: tuple[date, date] | None = None
    body_days: int = 14

    @property
    def of_the_past(self) -> bool:
        """Whether it leaves the schedule alone: what it brings says nothing of the present."""
        return self.backfill or self.days is not None


AS_DUE = Wish()


async def refresh(
    store: Store,
    feeds: Sequence[FeedSettings],
    clock: Clock,
    wish: Wish = AS_DUE,
    *,
    report: Callable[[Outcome], None] = lambda outcome: None,
    progress: Progress = lambda feed, made, all_of_them: None,
) -> list[Outcome]:
    """Ask every feed that is due, one request at a time per host.

    Args:
        store: Where everything goes.
        feeds: What the configuration says of each feed.
        clock: Says what time it is.
        wish: How the round is wanted.
        report: Called with each outcome as soon as it is known.
        progress: Called before and after each request.

    Returns:
        One outcome per feed, in the order of `feeds`. A feed that fails does not hinder the others.

    Raises:
        StoreError: The cache cannot be written; nothing that was stored is lost.
    """
    store.drop_old_bodies(clock(), wish.body_days)
    store.repair(clock())
    schedule = _Schedule(store, clock, wish)
    outcomes: dict[str, Outcome] = {}
    hosts: dict[str, list[FeedSettings]] = defaultdict(list)

    def settle(outcome: Outcome) -> None:
        outcomes[outcome.feed] = outcome
        report(outcome)

    for settings in feeds:
        idle, *_ = schedule.look(settings)
        if idle is not None:
            settle(idle)
        else:
            hosts[_host(settings)].append(settings)

    async def ask(host: str, due: Sequence[FeedSettings]) -> None:
        async with turn(store.root, host) as ours:
            for settings in due:
                if not ours:
                    settle(_busy(settings, clock()))
                    continue
                # Another program may have asked while we waited for our turn.
                idle, record, log = schedule.look(settings)
                if idle is not None:
                    settle(idle)
                    continue
                requests = _requests(settings, record, clock(), wish)
                if not requests:
                    settle(_nothing_left(settings, record))
                    continue
                role: Role = "backfill" if wish.of_the_past else "round"
                round_ = Round(store, settings, record, clock, client, log, progress, role)
                settle(await round_.run(requests))

    if hosts:
        async with open_client() as client:
            asked = [ask(host, due) for host, due in hosts.items()]
            for result in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result  # the cache refused, or a fault of ours: not a feed's failure
    return [outcomes[settings.feed.name] for settings in feeds]


async def ask_about(
    store: Store, settings: FeedSettings, model: str, clock: Clock, *, body_days: int = 14
) -> Outcome:
    """Ask a feed that answers about one model, unless it did so lately.

    Args:
        store: Where everything goes.
        settings: The feed; one with `on_demand`.
        model: The feed's own id of the model.
        clock: Says what time it is.
        body_days: How long response bodies are kept.

    Raises:
        StoreError: The cache cannot be written.
        ValueError: The feed does not answer about single models.
    """
    if settings.feed.on_demand is None:
        raise ValueError(f"{settings.feed.name} does not answer about single models")
    request = settings.feed.on_demand(model)
    store.drop_old_bodies(clock(), body_days)
    async with turn(store.root, _host(settings)) as ours, open_client() as client:
        if not ours:
            return _busy(settings, clock())
        log = _log_of(store, settings, clock())
        url = without_secrets(settings.url(request.path))
        of_feed = record_of(log, settings, clock())
        # When it is due, and how long after failures, counts by model; the budget and the server's
        # wishes are the feed's.
        of_model = log.filter(pl.col("url") == url)
        record = replace(
            record_of(of_model, settings, clock()),
            spent=of_feed.spent,
            told_to_wait=of_feed.told_to_wait,
        )
        idle = _reason_to_rest(settings, record, clock(), on_demand=True)
        if idle is not None:
            return idle
        return await Round(store, settings, record, clock, client, of_model, role="model").run(
            [request]
        )


class _Schedule:
    """What the log says of each feed, read whenever one is looked at."""

    def __init__(self, store: Store, clock: Clock, wish: Wish) -> None:
        self._store = store
        self._clock = clock
        self._wish = wish
        self._asked: dict[str, datetime | None] = {}

    def look(self, settings: FeedSettings) -> tuple[Outcome | None, Record, pl.DataFrame]:
        """Why a feed is not asked now, None if it is; what is known of it; and its log."""
        now = self._clock()
        log = _log_of(self._store, settings, now)
        lost, merged = self._store.last_damage(settings.feed.name), self._store.manifest().merged
        record = record_of(log, settings, now, lost, merged)
        hurry = self._hurry(settings.feed.name, record, now)
        return _reason_to_rest(settings, record, now, hurry=hurry), record, log

    def _hurry(self, name: str, record: Record, now: datetime) -> bool:
        """Whether it is asked also when not due: not if another program did so meanwhile."""
        if not (self._wish.force or self._wish.of_the_past):
            return False
        asked, gap = record.last_asked, self._wish.gap
        meanwhile = self._asked.setdefault(name, asked) != asked
        return not meanwhile and not (gap and asked and now - asked < gap)


def _log_of(store: Store, settings: FeedSettings, now: datetime) -> pl.DataFrame:
    """The log of a feed and of those it waits with."""
    feeds = {settings.feed.name, *settings.feed.kin}
    return store.cached(FETCH_TABLE, feeds=feeds, since=now - REMEMBERED)


def _reason_to_rest(
    settings: FeedSettings,
    record: Record,
    now: datetime,
    *,
    hurry: bool = False,
    on_demand: bool = False,
) -> Outcome | None:
    name, feed = settings.feed.name, settings.feed
    if not settings.enabled:
        return Outcome(name, "off", message="switched off in the configuration")
    if feed.on_demand is not None and not on_demand:
        return Outcome(name, "on demand", message="asked about the model on screen only")
    if settings.key_missing:
        wanted = f"set {feed.key_env} to get it; any {feed.publisher} API key will do"
        return Outcome(name, "no key", message=settings.key_withheld or wanted)
    if record.told_to_wait is not None and now < record.told_to_wait:
        return Outcome(name, "not due", message=record.last_error, due=record.told_to_wait)
    if record.spent >= feed.budget:
        message = f"today's {feed.budget} requests are used up"
        return Outcome(name, "not due", message=message, due=midnight_after(now))
    if not hurry and record.due is not None and now < record.due:
        return Outcome(name, "not due", message=record.last_error, due=record.due)
    return None


def _requests(
    settings: FeedSettings, record: Record, now: datetime, wish: Wish
) -> Sequence[Request]:
    """What to ask a feed now."""
    feed = settings.feed
    if wish.days is not None:
        return feed.days(*wish.days) if feed.days else ()
    if not wish.backfill:
        return feed.plan(now, record.done)
    if feed.backfill is None:
        return ()
    made = {one.url for one in record.done if now - one.started < ONCE}
    return [
        request
        for request in feed.backfill(now)
        if without_secrets(settings.url(request.path)) not in made
    ]


def _nothing_left(settings: FeedSettings, record: Record) -> Outcome:
    past = "its whole past is there" if settings.feed.backfill else "it has no past to ask for"
    return Outcome(settings.feed.name, "unchanged", message=past, due=record.due)


def _busy(settings: FeedSettings, now: datetime) -> Outcome:
    message = "another qwenwatch is asking this host at the moment"
    return Outcome(settings.feed.name, "not due", message=message, due=now + BUSY)


def _host(settings: FeedSettings) -> str:
    return urlsplit(settings.url("")).netloc.rpartition("@")[2]
