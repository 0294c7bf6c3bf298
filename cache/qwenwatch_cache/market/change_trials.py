"""Every change of a model's price against a claimed one, and who changed by as much."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import pairwise

from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.identity import split_model
from qwenwatch_cache.market.price_book import Offer, PriceBook, Stretch
from qwenwatch_cache.market.price_trials import (
    Found,
    bare_trial,
    described,
    offered,
    spelled_price,
    unasked,
    unusual,
    with_conditions,
)
from qwenwatch_cache.market.spelled import spelled
from qwenwatch_cache.market.trials import Note, Source, Trial

ABOUT = Decimal("0.1")
"""A change that much larger or smaller is still about as large."""

ROUTE = (Source("openrouter-models", None),)
"""Who states route prices."""

SPACE = (
    "field: input and output, where the claim does not say which",
    "basis: route and list, each feed; corrections of hand-kept feeds are no changes",
    "when: every change within the days stated, or ever, if none are",
)


def change_trials(book: PriceBook, claim: Claim, now: datetime) -> list[Trial]:
    """Try a claimed change of a model's price: every one there was, or that there was none."""
    found = []
    for offer, field, stretches in _offers(offered(book, claim, claim.of)):
        moved = list(_moves(stretches, claim))
        for before, after in moved:
            value = after.value / before.value - 1
            text = f"{spelled_price(before.value, offer)} → {spelled_price(after.value, offer)}"
            text += f" = {spelled(value, 'change')}"
            scope = f"{field}, {described(offer)}, on {after.first.date()}"
            trial = bare_trial(offer, scope, value, text, after.first, after.first)
            found.append(_found(offer, field, trial, claim))
        if not moved:
            found += _still(book, stretches, claim, now)
    return with_conditions(_dated(found, claim), claim, now)


def _dated(found: Sequence[Found], claim: Claim) -> list[Found]:
    """Name the day of a change, unless all that such prices did on the days stated fits.

    Of one feed on one day it is enough that there was such a change.
    """
    if claim.feed != "any" and claim.period is not None and claim.period.days == 1:
        return list(found)
    misses = {_sort(one) for one in found if one.trial.fit(claim.figure) != "yes"}
    return [
        one
        if not one.trial.low or (claim.period is not None and _sort(one) not in misses)
        else one._replace(extra=(*one.extra, f"on {one.trial.first}"))
        for one in found
    ]


def _sort(one: Found) -> tuple[str, str, bool, tuple[str, ...]]:
    return one.field, one.basis, one.mainland, one.extra


def never_changed(trials: Sequence[Trial]) -> bool:
    """Whether every price that is known stood still."""
    return bool(trials) and all(trial.low == trial.high == 0 for trial in trials)


def readings(trials: Sequence[Trial]) -> str:
    """How often each feed was read without a change."""
    feeds: dict[str, str] = {}
    for trial in trials:
        feeds.setdefault(trial.feed, trial.arithmetic.partition(" readings")[0].rpartition(" ")[2])
    return ", ".join(f"{count} of {feed}" for feed, count in sorted(feeds.items()))


def changed_by(book: PriceBook, claim: Claim) -> list[Note]:
    """Whose route price did change by about as much: the nearest, and the most at once.

    Returns:
        Up to two sentences; models of one vendor that changed by the same on a day are one change.
    """
    figure, whose = claim.figure, split_model(claim.of)[0]
    same: dict[tuple[str, Decimal, date], list[str]] = {}
    for offer, field, stretches in _offers(book):
        if field != "input" or offer.basis != "route" or unusual(offer) or offer.model == whose:
            continue
        for before, after in _moves(stretches, claim):
            size = (after.value / before.value - 1).quantize(Decimal("0.001"))
            if figure.distance(size) <= ABOUT:
                same.setdefault((offer.vendor, size, after.first.date()), []).append(offer.name)
    exact = [key for key in same if figure.admits(key[1])]
    notes = []
    if exact:
        models = sum(len(same[key]) for key in exact)
        text = f"{models} other models did change by {figure.text} at some time (route prices)"
        notes.append(Note(text, ROUTE))
    most = min(same, key=lambda key: (-len(same[key]), figure.distance(key[1]), key), default=None)
    if most is not None:
        vendor, size, day = most
        text = (
            f"the most at once by about as much: {len(same[most])} models of {vendor} by "
            f"{spelled(size, 'change')} on {day} (route prices; {sorted(same[most])[0]} …)"
        )
        notes.append(Note(text, ROUTE))
    return notes


def _offers(stretches: Sequence[Stretch] | PriceBook) -> Iterator[tuple[Offer, str, list[Stretch]]]:
    groups: dict[tuple[Offer, str], list[Stretch]] = {}
    for one in stretches:
        groups.setdefault((one.offer, one.field), []).append(one)
    for (offer, field), many in groups.items():
        yield offer, field, sorted(many, key=lambda one: one.first)


def _moves(stretches: Sequence[Stretch], claim: Claim) -> Iterator[tuple[Stretch, Stretch]]:
    for before, after in pairwise(stretches):
        if not before.value or before.value == after.value:
            continue
        days = claim.period
        if days is None or days.first <= after.first.date() <= days.last:
            yield before, after


def _still(
    book: PriceBook, stretches: Sequence[Stretch], claim: Claim, now: datetime
) -> Iterator[Found]:
    """That a price did not change, in how many readings."""
    offer, first = stretches[0].offer, stretches[0].first
    last = stretches[-1].seen or now
    if claim.period is not None:
        first = max(first, datetime.combine(claim.period.first, time.min, UTC))
        last = min(last, datetime.combine(claim.period.last, time.max, UTC))
    if last < first:
        return
    count = book.captures(offer.feed, first, last)
    text = f"{spelled_price(stretches[0].value, offer)} in all {count} readings: no change"
    scope = f"{stretches[0].field}, {described(offer)}, {first.date()} to {last.date()}"
    trial = bare_trial(offer, scope, Decimal(0), text, first, last)
    yield _found(offer, stretches[0].field, trial, claim)


def _found(offer: Offer, field: str, trial: Trial, claim: Claim) -> Found:
    # That a change is of a day is its own condition; the time of the price is none.
    first = datetime.min.replace(tzinfo=UTC)
    extra = unasked(offer, claim, claim.of)
    return Found(field, offer.basis, offer.mainland, first, None, None, extra, trial)
