"""One polite round: ask the feeds that are due, keep what they say, log every request."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import httpx
import polars as pl

from qwenwatch_cache.clock import Clock
from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import Request
from qwenwatch_cache.frames import FETCH, FETCH_TABLE
from qwenwatch_cache.http import Answer, Refused, get, open_client
from qwenwatch_cache.schedule import FeedSettings, Record, back_off, record_of
from qwenwatch_cache.store import Store


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one feed in a round.

    Attributes:
        feed: Its name.
        state: "stored" (asked and read), "unchanged" (asked, same as before), "not due", "off",
            "no key" or "failed".
        rows: Entries that the answers held.
        rows_new: Rows that were stored.
        message: What happened, for people; the error if it failed.
        due: When it may be asked again.
        refused: Entries that were not kept, by rule.
    """

    feed: str
    state: Literal["stored", "unchanged", "not due", "off", "no key", "failed"]
    rows: int = 0
    rows_new: int = 0
    message: str = ""
    due: datetime | None = None
    refused: dict[str, int] = field(default_factory=dict)


async def refresh(
    store: Store,
    feeds: Sequence[FeedSettings],
    clock: Clock,
    *,
    force: bool = False,
    gap: timedelta = timedelta(0),
    body_days: int = 14,
    report: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Ask every feed that is due, one request at a time per host.

    Args:
        store: Where everything goes.
        feeds: What the configuration says of each feed.
        clock: Says what time it is.
        force: Ask also what is not due, but nobody who said how long to wait.
        gap: With `force`, leave out what was asked less than this ago.
        body_days: How long response bodies are kept.
        report: Called with each outcome as soon as it is known.

    Returns:
        One outcome per feed, in the order of `feeds`. A feed that fails does not hinder the others.

    Raises:
        StoreError: The cache cannot be written; nothing that was stored is lost.
    """
    store.drop_old_bodies(clock(), body_days)
    store.repair(clock())
    last_damage = store.last_damage()
    log = store.cached(FETCH_TABLE)
    outcomes: dict[str, Outcome] = {}
    hosts: dict[str, list[tuple[FeedSettings, Record]]] = defaultdict(list)

    def settle(outcome: Outcome) -> None:
        outcomes[outcome.feed] = outcome
        report(outcome)

    for settings in feeds:
        record = record_of(log, settings, last_damage)
        now = clock()
        hurry = force and not (gap and record.last_asked and now - record.last_asked < gap)
        idle = _reason_to_rest(settings, record, now, hurry)
        if idle is not None:
            settle(idle)
        else:
            hosts[urlsplit(settings.url("")).netloc].append((settings, record))

    async def ask(host: Sequence[tuple[FeedSettings, Record]]) -> None:
        for settings, record in host:
            round_ = _Round(store, settings, record, clock, client, log)
            settle(await round_.run())

    if hosts:
        async with open_client() as client:
            asked = [ask(host) for host in hosts.values()]
            for result in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result  # the cache refused, or a fault of ours: not a feed's failure
    return [outcomes[settings.feed.name] for settings in feeds]


def _reason_to_rest(
    settings: FeedSettings, record: Record, now: datetime, force: bool
) -> Outcome | None:
    name = settings.feed.name
    if not settings.enabled:
        return Outcome(name, "off", message="switched off in the configuration")
    if settings.key_missing:
        needed = settings.feed.key_env
        return Outcome(name, "no key", message=f"set {needed} to get it; any key will do")
    if record.told_to_wait is not None and now < record.told_to_wait:
        return Outcome(name, "not due", message=record.last_error, due=record.told_to_wait)
    if not force and record.due is not None and now < record.due:
        return Outcome(name, "not due", message=record.last_error, due=record.due)
    return None


@dataclass(slots=True)
class _Round:
    """All requests of one feed in one round."""

    store: Store
    settings: FeedSettings
    record: Record
    clock: Clock
    client: httpx.AsyncClient
    log: pl.DataFrame
    rows: int = 0
    rows_new: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    changed: bool = False

    async def run(self) -> Outcome:
        name = self.settings.feed.name
        for request in self.settings.feed.plan(self.clock(), self.record.done):
            started = self.clock()
            try:
                await self._ask(request, started)
            except FeedError as error:
                message, due = self._log_failure(request, started, error)
                return Outcome(name, "failed", self.rows, self.rows_new, message, due, self.refused)
        state: Literal["stored", "unchanged"] = "stored" if self.changed else "unchanged"
        due = self.clock() + self.settings.every
        return Outcome(name, state, self.rows, self.rows_new, "", due, self.refused)

    async def _ask(self, request: Request, started: datetime) -> None:
        url = self.settings.url(request.path)
        key = self.settings.key if self.settings.feed.key_env else ""
        answer = await get(
            self.client,
            url,
            clock=self.clock,
            headers={"Authorization": f"Bearer {key}"} if key else None,
            etag=self.record.etags.get(without_secrets(url), ""),
        )
        new = 0
        rows = None
        if answer.status != 304:
            rows, new = self._store(request, answer)
        self._log(url, started, answer=answer, rows=rows, rows_new=new)

    def _store(self, request: Request, answer: Answer) -> tuple[int, int]:
        name = self.settings.feed.name
        parsed = request.parse(answer.body, answer.fetched_at)
        self.store.keep_body(name, answer.body, answer.sha256, answer.fetched_at)
        new = self.store.append(parsed.frames, answer.fetched_at, unread=parsed.unread)
        self.rows += parsed.rows
        self.rows_new += new
        self.changed = self.changed or new > 0
        for rule, count in parsed.refused.items():
            if count:
                self.refused[rule] = self.refused.get(rule, 0) + count
        return parsed.rows, new

    def _log_failure(
        self, request: Request, started: datetime, error: FeedError
    ) -> tuple[str, datetime]:
        due = back_off(self.log, self.settings, started)
        status = None
        if isinstance(error, Refused):
            status = error.status
            if error.retry_after is not None:
                due = max(due, started + error.retry_after)
        name = self.settings.feed.name
        message = str(error).removeprefix(f"{name}: ")
        url = self.settings.url(request.path)
        self._log(url, started, status=status, error=message, retry_at=due)
        return message, due

    def _log(
        self,
        url: str,
        started: datetime,
        *,
        answer: Answer | None = None,
        rows: int | None = None,
        rows_new: int = 0,
        status: int | None = None,
        error: str | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        row: dict[str, Any] = {
            "feed": self.settings.feed.name,
            "url": without_secrets(url),
            "started": started,
            "status": answer.status if answer else status,
            "bytes": len(answer.body) if answer else None,
            "sha256": answer.sha256 if answer else None,
            "etag": answer.etag if answer else None,
            "rows": rows,
            "rows_new": rows_new,
            "retry_at": retry_at,
            "error": error,
        }
        self.store.log(pl.DataFrame([row], schema=FETCH), self.clock())


def without_secrets(url: str) -> str:
    """An address without user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
