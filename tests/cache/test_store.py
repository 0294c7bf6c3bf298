"""The cache on disk: what is written is read, formats and locks are respected."""

import gzip
import hashlib
import json
import shutil
import threading
import time
from collections.abc import Callable
from datetime import timedelta
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
    DAY,
    NOW,
    Child,
    at,
    before_it,
    fetches,
    files_of,
    hold_the_lock,
    last_part,
    usage,
    values_of,
)

SECOND = {"a": 1, "b": 2}


class TestReading:
    def test_nothing_is_there_at_first(self, root: Path) -> None:
        store = Store(root)
        for table in TABLES.values():
            assert_frame_equal(store.cached(table), table.empty())
        assert (store.last_observed(), store.stamp(), store.notices) == (None, "", [])
        assert not root.exists()

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
    def test_repair_of_nothing_makes_nothing(self, root: Path) -> None:
        Store(root).repair(NOW)
        assert not root.exists()

    def test_what_the_last_write_replaced_is_kept(self, filled: Path) -> None:
        assert values_of(pl.read_parquet(before_it(filled))) == [("a", 1)]

    def test_what_the_write_before_the_last_replaced_goes(self, filled: Path) -> None:
        older = before_it(filled)
        Store(filled).append({"usage": usage({**SECOND, "c": 3}, at(2))}, at(2))
        assert not older.exists()
        assert values_of(pl.read_parquet(before_it(filled))) == [("a", 1), ("b", 2)]

    def test_requests_are_logged_in_order(self, root: Path) -> None:
        store = Store(root)
        for minute in (1, 2, 3):
            store.log(fetches([at(minute)]), at(minute))
        assert store.cached(FETCH_TABLE)["started"].to_list() == [at(1), at(2), at(3)]

    def test_a_notebook_can_read_the_tables(self, filled: Path) -> None:
        assert json.loads((filled / "format.json").read_text()) == {"format": 2}
        frame = pl.read_parquet(filled / "usage")
        assert frame.schema == USAGE_TABLE.schema
        assert values_of(as_of(frame, USAGE_TABLE)) == [("a", 1), ("b", 2)]


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

    @pytest.mark.parametrize("stated", [3, 99, 0, -1, "1", 2.5, None, [2], {}])
    def test_a_newer_format_is_left_alone(self, filled: Path, stated: object) -> None:
        (filled / "format.json").write_text(json.dumps({"format": stated}))
        before = files_of(filled)
        with pytest.raises(CacheTooNew, match=str(filled)):
            Store(filled)
        assert files_of(filled) == before

    def test_a_store_that_is_open_notices_an_upgrade(self, filled: Path) -> None:
        store = Store(filled)
        store.keep_body("f", b"[]", "1" * 64, NOW)
        (filled / "format.json").write_text('{"format": 3}')
        before = files_of(filled)
        writes: list[Callable[[], object]] = [
            lambda: store.append({"usage": usage({"c": 3}, at(2))}, at(2)),
            lambda: store.log(fetches([NOW]), NOW),
            lambda: store.keep_body("f", b"{}", "0" * 64, NOW),
            lambda: store.drop_old_bodies(NOW + timedelta(days=99), 1),
            lambda: store.add({"usage": usage({"c": 3}, at(2))}, NOW),
            lambda: store.compact(NOW),
            lambda: store.repair(NOW),
        ]
        for write in writes:
            with pytest.raises(CacheTooNew):
                write()
        assert files_of(filled) == before

    def test_the_manifest_of_a_newer_format_is_left_alone(self, filled: Path) -> None:
        # A newer program was killed while it migrated, or format.json was lost.
        path = filled / "manifest.json"
        path.write_text(path.read_text().replace('"format": 2', '"format": 3'))
        for text in ('{"format": 2}', None):
            (filled / "format.json").unlink()
            if text:
                (filled / "format.json").write_text(text)
            before = files_of(filled)
            with pytest.raises(CacheTooNew, match=str(filled)):
                Store(filled)
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
        path, stamp = last_part(root), store.stamp()
        state = path.stat()
        shutil.rmtree(root)
        store.append({"usage": usage({"a": 2})}, NOW)
        assert last_part(root).stat().st_size == state.st_size
        assert store.stamp() != stamp

    def test_a_table_has_one_of_its_own(self, filled: Path) -> None:
        store = Store(filled)
        before = {name: store.stamp(table) for name, table in TABLES.items()}
        store.log(fetches([NOW]), NOW)
        after = {name: store.stamp(table) for name, table in TABLES.items()}
        assert [name for name in TABLES if after[name] != before[name]] == ["fetch"]

    def test_damage_and_its_repair_change_it(self, filled: Path) -> None:
        store = Store(filled)
        stamps = [store.stamp()]
        last_part(filled).write_bytes(b"")
        store.repair(NOW)
        stamps.append(store.stamp())
        assert len(set(stamps)) == 2
