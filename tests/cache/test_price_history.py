"""What became of prices: small histories by hand for every mark, and what holds for any history."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.frames import CATALOG_TABLE, PRICE, PRICE_FIELDS, PRICE_TABLE
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.marks import ALARMING
from qwenwatch_cache.market.price_history import PRICE_HISTORY, price_history
from qwenwatch_cache.store.revisions import news, withdrawn

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DIRECTORY = Directory(CATALOG_TABLE.empty())
ROUTE = "openrouter-models"

Price = str | None | tuple[str | None, str | None]
"""Input alone, or input and output; None is unknown."""
Tiles = Mapping[tuple[int, str], Price]


def tile(model: str, tier: int, window: str, price: Price, **stated: Any) -> dict[str, Any]:
    """One price row."""
    given, taken = price if isinstance(price, tuple) else (price, None)
    base, _, variant = model.partition(":")
    return {
        "feed": ROUTE,
        "basis": "route",
        "provider": "openrouter",
        "region": "",
        "model": base,
        "variant": variant,
        "tier_from": tier,
        "window_utc": window,
        "currency": "USD",
        **dict.fromkeys(PRICE_FIELDS),
        "input": None if given is None else Decimal(given),
        "output": None if taken is None else Decimal(taken),
        "listed": True,
        **stated,
    }


class Told:
    """Price rows as the store keeps them, and the polls that brought them; no disk in between."""

    def __init__(self) -> None:
        self.frame = PRICE_TABLE.empty()
        self.polls: dict[str, list[datetime]] = {}

    def poll(self, when: datetime, models: Mapping[str, Price | Tiles], **stated: Any) -> None:
        """A feed says what all its models cost, by default OpenRouter."""
        rows = []
        for model, price in models.items():
            tiles = price if isinstance(price, Mapping) else {(0, ""): price}
            rows += [tile(model, *place, one, **stated) for place, one in tiles.items()]
        rows = [{**row, "observed_at": when} for row in rows]
        said = pl.DataFrame(rows, schema=PRICE)
        fresh = news(self.frame, said, PRICE_TABLE)
        gone = withdrawn(self.frame, said, PRICE_TABLE, when)
        self.frame = pl.concat([self.frame, fresh, gone])
        self.polls.setdefault(stated.get("feed", ROUTE), []).append(when)

    def series(self, prices: Sequence[Price], step: timedelta = 12 * HOUR) -> None:
        """One model, polled at even times, beside another that never changes."""
        for number, price in enumerate(prices):
            self.poll(START + number * step, {"x/y": price, "x/still": "1"})

    def history(self, **query: Any) -> list[dict[str, Any]]:
        return price_history(self.frame, self.polls, DIRECTORY, **query).to_dicts()

    def marks(self, *prices: Price, step: timedelta = 12 * HOUR) -> list[tuple[str, str, str]]:
        """Before, after and mark of every change of the input price in a series."""
        self.series(prices, step)
        return [
            (text(row["before"]), text(row["after"]), row["mark"])
            for row in self.history()
            if row["field"] == "input"
        ]


def text(amount: Decimal | None) -> str:
    return "-" if amount is None else f"{amount.normalize():f}"


@pytest.fixture
def told() -> Told:
    return Told()


class TestMarks:
    def test_confirmed_by_a_later_poll(self, told: Told) -> None:
        assert told.marks("1", "2", "2") == [("1", "2", "confirmed")]
        (row,) = told.history()
        assert (row["ratio"], row["at"], row["until"]) == (2.0, START + 12 * HOUR, None)
        assert {"confirmed"} == ALARMING

    def test_unconfirmed_before_a_later_poll(self, told: Told) -> None:
        assert told.marks("1", "1", "2") == [("1", "2", "unconfirmed")]

    def test_a_second_look_at_the_same_moment_confirms_nothing(self, told: Told) -> None:
        told.series(["1", "2"])
        told.poll(START + 12 * HOUR + timedelta(minutes=10), {"x/y": "2", "x/still": "1"})
        assert [row["mark"] for row in told.history()] == ["unconfirmed"]

    def test_another_feeds_poll_confirms_nothing(self, told: Told) -> None:
        told.series(["1", "2"])
        told.polls["models-dev"] = [START + DAY]
        assert [row["mark"] for row in told.history()] == ["unconfirmed"]

    def test_an_answer_that_is_logged_as_of_its_start(self, told: Told) -> None:
        """The log says when a request was sent, the rows when the answer was there."""
        told.series(["1", "2", "3"])
        told.polls[ROUTE] = [moment - timedelta(seconds=20) for moment in told.polls[ROUTE]]
        assert [row["mark"] for row in told.history()] == ["unconfirmed", "unconfirmed"]

    @pytest.mark.parametrize("brief", [["2"], ["2", "2"]])
    def test_one_or_two_polls_and_back_is_a_flicker(self, told: Told, brief: list[str]) -> None:
        found = told.marks("1", *brief, "1", "1")
        assert found == [("1", "2", "flicker"), ("2", "1", "flicker")]

    def test_three_polls_and_back_are_two_changes(self, told: Told) -> None:
        found = told.marks("1", "2", "2", "2", "1", "1")
        assert found == [("1", "2", "confirmed"), ("2", "1", "confirmed")]

    def test_two_polls_a_month_apart_are_more_than_a_flicker(self, told: Told) -> None:
        found = told.marks("1", "2", "2", "1", "1", step=30 * DAY)
        assert found == [("1", "2", "confirmed"), ("2", "1", "confirmed")]

    def test_what_one_poll_said_and_the_next_took_back_was_a_flicker_at_any_distance(
        self, told: Told
    ) -> None:
        found = told.marks("1", "2", "1", "1", step=30 * DAY)
        assert found == [("1", "2", "flicker"), ("2", "1", "flicker")]

    def test_a_price_that_stays_after_flickering_is_confirmed(self, told: Told) -> None:
        found = told.marks("1", "2", "1", "2", "2", "2")
        assert [mark for _, _, mark in found] == ["flicker", "flicker", "confirmed"]

    def test_one_step_on_the_way_to_another_price_stays_unconfirmed(self, told: Told) -> None:
        found = told.marks("1", "2", "3", "3")
        assert found == [("1", "2", "unconfirmed"), ("2", "3", "confirmed")]

    @pytest.mark.parametrize("zeros", [1, 2, 6])
    def test_to_nothing_and_back_is_a_glitch(self, told: Told, zeros: int) -> None:
        found = told.marks("1", *["0"] * zeros, "1", "1")
        assert found == [("1", "0", "glitch"), ("0", "1", "glitch")]

    def test_to_nothing_and_to_another_price(self, told: Told) -> None:
        found = told.marks("1", "0", "2", "2")
        assert found == [("1", "0", "glitch"), ("0", "2", "confirmed")]

    def test_nothing_that_stands_for_more_than_three_days_is_a_price(self, told: Told) -> None:
        assert told.marks("1", *["0"] * 7) == [("1", "0", "unconfirmed")]
        told.poll(START + 8 * 12 * HOUR, {"x/y": "0", "x/still": "1"})
        assert [row["mark"] for row in told.history()] == ["confirmed"]

    def test_nothing_that_was_believed_and_then_costs_is_a_change(self, told: Told) -> None:
        assert told.marks("0", "0", "1", "1") == [("0", "1", "confirmed")]

    def test_nothing_that_one_poll_said_first_was_no_price(self, told: Told) -> None:
        assert told.marks("0", "1", "1") == [("0", "1", "known")]

    def test_free_variants_may_be_free_at_once(self, told: Told) -> None:
        for number, price in enumerate(("1", "0", "0")):
            told.poll(START + number * DAY, {"x/y:free": price})
        assert [row["mark"] for row in told.history()] == ["confirmed"]

    @pytest.mark.parametrize("jumped", ["50", "0.02", "10000"])
    def test_fifty_times_and_back_is_a_jump(self, told: Told, jumped: str) -> None:
        found = told.marks("1", *[jumped] * 5, "1", "1")
        assert found == [("1", jumped, "jump"), (jumped, "1", "jump")]

    def test_a_little_less_than_fifty_times_is_none(self, told: Told) -> None:
        assert told.marks("1", *["49.9"] * 5) == [("1", "49.9", "confirmed")]

    def test_a_jump_that_stood_for_a_week_is_a_change(self, told: Told) -> None:
        assert told.marks("1", *["50"] * 14) == [("1", "50", "jump")]
        told.poll(START + 15 * 12 * HOUR, {"x/y": "50", "x/still": "1"})
        assert [row["mark"] for row in told.history()] == ["confirmed"]

    def test_a_jump_is_measured_from_the_last_believed_price(self, told: Told) -> None:
        found = told.marks("1", "60", "61", "2", "2")
        assert [mark for _, _, mark in found] == ["jump", "jump", "confirmed"]

    def test_unknown_is_no_price(self, told: Told) -> None:
        found = told.marks("1", None, "1", "1", None, None)
        assert found == [
            *(("1", "-", "unknown"), ("-", "1", "known"), ("1", "-", "unknown")),
        ]

    def test_nothing_in_another_field_says_no_more_than_a_missing_key(self, told: Told) -> None:
        for number, request in enumerate((0, 0, 1, 1, 0, 0)):
            when = START + number * DAY
            told.poll(when, {"x/y": "1"}, cache_write=Decimal(request))
        assert [(row["field"], row["mark"]) for row in told.history()] == [
            *(("cache_write", "known"), ("cache_write", "unknown")),
        ]

    def test_every_field_has_its_own_history(self, told: Told) -> None:
        told.series([("1", "4"), ("1", "5"), ("2", "5"), ("2", "4"), ("2", "4")], DAY)
        found = [(row["field"], text(row["after"]), row["mark"]) for row in told.history()]
        assert found == [
            ("output", "5", "flicker"),
            ("input", "2", "confirmed"),
            ("output", "4", "flicker"),
        ]


class TestListing:
    def listed(self, told: Told, *days: bool, step: timedelta = DAY) -> list[tuple[Any, ...]]:
        for number, here in enumerate(days):
            models = {"x/still": "1", **({"x/y": "2"} if here else {})}
            told.poll(START + number * step, models)
        return [
            (
                row["mark"],
                (row["at"] - START) / step,
                row["until"] and (row["until"] - START) / step,
            )
            for row in told.history()
            if row["field"] == "listed"
        ]

    def test_away_for_a_day_is_an_absence(self, told: Told) -> None:
        assert self.listed(told, True, False, True) == [("absence", 1, 2)]
        assert len(told.history()) == 1

    def test_away_for_less_than_a_week_so_far_says_nothing_yet(self, told: Told) -> None:
        assert self.listed(told, True, *[False] * 7) == [("unconfirmed", 1, None)]

    def test_away_for_a_week_is_gone(self, told: Told) -> None:
        assert self.listed(told, True, *[False] * 8) == [("gone", 1, None)]

    def test_back_after_a_week_is_added_again(self, told: Told) -> None:
        found = self.listed(told, True, *[False] * 7, True)
        assert found == [("gone", 1, 8), ("added", 8, None)]

    def test_new_models_are_added_but_not_those_of_the_first_poll(self, told: Told) -> None:
        assert self.listed(told, False, True, True) == [("added", 1, None)]

    def test_a_price_that_changed_while_it_was_away_is_a_change(self, told: Told) -> None:
        told.poll(START, {"x/y": "1", "x/still": "1"})
        told.poll(START + DAY, {"x/still": "1"})
        for days in (2, 3):
            told.poll(START + days * DAY, {"x/y": "2", "x/still": "1"})
        found = [(row["field"], row["mark"], row["at"] - START) for row in told.history()]
        assert found == [("listed", "absence", DAY), ("input", "confirmed", 2 * DAY)]

    def test_polls_without_the_model_confirm_nothing_of_it(self, told: Told) -> None:
        told.series(["1", "2"], DAY)
        for days in (2, 3):
            told.poll(START + days * DAY, {"x/still": "1"})
        (price,) = (row for row in told.history() if row["field"] == "input")
        assert price["mark"] == "unconfirmed"
        told.poll(START + 4 * DAY, {"x/y": "2", "x/still": "1"})
        (price,) = (row for row in told.history() if row["field"] == "input")
        assert price["mark"] == "confirmed"


DEAR, CHEAP = "2", "1"
BY_CLOCK: Tiles = {(0, "0100-0400"): DEAR, (0, "0400-0100"): CHEAP}


class TestTiles:
    def history(self, told: Told, *shapes: Price | Tiles) -> list[tuple[str, str, str, str]]:
        for number, shape in enumerate(shapes):
            told.poll(START + number * DAY, {"x/y": shape})
        return [
            (row["field"], row["window_utc"], text(row["after"]), row["mark"])
            for row in told.history()
        ]

    def test_from_one_price_to_prices_by_the_clock_is_one_row(self, told: Told) -> None:
        found = self.history(told, "1.5", BY_CLOCK, BY_CLOCK)
        assert found == [("schedule", "", "-", "confirmed")]

    def test_the_same_tiles_poll_after_poll_are_no_change(self, told: Told) -> None:
        assert self.history(told, *[BY_CLOCK] * 5) == []

    def test_the_price_of_a_tile_changes_alone(self, told: Told) -> None:
        changed = {**BY_CLOCK, (0, "0100-0400"): "3"}
        found = self.history(told, BY_CLOCK, changed, changed)
        assert found == [("input", "0100-0400", "3", "confirmed")]

    def test_tiles_for_one_poll_are_a_flicker(self, told: Told) -> None:
        found = self.history(told, "1.5", BY_CLOCK, "1.5", "1.5")
        assert found == [("schedule", "", "-", "flicker")] * 2

    def test_a_price_that_changed_behind_the_tiles(self, told: Told) -> None:
        found = self.history(told, "1.5", BY_CLOCK, "1.6", "1.6")
        assert found == [
            ("schedule", "", "-", "flicker"),
            ("input", "", "1.6", "confirmed"),
            ("schedule", "", "-", "flicker"),
        ]

    def test_tiers_that_are_stated_at_last_are_no_change_of_price(self, told: Told) -> None:
        ladder: Tiles = {(0, ""): "1", (32_000, ""): "2", (128_000, ""): "3"}
        found = self.history(told, "1", ladder, ladder, {(0, ""): "1"})
        assert found == [("tiers", "", "-", "known"), ("tiers", "", "-", "unknown")]

    def test_another_threshold_is_a_change(self, told: Told) -> None:
        ladder: Tiles = {(0, ""): "1", (32_000, ""): "2"}
        other: Tiles = {(0, ""): "1", (128_000, ""): "2"}
        assert self.history(told, ladder, other, other) == [("tiers", "", "-", "confirmed")]


ALIBABA = {"basis": "list", "provider": "alibaba", "region": "intl"}
QWEN_LIST, QWEN_ROUTE = "alibaba/qwen3-max", "qwen/qwen3-max"


class TestCorrections:
    def mark(
        self,
        told: Told,
        *,
        feed: str = "models-dev",
        route: Sequence[tuple[int, str]] = (),
        before: str = "6",
        after: str = "1.2",
    ) -> str:
        """The mark of a list price that changes on day 20; the route price is as told by day."""
        for day in range(40):
            price = after if day >= 20 else before
            told.poll(START + day * DAY, {QWEN_LIST: price}, feed=feed, **ALIBABA)
            stated = [one for since, one in route if since <= day]
            if stated:
                told.poll(START + day * DAY + HOUR, {QWEN_ROUTE: stated[-1], "x/still": "1"})
        (row,) = told.history(feeds=[feed])
        assert (row["field"], row["at"]) == ("input", START + 20 * DAY)
        return str(row["mark"])

    def test_the_list_moved_and_the_route_did_not(self, told: Told) -> None:
        assert self.mark(told, route=[(0, "1.2")]) == "correction"

    @pytest.mark.parametrize("day", [14, 19, 20, 26])
    def test_the_route_moved_within_a_week(self, told: Told, day: int) -> None:
        assert self.mark(told, route=[(0, "1.2"), (day, "1")]) == "confirmed"

    @pytest.mark.parametrize("day", [10, 28])
    def test_the_route_moved_longer_before_or_after(self, told: Told, day: int) -> None:
        assert self.mark(told, route=[(0, "1.2"), (day, "1")]) == "correction"

    def test_a_flicker_of_the_route_is_no_move(self, told: Told) -> None:
        route = [(0, "1.2"), (20, "1"), (21, "1.2")]
        assert self.mark(told, route=route) == "correction"

    def test_without_a_route_price_it_stays_confirmed(self, told: Told) -> None:
        assert self.mark(told) == "confirmed"

    def test_a_route_price_that_came_later_says_nothing(self, told: Told) -> None:
        assert self.mark(told, route=[(25, "1.2")]) == "confirmed"

    @pytest.mark.parametrize("days", [range(0, 20), range(21, 40)])
    def test_a_router_that_was_not_read_at_the_time_says_nothing(
        self, told: Told, days: range
    ) -> None:
        told.poll(START - DAY, {QWEN_ROUTE: "1.2"})
        for day in days:
            told.poll(START + day * DAY, {QWEN_ROUTE: "1.2"})
        assert self.mark(told) == "confirmed"

    def test_a_model_that_left_the_router_has_no_route_price(self, told: Told) -> None:
        told.poll(START - DAY, {QWEN_ROUTE: "1.2", "x/still": "1"})
        for day in range(40):
            told.poll(START + day * DAY, {"x/still": "1"})
        assert self.mark(told) == "confirmed"

    def test_the_route_price_of_another_model_says_nothing(self, told: Told) -> None:
        for day in range(40):
            told.poll(START + day * DAY + HOUR, {"x/still": "1"})
        assert self.mark(told) == "confirmed"

    def test_a_unit_error_and_its_end_are_jumps(self, told: Told) -> None:
        """novita/deepseek-v3.1 stood at $2,160 per 1M until somebody noticed."""
        assert self.mark(told, route=[(0, "1")], before="9", after="900") == "correction"
        shorter = told.frame.filter(pl.col("observed_at") < START + 24 * DAY)
        polls = {
            feed: [one for one in moments if one < START + 24 * DAY]
            for feed, moments in told.polls.items()
        }
        (row,) = price_history(shorter, polls, DIRECTORY, feeds=["models-dev"]).to_dicts()
        assert row["mark"] == "jump"

    def test_a_router_that_moves_alone_is_not_corrected(self, told: Told) -> None:
        self.mark(told, route=[(0, "1.2"), (30, "1")])
        (row,) = (row for row in told.history(feeds=[ROUTE]) if row["field"] == "input")
        assert row["mark"] == "confirmed"


class TestQuestion:
    def test_by_model_and_feed(self, told: Told) -> None:
        for day, price in enumerate(("1", "2", "2")):
            told.poll(START + day * DAY, {QWEN_LIST: price}, feed="models-dev", **ALIBABA)
            told.poll(START + day * DAY, {QWEN_ROUTE: price, "x/y": price})
        assert len(told.history()) == 3
        assert {row["model"] for row in told.history(models=["alibaba/qwen3-max"])} == {
            *(QWEN_LIST, QWEN_ROUTE)
        }
        assert [row["model"] for row in told.history(models=["x/y@openrouter"])] == ["x/y"]
        assert {row["model"] for row in told.history(feeds=[ROUTE])} == {QWEN_ROUTE, "x/y"}
        assert told.history(models=["nobody/nothing"]) == []

    def test_nothing_known_gives_nothing(self) -> None:
        answer = price_history(PRICE_TABLE.empty(), {}, DIRECTORY)
        assert answer.is_empty() and answer.schema == PRICE_HISTORY

    def test_hosts_are_left_out(self, told: Told) -> None:
        for day, price in enumerate(("1", "2")):
            told.poll(START + day * DAY, {"x/y": price}, feed="openrouter-endpoints")
        assert told.history() == []


PRICES = st.sampled_from([None, "0", "1", "1.5", "100"])
SHAPES = st.one_of(
    st.just("away"),
    PRICES,
    st.tuples(PRICES, PRICES),
    st.fixed_dictionaries({(0, "0100-0400"): PRICES, (0, "0400-0100"): PRICES}),
    st.fixed_dictionaries({(0, ""): PRICES, (32_000, ""): PRICES}),
)
STEPS = st.sampled_from([HOUR, 12 * HOUR, 2 * DAY, 9 * DAY])


@st.composite
def stories(draw: st.DrawFn) -> Told:
    """What a feed said of one model, poll after poll at uneven times."""
    told, when = Told(), START
    for shape in draw(st.lists(SHAPES, min_size=1, max_size=9)):
        here: dict[str, Any] = {} if shape == "away" else {"x/y": shape}
        told.poll(when, {"x/still": "1", **here})
        when += draw(STEPS)
    return told


class TestAnyHistory:
    @settings(deadline=None, database=None, max_examples=60)
    @given(told=stories())
    def test_rows_are_changes_in_order_and_chained(self, told: Told) -> None:
        frame = price_history(told.frame, told.polls, DIRECTORY)
        assert frame.schema == PRICE_HISTORY
        last: dict[tuple[Any, ...], dict[str, Any]] = {}
        moments = []
        for row in frame.to_dicts():
            moments.append(row["at"])
            if row["field"] in PRICE_FIELDS:
                assert row["before"] != row["after"]
                key = (row["tier_from"], row["window_utc"], row["field"])
                if key in last and last[key]["until"] == row["at"]:
                    assert last[key]["after"] == row["before"]
                if row["before"] is None or row["after"] is None:
                    assert row["mark"] in {"known", "unknown"} and row["ratio"] is None
                last[key] = row
            assert row["until"] is None or row["until"] > row["at"]
        assert moments == sorted(moments)

    @settings(deadline=None, database=None, max_examples=60)
    @given(told=stories())
    def test_what_alarms_was_said_by_two_polls(self, told: Told) -> None:
        """And what one poll said and the next took back is never confirmed."""
        for row in price_history(told.frame, told.polls, DIRECTORY).to_dicts():
            if row["mark"] in ALARMING:
                end = row["until"] or datetime.max.replace(tzinfo=UTC)
                said = [one for one in told.polls[ROUTE] if row["at"] <= one < end]
                assert len(said) > 1

    @settings(deadline=None, database=None, max_examples=20)
    @given(told=stories(), seed=st.integers(0, 2**32 - 1))
    def test_the_order_of_rows_changes_nothing(self, told: Told, seed: int) -> None:
        shuffled = told.frame.sample(fraction=1, shuffle=True, seed=seed)
        asked = price_history(told.frame, told.polls, DIRECTORY)
        assert price_history(shuffled, told.polls, DIRECTORY).equals(asked)

    @settings(deadline=None, database=None, max_examples=30)
    @given(
        prices=st.lists(st.sampled_from(["1", "2", "3"]), min_size=1, max_size=8),
        stands=st.integers(0, 3),
    )
    def test_the_steps_are_those_of_the_list(self, prices: list[str], stands: int) -> None:
        told = Told()
        said = [*prices, *[prices[-1]] * stands]
        steps = [(one, other) for one, other in pairwise(said) if one != other]
        assert [(before, after) for before, after, _ in told.marks(*said)] == steps
