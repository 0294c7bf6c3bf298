"""The HTTP server itself."""

import socket
import sys
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.feedserver.answers import Answer, error
from tests.feedserver.bodies import Bodies, Clock
from tests.feedserver.faults import FAULTS, REDIRECTED, Asked, Fault, FaultPlan, Rule
from tests.feedserver.routes import Route, route_of
from tests.feedserver.wire import Wire


@dataclass(frozen=True)
class Request:
    """One request that came in.

    Attributes:
        feed: Name of the feed, or an empty string if the path belongs to none.
        method: The HTTP method.
        path: As asked for, without the query.
        query: The last value of every parameter.
        headers: With lower-case names.
        time: By the clock of the server.
    """

    feed: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    time: datetime


class FeedServer:
    """Plays all feeds on one loopback address; use it as a context manager.

    Args:
        bodies: Where the data comes from.
        now: The time the server believes it is, as an aware datetime.
        port: 0 takes any free one.
        bad_keys: API keys to refuse; any other non-empty key is good.
        verbose: Whether to write a line per request to standard error.
    """

    def __init__(
        self,
        bodies: Bodies,
        *,
        now: Clock,
        port: int = 0,
        bad_keys: Collection[str] = (),
        verbose: bool = False,
    ) -> None:
        self.bodies = bodies
        self.now = now
        self.bad_keys = frozenset(bad_keys)
        self.verbose = verbose
        self.plan = FaultPlan()
        self.stopping = threading.Event()
        self._log: list[Request] = []
        self._server = _Server(self, port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="feedserver", daemon=True
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """The base address of all feeds."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """All requests so far, oldest first."""
        return list(self._log)

    def fault(
        self,
        feed: str,
        name: str,
        *,
        first: int = 1,
        last: int | None = None,
        retry_after: int | str | None = None,
    ) -> None:
        """Let the `first` to `last` request of a feed from now on go wrong; no `last`: all.

        Raises:
            ValueError: If there is no such feed or fault, or they do not fit.
        """
        wait = None if retry_after is None else str(retry_after)
        self.plan.add(Rule(feed, name, first, last, wait))

    def clear_faults(self) -> None:
        """Let everything go well again."""
        self.plan.clear()

    def begin_anew(self) -> None:
        """Forget all faults, and that anybody asked."""
        self.clear_faults()
        self._log.clear()

    def record(self, request: Request) -> None:
        """Note a request; for the handlers."""
        self._log.append(request)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.drop_connections()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Fifty clients may knock at once in a load test; the default backlog is five.
    request_queue_size = 128

    def __init__(self, owner: FeedServer, port: int) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """Wake the handlers that wait for the next request of a kept connection."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients that run away are part of the tests; anything else is a bug of this server.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "feedserver"
    sys_version = ""
    # Head and body go out as two segments; waiting to join them costs 40 ms per request.
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        owner = self.server.owner
        parts = urlsplit(self.path)
        path = parts.path.removeprefix(REDIRECTED)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        route = route_of(path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        feed = route.feed if route else ""
        owner.record(Request(feed, "GET", parts.path, query, headers, owner.now()))

        wire = Wire(self, owner.stopping)
        if route is None:
            wire.send(error(404, "Not Found"))
            return
        # The request that follows a redirect is the second half of one that was counted.
        rule = owner.plan.next(feed) if path == parts.path else None
        fault = FAULTS[rule.name] if rule else Fault()
        if rule and fault.instead:
            asked = Asked(self.path, owner.port, rule.retry_after)
            wire.send(fault.instead(asked))
            return
        answer = self._answer(route, query)
        if fault.body and answer.status == 200:
            answer = _mutated(feed, fault, answer)
        (fault.send or Wire.send)(wire, answer)

    def _answer(self, route: Route, query: Mapping[str, str]) -> Answer:
        owner = self.server.owner
        if route.needs_key:
            scheme, _, key = self.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not key.strip():
                return error(401, "Missing Authentication header")
            if key.strip() in owner.bad_keys:
                return error(401, "User not found.")
        return route.endpoint(owner.bodies, query, owner.now())

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.server.owner.now().astimezone(UTC), usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:
        if self.server.owner.verbose:
            sys.stderr.write(f"{format % args}\n")


def _mutated(feed: str, fault: Fault, answer: Answer) -> Answer:
    assert fault.body is not None
    # A silent pass of what the fault does not understand would fool a test.
    if fault.types and answer.content_type not in fault.types:
        return error(501, f"feedserver: this fault is not played on {answer.content_type}")
    return replace(answer, body=fault.body(feed, answer.body))
