"""Hugging Face's list of models, by organisation and in pages.

Played of it: ``author``, ``limit``, ``expand[]``, the Link header with an opaque cursor, and the
headers of the rate limit. Pages are far shorter than the real ones, so that a few models make
several of them. Of a parameter that is repeated the server knows the last value only: any known
``expand[]`` brings all fields that are played.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from tests.feedserver.answers import Answer, error, json_answer, not_played
from tests.feedserver.bodies import Bodies, Row

MODELS = "/api/models"
#: The real one takes 1,000.
LONGEST_PAGE = 2

_EXPANDED = ("childrenModelCount", "createdAt", "downloads", "likes")
_ALWAYS = ("_id", "id")
_ONLY_EXPANDED = ("childrenModelCount",)
#: Addresses in the real feed's headers are those of its own host, also behind a mirror.
_HOST = "https://huggingface.co"
_LIMITS = {
    "RateLimit": '"api";r=499;t=300',
    "RateLimit-Policy": '"fixed window";"api";q=500;w=300',
}


def models(bodies: Bodies, query: Mapping[str, str], now: datetime) -> Answer:
    """``/api/models``: one page of the models of one organisation."""
    org, limit, expand = query.get("author"), query.get("limit", "1000"), query.get("expand[]")
    start = _start(query.get("cursor"))
    if expand is not None and expand not in _EXPANDED:
        return error(400, f"expand must be one of {', '.join(_EXPANDED)}", _LIMITS)
    if start is None or not limit.isdecimal() or int(limit) == 0:
        return error(400, "Invalid query parameters", _LIMITS)
    rows = None if org is None else bodies.hub_models(org)
    if rows is None:
        return not_played("this list of models")
    end = start + min(int(limit), LONGEST_PAGE)
    page = json_answer([_shown(row, expand is not None) for row in rows[start:end]])
    links = {"Link": f'<{_next(query, end)}>; rel="next"'} if end < len(rows) else {}
    return Answer(page.body, headers={**_LIMITS, **links})


def _shown(row: Row, expanded: bool) -> Row:
    if expanded:
        return {key: row[key] for key in (*_ALWAYS, *_EXPANDED) if key in row}
    return {key: value for key, value in row.items() if key not in _ONLY_EXPANDED}


def _next(query: Mapping[str, str], start: int) -> str:
    kept = [(key, value) for key, value in query.items() if key not in ("expand[]", "cursor")]
    expand = [("expand[]", field) for field in _EXPANDED if "expand[]" in query]
    cursor = base64.urlsafe_b64encode(json.dumps({"start": start}).encode()).decode()
    return f"{_HOST}{MODELS}?{urlencode([*kept, *expand, ('cursor', cursor)])}"


def _start(cursor: str | None) -> int | None:
    """Where a page begins; `None` for a cursor that this server never gave."""
    if cursor is None:
        return 0
    try:
        start: int = json.loads(base64.urlsafe_b64decode(cursor))["start"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
    return start
