"""A clock that was wrong: nothing is lost, and each time knows what was learned by then."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from qwenwatch_cache.frames import FETCH_TABLE, PRICE_TABLE, USAGE_TABLE
from qwenwatch_cache.store import Store, as_of
from tests.cache.rows import NOW, at, fetches, prices, stored, usage, values_of

AHEAD = NOW + timedelta(days=400)


def known(root: Path, when: datetime) -> dict[str, int | None]:
    return dict(values_of(as_of(stored(root), USAGE_TABLE, when)))


def state(root: Path, value: int, when: datetime) -> int:
    return Store(root).append({"usage": usage({"a": value}, when)}, when)


class TestBack:
    @pytest.fixture
    def jumped(self, root: Path) -> Path:
        """A cache that learned something a year ahead, and then something now."""
        for value, when in [(1, NOW), (2, AHEAD), (3, at(5))]:
            assert state(root, value, when) == 1
        return root

    def test_each_time_knows_what_was_learned_by_then(self, jumped: Path) -> None:
        assert known(jumped, at(-1)) == {}
        assert known(jumped, NOW) == known(jumped, at(4)) == {"a": 1}
        assert known(jumped, at(5)) == known(jumped, AHEAD - timedelta(days=1)) == {"a": 3}
        assert known(jumped, AHEAD) == {"a": 2}

    def test_care_changes_none_of_it(self, jumped: Path) -> None:
        rows = stored(jumped)
        for care in (Store(jumped).repair, Store(jumped).compact):
            care(at(6))
            assert_frame_equal(stored(jumped), rows)

    def test_the_same_said_again_is_no_news(self, jumped: Path) -> None:
        assert [state(jumped, 3, at(minute)) for minute in range(6, 10)] == [0] * 4

    def test_what_was_said_at_a_time_is_known_then(self, jumped: Path) -> None:
        # It is what the wrong clock knows already; at its own time it is news all the same.
        assert state(jumped, 2, at(7)) == 1
        assert known(jumped, at(7)) == {"a": 2}

    def test_when_the_clock_gets_there_the_newer_figure_wins(self, jumped: Path) -> None:
        later = AHEAD + timedelta(minutes=1)
        assert state(jumped, 3, later) == 1
        assert known(jumped, later) == {"a": 3}

    def test_whoever_keeps_answers_is_told(self, root: Path) -> None:
        state(root, 1, NOW)
        before = Store(root).manifest().past
        state(root, 2, AHEAD)
        ahead = Store(root).manifest().past
        state(root, 3, at(5))
        assert Store(root).manifest().past != ahead
        assert before <= ahead

    def test_what_vanished_in_between(self, root: Path) -> None:
        Store(root).append({"usage": usage({"a": 1, "b": 2})}, NOW)
        Store(root).append({"usage": usage({"a": 1, "b": 2, "c": 3}, AHEAD)}, AHEAD)
        Store(root).append({"usage": usage({"a": 1}, at(5))}, at(5))
        assert known(root, at(5)) == {"a": 1, "b": None}
        assert known(root, AHEAD) == {"a": 1, "b": None, "c": 3}


def test_prices_too(root: Path) -> None:
    for amount, when in [(1, NOW), (2, AHEAD), (3, at(5)), (3, at(6))]:
        Store(root).append({"price": prices({"m": Decimal(amount)}, when)}, when)
    table = stored(root, PRICE_TABLE)
    assert [int(row) for row in table["input"]] == [1, 3, 2]
    assert table["observed_at"].to_list() == [NOW, at(5), AHEAD]


def test_the_log_stays_in_the_order_in_which_it_was_logged(root: Path) -> None:
    moments = [NOW, AHEAD, at(5), at(-5)]
    for moment in moments:
        Store(root).log(fetches([moment]), moment)
    Store(root).compact(at(6))
    assert stored(root, FETCH_TABLE)["started"].to_list() == moments


def test_damage_met_twice_at_one_moment(filled: Path) -> None:
    for _ in range(3):
        for path in (filled / "usage").glob("*.parquet"):
            path.write_bytes(b"torn")
        Store(filled).repair(NOW)
        state(filled, 1, NOW)
    assert len(list((filled / "set-aside").iterdir())) >= 3
    assert known(filled, NOW) == {"a": 1}


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.integers(-600, 600), st.dictionaries(st.sampled_from("abc"), st.integers(0, 3))
        ),
        max_size=8,
    )
)
def test_in_whatever_order_the_times_come(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[int, dict[str, int]]]
) -> None:
    root = tmp_path_factory.mktemp("jumps") / "cache"
    store = Store(root, bundled=root / "none")
    for minute, values in said:
        if not values:
            continue
        earlier = stored(root)
        store.append({"usage": usage(values, at(minute))}, at(minute))
        shown = {
            name: value for name, value in known(root, at(minute)).items() if value is not None
        }
        assert shown == values  # what was said is what is known at that moment
        rows = stored(root)
        assert earlier.join(rows, on=rows.columns, how="anti", nulls_equal=True).is_empty()
        behind = rows.filter(pl.col("observed_at") < at(minute))
        assert_frame_equal(behind, earlier.filter(pl.col("observed_at") < at(minute)))
