"""Who is used most: rank, share and their change, with the shares of the windows before."""

from collections.abc import Mapping
from datetime import date
from typing import TypedDict

import msgspec
import polars as pl

from qwenwatch_cache.market.definitions import By, Definition, Standing
from qwenwatch_cache.market.directory import OTHER, UNATTRIBUTED, Directory
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.vendors import UNKNOWN

SHARE_DIGITS = 9
"""Shares are rounded to this many digits, so that the order of additions cannot be seen in them."""

_DIGITS = 10.0**SHARE_DIGITS

POINT = pl.Struct({"start": pl.Date(), "share": pl.Float64()})

LEADERBOARD = pl.Schema(
    {
        "rank": pl.Int64(),  # null for `other` and for what is not attributed
        "previous_rank": pl.Int64(),  # null if it was not there, or the window before is unknown
        "id": pl.String(),
        "source_id": pl.String(),  # the source's own id, null for a group of several
        "name": pl.String(),
        "vendor": pl.String(),  # null for countries and for what is not attributed
        "country": pl.String(),  # null where unknown
        "metric": pl.String(),
        "value": pl.Int64(),  # null where only shares are published
        "share": pl.Float64(),  # 0..1 of everything the source counted
        "previous_share": pl.Float64(),
        "share_change": pl.Float64(),
        "history": pl.List(POINT),  # oldest first, only windows with a figure; the last is this one
    }
)


class Attributes(TypedDict):
    """Who an entity of a source is, or the group that it is counted in."""

    id: str
    source_id: str | None
    name: str
    vendor: str | None
    country: str | None
    ranked: bool


def leaderboard(
    all_totals: pl.DataFrame,
    definition: Definition | Standing,
    by: By,
    window: Window,
    directory: Directory,
    *,
    history: int = 26,
) -> pl.DataFrame:
    """Rank everything of one window.

    Args:
        all_totals: TOTALS of the definition, for this grouping and the window's grain.
        definition: What was counted.
        by: Grouping.
        window: Which window.
        directory: Who is behind an id.
        history: Number of windows in `history`, this one included.

    Returns:
        LEADERBOARD in rank order: by value or, where only shares are published, by share, ties by
        id; then `other` (by model) or "unattributed" (by vendor and country) without a rank. Empty
        if the window has no figures.
    """
    first = window.shifted(1 - history).start
    # A window of which days are missing is a gap, except the one that was asked for.
    recent = all_totals.filter(
        pl.col("start").is_between(first, window.start)
        & (pl.col("complete") | (pl.col("start") == window.start))
    )
    known: dict[tuple[str, str, str], Attributes] = {}
    groups: dict[date, dict[str, _Group]] = {}
    # So few rows that plain Python is quicker over them than one join after the other.
    columns = ("start", "feed", "kind", "entity", "value", "share", "scope")
    scopes: dict[date, tuple[str, str, str]] = {}
    for start, feed, kind, entity, value, share, scope in recent.select(columns).iter_rows():
        named = (feed, kind, entity)
        scopes[start] = max(scopes.get(start, ("", "", "")), (feed, kind, scope))
        if named not in known:
            known[named] = _attributes(feed, kind, entity, by, directory)
        here = groups.setdefault(start, {})
        group = here.get(known[named]["id"])
        if group is None:
            group = here[known[named]["id"]] = _Group(known[named])
        group.add(value, share)
    now = _ranked(groups.get(window.start, {}))
    before = _ranked(groups.get(window.shifted(-1).start, {}))
    if scopes.get(window.start) != scopes.get(window.shifted(-1).start):
        before = {}  # another source names others: what moved cannot be told
    starts = sorted(groups)
    rows = []
    for id_, (rank, group) in now.items():
        previous_rank, previous = before.get(id_, (None, None))
        rows.append(
            {
                **group.attributes,
                "rank": rank,
                "previous_rank": previous_rank,
                "metric": definition.metric,
                "value": group.value,
                "share": group.share,
                "previous_share": None if previous is None else previous.share,
                "share_change": None
                if previous is None
                else _rounded(group.share - previous.share),
                "history": [
                    {"start": start, "share": groups[start][id_].share}
                    for start in starts
                    if id_ in groups[start]
                ],
            }
        )
    rows.sort(key=lambda row: (row["rank"] is None, row["rank"] or 0, row["id"]))
    return pl.DataFrame(rows, schema=LEADERBOARD)


class _Group(msgspec.Struct):
    """What is counted under one id in one window: the models of a vendor, say."""

    attributes: Attributes
    value: int | None = None
    _shares: float = 0.0

    def add(self, value: int | None, share: float | None) -> None:
        """Count a row of TOTALS in."""
        if value is not None:
            self.value = (self.value or 0) + value
        self._shares += share or 0.0

    @property
    def share(self) -> float:
        return _rounded(self._shares)


def _rounded(share: float) -> float:
    # As Polars rounds: what is a tie of decimals is told after the multiplication.
    return round(share * _DIGITS) / _DIGITS


def _ranked(groups: Mapping[str, _Group]) -> dict[str, tuple[int | None, _Group]]:
    """Number those that can be ranked, most first; the others get no rank."""
    order = sorted(
        groups.items(),
        key=lambda item: (
            not item[1].attributes["ranked"],
            -(item[1].value or 0),
            -item[1].share,
            item[0],
        ),
    )
    return {
        id_: (rank if group.attributes["ranked"] else None, group)
        for rank, (id_, group) in enumerate(order, start=1)
    }


def _attributes(feed: str, kind: str, entity: str, by: By, directory: Directory) -> Attributes:
    rest = entity in OTHER
    model = None if rest or kind == "lab" else directory.model(feed, entity)
    vendor_id = UNKNOWN if rest else model.vendor if model else directory.lab(feed, entity)
    vendor = directory.vendor(vendor_id)
    country = directory.country(vendor_id) or None
    if by == "model" and not rest:
        return {
            "id": model.id if model else entity,
            "source_id": entity,
            "name": model.name if model else entity,
            "vendor": vendor.id if vendor else None,
            "country": country,
            "ranked": True,
        }
    if by == "model":
        return _bucket("other", "other models")
    if by == "vendor" and vendor is not None:
        return {
            "id": vendor.id,
            "source_id": None,
            "name": vendor.label,
            "vendor": vendor.id,
            "country": country,
            "ranked": True,
        }
    if by == "country" and country is not None:
        return {
            "id": country,
            "source_id": None,
            "name": country,
            "vendor": None,
            "country": country,
            "ranked": True,
        }
    return _bucket(UNATTRIBUTED, UNATTRIBUTED)


def _bucket(id_: str, name: str) -> Attributes:
    return {
        "id": id_,
        "source_id": None,
        "name": name,
        "vendor": None,
        "country": None,
        "ranked": False,
    }
