"""Who changed places and shares between two windows of the same source."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from qwenwatch_cache.identity import split_variant
from qwenwatch_cache.market.changes import CHANGES, Kind
from qwenwatch_cache.market.definitions import By, Definition


def movers(
    before: pl.DataFrame,
    after: pl.DataFrame,
    definition: Definition,
    by: By,
    *,
    feed: str,
    over: datetime,
) -> pl.DataFrame:
    """Changes of rank and share from one whole window to another of the same source.

    Args:
        before: leaderboard.LEADERBOARD of the earlier window.
        after: The same of the later one.
        definition: What both counted.
        by: What both are grouped by.
        feed: The source of both.
        over: When the later window was over.

    Returns:
        CHANGES of kinds rank and share. What only one of the windows names has no value in the
        other: below the places that a source names nothing is known.
    """
    was = {row["id"]: row for row in before.to_dicts()}
    now = {row["id"]: row for row in after.to_dicts()}
    rows = []
    for id_ in sorted(was.keys() | now.keys()):
        old, new = was.get(id_), now.get(id_)
        for kind, value in _steps(old, new):
            entity = new or old or {}
            openrouter = by == "model" and feed.startswith("openrouter")
            base, variant = split_variant(id_) if openrouter else (id_, "")
            rows.append(
                {
                    **dict.fromkeys(CHANGES),
                    "at": over,
                    "kind": kind,
                    "by": by,
                    "id": base,
                    "variant": variant,
                    "name": entity["name"],
                    "vendor": entity["vendor"],
                    "field": definition.name,
                    "before": value[0],
                    "after": value[1],
                    "unit": "place" if kind == "rank" else "share",
                    "feed": feed,
                    "provider": "",
                    "region": "",
                    "source_id": entity["source_id"],
                    "mark": "confirmed",
                }
            )
    return pl.DataFrame(rows, schema=CHANGES)


def _steps(
    old: dict[str, Any] | None, new: dict[str, Any] | None
) -> Iterator[tuple[Kind, tuple[Decimal | None, Decimal | None]]]:
    """What of one entity is not as it was."""
    kinds: tuple[Kind, ...] = ("rank", "share")
    for kind in kinds:
        before = None if old is None else old[kind]
        after = None if new is None else new[kind]
        if before != after:
            yield kind, (_exact(before), _exact(after))


def _exact(value: float | None) -> Decimal | None:
    """A place, or a share as it was rounded: its shortest text says it exactly."""
    return None if value is None else Decimal(repr(value))
