"""Proof of the cache: of a healthy one nothing is said, whatever it went through."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.frames import FETCH_TABLE
from qwenwatch_cache.refresh import Wish
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.archive import export_archive, import_archive
from tests.cache.polling import NO_BASELINE, Watch
from tests.cache.proved import (
    POLLED,
    MovingWorld,
    largest,
    later,
    lines,
    poll,
    proof,
    rewrite,
    state_of,
)
from tests.cache.rows import at, files_of, usage
from tests.feedserver import RecordedBodies

OLD = Path(__file__).parent / "old"


@pytest.fixture
def root(well: Path) -> Path:
    """A cache of all feeds after some days, to be spoilt."""
    return well


class Killed(BaseException):
    """Stands for SIGKILL: nobody catches it."""


def _make_mortal(patch: pytest.MonkeyPatch, name: str, dies: Callable[[], bool]) -> None:
    """Let a program end before or after it wrote something."""
    method = getattr(Store, name)

    def mortal(self: Store, *given: Any, **named: Any) -> Any:
        if dies():
            raise Killed
        result = method(self, *given, **named)
        if dies():
            raise Killed
        return result

    patch.setattr(Store, name, mortal)


class TestHealthy:
    def test_nothing_is_said_of_what_all_feeds_brought(self, polled: Path) -> None:
        found = proof(polled)
        assert found.differences == []
        log = Store(polled, bundled=NO_BASELINE).cached(FETCH_TABLE)
        good = log.filter(pl.col("error").is_null() & (pl.col("sha256") != ""))
        assert set(good["feed"]) == {*POLLED, "openrouter-endpoints"}
        assert (found.answers, found.unread) == (good.height, 0)
        assert found.rows == sum(part.rows for part in state_of(polled).parts)
        # Faults were played, restatements came, things were withdrawn: all of it was looked at.
        assert log.filter(pl.col("error").is_not_null()).height > 5
        assert found.apart == 1  # the answer that was refused as implausible

    def test_it_changes_nothing(self, root: Path) -> None:
        before = files_of(root)
        proof(root)
        assert files_of(root) == before

    def test_after_compaction_and_repair(self, root: Path) -> None:
        store = Store(root, bundled=NO_BASELINE)
        store.compact(later()())
        assert lines(root) == []
        store.repair(later()())
        assert lines(root) == []

    def test_after_export_and_import(self, root: Path, tmp_path: Path) -> None:
        for bodies in (True, False):
            archive, other = tmp_path / f"{bodies}.zip", tmp_path / f"other-{bodies}"
            export_archive(Store(root, bundled=NO_BASELINE), archive, bodies=bodies)
            import_archive(Store(other, bundled=NO_BASELINE), archive, later()())
            found = proof(other)
            assert found.differences == []
            assert (found.answers > 50) is bodies
        import_archive(Store(root, bundled=NO_BASELINE), archive, later()())
        assert lines(root) == []

    def test_after_further_rounds(self, root: Path, tmp_path: Path) -> None:
        archive, other = tmp_path / "a.zip", tmp_path / "other"
        export_archive(Store(root, bundled=NO_BASELINE), archive, bodies=False)
        import_archive(Store(other, bundled=NO_BASELINE), archive, later()())
        world = MovingWorld()
        world.turn = 7
        for one in (root, other):
            poll(one, rounds=2, faults=False, world=world, watch=later(hours=1))
            assert lines(one) == []

    def test_after_old_bodies_went(self, root: Path) -> None:
        store = Store(root, bundled=NO_BASELINE)
        few = len(list((root / "bodies").glob("*/*")))
        store.drop_old_bodies(later()(), 4)
        assert 0 < len(list((root / "bodies").glob("*/*"))) < few
        assert lines(root) == []

    def test_after_damage_that_was_mended(self, root: Path) -> None:
        for table in ("price", "usage"):
            part = largest(root, table)
            (root / part.file).write_bytes(b"nonsense")
        Store(root, bundled=NO_BASELINE).repair(later()())
        assert lines(root) == []

    @pytest.mark.parametrize("name", ["format-1-first", "format-1-last"])
    def test_a_cache_of_an_older_format_before_and_after_its_migration(
        self, name: str, tmp_path: Path
    ) -> None:
        root = shutil.copytree(OLD / name, tmp_path / "old")
        before = proof(root)
        assert before.differences == []
        assert before.answers > 5
        Store(root, bundled=NO_BASELINE).repair(later()())
        after = proof(root)
        assert (after.differences, after.answers) == ([], before.answers)

    def test_what_a_killed_write_left_beside_the_parts_is_counted(self, root: Path) -> None:
        part = root / largest(root, "usage").file
        # Just so a part lies there whose manifest was not written any more.
        generation = state_of(root).generation + 1
        part.with_name(f"f-{generation:07}-{part.stem[-8:]}.parquet").write_bytes(part.read_bytes())
        (root / "usage" / ".x.tmp").write_bytes(b"half")
        found = proof(root)
        assert (found.differences, found.left_over) == ([], 1)

    def test_rows_whose_request_was_not_logged_any_more(self, root: Path) -> None:
        """A program that is killed right after it stored an answer has not logged it."""
        last = Store(root, bundled=NO_BASELINE).cached(FETCH_TABLE, feeds={"models-dev"})
        good = last.filter(pl.col("rows_new") > 0)["started"].max()
        rewrite(
            root,
            largest(root, "fetch", "models-dev"),
            lambda log: log.filter(pl.col("started") != good),
        )
        found = proof(root)
        assert (found.differences, found.apart) == ([], 2)

    def test_after_kills(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever a round had stored when it ended; what it had not comes with a later one."""
        chance, root = random.Random(11), tmp_path / "cache"
        world, watch = MovingWorld(), Watch(step=0.05)
        names = ("openrouter-rankings", "openrouter-models", "alibaba-list", "huggingface")
        kills = 0
        for name in ("log", "keep_body", "append"):
            _make_mortal(monkeypatch, name, lambda: chance.random() < 0.025)
        for _ in range(12):
            try:
                poll(root, rounds=1, faults=False, names=names, world=world, watch=watch)
            except Killed:
                kills += 1
                watch.on(minutes=2)
            assert lines(root) == []
        assert kills > 1

    def test_after_the_clock_jumped_back(self, tmp_path: Path) -> None:
        root, world = tmp_path / "cache", MovingWorld()
        for days in (0, 3, 1, 1.00001, 4):  # once it starts again as before, or almost
            watch = Watch(step=0.05)
            watch.on(days=days)
            poll(root, rounds=1, faults=False, world=world, watch=watch, wish=Wish(force=True))
            assert lines(root) == []

    def test_two_histories_in_one_cache(self, root: Path, tmp_path: Path) -> None:
        """One cache saw a price come back that another one saw change in between."""
        other, archive = tmp_path / "other", tmp_path / "other.zip"
        world, watch = MovingWorld(), Watch(step=0.05)
        world.turn = 30
        for _ in range(3):
            watch.on(hours=5)
            poll(other, rounds=1, faults=False, world=world, watch=watch)
        for bodies in (True, False):
            both = shutil.copytree(root, tmp_path / f"both-{bodies}")
            export_archive(Store(other, bundled=NO_BASELINE), archive, bodies=bodies)
            import_archive(Store(both, bundled=NO_BASELINE), archive, later()())
            assert lines(both) == []
            poll(both, rounds=1, faults=False, world=world, watch=later(hours=1))
            assert lines(both) == []

    def test_of_recorded_answers(self, recordings: Path, tmp_path: Path) -> None:
        root, watch = tmp_path / "cache", Watch(step=0.05)
        played = tuple(name for name in POLLED if name != "huggingface")
        bodies = RecordedBodies(recordings, lambda: watch.now)
        poll(root, rounds=3, names=played, world=bodies, watch=watch)
        found = proof(root)
        assert found.differences == []
        assert found.rows > 9000

    def test_while_somebody_writes(self, root: Path) -> None:
        store, stop = Store(root, bundled=NO_BASELINE), Event()

        def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                store.append({"usage": usage({"a": number}, at(number))}, at(number))
                store.compact(at(number))

        writer = Thread(target=write)
        writer.start()
        try:
            said = [line for _ in range(12) for line in lines(root, "ecb-fx")]
        finally:
            stop.set()
            writer.join()
        assert said == []

    def test_an_empty_cache_and_none(self, tmp_path: Path) -> None:
        assert proof(tmp_path).differences == []
        assert proof(tmp_path / "none").differences == []
        assert not (tmp_path / "none").exists()
