"""The screen's side of the process that answers its questions."""

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qwenwatch.answers import AnswersError, FeedReport, RefreshReport
from qwenwatch.ready import read_ready_market
from qwenwatch_widgets.views.claim_draft import Draft
from qwenwatch_widgets.views.codec import from_plain, to_plain
from qwenwatch_widgets.views.feeds import FeedsView
from qwenwatch_widgets.views.market import HostsView, MarketView, VendorView
from qwenwatch_widgets.views.query import MarketQuery, TablesQuery
from qwenwatch_widgets.views.tables import TablesView

IDLE = 60.0
"""Seconds without a question after which the process is let go, and its memory with it."""

PATIENCE = 30.0
"""Seconds for an answer; a process that takes longer hangs and is replaced."""

ROUND_PATIENCE = 900.0
"""Seconds for a round over all feeds, each of which has deadlines of its own."""


class ProcessAnswers:
    """Asks `qwenwatch.backend`, started beforehand or at the first question, and again when gone.

    Pipes are served by a thread, so that the process can be started before there is an event loop:
    it loads Polars while the screen loads Textual.
    """

    def __init__(self, arguments: Sequence[str], cache_dir: Path | str, first: MarketQuery) -> None:
        """Remember how to start the process.

        Args:
            arguments: Command line of the backend.
            cache_dir: The cache, for the view kept ready there.
            first: The query the screen opens with.
        """
        self._arguments = arguments
        self._cache_dir = cache_dir
        self._first = first
        self._ready: MarketView | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[int, tuple[subprocess.Popen[bytes], asyncio.Future[Any]]] = {}
        self._told: Callable[[FeedReport], None] = lambda report: None
        self._number = 0
        self._retirement: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the process if there is none."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "qwenwatch.backend", *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
            self._reader.start()

    def ready_market(self) -> MarketView | None:
        """The view kept ready on disk for the first query."""
        if self._ready is None:
            self._ready = read_ready_market(self._cache_dir, self._first)
        return self._ready

    async def market(self, query: MarketQuery) -> MarketView:
        """The Market screen's view."""
        return from_plain(MarketView, await self._ask("market", query=to_plain(query)))

    async def vendor(self, vendor: str, query: MarketQuery) -> VendorView:
        """One vendor's view."""
        plain = await self._ask("vendor", vendor=vendor, query=to_plain(query))
        return from_plain(VendorView, plain)

    async def hosts(self, model: str, *, ask: bool) -> HostsView:
        """Who serves a model; with `ask` the feed is asked first."""
        patience = ROUND_PATIENCE if ask else PATIENCE
        return from_plain(HostsView, await self._ask("hosts", patience, model=model, feed=ask))

    async def tables(self, query: TablesQuery) -> TablesView:
        """The answer to one question."""
        return from_plain(TablesView, await self._ask("tables", query=to_plain(query)))

    async def remember(self, claim: Draft) -> str:
        """Remember what a figure on the screen claims."""
        return str((await self._ask("remember", claim=dict(claim)))["said"])

    async def feeds(self) -> FeedsView:
        """Health of the feeds."""
        return from_plain(FeedsView, await self._ask("feeds"))

    async def refresh(
        self, *, force: bool = False, told: Callable[[FeedReport], None] = lambda report: None
    ) -> RefreshReport:
        """Ask the feeds that are due; returns when everything is stored."""
        self._told = told
        plain = await self._ask("refresh", ROUND_PATIENCE, force=force)
        return from_plain(RefreshReport, plain)

    async def close(self) -> None:
        """End the process; what it was writing it has written atomically, or not at all."""
        if self._retirement:
            self._retirement.cancel()
        self._loop = None
        process, self._process = self._process, None
        if process is not None and self._reader is not None:
            process.kill()
            self._reader.join()

    async def _ask(self, ask: str, patience: float = PATIENCE, **arguments: Any) -> Any:
        self._loop = asyncio.get_running_loop()
        if self._retirement:
            self._retirement.cancel()
        self.start()
        process = self._process
        assert process is not None and process.stdin is not None
        self._number += 1
        number, future = self._number, self._loop.create_future()
        self._waiting[number] = (process, future)
        line = json.dumps({"id": number, "ask": ask, **arguments}).encode() + b"\n"
        try:
            # A question is far smaller than the pipe, so writing it does not block.
            process.stdin.write(line)
            process.stdin.flush()
            return await asyncio.wait_for(future, patience)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise AnswersError("the process that reads the cache has ended; try again") from error
        except TimeoutError as error:
            process.kill()
            if self._process is process:
                self._process = None
            raise AnswersError(
                f"no answer within {patience:.0f} s; the process that reads the cache was replaced"
            ) from error
        finally:
            self._waiting.pop(number, None)
            self._retire_later()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        """Hand every reply over to the event loop; runs in a thread of its own."""
        assert process.stdout is not None and process.stderr is not None
        with contextlib.suppress(BrokenPipeError), process:  # which closes its pipes at the end
            for line in process.stdout:
                self._hand_over(self._settle, line)
            last_words = process.stderr.read().decode(errors="replace").strip().splitlines()
        self._hand_over(self._lost, process, last_words[-1] if last_words else "no message")

    def _hand_over(self, receive: Callable[..., None], *what: Any) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(receive, *what)

    def _settle(self, line: bytes) -> None:
        reply = json.loads(line)
        _, future = self._waiting.get(reply["id"], (None, None))
        if future is None or future.done():
            return
        if "part" in reply:
            self._told(from_plain(FeedReport, reply["part"]))
        elif "error" in reply:
            future.set_exception(AnswersError(reply["error"]))
        else:
            future.set_result(reply["view"])

    def _lost(self, process: subprocess.Popen[bytes], reason: str) -> None:
        for asked, future in self._waiting.values():
            if asked is process and not future.done():
                future.set_exception(
                    AnswersError(f"the process that reads the cache has ended ({reason})")
                )

    def _retire_later(self) -> None:
        if self._loop is not None and not self._waiting:
            self._retirement = self._loop.call_later(IDLE, self._retire)

    def _retire(self) -> None:
        """Let the process end by itself; the next question starts another."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
