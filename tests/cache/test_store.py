"""The cache on disk: no damage crashes a reader, no failed write costs what was there."""

import errno
import gzip
import hashlib
import json
import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from qwenwatch_cache.errors import CacheLocked, CacheTooNew, StoreError
from qwenwatch_cache.frames import (
    CATALOG_TABLE,
    FETCH_TABLE,
    PRICE_TABLE,
    TABLES,
    USAGE_TABLE,
)
from qwenwatch_cache.store import Store, as_of
from tests.cache.rows import (
    BATCH,
    DAY,
    NOW,
    Child,
    append_batches,
    at,
    fetches,
    files_of,
    hold_the_lock,
    prices,
    stored,
    temporaries,
    usage,
    values_of,
)

FIRST, SECOND = {"a": 1}, {"a": 1, "b": 2}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def filled(root: Path) -> Path:
    """A cache with two writes, so that there is a version to fall back on."""
    Store(root).append({"usage": usage(FIRST)}, NOW)
    Store(root).append({"usage": usage(SECOND, at(1))}, at(1))
    return root


def foreign(path: Path) -> None:
    pl.DataFrame({"somebody": ["else's"]}).write_parquet(path)


def other_types(path: Path) -> None:
    usage(FIRST).with_columns(value=pl.lit("many")).write_parquet(path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "without its last byte": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "zero length": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "random": lambda path: path.write_bytes(random.Random(1).randbytes(5000)),
    "text": lambda path: path.write_text("<html>502 Bad Gateway</html>"),
    "foreign table": foreign,
    "other types": other_types,
}

damages = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())


class TestReading:
    def test_nothing_is_there_at_first(self, root: Path) -> None:
        store = Store(root)
        for table in TABLES.values():
            assert_frame_equal(store.cached(table), table.empty())
        assert (store.last_observed(), store.stamp(), store.notices) == (None, "", [])
        assert not root.exists()

    @damages
    def test_damage_shows_the_version_before(
        self, filled: Path, damage: Callable[[Path], object]
    ) -> None:
        damage(filled / "usage.parquet")
        before = files_of(filled)
        store = Store(filled)
        assert values_of(store.cached(USAGE_TABLE)) == [("a", 1)]
        assert [str(filled / "usage.parquet") in notice for notice in store.notices] == [True]
        assert "\n" not in store.notices[0]
        assert files_of(filled) == before  # a reader touches nothing

    @damages
    def test_damage_of_both_versions_shows_nothing(
        self, filled: Path, damage: Callable[[Path], object]
    ) -> None:
        damage(filled / "usage.parquet")
        damage(filled / "previous" / "usage.parquet")
        store = Store(filled)
        assert_frame_equal(store.cached(USAGE_TABLE), USAGE_TABLE.empty())
        assert len(store.notices) == 2
        assert str(filled / "previous" / "usage.parquet") in store.notices[1]

    def test_damage_of_one_table_is_none_of_another(self, filled: Path) -> None:
        Store(filled).append({"price": prices({"a": Decimal(1)})}, NOW)
        (filled / "usage.parquet").write_bytes(b"")
        store = Store(filled)
        assert store.cached(PRICE_TABLE)["model"].to_list() == ["a"]
        assert store.notices == []

    def test_a_notice_is_left_once(self, filled: Path) -> None:
        (filled / "usage.parquet").write_bytes(b"")
        store = Store(filled)
        for _ in range(3):
            store.cached(USAGE_TABLE)
        assert len(store.notices) == 1

    def test_no_cut_is_read_as_a_table(self, filled: Path) -> None:
        path = filled / "usage.parquet"
        whole = path.read_bytes()
        for length in range(0, len(whole), 41):
            path.write_bytes(whole[:length])
            store = Store(filled)
            assert values_of(store.cached(USAGE_TABLE)) == [("a", 1)]
            assert store.notices

    def test_no_flipped_bit_crashes_a_reader(self, filled: Path) -> None:
        path = filled / "usage.parquet"
        whole = path.read_bytes()
        dice = random.Random(20260817)
        noticed = 0
        for _ in range(250):
            torn = bytearray(whole)
            bit = dice.randrange(len(torn) * 8)
            torn[bit // 8] ^= 1 << bit % 8
            path.write_bytes(torn)
            store = Store(filled)
            frame = store.cached(USAGE_TABLE)
            assert frame.schema == USAGE_TABLE.schema
            if store.notices:
                assert values_of(frame) == [("a", 1)]
                noticed += 1
        assert noticed > 0

    def test_the_last_observation_is_of_data_not_of_requests(self, filled: Path) -> None:
        store = Store(filled)
        store.log(fetches([at(9)]), at(9))
        assert store.last_observed() == at(1)


class TestBaseline:
    @pytest.fixture
    def layered(self, tmp_path: Path, root: Path) -> Store:
        bundled = tmp_path / "bundled"
        bundled.mkdir()
        other_day = DAY - timedelta(days=1)
        pl.concat(
            [
                usage({"a": 1, "b": 2, "gone": 5}, NOW),
                usage({"c": 3}, NOW, period=other_day),
            ]
        ).write_parquet(bundled / "usage.parquet")
        store = Store(root, bundled=bundled)
        store.append({"usage": usage({"b": 20}, at(-1))}, at(-1))
        store.append({"usage": usage({"a": 10, "b": 2, "d": 4}, at(1))}, at(1))
        return store

    def test_the_later_observation_counts(self, layered: Store) -> None:
        shown = dict(values_of(as_of(layered.read(USAGE_TABLE), USAGE_TABLE)))
        # What the cache observed before the baseline was made does not hide the baseline.
        assert (shown["a"], shown["b"], shown["c"], shown["d"]) == (10, 2, 3, 4)

    def test_what_a_feed_states_no_longer_is_withdrawn_from_the_baseline_too(
        self, layered: Store
    ) -> None:
        shown = dict(values_of(as_of(layered.read(USAGE_TABLE), USAGE_TABLE)))
        assert shown["gone"] is None
        before = dict(values_of(as_of(layered.read(USAGE_TABLE), USAGE_TABLE, NOW)))
        assert before["gone"] == 5

    def test_before_the_cache_began_the_baseline_speaks(self, layered: Store) -> None:
        shown = dict(values_of(as_of(layered.read(USAGE_TABLE), USAGE_TABLE, NOW)))
        assert shown["a"] == 1

    def test_the_cache_does_not_hold_the_baseline(self, layered: Store) -> None:
        assert "c" not in layered.cached(USAGE_TABLE)["entity"].to_list()
        assert layered.bundled(USAGE_TABLE)["entity"].to_list() == ["a", "b", "gone", "c"]

    def test_a_table_without_baseline_is_empty(self, layered: Store) -> None:
        assert layered.bundled(PRICE_TABLE).is_empty()

    def test_the_one_that_comes_with_the_program_is_whole(self, root: Path) -> None:
        store = Store(root)
        for table in (USAGE_TABLE, PRICE_TABLE, CATALOG_TABLE):
            assert store.bundled(table).height > 0


class TestWriting:
    @damages
    def test_a_damaged_table_is_set_aside(
        self, filled: Path, damage: Callable[[Path], object]
    ) -> None:
        damage(filled / "usage.parquet")
        torn = (filled / "usage.parquet").read_bytes()
        store = Store(filled)
        store.append({"usage": usage({"c": 3}, at(2), feed="g")}, at(2))
        assert values_of(stored(filled)) == [("a", 1), ("c", 3)]
        [aside] = (filled / "set-aside").iterdir()
        assert aside.name.startswith("usage-20260817T1202")
        assert aside.read_bytes() == torn
        [notice] = store.notices
        assert str(filled / "usage.parquet") in notice
        assert str(aside) in notice

    def test_a_second_damage_does_not_replace_the_first(self, filled: Path) -> None:
        for text in ("one", "two"):
            (filled / "usage.parquet").write_text(text)
            Store(filled).repair(NOW)
        asides = (filled / "set-aside").iterdir()
        assert sorted(path.read_text() for path in asides) == ["one", "two"]

    def test_a_damaged_version_before_is_set_aside_too(self, filled: Path) -> None:
        (filled / "usage.parquet").write_text("now")
        (filled / "previous" / "usage.parquet").write_text("before")
        store = Store(filled)
        for minute in (2, 3):
            store.append({"usage": usage({"c": minute}, at(minute))}, at(minute))
        asides = (filled / "set-aside").iterdir()
        assert sorted(path.read_text() for path in asides) == ["before", "now"]
        assert values_of(stored(filled)) == [("c", 2), ("c", 3)]
        assert len(store.notices) == 2

    def test_repair_tells_when_damage_was_met(self, filled: Path) -> None:
        store = Store(filled)
        store.repair(at(5))
        assert (store.last_damage(), store.notices) == (None, [])
        (filled / "usage.parquet").write_bytes(b"")
        moment = at(7) + timedelta(microseconds=250)
        store.repair(moment)
        assert Store(filled).last_damage() == moment
        assert values_of(stored(filled)) == [("a", 1)]

    def test_repair_of_nothing_makes_nothing(self, root: Path) -> None:
        Store(root).repair(NOW)
        assert not root.exists()

    def test_repair_removes_what_a_kill_left(self, filled: Path) -> None:
        Store(filled).keep_body("f", b"{}", "0" * 64, NOW)
        left = [
            filled / ".usage.parquet.00ff.tmp",
            filled / "previous" / ".usage.parquet.00ff.tmp",
            filled / "bodies" / "f" / ".body.gz.00ff.tmp",
        ]
        for path in left:
            path.write_bytes(b"half")
        Store(filled).repair(NOW)
        assert temporaries(filled) == []
        assert values_of(stored(filled)) == [("a", 1), ("b", 2)]

    def test_a_table_that_may_not_be_read_is_not_taken_for_damaged(
        self, filled: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path) -> bytes:
            raise OSError(errno.EMFILE, "Too many open files")

        before = files_of(filled)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_bytes", refuse)
            with pytest.raises(StoreError, match=r"usage\.parquet.*Too many open files"):
                Store(filled).append({"usage": usage({"c": 3}, at(2))}, at(2))
        assert files_of(filled) == before

    def test_the_version_before_is_one_write_old(self, filled: Path) -> None:
        previous = pl.read_parquet(filled / "previous" / "usage.parquet")
        assert values_of(previous) == [("a", 1)]

    def test_requests_are_logged_in_order(self, root: Path) -> None:
        store = Store(root)
        for minute in (1, 2, 3):
            store.log(fetches([at(minute)]), at(minute))
        assert store.cached(FETCH_TABLE)["started"].to_list() == [at(1), at(2), at(3)]

    def test_a_notebook_can_read_the_tables(self, filled: Path) -> None:
        assert json.loads((filled / "format.json").read_text()) == {"format": 1}
        frame = pl.read_parquet(filled / "usage.parquet")
        assert frame.schema == USAGE_TABLE.schema


class TestFormat:
    @pytest.mark.parametrize(
        "text", ["", "not json", "{}", "[]", "null", '{"format": ', b"\xff\xfe".decode("latin-1")]
    )
    def test_garbage_is_refused(self, filled: Path, text: str) -> None:
        (filled / "format.json").write_text(text, encoding="latin-1")
        before = files_of(filled)
        with pytest.raises(StoreError, match=r"format\.json"):
            Store(filled)
        assert files_of(filled) == before

    @pytest.mark.parametrize("stated", [2, 99, "1", None])
    def test_a_newer_format_is_left_alone(self, filled: Path, stated: object) -> None:
        (filled / "format.json").write_text(json.dumps({"format": stated}))
        before = files_of(filled)
        with pytest.raises(CacheTooNew, match=str(filled)):
            Store(filled)
        assert files_of(filled) == before

    def test_a_store_that_is_open_notices_an_upgrade(self, filled: Path) -> None:
        store = Store(filled)
        (filled / "format.json").write_text('{"format": 2}')
        before = files_of(filled)
        writes: list[Callable[[], object]] = [
            lambda: store.append({"usage": usage({"c": 3}, at(2))}, at(2)),
            lambda: store.log(fetches([NOW]), NOW),
            lambda: store.keep_body("f", b"{}", "0" * 64, NOW),
            lambda: store.repair(NOW),
        ]
        for write in writes:
            with pytest.raises(CacheTooNew):
                write()
        assert files_of(filled) == before

    def test_a_file_is_no_cache(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        with pytest.raises(StoreError):
            Store(tmp_path / "file")
        assert (tmp_path / "file").read_text() == "mine"


class TestLock:
    def test_a_held_lock_is_reported_after_patience(self, filled: Path) -> None:
        before = files_of(filled)
        with Child(hold_the_lock, filled) as holder:
            assert holder.hear() == "held"
            store = Store(filled, patience=0.2)
            began = time.monotonic()
            with pytest.raises(CacheLocked, match=str(filled)):
                store.append({"usage": usage({"c": 3}, at(2))}, at(2))
            assert 0.2 <= time.monotonic() - began < 5
            # Readers wait for nobody.
            assert values_of(store.cached(USAGE_TABLE)) == [("a", 1), ("b", 2)]
            assert files_of(filled) == before

    def test_the_lock_of_a_killed_writer_holds_nobody(self, filled: Path) -> None:
        with Child(hold_the_lock, filled) as holder:
            assert holder.hear() == "held"
            holder.kill()
        assert Store(filled, patience=1).append({"usage": usage({"c": 3}, feed="g")}, NOW) == 1

    def test_who_waits_gets_its_turn(self, filled: Path) -> None:
        with Child(hold_the_lock, filled) as holder:
            assert holder.hear() == "held"
            timer = threading.Timer(0.1, holder.kill)
            timer.start()
            assert Store(filled).append({"usage": usage({"c": 3}, feed="g")}, NOW) == 1
            timer.join()


class TestBodies:
    def test_a_body_is_kept_as_it_came(self, root: Path) -> None:
        body = b'{"data": []}' * 50
        Store(root).keep_body("f", body, hashlib.sha256(body).hexdigest(), NOW)
        [path] = (root / "bodies" / "f").iterdir()
        assert gzip.decompress(path.read_bytes()) == body
        assert path.name.startswith("20260817T120000Z-")

    def test_the_same_bytes_are_kept_once(self, root: Path) -> None:
        store = Store(root)
        for minute, body in enumerate([b"one", b"two", b"one", b"two"]):
            store.keep_body("f", body, hashlib.sha256(body).hexdigest(), at(minute))
        kept = [gzip.decompress(path.read_bytes()) for path in (root / "bodies" / "f").iterdir()]
        assert sorted(kept) == [b"one", b"two"]

    def test_feeds_do_not_share_bodies(self, root: Path) -> None:
        for feed in ("f", "g"):
            Store(root).keep_body(feed, b"one", "1" * 64, NOW)
        assert len(list((root / "bodies").glob("*/*.gz"))) == 2

    def test_old_ones_are_dropped(self, root: Path) -> None:
        store = Store(root)
        for day in range(5):
            body = str(day).encode()
            when = NOW + timedelta(days=day)
            store.keep_body("f", body, hashlib.sha256(body).hexdigest(), when)
        store.drop_old_bodies(NOW + timedelta(days=4), days=2)
        kept = [gzip.decompress(path.read_bytes()) for path in (root / "bodies" / "f").iterdir()]
        assert sorted(kept) == [b"2", b"3", b"4"]

    def test_dropping_touches_nothing_else(self, filled: Path) -> None:
        before = files_of(filled)
        Store(filled).drop_old_bodies(NOW + timedelta(days=4000), days=1)
        assert files_of(filled) == before


class TestStamp:
    def test_it_changes_with_a_table(self, root: Path) -> None:
        store = Store(root)
        stamps = [store.stamp()]
        for minute in range(20):
            store.append({"usage": usage({"a": minute}, at(minute))}, at(minute))
            stamps.append(store.stamp())
        assert len(set(stamps)) == 21

    def test_it_does_not_without(self, filled: Path) -> None:
        store = Store(filled)
        stamp = store.stamp()
        store.append({"usage": usage(SECOND, at(2))}, at(2))
        store.log(fetches([NOW]), NOW)
        store.keep_body("f", b"{}", "0" * 64, NOW)
        store.drop_old_bodies(at(1), 14)
        store.repair(at(2))
        store.cached(USAGE_TABLE)
        assert store.stamp() == Store(filled).stamp() == stamp

    def test_it_changes_though_size_and_time_are_the_same(self, root: Path) -> None:
        store = Store(root)
        store.append({"usage": usage({"a": 1})}, NOW)
        path, stamp = root / "usage.parquet", store.stamp()
        state = path.stat()
        shutil.copy2(path, root / "other")
        (root / "other").replace(path)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert path.stat().st_size == state.st_size
        assert store.stamp() != stamp

    def test_damage_and_its_repair_change_it(self, filled: Path) -> None:
        store = Store(filled)
        stamps = [store.stamp()]
        (filled / "usage.parquet").write_bytes(b"")
        stamps.append(store.stamp())
        store.repair(NOW)
        stamps.append(store.stamp())
        assert len(set(stamps)) == 3


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


class TestFullDisk:
    def fill_up(self, store: Store) -> tuple[int, StoreError]:
        """Append until the disk refuses; gives the rows that were acknowledged."""
        dice = random.Random(7)
        for step in range(100):
            values = {f"m{row}": dice.randrange(10**12) for row in range(200)}
            try:
                store.append({"usage": usage(values, feed=f"f{step}")}, NOW)
            except StoreError as error:
                return step * 200, error
        raise AssertionError("the disk was never full")

    def test_what_was_stored_stays(self, small_disk: Path) -> None:
        root = small_disk / "cache"
        rows, error = self.fill_up(Store(root))
        assert str(root / "usage.parquet") in str(error)
        assert "No space left on device" in str(error)
        assert rows > 0
        reader = Store(root)
        assert reader.cached(USAGE_TABLE).height == rows
        assert reader.notices == []
        assert temporaries(root) == []

    def test_to_fail_again_and_again_changes_nothing(self, small_disk: Path) -> None:
        root = small_disk / "cache"
        self.fill_up(Store(root))
        before = files_of(root)
        values = {f"m{row}" * 9: row for row in range(20000)}
        for _ in range(3):
            with pytest.raises(StoreError):
                Store(root).append({"usage": usage(values, feed="f")}, NOW)
            assert stored(root).height > 0
            assert files_of(root).keys() == before.keys()
        assert (root / "usage.parquet").read_bytes() == before[root / "usage.parquet"]

    def test_a_body_that_does_not_fit_is_named(self, small_disk: Path) -> None:
        root = small_disk / "cache"
        body = random.Random(7).randbytes(100_000)
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
        rows, _ = self.fill_up(Store(root))
        path = root / "usage.parquet"
        path.write_bytes(path.read_bytes()[:-100])
        room = shutil.disk_usage(small_disk).free
        (small_disk / "ballast").write_bytes(bytes(room))
        with pytest.raises(StoreError):
            Store(root).repair(NOW)
        assert 0 < stored(root).height <= rows
        (small_disk / "ballast").unlink()
        Store(root).repair(NOW)
        assert 0 < stored(root).height <= rows


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


def test_two_writers_and_readers_at_once(root: Path) -> None:
    batches = 60
    names = ("left", "right")
    children = [Child(append_batches, root, name, batches) for name in names]
    try:
        acknowledged = dict.fromkeys(names, 0)
        reads = 0
        while any(count < batches for count in acknowledged.values()):
            for name, child in zip(names, children, strict=True):
                acknowledged[name] += len(child.hear_now())
            told = dict(acknowledged)
            reader = Store(root)
            frame = reader.cached(USAGE_TABLE)
            assert reader.notices == []
            seen = frame.group_by("feed").len()
            assert set(seen["len"]) <= {BATCH}  # batches are seen whole or not at all
            for name, count in told.items():
                assert seen.filter(pl.col("feed").str.starts_with(name)).height >= count
            reads += 1
            assert all(child.process.exitcode in (None, 0) for child in children)
        assert stored(root).height == batches * BATCH * len(names)
        assert stored(root).select("feed", "entity", "period").is_unique().all()
        assert stored(root)["period"].unique().to_list() == [DAY]
        assert reads > 10
    finally:
        for child in children:
            child.kill()
