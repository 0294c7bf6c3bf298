"""What a feed is: an address, a cadence, a licence line and a pure parser."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Sized
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, TypeVar
from urllib.parse import parse_qsl

import msgspec
import polars as pl

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.shape import LONGEST_NAME, describe

Row = TypeVar("Row")

Count = Annotated[int, msgspec.Meta(ge=0, le=10**15)]
"""A number of things, as feeds state them; what is larger would not be one."""

SEVERAL = 3
"""Wrong prices from which on it may be the answer that is wrong, not a price."""

NOTES = 3
"""How many of an answer's bad entries are named; all of them are counted."""

LONGEST_NOTE = 200

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for a body that is not JSON, not UTF-8, or nested without end."""


class Done(msgspec.Struct, frozen=True):
    """One earlier request of a feed that was answered well."""

    url: str
    started: datetime

    @property
    def is_current(self) -> bool:
        """Whether the last day asked for, with which the address ends, was the newest over then.

        A backfill also asks for old days: what it got says nothing of those since the last round.
        """
        try:
            last = date.fromisoformat(self.url[-10:])
        except ValueError:
            return False
        return self.started.astimezone(UTC).date() - last <= timedelta(days=1)


class Parsed(msgspec.Struct, frozen=True):
    """What a body said.

    Attributes:
        frames: Frames by table name, each of that table's schema.
        rows: Entries that the body held.
        refused: Entries that were not kept, counted by the rule that refused them.
        unread: Models (as in the frames) that the body names and whose entry could not be used.
            They are not news, and they have not vanished.
        notes: What was wrong with some of the entries that were not kept, by field and name.
        whole: Models or entities of which the answer says everything, so that what it does not
            state of them any more was withdrawn. None: of all of the feed's. Empty: of none, for
            an answer that is one of many or that may leave things out.
        follow: Further requests that this answer leads to.
        things: How much the answer holds, to be compared with the answer before; None where that
            is `rows`.
    """

    frames: Mapping[str, pl.DataFrame]
    rows: int
    refused: Mapping[str, int] = msgspec.field(default_factory=Counter)
    unread: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    whole: frozenset[str] | None = None
    follow: Sequence["Request"] = ()
    things: int | None = None


Parser = Callable[[bytes, datetime], Parsed]
"""Turns a body and the moment it was fetched into frames.

Raises FeedError if the body is not what the feed promises.
"""


class Request(msgspec.Struct, frozen=True):
    """One address to ask, below the feed's host, and what to do with the answer.

    Attributes:
        path: Path and query.
        parse: What reads the answer.
        paged: The answer is a JSON list that goes on at the Link header's "next"; the parser gets
            all pages as one list.
        conditional: Whether "unchanged since" (304) is an answer of use. Not where the answer leads
            to further requests.
    """

    path: str
    parse: Parser
    paged: bool = False
    conditional: bool = True


class Feed(msgspec.Struct, frozen=True):
    """One source of public figures.

    Attributes:
        name: As in the configuration and in every frame.
        title: For people.
        publisher: Who publishes it, in a word.
        kind: What it brings.
        host: Scheme and host that the paths of `plan` belong to.
        plan: Which requests to make now, given the time and what was asked successfully before.
        budget: Requests a day (UTC) that are never exceeded, retries included.
        floor: Shortest time between two rounds; the configuration cannot go below.
        licence: Licence line that must stand beside the figures.
        citation: How to cite a figure; ``{as_of}`` is filled in.
        page: Where a person can look the figures up.
        key_env: Environment variable with the API key, "" if none is needed.
        kin: Names of the feeds, its own among them, that fall under one limit of the server: when
            one is told to wait, all are.
        backfill: All requests that bring the whole reachable past, newest first, given the time;
            None where a feed has no past to give.
        days: The requests that bring the days of a span, first and last included; None where a feed
            cannot be asked for days.
        on_demand: The request about one model, by the source's own id, for a feed that is asked
            only about the model on screen; its `plan` is empty.
        reads: What reads the answer of an address (with its host, as the log has it), for a feed
            whose addresses say how; raises LookupError or ValueError for others. None where all
            answers are read alike, or the addresses of `plan` and `backfill` are always the same.
    """

    name: str
    title: str
    publisher: str
    kind: Literal["usage", "prices", "rates"]
    host: str
    plan: Callable[[datetime, Sequence[Done]], Sequence[Request]]
    budget: int
    floor: timedelta
    licence: str
    citation: str
    page: str
    key_env: str = ""
    kin: tuple[str, ...] = ()
    backfill: Callable[[datetime], Sequence[Request]] | None = None
    days: Callable[[date, date], Sequence[Request]] | None = None
    on_demand: Callable[[str], Request] | None = None
    reads: Callable[[str], Parser] | None = None


def parser_of(feed: Feed, url: str, asked: datetime) -> Parser:
    """What reads the answer of an address that was asked earlier.

    Args:
        feed: Whose answer it is.
        url: The address, as the log has it.
        asked: When.

    Raises:
        LookupError, ValueError: It is no address of this feed.
    """
    if feed.reads is not None:
        return feed.reads(url)
    requests = [*feed.plan(asked, ()), *(feed.backfill(asked) if feed.backfill else ())]
    same = [request.parse for request in requests if url.endswith(request.path)]
    parsers = {request.parse for request in requests}
    if not same and len(parsers) != 1:
        raise LookupError(f"{feed.name} has no answer at {url}")
    return same[0] if same else parsers.pop()


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(url.rpartition("?")[2]))


def decode(feed: str, body: bytes, shape: type[Row]) -> Row:
    """Decode a JSON body into a typed shape; fields not in the shape are ignored.

    Raises:
        FeedError: The body is no JSON, is cut off, or has another shape; says where and how.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise FeedError(
            f"{feed}: the answer has another shape than documented: {describe(error)}"
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
        FeedError: All rows are bad, or several and more than a tenth: that is another format, not
            a bad row.
    """
    good: list[tuple[str, Row]] = []
    bad: list[tuple[str, str]] = []
    for name, raw in rows:
        try:
            good.append((name, msgspec.json.decode(raw, type=shape)))
        except _UNREADABLE as error:
            bad.append((name, describe(error, name)))
    if bad and (not good or (len(bad) >= SEVERAL and len(bad) * 10 > len(rows))):
        raise FeedError(
            f"{feed}: {len(bad)} of {len(rows)} rows have another shape than documented, "
            f"the first: {bad[0][1]}"
        )
    return good, bad


def name_of(raw: msgspec.Raw, field: str) -> str:
    """What messages call a row: one of its own fields, which is not trusted to be short."""
    try:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        return msgspec.json.decode(fields[field], type=str)[:LONGEST_NAME]
    except (KeyError, *_UNREADABLE):
        return f"a row without {field}"


def refuse_empty(feed: str, things: Sized, what: str) -> None:
    """Refuse an answer that holds nothing.

    Raises:
        FeedError: It does; one public scraper wrote empty files for months without noticing.
    """
    if not things:
        raise FeedError(f"{feed}: the answer holds no {what}; that is a fault, not an empty market")


def noted(bad: Sequence[tuple[str, str]], wrong: Sequence[str] = ()) -> tuple[str, ...]:
    """The first of what is to be said of entries that were not kept.

    Args:
        bad: As `decode_each` gives them.
        wrong: What is wrong with prices.
    """
    return tuple(one[:LONGEST_NOTE] for one in [*(text for _, text in bad), *wrong][:NOTES])


def refuse_unit_error(feed: str, refused: int, rows: int, example: str) -> None:
    """Refuse a whole answer of which several, and more than a tenth, of the prices cannot be right.

    Raises:
        FeedError: That is another unit or format, not a few bad rows.
    """
    if refused >= SEVERAL and refused * 10 > rows:
        raise FeedError(f"{feed}: {refused} of {rows} prices cannot be right, the first: {example}")


def is_web_page(body: bytes) -> bool:
    """Whether a body begins like HTML: what a site shows when it has no figures to give."""
    return body.lstrip()[:200].lower().startswith((b"<!doctype", b"<html", b"<head"))


def _not_json(body: bytes, error: Exception) -> str:
    start = body.lstrip()[:200].lower()
    if is_web_page(body) or start.startswith(b"<?xml"):
        return "answered with a web page instead of JSON"
    if not start:
        return "answered with an empty body"
    if "truncated" in str(error):
        return f"the answer is cut off after {len(body):,} bytes"
    return f"the answer is not JSON ({str(error).replace('`', '')})"
