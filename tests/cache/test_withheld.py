"""Files of a cache that are missing, or that the system does not give out."""

import errno
import shutil
from pathlib import Path

import pytest

from qwenwatch_cache.errors import StoreError
from qwenwatch_cache.frames import USAGE_TABLE
from qwenwatch_cache.store import Store
from tests.cache.rows import (
    NOW,
    at,
    before_it,
    fetches,
    files_of,
    last_part,
    stored,
    usage,
    values_of,
)


class TestMissing:
    def test_a_part_that_is_missing(self, filled: Path) -> None:
        last_part(filled).unlink()
        store = Store(filled)
        assert values_of(store.cached(USAGE_TABLE)) == [("a", 1)]
        assert ["missing" in notice for notice in store.notices] == [True]
        store.repair(at(5))
        assert values_of(stored(filled)) == [("a", 1)]
        assert Store(filled).last_damage("f") == at(5)

    def test_a_replaced_file_that_is_missing_is_missed_by_nobody(self, filled: Path) -> None:
        before_it(filled).unlink()
        store = Store(filled)
        store.repair(at(5))
        store.compact(at(5))
        assert values_of(store.cached(USAGE_TABLE)) == [("a", 1), ("b", 2)]
        assert (store.notices, store.last_damage("f")) == ([], None)

    def test_both_missing(self, filled: Path) -> None:
        shutil.rmtree(filled / "usage")
        store = Store(filled)
        assert store.cached(USAGE_TABLE).is_empty()
        assert len(store.notices) == 1
        store.append({"usage": usage({"c": 3}, at(2))}, at(2))
        assert values_of(stored(filled)) == [("c", 3)]


class TestWithheld:
    """What the system does not give out is there: it is neither damaged nor to be replaced."""

    @pytest.mark.parametrize("what", [".json", ".parquet"])
    def test_a_file_cannot_be_opened(
        self, filled: Path, monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        def refuse(path: Path) -> bytes:
            if path.suffix == what:
                raise OSError(errno.EMFILE, "Too many open files")
            with path.open("rb") as file:
                return file.read()

        store = Store(filled)
        before = files_of(filled)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_bytes", refuse)
            with pytest.raises(StoreError, match=rf"{filled}.*Too many open files"):
                store.append({"usage": usage({"c": 3}, at(2))}, at(2))
        assert files_of(filled) == before

    @pytest.fixture
    def withheld(self, filled: Path) -> Path:
        """A part of `f` cannot be read (root may read all files, but no directory as one)."""
        Store(filled).append({"usage": usage({"x": 9}, feed="g")}, NOW)
        path = last_part(filled)
        path.rename(filled / "elsewhere")
        path.mkdir()
        return path

    def test_only_what_needs_it_is_refused(self, filled: Path, withheld: Path) -> None:
        store = Store(filled)
        store.repair(at(2))
        assert any(str(withheld) in notice for notice in store.notices)
        assert store.append({"usage": usage({"x": 10}, at(2), feed="g")}, at(2)) == 1
        store.log(fetches([at(2)]), at(2))
        for write in (
            lambda: store.append({"usage": usage({"c": 3}, at(2))}, at(2)),
            lambda: store.compact(at(2)),
            lambda: store.add({"usage": usage({"c": 3}, at(2))}, at(2)),
        ):
            with pytest.raises(StoreError, match=str(withheld)):
                write()
        assert not (filled / "set-aside").exists()

    def test_it_is_there_again_when_it_can_be_read(self, filled: Path, withheld: Path) -> None:
        store = Store(filled)
        assert sorted(values_of(store.cached(USAGE_TABLE))) == [("a", 1), ("x", 9)]
        assert [str(withheld) in notice for notice in store.notices] == [True]
        store.repair(at(2))
        store.append({"usage": usage({"x": 10}, at(2), feed="g")}, at(2))
        withheld.rmdir()
        (filled / "elsewhere").rename(withheld)
        reader = Store(filled)
        shown = sorted(values_of(reader.cached(USAGE_TABLE)))
        assert shown == [("a", 1), ("b", 2), ("x", 9), ("x", 10)]
        assert (reader.notices, reader.last_damage("f")) == ([], None)

    def test_nothing_can_be_set_aside(self, filled: Path) -> None:
        (filled / "set-aside").write_text("not a folder")
        last_part(filled).write_bytes(b"torn")
        before = files_of(filled)
        store = Store(filled)
        for write in (
            lambda: store.repair(at(2)),
            lambda: store.append({"usage": usage({"c": 3}, at(2))}, at(2)),
            lambda: store.compact(at(2)),
        ):
            with pytest.raises(StoreError, match="set-aside"):
                write()
        assert files_of(filled) == before
        assert values_of(stored(filled)) == [("a", 1)]
        assert store.append({"usage": usage({"x": 9}, feed="g")}, NOW) == 1


def test_what_is_to_fall_back_on_is_kept_until_it_can_be_read(filled: Path) -> None:
    """A file that is not given out for a moment is not worthless."""
    last_part(filled).write_bytes(b"torn")
    before = before_it(filled)
    aside = filled / "for a moment"
    before.rename(aside)
    before.mkdir()  # a directory in its place: nobody can read it as a file
    store = Store(filled)
    store.repair(at(5))
    assert store.notices
    before.rmdir()
    aside.rename(before)
    store.repair(at(6))
    assert values_of(stored(filled)) == [("a", 1)]
