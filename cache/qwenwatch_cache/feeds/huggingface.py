"""Hugging Face Hub: downloads, likes and derivatives of each organisation's public models.

Facts (huggingface_hub's hf_api.py and hub-docs, read 2026-08-20; derivatives as observed live
2026-07-25): `downloads` counts the last 30 days, by requests for one file of a model, so neither
people nor API calls; no daily series is published. `expand[]` names the fields that come beside
the id. `childrenModelCount` is an object of counts by kind of derivative (adapter, merge,
quantized, finetune), self-declared by their makers, direct children only; Hugging Face's own client
types it as a number, so both are read. Lists go on at the Link header's "next"; 500 requests per 5
minutes without a key.

What is kept of an answer, which is the list of one organisation's models:

* of the organisation: `open_models` (how many are listed), the sums of `downloads`, `likes` and
  `derivatives`. Where a model cannot be read, the organisation has none of these: a sum without it
  would be false. Derivatives are summed over the models that state them, and unknown where less
  than nine tenths do;
* of its most downloaded models, `TOP` of them, downloads and likes. The others are in the sums
  only: with about 100 organisations that keeps a day below 2,500 rows.

A figure as of a moment (grain "total") has that UTC day as its period. Downloads (grain
"rolling30") have the first of the 30 days that end with the day before.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
import polars as pl

from qwenwatch_cache.feeds.feed import (
    Done,
    Feed,
    Parsed,
    Parser,
    Request,
    decode,
    decode_each,
    name_of,
    noted,
    query_of,
)
from qwenwatch_cache.frames import USAGE, conform
from qwenwatch_cache.vendors import load_vendors

NAME = "huggingface"
PATH = "/api/models"
PAGE_SIZE = 1000
FIELDS = ("downloads", "likes", "childrenModelCount")
TOP = 10
LONGEST_NAME = 96  # characters of an id that a message repeats
STATED = Decimal("0.9")  # part of the models from which on derivatives are known
ROLLING = timedelta(days=30)

SCOPE = "models listed by organisation"

_Amount = Annotated[int, msgspec.Meta(ge=0, le=10**10)]
"""Downloads in 30 days, likes or derivatives of one model; nothing is used by everybody alive."""


class _Model(msgspec.Struct):
    id: str
    downloads: _Amount
    likes: _Amount
    childrenModelCount: dict[str, _Amount] | _Amount | None = None

    @property
    def derivatives(self) -> int | None:
        """Number of direct children of all kinds, None if it is not stated."""
        stated = self.childrenModelCount
        return sum(stated.values()) if isinstance(stated, dict) else stated


def parse(body: bytes, fetched_at: datetime, org: str) -> Parsed:
    """Read the whole list of an organisation's models into usage rows.

    An organisation without models is counted as refused and is no error, although an empty answer
    is a fault elsewhere: one that closed its models must not end the round for all others.

    Args:
        body: JSON list of all pages.
        fetched_at: When the last of it came.
        org: The organisation that was asked for.

    Raises:
        FeedError: Not the documented shape, or more than a tenth of the models cannot be read.
    """
    raws = decode(NAME, body, list[msgspec.Raw])
    refused: Counter[str] = Counter()
    if not raws:
        refused["organisation without models"] = 1
    found, bad = decode_each(NAME, [(name_of(raw, "id"), raw) for raw in raws], _Model)
    if bad:
        refused["another shape than documented"] = len(bad)
    models: dict[str, _Model] = {}
    for _, model in found:
        if not model.id.startswith(f"{org}/"):
            refused["another author's model"] += 1
        elif model.id in models:
            # The list may move while its pages are read.
            refused["listed twice"] += 1
        else:
            models[model.id] = model
    day = fetched_at.astimezone(UTC).date()
    figures = list(_of_models(models.values(), day))
    if models and not bad:
        figures.extend(_of_organisation(org, models.values(), day))
    same = {
        "feed": NAME,
        "share": None,
        "scope": SCOPE,
        "as_of": fetched_at,
        "observed_at": fetched_at,
    }
    rows = [figure | same for figure in figures]
    frame = conform(pl.DataFrame(rows, schema=USAGE), USAGE)
    return Parsed({"usage": frame}, len(raws), refused, notes=noted(bad), whole=frozenset())


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """One request per organisation."""
    return [Request(path, reads(path), paged=True, conditional=False) for path in _paths()]


def reads(url: str) -> Parser:
    """Every list is read as that of the organisation that was asked for."""
    return partial(parse, org=query_of(url)["author"])


def _paths() -> Iterator[str]:
    """For every organisation of the table of vendors the path and query that list its models."""
    for vendor in load_vendors():
        for org in vendor.aliases.get(NAME, ()):
            asked = [("author", org), ("limit", PAGE_SIZE), *(("expand[]", one) for one in FIELDS)]
            yield f"{PATH}?{urlencode(asked)}"


def _of_organisation(org: str, models: Collection[_Model], day: date) -> Iterator[dict[str, Any]]:
    def figure(metric: str, value: int) -> dict[str, Any]:
        return _figure(metric, "org", org, value, day)

    yield figure("open_models", len(models))
    yield figure("downloads", sum(model.downloads for model in models))
    yield figure("likes", sum(model.likes for model in models))
    stated = [model.derivatives for model in models if model.derivatives is not None]
    if len(stated) >= STATED * len(models):
        yield figure("derivatives", sum(stated))


def _of_models(models: Collection[_Model], day: date) -> Iterator[dict[str, Any]]:
    for model in sorted(models, key=lambda one: (-one.downloads, one.id))[:TOP]:
        yield _figure("downloads", "model", model.id, model.downloads, day)
        yield _figure("likes", "model", model.id, model.likes, day)


def _figure(metric: str, kind: str, entity: str, value: int, day: date) -> dict[str, Any]:
    """The columns of one figure that tell it from the others."""
    rolling = metric == "downloads"
    return {
        "metric": metric,
        "kind": kind,
        "entity": entity,
        "grain": "rolling30" if rolling else "total",
        "period": day - ROLLING if rolling else day,
        "value": value,
    }


FEED = Feed(
    name=NAME,
    title="Hugging Face (downloads, likes, open models)",
    publisher="Hugging Face",
    kind="usage",
    host="https://huggingface.co",
    plan=plan,
    budget=250,
    floor=timedelta(days=1),
    licence="Hugging Face Hub API; licence of the figures not stated",
    citation="Source: Hugging Face Hub API (huggingface.co/models), as of {as_of}",
    page="https://huggingface.co/models",
    reads=reads,
)
