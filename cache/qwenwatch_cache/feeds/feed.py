"""What a feed is: an address, a cadence, a licence line and a pure parser."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeVar

import msgspec
import polars as pl

from qwenwatch_cache.errors import FeedError

Row = TypeVar("Row")

Count = Annotated[int, msgspec.Meta(ge=0, le=10**15)]
"""A number of things, as feeds state them; what is larger would not be one."""

SEVERAL = 3
"""Wrong prices from which on it may be the answer that is wrong, not a price."""

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for a body that is not JSON, not UTF-8, or nested without end."""


@dataclass(frozen=True, slots=True)
class Done:
    """One earlier request of a feed that was answered well."""

    url: str
    started: datetime


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a body said.

    Attributes:
        frames: Frames by table name, each of that table's schema.
        rows: Entries that the body held.
        refused: Entries that were not kept, counted by the rule that refused them.
        unread: Models (as in the frames) that the body names and whose entry could not be used.
            They are not news, and they have not vanished.
    """

    frames: Mapping[str, pl.DataFrame]
    rows: int
    refused: Mapping[str, int] = field(default_factory=Counter)
    unread: frozenset[str] = frozenset()


Parser = Callable[[bytes, datetime], Parsed]
"""Turns a body and the moment it was fetched into frames.

Raises FeedError if the body is not what the feed promises.
"""


@dataclass(frozen=True, slots=True)
class Request:
    """One address to ask, below the feed's host, and what to do with the answer."""

    path: str
    parse: Parser


@dataclass(frozen=True, slots=True)
class Feed:
    """One source of public figures.

    Attributes:
        name: As in the configuration and in every frame.
        title: For people.
        publisher: Who publishes it, in a word.
        kind: What it brings.
        host: Scheme and host that the paths of `plan` belong to.
        plan: Which requests to make now, given the time and what was asked successfully before.
        floor: Shortest time between two rounds; the configuration cannot go below.
        licence: Licence line that must stand beside the figures.
        citation: How to cite a figure; ``{as_of}`` is filled in.
        page: Where a person can look the figures up.
        key_env: Environment variable with the API key, "" if none is needed.
    """

    name: str
    title: str
    publisher: str
    kind: Literal["usage", "prices"]
    host: str
    plan: Callable[[datetime, Sequence[Done]], Sequence[Request]]
    floor: timedelta
    licence: str
    citation: str
    page: str
    key_env: str = ""


def decode(feed: str, body: bytes, shape: type[Row]) -> Row:
    """Decode a JSON body into a typed shape; fields not in the shape are ignored.

    Raises:
        FeedError: The body is no JSON, is cut off, or has another shape; says where and how.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise FeedError(
            f"{feed}: the answer has another shape than documented: {_plain(error)}"
        ) from error
    except _UNREADABLE as error:
        raise FeedError(f"{feed}: {_not_json(body, error)}") from error


def decode_each(
    feed: str, rows: Sequence[tuple[str, msgspec.Raw]], shape: type[Row]
) -> tuple[list[tuple[str, Row]], list[tuple[str, str]]]:
    """Decode rows one by one, so that one bad row does not cost the others.

    Args:
        feed: Name for messages.
        rows: Name of each row and its raw JSON.
        shape: What each should be.

    Returns:
        The good rows with their names, and the name and message of every bad row.

    Raises:
        FeedError: More than a tenth of the rows is bad: that is another format, not a bad row.
    """
    good: list[tuple[str, Row]] = []
    bad: list[tuple[str, str]] = []
    for name, raw in rows:
        try:
            good.append((name, msgspec.json.decode(raw, type=shape)))
        except _UNREADABLE as error:
            bad.append((name, _plain(error)))
    if len(bad) * 10 > len(rows):
        first, reason = bad[0]
        raise FeedError(
            f"{feed}: {len(bad)} of {len(rows)} rows have another shape than documented, "
            f"the first is {first}: {reason}"
        )
    return good, bad


def refuse_unit_error(feed: str, refused: int, rows: int, example: str) -> None:
    """Refuse a whole answer of which several, and more than a tenth, of the prices cannot be right.

    Raises:
        FeedError: That is another unit or format, not a few bad rows.
    """
    if refused >= SEVERAL and refused * 10 > rows:
        raise FeedError(f"{feed}: {refused} of {rows} prices cannot be right, the first: {example}")


def _plain(error: Exception) -> str:
    """A decoder's message without its backticks and with a path a person can follow."""
    return str(error).replace("`", "").replace("$.", "")


def _not_json(body: bytes, error: Exception) -> str:
    start = body.lstrip()[:200].lower()
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        return "answered with a web page instead of JSON"
    if not start:
        return "answered with an empty body"
    if "truncated" in str(error):
        return f"the answer is cut off after {len(body):,} bytes"
    return f"the answer is not JSON ({_plain(error)})"
