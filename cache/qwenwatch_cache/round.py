"""All requests to one feed in one round, and what becomes of their answers."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
import msgspec
import polars as pl

from qwenwatch_cache.clock import Clock
from qwenwatch_cache.errors import FeedError, Implausible
from qwenwatch_cache.failures import Failures, plain
from qwenwatch_cache.feeds.feed import NOTES, Parsed, Request
from qwenwatch_cache.frames import FETCH, PRICE_TABLE
from qwenwatch_cache.http import ATTEMPTS, Answer, Refused, be_patient, get, without_secrets
from qwenwatch_cache.http_pages import get_pages
from qwenwatch_cache.market.doubts import jumps
from qwenwatch_cache.outcome import Outcome, State
from qwenwatch_cache.schedule import (
    STANDS,
    FeedSettings,
    Record,
    back_off,
    next_due,
    without_days,
)
from qwenwatch_cache.store import Store

PAUSE_SECONDS = 0.2
"""Between two requests to one host that is not this machine."""

FEW = 10
"""Entries of an answer up to which the loss of half is no sign of anything."""

Role = Literal["round", "backfill", "model"]


class Round(msgspec.Struct):
    """All requests of one feed in one round.

    Attributes:
        store: Where everything goes.
        settings: The feed.
        record: What the log knows of it.
        clock: Says what time it is.
        client: What to ask with.
        log: The log of requests before the round.
        progress: Told how many requests are made, and how many there are.
        role: What the round is for; only those of "round" make the schedule.
    """

    store: Store
    settings: FeedSettings
    record: Record
    clock: Clock
    client: httpx.AsyncClient
    log: pl.DataFrame
    progress: Callable[[str, int, int], None] = lambda feed, made, all_of_them: None
    role: Role = "round"
    _waiting: deque[Request] = msgspec.field(default_factory=deque)
    _rows: int = 0
    _rows_new: int = 0
    _refused: Counter[str] = msgspec.field(default_factory=Counter)
    _notes: tuple[str, ...] = ()
    _doubted: tuple[str, ...] = ()
    _made: int = 0
    _spent: int = 0
    _last_started: datetime | None = None
    _rest: timedelta = timedelta(0)
    _failures: Failures = msgspec.field(default_factory=Failures)

    async def run(self, requests: Sequence[Request]) -> Outcome:
        """Make the requests, and those that their answers lead to.

        A round that comes after a failed one leaves out what was answered well in that one.

        Raises:
            StoreError: The cache cannot be written.
        """
        feed = self.settings.feed
        # If there is nothing but that, it was another kind of round: all of this one is asked.
        new = [request for request in requests if not self._had(request)]
        waiting = self._waiting = deque(self._failed_ones_last(new or requests))
        while waiting and not self._failures.hopeless(self._made):
            self.progress(feed.name, self._made, self._made + len(waiting))
            if self._left < 1:
                break
            request = waiting.popleft()
            self._made += 1
            self._last_started = self.clock()
            try:
                await be_patient(self._rest)
                await self._ask(request, self._last_started)
            except FeedError as error:
                self._failures.add(request, self._last_started, error)
            else:
                self._failures.in_a_row = 0
            if waiting and not self.settings.is_local:
                await asyncio.sleep(PAUSE_SECONDS)
        self.progress(feed.name, self._made, self._made)
        if self._failures.all:
            return self._failed()
        state: State = "stored" if self._rows_new else "unchanged"
        left = f"{len(waiting)} requests are left: today's budget is used up" if waiting else ""
        return self._outcome(
            state, left, next_due(self.settings, self._last_started or self.clock())
        )

    def _failed_ones_last(self, requests: Sequence[Request]) -> Sequence[Request]:
        """Requests in another order: one address that keeps failing must not starve the others."""
        if len(requests) < 2:
            return requests
        own = self.log.filter(pl.col("feed") == self.settings.feed.name)
        last = own.unique("url", keep="last", maintain_order=True)
        failed = set(last.filter(pl.col("error").is_not_null()).get_column("url"))
        url = self.settings.url
        return sorted(requests, key=lambda one: without_secrets(url(one.path)) in failed)

    @property
    def _left(self) -> int:
        """Requests that today's budget still allows; what failed is logged at the end only."""
        spent = self.record.spent + self._spent + len(self._failures.all)
        return self.settings.feed.budget - spent

    def _had(self, request: Request) -> bool:
        """Whether the round that failed before this one got this answer.

        What may lead to further requests is asked again: those are what is still to be asked.
        """
        if not self.record.unfinished or not (request.conditional or request.paged):
            return False
        url = without_secrets(self.settings.url(request.path))
        lately = self.clock() - self.settings.every / 2
        return any(one.url == url and one.started > lately for one in self.record.done)

    async def _ask(self, request: Request, started: datetime) -> None:
        url = self.settings.url(request.path)
        answer = await self._answer(request, url)
        self._log_earlier(url, answer.earlier)
        # Of what is never asked with a condition nobody needs it, and it takes room for ever.
        etag = answer.validator if request.conditional and not request.paged else None
        if answer.status == 304:
            self._log(url, started, answer=answer, etag=etag)
            return
        refused: str | None = "part of a list that was refused"
        try:
            parsed = request.parse(answer.body, answer.fetched_at)
            new = self._store(url, parsed, answer)
            refused = None
        finally:
            for page in answer.pages:  # each was a request, whatever came of the list
                self._log(page, answer.fetched_at, status=answer.status, error=refused)
        self._waiting.extend(one for one in parsed.follow if not self._had(one))
        self._log(url, started, answer=answer, etag=etag, rows=_things(parsed), rows_new=new)
        self._rest = answer.rest

    async def _answer(self, request: Request, url: str) -> Answer:
        key = self.settings.key if self.settings.feed.key_env else ""
        headers = {"Authorization": f"Bearer {key}"} if key else None
        try:
            if request.paged:
                return await get_pages(
                    self.client, url, clock=self.clock, headers=headers, most=self._left
                )
            known = self.record.validators.get(without_secrets(url), "")
            return await get(
                self.client,
                url,
                clock=self.clock,
                headers=headers,
                validator=known if request.conditional else "",
                attempts=min(ATTEMPTS, self._left),
            )
        except Refused as error:
            self._log_earlier(url, error.earlier)
            for page in error.pages:
                self._log(page, self.clock(), error="part of a list that did not come whole")
            raise

    def _store(self, url: str, parsed: Parsed, answer: Answer) -> int:
        name = self.settings.feed.name
        since = self.record.insisting_since.get(without_days(without_secrets(url)))
        insists = since is not None and self.clock() - since >= STANDS
        before = self.record.rows.get(without_secrets(url), 0)
        try:
            if before > FEW and _things(parsed) * 2 < before and not insists:
                raise Implausible(
                    f"{name}: the answer holds {_things(parsed):,} entries, there were {before:,} "
                    "before; taken for a fault, not for news"
                )
            doubted: tuple[str, ...] = ()
            if (prices := parsed.frames.get("price")) is not None:
                doubted = jumps(self.store.cached(PRICE_TABLE, feeds={name}), prices)
            new = self.store.append(
                parsed.frames,
                answer.fetched_at,
                unread=parsed.unread,
                whole=parsed.whole,
                believe=insists,
            )
        except Implausible as error:
            error.rows = _things(parsed)
            raise
        finally:
            self.store.keep_body(name, answer.body, answer.sha256, answer.fetched_at)
        self._rows += parsed.rows
        self._rows_new += new
        self._doubted += doubted
        self._notes = (*self._notes, *parsed.notes)[:NOTES]
        self._refused.update({rule: count for rule, count in parsed.refused.items() if count})
        return new

    def _failed(self) -> Outcome:
        """Log what failed last of all, so that the log says how the round ended."""
        failures = self._failures
        due = failures.due(back_off(self.log, self.settings, failures.last.started))
        message = failures.message(self.settings.feed.name, self._made)
        for failure in failures.all:
            error = failure.error
            self._log(
                self.settings.url(failure.request.path),
                failure.started,
                status=error.status if isinstance(error, Refused) else None,
                rows=error.rows if isinstance(error, Implausible) else None,
                error=message if failure is failures.last else self._plain(error),
                retry_at=due,
            )
        return self._outcome("failed", message, due)

    def _outcome(self, state: State, message: str, due: datetime) -> Outcome:
        return Outcome(
            self.settings.feed.name,
            state,
            self._rows,
            self._rows_new,
            message,
            due,
            dict(self._refused),
            self._notes,
            self._doubted,
        )

    def _role(self) -> str:
        if self.role != "round":
            return self.role
        return "part" if self._waiting else "last"

    def _plain(self, error: FeedError) -> str:
        return plain(error, self.settings.feed.name)

    def _log_earlier(self, url: str, failed: Sequence[Refused]) -> None:
        for error in failed:
            if error.started is not None:
                self._log(url, error.started, status=error.status, error=self._plain(error))

    def _log(
        self,
        url: str,
        started: datetime,
        *,
        answer: Answer | None = None,
        etag: str | None = None,
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
            "etag": etag,
            "rows": rows,
            "rows_new": rows_new,
            "retry_at": retry_at,
            "error": error,
            "role": self._role(),
        }
        self._spent += 1
        self.store.log(pl.DataFrame([row], schema=FETCH), self.clock())


def _things(parsed: Parsed) -> int:
    return parsed.rows if parsed.things is None else parsed.things
