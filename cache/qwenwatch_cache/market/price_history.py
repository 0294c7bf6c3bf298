"""What became of prices: one row per change of one field of one offer, each with a mark.

An offer is what one feed states of one model, variant, provider, region and currency. It has a
price per tier (length of the prompt) and time of day; each field of each of them has its history.

* The tiles of a day are the offer. A base price that flips with the clock is not in the store, so
  that it gives no change. When an offer goes from one price to prices by time of day, or the times
  change, there is one row of field "schedule", for prices of different hours cannot be compared;
  when only its tiers change there is one of field "tiers". Neither has a before and after.
* Coming and going of an offer is a row of field "listed", without before and after.
* What was not stated for `GRACE` (7 days) or longer and comes back begins a new history; what comes
  back sooner is compared with what it was, a tile as well as an offer.

Marks, in the order in which they are tried:

"unknown"      The price is not stated any more (null, or -1 at the source).
"known"        There was no price before, or a 0 that was never believed.
"glitch"       To 0 where there was a price, of a variant that is not free, for too short a time (up
               to `STANDS`, counted to the last poll that stated it); and the way back.
"jump"         By `JUMP` (50) times or more, up or down, against the last believed price, without
               standing for `JUMP_STANDS` (7 days); and the way back. Once it has stood it is marked
               as any other change.
"flicker"      Back at the last believed price after at most `FLICKER_POLLS` (2) polls within
               `FLICKER_SPAN` (3 days), or after one poll at any distance; and the way back.
"confirmed"    A later poll of the feed stated the same.
"unconfirmed"  None did: there was none yet, or it stated something else. A 0 in doubt stays so.
"correction"   A confirmed change of a hand-kept feed while the route price of the same model was
               listed and did not move within `CORRECTION_SPAN` (7 days) before and after, as far
               as the router was read in both.
"added"        First listed, but not in the first round of its feed, or again after `GRACE`.
"gone"         Not listed for `GRACE` or longer.
"absence"      Back within `GRACE`: `at` is when it vanished, `until` when it was back. One that
               vanished lately is "unconfirmed".

Of other fields than input and output, 0 says no more than a missing key: OpenRouter sent "0" for
whatever did not apply until 2026-03-29. Tiers that were only added are "known", those that were
only taken away "unknown": a tier that is not stated is not a price.

A row states the values as the feed did. Where one side of a change was never believed, so says the
mark of that side's own row. Only marks in `ALARMING` are news.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, Generic, TypeVar

import msgspec
import polars as pl

from qwenwatch_cache.frames import INSTANT, MONEY, PRICE_FIELDS, PRICE_TABLE
from qwenwatch_cache.market.corrections import with_corrections
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.doubts import TWO_POLLS, Polls
from qwenwatch_cache.market.in_force import GRACE, OFFER, ON_DEMAND
from qwenwatch_cache.market.marks import Gap, Mark, Rounds, plain_marks, price_marks, runs_of
from qwenwatch_cache.store import as_of

RATIO_DIGITS = 9
"""Ratios are rounded to this many digits: 1.04 to 1.6 is 0.65."""

PRICE_HISTORY = pl.Schema(
    {
        "feed": pl.String(),
        "basis": pl.String(),
        "provider": pl.String(),
        "region": pl.String(),
        "model": pl.String(),  # the feed's own id, as in frames.PRICE
        "variant": pl.String(),
        "tier_from": pl.Int64(),  # 0 for changes of the whole offer
        "window_utc": pl.String(),  # "" for changes of the whole offer
        "currency": pl.String(),
        "field": pl.String(),  # one of frames.PRICE_FIELDS, or listed, schedule, tiers
        "before": MONEY,  # as stated; null if unknown, and for the last three fields
        "after": MONEY,
        "ratio": pl.Float64(),  # after ÷ before, null where either is unknown or before is 0
        "at": INSTANT,  # when it was first seen
        "until": INSTANT,  # when it was seen to have changed again, null if it has not
        "mark": pl.String(),
    }
)

Tile = tuple[int, str]
"""A tier and a time of day."""
Amounts = tuple[Decimal | None, ...]
"""The prices of a tile, in the order of PRICE_FIELDS."""
Value = TypeVar("Value")


class Segment(msgspec.Struct, Generic[Value]):
    """A history without a gap of `GRACE` or more.

    Attributes:
        series: What was stated and when, oldest first.
        gaps: When nothing was.
        left: Since when nothing is stated any more.
    """

    series: list[tuple[datetime, Value]] = msgspec.field(default_factory=list)
    gaps: list[Gap] = msgspec.field(default_factory=list)
    left: datetime | None = None


def price_history(
    frame: pl.DataFrame,
    polls: Polls,
    directory: Directory,
    *,
    feeds: Collection[str] | None = None,
    models: Collection[str] | None = None,
    since: datetime | None = None,
) -> pl.DataFrame:
    """Every change of every price that is known.

    Args:
        frame: Rows of the price table, all revisions that are known.
        polls: Moments at which each feed was read successfully, by feed.
        directory: Who is behind an id.
        feeds: Feeds wanted, None for all but that of single hosts.
        models: Canonical ids of the models wanted, None for all.
        since: Begin with the prices that stood then, None with the first, and leave out the offers
            of which nothing was stated since: after years most of all changes are of times that
            nobody asks about.

    Returns:
        PRICE_HISTORY, sorted by time, then by offer, tier, time of day and field.
    """
    rows = frame.filter(pl.col("feed") != ON_DEMAND)
    began = dict(rows.group_by("feed").agg(pl.col("observed_at").min()).iter_rows())
    if models is not None:
        rows = directory.of_models(rows, models)
    told = rows
    if since is not None:
        later = rows.filter(pl.col("observed_at") > since)
        rows = pl.concat([as_of(rows, PRICE_TABLE, since).filter("listed"), later])
        told = rows.join(later.select(OFFER).unique(), on=OFFER, how="semi", nulls_equal=True)
    rounds = {feed: Rounds(polls.get(feed, ())) for feed in told.get_column("feed").unique()}
    changes: list[dict[str, Any]] = []
    columns = [*OFFER, "observed_at", "listed", "tier_from", "window_utc", *PRICE_FIELDS]
    told = told.select(columns).sort(*OFFER, "observed_at", maintain_order=True)
    for offer, revisions in groupby(told.iter_rows(), key=itemgetter(slice(len(OFFER)))):
        named = dict(zip(OFFER, offer, strict=True))
        known = _states([revision[len(OFFER) :] for revision in revisions])
        feed = named["feed"]
        for change in _changes(known, began[feed], rounds[feed], named["variant"]):
            changes.append({**named, **change})
    changes = with_corrections(changes, rows, polls, directory)
    answer = pl.DataFrame(changes, schema=PRICE_HISTORY).sort(
        "at", *OFFER, "tier_from", "window_utc", "field"
    )
    return answer if feeds is None else answer.filter(pl.col("feed").is_in(list(feeds)))


def _states(revisions: Sequence[tuple[Any, ...]]) -> list[tuple[datetime, dict[Tile, Amounts]]]:
    """What an offer consisted of after each moment at which it changed; nothing if not listed."""
    tiles: dict[Tile, Amounts] = {}
    states = []
    for moment, rows in groupby(revisions, key=itemgetter(0)):
        for _, listed, tier, window, *amounts in rows:
            if listed:
                tiles[tier, window] = tuple(amounts)
            else:
                tiles.pop((tier, window), None)
        states.append((moment, dict(tiles)))
    return states


def _segments(timeline: Sequence[tuple[datetime, Value | None]]) -> list[Segment[Value]]:
    """Split a history where nothing (None) was stated for `GRACE` or longer."""
    segments: list[Segment[Value]] = []
    for moment, value in timeline:
        last = segments[-1] if segments else None
        if value is None:
            if last is not None and last.left is None:
                last.left = moment
            continue
        if last is None or (last.left is not None and moment - last.left >= GRACE):
            last = Segment()
            segments.append(last)
        elif last.left is not None:
            last.gaps.append((last.left, moment))
            last.left = None
        last.series.append((moment, value))
    return segments


def _changes(
    states: Sequence[tuple[datetime, Mapping[Tile, Amounts]]],
    began: datetime,
    rounds: Rounds,
    variant: str,
) -> Iterator[dict[str, Any]]:
    """All changes of one offer."""
    shapes = _segments([(moment, frozenset(tiles) or None) for moment, tiles in states])
    yield from _listed(shapes, began, rounds)
    for shape in shapes:
        yield from _shaped(shape, rounds)
    for tile in sorted({tile for _, tiles in states for tile in tiles}):
        for segment in _segments([(moment, tiles.get(tile)) for moment, tiles in states]):
            if len({amounts for _, amounts in segment.series}) > 1:
                yield from _priced(segment, tile, rounds, variant)


def _listed(
    segments: Sequence[Segment[frozenset[Tile]]], began: datetime, rounds: Rounds
) -> Iterator[dict[str, Any]]:
    """Coming and going of an offer whose feed was first read when it `began`."""
    for segment, later in zip(segments, [*segments[1:], None], strict=True):
        first = segment.series[0][0]
        if segment is not segments[0] or first - began >= TWO_POLLS:
            yield _whole("listed", first, segment.left, "added")
        for away, back in segment.gaps:
            yield _whole("listed", away, back, "absence")
        if segment.left is not None:
            again = later.series[0][0] if later else None
            newest = again or rounds.last
            mark: Mark = "unconfirmed"
            if newest is not None and newest - segment.left >= GRACE:
                mark = "gone"
            yield _whole("listed", segment.left, again, mark)


def _shaped(segment: Segment[frozenset[Tile]], rounds: Rounds) -> Iterator[dict[str, Any]]:
    """Changes of the set of tiers and times of day."""
    runs = runs_of(segment.series, rounds, segment.gaps, segment.left)
    for (before, run), mark in zip(pairwise(runs), plain_marks(runs), strict=True):
        if {window for _, window in before.value} != {window for _, window in run.value}:
            yield _whole("schedule", run.at, run.until, mark)
        elif before.value < run.value:
            yield _whole("tiers", run.at, run.until, "known")
        elif run.value < before.value:
            yield _whole("tiers", run.at, run.until, "unknown")
        else:
            yield _whole("tiers", run.at, run.until, mark)


def _priced(
    segment: Segment[Amounts], tile: Tile, rounds: Rounds, variant: str
) -> Iterator[dict[str, Any]]:
    """Changes of the prices of one tile."""
    for number, name in enumerate(PRICE_FIELDS):
        series = [(moment, amounts[number]) for moment, amounts in segment.series]
        runs = runs_of(series, rounds, segment.gaps, segment.left)
        marks = price_marks(
            runs, may_be_free=variant == "free", zero_is_unknown=name not in {"input", "output"}
        )
        for (before, run), mark in zip(pairwise(runs), marks, strict=True):
            ratio = None
            if before.value and run.value is not None:
                ratio = round(float(run.value / before.value), RATIO_DIGITS)
            yield {
                "tier_from": tile[0],
                "window_utc": tile[1],
                "field": name,
                "before": before.value,
                "after": run.value,
                "ratio": ratio,
                "at": run.at,
                "until": run.until,
                "mark": mark,
            }


def _whole(name: str, at: datetime, until: datetime | None, mark: Mark) -> dict[str, Any]:
    """A change of a whole offer."""
    return {
        "tier_from": 0,
        "window_utc": "",
        "field": name,
        "before": None,
        "after": None,
        "ratio": None,
        "at": at,
        "until": until,
        "mark": mark,
    }
