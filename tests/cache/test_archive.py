"""`cache export` and `cache import`: what is in the archive, and what comes out of it."""

import errno
import hashlib
import json
import os
import shutil
import threading
import zipfile
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from qwenwatch_cache.errors import CacheLocked, StoreError
from qwenwatch_cache.frames import FETCH_TABLE, TABLES, USAGE_TABLE
from qwenwatch_cache.manifest import to_json
from qwenwatch_cache.store import Store, as_of
from qwenwatch_cache.store.archive import Exported, Imported, export_archive, import_archive
from qwenwatch_cache.store.bodies import kept
from tests.cache.archives import BODY, SHA256, asked, exported, rows_of_all, some_cache, store_at
from tests.cache.rows import (
    MANY,
    NOW,
    Child,
    at,
    files_of,
    hold_the_lock,
    last_part,
    temporaries,
    usage,
    values_of,
)
from tests.cache.steps import states_of

LATER = at(60)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class TestTheArchive:
    def test_says_what_is_in_it(self, tmp_path: Path) -> None:
        archive = tmp_path / "cache.zip"
        done = export_archive(some_cache(tmp_path / "cache"), archive)
        # usage 2 + 1 of f and 1 of g; prices 2 and one that vanished; 3 requests.
        assert done == Exported(rows=10, bodies=1, bytes=archive.stat().st_size)
        with zipfile.ZipFile(archive) as zipped:
            assert zipped.testzip() is None
            names = zipped.namelist()
            index = json.loads(zipped.read("archive.json"))
        assert names == [
            "rows/usage/f.parquet",
            "rows/usage/g.parquet",
            "rows/price/f.parquet",
            "rows/fetch/f.parquet",
            "rows/fetch/g.parquet",
            f"bodies/f/20260817T120000Z-{SHA256[:16]}.gz",
            "archive.json",
        ]
        assert {name: index[name] for name in ("archive", "format", "losses")} == {
            "archive": 1,
            "format": 2,
            "losses": {},
        }
        assert index["program"].startswith("qwenwatch ")
        first = index["rows"][0]
        assert first.pop("sha256") and first.pop("bytes")
        assert first == {
            "name": "rows/usage/f.parquet",
            "table": "usage",
            "feed": "f",
            "rows": 3,
            "first": "2026-08-17T12:00:00Z",
            "last": "2026-08-17T12:05:00Z",
        }

    def test_other_programs_read_it(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(exported(tmp_path)) as zipped:
            zipped.extractall(tmp_path / "unpacked")
        frame = pl.read_parquet(tmp_path / "unpacked" / "rows" / "usage" / "f.parquet")
        assert values_of(frame) == [("a", 1), ("b", 2), ("a", 3)]

    def test_same_cache_same_bytes(self, tmp_path: Path) -> None:
        store = some_cache(tmp_path / "cache")
        first, second, third = (tmp_path / f"{number}.zip" for number in range(3))
        export_archive(store, first)
        shutil.copytree(store.root, tmp_path / "copy")
        export_archive(store_at(tmp_path / "copy"), second)
        store.compact(LATER)
        export_archive(store, third)
        assert sha256(first) == sha256(second) == sha256(third)

    def test_bodies_stay_out_on_demand(self, tmp_path: Path) -> None:
        archive = tmp_path / "cache.zip"
        done = export_archive(some_cache(tmp_path / "cache"), archive, bodies=False)
        assert (done.rows, done.bodies) == (10, 0)
        assert import_archive(store_at(tmp_path / "other"), archive, LATER).bodies == 0

    def test_damaged_body_is_left_out_and_named(self, tmp_path: Path) -> None:
        store = some_cache(tmp_path / "cache")
        [body] = kept(store.root)
        body.path.write_bytes(body.path.read_bytes()[:-3])
        done = export_archive(store, tmp_path / "cache.zip")
        assert (done.bodies, done.left_out) == (0, (body.path,))
        import_archive(store_at(tmp_path / "other"), tmp_path / "cache.zip", LATER)

    def test_body_that_the_log_does_not_tell_of_is_left_out(self, tmp_path: Path) -> None:
        store = some_cache(tmp_path / "cache")
        store.keep_body("f", b"refused", hashlib.sha256(b"refused").hexdigest(), NOW)
        assert export_archive(store, tmp_path / "cache.zip").bodies == 1

    def test_empty_cache(self, tmp_path: Path) -> None:
        done = export_archive(store_at(tmp_path / "cache"), tmp_path / "cache.zip")
        assert (done.rows, done.bodies) == (0, 0)
        told = import_archive(store_at(tmp_path / "other"), tmp_path / "cache.zip", LATER)
        assert told == Imported(0, 0, 0, 0)

    def test_one_state_while_somebody_writes(self, tmp_path: Path) -> None:
        """Each write has a row of usage and one of price: an archive has as many of both."""
        root, stop = tmp_path / "cache", threading.Event()
        some_cache(root)

        def write() -> None:
            writer, minute = store_at(root), 10
            while not stop.is_set():
                row = usage({"n": minute}, at(minute))
                price = row.select("feed", "observed_at").with_columns(
                    basis=pl.lit("route"), model=pl.lit(f"{minute}"), listed=pl.lit(True),
                    **{name: pl.lit("") for name in ("provider", "region", "variant")},
                    window_utc=pl.lit(""), currency=pl.lit("USD"), tier_from=pl.lit(0),
                )  # fmt: skip
                schema = TABLES["price"].schema
                price = price.with_columns(
                    pl.lit(None, kind).alias(name)
                    for name, kind in schema.items()
                    if name not in price.columns
                )
                writer.append(
                    {"usage": row, "price": price.select(schema.names())}, at(minute), whole=MANY
                )
                minute += 1

        thread = threading.Thread(target=write)
        thread.start()
        try:
            counts = []
            for number in range(8):
                archive = tmp_path / f"{number}.zip"
                export_archive(store_at(root), archive)
                with zipfile.ZipFile(archive) as zipped:
                    index = json.loads(zipped.read("archive.json"))
                rows = {one["name"]: one["rows"] for one in index["rows"]}
                # some_cache has three rows of each.
                assert rows["rows/usage/f.parquet"] == rows["rows/price/f.parquet"]
                counts.append(rows["rows/usage/f.parquet"])
        finally:
            stop.set()
            thread.join()
        assert counts == sorted(counts) and counts[-1] > counts[0]


class TestWhereItIsWritten:
    @pytest.mark.parametrize("inside", ["x.zip", "usage/x.zip", "manifest.json"])
    def test_not_into_the_cache(self, tmp_path: Path, inside: str) -> None:
        store = some_cache(tmp_path / "cache")
        before = files_of(tmp_path)
        (tmp_path / "link").symlink_to(tmp_path / "cache")
        for root in (tmp_path / "cache", tmp_path / "link"):
            with pytest.raises(StoreError, match="lies in the cache itself"):
                export_archive(store, root / inside)
        (tmp_path / "link").unlink()
        assert files_of(tmp_path) == before

    def test_not_over_a_directory_nor_into_none(self, tmp_path: Path) -> None:
        store = some_cache(tmp_path / "cache")
        with pytest.raises(StoreError, match="it is a directory"):
            export_archive(store, tmp_path)
        with pytest.raises(StoreError, match="there is no directory"):
            export_archive(store, tmp_path / "nowhere" / "x.zip")
        assert not (tmp_path / "nowhere").exists()

    def test_full_disk_leaves_what_was_there(self, tmp_path: Path, small_disk: Path) -> None:
        store = some_cache(tmp_path / "cache")
        noise = os.urandom(200_000)
        digest = hashlib.sha256(noise).hexdigest()
        store.keep_body("f", noise, digest, at(8))
        store.log(asked(at(8), sha256=digest), at(8))
        target = small_disk / "x.zip"
        target.write_bytes(b"before")
        with pytest.raises(StoreError, match=os.strerror(errno.ENOSPC)):
            export_archive(store, target)
        assert files_of(small_disk) == {target: b"before"}

    def test_damaged_cache_is_not_exported(self, tmp_path: Path) -> None:
        store = some_cache(tmp_path / "cache")
        part = last_part(store.root)
        part.write_bytes(part.read_bytes()[:-1])
        with pytest.raises(StoreError, match=f"{part} is damaged .*`qwenwatch refresh`"):
            export_archive(store, tmp_path / "x.zip")
        part.unlink()
        with pytest.raises(StoreError, match=f"{part} is damaged .*missing"):
            export_archive(store, tmp_path / "x.zip")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["cache"]


class TestImport:
    def test_into_an_empty_cache_gives_the_same_answers(self, tmp_path: Path) -> None:
        before = some_cache(tmp_path / "cache")
        archive, after = tmp_path / "x.zip", store_at(tmp_path / "other")
        export_archive(before, archive)
        told = import_archive(after, archive, LATER)
        assert told == Imported(10, 10, 1, 1, first=NOW, last=at(7))
        for name, rows in rows_of_all(before).items():
            assert_frame_equal(after.cached(TABLES[name]), rows)
            for minute in range(9):
                moment = at(minute - 0.5)
                assert_frame_equal(
                    as_of(after.cached(TABLES[name]), TABLES[name], moment),
                    as_of(rows, TABLES[name], moment),
                )
        [body] = kept(after.root)
        assert (body.feed, body.came, body.read()) == ("f", NOW, BODY)
        export_archive(after, tmp_path / "again.zip")
        assert sha256(tmp_path / "again.zip") == sha256(archive)

    def test_twice_adds_nothing(self, tmp_path: Path) -> None:
        archive, store = exported(tmp_path), store_at(tmp_path / "other")
        import_archive(store, archive, LATER)
        before = files_of(store.root)
        told = import_archive(store, archive, LATER)
        assert told == Imported(10, 0, 1, 0)
        assert files_of(store.root) == before
        # Nor into the cache that it was made from.
        own = store_at(tmp_path / "exported")
        before = files_of(own.root)
        assert import_archive(own, archive, LATER).rows_new == 0
        assert files_of(own.root) == before

    def test_past_counts_what_was_imported(self, tmp_path: Path) -> None:
        store = store_at(tmp_path / "other")
        store.append({"usage": usage({"c": 1}, at(30))}, at(30))
        past = store.manifest().past
        told = import_archive(store, exported(tmp_path), LATER)
        assert (told.first, told.last) == (NOW, at(7))
        assert store.manifest().past > past
        past = store.manifest().past
        import_archive(store, tmp_path / "cache.zip", LATER)
        assert store.manifest().past == past

    def test_only_what_is_new_is_told_of(self, tmp_path: Path) -> None:
        archive = exported(tmp_path)
        store = store_at(tmp_path / "other")
        import_archive(store, archive, LATER)
        source = store_at(tmp_path / "exported")
        source.append({"usage": usage({"a": 9}, at(20))}, at(20), whole=MANY)
        export_archive(source, archive)
        assert import_archive(store, archive, LATER) == Imported(11, 1, 1, 0, at(20), at(20))

    def test_losses_come_along(self, tmp_path: Path) -> None:
        """The other log tells of answers whose rows were lost there: they must be asked again."""
        source = some_cache(tmp_path / "cache")
        last_part(source.root).write_bytes(b"")
        source.repair(at(10))
        assert source.last_damage("f") == at(10)
        export_archive(source, tmp_path / "x.zip")
        store = store_at(tmp_path / "other")
        import_archive(store, tmp_path / "x.zip", LATER)
        assert (store.last_damage("f"), store.last_damage("g")) == (at(10), None)

    def test_loss_in_the_future_is_of_now(self, tmp_path: Path) -> None:
        """Else every answer to come would count as lost, and the feed be asked without end."""
        source = some_cache(tmp_path / "cache")
        manifest = source.manifest()
        ahead = LATER + timedelta(hours=20)
        text = json.loads(to_json(manifest))
        assert text["losses"] == {}
        source.repair(NOW)
        last_part(source.root).write_bytes(b"")
        source.repair(ahead)
        export_archive(source, tmp_path / "x.zip")
        store = store_at(tmp_path / "other")
        import_archive(store, tmp_path / "x.zip", LATER)
        assert store.last_damage("f") == LATER

    def test_locked_cache(self, tmp_path: Path) -> None:
        archive, root = exported(tmp_path), tmp_path / "other"
        some_cache(root)
        before = files_of(root)
        with Child(hold_the_lock, root) as holder:
            assert holder.hear() == "held"
            with pytest.raises(CacheLocked):
                import_archive(Store(root, patience=0.1), archive, LATER)
        assert {path: text for path, text in files_of(root).items() if path in before} == before
        assert temporaries(root) == []

    def test_full_disk_leaves_the_cache(self, tmp_path: Path, small_disk: Path) -> None:
        source = store_at(tmp_path / "cache")
        values = {os.urandom(20).hex(): number for number in range(5000)}
        source.append({"usage": usage(values)}, NOW)
        source.keep_body("f", BODY, SHA256, NOW)
        source.log(asked(NOW, sha256=SHA256), NOW)
        export_archive(source, tmp_path / "x.zip")
        store = store_at(small_disk / "cache")
        store.append({"usage": usage({"a": 1}, at(1))}, at(1))
        before = files_of(store.root)
        with pytest.raises(StoreError, match=os.strerror(errno.ENOSPC)):
            import_archive(store, tmp_path / "x.zip", LATER)
        assert files_of(store.root) == before

    def test_format_1_is_exported_where_it_lies(self, tmp_path: Path) -> None:
        source = some_cache(tmp_path / "cache")
        old = tmp_path / "old"
        old.mkdir()
        for name, rows in rows_of_all(source).items():
            if rows.height:
                rows.write_parquet(old / f"{name}.parquet")
        (old / "format.json").write_text('{"format": 1}')
        before = files_of(old)
        export_archive(store_at(old), tmp_path / "old.zip")
        assert files_of(old) == before
        store = store_at(tmp_path / "other")
        assert import_archive(store, tmp_path / "old.zip", LATER).rows_new == 10
        for name, rows in rows_of_all(source).items():
            assert_frame_equal(store.cached(TABLES[name]), rows)


# A kill at every step leaves the old state or the new one.


def do_import(stage: Path) -> None:
    import_archive(store_at(stage / "cache"), stage / "x.zip", LATER)


def do_export(stage: Path) -> None:
    export_archive(store_at(stage / "cache"), stage / "y.zip")


class TestKills:
    def test_of_an_import(self, tmp_path: Path) -> None:
        stage = tmp_path / "stage"
        stage.mkdir()
        source = store_at(tmp_path / "source")
        source.append({"usage": usage({"a": 1, "b": 2})}, NOW, whole=MANY)
        source.keep_body("f", BODY, SHA256, NOW)
        source.log(asked(NOW, sha256=SHA256), NOW)
        export_archive(source, stage / "x.zip")
        # The cache shares a row with the archive.
        own = store_at(stage / "cache")
        own.append({"usage": usage({"a": 1, "c": 5}, NOW)}, NOW, whole=MANY)
        own.log(asked(at(3)), at(3))
        old = rows_of_all(own)
        import_archive(merged := store_at(shutil.copytree(own.root, tmp_path / "merged")),
                       stage / "x.zip", LATER)  # fmt: skip
        new, seen = rows_of_all(merged), []
        for state in states_of(stage, do_import, tmp_path / "states"):
            found = store_at(state / "cache")
            rows_found = rows_of_all(found)
            is_new = rows_found["usage"].equals(new["usage"])
            for name, rows in rows_found.items():
                assert_frame_equal(rows, (new if is_new else old)[name])
            seen.append(is_new)
            if not is_new:
                assert list(kept(found.root)) == []
            assert found.notices == []
            found.repair(LATER)
            assert temporaries(found.root) == [] and found.notices == []
            assert import_archive(found, stage / "x.zip", LATER).rows == 3
            assert_frame_equal(found.cached(USAGE_TABLE), new["usage"])
            assert_frame_equal(found.cached(FETCH_TABLE), new["fetch"])
            assert [body.read() for body in kept(found.root)] == [BODY]
        assert seen == sorted(seen) and set(seen) == {False, True}
        assert len(seen) > 5

    def test_of_an_export(self, tmp_path: Path) -> None:
        stage = tmp_path / "stage"
        stage.mkdir()
        store = some_cache(stage / "cache")
        export_archive(store, tmp_path / "x.zip")
        (stage / "y.zip").write_bytes(b"before")
        before = files_of(store.root)
        states = states_of(stage, do_export, tmp_path / "states")
        assert files_of(store.root) == before
        found = [(state / "y.zip").read_bytes() for state in states]
        after = (tmp_path / "x.zip").read_bytes()
        assert set(found) == {b"before", after}
        assert (found[0], found[-1]) == (b"before", after)
        for state in states:
            copied = files_of(state / "cache")
            assert {path.relative_to(state / "cache"): text for path, text in copied.items()} == {
                path.relative_to(store.root): text for path, text in before.items()
            }
