"""What a session costs: the published medians by app, model and number of turns."""

import polars as pl

from qwenwatch_cache.frames import MONEY
from qwenwatch_cache.market.directory import Directory

SESSIONS = pl.Schema(
    {
        "rank": pl.Int64(),  # dearest first
        "app": pl.String(),  # the source's own id
        "app_name": pl.String(),
        "model": pl.String(),  # canonical id with variant
        "source_id": pl.String(),
        "model_name": pl.String(),
        "vendor": pl.String(),  # null where unknown
        "turns": pl.String(),  # as the source calls the range: 1-turn … 50-plus-turns
        "median_usd": MONEY,  # per sampled session
    }
)


def sessions(rows: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """Put the medians in order.

    Args:
        rows: Of the session table (frames.SESSION), of one window, with a median.
        directory: Who is behind a model.

    Returns:
        SESSIONS, dearest first, ties by app, model and turns.
    """
    columns = ("app", "app_name", "model", "turns", "median_usd")
    order = rows.sort("median_usd", "app", "model", "turns", descending=[True, False, False, False])
    found = []
    for rank, (app, name, slug, turns, median) in enumerate(
        order.select(columns).iter_rows(), start=1
    ):
        model = directory.model("openrouter-rankings", slug)
        vendor = directory.vendor(model.vendor)
        found.append(
            {
                "rank": rank,
                "app": app,
                "app_name": name or app,
                "model": model.id,
                "source_id": slug,
                "model_name": model.name,
                "vendor": vendor.id if vendor else None,
                "turns": turns,
                "median_usd": median,
            }
        )
    return pl.DataFrame(found, schema=SESSIONS)
