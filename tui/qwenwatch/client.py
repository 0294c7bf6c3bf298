"""The screen's side of the process that answers its questions."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qwenwatch.answers import AnswersError, RefreshReport
from qwenwatch.ready import read_ready_market
from qwenwatch_widgets.views.codec import from_plain
from qwenwatch_widgets.views.market import FeedsView, MarketView, VendorView
from qwenwatch_widgets.views.query import MarketQuery

IDLE = 60.0
"""Seconds without a question after which the process is let go, and its memory with it."""

LONGEST_LINE = 64 * 1024 * 1024


class ProcessAnswers:
    """Asks `qwenwatch.backend`, started at the first question and again when it is gone."""

    def __init__(self, arguments: Sequence[str], cache_dir: Path, first: MarketQuery) -> None:
        """Remember how to start the process.

        Args:
            arguments: Command line of the backend.
            cache_dir: The cache, for the view kept ready there.
            first: The query the screen opens with.
        """
        self._arguments = arguments
        self._cache_dir = cache_dir
        self._first = first
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._starting = asyncio.Lock()
        self._retirement: asyncio.TimerHandle | None = None

    def ready_market(self) -> MarketView | None:
        """The view kept ready on disk for the first query."""
        return read_ready_market(self._cache_dir, self._first)

    async def market(self, query: MarketQuery) -> MarketView:
        """The Market screen's view."""
        return from_plain(MarketView, await self._ask("market", query=asdict(query)))

    async def vendor(self, vendor: str, query: MarketQuery) -> VendorView:
        """One vendor's view."""
        plain = await self._ask("vendor", vendor=vendor, query=asdict(query))
        return from_plain(VendorView, plain)

    async def feeds(self) -> FeedsView:
        """Health of the feeds."""
        return from_plain(FeedsView, await self._ask("feeds"))

    async def refresh(self, *, force: bool = False) -> RefreshReport:
        """Ask the feeds that are due; returns when everything is stored."""
        return from_plain(RefreshReport, await self._ask("refresh", force=force))

    async def close(self) -> None:
        """End the process; what it was writing it has written atomically."""
        if self._retirement:
            self._retirement.cancel()
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if self._reader:
            await self._reader

    async def _ask(self, ask: str, **arguments: Any) -> Any:
        process = await self._running()
        self._number += 1
        number = self._number
        future = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        line = json.dumps({"id": number, "ask": ask, **arguments}).encode() + b"\n"
        assert process.stdin is not None
        try:
            process.stdin.write(line)
            await process.stdin.drain()
            return await future
        except (BrokenPipeError, ConnectionResetError) as error:
            raise AnswersError("the process that reads the cache has ended; try again") from error
        finally:
            self._waiting.pop(number, None)
            self._retire_later()

    async def _running(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._retirement:
                self._retirement.cancel()
            if self._process is None or self._process.returncode is not None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "qwenwatch.backend",
                    *self._arguments,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    limit=LONGEST_LINE,
                )
                self._reader = asyncio.create_task(self._read(self._process))
            return self._process

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Hand every reply to who waits for it; at the end tell the rest that there is none."""
        assert process.stdout is not None and process.stderr is not None
        while line := await process.stdout.readline():
            reply = json.loads(line)
            future = self._waiting.get(reply["id"])
            if future is None or future.done():
                continue
            if "error" in reply:
                future.set_exception(AnswersError(reply["error"]))
            else:
                future.set_result(reply["view"])
        last_words = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
        reason = last_words[-1] if last_words else "no message"
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(
                    AnswersError(f"the process that reads the cache has ended ({reason})")
                )

    def _retire_later(self) -> None:
        if self._retirement:
            self._retirement.cancel()
        if not self._waiting:
            self._retirement = asyncio.get_running_loop().call_later(IDLE, self._retire)

    def _retire(self) -> None:
        if self._process and self._process.stdin and not self._waiting:
            self._process.stdin.close()
