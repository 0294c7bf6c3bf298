"""Implied spend a second time: plain Python over recorded bodies, nothing of the program in it.

Models are joined by the slug that OpenRouter states in its own model list.
"""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

GRACE = timedelta(days=7)
STEP = Decimal("1e-18")
MIX = {"prompt": Decimal("0.80"), "completion": Decimal("0.05"), "cached": Decimal("0.15")}

Body = tuple[datetime, Mapping[str, Mapping[str, Any]]]
Interval = tuple[Decimal, Decimal, Decimal]
"""Low, expected and high, in USD per token."""


@dataclass(frozen=True)
class Recorded:
    """What was recorded.

    Attributes:
        bodies: Model lists by id, oldest first.
        slugs: Slugs of each id, with its variant, in any body.
        days: Tokens by day and slug.
        weeks: Tokens by week (its Monday) and slug, of the chart that names nine models a week.
        labs: Tokens by week and author.
        splits: Prompt and completion tokens by slug of the seven days before a capture.
    """

    bodies: Sequence[Body]
    slugs: Mapping[str, frozenset[str]]
    days: Mapping[date, Mapping[str, int]]
    weeks: Mapping[date, Mapping[str, int]]
    labs: Mapping[date, Mapping[str, int]]
    splits: Mapping[date, Mapping[str, tuple[int, int]]]


def read(recordings: Path) -> Recorded:
    """Read all that is needed."""
    bodies = list(_bodies(recordings))
    slugs: dict[str, set[str]] = {}
    for _, listed in bodies:
        for id_, entry in listed.items():
            variant = id_.partition(":")[1:]
            slug = (entry.get("canonical_slug") or id_).partition(":")[0]
            slugs.setdefault(slug + "".join(variant), set()).add(id_)
    usage = recordings / "usage"
    (path,) = (usage / "openrouter-data-api").glob("*.rankings-daily.*.json")
    days = {
        date.fromisoformat(day): {
            row["model_permaslug"]: int(row["total_tokens"]) for row in rows.values()
        }
        for day, rows in json.loads(path.read_text(encoding="utf-8")).items()
    }
    weeks: dict[date, Mapping[str, int]] = {}
    splits: dict[date, Mapping[str, tuple[int, int]]] = {}
    for path in sorted((usage / "openrouter-frontend").glob("token-economy.*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for point in document["payload"]["weekly_chart"]:
            weeks[date.fromisoformat(point["x"])] = point["ys"]
        captured = datetime.fromisoformat(document["fetched_at"]).date()
        splits[captured] = dict(_split(row) for row in document["payload"]["models_week"])
    (path,) = (usage / "openrouter-frontend").glob("market-share.*.raw.json")
    labs = {
        date.fromisoformat(point["x"]): point["ys"]
        for point in json.loads(path.read_text(encoding="utf-8"))["data"]
    }
    frozen = {slug: frozenset(ids) for slug, ids in slugs.items()}
    return Recorded(bodies, frozen, days, weeks, labs, splits)


def price(recorded: Recorded, slug: str, day: date) -> Interval | None:
    """What a token of a model cost at the end of a day, None if that was not known."""
    if slug.endswith(":free"):
        return Decimal(0), Decimal(0), Decimal(0)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    pricing = [
        found
        for id_ in sorted(recorded.slugs.get(slug, ()))
        if (found := _in_force([body for body in recorded.bodies if body[0] < at], id_, at))
    ]
    assert len(pricing) < 2, slug
    return interval(pricing[0]) if pricing else None


def interval(pricing: Mapping[str, Any]) -> Interval | None:
    """The price of a token by the body's own words; overrides are tiers or times of day."""
    overrides = pricing.get("overrides") or []
    tiles = [pricing, *({**pricing, **override} for override in overrides)]
    kinds = []
    for tile in tiles:
        fresh, out, cached = _stated(tile)
        if fresh < 0 or out < 0:
            return None
        kinds += [fresh, out, *([cached] if cached > 0 else [])]
    timed = [one for one in overrides if "utc_start" in one]
    expected = _blended(pricing)
    if timed:
        hours = [((one["utc_end"] - one["utc_start"]) // 100 % 24) or 24 for one in timed]
        assert sum(hours) == 24
        prices = [_blended({**pricing, **one}) for one in timed]
        expected = sum(
            (one * many for one, many in zip(prices, hours, strict=True)), Decimal(0)
        ) / sum(hours)
    return min(kinds), expected, max(kinds)


def hull(prices: Sequence[Interval | None]) -> Interval | None:
    """The price of a token of a week of which only the total is known."""
    known = [price for price in prices if price is not None]
    if not known:
        return None
    lows, expected, highs = zip(*known, strict=True)
    return min(lows), sum(expected, Decimal(0)) / len(expected), max(highs)


def _blended(pricing: Mapping[str, Any]) -> Decimal:
    fresh, out, cached = _stated(pricing)
    return fresh * MIX["prompt"] + out * MIX["completion"] + (cached or fresh) * MIX["cached"]


def _stated(pricing: Mapping[str, Any]) -> tuple[Decimal, Decimal, Decimal]:
    """Prices of a prompt, a completion and a cached token, without the noise of OpenRouter's floats
    (0.0000009000000000000001); no price of cached tokens is 0."""
    texts = (pricing["prompt"], pricing["completion"], pricing.get("input_cache_read") or "0")
    fresh, out, cached = (Decimal(text).quantize(STEP) for text in texts)
    return fresh, out, cached


def _in_force(bodies: Sequence[Body], id_: str, at: datetime) -> Mapping[str, Any] | None:
    """Pricing of an id that is listed, or vanished less than a week ago; no zeros in doubt.

    A zero is believed once two bodies stated it, or for days where there was a price before.
    """
    pricing: Mapping[str, Any] | None = None
    gone: datetime | None = None
    zero_since: datetime | None = None
    stated = at
    paid = False
    for when, listed in bodies:
        if id_ not in listed:
            gone = gone or when
            continue
        if gone is not None and pricing is not None and when - gone >= GRACE:
            zero_since = None
        pricing, gone, stated = listed[id_]["pricing"], None, when
        if Decimal(pricing["prompt"]) == 0 or Decimal(pricing["completion"]) == 0:
            zero_since = zero_since or when
        else:
            zero_since, paid = None, True
    if pricing is None or (gone is not None and gone <= at - GRACE):
        return None
    needed = timedelta(days=3) if paid else timedelta(minutes=30)
    if zero_since is not None and stated - zero_since <= needed:
        return None
    return pricing


def _bodies(recordings: Path) -> Iterator[Body]:
    for path in sorted((recordings / "prices/openrouter/models").glob("*.json.gz")):
        when = datetime.strptime(path.name[:15], "%Y-%m-%dT%H%M").replace(tzinfo=UTC)
        entries = json.loads(gzip.decompress(path.read_bytes()))["data"]
        yield when, {one["id"]: one for one in entries if not one["id"].startswith("~")}


def _split(row: Mapping[str, Any]) -> tuple[str, tuple[int, int]]:
    suffix = "" if row["variant"] == "standard" else f":{row['variant']}"
    return row["permaslug"] + suffix, (row["prompt_tokens"], row["completion_tokens"])
