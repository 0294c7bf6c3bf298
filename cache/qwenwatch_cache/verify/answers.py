"""Whether the rows are what the kept bodies say: every answer is read again, as when it came.

An answer that was stored is a fixed point: what it says is known from then on, so to store it again
at the same moment would add nothing; and every row that was learned at its moment is one that it
states, or says that something is not stated any more.

The log has when a request was made. When its answer came, which the rows have, is found by them: so
many rows as the log says were stored, at one moment soon after the request. Where nothing was
stored there is no such row, and any moment soon after the request will do.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
from msgspec.structs import replace

from qwenwatch_cache.clock import iso
from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import Parsed, Parser
from qwenwatch_cache.frames import TABLES, Table, conform
from qwenwatch_cache.store.revisions import as_of, news, withdrawn
from qwenwatch_cache.verify.bodies import answered
from qwenwatch_cache.verify.findings import row_name

SOON = timedelta(minutes=15)
"""How long after a request its answer comes at the latest, with all pages and second attempts."""

Frames = Mapping[str, pl.DataFrame]
"""Rows by table."""

Wrong = dict[str, str]
"""By row, or file, what is wrong with it."""


class Given(msgspec.Struct, frozen=True):
    """A good answer with a body, as the log has it.

    Attributes:
        url: What was asked.
        started: When.
        rows_new: How many rows were stored.
        orderly: Whether the clock ran on: none that was logged before it was asked for later, none
            that was logged later was asked for before.
        unchanged: When the feed last said that it still holds, and no other answer had brought rows
            since; None if it never did.
    """

    url: str
    started: datetime
    rows_new: int
    orderly: bool
    unchanged: datetime | None = None


class Held(msgspec.Struct, frozen=True):
    """What is known of one feed.

    Attributes:
        rows: In the cache.
        bundled: In the baseline.
        lost: Until when rows may be missing that were stored.
        merged: Until when rows may stand between those that this cache stored, because they came
            from another.
    """

    rows: Frames
    bundled: Frames
    lost: datetime | None = None
    merged: datetime | None = None

    def at(self, moment: datetime) -> dict[str, pl.DataFrame]:
        """The rows that were learned at a moment, by table."""
        found = {
            name: rows.filter(pl.col(TABLES[name].time) == moment)
            for name, rows in self.rows.items()
        }
        return {name: rows for name, rows in found.items() if not rows.is_empty()}


def given_answers(log: pl.DataFrame) -> Mapping[str, Sequence[Given]]:
    """The good answers of a feed by the digest that names their bodies.

    Args:
        log: Its log of requests, as it was logged.
    """
    started = pl.col("started")
    after_all_before = (started.cum_max().shift(1) <= started).fill_null(True)
    before_all_after = (started.cum_min(reverse=True).shift(-1) >= started).fill_null(True)
    given = answered(log).with_columns(orderly=after_all_before & before_all_after)
    by_digest: dict[str, list[Given]] = defaultdict(list)
    still: dict[str, tuple[str, int, str | None]] = {}  # by address, since rows were stored last
    columns = ("digest", "url", "started", "rows_new", "orderly", "etag")
    for digest, url, started, rows_new, orderly, etag in given.select(columns).iter_rows():
        if digest:
            by_digest[digest].append(Given(url, started, rows_new or 0, orderly))
            if rows_new:
                still.clear()
            still[url] = digest, len(by_digest[digest]) - 1, etag
        elif orderly and url in still and still[url][2] == etag:
            same, place, _ = still[url]
            by_digest[same][place] = replace(by_digest[same][place], unchanged=started)
    return by_digest


def wrong_rows(
    held: Held, given: Given, parse: Parser, content: bytes, came: datetime, name: str
) -> Wrong:
    """What of the cache is not as an answer says.

    Args:
        held: What is known of the feed.
        given: The answer.
        parse: What reads it.
        content: Its body.
        came: When that body came first, to the second.
        name: What messages call the body.
    """
    best: Wrong | None = None
    lossy = held.lost is not None and given.started <= held.lost
    for moment, has_rows in _moments(held, given, came, lossy=lossy):
        try:
            parsed = parse(content, moment)
        except FeedError as error:
            wrong = {name: f"it was read when it came, and cannot be read now ({error})"}
        else:
            wrong = _wrong_at(held, given, parsed, moment, has_rows, name)
        if not wrong:
            return {}
        if best is None or len(wrong) < len(best):
            best = wrong
    return best or {}


def _moments(
    held: Held, given: Given, came: datetime, *, lossy: bool
) -> Iterator[tuple[datetime, bool]]:
    """When the answer may have come, best guess first; and whether rows were learned then.

    Where rows were lost, and it cannot be told which moment is its own, there is none.
    """
    end = given.started + SOON
    if given.rows_new:
        times = pl.concat([rows.get_column(TABLES[name].time) for name, rows in held.rows.items()])
        soon = times.filter(times.is_between(given.started, end))
        counts = soon.rename("moment").value_counts().sort("moment").rows()
        fitting = [moment for moment, count in counts if count == given.rows_new]
        others = [moment for moment, count in counts if count != given.rows_new]
        for moment in fitting if lossy else (*fitting, *others):
            yield moment, True
        if counts or lossy:
            return
    yield (max(given.started, came) if came <= end else given.started), False
    yield end, False


def _wrong_at(
    held: Held, given: Given, parsed: Parsed, moment: datetime, has_rows: bool, name: str
) -> Wrong:
    """What of the cache is not as an answer says that came at a moment."""
    stated = {one: conform(frame, TABLES[one].schema) for one, frame in parsed.frames.items()}
    wrong: Wrong = {}
    if has_rows:
        for one, rows in held.at(moment).items():
            wrong |= _unfounded(held, TABLES[one], rows, stated.get(one), parsed, name)
    if held.lost is not None and moment <= held.lost:
        return wrong
    exactly = given.orderly and (held.merged is None or moment > held.merged)
    for one, frame in stated.items():
        table = TABLES[one]
        if exactly:
            found = _unlike(held, table, frame, parsed, moment, name)
            if found:
                # Right after a round that was broken off the next one may have brought the row.
                soon = _unlike(held, table, frame, parsed, given.started + SOON, name)
                found = min(found, soon, key=len)
            if given.unchanged is not None:
                found = _unlike(held, table, frame, parsed, given.unchanged, name) | found
            wrong = found | wrong
        else:
            wrong = _unheard_of(held, table, frame, name) | wrong
    return wrong


def _unfounded(
    held: Held,
    table: Table,
    rows: pl.DataFrame,
    stated: pl.DataFrame | None,
    parsed: Parsed,
    name: str,
) -> Wrong:
    """Rows of one moment that the answer of this moment does not state, nor leads to."""
    said = table.empty() if stated is None else stated
    key, everything = list(table.key), table.schema.names()
    rest = rows.join(said, on=everything, how="anti", nulls_equal=True)
    if rest.is_empty():
        return {}
    unsaid = rest.join(said, on=key, how="anti", nulls_equal=True)
    rightly = _absences(held, table, unsaid, parsed)
    rest = rest.join(rightly, on=everything, how="anti", nulls_equal=True)
    there = dict(_by_key(said.join(rest, on=key, how="semi", nulls_equal=True), table))
    return {
        row_name(table, row): _how_it_differs(row, there[place], table, name)
        if place in there
        else f"{name} does not state it"
        for place, row in _by_key(rest, table)
    }


def _absences(held: Held, table: Table, rows: pl.DataFrame, parsed: Parsed) -> pl.DataFrame:
    """Of rows whose keys are not stated those that rightly say just that (see `withdrawn`)."""
    if not table.whole or rows.is_empty():
        return rows.clear()
    if "listed" in table.schema:
        silent = rows.filter(~pl.col("listed"))
    else:
        silent = rows.filter(pl.col("value").is_null() & pl.col("share").is_null())
    if parsed.whole is not None:
        named = "entity" if "entity" in table.schema else "model"
        silent = silent.filter(pl.col(named).is_in(list(parsed.whole)))
    before = pl.concat([held.bundled[table.name], held.rows[table.name]])
    before = before.filter(pl.col(table.time) < rows.get_column(table.time).max())
    same = [one for one in table.schema if one not in {"value", "share", "listed", table.time}]
    repeated = silent.join(before, on=same, how="semi", nulls_equal=True)
    # What it repeats may have been in the baseline of an earlier version.
    unknown = silent.join(before, on=list(table.key), how="anti", nulls_equal=True)
    return pl.concat([repeated, unknown])


def _unlike(
    held: Held, table: Table, stated: pl.DataFrame, parsed: Parsed, end: datetime, name: str
) -> Wrong:
    """What would change if the answer were stored again: nothing, if all is well."""
    until = pl.col(table.time) <= end
    known = held.rows[table.name].filter(until)
    wrong = _not_as_stated(known, news(known, stated, table), table, name)
    gone = withdrawn(known, stated, table, end, parsed.unread, parsed.whole)
    if gone.is_empty():
        return wrong
    # The baseline says it too, but it may be another one than when the answer came.
    shown = pl.concat([held.bundled[table.name].filter(until), known])
    shown = shown.sort(table.time, maintain_order=True)
    both = withdrawn(shown, stated, table, end, parsed.unread, parsed.whole)
    key = list(table.key)
    gone = gone.join(both, on=key, how="semi", nulls_equal=True)
    last = as_of(known.join(gone, on=key, how="semi", nulls_equal=True), table)
    for _, row in _by_key(last, table):
        wrong[row_name(table, row)] = f"{name} states it no longer, and no row says so"
    return wrong


def _unheard_of(held: Held, table: Table, stated: pl.DataFrame, name: str) -> Wrong:
    """What an answer states and no row of the cache, whenever it was learned."""
    rows = held.rows[table.name]
    said = [*table.key, *table.values]
    missing = stated.join(rows, on=said, how="anti", nulls_equal=True)
    return _not_as_stated(rows, missing, table, name)


def _not_as_stated(known: pl.DataFrame, missing: pl.DataFrame, table: Table, name: str) -> Wrong:
    if missing.is_empty():
        return {}
    key = list(table.key)
    last = as_of(known.join(missing, on=key, how="semi", nulls_equal=True), table)
    there = dict(_by_key(last, table))
    wrong: Wrong = {}
    for place, row in _by_key(missing, table):
        if place in there:
            wrong[row_name(table, there[place])] = _how_it_differs(there[place], row, table, name)
        else:
            unlearned = {one: value for one, value in row.items() if one != table.time}
            wrong[row_name(table, unlearned)] = f"{name} states it, and it is not there"
    return wrong


def _how_it_differs(row: dict[str, Any], stated: dict[str, Any], table: Table, name: str) -> str:
    """The first column in which a row is not as it was stated."""
    for one in (*table.values, "as_of"):
        if one in row and row[one] != stated[one]:
            return f"{one} is {_text(row[one])}, {name} says {_text(stated[one])}"
    return f"it is not as {name} says"


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "unknown" if value is None else str(value)


def _by_key(rows: pl.DataFrame, table: Table) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    for row in rows.iter_rows(named=True):
        yield tuple(row[one] for one in table.key), row
