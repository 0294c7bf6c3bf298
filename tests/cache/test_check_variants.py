"""Variants of a model are the model: what of them is not named has bounds, and only that."""

from decimal import Decimal
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_cache.market.definitions import DEFINITIONS
from qwenwatch_cache.market.directory import Model
from qwenwatch_cache.market.held import held
from qwenwatch_cache.market.listings import Bounds
from qwenwatch_cache.market.place_values import rank
from qwenwatch_cache.market.selections import selection
from tests.cache.published import Vendors, World, claim, inside, listed, worlds

STANDARD = DEFINITIONS["tokens_standard/openrouter-rankings"]


class Variants(Vendors):
    """Rows 2N and 2N+1 are model "mN" and its free variant; models are of two vendors in turn."""

    with_free_variant: ClassVar = frozenset(f"m{number}" for number in range(5))

    def model(self, feed: str, entity: str, provider: str = "") -> Model:
        row = int(entity[1:])
        name = f"m{row // 2}" + (":free" if row % 2 else "")
        return Model(name, name, f"v{row // 2 % 2}", mapped=True)

    def is_variant(self, entity: str) -> bool:
        return entity[1:].isdigit() and int(entity[1:]) % 2 == 1


def models_of(rows: list[Decimal]) -> list[Decimal]:
    """Both variants of each model together."""
    return [sum(rows[at : at + 2], Decimal(0)) for at in range(0, len(rows), 2)]


def within(bounds: Bounds, truth: Decimal) -> None:
    assert bounds.low <= truth <= bounds.high, (bounds, truth)


@given(worlds)
def test_a_model_is_all_its_variants(world: World) -> None:
    found, rows = listed(world, Variants())
    whole = selection(found, "")
    assert whole is not None
    truth = models_of(rows)
    for number, own in enumerate(truth):
        within(held(found, whole, "model", f"m{number}"), own)
        inside(
            rank(found, claim("rank", "model", f"m{number}")),
            Decimal(1 + sum(other > own for other in truth)),
        )
    for at, own in enumerate(rows):
        variant = "free" if at % 2 else "standard"
        within(held(found, whole, "model", f"m{at // 2}:{variant}"), own)
        place = rank(found, claim("rank", "model", f"m{at // 2}:{variant}"))
        inside(place, Decimal(1 + sum(other > own for other in rows)))


@given(worlds, st.integers(1, 9))
def test_of_a_list_a_model_has_its_variants_in_it(world: World, count: int) -> None:
    found, rows = listed(world, Variants())
    chosen = selection(found, f"top {count}")
    order = sorted(range(len(rows)), key=lambda at: -rows[at])
    if chosen is None or (count < len(order) and rows[order[count]] == rows[order[count - 1]]):
        return  # all that are named; or who is among them is a matter of taste
    first = order[:count]
    for number in range((len(rows) + 1) // 2):
        own = sum((rows[at] for at in first if at // 2 == number), Decimal(0))
        within(held(found, chosen, "model", f"m{number}"), own)


@given(worlds)
def test_standard_variants_are_no_more_than_all(world: World) -> None:
    if not any(value for day in world[0] for value in day[::2]):
        return
    every, rows = listed(world, Variants())
    try:
        found, _ = listed(world, Variants(), STANDARD)
    except AssertionError:
        return  # on some day nothing but variants is published
    whole, all_of_it = selection(found, ""), selection(every, "")
    assert whole is not None and all_of_it is not None
    standard = rows[::2]
    for number, own in enumerate(standard):
        bounds = held(found, whole, "model", f"m{number}")
        within(bounds, own)
        assert bounds.high <= held(every, all_of_it, "model", f"m{number}").high
        place = Decimal(1 + sum(other > own for other in standard))
        value = rank(found, claim("rank", "model", f"m{number}"))
        if value is None:
            assert not any(entry.amount.low for entry in found.entries)
            return  # nobody is named
        inside(value, place)
    vendors = [sum(standard[at::2], Decimal(0)) for at in range(2)]
    for number, own in enumerate(vendors):
        bounds = held(found, whole, "vendor", f"v{number}")
        within(bounds, own)
        assert bounds.high <= held(every, all_of_it, "vendor", f"v{number}").high
        place = Decimal(1 + sum(other > own for other in vendors))
        inside(rank(found, claim("rank", "vendor", f"v{number}")), place)


def test_a_free_variant_that_is_not_named_may_be_in_the_rest() -> None:
    """Rows 40, 0, 30, 20, 9 (m0, m0:free, m1, m1:free, m2); three are named, the rest is 9.

    m0's free variant has no more than the smallest named (20) and than the rest: m0 is 40 to 49.
    Both of m1 are named: it is 50, and first: m0 has 49 at most. Nobody names m2: 0 to 9.
    """
    found, _ = listed(([[40, 0, 30, 20, 9]], 3), Variants())
    whole = selection(found, "")
    assert whole is not None
    assert held(found, whole, "model", "m0") == Bounds(Decimal(40), Decimal(49))
    assert held(found, whole, "model", "m1") == Bounds(Decimal(50), Decimal(50))
    assert held(found, whole, "model", "m2") == Bounds(Decimal(0), Decimal(9))
    assert held(found, whole, "model", "m0:standard") == Bounds(Decimal(40), Decimal(40))
    first, second = (rank(found, claim("rank", "model", name)) for name in ("m1", "m0"))
    assert first is not None and first.low == first.high == 1
    assert second is not None and second.low == second.high == 2


def test_a_model_that_was_never_free_is_exact() -> None:
    """The same without free variants in the catalogue."""

    class Paid(Variants):
        with_free_variant: ClassVar = frozenset()

    found, _ = listed(([[40, 0, 30, 20, 9]], 3), Paid())
    whole = selection(found, "")
    assert whole is not None
    assert held(found, whole, "model", "m0") == Bounds(Decimal(40), Decimal(40))
