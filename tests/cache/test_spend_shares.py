"""Sums and shares of implied spend: the intervals hold for every workload, and are no wider."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_cache.market.definitions import GROUPINGS
from qwenwatch_cache.market.spend import NO_PRICE, Use, leader, over, spend, unpriced
from qwenwatch_cache.market.token_prices import FREE, TokenPrice

EPSILON = Decimal("1e-9")
"""USD: amounts are kept to 12 decimals."""


def use(id_: str, tokens: int, cost: TokenPrice | None, vendor: str | None = None) -> Use:
    return Use(id_, id_, vendor, vendor or "", "XX" if vendor else None, tokens, cost, why=NO_PRICE)


def flat(low: str, expected: str, high: str) -> TokenPrice:
    return TokenPrice(Decimal(low), Decimal(high), Decimal(expected), frozenset())


def test_a_weeks_total_is_priced_over_its_days_with_a_price() -> None:
    days = [flat("2", "3", "4"), None, flat("1", "5", "6"), None]
    assert over(days) == flat("1", "4", "6")
    assert over([None, None]) is None
    assert over([]) is None


def test_rows_stand_by_expected_spend_then_tokens_then_id_and_the_rest_last() -> None:
    used = [
        use("", 99, None),
        use("b", 1, flat("1", "2", "3"), "b"),
        use("z", 5, None, "z"),
        use("y", 7, None, "y"),
        use("a", 1, flat("1", "2", "3"), "a"),
        use("f", 9, FREE, "f"),
        use("c", 1, flat("1", "9", "9"), "c"),
    ]
    order = spend(used, "vendor")["id"].to_list()
    assert order == ["c", "a", "b", "f", "y", "z", "unattributed"]
    assert spend(used[::-1], "model")["id"].to_list()[-1] == "other"


def test_measured_shares_are_compared_as_intervals() -> None:
    used = [use(name, 1, flat("1", "1", "1"), name) for name in "abcd"]  # a quarter each, for sure
    measured = {"a": 0.4, "b": 0.1, "c": 0.2, "unattributed": 0.1}
    rows = {row["id"]: row for row in spend(used, "vendor", measured).to_dicts()}
    found = {id_: (row["outside"], row["off"]) for id_, row in rows.items()}
    assert found == {
        "a": pytest.approx((0.15, -0.15)),  # measured 40 to 50 %
        "b": pytest.approx((-0.05, 0.05)),  # 10 to 20 %
        "c": (0.0, 0.0),  # 20 to 30 %
        "d": (None, None),
    }


def test_a_lone_group_has_all_and_of_nothing_nobody_has_a_share() -> None:
    alone = spend([use("a", 3, flat("1", "2", "3"), "a")], "vendor").row(0, named=True)
    assert (alone["share_low"], alone["share_high"]) == (1.0, 1.0)
    free = spend([use("a", 3, FREE, "a"), use("b", 3, FREE, "b")], "vendor")
    assert free["share_expected"].to_list() == [None, None]
    assert free["low"].to_list() == [0, 0]  # known to be nothing
    assert leader(free, "high") is None
    assert spend([], "vendor").is_empty()


PRICES = st.decimals(0, 1000, places=6, allow_nan=False, allow_infinity=False)


@st.composite
def token_prices(draw: st.DrawFn) -> TokenPrice:
    low, expected, high = sorted(draw(st.tuples(PRICES, PRICES, PRICES)))
    return TokenPrice(low, high, expected, frozenset())


USES = st.lists(
    st.builds(
        use,
        st.sampled_from(("", "a/1", "a/2", "b/1", "c/1:free", "d/1")),
        st.integers(0, 10**14),
        st.none() | st.just(FREE) | token_prices(),
        st.none() | st.sampled_from(("a", "b", "c", "d")),
    ),
    max_size=12,
)


@given(USES, st.sampled_from(GROUPINGS))
def test_what_has_no_price_has_no_amount_and_no_share(used: list[Use], by: Any) -> None:
    rows = spend(used, by).to_dicts()
    assert sum(row["tokens"] for row in rows) == sum(one.tokens for one in used)
    lacking = unpriced(used)["tokens"].sum()
    assert sum(row["tokens"] - row["priced_tokens"] for row in rows) == lacking
    for row in rows:
        known = row["priced_tokens"] > 0
        assert [row[name] is not None for name in ("low", "expected", "high")] == [known] * 3
        if not known:
            names = ("share_low", "share_expected", "share_high")
            assert [row[name] for name in names] == [None] * 3


@given(USES, st.sampled_from(GROUPINGS), st.data())
def test_the_true_spend_and_its_share_lie_in_the_intervals(
    used: list[Use], by: Any, data: st.DataObject
) -> None:
    """Whatever each model's tokens truly cost between its cheapest and its dearest price."""
    true = [
        use(one.id, one.tokens, flat(*[str(between(one.price, data))] * 3), one.vendor)
        if one.price is not None
        else one
        for one in used
    ]
    found = {row["id"]: row for row in spend(true, by).to_dicts()}
    for row in spend(used, by).to_dicts():
        if not row["priced_tokens"]:
            continue
        truth = found[row["id"]]
        assert row["low"] - EPSILON <= truth["expected"] <= row["high"] + EPSILON
        for share in (row["share_expected"], truth["share_expected"]):
            for end, sign in (("share_low", 1), ("share_high", -1)):
                if share is not None and row[end] is not None:
                    assert sign * row[end] <= sign * share + 1e-9


def between(cost: TokenPrice, data: st.DataObject) -> Decimal:
    part = data.draw(st.decimals(0, 1, places=3))
    return cost.low + (cost.high - cost.low) * part


@given(USES)
def test_no_narrower_interval_would_do(used: list[Use]) -> None:
    """Each end is reached: own tokens at one end, those of all others at the other."""
    for row in spend(used, "vendor").to_dicts():
        for end, own, others in (("share_low", "low", "high"), ("share_high", "high", "low")):
            corner = [
                use(one.id, one.tokens, at(one.price, own if mine else others), one.vendor)
                for one in used
                for mine in [(one.vendor or "unattributed") == row["id"]]
            ]
            found = {one["id"]: one for one in spend(corner, "vendor").to_dicts()}
            assert found[row["id"]]["share_expected"] == row[end]


def at(cost: TokenPrice | None, end: str) -> TokenPrice | None:
    return None if cost is None else flat(*[str(getattr(cost, end))] * 3)
