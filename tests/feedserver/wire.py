"""How an answer goes over the wire: well, or with a fault."""

import gzip
import hashlib
import socket
import struct
import threading
import zlib
from collections.abc import Mapping
from functools import lru_cache
from http.server import BaseHTTPRequestHandler

from tests.feedserver.answers import Answer

HUGE_BYTES = 50 * 1024 * 1024
BOMB_BYTES = 256 * 1024 * 1024
DRIP_SECONDS = 0.05

_CHUNK = b" " * (1024 * 1024)


class Wire:
    """One request's connection, and the ways to answer on it.

    Args:
        handler: The handler of the request.
        stopping: Set when the server goes down; whoever waits, waits on this.
    """

    def __init__(self, handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        self._handler = handler
        self._stopping = stopping

    def send(self, answer: Answer) -> None:
        """Send it well: compressed if wanted, and 304 if the client has it already."""
        headers = self._headers(answer)
        known = self._handler.headers.get("If-None-Match", "")
        if answer.status == 200 and _matches(known, headers["ETag"]):
            self._head(304, {"ETag": headers["ETag"]})
            return
        body, encoding = self._encoded(answer)
        self._head(answer.status, {**headers, **encoding, "Content-Length": str(len(body))})
        self._write(body)

    def short_body(self, answer: Answer) -> None:
        """Promise the whole body, send half of it and close."""
        body, encoding = self._encoded(answer)
        self._closing()
        length = {"Content-Length": str(len(body))}
        self._head(answer.status, {**self._headers(answer), **encoding, **length})
        self._write(body[: len(body) // 2])

    def slow_drip(self, answer: Answer) -> None:
        """One byte at a time: no single read times out."""
        length = {"Content-Length": str(len(answer.body))}
        self._head(answer.status, {**self._headers(answer), **length})
        for byte in answer.body:
            self._write(bytes([byte]))
            if self._stopping.wait(DRIP_SECONDS):
                self._closing()
                return

    def hang(self, answer: Answer) -> None:
        """Take the request and never answer."""
        self._closing()
        self._stopping.wait()

    def reset(self, answer: Answer) -> None:
        """Answer with a TCP reset."""
        self._closing()
        connection = self._handler.connection
        # With a linger time of zero, close() sends RST and not FIN. Detaching first keeps the
        # server from its orderly shutdown of the connection.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(connection.detach())

    def huge(self, answer: Answer) -> None:
        """The real body, padded with blanks, which JSON allows."""
        headers = {**self._headers(answer), "Content-Length": str(HUGE_BYTES)}
        self._head(answer.status, headers)
        self._write(answer.body)
        for sent in range(len(answer.body), HUGE_BYTES, len(_CHUNK)):
            if self._stopping.is_set():
                self._closing()
                return
            self._write(_CHUNK[: HUGE_BYTES - sent])

    def gzip_bomb(self, answer: Answer) -> None:
        """A small body that unpacks to `BOMB_BYTES` of blanks, wanted or not."""
        body = _bomb()
        encoding = {"Content-Encoding": "gzip", "Content-Length": str(len(body))}
        self._head(answer.status, {**self._headers(answer), **encoding})
        self._write(body)

    def _headers(self, answer: Answer) -> dict[str, str]:
        # Weak, because the same tag stands for the plain and the compressed body.
        tag = f'W/"{hashlib.sha256(answer.body).hexdigest()[:20]}"'
        caching = {"ETag": tag, "Vary": "Accept-Encoding"} if answer.status == 200 else {}
        return {"Content-Type": answer.content_type, **caching, **answer.headers}

    def _encoded(self, answer: Answer) -> tuple[bytes, dict[str, str]]:
        accepted = self._handler.headers.get("Accept-Encoding", "")
        if "gzip" not in accepted or answer.content_type == "application/zip":
            return answer.body, {}
        return gzip.compress(answer.body, compresslevel=6, mtime=0), {"Content-Encoding": "gzip"}

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()

    def _write(self, data: bytes) -> None:
        self._handler.wfile.write(data)

    def _closing(self) -> None:
        self._handler.close_connection = True


def _matches(if_none_match: str, tag: str) -> bool:
    known = {candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")}
    return "*" in known or tag.removeprefix("W/") in known


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    # One gzip member: HTTP clients stop at the end of the first.
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    parts = [packer.compress(_CHUNK) for _ in range(BOMB_BYTES // len(_CHUNK))]
    return b"".join([*parts, packer.flush()])
