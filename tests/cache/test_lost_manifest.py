"""What says which parts count is lost, torn, edited or old: the parts themselves still tell."""

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from qwenwatch_cache.errors import StoreError
from qwenwatch_cache.frames import FETCH_TABLE, TABLES, USAGE_TABLE
from qwenwatch_cache.manifest import Manifest, from_json
from qwenwatch_cache.store import Store
from tests.cache.rows import (
    MANY,
    NOW,
    at,
    fetches,
    files_of,
    last_part,
    leftovers,
    several_parts,
    stored,
    usage,
    values_of,
    wrong_sums,
)

ALL = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5), ("f", 6)]

LOSSES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "zero length": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "other JSON": lambda path: path.write_text("[]"),
    "null": lambda path: path.write_text("null"),
    "text": lambda path: path.write_text("<html>"),
    "not UTF-8": lambda path: path.write_bytes(b"\xff" * 80),
    "edited": lambda path: path.write_text(path.read_text().replace("usage/f-", "usage/g-")),
}


def rows_in(root: Path) -> dict[str, pl.DataFrame]:
    return {name: stored(root, table) for name, table in TABLES.items()}


def assert_same_rows(root: Path, before: dict[str, pl.DataFrame]) -> None:
    for name, frame in rows_in(root).items():
        assert_frame_equal(frame, before[name])


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES.keys())
class TestLost:
    def test_readers_show_what_lies_there(self, root: Path, lose: Callable[[Path], object]) -> None:
        rows = rows_in(several_parts(root))
        lose(root / "manifest.json")
        before = files_of(root)
        store = Store(root)
        for name, table in TABLES.items():
            assert_frame_equal(store.cached(table), rows[name])
            assert_frame_equal(store.cached(table, feeds=["f"]), rows[name])
        assert store.last_observed() == at(2)
        assert ["manifest.json" in notice for notice in store.notices] == [True]
        assert files_of(root) == before

    @pytest.mark.parametrize("what", ["repair", "compact", "log", "append", "add"])
    def test_the_next_write_makes_it_anew(
        self, root: Path, lose: Callable[[Path], object], what: str
    ) -> None:
        rows = rows_in(several_parts(root))
        past = Store(root).manifest().past
        lose(root / "manifest.json")
        store = Store(root)
        if what in ("append", "add"):
            more = {"usage": usage({"x": 9}, at(5), feed="g")}
            assert store.append(more, at(5)) if what == "append" else store.add(more, at(5)).rows
            more_rows = pl.concat([rows["usage"], more["usage"]])
            rows["usage"] = more_rows
        elif what == "log":
            store.log(fetches([at(5)]), at(5))
            rows["fetch"] = pl.concat([rows["fetch"], fetches([at(5)])])
        elif what == "compact":
            store.compact(at(5))
        else:
            store.repair(at(5))
        assert any("manifest.json" in notice for notice in store.notices)
        assert_same_rows(root, rows)
        assert Store(root).notices == []
        # Nobody can say what was lost, so nothing that was computed before counts.
        assert Store(root).manifest().past != past
        Store(root).repair(at(6))
        assert_same_rows(root, rows)
        assert leftovers(root) == []
        assert wrong_sums(root) == []

    def test_a_part_is_damaged_too(self, root: Path, lose: Callable[[Path], object]) -> None:
        path = last_part(several_parts(root))
        torn = bytearray(path.read_bytes())
        torn[len(torn) // 2] ^= 1
        path.write_bytes(torn)
        lose(root / "manifest.json")
        left = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)]
        store = Store(root)
        assert sorted(values_of(store.cached(USAGE_TABLE))) == left
        assert len(store.notices) == 2
        store.repair(at(5))
        assert values_of(stored(root)) == left
        assert [one.read_bytes() for one in (root / "set-aside").iterdir()] == [bytes(torn)]
        assert Store(root).last_damage("f") == at(5)


def test_no_changed_byte_of_it_changes_a_figure(root: Path) -> None:
    rows = rows_in(several_parts(root))
    path = root / "manifest.json"
    whole = path.read_bytes()
    refused = 0
    for place in range(len(whole)):
        torn = bytearray(whole)
        torn[place] ^= 1 << place % 7
        if place % 8:
            with contextlib.suppress(StoreError, ValueError, KeyError, TypeError, AttributeError):
                assert from_json(bytes(torn)) == from_json(whole)
            continue
        path.write_bytes(torn)
        try:
            store = Store(root)
        except StoreError as error:
            assert str(root) in str(error)  # taken for the format of a newer version
            refused += 1
            continue
        assert_frame_equal(store.cached(USAGE_TABLE, since=at(0)), rows["usage"])
        assert len(store.notices) == 1 or json.loads(torn) == json.loads(whole)
    assert refused <= len('"format": 2')


def test_a_name_that_leads_out_of_the_cache_is_followed_by_nobody(root: Path) -> None:
    several_parts(root)
    mine = root.parent / "mine.parquet"
    mine.write_text("mine")
    plain = json.loads((root / "manifest.json").read_text())
    plain["retired"][0]["file"] = "usage/../../mine.parquet"
    (root / "manifest.json").write_text(json.dumps(plain))
    store = Store(root)
    store.append({"usage": usage({"x": 9}, at(5))}, at(5), whole=MANY)
    store.repair(at(6))
    assert mine.read_text() == "mine"
    assert values_of(stored(root)) == [*ALL, ("x", 9)]


class TestOld:
    """A manifest of an earlier state, as a backup brings it back."""

    @pytest.fixture
    def old(self, root: Path) -> dict[str, pl.DataFrame]:
        """The rows of a cache whose manifest is many writes old."""
        several_parts(root)
        text = (root / "manifest.json").read_bytes()
        for minute in range(5, 12):
            rows = {"usage": usage({f"n{minute}": minute}, at(minute))}
            Store(root).append(rows, at(minute), whole=MANY)
            Store(root).log(fetches([at(minute)]), at(minute))
        rows_now = rows_in(root)
        (root / "manifest.json").write_bytes(text)
        return rows_now

    @pytest.mark.parametrize("what", ["repair", "compact", "append", "log", "drop"])
    def test_nothing_is_lost(self, root: Path, old: dict[str, pl.DataFrame], what: str) -> None:
        store = Store(root)
        if what == "append":
            more = usage({"x": 9}, at(20), feed="g")
            store.append({"usage": more}, at(20))
            old["usage"] = pl.concat([old["usage"], more])
        elif what == "log":
            store.log(fetches([at(20)]), at(20))
            old["fetch"] = pl.concat([old["fetch"], fetches([at(20)])])
        elif what == "drop":
            store.drop_old_bodies(at(20), 1)
            store.repair(at(20))
        else:
            getattr(store, what)(at(20))
        for _ in range(3):
            Store(root).repair(at(30))
        assert_same_rows(root, old)
        assert leftovers(root) == []

    def test_a_reader_says_so(self, root: Path, old: dict[str, pl.DataFrame]) -> None:
        before = files_of(root)
        store = Store(root)
        shown = store.cached(USAGE_TABLE)
        assert store.notices
        assert set(shown["entity"]) <= set(old["usage"]["entity"])
        assert files_of(root) == before

    def test_what_a_kill_left_is_no_sign_of_it(self, root: Path) -> None:
        rows = rows_in(several_parts(root))
        # A part of the write that was under way, whose manifest was never replaced.
        last = Store(root).manifest()
        copy = root / "usage" / f"f-{last.generation + 1:07}-00000000.parquet"
        shutil.copy(last_part(root), copy)
        store = Store(root)
        store.repair(at(5))
        assert store.notices == []
        assert not copy.exists()
        assert_same_rows(root, rows)


class TestFormatLost:
    def test_format_json_is_missing(self, root: Path) -> None:
        rows = rows_in(several_parts(root))
        (root / "format.json").unlink()
        assert_same_rows(root, rows)
        assert Store(root).notices == []
        Store(root).log(fetches([at(5)]), at(5))
        assert json.loads((root / "format.json").read_text()) == {"format": 2}
        assert_frame_equal(stored(root), rows["usage"])

    def test_both_are_missing(self, root: Path) -> None:
        rows = rows_in(several_parts(root))
        (root / "format.json").unlink()
        (root / "manifest.json").unlink()
        store = Store(root)
        assert_frame_equal(store.cached(USAGE_TABLE), rows["usage"])
        assert len(store.notices) == 1
        store.repair(at(5))
        store.compact(at(5))
        assert_same_rows(root, rows)
        assert Store(root).notices == []

    def test_only_the_folders_of_the_tables_were_copied(self, root: Path, tmp_path: Path) -> None:
        rows = rows_in(several_parts(root))
        for table in (USAGE_TABLE, FETCH_TABLE):
            shutil.copytree(root / table.name, tmp_path / "copy" / table.name)
        store = Store(tmp_path / "copy")
        store.append({"price": pl.DataFrame(schema=TABLES["price"].schema)}, at(5))
        store.repair(at(5))
        assert_frame_equal(stored(store.root), rows["usage"])
        assert_frame_equal(stored(store.root, FETCH_TABLE), rows["fetch"])

    @pytest.mark.parametrize("place", range(len('{"format": 2}')))
    def test_no_changed_byte_of_it_costs_a_row(self, root: Path, place: int) -> None:
        rows = rows_in(several_parts(root))
        path = root / "format.json"
        whole = path.read_bytes()
        for value in b"019 \x00}":
            torn = bytearray(whole)
            torn[place] = value
            path.write_bytes(torn)
            try:
                Store(root).repair(at(5))
                Store(root).log(fetches([at(5)]), at(5))
            except StoreError as error:
                assert str(root) in str(error)
            path.write_bytes(whole)
            assert_frame_equal(stored(root), rows["usage"])


def test_a_folder_of_a_later_version_is_left_alone(root: Path) -> None:
    several_parts(root)
    (root / "forecast").mkdir()
    (root / "forecast" / "f-0000009-00000000.parquet").write_text("not ours")
    Store(root).repair(at(5))
    Store(root).compact(at(6))
    assert (root / "forecast" / "f-0000009-00000000.parquet").read_text() == "not ours"


def test_a_cache_without_rows_has_a_manifest(root: Path) -> None:
    store = Store(root)
    store.keep_body("f", b"{}", "0" * 64, NOW)
    assert Store(root).manifest() == Manifest()
    assert Store(root).notices == []


def test_what_was_lost_and_merged_before_is_not_forgotten(root: Path) -> None:
    """An old manifest that is put back still tells; without any, nothing counts as unchanged."""
    store = Store(several_parts(root))
    last_part(root).write_bytes(b"torn")
    store.repair(at(5))
    store.add({"usage": usage({"z": 9}, at(-60))}, at(6))
    old = (root / "manifest.json").read_bytes()
    for minute in range(7, 10):
        store.append({"usage": usage({"later": minute}, at(minute))}, at(minute))
    (root / "manifest.json").write_bytes(old)
    Store(root).repair(at(10))
    made_anew = Store(root).manifest()
    assert (Store(root).last_damage("f"), made_anew.merged) == (at(5), at(6))
    (root / "manifest.json").unlink()
    Store(root).repair(at(11))
    assert Store(root).manifest().merged == at(11)
