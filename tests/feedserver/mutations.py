"""Faults of the body: a well-sent answer whose content is not what it should be.

Every feed has one value that matters (``FEED_SHAPES``); each mutation treats that value, or the
list of rows around it, in the same way for every feed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Row = dict[str, Any]

#: Turns 3 dollars per million into 300,000 and a share of 10 percent into a million.
ABSURD_FACTOR = 100_000


@dataclass(frozen=True)
class FeedShape:
    """What a mutation must know about a feed.

    Attributes:
        rows: Finds the rows in a payload.
        path: Keys that lead to the value in a row.
        renamed: What ``renamed-field`` calls the last key.
        is_text: Whether the value is a decimal string.
        container: Key of the list of rows; `None` if the payload is a mapping of rows or groups.
    """

    rows: Callable[[Any], list[Row]]
    path: tuple[str, ...]
    renamed: str
    is_text: bool
    container: str | None

    def holders(self, payload: Any) -> list[Row]:
        """The mappings that directly hold the value; rows without the value are left out."""
        found = []
        for row in self.rows(payload):
            for key in self.path[:-1]:
                row = row.get(key, {})
            if self.path[-1] in row:
                found.append(row)
        return found


def _models_dev_rows(payload: Any) -> list[Row]:
    return [model for provider in payload.values() for model in provider["models"].values()]


def _litellm_rows(payload: Any) -> list[Row]:
    return [row for key, row in payload.items() if key != "sample_spec"]


def _tokens(payload: Any) -> list[Row]:
    rows: list[Row] = payload["data"]
    return rows


def _shares(payload: Any) -> list[Row]:
    rows: list[Row] = payload["rows"]
    return rows


#: Feeds without an entry (the ECB's XML and CSV) only know the faults that are not of the body.
FEED_SHAPES = {
    "openrouter-rankings": FeedShape(_tokens, ("total_tokens",), "tokens", True, "data"),
    "openrouter-apps": FeedShape(_tokens, ("total_tokens",), "tokens", True, "data"),
    "openrouter-models": FeedShape(_tokens, ("pricing", "prompt"), "input", True, "data"),
    "models-dev": FeedShape(_models_dev_rows, ("cost", "input"), "in", False, None),
    "vercel-leaderboard": FeedShape(_shares, ("share_percent",), "share", False, "rows"),
    "litellm": FeedShape(_litellm_rows, ("input_cost_per_token",), "input_cost", False, None),
}


def truncated(feed: str, body: bytes) -> bytes:
    """The first half of the body, sent as if it were all."""
    return body[: len(body) // 2]


def empty_list(feed: str, body: bytes) -> bytes:
    """No row at all, the rest of the envelope as it is."""
    container = FEED_SHAPES[feed].container
    if container is None:
        return b"{}"
    return _dump({**json.loads(body), container: []})


def renamed_field(feed: str, body: bytes) -> bytes:
    """The value under another name, in every row."""
    shape = FEED_SHAPES[feed]
    payload = json.loads(body)
    for holder in shape.holders(payload):
        holder[shape.renamed] = holder.pop(shape.path[-1])
    return _dump(payload)


def other_type(feed: str, body: bytes) -> bytes:
    """Strings for numbers where the feed sends numbers, and the reverse, in every row."""
    shape = FEED_SHAPES[feed]
    payload = json.loads(body)
    for holder in shape.holders(payload):
        value = holder[shape.path[-1]]
        holder[shape.path[-1]] = _number(Decimal(value)) if shape.is_text else str(value)
    return _dump(payload)


def negative_price(feed: str, body: bytes) -> bytes:
    """The first positive value turned negative."""
    return _scale_first(feed, body, -1)


def absurd_price(feed: str, body: bytes) -> bytes:
    """The first positive value, times `ABSURD_FACTOR`."""
    return _scale_first(feed, body, ABSURD_FACTOR)


def duplicate_rows(feed: str, body: bytes) -> bytes:
    """Every row twice; in a mapping every key twice, which JSON allows."""
    container = FEED_SHAPES[feed].container
    if container is None:
        text = body.strip()
        return text[:-1] + b"," + text[1:]
    payload = json.loads(body)
    payload[container] = payload[container] * 2
    return _dump(payload)


def _scale_first(feed: str, body: bytes, factor: int) -> bytes:
    shape = FEED_SHAPES[feed]
    payload = json.loads(body)
    key = shape.path[-1]
    for holder in shape.holders(payload):
        value = Decimal(str(holder[key]))
        if value > 0:
            scaled = value * factor
            holder[key] = format(scaled, "f") if shape.is_text else _number(scaled)
            break
    return _dump(payload)


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _dump(payload: Any) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
