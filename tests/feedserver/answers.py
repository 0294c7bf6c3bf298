"""The answer to one request, before it is encoded and sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json; charset=utf-8"
XML = "text/xml"


@dataclass(frozen=True)
class Answer:
    """Status, body and headers. Length, encoding, ETag and Date are added when it is sent."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(payload: Any) -> Answer:
    """A good answer that carries `payload`."""
    return Answer(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An error in the body shape that OpenRouter documents for all its endpoints."""
    body = json.dumps({"error": {"code": status, "message": message}}).encode()
    return Answer(body, status, headers=headers or {})


def not_played(what: str) -> Answer:
    """For what the real feed offers and this server does not hold: never a made-up answer."""
    return error(404, f"feedserver: {what} is not recorded")
