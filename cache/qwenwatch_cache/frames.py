"""The schemas of everything that is kept, declared once.

Every frame that crosses a module border has one of these schemas (or one of
`qwenwatch_cache.market`); `conform` is the gate. Column by column they are documented for notebook
users in docs/data.md.
"""

import msgspec
import polars as pl

INSTANT = pl.Datetime("us", "UTC")
MONEY = pl.Decimal(38, 12)
"""USD (or another currency) per 1M tokens, or per unit; never a float."""

USAGE = pl.Schema(
    {
        "feed": pl.String(),
        # tokens, requests, spend, downloads, likes, open_models, derivatives
        "metric": pl.String(),
        "kind": pl.String(),  # model, lab, app, org
        "entity": pl.String(),  # the source's own id, verbatim
        "grain": pl.String(),  # day, week, rolling30, total (as counted at the end of that day)
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
        # "" or "0100-0400": half-open, may wrap midnight; "67 0000-0000": of these days of the week
        # only (1 is Monday, by UTC), here all day
        "window_utc": pl.String(),
        "currency": pl.String(),
        **dict.fromkeys(PRICE_FIELDS, MONEY),
        "listed": pl.Boolean(),  # false: vanished from the feed at observed_at
        "observed_at": INSTANT,
    }
)

CATALOG = pl.Schema(
    {
        "feed": pl.String(),
        "model": pl.String(),  # the source's own id of the model, or of the app
        "usage_slug": pl.String(),  # id of the same model in the feed's usage figures
        "name": pl.String(),
        "created": INSTANT,
        "context_length": pl.Int64(),
        "open_weights": pl.Boolean(),
        "expires": pl.Date(),
        "observed_at": INSTANT,
    }
)

FX = pl.Schema(
    {
        "feed": pl.String(),
        "date": pl.Date(),  # the day the rate is of
        "base": pl.String(),
        "quote": pl.String(),
        "rate": MONEY,  # units of `quote` for one of `base`
        "observed_at": INSTANT,
    }
)

SESSION = pl.Schema(
    {
        "feed": pl.String(),
        "app": pl.String(),  # the source's own id
        "app_name": pl.String(),
        "turns": pl.String(),  # 1-turn, 2-9-turns, 10-49-turns, 50-plus-turns
        "model": pl.String(),  # the source's own id, verbatim
        "period": pl.Date(),  # last day of the window, UTC
        "window_days": pl.Int64(),
        "median_usd": MONEY,  # per sampled session
        "as_of": INSTANT,
        "observed_at": INSTANT,
    }
)

TASK = pl.Schema(
    {
        "feed": pl.String(),
        "metric": pl.String(),  # tokens, requests
        "task": pl.String(),  # the source's own tag
        "task_name": pl.String(),
        "category": pl.String(),  # code, data, agent, general
        "model": pl.String(),  # "" for the whole task
        "period": pl.Date(),  # last day of the window, UTC
        "window_days": pl.Int64(),
        "share": pl.Float64(),  # 0..1: of everything where `model` is "", else of the task
        "as_of": INSTANT,
        "observed_at": INSTANT,
    }
)

HOST = pl.Schema(
    {
        "feed": pl.String(),
        "model": pl.String(),  # the source's own id
        "provider": pl.String(),  # the source's own tag of the host, "nebius/fp8"
        "provider_name": pl.String(),
        "quantization": pl.String(),  # null if not stated
        "context_length": pl.Int64(),
        "max_output": pl.Int64(),  # tokens
        "status": pl.Int64(),  # 0 is well, below 0 degraded
        "uptime_30m": pl.Float64(),  # 0..1
        "uptime_1d": pl.Float64(),
        "listed": pl.Boolean(),  # false: vanished from the feed at observed_at
        "observed_at": INSTANT,
    }
)

FETCH = pl.Schema(
    {
        "feed": pl.String(),
        "url": pl.String(),  # without secrets
        "started": INSTANT,
        # HTTP status; 0 where no connection came about, null where there was no whole answer
        "status": pl.Int64(),
        "bytes": pl.Int64(),
        "sha256": pl.String(),
        "etag": pl.String(),  # ETag; where the server gives none, its Last-Modified date
        "rows": pl.Int64(),  # rows the body held
        "rows_new": pl.Int64(),  # rows that were stored
        "retry_at": INSTANT,  # not to be asked again before
        "error": pl.String(),  # null when all was well
        # part (a round goes on), last (it is complete), backfill, model; null in older logs
        "role": pl.String(),
    }
)


class Table(msgspec.Struct, frozen=True):
    """One kind of frame that is kept.

    Attributes:
        name: File stem in the cache.
        schema: Its columns.
        key: Columns that name a thing; the others are its values.
        whole: Columns within which a feed always states everything: what was there and is not any
            more was withdrawn. Empty if an answer never says that something is gone.
        time: Column that says when a row was learned.
        later: Columns that came after the first release; null in what was written before.
    """

    name: str
    schema: pl.Schema
    key: tuple[str, ...]
    whole: tuple[str, ...] = ()
    time: str = "observed_at"
    later: tuple[str, ...] = ()

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
FX_TABLE = Table("fx", FX, ("feed", "date", "base", "quote"))
SESSION_TABLE = Table("session", SESSION, ("feed", "app", "turns", "model", "period"))
TASK_TABLE = Table("task", TASK, ("feed", "metric", "task", "model", "period"))
HOST_TABLE = Table("host", HOST, ("feed", "model", "provider"), whole=("feed", "model"))
FETCH_TABLE = Table("fetch", FETCH, ("feed", "started", "url"), time="started", later=("role",))

TABLES = {
    table.name: table
    for table in (
        USAGE_TABLE,
        PRICE_TABLE,
        CATALOG_TABLE,
        FX_TABLE,
        SESSION_TABLE,
        TASK_TABLE,
        HOST_TABLE,
        FETCH_TABLE,
    )
}


def conform(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Bring a frame to a declared schema: its columns, in its order, of its types.

    Raises:
        polars.exceptions.ColumnNotFoundError: A column is missing.
        polars.exceptions.InvalidOperationError: A value does not fit its type.
    """
    if frame.schema == schema:
        return frame
    return frame.select(schema.names()).cast(dict(schema.items()))
