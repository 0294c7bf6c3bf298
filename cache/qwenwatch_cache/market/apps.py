"""Which apps use most: tokens, requests, and how many tokens to a request."""

from collections.abc import Callable
from decimal import Decimal

import polars as pl

AMOUNT = pl.Decimal(38, 12)

APPS = pl.Schema(
    {
        "rank": pl.Int64(),  # by tokens; null where they are not known
        "id": pl.String(),  # the source's own number of the app
        "name": pl.String(),
        "tokens": pl.Int64(),  # null if not stated
        "requests": pl.Int64(),
        "tokens_per_request": AMOUNT,  # null if either is not stated, or there was no request
    }
)


def apps(
    tokens: pl.DataFrame, requests: pl.DataFrame, name_of: Callable[[str], str]
) -> pl.DataFrame:
    """Put the two figures of each app side by side.

    Args:
        tokens: Usage rows of apps, one per app.
        requests: The same of requests, of the same days.
        name_of: Gives the name for people of an app's id.

    Returns:
        APPS, most tokens first, ties by id; those whose tokens are not known last.
    """
    both = (
        tokens.select("entity", tokens="value")
        .join(requests.select("entity", requests="value"), on="entity", how="full", coalesce=True)
        .sort("tokens", "entity", descending=[True, False], nulls_last=True)
    )
    rows = [
        {
            "rank": None if used is None else rank,
            "id": id_,
            "name": name_of(id_),
            "tokens": used,
            "requests": asked,
            "tokens_per_request": _ratio(used, asked),
        }
        for rank, (id_, used, asked) in enumerate(
            both.select("entity", "tokens", "requests").iter_rows(), start=1
        )
    ]
    return pl.DataFrame(rows, schema=APPS)


def _ratio(tokens: int | None, requests: int | None) -> Decimal | None:
    if tokens is None or not requests:
        return None
    return (Decimal(tokens) / Decimal(requests)).quantize(Decimal(1).scaleb(-AMOUNT.scale))
