"""How much of what a source counts is of models that the written map does not know, and of which.

What is not in the map is shown under the source's own id and meets nothing of another source: no
price, no usage elsewhere. So its weight says how much every joined answer leaves out.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, get_args

import msgspec
import polars as pl

from qwenwatch_cache.market.definitions import Definition
from qwenwatch_cache.market.directory import OTHER, Directory
from qwenwatch_cache.market.leaderboard import SHARE_DIGITS
from qwenwatch_cache.market.windows import Window

if TYPE_CHECKING:
    from qwenwatch_cache.market.known import Known
    from qwenwatch_cache.market.origins import Origin

Number = TypeVar("Number", int, float)
Status = Literal["mapped", "cloaked", "unmapped", "other"]
STATUSES: tuple[Status, ...] = get_args(Status)

CLOAKED_AUTHORS = frozenset({"openrouter", "stealth"})
"""Authors under whom OpenRouter offers models whose maker is not told (see vendors.toml)."""

COVERAGE = pl.Schema(
    {
        "status": pl.String(),  # mapped, cloaked, unmapped, other: each once, in this order
        "entities": pl.Int64(),  # ids of the source
        "value": pl.Int64(),  # null where only shares are published
        "share": pl.Float64(),  # 0..1 of everything the source counted
    }
)

UNMAPPED = pl.Schema(
    {
        "status": pl.String(),  # cloaked, unmapped
        "entity": pl.String(),  # the source's own id, verbatim
        "name": pl.String(),
        "value": pl.Int64(),
        "share": pl.Float64(),
    }
)


class Coverage(msgspec.Struct, frozen=True):
    """What the map covers of one definition's window.

    Attributes:
        definition: What was counted.
        window: When.
        complete: Whether every day of the window is there.
        scope: What the source counted, in its words.
        shares: COVERAGE.
        rows: UNMAPPED, heaviest first.
        origin: Where the figures came from.
    """

    definition: Definition
    window: Window
    complete: bool
    scope: str
    shares: pl.DataFrame
    rows: pl.DataFrame
    origin: "Origin"


def coverage_of(known: "Known", definition: Definition, window: Window) -> Coverage:
    """What the map covers of a window; both frames are empty if there are no figures by model."""
    board = known.board(definition, "model", window, history=1)
    here = known.totals(definition, "model", window.grain, (window.start, window.end))
    here = here.filter((pl.col("start") == window.start) & (pl.col("kind") == "model"))
    return Coverage(
        definition=definition,
        window=window,
        complete=board.complete,
        scope=board.scope,
        shares=coverage(here, known.directory),
        rows=unmapped(here, known.directory),
        origin=board.origin,
    )


def by_model(definitions: Sequence[Definition]) -> Sequence[Definition]:
    """The definitions of usage per model, those left out that count a part of another."""
    return [
        one
        for one in definitions
        if not one.standard_only and any(source.kind == "model" for source in one.models)
    ]


def coverage(rows: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """Add up one window by what the map says of its ids.

    Args:
        rows: TOTALS of one window, by model.
        directory: Who is behind an id.

    Returns:
        COVERAGE; empty if the window has no rows. The sum of one status is null if one of its ids
        has no figure: what is unknown is not counted as 0.
    """
    if rows.is_empty():
        return pl.DataFrame(schema=COVERAGE)
    figures = _figures(rows, directory)
    by_values = any(figure.value is not None for figure in figures)
    sums = []
    for status in STATUSES:
        own = [figure for figure in figures if figure.status == status]
        values = [figure.value for figure in own]
        shares = [figure.share for figure in own]
        sums.append(
            {
                "status": status,
                "entities": len(own),
                # A source that publishes shares only has no value of nothing either.
                "value": _sum(values) if by_values else None,
                "share": _sum(shares),
            }
        )
    if all(figure.share is None for figure in figures):
        sums = [{**one, "share": None} for one in sums]  # of nothing at all nobody has a share
    frame = pl.DataFrame(sums, schema=COVERAGE)
    return frame.with_columns(pl.col("share").round(SHARE_DIGITS))


def unmapped(rows: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """The ids of one window that the map does not know, `other` left out.

    Args:
        rows: TOTALS of one window, by model.
        directory: Who is behind an id.

    Returns:
        UNMAPPED, heaviest first, ties by id.
    """
    told = [
        {
            "status": one.status,
            "entity": one.entity,
            "name": directory.model(one.feed, one.entity).name,
            "value": one.value,
            "share": one.share,
        }
        for one in sorted(
            _figures(rows, directory),
            key=lambda one: (-(one.value or 0), -(one.share or 0.0), one.entity),
        )
        if one.status in {"cloaked", "unmapped"}
    ]
    return pl.DataFrame(told, schema=UNMAPPED).with_columns(pl.col("share").round(SHARE_DIGITS))


def status_of(feed: str, entity: str, directory: Directory) -> Status:
    """What the map says of a source's own id of a model.

    "cloaked" is an id that hides its maker on purpose: no map can ever know it.
    """
    if entity in OTHER:
        return "other"
    if directory.model(feed, entity).mapped:
        return "mapped"
    author, slash, _ = entity.partition("/")
    cloaked = feed.startswith("openrouter") and slash and author in CLOAKED_AUTHORS
    return "cloaked" if cloaked else "unmapped"


class _Figure(NamedTuple):
    """One id of a window."""

    feed: str
    entity: str
    status: Status
    value: int | None
    share: float | None


def _figures(rows: pl.DataFrame, directory: Directory) -> list[_Figure]:
    return [
        _Figure(feed, entity, status_of(feed, entity, directory), value, share)
        for feed, entity, value, share in rows.select("feed", "entity", "value", "share").rows()
    ]


def _sum(numbers: Sequence[Number | None]) -> Number | Literal[0] | None:
    """The sum, None if one of them is unknown."""
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
