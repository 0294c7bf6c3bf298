"""Several programs on one cache: all that was written is there, and readers never wait or err."""

import sys
import time
from pathlib import Path

import pytest

from qwenwatch_cache.frames import USAGE_TABLE
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.reading import rows_of
from tests.cache.kills import crowd
from tests.cache.rows import NOW, Child, at, hold_the_lock, last_part, usage, values_of


def test_two_writers_and_three_readers(root: Path) -> None:
    seed = time.time_ns() % 10**9
    sys.stdout.write(f"seed {seed}\n")  # shown when it fails
    came = crowd(root, 2, seed)
    assert came.errors == []
    assert (came.missing, came.strange) == ([], [])
    assert came.written > 0
    assert came.reads > 0
    assert came.compactions > 0


def test_a_reader_does_not_wait(filled: Path) -> None:
    with Child(hold_the_lock, filled) as holder:
        assert holder.hear() == "held"
        store = Store(filled, patience=0)
        assert values_of(store.cached(USAGE_TABLE)) == [("a", 1), ("b", 2)]
        assert store.last_observed() == at(1)


class TestBetween:
    """Another program writes between two steps of a reader."""

    @pytest.fixture
    def reader(self, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
        """A reader that has the manifest of before in its hands."""
        old = Store(filled).manifest()
        reader = Store(filled)
        states = iter([old])
        now = reader.manifest
        monkeypatch.setattr(reader, "manifest", lambda: next(states, None) or now())
        return reader

    def test_the_part_was_replaced_twice(self, filled: Path, reader: Store) -> None:
        for minute, name in ((2, "c"), (3, "d")):
            rows = {"a": 1, "b": 2, name: minute}
            Store(filled).append({"usage": usage(rows, at(minute))}, at(minute), whole=frozenset())
        assert values_of(reader.cached(USAGE_TABLE)) == [("a", 1), ("b", 2), ("c", 2), ("d", 3)]
        assert reader.notices == []

    def test_it_was_compacted(self, filled: Path, reader: Store) -> None:
        Store(filled).compact(at(2))
        assert values_of(reader.cached(USAGE_TABLE)) == [("a", 1), ("b", 2)]
        assert reader.notices == []

    def test_it_was_damaged_and_repaired(self, filled: Path, reader: Store) -> None:
        last_part(filled).write_bytes(b"torn")
        Store(filled).repair(at(2))
        Store(filled).append({"usage": usage({"a": 1, "b": 2}, at(3))}, at(3))
        Store(filled).append({"usage": usage({"a": 1, "b": 2, "c": 3}, at(4))}, at(4))
        assert values_of(reader.cached(USAGE_TABLE)) == [("a", 1), ("b", 2), ("c", 3)]
        assert reader.notices == []

    def test_damage_is_met_and_repaired_meanwhile(
        self, filled: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        last_part(filled).write_bytes(b"torn")
        reader = Store(filled)

        def meanwhile(*arguments: object, **options: object) -> object:
            found = rows_of(*arguments, **options)  # type: ignore[arg-type]
            monkeypatch.undo()
            Store(filled).repair(at(2))
            Store(filled).append({"usage": usage({"a": 1, "b": 2}, at(3))}, at(3))
            return found

        monkeypatch.setattr("qwenwatch_cache.store.reader.rows_of", meanwhile)
        assert values_of(reader.cached(USAGE_TABLE)) == [("a", 1), ("b", 2)]
        assert reader.notices == []


def test_two_programs_state_the_same(root: Path) -> None:
    for _ in range(2):
        Store(root).append({"usage": usage({"a": 1})}, NOW)
    assert values_of(Store(root).cached(USAGE_TABLE)) == [("a", 1)]
