"""The believed steps of a price: what was doubted is left out, what is unknown stays unknown."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.frames import CATALOG_TABLE, PRICE, PRICE_FIELDS
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.price_history import price_history
from qwenwatch_cache.market.price_steps import PRICE_STEPS, price_steps

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FEED = "openrouter-models"
PROPERTY = settings(deadline=None, database=None, max_examples=80)

Told = Sequence[str | None]
"""What each daily poll states as input: a price, "-" for unknown, None where it is not listed."""


def believed(told: Told, **more: Decimal) -> pl.DataFrame:
    """The steps after daily polls told something of a model."""
    rows: list[dict[str, object]] = []
    before: str | None = None
    for day, price in enumerate(told):
        if price == before:
            continue
        stated = before if price is None else price
        amount = None if stated in {None, "-"} else Decimal(str(stated))
        if price is not None or rows:
            rows.append(
                {
                    **{"feed": FEED, "basis": "route", "provider": "openrouter", "region": ""},
                    **{"model": "x/y", "variant": "", "tier_from": 0, "window_utc": ""},
                    **{"currency": "USD", "observed_at": START + day * DAY},
                    **dict.fromkeys(PRICE_FIELDS),
                    **{"input": amount, "output": Decimal(7), "listed": price is not None},
                    **more,
                }
            )
        before = price
    frame = pl.DataFrame(rows, schema=PRICE)
    polls = {FEED: [START + day * DAY for day in range(len(told))]}
    history = price_history(frame, polls, Directory(CATALOG_TABLE.empty()))
    found = price_steps(frame, history)
    assert found.schema == PRICE_STEPS
    return found


def steps(told: Told) -> list[tuple[int, float | None]]:
    """The day and the input price of every step."""
    rows = believed(told).select("at", "input").iter_rows()
    return [((at - START) // DAY, None if one is None else float(one)) for at, one in rows]


def test_a_confirmed_change_is_a_step() -> None:
    assert steps(["2", "2", "3", "3"]) == [(0, 2), (2, 3)]


def test_a_glitch_and_a_flicker_are_not_gone_through() -> None:
    assert steps(["2", "2", "0", "2", "2"]) == [(0, 2)]
    assert steps(["2", "2", "5", "2", "2"]) == [(0, 2)]


def test_a_jump_is_no_step_before_it_has_stood_for_a_week() -> None:
    assert steps(["2", "2", "2000", "2000", "2"]) == [(0, 2)]
    assert steps(["2", "2", *["2000"] * 9]) == [(0, 2), (2, 2000)]


def test_a_zero_that_nobody_confirmed_yet_is_no_step() -> None:
    assert steps(["2", "2", "0"]) == [(0, 2)]


def test_a_model_that_is_back_within_days_was_never_away() -> None:
    assert steps(["2", None, None, "2"]) == [(0, 2)]
    assert steps(["2", None, None]) == [(0, 2)]  # it may come back


def test_one_that_was_gone_for_a_week_had_no_price() -> None:
    assert steps(["2", *[None] * 8, "3", "3"]) == [(0, 2), (1, None), (9, 3)]


def test_a_price_that_is_not_stated_is_unknown() -> None:
    assert steps(["2", "2", "-", "-", "2"]) == [(0, 2), (2, None), (4, 2)]


def test_a_cached_price_of_nothing_is_unknown() -> None:
    assert believed(["2"], cache_read=Decimal(0))["cache_read"].to_list() == [None]
    assert believed(["2"], cache_read=Decimal("0.2"))["cache_read"].to_list() == [Decimal("0.2")]


@PROPERTY
@given(
    st.lists(
        st.none() | st.sampled_from(["-", "0.5", "1", "3", "100"]), min_size=1, max_size=20
    ).filter(lambda told: told[0] is not None)
)
def test_only_what_was_stated_is_ever_believed(told: list[str | None]) -> None:
    stated = {float(price) for price in told if price is not None and price != "-"}
    found = steps(told)
    assert {price for _, price in found} <= {*stated, None}
    assert [day for day, _ in found] == sorted({day for day, _ in found})
    # Where nothing is doubted, which takes three changes within days, the last word counts.
    if told[-4:].count(told[-1]) == 4 and told[-1] not in {None, "100"} and "100" not in told:
        assert found[-1][1] == (None if told[-1] == "-" else float(str(told[-1])))
