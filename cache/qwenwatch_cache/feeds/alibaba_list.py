"""Model Studio: Alibaba's own list prices for mainland China, in yuan, with their tiers.

Facts (modelstudioai/skills, "official Agent Skills repository from ModelStudio", Apache-2.0, folder
skills/bailian-docs-llm-wiki/models as of 2026-05-27; its SKILL.md says that it is read from the
console's listFoundationModels):

* ``index.json`` names all families with their providers (who makes the models) and capabilities.
  It stood in the repository in May and, alike, in September 2026. ``families.jsonl`` says the same
  at one and a half times the size; ``models.jsonl`` has no tiered price and is of no use.
* ``groups/<slug>.json`` holds the models of a family. `prices` of flat models and `multiPrices` of
  tiered ones are yuan per 1M tokens where `priceUnit` says so (每百万tokens). `rangeStart` is in
  tokens, and a range is open at its start ("128k<输入<=256k" starts at 131072). The whole request
  is billed at the tier that its input falls in (help.aliyun.com, model-pricing).
* A later version of a file may state no price at all (qwen3.5-plus and qwen3-max did). That
  withdraws nothing: the last known prices stay. A model that does state prices states all it has,
  so that a tier which is gone is withdrawn (qwen3-max went from tiers at 32K and 128K to one of
  0–128K on 2026-09-11: the old 32K tier would go on to price what it no longer covers).
* `latestOnlineAt` is the day of the latest version of a model, not of its release: not kept.

Asked for are the files of families that have a model of Alibaba's own that writes text: a
capability of `WRITES_TEXT` and a provider of `MAKERS`. That leaves out speech, images, video and
vectors, and what Model Studio sells of other vendors ("…-market-place", deepseek, glm): a host's
price is not the vendor's list price.

What becomes of the price types stands in `alibaba_prices`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any

import msgspec
import polars as pl

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.alibaba_prices import Amounts, Priced, amounts_of
from qwenwatch_cache.feeds.feed import (
    Count,
    Done,
    Feed,
    Parsed,
    Parser,
    Request,
    decode,
    decode_each,
    noted,
    refuse_unit_error,
)
from qwenwatch_cache.feeds.money import RefusedPrice
from qwenwatch_cache.feeds.price_row import price_row
from qwenwatch_cache.frames import CATALOG, PRICE, conform

NAME = "alibaba-list"
FOLDER = "/modelstudioai/skills/main/skills/bailian-docs-llm-wiki/models/"

MAKERS = frozenset({"qwen", "qwen-domain-model"})
"""Providers that are Alibaba's own makers of models that write text."""

WRITES_TEXT = frozenset({"TG", "Reasoning", "VU", "Multimodal-Omni"})
"""Capabilities: text generation, reasoning, understanding of pictures, text and speech in one."""

_SLUG = re.compile(r"\w[\w.-]*", re.ASCII)
_BEIJING = timezone(timedelta(hours=8))


class _Index(msgspec.Struct):
    families: list[msgspec.Raw]


class _Family(msgspec.Struct):
    slug: str
    providers: list[str]
    capabilities: list[str]


class _Group(msgspec.Struct):
    items: list[msgspec.Raw]


class _Maker(msgspec.Struct):
    model: Annotated[str, msgspec.Meta(min_length=1)]
    provider: str


class _Shutdown(msgspec.Struct, rename="camel"):
    offline_time: str | None = None


class _OfflineInfo(msgspec.Struct):
    inference: _Shutdown | None = None


class _Model(Priced, rename="camel"):
    name: str = ""
    context_window: Count | None = None
    open_source: bool | None = None
    offline_at: str | None = None
    offline_info: _OfflineInfo | None = None


def parse_index(body: bytes, fetched_at: datetime) -> Parsed:
    """Read the index of families into the requests for their files.

    An entry is a family.

    Raises:
        FeedError: Not the documented shape, too many bad rows, or no family to ask for.
    """
    rows = decode(NAME, body, _Index).families
    families, bad = decode_each(
        NAME, [(f"family {place}", row) for place, row in enumerate(rows, 1)], _Family
    )
    refused: Counter[str] = Counter()
    if bad:
        refused["another shape than documented"] = len(bad)
    slugs: dict[str, None] = {}
    for _, family in families:
        if not WRITES_TEXT.intersection(family.capabilities):
            refused["writes no text"] += 1
        elif not MAKERS.intersection(family.providers):
            refused["another vendor's models"] += 1
        elif not _SLUG.fullmatch(family.slug):
            refused["not a file's name"] += 1
        elif family.slug in slugs:
            refused["named twice"] += 1
        else:
            slugs[family.slug] = None
    if not slugs:
        raise FeedError(f"{NAME}: the index names no family of Alibaba's own text models")
    follow = [Request(f"{FOLDER}groups/{slug}.json", parse_group) for slug in slugs]
    return Parsed({}, len(rows), refused, whole=frozenset(), follow=follow)


def parse_group(body: bytes, fetched_at: datetime) -> Parsed:
    """Read the models of one family into list prices and catalogue rows.

    An entry is one stated price, or a model that states none; what is kept is one amount each. A
    wrong price costs its model all of them.

    Raises:
        FeedError: Not the documented shape, no models, or too many that cannot be right.
    """
    items = decode(NAME, body, _Group).items
    if not items:
        raise FeedError(f"{NAME}: the family has no models; that is a fault, not an empty family")
    own, refused = _own_models(items)
    models, bad = decode_each(NAME, list(own.items()), _Model)
    if bad:
        refused["another shape than documented"] += len(bad)
    unread = {name for name, _ in bad}
    prices: list[dict[str, Any]] = []
    wrong: list[str] = []
    rows = len(items) - len(models)
    for name, model in models:
        stated = model.stated()
        rows += max(1, stated)
        try:
            amounts, left_out = amounts_of(model)
        except RefusedPrice as reason:
            refused[reason.rule] += stated
            wrong.append(f"{name}: {reason}")
            unread.add(name)
            continue
        refused.update(left_out)
        if not stated:
            refused["no price stated"] += 1
        prices.extend(_price_rows(name, amounts, fetched_at))
    if wrong:
        refuse_unit_error(NAME, len(wrong), len(models), wrong[0])
    catalog = [_catalog_row(name, model, fetched_at) for name, model in models]
    return Parsed(
        {
            "price": conform(pl.DataFrame(prices, schema=PRICE), PRICE),
            "catalog": conform(pl.DataFrame(catalog, schema=CATALOG), CATALOG),
        },
        rows,
        refused,
        frozenset(unread),
        notes=noted(bad, wrong),
        whole=frozenset(row["model"] for row in prices),
        # Not its prices: a file that has lost them all is known, and no fault.
        things=len(items),
    )


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """The index, without conditions: the files it leads to may have changed while it did not."""
    return [Request(f"{FOLDER}index.json", parse_index, conditional=False)]


def reads(url: str) -> Parser:
    """The index and the families' files are read differently."""
    return parse_index if url.endswith(f"{FOLDER}index.json") else parse_group


def _own_models(items: Sequence[msgspec.Raw]) -> tuple[dict[str, msgspec.Raw], Counter[str]]:
    """Alibaba's own models by name, and how many of the others were left out by which rule."""
    raw = {f"model {place}": item for place, item in enumerate(items, 1)}
    makers, bad = decode_each(NAME, list(raw.items()), _Maker)
    refused: Counter[str] = Counter()
    if bad:
        refused["another shape than documented"] = len(bad)
    own: dict[str, msgspec.Raw] = {}
    for place, maker in makers:
        if maker.provider not in MAKERS:
            refused["another vendor's model"] += 1
        elif maker.model in own:
            refused["named twice"] += 1
        else:
            own[maker.model] = raw[place]
    return own, refused


def _price_rows(name: str, amounts: Amounts, fetched_at: datetime) -> Iterator[dict[str, Any]]:
    for (variant, tier), columns in amounts.items():
        yield price_row(
            NAME,
            name,
            columns,
            fetched_at,
            basis="list",
            provider="alibaba-model-studio",
            region="cn",
            variant=variant,
            tier_from=tier,
            currency="CNY",
        )


def _catalog_row(name: str, model: _Model, fetched_at: datetime) -> dict[str, Any]:
    return {
        "feed": NAME,
        "model": name,
        "usage_slug": None,
        "name": model.name or name,
        "created": None,
        "context_length": model.context_window or None,  # 0 where there is none
        "open_weights": model.open_source,
        "expires": _last_day(model),
        "observed_at": fetched_at,
    }


def _last_day(model: _Model) -> date | None:
    """The day, in UTC, on which the model goes; `offlineInfo` says it in the time of Beijing."""
    info = model.offline_info.inference if model.offline_info else None
    return _day(model.offline_at, UTC) or _day(info.offline_time if info else None, _BEIJING)


def _day(text: str | None, zone: timezone) -> date | None:
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.replace(tzinfo=moment.tzinfo or zone).astimezone(UTC).date()
    except (ValueError, OverflowError):
        return None


FEED = Feed(
    name=NAME,
    title="Alibaba Model Studio (list prices, mainland China)",
    publisher="Alibaba",
    kind="prices",
    host="https://raw.githubusercontent.com",
    plan=plan,
    budget=200,
    floor=timedelta(days=1),
    licence="Apache-2.0",
    citation="Prices: Alibaba Cloud Model Studio, Apache-2.0, as of {as_of}",
    page="https://help.aliyun.com/zh/model-studio/model-pricing",
    reads=reads,
)
