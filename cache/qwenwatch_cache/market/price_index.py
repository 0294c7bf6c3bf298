"""How the prices of a vendor's models moved: a chained index of a basket that changes.

The method is that of consumer prices where no weights are known (Jevons, matched models):

1. A point is the first moment of a month or week (UTC), and the last reading of any feed before the
   moment asked about: of what came after it nothing is known.
2. The price of a model at a point is the blended price of its standard offer in the base tier, as
   it was believed (`price_steps`), in the currency in which it is stated. Prices by time of day are
   averaged over the hours of the week. Only what has an input and an output price above 0 counts:
   no free variants, no routers, no embeddings.
3. From one point to the next only models are compared that have a price at both, like with like: a
   cached price counts if both state one, and a correction of a hand-kept feed is no change. Several
   offers of one model count as one (their geometric mean); what LiteLLM repeats counts where no
   other source has the model at both points.
4. The index of a point is that of the last one times the geometric mean of those ratios, every
   model with the same weight. It is 100 at the vendor's first point. Models that come are linked in
   at the next point, models that go drop out: neither moves the index by itself.
5. With fewer than `ENOUGH` matched models there is a gap: what they changed by counts at the next
   point that has enough, together with what came in the meantime. A model without a price at a
   point, because it was not listed or its feed not read since the point before, is compared with
   its last price when it has one again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import exp, fsum, log
from statistics import median

import polars as pl

from qwenwatch_cache.frames import INSTANT, MONEY
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.price_steps import price_steps
from qwenwatch_cache.market.price_surveys import ALL, Quotes, Survey, points_of, surveys_at
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.windows import Grain
from qwenwatch_cache.vendors import UNKNOWN

ENOUGH = 3
"""Matched models below which a mean says more of one model than of the vendor."""

BASE = 100.0
DIGITS = 6  # of an index
SMALLEST = Decimal("1e-12")  # as exact as frames.MONEY
MEDIAN_CURRENCY = "USD"

PRICE_INDEX = pl.Schema(
    {
        "basis": pl.String(),  # route, list
        "vendor": pl.String(),  # vendor id, or "all"
        "at": INSTANT,  # the point
        "index": pl.Float64(),  # 100 at the vendor's first point; null is a gap
        "matched": pl.Int64(),  # models compared with an earlier point; null at the first
        "models": pl.Int64(),  # models that have a price at the point
        "median_blended": MONEY,  # USD per 1M tokens, of those with a price in dollars
    }
)


def price_index(
    known: Known,
    basis: str,
    grain: Grain,
    mix: Mix,
    since: date | None = None,
    until: datetime | None = None,
) -> pl.DataFrame:
    """The price index of every vendor.

    Args:
        known: What was known.
        basis: "route" (what a router charges for the vendor's models) or "list".
        grain: "month" or "week": how far points lie apart.
        mix: Workload behind blended prices.
        since: First day a point may be of; None for all that is known.
        until: The moment asked about; None for now.

    Returns:
        PRICE_INDEX, sorted by vendor and time; a row for every point from the vendor's first on.
        Vendors that never have `ENOUGH` models have none.
    """
    frame = known.price.filter(pl.col("basis") == basis)
    if frame.is_empty():
        return pl.DataFrame(schema=PRICE_INDEX)
    feeds = frame.get_column("feed").unique().sort().to_list()
    steps = price_steps(frame, known.price_history(feeds=feeds))
    # Not all that is priced has a known vendor; what has none is in no basket.
    who = {}
    columns = ("feed", "model", "provider")
    for feed, model, provider in steps.select(columns).unique().sort(columns).iter_rows():
        found = known.directory.model(feed, model, provider)
        if found.vendor != UNKNOWN:
            who[feed, model, provider] = (found.id, found.vendor)
    first = frame.get_column("observed_at").min()
    assert isinstance(first, datetime)
    if since is not None:
        first = max(first, datetime.combine(since, time.min, UTC))
    at = known.at if until is None else min(until, known.at)
    reads = [read for feed in feeds if (read := known.polls.last(feed, at)) is not None]
    points = points_of(first, max(reads), grain) if reads else []
    return index_of(steps, who, known.polls, points, basis, mix)


def index_of(
    steps: pl.DataFrame,
    who: Mapping[tuple[str, str, str], tuple[str, str]],
    polls: Mapping[str, Sequence[datetime]],
    points: Sequence[datetime],
    basis: str,
    mix: Mix,
) -> pl.DataFrame:
    """The index, from its parts.

    Args:
        steps: price_steps.PRICE_STEPS of one basis.
        who: Model id and vendor id by feed, the feed's own id and provider; what has no vendor is
            not in it.
        polls: Moments at which each feed was read successfully, oldest first.
        points: In order of time.
        basis: Of the steps.
        mix: Workload behind blended prices.
    """
    surveys = surveys_at(steps, who, polls, points)
    while surveys and not surveys[-1].quotes:
        surveys.pop()
    vendors = {quote.vendor for survey in surveys for quote in survey.quotes.values()}
    rows = []
    for vendor in sorted({*vendors, ALL} if vendors else ()):
        chain = _chained([survey.of(vendor) for survey in surveys], mix)
        rows += [{"basis": basis, "vendor": vendor, **point} for point in chain]
    return pl.DataFrame(rows, schema=PRICE_INDEX)


def _chained(surveys: Iterable[Survey], mix: Mix) -> Iterator[dict[str, object]]:
    """The points of one vendor from its first on."""
    level: float | None = None
    last: Quotes = {}
    for survey in surveys:
        quotes = survey.quotes
        models = len({quote.model for quote in quotes.values()})
        index: float | None = None
        matched: int | None = None
        if level is None:
            if models < ENOUGH:
                continue
            level = index = BASE
        else:
            ratios = _ratios(last, quotes, mix)
            matched = len(ratios)
            if matched >= ENOUGH:
                level *= exp(fsum(ratios) / matched)
                index = level
        last = quotes | last if index is None else last | quotes
        yield {
            "at": survey.at,
            "index": None if index is None else round(index, DIGITS),
            "matched": matched,
            "models": models,
            "median_blended": _median(quotes, mix),
        }


def _ratios(before: Quotes, after: Quotes, mix: Mix) -> list[float]:
    """The logarithm of the change of price of every model that is in both baskets."""
    by_model: dict[str, dict[bool, list[float]]] = defaultdict(lambda: defaultdict(list))
    for offer in sorted(before.keys() & after.keys()):
        quote, one, other = after[offer], before[offer].price, after[offer].price
        if any(one.editions.get(key, count) != count for key, count in other.editions.items()):
            continue  # corrected in between
        cached = one.cached is not None and other.cached is not None
        ratio = other.blended(mix, cached=cached) / one.blended(mix, cached=cached)
        by_model[quote.model][quote.check].append(log(ratio))
    means = []
    for _, found in sorted(by_model.items()):
        ratios = found[False] or found[True]
        means.append(fsum(ratios) / len(ratios))
    return means


def _median(basket: Quotes, mix: Mix) -> Decimal | None:
    """The median over models of their cheapest price in dollars outside mainland China."""
    quotes = [
        quote
        for quote in basket.values()
        if quote.currency == MEDIAN_CURRENCY and not quote.mainland
    ]
    stated = {quote.model for quote in quotes if not quote.check}
    cheapest: dict[str, Decimal] = {}
    for quote in quotes:
        if quote.check and quote.model in stated:
            continue
        price = quote.price.blended(mix, cached=True)
        cheapest[quote.model] = min(price, cheapest.get(quote.model, price))
    return median(cheapest.values()).quantize(SMALLEST) if cheapest else None
