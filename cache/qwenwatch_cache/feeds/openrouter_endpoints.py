"""OpenRouter's endpoints of one model: which hosts serve it, at what price, how reliably.

Asked on demand only, for the model on screen: one request per model, 400 for all of them.

Facts (OpenRouterTeam/docs openapi.yaml; a public body of openai/gpt-4o; rows that a public scraper
took from the bodies of 2026-02…08): pricing has the shape of the model list
(`openrouter_pricing`). `tag` names the host and the quality it serves ("nebius/fp8") and is unique
within a model in every recording. `status` is 0 when all is well, -2 and -5 were seen where the
uptime was low. Uptimes are percentages, null where there was no traffic; "unknown" as quantization
means that the host states none.

`pricing.discount` is left alone: the prices beside it are what is charged, promotions taken off
already. openapi.yaml words it as "multiplied by (1 - discount)", but models.dev (issue 4580) and
PostHog (pull request 74972), who both compared bodies with the vendors' lists, found the prices to
be net; the part can be negative, which is a surcharge that is already in the price too.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote, unquote

import msgspec
import polars as pl

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import (
    Count,
    Done,
    Feed,
    Parsed,
    Parser,
    Request,
    decode,
    decode_each,
    name_of,
    noted,
    refuse_unit_error,
)
from qwenwatch_cache.feeds.money import RefusedPrice
from qwenwatch_cache.feeds.openrouter_pricing import Pricing, price_rows
from qwenwatch_cache.frames import HOST, PRICE, conform
from qwenwatch_cache.identity import split_variant

NAME = "openrouter-endpoints"
PATH = "/api/v1/models"

QUOTED = 60
"""Letters of a feed's text that a message repeats at most."""

_Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
_Status = Annotated[int, msgspec.Meta(ge=-1000, le=1000)]


class _Endpoint(msgspec.Struct):
    tag: str
    provider_name: str
    pricing: Pricing
    quantization: str | None = None
    context_length: Count | None = None
    max_completion_tokens: Count | None = None
    status: _Status | None = None
    uptime_last_30m: _Percent | None = None
    uptime_last_1d: _Percent | None = None


class _Model(msgspec.Struct):
    id: str
    endpoints: list[msgspec.Raw]


class _Body(msgspec.Struct):
    data: _Model


def parse(body: bytes, fetched_at: datetime, model: str) -> Parsed:
    """Read the endpoints of one model into hosts and their route prices.

    Args:
        body: The answer.
        fetched_at: When it came.
        model: The id that was asked about, without a variant.

    Raises:
        FeedError: Not the documented shape, of another model, no hosts, or too many bad rows.
    """
    data = decode(NAME, body, _Body).data
    if data.id != model:
        raise FeedError(f"{NAME}: asked about {model}, the answer is about {data.id[:QUOTED]!r}")
    if not data.endpoints:
        raise FeedError(
            f"{NAME}: the answer names no host of {model}; that is a fault, not an empty market"
        )
    endpoints, bad = decode_each(
        NAME, [(name_of(raw, "tag"), raw) for raw in data.endpoints], _Endpoint
    )
    refused: Counter[str] = Counter()
    if bad:
        refused["another shape than documented"] = len(bad)
    hosts: dict[str, dict[str, Any]] = {}
    prices: list[dict[str, Any]] = []
    wrong: list[str] = []
    for name, endpoint in endpoints:
        if endpoint.tag in hosts:
            refused["a host stated twice"] += 1
            continue
        try:
            rows = price_rows(
                endpoint.pricing,
                feed=NAME,
                provider=endpoint.tag,
                model=model,
                observed_at=fetched_at,
            )
            prices.extend(rows)
        except RefusedPrice as reason:
            refused[reason.rule] += 1
            wrong.append(f"{name}: {reason}")
            continue
        hosts[endpoint.tag] = _host_row(endpoint, model, fetched_at)
    if wrong:
        refuse_unit_error(NAME, len(wrong), len(endpoints), wrong[0])
    frames = {
        "host": conform(pl.DataFrame(list(hosts.values()), schema=HOST), HOST),
        "price": conform(pl.DataFrame(prices, schema=PRICE), PRICE),
    }
    # A host whose entry could not be used was named, so that none of the model's hosts counts as
    # vanished by this answer.
    unread = frozenset({model} if bad or wrong else ())
    notes, whole = noted(bad, wrong), frozenset({model})
    return Parsed(frames, len(data.endpoints), refused, unread, notes, whole)


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """Nothing: a round over the feeds asks about no model."""
    return ()


def on_demand(model: str) -> Request:
    """The request about one model.

    Args:
        model: OpenRouter's id. Its variant is dropped: hosts are asked for the standard one only.
    """
    base_id, _ = split_variant(model)
    path = f"{PATH}/{quote(base_id)}/endpoints"
    return Request(path, reads(path))


def reads(url: str) -> Parser:
    """Every answer must be of the model that was asked about."""
    model = url.partition(f"{PATH}/")[2].removesuffix("/endpoints")
    return partial(parse, model=unquote(model))


def _host_row(endpoint: _Endpoint, model: str, fetched_at: datetime) -> dict[str, Any]:
    return {
        "feed": NAME,
        "model": model,
        "provider": endpoint.tag,
        "provider_name": endpoint.provider_name,
        "quantization": None if endpoint.quantization == "unknown" else endpoint.quantization,
        "context_length": endpoint.context_length,
        "max_output": endpoint.max_completion_tokens,
        "status": endpoint.status,
        "uptime_30m": _fraction(endpoint.uptime_last_30m),
        "uptime_1d": _fraction(endpoint.uptime_last_1d),
        "listed": True,
        "observed_at": fetched_at,
    }


def _fraction(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


FEED = Feed(
    name=NAME,
    title="OpenRouter hosts of the model on screen",
    publisher="OpenRouter",
    kind="prices",
    host="https://openrouter.ai",
    plan=plan,
    budget=200,
    floor=timedelta(minutes=10),
    licence="no licence stated for /models",
    citation="Prices: OpenRouter (openrouter.ai/models), as of {as_of}",
    page="https://openrouter.ai/models",
    on_demand=on_demand,
    reads=reads,
)
