"""How many times dearer one model, or one vendor, is than another: every way to say it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from statistics import median

from msgspec.structs import replace

from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.feeds import ecb_fx
from qwenwatch_cache.market.price_book import FIELDS, PriceBook, Stretch
from qwenwatch_cache.market.price_trials import (
    Found,
    bare_trial,
    described,
    in_force,
    offered,
    rate_day,
    source_of,
    span,
    spelled_price,
    unasked,
    unusual,
    wanted,
    with_conditions,
)
from qwenwatch_cache.market.prices import CROSS_CHECK
from qwenwatch_cache.market.rates import Rate
from qwenwatch_cache.market.spelled import price, spelled
from qwenwatch_cache.market.trials import Note, Source, Trial

ONE_PAIR = "for single pairs"

RATES_SINCE = ecb_fx.EARLIEST

MODELS_SPACE = (
    "field: input and output, where the claim does not say which",
    "basis: route against route, list against list; of one feed, if currencies differ of any two",
    "currency: as stated; else by the ECB's rate of the day asked about (now, if none is stated), "
    "by its lowest and highest while both stood, and before that since both models are known",
    "when: the days stated (now, if none are), and all others on which both prices are known",
)
VENDORS_SPACE = (
    "models: every pair of one model of each, both vendors' medians, their dearest, their cheapest",
    "field: input and output; basis: route and list (models.dev)",
    "when: the end of the days stated, and now",
)


def ratio_trials(book: PriceBook, claim: Claim, now: datetime) -> list[Trial]:
    """Try a claimed ratio of two models' prices."""
    found: list[Found] = []
    seen: set[tuple[object, ...]] = set()
    mine, theirs = (
        [
            one
            for one in (*offered(book, claim, model), *in_force(book, claim, model, now))
            if not unasked(one.offer, claim, model)
        ]
        for model in (claim.of, claim.to)
    )
    for above in mine:
        for below in theirs:
            for one in _pair(book, claim, above, below, now):
                same = (one.field, one.basis, one.mainland, one.first, one.trial.low, one.extra)
                if same not in seen:
                    seen.add(same)
                    found.append(one)
    return with_conditions(found, claim, now)


def _pair(
    book: PriceBook, claim: Claim, above: Stretch, below: Stretch, now: datetime
) -> Iterator[Found]:
    """The ratio of two prices of one field and basis, while both stood."""
    ours, other = above.offer, below.offer
    if above.field != below.field or ours.basis != other.basis or not below.value:
        return
    if ours.feed != other.feed and ours.currency == other.currency:
        return
    first = max(above.first, below.first)
    ends = [end for end in (above.until, below.until) if end is not None]
    if ends and min(ends) <= first:
        return
    until = min(ends, default=None)
    last_seen = [end for end in (above.seen, below.seen) if end is not None]
    seen = max(first, min(last_seen)) if last_seen else None
    factors: list[tuple[Rate | None, tuple[str, ...]]] = [(None, ())]
    if ours.currency != other.currency:
        day = rate_day(first, seen, claim, now)
        factors = list(_factors(book, above, below, (first.date(), day, (seen or now).date())))
    for rate, extra in factors:
        value = above.value * (rate.value if rate else 1) / below.value
        how = f" × {rate.value:.4f} ({rate.date})" if rate else ""
        text = f"{spelled_price(above.value, ours)}{how} ÷ {spelled_price(below.value, other)}"
        text += f" = {spelled(value, 'times')}"
        scope = f"{above.field}, {described(ours)} ÷ {described(other)}, {span(first, seen)}"
        trial = bare_trial(other, "; ".join((scope, *extra)), value, text, first, seen or now)
        besides = (Source(ours.feed, first), *(source_of(rate) if rate else ()))
        trial = replace(trial, besides=besides)
        mainland = ours.mainland or other.mainland
        yield Found(above.field, ours.basis, mainland, first, until, seen, extra, trial)


def _factors(
    book: PriceBook, above: Stretch, below: Stretch, days: tuple[date, date, date]
) -> Iterator[tuple[Rate, tuple[str, ...]]]:
    """Exchange rates that may have been used, each with what it is a condition of.

    That of the day asked about, the lowest and the highest while both prices stood, and of the days
    on which both models were known and one of these prices not yet.

    Args:
        book: All prices and rates.
        above: What is divided.
        below: By what.
        days: The first on which both prices are known, the one asked about, and the last.
    """
    base, quote = above.offer.currency, below.offer.currency
    first, asked, last = days
    own = book.rate(base, quote, asked)
    if own is None:
        return
    yield own, ()
    models = (above.offer.model, below.offer.model)
    known = max(min(one.first for one in book.of(model)) for model in models).date()
    stood = book.rates(base, quote, first, last)
    before = book.rates(base, quote, known, first - timedelta(days=1))
    for rates, words in (
        (stood, "while both prices stood"),
        (before, f"before both are known ({first}), if they were the same then"),
    ):
        for name, pick in (("lowest", min), ("highest", max)):
            one = pick(rates, key=lambda rate: rate.value, default=own)
            if one.date != own.date:
                yield one, (f"at the {name} rate {words}, of {one.date}",)


def vendor_ratio_trials(book: PriceBook, claim: Claim, now: datetime) -> list[Trial]:
    """Try a claimed ratio of two vendors' prices: pair by pair, and summed up."""
    trials: list[Trial] = []
    moments = [(now, "")]
    if claim.period is not None:
        stated = min(datetime.combine(claim.period.last, time.max, UTC), now)
        moments = [(stated, ""), (now, f"now ({now.date()})")]
        if stated > now - timedelta(days=1):
            moments = moments[:1]
    for moment, condition in moments:
        for feed in ("openrouter-models", "models-dev"):
            for field in FIELDS if not claim.field else (claim.field,):
                mine = _listed(book, claim, claim.of, feed, field, moment)
                theirs = _listed(book, claim, claim.to, feed, field, moment)
                if mine and theirs:
                    days = (condition,) if condition else ()
                    trials += _vendors(mine, theirs, field, moment, days)
    return trials


def _listed(
    book: PriceBook, claim: Claim, vendor: str, feed: str, field: str, moment: datetime
) -> list[Stretch]:
    """A vendor's prices in a feed, one per model."""
    if feed in CROSS_CHECK:
        return []
    found = []
    for _, stretches in book.of_vendor(vendor):
        fitting = [
            one
            for one in wanted(stretches, claim)
            if one.offer.feed == feed
            and one.field == field
            and one.at(moment)
            and one.value
            and not one.offer.mainland
            and not unusual(one.offer)
        ]
        found += sorted(fitting, key=lambda one: one.value)[:1]
    return sorted(found, key=lambda one: (one.value, one.offer.model))


def _vendors(
    mine: Sequence[Stretch],
    theirs: Sequence[Stretch],
    field: str,
    moment: datetime,
    days: tuple[str, ...],
) -> Iterator[Trial]:
    basis = mine[0].offer.basis
    where = f"{field}, {basis} prices ({mine[0].offer.feed}), {moment.date()}"
    summed = {
        "medians": (median(one.value for one in mine), median(one.value for one in theirs)),
        "dearest models": (mine[-1].value, theirs[-1].value),
        "cheapest models": (mine[0].value, theirs[0].value),
    }
    for name, (above, below) in summed.items():
        count = f" of {len(mine)} and {len(theirs)} models" if name == "medians" else ""
        text = f"{price(above)} ÷ {price(below)} = {spelled(above / below, 'times')}"
        conditions = (f"of the {name}{count}", f"{field} price", f"{basis} prices", *days)
        yield _trial(mine[0], f"{name}, {where}", above / below, text, conditions, moment)
    for one in mine:
        for other in theirs:
            value = one.value / other.value
            text = f"{price(one.value)} ÷ {price(other.value)} = {spelled(value, 'times')}"
            pair = f"{one.offer.name} against {other.offer.name}"
            conditions = (ONE_PAIR, f"for {pair}", f"{field} price", f"{basis} prices", *days)
            yield _trial(one, f"{pair}, {where}", value, text, conditions, moment)


def _trial(
    one: Stretch,
    scope: str,
    value: Decimal,
    how: str,
    conditions: tuple[str, ...],
    moment: datetime,
) -> Trial:
    return Trial(
        conditions,
        scope,
        value,
        value,
        how,
        one.offer.feed,
        moment,
        moment.date(),
        moment.date(),
        (one.offer.basis,),
    )


def rate_needed(book: PriceBook, claim: Claim, now: datetime) -> list[Note]:
    """Which exchange rate a ratio across currencies would take, and whether there was such a one
    while both prices stood, or ever.

    Args:
        book: All prices.
        claim: A ratio of two models' prices.
        now: Until when rates are looked at.
    """
    figure = claim.figure
    if figure.low is None or figure.high is None:
        return []
    notes: dict[str, Note] = {}
    for above in offered(book, claim, claim.of):
        for below in offered(book, claim, claim.to):
            base, quote = above.offer.currency, below.offer.currency
            apart = above.field == below.field and above.offer.basis == below.offer.basis
            if base == quote or not apart or unusual(above.offer) or unusual(below.offer):
                continue
            first = max(above.first, below.first)
            last = min(above.seen or now, below.seen or now)
            rates = book.rates(base, quote, RATES_SINCE, now.date())
            if last < first or not below.value or not above.value or not rates:
                continue
            least, most = (end * below.value / above.value for end in (figure.low, figure.high))
            when = _when_so(rates, least, most, first.date(), last.date())
            text = (
                f"{figure.text} of the {above.field} price takes {least:.2f} to {most:.2f} "
                f"{quote} for one {base}: the ECB's rate was {when}"
            )
            feeds = {above.offer.feed: None, below.offer.feed: None}
            notes[text] = Note(text, [*(Source(one, None) for one in feeds), *source_of(rates[-1])])
    return list(notes.values())


def _when_so(rates: Sequence[Rate], least: Decimal, most: Decimal, first: date, last: date) -> str:
    """When a rate was within bounds: while both prices stood, or at another time."""
    fitting = [rate.date for rate in rates if least <= rate.value <= most]
    stood = [day for day in fitting if first <= day <= last]
    if stood:
        return f"so while both prices stood ({first} to {last}), last on {stood[-1]}"
    never = f"never so while both prices stood ({first} to {last})"
    if not fitting:
        return f"{never}, nor at any time since {RATES_SINCE}"
    return f"{never}; last so on {fitting[-1]}"


def pairs(trials: Sequence[Trial], claim: Claim) -> str:
    """How many pairs of two vendors' models a ratio holds for, and how far they are apart."""
    values = sorted(trial.low for trial in trials if ONE_PAIR in trial.conditions)
    if not values:
        return ""
    held = sum(claim.figure.admits(value) for value in values)
    quarter = len(values) // 4
    low, first, third, high = (
        spelled(value, "times")
        for value in (values[0], values[quarter], values[-1 - quarter], values[-1])
    )
    return (
        f"it depends on the pair: {held:,} of {len(values):,} ({100 * held / len(values):.0f} %); "
        f"half of all are between {first} and {third}, the extremes {low} and {high}"
    )
