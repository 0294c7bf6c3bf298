"""What is stored of what feeds say: only news, for good, and nothing is ever rewritten."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from qwenwatch_cache.frames import (
    CATALOG,
    CATALOG_TABLE,
    PRICE_TABLE,
    TABLES,
    USAGE_TABLE,
    Table,
    conform,
)
from qwenwatch_cache.store import Store, as_of
from qwenwatch_cache.store.revisions import news, withdrawn
from tests.cache.rows import DAY, NOW, at, prices, stored, usage, values_of

OTHER_DAY = DAY - timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def last(store: Store, when: datetime | None = None) -> dict[str, int | None]:
    return dict(values_of(as_of(store.cached(USAGE_TABLE), USAGE_TABLE, when)))


class TestNews:
    def test_new_rows_are_stored_once(self, store: Store) -> None:
        assert store.append({"usage": usage({"a": 1, "b": 2})}, NOW) == 2
        for minute in (1, 2, 3):
            assert store.append({"usage": usage({"a": 1, "b": 2}, at(minute))}, at(minute)) == 0
        assert values_of(store.cached(USAGE_TABLE)) == [("a", 1), ("b", 2)]
        assert set(store.cached(USAGE_TABLE)["observed_at"]) == {NOW}

    def test_a_later_as_of_alone_is_no_news(self, store: Store) -> None:
        store.append({"usage": usage({"a": 1})}, NOW)
        again = usage({"a": 1}, at(5)).with_columns(as_of=pl.lit(at(4)))
        assert store.append({"usage": again}, at(5)) == 0

    def test_unknown_stays_unknown_without_a_new_row(self, store: Store) -> None:
        store.append({"usage": usage({"a": None})}, NOW)
        assert store.append({"usage": usage({"a": None}, at(1))}, at(1)) == 0
        assert store.append({"usage": usage({"a": 0}, at(2))}, at(2)) == 1
        assert store.append({"usage": usage({"a": None}, at(3))}, at(3)) == 1
        assert [value for _, value in values_of(store.cached(USAGE_TABLE))] == [None, 0, None]

    def test_a_restatement_stands_beside_what_was_said_before(self, store: Store) -> None:
        store.append({"usage": usage({"a": 1, "b": 2})}, NOW)
        assert store.append({"usage": usage({"a": 9, "b": 2}, at(1))}, at(1)) == 1
        assert values_of(store.cached(USAGE_TABLE)) == [("a", 1), ("b", 2), ("a", 9)]
        assert last(store) == {"a": 9, "b": 2}
        assert last(store, NOW) == {"a": 1, "b": 2}

    def test_a_value_that_returns_is_a_revision_again(self, store: Store) -> None:
        for minute, value in enumerate([1, 2, 1]):
            assert store.append({"usage": usage({"a": value}, at(minute))}, at(minute)) == 1
        assert [value for _, value in values_of(store.cached(USAGE_TABLE))] == [1, 2, 1]

    def test_another_scope_is_another_value(self, store: Store) -> None:
        store.append({"usage": usage({"a": 1})}, NOW)
        wider = usage({"a": 1}, at(1)).with_columns(scope=pl.lit("top 50"))
        assert store.append({"usage": wider}, at(1)) == 1

    @pytest.mark.parametrize("column", ["metric", "kind", "grain", "feed"])
    def test_each_key_column_names_another_thing(self, store: Store, column: str) -> None:
        store.append({"usage": usage({"a": 1})}, NOW)
        other = usage({"a": 1}, at(1)).with_columns(pl.lit("other").alias(column))
        assert store.append({"usage": other}, at(1)) == 1

    def test_of_one_key_twice_in_an_answer_the_last_counts(self, store: Store) -> None:
        twice = pl.concat([usage({"a": 1}), usage({"a": 2})])
        assert store.append({"usage": twice}, NOW) == 1
        assert last(store) == {"a": 2}

    def test_money_is_exact(self, store: Store) -> None:
        # In floats this is 1.5999999999999999 and would be a price change at every poll.
        exact = Decimal("0.0000016").scaleb(6)
        store.append({"price": prices({"a": exact})}, NOW)
        assert store.append({"price": prices({"a": Decimal("1.600")}, at(1))}, at(1)) == 0
        assert store.cached(PRICE_TABLE)["input"].to_list() == [Decimal("1.6")]
        smallest = Decimal("0.000000000001")
        assert store.append({"price": prices({"a": exact + smallest}, at(2))}, at(2)) == 1

    def test_a_price_of_nothing_is_not_an_unknown_price(self, store: Store) -> None:
        store.append({"price": prices({"a": None})}, NOW)
        assert store.append({"price": prices({"a": Decimal(0)}, at(1))}, at(1)) == 1
        assert store.cached(PRICE_TABLE)["input"].to_list() == [None, Decimal(0)]

    def test_several_tables_at_once(self, store: Store) -> None:
        frames = {"usage": usage({"a": 1}), "price": prices({"a": Decimal(1), "b": None})}
        assert store.append(frames, NOW) == 3
        assert store.append(frames, at(1)) == 0


class TestAsOf:
    def test_only_what_was_known_at_the_time(self) -> None:
        frame = pl.concat([usage({"a": value}, at(value)) for value in (1, 2, 3)])
        shown = {
            minute: values_of(as_of(frame, USAGE_TABLE, at(minute))) for minute in (0, 1, 1.5, 3, 9)
        }
        assert shown == {0: [], 1: [("a", 1)], 1.5: [("a", 1)], 3: [("a", 3)], 9: [("a", 3)]}

    def test_at_one_instant_the_row_stored_last_counts(self) -> None:
        frame = pl.concat([usage({"a": 1}), usage({"a": 2})])
        assert values_of(as_of(frame, USAGE_TABLE, NOW)) == [("a", 2)]

    def test_the_order_in_the_file_does_not_matter(self) -> None:
        frame = pl.concat([usage({"a": 2, "b": 2}, at(2)), usage({"b": 1, "a": 1}, at(1))])
        assert values_of(as_of(frame, USAGE_TABLE)) == [("a", 2), ("b", 2)]

    def test_of_nothing_is_nothing(self) -> None:
        for table in TABLES.values():
            assert_frame_equal(as_of(table.empty(), table, NOW), table.empty())


class TestWithdrawn:
    def test_usage_that_is_no_longer_stated_becomes_unknown(self, store: Store) -> None:
        store.append({"usage": usage({"a": 1, "b": 2})}, NOW)
        assert store.append({"usage": usage({"a": 1}, at(1))}, at(1)) == 1
        assert last(store) == {"a": 1, "b": None}
        assert last(store, NOW) == {"a": 1, "b": 2}
        assert store.cached(USAGE_TABLE).row(-1, named=True)["observed_at"] == at(1)

    def test_it_is_withdrawn_once_and_may_come_back(self, store: Store) -> None:
        for minute, values in enumerate([{"a": 1, "b": 2}, {"a": 1}, {"a": 1}, {"a": 1, "b": 2}]):
            store.append({"usage": usage(values, at(minute))}, at(minute))
        assert values_of(store.cached(USAGE_TABLE)) == [("a", 1), ("b", 2), ("b", None), ("b", 2)]

    @pytest.mark.parametrize(
        "other",
        [
            usage({"b": 2}, period=OTHER_DAY),
            usage({"b": 2}, feed="g"),
            usage({"b": 2}).with_columns(metric=pl.lit("requests")),
            usage({"b": 2}).with_columns(kind=pl.lit("lab")),
            usage({"b": 2}).with_columns(grain=pl.lit("week")),
        ],
        ids=["day", "feed", "metric", "kind", "grain"],
    )
    def test_what_was_not_asked_for_loses_nothing(self, store: Store, other: pl.DataFrame) -> None:
        store.append({"usage": other}, NOW)
        store.append({"usage": usage({"a": 1}, at(1))}, at(1))
        assert last(store) == {"a": 1, "b": 2}

    def test_an_answer_without_rows_withdraws_nothing(self, store: Store) -> None:
        store.append({"usage": usage({"a": 1}), "price": prices({"a": Decimal(1)})}, NOW)
        empty = {"usage": USAGE_TABLE.empty(), "price": PRICE_TABLE.empty()}
        assert store.append(empty, at(1)) == 0

    def test_a_vanished_price_is_kept_and_marked(self, store: Store) -> None:
        store.append({"price": prices({"a": Decimal(1), "b": Decimal(2)})}, NOW)
        assert store.append({"price": prices({"a": Decimal(1)}, at(1))}, at(1)) == 1
        assert store.append({"price": prices({"a": Decimal(1)}, at(2))}, at(2)) == 0
        rows = store.cached(PRICE_TABLE).select("model", "input", "listed", "observed_at").rows()
        assert rows == [
            ("a", Decimal(1), True, NOW),
            ("b", Decimal(2), True, NOW),
            ("b", Decimal(2), False, at(1)),
        ]

    def test_a_price_that_comes_back_is_listed_again(self, store: Store) -> None:
        both = {"a": Decimal(1), "b": Decimal(2)}
        for minute, now in enumerate([both, {"a": Decimal(1)}, both]):
            store.append({"price": prices(now, at(minute))}, at(minute))
        listed = store.cached(PRICE_TABLE).filter(model="b")["listed"].to_list()
        assert listed == [True, False, True]

    def test_a_price_of_another_feed_does_not_vanish(self, store: Store) -> None:
        store.append({"price": prices({"b": Decimal(2)}, feed="g")}, NOW)
        assert store.append({"price": prices({"a": Decimal(1)}, at(1))}, at(1)) == 1

    def test_a_catalogue_never_says_that_something_is_gone(self, store: Store) -> None:
        def catalog(*models: str) -> pl.DataFrame:
            named = [
                {**dict.fromkeys(CATALOG), "feed": "f", "model": model, "observed_at": NOW}
                for model in models
            ]
            return pl.DataFrame(named, schema=CATALOG)

        store.append({"catalog": catalog("a", "b")}, NOW)
        assert store.append({"catalog": catalog("a")}, at(1)) == 0
        assert store.cached(CATALOG_TABLE)["model"].to_list() == ["a", "b"]


# The store against a plain dictionary, over random sequences of answers.

Values = Mapping[str, int | None]
Group = tuple[str, date]
Answer = Mapping[Group, Values]

ENTITIES = st.sampled_from(["a", "b", "c", "other"])
VALUES = st.dictionaries(ENTITIES, st.none() | st.integers(0, 3), min_size=1, max_size=4)
GROUPS = st.tuples(st.sampled_from(["f", "g"]), st.sampled_from([DAY, OTHER_DAY]))
ANSWERS = st.lists(st.dictionaries(GROUPS, VALUES, max_size=2), max_size=7)


@dataclass
class Model:
    """What should be in the cache: per key, what was said and when."""

    history: dict[tuple[Group, str], list[tuple[datetime, int | None]]] = field(
        default_factory=dict
    )

    def hear(self, answer: Answer, when: datetime) -> int:
        added = 0
        for group, values in answer.items():
            for entity, value in values.items():
                added += self._say(group, entity, value, when)
            for known_group, entity in list(self.history):
                if known_group == group and entity not in values:
                    added += self._say(group, entity, None, when)
        return added

    def _say(self, group: Group, entity: str, value: int | None, when: datetime) -> int:
        said = self.history.setdefault((group, entity), [])
        if said and said[-1][1] == value:
            return 0
        said.append((when, value))
        return 1

    def known_at(self, when: datetime) -> dict[tuple[Group, str], int | None]:
        known = {}
        for key, said in self.history.items():
            before = [value for moment, value in said if moment <= when]
            if before:
                known[key] = before[-1]
        return known


def frame_of(answer: Answer, when: datetime) -> pl.DataFrame:
    parts = [
        usage(values, when, feed=feed, period=period) for (feed, period), values in answer.items()
    ]
    return pl.concat([USAGE_TABLE.empty(), *parts])


def known(frame: pl.DataFrame, when: datetime) -> dict[tuple[Group, str], int | None]:
    rows = as_of(frame, USAGE_TABLE, when).select("feed", "period", "entity", "value")
    return {((feed, period), entity): value for feed, period, entity, value in rows.iter_rows()}


def learn(before: pl.DataFrame, stated: pl.DataFrame, table: Table, when: datetime) -> pl.DataFrame:
    fresh = [news(before, stated, table), withdrawn(before, stated, table, when)]
    return pl.concat([before, *fresh])


@settings(max_examples=40, deadline=None)
@given(ANSWERS)
def test_history_is_what_was_said(answers: list[Answer]) -> None:
    model, frame = Model(), USAGE_TABLE.empty()
    for minute, answer in enumerate(answers):
        longer = learn(frame, frame_of(answer, at(minute)), USAGE_TABLE, at(minute))
        assert longer.height - frame.height == model.hear(answer, at(minute))
        # What was stored before is there, unchanged and in its place.
        assert_frame_equal(longer.head(frame.height), frame)
        frame = longer
    for minute in range(-1, len(answers) + 1):
        assert known(frame, at(minute)) == model.known_at(at(minute))


@settings(max_examples=40, deadline=None)
@given(ANSWERS, st.dictionaries(GROUPS, VALUES, min_size=1, max_size=3))
def test_to_hear_the_same_twice_is_to_hear_it_once(answers: list[Answer], now: Answer) -> None:
    frame = USAGE_TABLE.empty()
    for minute, answer in enumerate([*answers, now]):
        frame = learn(frame, frame_of(answer, at(minute)), USAGE_TABLE, at(minute))
    later = at(len(answers) + 1)
    assert_frame_equal(learn(frame, frame_of(now, later), USAGE_TABLE, later), frame)


@settings(max_examples=15, deadline=None)
@given(ANSWERS)
def test_the_disk_changes_nothing(answers: list[Answer]) -> None:
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for minute, answer in enumerate(answers):
            frame = frame_of(answer, at(minute))
            # Every writer is a new process's store, as cron would have it.
            assert Store(root).append({"usage": frame}, at(minute)) == model.hear(
                answer, at(minute)
            )
        for minute in range(len(answers)):
            assert known(stored(root), at(minute)) == model.known_at(at(minute))


PRICES = st.lists(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]),
        st.none() | st.decimals(0, 2, places=12),
        max_size=3,
    ),
    max_size=7,
)


@settings(max_examples=40, deadline=None)
@given(PRICES)
def test_a_price_is_never_lost(answers: list[Mapping[str, Decimal | None]]) -> None:
    frame = PRICE_TABLE.empty()
    expected: dict[str, tuple[Decimal | None, bool]] = {}
    for minute, answer in enumerate(answers):
        frame = learn(frame, prices(answer, at(minute)), PRICE_TABLE, at(minute))
        if answer:
            gone = {model: (price, False) for model, (price, _) in expected.items()}
            expected = gone | {model: (price, True) for model, price in answer.items()}
        last = as_of(frame, PRICE_TABLE).select("model", "input", "listed")
        assert {model: (price, on) for model, price, on in last.iter_rows()} == expected
        assert frame.schema == conform(frame, PRICE_TABLE.schema).schema


def test_a_model_that_was_named_but_not_read_has_not_vanished(store: Store) -> None:
    store.append({"price": prices({"a": Decimal(1), "b": Decimal(2)})}, NOW)
    assert store.append({"price": prices({"a": Decimal(1)}, at(1))}, at(1), unread={"b"}) == 0
    assert store.append({"price": prices({"a": Decimal(1)}, at(2))}, at(2)) == 1
    gone = store.cached(PRICE_TABLE).filter(~pl.col("listed"))
    assert gone["model"].to_list() == ["b"]
