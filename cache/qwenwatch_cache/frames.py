"""The schemas of everything that is kept, declared once.

Every frame that crosses a module border has one of these schemas (or one of
`qwenwatch_cache.market`); `conform` is the gate. Column by column they are documented for notebook
users in docs/data.md.
"""

from dataclasses import dataclass

import polars as pl

INSTANT = pl.Datetime("us", "UTC")
MONEY = pl.Decimal(38, 12)
"""USD (or another currency) per 1M tokens, or per unit; never a float."""

USAGE = pl.Schema(
    {
        "feed": pl.String(),
        "metric": pl.String(),  # tokens, requests, spend
        "kind": pl.String(),  # model, lab
        "entity": pl.String(),  # the source's own id, verbatim
        "grain": pl.String(),  # day, week
        "period": pl.Date(),  # first day, UTC
        "value": pl.Int64(),  # null where only a share is published
        "share": pl.Float64(),  # 0..1, null where only a value is published
        "scope": pl.String(),
        "as_of": INSTANT,
        "observed_at": INSTANT,
    }
)

PRICE_FIELDS = (
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "reasoning",
    "audio_input",
    "audio_output",
    "audio_cache_read",
    "image_output",  # per 1M image tokens, as all of the above are per 1M tokens
    "request",  # per request
    "image",  # per input image
    "web_search",  # per search
)

PRICE = pl.Schema(
    {
        "feed": pl.String(),
        "basis": pl.String(),  # route, list
        "provider": pl.String(),
        "region": pl.String(),
        "model": pl.String(),  # the source's own id without its variant
        "variant": pl.String(),  # "", free, batch, thinking …
        "tier_from": pl.Int64(),  # applies to prompts of more tokens than this; 0 is the base
        "window_utc": pl.String(),  # "" or "0100-0400": half-open, may wrap midnight
        "currency": pl.String(),
        **dict.fromkeys(PRICE_FIELDS, MONEY),
        "listed": pl.Boolean(),  # false: vanished from the feed at observed_at
        "observed_at": INSTANT,
    }
)

CATALOG = pl.Schema(
    {
        "feed": pl.String(),
        "model": pl.String(),
        "usage_slug": pl.String(),  # id of the same model in the feed's usage figures
        "name": pl.String(),
        "created": INSTANT,
        "context_length": pl.Int64(),
        "open_weights": pl.Boolean(),
        "expires": pl.Date(),
        "observed_at": INSTANT,
    }
)

FETCH = pl.Schema(
    {
        "feed": pl.String(),
        "url": pl.String(),  # without secrets
        "started": INSTANT,
        "status": pl.Int64(),  # HTTP status, null when there was no answer
        "bytes": pl.Int64(),
        "sha256": pl.String(),
        "etag": pl.String(),
        "rows": pl.Int64(),  # rows the body held
        "rows_new": pl.Int64(),  # rows that were stored
        "retry_at": INSTANT,  # not to be asked again before
        "error": pl.String(),  # null when all was well
    }
)


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of frame that is kept.

    Attributes:
        name: File stem in the cache.
        schema: Its columns.
        key: Columns that name a thing; the others are its values.
        whole: Columns within which a feed always states everything: what was there and is not any
            more was withdrawn. Empty if an answer never says that something is gone.
        time: Column that says when a row was learned.
    """

    name: str
    schema: pl.Schema
    key: tuple[str, ...]
    whole: tuple[str, ...] = ()
    time: str = "observed_at"

    @property
    def values(self) -> tuple[str, ...]:
        """Columns whose change makes a new revision."""
        ignored = {*self.key, self.time, "as_of"}
        return tuple(name for name in self.schema if name not in ignored)

    def empty(self) -> pl.DataFrame:
        """A frame of this kind without rows."""
        return pl.DataFrame(schema=self.schema)


USAGE_TABLE = Table(
    "usage",
    USAGE,
    ("feed", "metric", "kind", "entity", "grain", "period"),
    whole=("feed", "metric", "kind", "grain", "period"),
)
PRICE_TABLE = Table(
    "price",
    PRICE,
    (
        "feed",
        "basis",
        "provider",
        "region",
        "model",
        "variant",
        "tier_from",
        "window_utc",
        "currency",
    ),
    whole=("feed",),
)
CATALOG_TABLE = Table("catalog", CATALOG, ("feed", "model"))
FETCH_TABLE = Table("fetch", FETCH, ("feed", "started", "url"), time="started")

TABLES = {table.name: table for table in (USAGE_TABLE, PRICE_TABLE, CATALOG_TABLE, FETCH_TABLE)}


def conform(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Bring a frame to a declared schema: its columns, in its order, of its types.

    Raises:
        polars.exceptions.ColumnNotFoundError: A column is missing.
        polars.exceptions.InvalidOperationError: A value does not fit its type.
    """
    return frame.select(schema.names()).cast(dict(schema.items()))
