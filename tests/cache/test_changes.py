"""What changed: small worlds by hand for every kind, and what holds for any with holes."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.frames import CATALOG, PRICE
from qwenwatch_cache.market.between import price_counts
from qwenwatch_cache.market.changes import (
    CHANGES,
    Period,
    expiring,
    in_order,
    offer_changes,
    percent,
)
from qwenwatch_cache.market.definitions import definition_of
from qwenwatch_cache.market.leaderboard import LEADERBOARD
from qwenwatch_cache.market.movers import movers
from qwenwatch_cache.market.price_history import price_history
from tests.cache.test_price_history import DAY, DIRECTORY, HOUR, ROUTE, START, Told

TOKENS = definition_of("tokens/openrouter-rankings")
MONTH = Period(START.date(), START.date() + 31 * DAY)


def told_changes(told: Told, period: Period = MONTH) -> list[dict[str, Any]]:
    history = price_history(told.frame, told.polls, DIRECTORY)
    return in_order(offer_changes(history, told.polls, DIRECTORY, period)).to_dicts()


@pytest.fixture
def told() -> Told:
    return Told()


class TestPrices:
    def test_the_worked_example_of_the_documentation(self, told: Told) -> None:
        """docs/definitions.md: 0.40 to 0.26 is -35 %."""
        told.series([("0.40", "1.20"), ("0.26", "0.78"), ("0.26", "0.78")])
        rows = told_changes(told)
        assert [
            (row["kind"], row["field"], row["before"], row["after"], row["percent"], row["mark"])
            for row in rows
        ] == [
            ("price", "input", Decimal("0.40"), Decimal("0.26"), -35.0, "confirmed"),
            ("price", "output", Decimal("1.20"), Decimal("0.78"), -35.0, "confirmed"),
        ]
        assert {row["at"] for row in rows} == {START + 12 * HOUR}
        assert {row["unit"] for row in rows} == {"USD"}

    def test_who_it_is(self, told: Told) -> None:
        prices = {"qwen/qwen3-max": "1.2", "qwen/qwen3-max:batch": "0.6", "new/thing": "1"}
        for number in range(3):
            told.poll(
                START + number * DAY,
                {model: price if not number else "2" for model, price in prices.items()},
            )
        found = [
            (row["id"], row["variant"], row["name"], row["vendor"], row["source_id"])
            for row in told_changes(told)
        ]
        assert found == [
            ("alibaba/qwen3-max", "", "qwen3-max", "alibaba", "qwen/qwen3-max"),
            ("alibaba/qwen3-max", "batch", "qwen3-max (batch)", "alibaba", "qwen/qwen3-max"),
            ("new/thing@openrouter", "", "thing", None, "new/thing"),
        ]

    def test_the_days_of_the_period_count_whole(self, told: Told) -> None:
        told.series(["1", "2", "2", "3", "3"], step=DAY)
        second, fourth = START.date() + DAY, START.date() + 3 * DAY
        both = [row["after"] for row in told_changes(told, Period(second, fourth))]
        assert both == [3, 2]
        assert [row["after"] for row in told_changes(told, Period(second, second))] == [2]
        assert told_changes(told, Period(second + DAY, second + DAY)) == []
        with pytest.raises(ValueError, match="lies before"):
            Period(fourth, second)

    def test_from_nothing_and_to_nothing_have_no_percentage(self, told: Told) -> None:
        told.series(["1", None, None, "1", "1"])
        rows = told_changes(told)
        assert [(row["before"], row["after"], row["percent"]) for row in rows] == [
            (None, 1, None),
            (1, None, None),
        ]
        assert percent(None) is None

    def test_counts_are_of_offers_and_moments(self, told: Told) -> None:
        tiers = {(0, ""): ("1", "4"), (1000, ""): ("2", "8")}
        dear = {(0, ""): ("2", "8"), (1000, ""): ("4", "16")}
        for number, stated in enumerate((tiers, tiers, dear, dear)):
            told.poll(START + number * DAY, {"x/y": stated, "x/z": "1" if number < 3 else "2"})
        told.poll(START + 40 * DAY, {"x/y": dear, "x/z": "2"})
        history = price_history(told.frame, told.polls, DIRECTORY)
        rows = offer_changes(history, told.polls, DIRECTORY, Period(START.date(), date(2026, 5, 1)))
        assert price_counts(rows).rows() == [(date(2026, 3, 1), ROUTE, "confirmed", 2)]


class TestComingAndGoing:
    def listed(self, told: Told, *polls: str) -> list[tuple[str, str, str]]:
        """Kind, model and mark, of polls a day apart that list models by a letter each."""
        for number, models in enumerate(polls):
            told.poll(START + number * DAY, {f"x/{one}": "1" for one in models})
        rows = told_changes(told)
        return [(row["kind"], row["source_id"].removeprefix("x/"), row["mark"]) for row in rows]

    def test_added_is_confirmed_by_a_second_poll(self, told: Told) -> None:
        assert self.listed(told, "a", "ab", "abc") == [
            ("added", "c", "unconfirmed"),
            ("added", "b", "confirmed"),
        ]

    def test_what_one_poll_alone_listed_stays_unconfirmed(self, told: Told) -> None:
        found = self.listed(told, "a", "ab", *["a"] * 8)
        assert found == [("removed", "b", "confirmed"), ("added", "b", "unconfirmed")]

    def test_absent_for_less_than_the_grace(self, told: Told) -> None:
        assert self.listed(told, "ab", "ab", *["a"] * 6) == [("removed", "b", "absent")]

    def test_removed_after_the_grace(self, told: Told) -> None:
        assert self.listed(told, "ab", "ab", *["a"] * 8) == [("removed", "b", "confirmed")]

    def test_back_within_the_grace(self, told: Told) -> None:
        assert self.listed(told, "ab", "a", "ab", "ab") == [("removed", "b", "returned")]
        (row,) = told_changes(told)
        assert (row["at"], row["until"]) == (START + DAY, START + 2 * DAY)
        assert (row["before"], row["after"], row["unit"], row["tier_from"]) == (None,) * 4


def catalog(**ends: date | None) -> pl.DataFrame:
    rows = [
        {**dict.fromkeys(CATALOG), "feed": ROUTE, "model": f"x/{name}", "expires": end}
        for name, end in ends.items()
    ]
    return pl.DataFrame(rows, schema=CATALOG)


def offered(**listed: bool) -> pl.DataFrame:
    rows = [(ROUTE, f"x/{name}", there) for name, there in listed.items()]
    schema = {name: PRICE[name] for name in ("feed", "model", "listed")}
    return pl.DataFrame(rows, schema=schema, orient="row")


class TestExpiring:
    DAY = date(2026, 8, 21)

    def ids(self, ends: pl.DataFrame, there: pl.DataFrame) -> list[str]:
        rows = expiring(ends, there, DIRECTORY, self.DAY)
        assert rows.schema == CHANGES
        return sorted(row["source_id"] for row in rows.to_dicts())

    def test_only_the_next_thirty_days(self) -> None:
        ends = catalog(
            over=self.DAY,
            soon=self.DAY + DAY,
            last=self.DAY + 30 * DAY,
            later=self.DAY + 31 * DAY,
            dummy=date(2098, 12, 31),
            never=None,
        )
        assert self.ids(ends, offered()) == ["x/last", "x/soon"]

    def test_what_is_not_listed_any_more_has_ended(self) -> None:
        end = self.DAY + DAY
        ends = catalog(here=end, gone=end)
        assert self.ids(ends, offered(here=True, gone=False)) == ["x/here"]

    def test_a_variant_ends_alone(self) -> None:
        ends = catalog(**{"here:free": self.DAY + DAY})
        (row,) = expiring(ends, offered(here=True), DIRECTORY, self.DAY).to_dicts()
        assert (row["id"], row["variant"], row["at"]) == (
            "x/here@openrouter", "free", datetime(2026, 8, 22, tzinfo=UTC),
        )  # fmt: skip


Standing = Mapping[str, tuple[int | None, float | None]]
"""Rank and share by id."""


def board(standing: Standing) -> pl.DataFrame:
    rows = [
        {**dict.fromkeys(LEADERBOARD), "id": id_, "name": id_, "rank": rank, "share": share}
        for id_, (rank, share) in standing.items()
    ]
    return pl.DataFrame(rows, schema=LEADERBOARD)


def moved(before: Standing, after: Standing) -> dict[tuple[str, str], tuple[Any, Any]]:
    over = datetime(2026, 8, 17, tzinfo=UTC)
    rows = movers(board(before), board(after), TOKENS, "vendor", feed="f", over=over)
    assert rows.schema == CHANGES
    found = {(row["id"], row["kind"]): (row["before"], row["after"]) for row in rows.to_dicts()}
    assert len(found) == rows.height
    return found


class TestMovers:
    def test_ranks_and_shares(self) -> None:
        before: Standing = {"a": (1, 0.5), "b": (2, 0.3), "other": (None, 0.2)}
        after: Standing = {"b": (1, 0.45), "a": (2, 0.35), "other": (None, 0.2)}
        assert moved(before, after) == {
            ("a", "rank"): (1, 2),
            ("a", "share"): (Decimal("0.5"), Decimal("0.35")),
            ("b", "rank"): (2, 1),
            ("b", "share"): (Decimal("0.3"), Decimal("0.45")),
        }

    def test_what_one_window_does_not_name_is_unknown_there(self) -> None:
        assert moved({"a": (1, 0.6)}, {"b": (1, 0.7)}) == {
            ("a", "rank"): (1, None),
            ("a", "share"): (Decimal("0.6"), None),
            ("b", "rank"): (None, 1),
            ("b", "share"): (None, Decimal("0.7")),
        }


NAMES = st.sampled_from("abcde")
SHARES = st.one_of(st.none(), st.integers(0, 10**9).map(lambda number: number / 10**9))
STANDINGS = st.dictionaries(NAMES, st.tuples(st.one_of(st.none(), st.integers(1, 50)), SHARES))


@given(STANDINGS, STANDINGS)
def test_nothing_unknown_becomes_a_rank_or_a_share(before: Standing, after: Standing) -> None:
    found = moved(before, after)
    for number, kind in enumerate(("rank", "share")):
        for id_ in before.keys() | after.keys():
            ends = tuple(
                None if standing.get(id_) is None else standing[id_][number]
                for standing in (before, after)
            )
            exact = tuple(None if end is None else Decimal(str(end)) for end in ends)
            assert found.get((id_, kind)) == (None if ends[0] == ends[1] else exact)


PRICES = st.one_of(st.none(), st.sampled_from(["0", "0.5", "1", "90"]))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.just("gone"), PRICES), min_size=1, max_size=12))
def test_no_price_is_told_that_was_not_stated(series: list[str | None]) -> None:
    """A hole stays a hole, and every percentage is that of its two prices."""
    told = Told()
    stated: dict[datetime, str | None] = {}
    for number, price in enumerate(series):
        when = START + number * DAY
        models = {"x/still": "1"} | ({} if price == "gone" else {"x/y": price})
        told.poll(when, models)
        stated[when] = price
    for row in told_changes(told):
        if row["kind"] != "price" or row["source_id"] != "x/y":
            assert (row["before"], row["after"], row["percent"]) == (None, None, None)
            continue
        before, after = row["before"], row["after"]
        text = stated[row["at"]]
        assert after == (None if text is None else Decimal(str(text)))
        if not before or after is None:
            assert row["percent"] is None
        else:
            assert row["percent"] == pytest.approx(float((after / before - 1) * 100))


def test_the_order_is_the_same_however_rows_come(told: Told) -> None:
    for number in range(4):
        price = str(1 + number // 2)
        told.poll(START + number * DAY, {f"x/{name}": (price, price) for name in "badc"})
    history = price_history(told.frame, told.polls, DIRECTORY)
    rows = offer_changes(history, told.polls, DIRECTORY, MONTH)
    ordered = in_order(rows)
    assert ordered.equals(in_order(rows.reverse()))
    assert ordered["at"].is_sorted(descending=True)
    assert ordered.height == 8
    assert timedelta(0) < ordered["at"][0] - START
