"""Faults of the body: a well-sent answer whose content is not what it should be.

Every feed has one value that matters (``FEED_SHAPES``); each mutation treats that value, or the
list of rows around it, in the same way for every feed.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Row = dict[str, Any]

#: Turns 3 dollars per million into 300,000 and a share of 10 percent into a million.
ABSURD_FACTOR = 100_000

_RATE = re.compile(rb"(rate=')([0-9.]+)'")


@dataclass(frozen=True)
class FeedShape:
    """What a mutation must know about a feed.

    Attributes:
        rows: Finds the rows in a payload.
        path: Keys that lead to the value in a row.
        renamed: What ``renamed-field`` calls the last key.
        is_text: Whether the value is a decimal string.
        container: Key of the list of rows; `None` if the payload is a mapping of rows or groups,
            "" if it is the list.
        outer: Key of the mapping that holds `container`; `None` if that is the payload itself.
        groups: Key of the rows in each group, where the payload is a mapping of groups.
        index: Key of the list of rows in the feed's index, whose rows do not have the value: only
            faults of the list can be played on an index, the others leave it as it is.
    """

    rows: Callable[[Any], list[Row]]
    path: tuple[str, ...]
    renamed: str
    is_text: bool
    container: str | None
    outer: str | None = None
    groups: str | None = None
    index: str | None = None

    def holders(self, payload: Any) -> list[Row]:
        """The mappings that directly hold the value; rows without the value are left out."""
        found = []
        for row in self.rows(payload):
            for key in self.path[:-1]:
                row = row.get(key, {})
            if self.path[-1] in row:
                found.append(row)
        return found

    def holder_of_rows(self, payload: Any) -> Any:
        """The mapping in which `container` is a key."""
        return payload if self.outer is None else payload[self.outer]

    def key_of_rows(self, holder: Row) -> str:
        """The key of the list of rows in that mapping."""
        key = self.container if self.index not in holder else self.index
        assert key
        return key


def _models_dev_rows(payload: Any) -> list[Row]:
    return [model for provider in payload.values() for model in provider["models"].values()]


def _litellm_rows(payload: Any) -> list[Row]:
    return [row for key, row in payload.items() if key != "sample_spec"]


def _alibaba_prices(payload: Any) -> list[Row]:
    models = payload.get("items", [])  # there are none in the index
    ranges = [part for model in models for part in (model, *model.get("multiPrices", []))]
    return [price for part in ranges for price in part.get("prices", [])]


def _tasks(payload: Any) -> list[Row]:
    rows: list[Row] = payload["data"]["classifications"]
    return rows


def _endpoints(payload: Any) -> list[Row]:
    rows: list[Row] = payload["data"]["endpoints"]
    return rows


def _the_list(payload: Any) -> list[Row]:
    rows: list[Row] = payload
    return rows


def _tokens(payload: Any) -> list[Row]:
    rows: list[Row] = payload["data"]
    return rows


def _shares(payload: Any) -> list[Row]:
    rows: list[Row] = payload["rows"]
    return rows


#: The feed without an entry, in XML and CSV: of the faults of the body it knows only `truncated`
#: and, in XML, `absurd_price`.
RATES = "ecb-fx"

FEED_SHAPES = {
    "openrouter-rankings": FeedShape(_tokens, ("total_tokens",), "tokens", True, "data"),
    "openrouter-apps": FeedShape(_tokens, ("total_tokens",), "tokens", True, "data"),
    "openrouter-sessions": FeedShape(
        _tokens, ("median_session_cost_usd",), "median_usd", False, "data"
    ),
    "openrouter-tasks": FeedShape(
        _tasks, ("usage_share",), "share", False, "classifications", outer="data"
    ),
    "openrouter-models": FeedShape(_tokens, ("pricing", "prompt"), "input", True, "data"),
    "openrouter-endpoints": FeedShape(
        _endpoints, ("pricing", "prompt"), "input", True, "endpoints", outer="data"
    ),
    "models-dev": FeedShape(
        _models_dev_rows, ("cost", "input"), "in", False, None, groups="models"
    ),
    "vercel-leaderboard": FeedShape(_shares, ("share_percent",), "share", False, "rows"),
    "alibaba-list": FeedShape(_alibaba_prices, ("price",), "cost", True, "items", index="families"),
    "litellm": FeedShape(_litellm_rows, ("input_cost_per_token",), "input_cost", False, None),
    "huggingface": FeedShape(_the_list, ("downloads",), "downloads30d", False, ""),
}


def truncated(feed: str, body: bytes) -> bytes:
    """The first half of the body, sent as if it were all."""
    return body[: len(body) // 2]


def empty_list(feed: str, body: bytes) -> bytes:
    """No row at all, the rest of the envelope as it is."""
    shape = FEED_SHAPES[feed]
    if not shape.container:
        return b"{}" if shape.container is None else b"[]"
    payload = json.loads(body)
    holder = shape.holder_of_rows(payload)
    holder[shape.key_of_rows(holder)] = []
    return _dump(payload)


def half_list(feed: str, body: bytes) -> bytes:
    """Fewer than half of the rows, as if the list had ended early."""
    shape = FEED_SHAPES[feed]
    payload = json.loads(body)
    if shape.groups:
        for group in payload.values():
            group[shape.groups] = _first_rows(group[shape.groups])
    elif not shape.container:
        payload = _first_rows(payload)
    else:
        holder = shape.holder_of_rows(payload)
        key = shape.key_of_rows(holder)
        holder[key] = _first_rows(holder[key])
    return _dump(payload)


def one_bad_row(feed: str, body: bytes) -> bytes:
    """The first value, and only that one, in a list of its own."""
    shape = FEED_SHAPES[feed]
    payload = json.loads(body)
    for holder in shape.holders(payload)[:1]:
        holder[shape.path[-1]] = [holder[shape.path[-1]]]
    return _dump(payload)


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
    if feed == RATES:
        return _RATE.sub(lambda rate: b"%s%f'" % (rate[1], float(rate[2]) * ABSURD_FACTOR), body, 1)
    return _scale_first(feed, body, ABSURD_FACTOR)


def duplicate_rows(feed: str, body: bytes) -> bytes:
    """Every row twice; in a mapping every key twice, which JSON allows."""
    shape = FEED_SHAPES[feed]
    if not shape.container:
        text = body.strip()
        return text[:-1] + b"," + text[1:]
    payload = json.loads(body)
    holder = shape.holder_of_rows(payload)
    holder[shape.key_of_rows(holder)] *= 2
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


def _first_rows(rows: Any) -> Any:
    kept = (len(rows) - 1) // 2
    return rows[:kept] if isinstance(rows, list) else dict(list(rows.items())[:kept])


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _dump(payload: Any) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
