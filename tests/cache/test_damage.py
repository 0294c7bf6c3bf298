"""Damaged parts: what was before them is shown, they are set aside, and the rest goes on."""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from qwenwatch_cache.frames import FETCH_TABLE, PRICE_TABLE, USAGE_TABLE
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.files import Damaged
from qwenwatch_cache.store.parts import read_part
from tests.cache.rows import (
    MANY,
    NOW,
    at,
    before_it,
    fetches,
    files_of,
    last_part,
    leftovers,
    parts_of,
    prices,
    several_parts,
    small_parts,
    stored,
    usage,
    values_of,
    wrong_sums,
)


def foreign(path: Path) -> None:
    pl.DataFrame({"somebody": ["else's"]}).write_parquet(path)


def other_types(path: Path) -> None:
    usage({"a": 1}).with_columns(value=pl.lit("many")).write_parquet(path)


def other_rows(path: Path) -> None:
    usage({"a": 666}).write_parquet(path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "without its last byte": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "zero length": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "random": lambda path: path.write_bytes(random.Random(1).randbytes(5000)),
    "text": lambda path: path.write_text("<html>502 Bad Gateway</html>"),
    "foreign table": foreign,
    "other types": other_types,
    "a sound table of other rows": other_rows,
}

damages = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())


class TestReading:
    @damages
    def test_damage_shows_the_version_before(
        self, filled: Path, damage: Callable[[Path], object]
    ) -> None:
        damage(last_part(filled))
        before = files_of(filled)
        store = Store(filled)
        assert values_of(store.cached(USAGE_TABLE)) == [("a", 1)]
        assert [str(last_part(filled)) in notice for notice in store.notices] == [True]
        assert "\n" not in store.notices[0]
        assert files_of(filled) == before  # a reader touches nothing

    @damages
    def test_damage_of_both_versions_shows_nothing(
        self, filled: Path, damage: Callable[[Path], object]
    ) -> None:
        damage(last_part(filled))
        damage(before_it(filled))
        store = Store(filled)
        assert_frame_equal(store.cached(USAGE_TABLE), USAGE_TABLE.empty())
        assert len(store.notices) == 2
        assert str(before_it(filled)) in store.notices[1]

    def test_damage_of_one_table_is_none_of_another(self, filled: Path) -> None:
        Store(filled).append({"price": prices({"a": Decimal(1)})}, NOW)
        last_part(filled).write_bytes(b"")
        store = Store(filled)
        assert store.cached(PRICE_TABLE)["model"].to_list() == ["a"]
        assert store.notices == []

    def test_damage_of_one_feed_is_none_of_another(self, filled: Path) -> None:
        Store(filled).append({"usage": usage({"x": 9}, feed="g")}, NOW)
        last_part(filled).write_bytes(b"")
        store = Store(filled)
        assert values_of(store.cached(USAGE_TABLE, feeds=["g"])) == [("x", 9)]
        assert store.notices == []
        assert sorted(values_of(store.cached(USAGE_TABLE))) == [("a", 1), ("x", 9)]

    def test_a_notice_is_left_once(self, filled: Path) -> None:
        last_part(filled).write_bytes(b"")
        store = Store(filled)
        for _ in range(3):
            store.cached(USAGE_TABLE)
        assert len(store.notices) == 1

    def test_some_columns_tell_no_other_story(self, filled: Path) -> None:
        last_part(filled).write_bytes(b"")
        frame = Store(filled).cached(USAGE_TABLE, columns=["entity", "value"])
        assert values_of(frame) == [("a", 1)]

    def test_no_cut_is_read_as_a_table(self, filled: Path) -> None:
        path = last_part(filled)
        whole = path.read_bytes()
        for length in range(0, len(whole), 41):
            path.write_bytes(whole[:length])
            store = Store(filled)
            assert values_of(store.cached(USAGE_TABLE)) == [("a", 1)]
            assert store.notices

    def test_no_flipped_byte_goes_unnoticed(self, filled: Path) -> None:
        path = last_part(filled)
        whole = path.read_bytes()
        store = Store(filled)
        [part] = store.manifest().parts
        for place in range(len(whole)):
            torn = bytearray(whole)
            torn[place] ^= 1 << place % 8
            with pytest.raises(Damaged):
                read_part(lambda name: bytes(torn), part, USAGE_TABLE)  # noqa: B023
            if place % 16 == 0:
                path.write_bytes(torn)
                assert values_of(store.cached(USAGE_TABLE)) == [("a", 1)]
                assert len(store.notices) == 1
                store.notices.clear()

    def test_of_several_parts_the_others_are_shown(self, root: Path) -> None:
        older, newer = parts_of(several_parts(root))
        whole = newer.read_bytes()
        newer.write_bytes(b"")
        assert values_of(stored(root)) == [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)]
        newer.write_bytes(whole)
        older.write_bytes(b"")  # what was before `newer` is all that there is beside it
        assert values_of(stored(root)) == [("e", 5), ("f", 6)]


class TestMending:
    @damages
    def test_a_damaged_part_is_set_aside(
        self, filled: Path, damage: Callable[[Path], object]
    ) -> None:
        path = last_part(filled)
        damage(path)
        torn = path.read_bytes()
        store = Store(filled)
        store.append({"usage": usage({"c": 3}, at(2))}, at(2), whole=MANY)
        assert values_of(stored(filled)) == [("a", 1), ("c", 3)]
        [aside] = (filled / "set-aside").iterdir()
        assert aside.name.startswith("usage-f-20260817T1202")
        assert aside.read_bytes() == torn
        [notice] = store.notices
        assert str(path) in notice
        assert str(aside) in notice
        assert Store(filled).notices == []

    def test_a_second_damage_does_not_replace_the_first(self, filled: Path) -> None:
        for text in ("one", "two"):
            last_part(filled).write_text(text)
            Store(filled).repair(NOW)
            Store(filled).append({"usage": usage({text: 1}, NOW)}, NOW, whole=MANY)
        asides = (filled / "set-aside").iterdir()
        assert sorted(path.read_text() for path in asides) == ["one", "two"]

    def test_a_damaged_version_before_is_set_aside_too(self, filled: Path) -> None:
        last_part(filled).write_text("now")
        before_it(filled).write_text("before")
        store = Store(filled)
        for minute in (2, 3):
            store.append({"usage": usage({"c": minute}, at(minute))}, at(minute))
        asides = (filled / "set-aside").iterdir()
        assert sorted(path.read_text() for path in asides) == ["before", "now"]
        assert values_of(stored(filled)) == [("c", 2), ("c", 3)]
        assert len(store.notices) == 2

    def test_repair_tells_when_damage_was_met(self, filled: Path) -> None:
        Store(filled).append({"usage": usage({"x": 9}, feed="g")}, NOW)
        store = Store(filled)
        store.repair(at(5))
        assert (store.last_damage("f"), store.notices) == (None, [])
        last_part(filled).write_bytes(b"")
        moment = at(7) + timedelta(microseconds=250)
        store.repair(moment)
        assert Store(filled).last_damage("f") == moment
        assert Store(filled).last_damage("g") is None  # nobody asks it again for that
        assert values_of(stored(filled)) == [("a", 1), ("x", 9)]

    def test_a_lost_log_loses_no_figure(self, filled: Path) -> None:
        store = Store(filled)
        store.log(fetches([NOW]), NOW)
        last_part(filled, FETCH_TABLE).write_bytes(b"")
        store.repair(at(5))
        assert store.last_damage("f") is None
        assert len(store.notices) == 1

    def test_repair_leaves_nothing_lying(self, filled: Path) -> None:
        last_part(filled).write_bytes(b"")
        Store(filled).repair(at(5))
        assert leftovers(filled) == []
        assert wrong_sums(filled) == []
        before = files_of(filled)
        store = Store(filled)
        store.repair(at(6))  # there is nothing more to do
        assert files_of(filled) == before
        assert store.notices == []

    @pytest.mark.parametrize("which", [0, 1])
    def test_of_several_parts_the_others_stay(self, root: Path, which: int) -> None:
        parts_of(several_parts(root))[which].write_bytes(b"")
        shown = stored(root)
        Store(root).repair(at(5))
        assert_frame_equal(stored(root), shown)
        assert Store(root).notices == []

    def test_an_older_part_damaged_too(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        small_parts(monkeypatch, 0)
        long_ago = at(-200 * 24 * 60)
        old = usage({"a": 1, "b": 2}, long_ago, period=long_ago.date())
        store = Store(root)
        store.append({"usage": old}, long_ago)
        store.append({"usage": usage({"c": 3})}, NOW)
        for path in parts_of(root):
            path.write_bytes(b"torn")
        # What is stated has nothing to do with the older part: then that must not stand in the way.
        assert store.append({"usage": usage({"c": 3}, at(9))}, at(9)) == 1
        assert values_of(stored(root)) == [("c", 3)]
        assert len(list((root / "set-aside").iterdir())) == 2

    def test_a_log_in_several_parts_keeps_its_order(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small_parts(monkeypatch, 2)
        store = Store(root)
        for minutes in ([0, 1, 2, 3], [9], [8]):  # each as late as its round ended
            store.log(fetches([at(minute) for minute in minutes]), at(9))
        assert len(parts_of(root, FETCH_TABLE)) == 2
        last_part(root, FETCH_TABLE).write_bytes(b"")
        left = [at(minute) for minute in (0, 1, 2, 3, 9)]
        assert stored(root, FETCH_TABLE)["started"].to_list() == left
        store.repair(at(10))
        assert stored(root, FETCH_TABLE)["started"].to_list() == left

    def test_what_is_stated_again_comes_back(self, filled: Path) -> None:
        last_part(filled).write_bytes(b"")
        store = Store(filled)
        assert store.append({"usage": usage({"a": 1, "b": 2}, at(5))}, at(5)) == 1
        assert values_of(stored(filled)) == [("a", 1), ("b", 2)]
