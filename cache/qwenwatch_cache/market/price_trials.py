"""Every price of a model against a claim: each basis, region, tier, variant and time."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

from msgspec.structs import replace

from qwenwatch_cache.claims.claim import STANDARD, Claim
from qwenwatch_cache.claims.figure import Figure
from qwenwatch_cache.identity import split_model
from qwenwatch_cache.market.hours import hours_text
from qwenwatch_cache.market.price_book import Offer, PriceBook, Stretch
from qwenwatch_cache.market.rates import Rate
from qwenwatch_cache.market.spelled import spelled
from qwenwatch_cache.market.trials import Note, Source, Trial

DIMENSIONS = ("field", "basis", "region")

SPACE = (
    "basis: route (OpenRouter) and list, each feed that states it",
    "region: mainland China and elsewhere",
    "field: input and output, where the claim does not say which",
    "size and variant: every tier, batch and other variants",
    "when: the days stated (now, if none are), and every other time at which the price is known",
)


class Found(NamedTuple):
    """A value that prices give, before it is said what it depends on.

    Attributes:
        field: "input" or "output".
        basis: "route" or "list".
        mainland: Whether it is of mainland China.
        first: Since when.
        until: Until when, None if still.
        seen: When it was last seen so, None if it still stands.
        extra: Conditions of its own.
        trial: What was found; without conditions yet.
    """

    field: str
    basis: str
    mainland: bool
    first: datetime
    until: datetime | None
    seen: datetime | None
    extra: tuple[str, ...]
    trial: Trial


def price_trials(book: PriceBook, claim: Claim, now: datetime) -> list[Trial]:
    """Try the claimed price of a model."""
    currency = claim.figure.unit
    found = []
    for stretch in (*offered(book, claim, claim.of), *in_force(book, claim, claim.of, now)):
        offer = stretch.offer
        value, extra = stretch.value, unasked(offer, claim, claim.of)
        how, converted = spelled_price(stretch.value, offer), ""
        rates: tuple[Source, ...] = ()
        if offer.currency != currency:
            day = rate_day(stretch.first, stretch.seen, claim, now)
            rate = book.rate(offer.currency, currency, day)
            if rate is None:
                continue
            value = stretch.value * rate.value
            converted = f"converted from {offer.currency} at the rate of {rate.date}"
            extra = (*extra, converted)
            how += f" × {rate.value:.4f} = {spelled(value, currency)}"
            rates = source_of(rate)
        one = _found(stretch, value, extra, how, now)
        scope = "; ".join(part for part in (one.trial.scope, converted) if part)
        found.append(one._replace(trial=replace(one.trial, scope=scope, besides=rates)))
    return with_conditions(found, claim, now)


def rate_day(first: datetime, seen: datetime | None, claim: Claim, now: datetime) -> date:
    """The day whose exchange rate holds: the last that both the claim and a price are of."""
    asked = now.date() if claim.period is None else min(claim.period.last, now.date())
    return max(first.date(), min(asked, (seen or now).date()))


def source_of(rate: Rate) -> tuple[Source, ...]:
    """Who states an exchange rate, and of when."""
    return (Source(rate.feed, datetime.combine(rate.date, time.min, UTC)),)


def offered(book: PriceBook, claim: Claim, model: str) -> list[Stretch]:
    """What a model of a claim was offered at, on the terms that the claim states."""
    base, variant = split_model(model)
    named = "" if variant == STANDARD else variant
    found = wanted(book.of_host(base, claim.host) if claim.host else book.of(base), claim)
    return [one for one in found if not variant or one.offer.variant == named]


def in_force(book: PriceBook, claim: Claim, model: str, now: datetime) -> list[Stretch]:
    """What the feed of a claim of one day had in force at its end, as it was believed then.

    Only what is not believed any more: all else is in the book.
    """
    period = claim.period
    if period is None or period.days != 1 or claim.feed == "any" or claim.host:
        return []
    base, variant = split_model(model)
    named = "" if variant == STANDARD else variant
    at = min(datetime.combine(period.last, time.max, UTC), now)
    believed = {
        (*one.offer[3:], one.field, one.value)  # whatever it is called
        for one in offered(book, claim, model)
        if one.at(at)
    }
    return [
        one
        for one in wanted(book.stated(at, claim.prompts), claim)
        if one.offer.model == base
        and (not variant or one.offer.variant == named)
        and (*one.offer[3:], one.field, one.value) not in believed
    ]


def wanted(stretches: Iterable[Stretch], claim: Claim) -> list[Stretch]:
    """Those of the field, basis, region, feed and length of prompts that the claim states."""
    return [
        one
        for one in stretches
        if claim.field in {"", one.field}
        and claim.basis in {"", one.offer.basis}
        and claim.feed in {"any", one.offer.feed}
        and (not claim.region or one.offer.region in {claim.region, "", "global"})
        and (not claim.prompts or one.offer.holds_for(claim.prompts))
    ]


def with_conditions(found: Sequence[Found], claim: Claim, now: datetime) -> list[Trial]:
    """Say of each value what it depends on: the fewest dimensions without which it would not hold.

    It is compared with everything that was asked at the same time for a standard request.
    """
    usual = [one for one in found if not one.extra]
    timely = [one for one in usual if not when(one, claim, now)]
    trials = []
    for one in found:
        days = when(one, claim, now)
        others = timely
        if days:
            # What the other basis asks now counts too: feeds were not read alike in the past.
            others = [each for each in usual if _overlap(one, each)]
            others += [each for each in timely if each.basis != one.basis]
        parts = _needed(one, others, claim.figure)
        conditions = (*parts, *one.extra, *([days] if days else []))
        trials.append(replace(one.trial, conditions=conditions))
    return trials


def _needed(one: Found, others: Sequence[Found], figure: Figure) -> list[str]:
    """The fewest dimensions that what fits has to itself; all there are, where nothing fits."""
    varied = [name for name in DIMENSIONS if len({_of(each, name) for each in others}) > 1]
    if one.trial.fit(figure) == "yes":
        for count in range(len(varied) + 1):
            for names in combinations(varied, count):
                same = [each for each in others if all(_of(each, n) == _of(one, n) for n in names)]
                if all(each.trial.fit(figure) == "yes" for each in same):
                    return list(dict.fromkeys(_of(one, name) for name in names))
    return list(dict.fromkeys(_of(one, name) for name in varied))


def _of(one: Found, dimension: str) -> str:
    if dimension == "field":
        return f"the {one.field} price"
    if dimension == "basis" or one.basis == "route":
        return "as route price (OpenRouter)" if one.basis == "route" else "as list price"
    return "for mainland China" if one.mainland else "outside mainland China"


def _overlap(one: Found, other: Found) -> bool:
    before = one.until is not None and one.until <= other.first
    after = other.until is not None and other.until <= one.first
    return not before and not after


def when(one: Found, claim: Claim, now: datetime) -> str:
    """The days that a value is of, "" if it is all of those that the claim is about."""
    first, last = now, now
    if claim.period is not None:
        last = min(datetime.combine(claim.period.last, time.max, UTC), now)
        # The price of a day is the one in force at its end.
        one_day = claim.period.days == 1
        first = last if one_day else datetime.combine(claim.period.first, time.min, UTC)
    if one.first <= first and (one.until is None or one.until > last):
        return ""
    return span(one.first, one.seen)


def span(first: datetime, seen: datetime | None) -> str:
    """The days on which a price was seen."""
    if seen is None:
        return f"since {first.date()}"
    if seen.date() == first.date():
        return f"on {first.date()}"
    return f"from {first.date()} to {seen.date()}"


def _found(
    stretch: Stretch, value: Decimal, extra: tuple[str, ...], how: str, now: datetime
) -> Found:
    offer, first, seen = stretch.offer, stretch.first, stretch.seen
    scope = f"{stretch.field}, {described(offer)}, {span(first, seen)}"
    trial = bare_trial(offer, scope, value, how, first, seen or now)
    return Found(
        stretch.field, offer.basis, offer.mainland, first, stretch.until, seen, extra, trial
    )


def bare_trial(
    offer: Offer,
    scope: str,
    value: Decimal,
    how: str,
    first: datetime,
    last: datetime,
) -> Trial:
    """A trial without conditions."""
    return Trial(
        conditions=(),
        scope=scope,
        low=value,
        high=value,
        arithmetic=how,
        feed=offer.feed,
        as_of=first,
        first=first.date(),
        last=last.date(),
        keys=(offer.basis,),
    )


def described(offer: Offer) -> str:
    """An offer in words: ``list price for mainland China (alibaba-list), up to 128k tokens``."""
    words = f"{offer.basis} price"
    if offer.mainland:
        words += " for mainland China"
    words += f" ({offer.feed})"
    if offer.up_to is not None and not offer.tier_from:
        words += f", prompts up to {_thousands(offer.up_to)} tokens"
    return ", ".join([words, *unusual(offer)])


def unusual(offer: Offer) -> tuple[str, ...]:
    """What an offer is for, where it is not the standard one."""
    parts = (
        f"variant {offer.variant}" if offer.variant else "",
        f"prompts above {_thousands(offer.tier_from)} tokens" if offer.tier_from else "",
        hours_text(offer.window_utc),
    )
    return tuple(filter(None, parts))


def unasked(offer: Offer, claim: Claim, model: str) -> tuple[str, ...]:
    """What an offer is for, where it is neither the standard one nor what the claim asks for."""
    asked = offer
    if split_model(model)[1]:
        asked = asked._replace(variant="")
    if claim.prompts:
        asked = asked._replace(tier_from=0)
    return unusual(asked)


def spelled_price(value: Decimal, offer: Offer) -> str:
    """A price in its currency: ``¥0.80``."""
    return spelled(value, offer.currency)  # type: ignore[arg-type]


def _thousands(count: int) -> str:
    binary = count % 1024 == 0 and count % 1000 != 0  # 128,000 is a multiple of both
    return f"{count // 1024 if binary else count // 1000}k"


def whose(book: PriceBook, claim: Claim) -> dict[str, Note]:
    """Other models of the vendor that had exactly that price, those stated most often first.

    Returns:
        Where and since when, by model.
    """
    had: dict[str, list[Stretch]] = {}
    for model, stretches in book.of_vendor(claim.of.partition("/")[0]):
        for one in wanted(stretches, claim):
            usual = one.offer.currency == claim.figure.unit and not unusual(one.offer)
            if model != split_model(claim.of)[0] and usual and claim.figure.admits(one.value):
                had.setdefault(model, []).append(one)
    order = sorted(had.items(), key=lambda item: (-len(item[1]), item[0]))
    return {model: _had(stretches) for model, stretches in order}


def _had(stretches: Sequence[Stretch]) -> Note:
    feeds = sorted({(one.offer.basis, one.offer.feed) for one in stretches})
    text = f"{', '.join(map(' '.join, feeds))}, since {min(one.first for one in stretches).date()}"
    return Note(text, [Source(feed, None) for _, feed in feeds])
