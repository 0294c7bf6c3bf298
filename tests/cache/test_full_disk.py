"""Disks that are full or may not be written: what was stored stays, and the message says why."""

import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from qwenwatch_cache.errors import StoreError
from qwenwatch_cache.frames import TABLES, USAGE_TABLE
from qwenwatch_cache.store import Store
from tests.cache.rows import (
    MANY,
    NOW,
    at,
    fetches,
    files_of,
    last_part,
    leftovers,
    prices,
    several_parts,
    stored,
    temporaries,
    usage,
    values_of,
    wrong_sums,
)

PAGE = 4096

WRITES: dict[str, Callable[[Store], object]] = {
    "append": lambda store: store.append({"usage": usage({"new": 3}, at(9))}, at(9), whole=MANY),
    "log": lambda store: store.log(fetches([at(9)]), at(9)),
    "compact": lambda store: store.compact(at(9)),
    "add": lambda store: store.add({"usage": usage({"z": 3}), "price": prices({"z": None})}, at(9)),
    "mend": lambda store: store.repair(at(9)),
    "keep a body": lambda store: store.keep_body("f", b"body", "0" * 64, at(9)),
}


class TestFullDisk:
    def fill_up(self, store: Store) -> tuple[int, StoreError]:
        """Append until the disk refuses; gives the rows that were acknowledged."""
        dice = random.Random(7)
        for step in range(100):
            values = {f"m{step}/{row}": dice.randrange(10**12) for row in range(200)}
            try:
                store.append({"usage": usage(values)}, NOW, whole=MANY)
            except StoreError as error:
                return step * 200, error
        raise AssertionError("the disk was never full")

    def test_what_was_stored_stays(self, small_disk: Path) -> None:
        root = small_disk / "cache"
        rows, error = self.fill_up(Store(root))
        assert str(root) in str(error)
        assert "No space left on device" in str(error)
        assert rows > 0
        reader = Store(root)
        assert reader.cached(USAGE_TABLE).height == rows
        assert reader.notices == []
        assert leftovers(root) == []
        assert wrong_sums(root) == []

    def test_to_fail_again_and_again_changes_nothing(self, small_disk: Path) -> None:
        root = small_disk / "cache"
        self.fill_up(Store(root))
        before = files_of(root)
        values = {f"m{row}" * 9: row for row in range(20000)}
        for _ in range(3):
            with pytest.raises(StoreError):
                Store(root).append({"usage": usage(values, feed="g")}, NOW)
            assert stored(root).height > 0
            assert files_of(root) == before

    def test_a_body_that_does_not_fit_is_named(self, small_disk: Path) -> None:
        root = small_disk / "cache"
        body = random.Random(7).randbytes(300_000)
        with pytest.raises(StoreError, match="bodies"):
            Store(root).keep_body("f", body, "0" * 64, NOW)
        assert temporaries(root) == []
        assert list((root / "bodies").glob("*/*")) == []

    def test_it_goes_on_when_there_is_room_again(self, small_disk: Path) -> None:
        root = small_disk / "cache"
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(28 * 1024))
        rows, _ = self.fill_up(Store(root))
        ballast.unlink()
        assert Store(root).append({"usage": usage({"new": 1}, feed="g")}, NOW) == 1
        assert stored(root).height == rows + 1

    def test_damage_and_no_room_to_repair_it(self, small_disk: Path) -> None:
        root = small_disk / "cache"
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(60 * 1024))
        rows, _ = self.fill_up(Store(root))
        path = last_part(root)
        path.write_bytes(path.read_bytes()[:-100])
        with ballast.open("ab") as file:
            file.write(bytes(shutil.disk_usage(small_disk).free))
        with pytest.raises(StoreError):
            Store(root).repair(NOW)
        assert 0 < stored(root).height <= rows
        ballast.unlink()
        Store(root).repair(NOW)
        assert 0 < stored(root).height <= rows

    @pytest.mark.parametrize("what", ["append", "log", "compact", "add", "mend", "keep a body"])
    def test_at_whichever_page_the_room_ends(self, small_disk: Path, what: str) -> None:
        origin = several_parts(small_disk.parent / "origin")
        if what == "mend":
            last_part(origin).write_bytes(b"torn")
        rows = {name: stored(origin, table) for name, table in TABLES.items()}
        outcomes = []
        for pages in range(14):
            root = small_disk / "cache"
            shutil.copytree(origin, root)
            room = shutil.disk_usage(small_disk).free - pages * PAGE
            (small_disk / "ballast").write_bytes(bytes(room))
            before = files_of(root)
            try:
                WRITES[what](Store(root))
                outcomes.append(True)
            except StoreError as error:
                assert str(root) in str(error)
                assert "No space left on device" in str(error)
                outcomes.append(False)
                left = {path: text for path, text in files_of(root).items() if text}
                kept = {path: text for path, text in left.items() if "set-aside" not in str(path)}
                assert kept == {path: text for path, text in before.items() if text}
                for name, table in TABLES.items():
                    assert_frame_equal(stored(root, table), rows[name])
            shutil.rmtree(root)
            (small_disk / "ballast").unlink()
        assert outcomes == sorted(outcomes)
        assert set(outcomes) == {True, False}


def test_a_directory_that_may_not_be_written(filled: Path) -> None:
    filled.chmod(0o500)
    try:
        if os.access(filled, os.W_OK):
            pytest.skip("permissions do not bind this user")
        store = Store(filled)
        assert values_of(store.cached(USAGE_TABLE)) == [("a", 1), ("b", 2)]
        with pytest.raises(StoreError, match=str(filled)):
            store.append({"usage": usage({"c": 3}, at(2))}, at(2))
    finally:
        filled.chmod(0o700)


def test_a_read_only_file_system(filled: Path, tmp_path: Path) -> None:
    place = tmp_path / "read-only"
    place.mkdir()
    bind = ["mount", "--bind", str(filled), str(place)]
    remount = ["mount", "-o", "remount,bind,ro", str(place)]
    try:
        subprocess.run(bind, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a file system read-only")
    try:
        subprocess.run(remount, check=True, capture_output=True)
        store = Store(place)
        assert values_of(store.cached(USAGE_TABLE)) == [("a", 1), ("b", 2)]
        with pytest.raises(StoreError, match=f"{place}.*Read-only file system"):
            store.append({"usage": usage({"c": 3}, at(2))}, at(2))
        with pytest.raises(StoreError):
            store.repair(NOW)
    finally:
        subprocess.run(["umount", str(place)], check=True)
