"""The process behind the screen: it holds Polars and the network, the screen holds neither.

One JSON object per line goes in (``{"id": 1, "ask": "market", "query": {…}}``), one comes out for
each (``{"id": 1, "view": {…}}`` or ``{"id": 1, "error": "…"}``), and before that, for a round over
the feeds, one for each feed (``{"id": 1, "part": {…}}``). It ends when its input does.
"""

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from qwenwatch.answers import FeedReport, RefreshReport
from qwenwatch.config import load_config
from qwenwatch.narration import outcome_line
from qwenwatch.pages import answer_tables
from qwenwatch.preparing import answer_market, prepare
from qwenwatch.remembering import remember_draft
from qwenwatch.session import Session
from qwenwatch_cache.clock import system_clock
from qwenwatch_cache.errors import QwenwatchError, StoreError
from qwenwatch_cache.feeds.openrouter_endpoints import FEED
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.market.hosts import hosts_of, openrouter_ids
from qwenwatch_cache.outcome import NEWS
from qwenwatch_widgets.views.build import vendor_view
from qwenwatch_widgets.views.codec import View, from_plain, to_plain
from qwenwatch_widgets.views.feeds import feeds_view
from qwenwatch_widgets.views.hosts import hosts_view
from qwenwatch_widgets.views.query import MarketQuery, TablesQuery

if TYPE_CHECKING:
    from qwenwatch_cache.outcome import Outcome

LONGEST_REST = 3600.0
"""Seconds after which the screen asks again what is due, whatever the schedule says."""


GAP = timedelta(minutes=1)
"""However often a person presses the key, a feed is not asked sooner than this."""


CALM = 2.0
"""Seconds after a round in which the screen shows what came of it; then answers are kept ready."""


class Said(View, frozen=True):
    """An answer that is one line of text."""

    said: str


class Backend:
    """Answers the screen's questions, one session for all of them."""

    def __init__(self, session: Session, tell: Callable[[dict[str, Any]], None]) -> None:
        """Answer from a session.

        Args:
            session: The cache, the clock and the feeds.
            tell: Writes a line that is part of an answer still to come.
        """
        self._session = session
        self._tell = tell
        self._opening: MarketQuery | None = None
        self._asks: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "market": self._market,
            "vendor": self._vendor,
            "hosts": self._hosts,
            "tables": self._tables,
            "remember": self._remember,
            "feeds": self._feeds,
            "refresh": self._refresh,
        }

    async def answer(self, line: bytes) -> str:
        """Answer one line with one line."""
        request = json.loads(line)
        reply: dict[str, Any] = {"id": request["id"]}
        try:
            reply["view"] = to_plain(await self._asks[request["ask"]](request))
        except QwenwatchError as error:
            reply["error"] = str(error)
        except Exception as error:  # a fault of ours must reach the screen as a line, not end it
            reply["error"] = f"internal fault ({type(error).__name__}: {error}); please report it"
        return _line(reply)

    async def _market(self, request: dict[str, Any]) -> Any:
        query = _query(request)
        if self._opening is None:
            self._opening = query
        return answer_market(self._session, query, opening=query == self._opening)

    async def _vendor(self, request: dict[str, Any]) -> Any:
        session = self._session
        known, query, scene = session.known(), _query(request), session.scene()
        view = vendor_view(known, request["vendor"], query, scene)
        if tuple(session.store.notices) != tuple(scene.notices):  # damage met on the way
            view = vendor_view(known, request["vendor"], query, session.scene())
        return view

    async def _hosts(self, request: dict[str, Any]) -> Any:
        session, model, note = self._session, request["model"], ""
        if request["feed"] and not session.offline:
            source_id = openrouter_ids(load_identity(), model)[0]
            try:
                note = outcome_line(await session.ask_about(source_id), session.clock())
            except StoreError as error:  # where nothing can be stored, what is known can be shown
                note = str(error)
        view = hosts_view(
            hosts_of(session.known(), session.store, model),
            session.clock(),
            licence=FEED.licence,
            citation=FEED.citation,
            offline=session.offline,
        )
        return replace(view, note=note)

    async def _tables(self, request: dict[str, Any]) -> Any:
        return answer_tables(self._session, from_plain(TablesQuery, request["query"]))

    async def _remember(self, request: dict[str, Any]) -> Any:
        return Said(remember_draft(self._session, request["claim"]))

    async def _feeds(self, request: dict[str, Any]) -> Any:
        session = self._session
        states, now = session.health(), session.clock()
        return feeds_view(states, now, [*session.remarks(), *session.store.notices])

    async def _refresh(self, request: dict[str, Any]) -> Any:
        session = self._session
        if session.offline:
            why = session.remarks() or ("offline: no feed is asked",)
            return RefreshReport(False, LONGEST_REST, tuple(why))

        def report(outcome: "Outcome") -> None:
            part = FeedReport(outcome.state in NEWS, outcome_line(outcome, session.clock()))
            self._tell({"id": request["id"], "part": to_plain(part)})

        outcomes = await session.refresh(force=request.get("force", False), gap=GAP, report=report)
        if any(one.state in NEWS for one in outcomes):
            asyncio.get_running_loop().call_later(CALM, prepare, session)
        now = session.clock()
        waits = [(one.due - now).total_seconds() for one in outcomes if one.due is not None]
        return RefreshReport(
            changed=any(one.state in NEWS for one in outcomes),
            next_due_seconds=max(1.0, min([*waits, LONGEST_REST])),
            lines=tuple(outcome_line(one, now) for one in outcomes if one.state in NEWS),
        )


def _query(request: dict[str, Any]) -> MarketQuery:
    return from_plain(MarketQuery, request["query"])


def _line(reply: dict[str, Any]) -> str:
    return json.dumps(reply, ensure_ascii=False, separators=(",", ":"))


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.buffer.flush()


async def serve(backend: Backend) -> None:
    """Answer lines from standard input until it ends; slow answers do not hold up quick ones."""
    running: set[asyncio.Task[None]] = set()

    async def handle(line: bytes) -> None:
        _write(await backend.answer(line))

    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        task = asyncio.create_task(handle(line))
        running.add(task)
        task.add_done_callback(running.discard)


def main() -> None:
    """Run the process; its arguments come from `qwenwatch.client`."""
    parser = argparse.ArgumentParser(prog="qwenwatch-backend")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--cache-dir")
    parser.add_argument("--offline", action="store_true")
    arguments = parser.parse_args()
    try:
        config = load_config(arguments.config, arguments.cache_dir)
        session = Session.open(config, system_clock(), offline=arguments.offline)
    except (QwenwatchError, ValueError) as error:
        sys.exit(str(error))
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(serve(Backend(session, lambda part: _write(_line(part)))))


if __name__ == "__main__":
    main()
