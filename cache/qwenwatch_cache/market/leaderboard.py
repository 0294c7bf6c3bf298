"""Who is used most: rank, share and their change, with the shares of the windows before."""

import polars as pl

from qwenwatch_cache.market.definitions import By, Definition
from qwenwatch_cache.market.directory import OTHER, UNATTRIBUTED, Directory
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.vendors import UNKNOWN

SHARE_DIGITS = 9
"""Shares are rounded to this many digits, so that the order of additions cannot be seen in them."""

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

_ATTRIBUTES = pl.Schema(
    {
        "feed": pl.String(),
        "kind": pl.String(),
        "entity": pl.String(),
        "id": pl.String(),
        "source_id": pl.String(),
        "name": pl.String(),
        "vendor": pl.String(),
        "country": pl.String(),
        "ranked": pl.Boolean(),
    }
)


def leaderboard(
    all_totals: pl.DataFrame,
    definition: Definition,
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
    attributes = _attributes(recent, by, directory)
    grouped = (
        recent.join(attributes, on=["feed", "kind", "entity"], how="left")
        .group_by("start", "id")
        .agg(
            pl.col("source_id", "name", "vendor", "country", "ranked").first(),
            value=pl.when(pl.col("value").is_not_null().any()).then(pl.col("value").sum()),
            share=pl.col("share").sum().round(SHARE_DIGITS),
        )
        .sort("start", "id")
    )
    now = _ranked(grouped.filter(pl.col("start") == window.start))
    before = _ranked(grouped.filter(pl.col("start") == window.shifted(-1).start))
    if _scope(recent, window) != _scope(recent, window.shifted(-1)):
        before = before.clear()  # another source names others: what moved cannot be told
    points = grouped.group_by("id", maintain_order=True).agg(history=pl.struct("start", "share"))
    return (
        now.join(
            before.select("id", previous_rank="rank", previous_share="share"), on="id", how="left"
        )
        .join(points, on="id", how="left")
        .with_columns(
            metric=pl.lit(definition.metric),
            share_change=(pl.col("share") - pl.col("previous_share")).round(SHARE_DIGITS),
        )
        .sort(pl.col("rank").is_null(), "rank", "id")
        .select(LEADERBOARD.names())
        .cast(dict(LEADERBOARD.items()))
    )


def _scope(all_totals: pl.DataFrame, window: Window) -> tuple[object, ...]:
    """Which source answered for a window."""
    rows = all_totals.filter(pl.col("start") == window.start).select("feed", "kind", "scope")
    return rows.unique().row(0) if rows.height else ()


def _ranked(rows: pl.DataFrame) -> pl.DataFrame:
    """Number the rows that can be ranked, most first; the others get no rank."""
    return rows.sort(
        pl.col("ranked").not_(),
        pl.col("value").fill_null(0),
        "share",
        "id",
        descending=[False, True, True, False],
    ).with_columns(
        rank=pl.when("ranked").then(pl.int_range(1, pl.len() + 1, dtype=pl.Int64)),
    )


def _attributes(rows: pl.DataFrame, by: By, directory: Directory) -> pl.DataFrame:
    """Id, name, vendor and country of every (feed, kind, entity) that occurs."""
    entities = rows.select("feed", "kind", "entity").unique().sort("feed", "kind", "entity")
    found = [
        {
            "feed": feed,
            "kind": kind,
            "entity": entity,
            **_attribute(feed, kind, entity, by, directory),
        }
        for feed, kind, entity in entities.iter_rows()
    ]
    return pl.DataFrame(found, schema=_ATTRIBUTES)


def _attribute(
    feed: str, kind: str, entity: str, by: By, directory: Directory
) -> dict[str, str | bool | None]:
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


def _bucket(id_: str, name: str) -> dict[str, str | bool | None]:
    return {
        "id": id_,
        "source_id": None,
        "name": name,
        "vendor": None,
        "country": None,
        "ranked": False,
    }
