"""Old caches that are damaged, refused, or lie on a disk that is full or read-only."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from qwenwatch_cache.errors import CacheTooNew, StoreError
from qwenwatch_cache.frames import PRICE_TABLE
from qwenwatch_cache.store import Store
from tests.cache.old_caches import CACHES, LATER, OLD, assert_holds, rows_by_plain_polars
from tests.cache.rows import files_of, leftovers, mounted, stored, usage, values_of


@pytest.fixture(params=CACHES)
def old(request: pytest.FixtureRequest, root: Path) -> Path:
    """A cache that an earlier version wrote."""
    shutil.copytree(OLD / request.param, root)
    return root


class TestDamage:
    @pytest.mark.parametrize("damage", [b"", b"torn", None])
    def test_the_version_before_is_used(self, old: Path, damage: bytes | None) -> None:
        path, before = old / "price.parquet", pl.read_parquet(old / "previous" / "price.parquet")
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage)
        reader = Store(old)
        assert reader.cached(PRICE_TABLE).height == before.height
        assert [str(path) in notice for notice in reader.notices] == [True]
        others = stored(old)
        store = Store(old)
        store.repair(LATER)
        assert store.notices
        assert stored(old, PRICE_TABLE).height == before.height
        assert stored(old).height == others.height
        assert Store(old).notices == []
        assert Store(old).last_damage("openrouter-models") == LATER
        asides = [one.read_bytes() for one in old.glob(f"set-aside/price-{LATER:%Y%m%d}*")]
        assert asides == ([] if damage is None else [damage])

    def test_both_versions(self, old: Path) -> None:
        (old / "usage.parquet").write_bytes(b"torn")
        (old / "previous" / "usage.parquet").write_bytes(b"too")
        prices = stored(old, PRICE_TABLE).height
        store = Store(old)
        store.repair(LATER)
        assert stored(old).is_empty()
        assert stored(old, PRICE_TABLE).height == prices
        asides = [one.read_bytes() for one in old.glob("set-aside/usage-*")]
        assert sorted(asides) == [b"too", b"torn"]
        assert len(store.notices) == 2

    def test_a_file_that_is_not_given_out_is_not_left_behind(self, old: Path) -> None:
        (old / "price.parquet").rename(old / "elsewhere")
        (old / "price.parquet").mkdir()
        before = files_of(old)
        with pytest.raises(StoreError, match=str(old / "price.parquet")):
            Store(old).repair(LATER)
        assert files_of(old) == before
        assert values_of(stored(old))

    def test_format_json_is_missing(self, old: Path) -> None:
        rows = rows_by_plain_polars(old)
        (old / "format.json").unlink()
        assert_holds(old, rows)
        Store(old).repair(LATER)
        assert_holds(old, rows)

    def test_an_old_cache_copied_over_a_new_one(self, old: Path, tmp_path: Path) -> None:
        rows = dict(rows_by_plain_polars(old))
        new = tmp_path / "new"
        fresh = usage({"new": 1}, LATER, feed="g")
        Store(new).append({"usage": fresh}, LATER)
        shutil.copytree(old, new, dirs_exist_ok=True)
        assert_holds(new, rows)  # as format.json says, until somebody writes
        Store(new).repair(LATER)
        rows["usage"] = pl.concat([rows["usage"], fresh])
        assert_holds(new, rows)
        assert leftovers(new) == []


class TestRefused:
    @pytest.mark.parametrize("stated", [3, 4, 1000, 0, -1, "1", "two", None, [1]])
    def test_a_format_that_nobody_knows(self, old: Path, stated: object) -> None:
        (old / "format.json").write_text(json.dumps({"format": stated}))
        before = files_of(old)
        with pytest.raises(CacheTooNew, match=str(old)):
            Store(old)
        assert files_of(old) == before

    @pytest.mark.parametrize("text", ["", "{", "1", "[]", '{"version": 1}'])
    def test_nonsense(self, old: Path, text: str) -> None:
        (old / "format.json").write_text(text)
        before = files_of(old)
        with pytest.raises(StoreError, match=r"format\.json"):
            Store(old)
        assert files_of(old) == before


class TestDisk:
    @pytest.fixture
    def disk(self, tmp_path: Path) -> Iterator[Path]:
        """A file system of 400 kB."""
        with mounted(tmp_path / "disk", "400k") as folder:
            yield folder

    def test_full(self, old: Path, disk: Path) -> None:
        rows, outcomes = rows_by_plain_polars(old), []
        for pages in range(0, 60, 4):
            root = disk / "cache"
            shutil.copytree(old, root)
            room = shutil.disk_usage(disk).free - pages * 4096
            (disk / "ballast").write_bytes(bytes(room))
            before = files_of(root)
            try:
                Store(root).repair(LATER)
                outcomes.append(True)
            except StoreError as error:
                assert "No space left on device" in str(error)
                assert files_of(root) == before
                outcomes.append(False)
            assert_holds(root, rows)
            shutil.rmtree(root)
            (disk / "ballast").unlink()
        assert outcomes == sorted(outcomes)
        assert set(outcomes) == {True, False}

    def test_read_only(self, old: Path, tmp_path: Path) -> None:
        rows = rows_by_plain_polars(old)
        place = tmp_path / "read-only"
        place.mkdir()
        try:
            subprocess.run(["mount", "--bind", old, place], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("needs the right to mount a file system read-only")
        try:
            remount = ["mount", "-o", "remount,bind,ro", str(place)]
            subprocess.run(remount, check=True, capture_output=True)
            assert_holds(place, rows)
            with pytest.raises(StoreError, match="Read-only file system"):
                Store(place).repair(LATER)
            assert_holds(place, rows)
        finally:
            subprocess.run(["umount", str(place)], check=True)

    def test_no_permission(self, old: Path) -> None:
        rows = rows_by_plain_polars(old)
        old.chmod(0o500)
        try:
            if os.access(old, os.W_OK):
                pytest.skip("permissions do not bind this user")
            assert_holds(old, rows)
            with pytest.raises(StoreError, match=str(old)):
                Store(old).repair(LATER)
        finally:
            old.chmod(0o700)
