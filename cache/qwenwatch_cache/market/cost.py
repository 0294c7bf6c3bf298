"""What a workload costs with every model that has the prices it needs, cheapest first."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import groupby
from typing import Any

import msgspec
import polars as pl

from qwenwatch_cache.frames import INSTANT, MONEY
from qwenwatch_cache.market.rates import Rate
from qwenwatch_cache.market.terms import EVERYWHERE
from qwenwatch_cache.market.workload import FREE, Workload

STANDARD = frozenset({"", "thinking"})
"""Variants that answer at once, at the standard price. `flex` and `priority` are other bargains."""

BATCH = frozenset({"batch", "thinking-batch"})
"""Variants that answer within hours."""

USED_PRICES = ("input", "output", "cache_read", "cache_write", "request")

PARTS = ("fresh_cost", "cached_cost", "written_cost", "output_cost", "request_cost")

COST = pl.Schema(
    {
        "rank": pl.Int64(),  # null for what is not ranked; the same total is the same rank
        "model": pl.String(),
        "name": pl.String(),
        "vendor": pl.String(),  # null if unknown
        "basis": pl.String(),
        "feed": pl.String(),
        "source_id": pl.String(),
        "provider": pl.String(),
        "region": pl.String(),
        "variant": pl.String(),
        "window_utc": pl.String(),  # times of day with one price, joined with ", "
        "tier_from": pl.Int64(),
        "up_to": pl.Int64(),
        "currency": pl.String(),  # of the prices
        **dict.fromkeys(USED_PRICES, MONEY),  # as stated, per 1M tokens or per request
        **dict.fromkeys(PARTS, MONEY),  # in the currency asked for; null if not known
        "total": MONEY,  # in the currency asked for, the sum of the parts
        "native_total": MONEY,  # in the currency of the prices
        "rate_date": pl.Date(),  # of the exchange rate, null if none was needed
        "times_cheapest": pl.Float64(),
        "times_baseline": pl.Float64(),
        "cached_at_input": pl.Boolean(),  # no cached price is stated: read at the input price
        "written_at_input": pl.Boolean(),
        "tiers_elsewhere": pl.Boolean(),  # another feed has a price of its own for prompts so long
        "left_out": pl.String(),  # why it is not ranked, "" if it is
        "observed_at": INSTANT,
    }
)

MILLION = Decimal(1_000_000)
_STEP = Decimal("1e-12")
_RATIO_DIGITS = 9


class Wanted(msgspec.Struct, frozen=True):
    """Which offers are candidates.

    Attributes:
        batch: Those that answer within hours, instead of those that answer at once.
        basis: "route", "list", or "" for both.
        region: One of terms.REGIONS, "" for all. Prices that hold everywhere hold there too.
        vendor: One vendor only, "" for all.
        models: Canonical ids, empty for all.
    """

    batch: bool = False
    basis: str = ""
    region: str = ""
    vendor: str = ""
    models: Collection[str] = msgspec.field(default_factory=frozenset)

    def fits(self, row: Mapping[str, Any]) -> bool:
        """Whether an offer is one of those asked for."""
        return (
            (not self.basis or row["basis"] == self.basis)
            and (not self.region or row["region"] in {self.region, *EVERYWHERE})
            and (not self.vendor or row["vendor"] == self.vendor)
            and (not self.models or row["model"] in self.models)
        )


def cost(
    offers: pl.DataFrame,
    workload: Workload,
    wanted: Wanted,
    *,
    currency: str,
    rate: Callable[[str], Rate | None],
    baseline: str,
) -> pl.DataFrame:
    """Price a workload with every offer.

    The whole workload is billed at the tier that a request falls in; cached tokens at the cached
    price, or where none is stated at the input price; tokens written to the cache likewise. A feed
    that states no tier where another does (models.dev keeps one price of qwen3-max, Alibaba has
    three) may be too low for long prompts: `tiers_elsewhere` says so.

    Args:
        offers: offers.OFFERS for requests of the workload's size.
        workload: How many tokens.
        wanted: Which offers are candidates.
        currency: What the costs are stated in.
        rate: The exchange rate from a currency to that one, None if there is none.
        baseline: Canonical id of the model that every cost is compared with: its cheapest offer on
            the same basis, for mainland China the one there if there is one; on the other basis if
            there is none at all.

    Returns:
        COST: what is ranked, cheapest first, then what is not, by reason. Ties are in order of
        model, basis, feed, provider, source id, variant and time of day. An offer that lacks a
        price the workload needs is not ranked, and never counted as 0.
    """
    variants = BATCH if wanted.batch else STANDARD
    shown = [row for row in offers.to_dicts() if row["variant"] in variants | {"free"}]
    tiered = {_place(row) for row in shown if row["tier_from"]}
    rows = [_priced(row, workload, currency, rate) for row in _by_price(shown)]
    for row in rows:
        row["tiers_elsewhere"] = not row["tier_from"] and _place(row) in tiered
    if wanted.batch:
        rows += _without_batch(offers)
    references = _references(rows, baseline)
    rows = [row for row in rows if wanted.fits(row)]
    ranked = sorted(
        (row for row in rows if not row["left_out"]), key=lambda row: (row["total"], *_name(row))
    )
    for place, row in enumerate(ranked):
        tied = place and row["total"] == ranked[place - 1]["total"]
        row["rank"] = ranked[place - 1]["rank"] if tied else place + 1
        row["times_cheapest"] = _ratio(row["total"], ranked[0]["total"])
        row["times_baseline"] = _ratio(row["total"], _reference(row, references))
    rest = sorted(
        (row for row in rows if row["left_out"]), key=lambda row: (row["left_out"], *_name(row))
    )
    return pl.DataFrame([*ranked, *rest], schema=COST)


def _by_price(rows: Iterable[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """One row per price: times of day at which an offer costs the same are one row."""
    merged: list[dict[str, Any]] = []
    for _, group in groupby(rows, key=lambda row: _name(row)[:-1]):
        by_price: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in group:
            key = (row["tier_from"], row["up_to"], *(row[name] for name in USED_PRICES))
            by_price.setdefault(key, []).append(row)
        for same in by_price.values():
            windows = [row["window_utc"] for row in same]
            merged.append({**same[0], "window_utc": ", ".join(sorted(filter(None, windows)))})
    return merged


def _priced(
    offer: Mapping[str, Any],
    workload: Workload,
    currency: str,
    rate: Callable[[str], Rate | None],
) -> dict[str, Any]:
    """One offer with its costs, or with the reason why it has none."""
    row = {name: offer.get(name) for name in COST}
    row["cached_at_input"] = bool(workload.cached) and offer["cache_read"] is None
    row["written_at_input"] = bool(workload.written) and offer["cache_write"] is None
    row["left_out"] = _missing(offer, workload)
    exchange = rate(offer["currency"])
    if not row["left_out"] and exchange is None:
        row["left_out"] = f"no exchange rate from {offer['currency']} to {currency}"
    if row["left_out"] or exchange is None:
        return row
    native: dict[str, Decimal] = {
        "fresh_cost": _of(workload.fresh, offer["input"]),
        "cached_cost": _of(workload.cached, offer["cache_read"], offer["input"]),
        "written_cost": _of(workload.written, offer["cache_write"], offer["input"]),
        "output_cost": _of(workload.output, offer["output"]),
        "request_cost": (workload.count or 0) * (offer["request"] or Decimal(0)),
    }
    parts = {name: _rounded(amount * exchange.value) for name, amount in native.items()}
    row |= parts
    row["native_total"] = _rounded(sum(native.values(), Decimal(0)))
    row["total"] = sum(parts.values(), Decimal(0))
    row["rate_date"] = _day(exchange)
    if row["total"] == 0:
        row["left_out"] = FREE
    return row


def _missing(offer: Mapping[str, Any], workload: Workload) -> str:
    """What keeps an offer from being ranked, "" if nothing does."""
    needed = {"input": workload.input, "output": workload.output}
    unknown = [name for name, tokens in needed.items() if tokens and offer[name] is None]
    size, context = workload.size, offer["context_length"]
    if len(unknown) == 2 or (unknown and offer["input"] is None and offer["output"] is None):
        return "no price is known (routers, doubted prices)"
    if unknown:
        return f"no {unknown[0]} price is stated"
    if offer["cross_check"]:
        return "only repeats what another feed lists (LiteLLM)"
    if workload.output and workload.input and offer["output"] == 0 < offer["input"]:
        return "answers cost nothing, prompts do: no chat model (embeddings …)"
    if size and context and context < size:
        return "the context is shorter than one request"
    if offer["request"] and workload.count is None:
        return "has a fee per request: give --requests or --request-size"
    return ""


def _without_batch(offers: pl.DataFrame) -> Iterable[dict[str, Any]]:
    """Standard offers whose model has no batch price in the same feed."""
    rows = offers.to_dicts()
    with_batch = {(row["feed"], row["model"]) for row in rows if row["variant"] in BATCH}
    for row in rows:
        if row["variant"] == "" and (row["feed"], row["model"]) not in with_batch:
            yield {**{name: row.get(name) for name in COST}, "left_out": "no batch price is stated"}


def _references(
    rows: Iterable[Mapping[str, Any]], baseline: str
) -> Mapping[tuple[str, bool], Decimal]:
    """Cheapest total of the baseline by basis and whether it is for mainland China."""
    cheapest: dict[tuple[str, bool], Decimal] = {}
    for row in rows:
        if row["model"] == baseline and not row["left_out"]:
            key = (row["basis"], row["region"] == "cn")
            cheapest[key] = min(row["total"], cheapest.get(key, row["total"]))
    return cheapest


def _reference(
    row: Mapping[str, Any], references: Mapping[tuple[str, bool], Decimal]
) -> Decimal | None:
    here, bases = row["region"] == "cn", (row["basis"], "list", "route")
    places = [(basis, mainland) for basis in bases for mainland in (here, not here)]
    return next((references[place] for place in places if place in references), None)


def _of(tokens: int, *prices: Decimal | None) -> Decimal:
    """Tokens at the first of some prices that is known; no tokens cost nothing."""
    if not tokens:
        return Decimal(0)
    return next(price for price in prices if price is not None) * tokens / MILLION


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_STEP, ROUND_HALF_EVEN)


def _ratio(one: Decimal, other: Decimal | None) -> float | None:
    return round(float(one / other), _RATIO_DIGITS) if other else None


def _day(rate: Rate) -> date | None:
    return rate.date if rate.feed else None


def _place(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["model"], row["variant"], row["basis"], row["region"]


def _name(row: Mapping[str, Any]) -> tuple[str, ...]:
    columns = ("model", "basis", "feed", "provider", "region", "source_id", "variant", "window_utc")
    return tuple(row[name] for name in columns)
