"""What is not named has bounds: whatever it is, the truth lies within them."""

from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qwenwatch_cache.claims.figure import read_figure
from qwenwatch_cache.claims.period import Period
from qwenwatch_cache.market import place_values, usage_values
from qwenwatch_cache.market.directory import Model
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.listings import listing
from qwenwatch_cache.market.selections import selection
from qwenwatch_cache.market.trials import Trial, in_order
from tests.cache.published import (
    COUNTRIES,
    DEFINITION,
    FIRST,
    Published,
    Vendors,
    World,
    claim,
    inside,
    listed,
    worlds,
)


@given(worlds)
def test_the_whole_platform(world: World) -> None:
    found, truth = listed(world)
    whole = selection(found, "")
    assert whole is not None
    assert found.total == sum(truth)
    for number, country in enumerate(COUNTRIES[:3]):
        own = sum(truth[number :: len(COUNTRIES)], Decimal(0))
        inside(usage_values.total(found, whole, claim("total", "country", country)), own)
        share = usage_values.share(found, whole, claim("share", "country", country), "whole")
        inside(share, own / sum(truth))
        # Whoever is of nobody knows where may be of there.
        both = own + sum(truth[3 :: len(COUNTRIES)], Decimal(0))
        inside(usage_values.total(found, whole, claim("total", "country", country)), both)
        inside(share, both / sum(truth))
    for at, own in enumerate(truth):
        inside(usage_values.total(found, whole, claim("total", "model", f"m{at}")), own)
        inside(usage_values.total(found, whole, claim("total", "vendor", f"v{at}")), own)
    other = truth[1] if len(truth) > 1 else Decimal(0)
    ratio = usage_values.ratio(found, whole, claim("ratio", "model", "m0", "m1"))
    if other and ratio is not None:
        inside(ratio, truth[0] / other)


@given(worlds, st.integers(1, 9))
def test_the_first_of_a_list(world: World, count: int) -> None:
    found, truth = listed(world)
    chosen = selection(found, f"top {count}")
    if chosen is None:  # the same as all that are named
        assert count == len(found.entries)
        chosen = selection(found, "named")
        assert chosen is not None
    order = sorted(range(len(truth)), key=lambda at: -truth[at])
    first = order[:count]
    everything = sum((truth[at] for at in first), Decimal(0))
    inside(usage_values.total(found, chosen, claim("total", "", "")), everything)
    if count < len(order) and truth[order[count]] == truth[order[count - 1]]:
        return  # who is among them is a matter of taste
    for number, country in enumerate(COUNTRIES[:3]):
        own = sum((truth[at] for at in first if at % len(COUNTRIES) == number), Decimal(0))
        inside(usage_values.total(found, chosen, claim("total", "country", country)), own)
        share = usage_values.share(found, chosen, claim("share", "country", country), "list")
        both = own + sum((truth[at] for at in first if at % len(COUNTRIES) == 3), Decimal(0))
        if share is not None and everything:
            inside(share, own / everything)
            inside(share, both / everything)
        held = sum(at % len(COUNTRIES) == number and truth[at] > 0 for at in first)
        counted = usage_values.count(found, chosen, claim("count", "country", country, top=count))
        inside(counted, Decimal(held))


@given(worlds)
def test_a_model_that_is_not_named_has_no_place_of_its_own(
    world: World,
) -> None:
    found, truth = listed(world)
    named = {entry.id for entry in found.entries}
    for at, own in enumerate(truth):
        value = place_values.rank(found, claim("rank", "model", f"m{at}"))
        assert value is not None
        assert (value.high is None) == (f"m{at}" not in named)
        place = Decimal(1 + sum(other > own for other in truth))
        inside(value, place)
        if found.period.days == 1 and value.high is not None:  # places of a day are exact
            assert value.low == value.high


class Houses(Vendors):
    """Model "mN" is of one of three vendors in turn, the third of nobody knows where."""

    def model(self, feed: str, entity: str, provider: str = "") -> Model:
        return Model(entity, entity, f"v{int(entity[1:]) % 3}", mapped=True)

    def country(self, vendor: str) -> str:
        return ("CN", "US", "")[int(vendor[1:])]


@given(worlds)
def test_the_place_of_a_sum_has_bounds(world: World) -> None:
    """Whatever is not named may be of anybody."""
    days, named = world
    period = Period(FIRST, FIRST + timedelta(days=len(days) - 1))
    found = listing(cast(Known, Published(days, named, Houses())), DEFINITION, "vendors", period)
    assert found is not None
    truth = [Decimal(sum(sum(day[at::3]) for day in days)) for at in range(3)]
    for at, own in enumerate(truth):
        value = place_values.rank(found, claim("rank", "vendor", f"v{at}"))
        inside(value, Decimal(1 + sum(other > own for other in truth)))
        assert value is not None
        if value.low == value.high:
            shown = [entry.amount.low for entry in found.entries if entry.vendor == f"v{at}"]
            assert sum(shown) > 0  # only a place of what is named is certain
    # The third has no country: it may be of either, or of another.
    for country in ("CN", "US"):
        value = place_values.rank(found, claim("rank", "country", country))
        if value is None:
            continue  # no country is named
        for whose in ("CN", "US", "FR"):
            sums = {"CN": truth[0], "US": truth[1], "FR": Decimal(0)}
            sums[whose] += truth[2]
            own = sums.pop(country)
            inside(value, Decimal(1 + sum(other > own for other in sums.values())))


def test_a_day_that_is_missing_makes_no_sum() -> None:
    known = cast(Known, Published([[3, 2], [2, 1]], 2, Vendors()))
    assert listing(known, DEFINITION, "models", Period(FIRST, FIRST + timedelta(days=2))) is None


@pytest.mark.parametrize(
    ("low", "high", "fit"),
    [
        ("0.61", "0.61", "yes"),
        ("0.606", "0.614", "yes"),
        ("0.5", "0.7", "possible"),
        ("0.5", None, "possible"),
        ("0.62", "0.62", "no"),
        ("0.62", None, "no"),
    ],
)
def test_bounds_fit_only_if_all_of_them_do(low: str, high: str | None, fit: str) -> None:
    figure = read_figure("61 %", frozenset({"share"}))
    trial = Trial(
        (), "", Decimal(low), None if high is None else Decimal(high), "", "", None, FIRST, FIRST
    )
    assert trial.fit(figure) == fit


def test_what_fits_comes_first_with_the_fewest_conditions() -> None:
    figure = read_figure("61 %", frozenset({"share"}))
    base = Trial((), "a", Decimal("0.7"), Decimal("0.7"), "", "", None, FIRST, FIRST)
    two = replace(base, conditions=("b", "c"), low=Decimal("0.61"), high=Decimal("0.61"))
    one = replace(two, conditions=("b",))
    near = replace(base, low=Decimal("0.62"), high=Decimal("0.62"))
    assert in_order([base, near, two, one], figure) == [one, two, near, base]
