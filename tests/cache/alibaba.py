"""What the tests of Alibaba's price feed share: how its files are written, and what was read."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx

from qwenwatch_cache.feeds.alibaba_list import FEED, parse_group
from qwenwatch_cache.feeds.feed import Parsed
from qwenwatch_cache.frames import PRICE_FIELDS
from tests.feedserver import FIXTURE_NOW
from tests.feedserver.bodies import FIXTURES

Json = dict[str, Any]

LATER = FIXTURE_NOW + timedelta(days=1)
UNIT = "每百万tokens"


def body_of(name: str) -> bytes:
    return (FIXTURES / "alibaba-groups" / f"{name}.json").read_bytes()


def group(name: str) -> Parsed:
    return parse_group(body_of(f"groups/{name}"), FIXTURE_NOW)


def stated(kind: str, price: Any, **more: Any) -> Json:
    return {"type": kind, "price": price, "priceUnit": UNIT, "priceName": "", **more}


def model(name: str, *prices: Json, **more: Any) -> Json:
    return {"model": name, "provider": "qwen", "prices": list(prices), **more}


def family(*models: Json) -> Parsed:
    return parse_group(dump({"name": "", "items": models}), FIXTURE_NOW)


def dump(payload: Any) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def cells(answer: Parsed) -> dict[tuple[str, str, int], dict[str, Decimal]]:
    """Model, variant and tier -> the amounts that are known."""
    return {
        (row["model"], row["variant"], row["tier_from"]): {
            column: row[column] for column in PRICE_FIELDS if row[column] is not None
        }
        for row in answer.frames["price"].iter_rows(named=True)
    }


def accounted(answer: Parsed) -> int:
    return sum(map(len, cells(answer).values())) + sum(answer.refused.values())


def amounts(**of: str) -> dict[str, Decimal]:
    return {column: Decimal(text) for column, text in of.items()}


def followed(client: httpx.Client) -> Iterator[tuple[str, Parsed]]:
    """The feed as a round asks for it: the index, then what it leads to."""
    (first,) = FEED.plan(FIXTURE_NOW, [])
    index = first.parse(client.get(first.path).raise_for_status().content, FIXTURE_NOW)
    for request in index.follow:
        body = client.get(request.path).raise_for_status().content
        yield request.path, request.parse(body, FIXTURE_NOW)
