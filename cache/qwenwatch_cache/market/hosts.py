"""Which hosts serve one model, at what price, and how reliably."""

import re
from datetime import datetime

import msgspec
import polars as pl

from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.feeds.openrouter_endpoints import NAME, on_demand
from qwenwatch_cache.frames import FETCH_TABLE, HOST_TABLE, INSTANT, MONEY, PRICE_TABLE
from qwenwatch_cache.identity import Identity, split_variant
from qwenwatch_cache.market.in_force import window_in_force
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.store import Store, as_of

HOSTS = pl.Schema(
    {
        "provider": pl.String(),  # the source's own tag of the host, "nebius/fp8"
        "provider_name": pl.String(),
        "input": MONEY,  # USD per 1M tokens, for prompts of the base tier, null if unknown
        "output": MONEY,
        "cache_read": MONEY,
        "window_utc": pl.String(),  # "" or the time of day that the prices are for, null without
        "quantization": pl.String(),  # null if not stated
        "context_length": pl.Int64(),  # tokens
        "max_output": pl.Int64(),  # tokens
        "status": pl.Int64(),  # 0 is well, below 0 degraded
        "uptime_30m": pl.Float64(),  # 0..1
        "uptime_1d": pl.Float64(),
        "observed_at": INSTANT,  # since when the host is known as it is
    }
)

_DIGITS = 15
"""Of shares: 99.9 % was kept as 0.9990000000000001, and was stated as 0.999."""

_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


class NotHosted(QwenwatchError, LookupError):
    """A model that OpenRouter has no id for, so that nobody can be asked about its hosts."""


class Asked(msgspec.Struct, frozen=True):
    """What the log of requests says about one model.

    Attributes:
        last_good: When its hosts were last read successfully, None if never.
        last: When they were last asked for, whatever came of it.
        error: Message of the last request if it failed, "" if not.
    """

    last_good: datetime | None
    last: datetime | None
    error: str


class ModelHosts(msgspec.Struct, frozen=True):
    """The hosts of one model, and how it is known.

    Attributes:
        model: Canonical id, or OpenRouter's own with "@openrouter" if it is not mapped.
        name: For people.
        source_id: OpenRouter's id that is asked about.
        other_ids: Its other ids there, about which nobody asks.
        rows: HOSTS.
        asked: What became of the requests.
    """

    model: str
    name: str
    source_id: str
    other_ids: tuple[str, ...]
    rows: pl.DataFrame
    asked: Asked


def hosts_of(known: Known, store: Store, text: str, *, until: datetime | None = None) -> ModelHosts:
    """The hosts of a model that somebody named, as known.

    Args:
        known: What is known.
        store: Where the hosts and the log of requests are.
        text: See `openrouter_ids`.
        until: Requests made later are left out; None for none, since one may have been made after
            `known` was read.

    Raises:
        UnknownModel, AmbiguousModel: The text names no model, or several.
        NotHosted: OpenRouter has no id for it.
    """
    log = store.cached(FETCH_TABLE, feeds={NAME})
    source_id, *others = openrouter_ids(known.directory.identity, text)
    model = known.directory.model("openrouter-models", source_id)
    return ModelHosts(
        model=model.id,
        name=model.name,
        source_id=source_id,
        other_ids=tuple(others),
        rows=hosts(store.read(HOST_TABLE), known.price, source_id, known.at),
        asked=asked_about(
            log if until is None else log.filter(pl.col("started") <= until), source_id
        ),
    )


def hosts(
    host_frame: pl.DataFrame, price_frame: pl.DataFrame, model: str, at: datetime
) -> pl.DataFrame:
    """The hosts that serve a model at a time, cheapest first.

    Args:
        host_frame: Rows of the host table, all revisions.
        price_frame: Rows of the price table, all revisions.
        model: OpenRouter's own id without a variant.
        at: The moment asked about; nothing learned later is used.

    Returns:
        HOSTS, sorted by input price, output price (unknown ones last) and tag. Hosts that the feed
        names no longer are left out. Where prices depend on the time of day the window in force
        counts.
    """
    own = (pl.col("feed") == NAME) & (pl.col("model") == model)
    serving = as_of(host_frame.filter(own), HOST_TABLE, at).filter("listed")
    base = own & (pl.col("variant") == "") & (pl.col("tier_from") == 0)
    stated = as_of(price_frame.filter(base), PRICE_TABLE, at).filter("listed")
    now = window_in_force(stated, at).unique("provider", keep="first", maintain_order=True)
    prices = now.select("provider", "input", "output", "cache_read", "window_utc")
    rows = serving.join(prices, on="provider", how="left")
    rows = rows.with_columns(pl.col("uptime_30m", "uptime_1d").round(_DIGITS))
    return rows.select(HOSTS.names()).sort("input", "output", "provider", nulls_last=True)


def asked_about(log: pl.DataFrame, model: str) -> Asked:
    """What became of the requests about a model.

    Args:
        log: Requests (frames.FETCH) in the order in which they were logged.
        model: OpenRouter's own id.
    """
    path = on_demand(model).path
    rows = log.filter((pl.col("feed") == NAME) & pl.col("url").str.ends_with(path))
    if rows.is_empty():
        return Asked(None, None, "")
    good = rows.filter(pl.col("error").is_null())
    last = rows.row(-1, named=True)
    return Asked(
        last_good=None if good.is_empty() else good.row(-1, named=True)["started"],
        last=last["started"],
        error=last["error"] or "",
    )


def openrouter_ids(identity: Identity, text: str) -> tuple[str, ...]:
    """OpenRouter's ids of the model that somebody named, the first of which is asked about.

    Args:
        identity: The map of ids.
        text: A canonical id, an id of any feed or a unique part (see `Identity.resolve`); or the
            id of a model that is not mapped, as leaderboards show it ("qwen/new@openrouter").

    Raises:
        UnknownModel, AmbiguousModel: The text names no model, or several.
        NotHosted: OpenRouter has no id for it.
    """
    own_id, unmapped, feed = text.rpartition("@")
    if not unmapped:
        canonical = identity.resolve(text)
        found = identity.ids(canonical).get("openrouter-models", ())
    elif split_variant(feed)[0] == "openrouter" and _ID.fullmatch(split_variant(own_id)[0]):
        canonical, found = text, (split_variant(own_id)[0],)
    else:
        canonical, found = text, ()
    if not found:
        raise NotHosted(f"OpenRouter has no id for {canonical}, so its hosts cannot be asked for")
    return found
