"""A cache that moves to another machine answers there as it did here, byte for byte."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from qwenwatch_cache.frames import USAGE_TABLE
from qwenwatch_cache.store import Store
from tests.cli.conftest import Run
from tests.feedserver import FeedServer

DAY = "2026-08-16"
BEFORE = ("--format", "json", "--known-at", "2026-08-17T12:30:00Z")
AFTER = ("--format", "json", "--known-at", "2026-08-17T19:30:00Z")
RESTATED = datetime(2026, 8, 17, 19, tzinfo=UTC)
LATER = "2026-08-17T20:00:00Z"


def sha256(run: Run, *arguments: str, **variables: str) -> str:
    ran = run("snapshot", "--date", DAY, *arguments, QWENWATCH_NOW=LATER, **variables)
    assert ran.code == 0, ran.err
    return hashlib.sha256(ran.out.encode()).hexdigest()


def restate(root: Path) -> None:
    """Let the source of the rankings correct a figure of the day."""
    store = Store(root)
    one = store.cached(USAGE_TABLE, feeds={"openrouter-rankings"}).filter(
        pl.col("period") == datetime.fromisoformat(DAY).date()
    )[:1]
    corrected = one.with_columns(pl.col("value") * 2, observed_at=pl.lit(RESTATED))
    assert store.append({"usage": corrected}, RESTATED, whole=frozenset()) == 1


def test_same_snapshot_here_and_there(live: Run, polled: Path, tmp_path: Path) -> None:
    there = {"QWENWATCH_CACHE_DIR": str(tmp_path / "there")}
    archive = str(tmp_path / "x.zip")
    first = sha256(live, *BEFORE)
    restate(polled)
    second = sha256(live, *AFTER)
    assert second != first
    assert live("cache", "export", archive).code == 0
    moved = live("cache", "import", archive, QWENWATCH_NOW=LATER, **there)
    assert moved.code == 0, moved.err
    for variables in ({}, there):
        assert sha256(live, *BEFORE, **variables) == first
        assert sha256(live, *AFTER, **variables) == second
    assert live("cache", "compact", QWENWATCH_NOW=LATER, **there).code == 0
    assert sha256(live, *BEFORE, **there) == first
    # The moved cache exports the very same archive.
    assert live("cache", "export", str(tmp_path / "y.zip"), **there).code == 0
    assert (tmp_path / "x.zip").read_bytes() == (tmp_path / "y.zip").read_bytes()


def test_nothing_is_asked_again(
    live: Run, server: FeedServer, polled: Path, tmp_path: Path
) -> None:
    there = {"QWENWATCH_CACHE_DIR": str(tmp_path / "there")}
    live("cache", "export", str(tmp_path / "x.zip"))
    live("cache", "import", str(tmp_path / "x.zip"), QWENWATCH_NOW="2026-08-17T12:05:00Z", **there)
    before = len(server.requests)
    ran = live("refresh", QWENWATCH_NOW="2026-08-17T12:10:00Z", **there)
    assert ran.code == 0, ran.err
    assert len(server.requests) == before


def test_healthy_after_an_import(live: Run, polled: Path, tmp_path: Path) -> None:
    there = {"QWENWATCH_CACHE_DIR": str(tmp_path / "there")}
    live("cache", "export", str(tmp_path / "x.zip"))
    live("cache", "import", str(tmp_path / "x.zip"), QWENWATCH_NOW=LATER, **there)
    ran = live("cache", "verify", QWENWATCH_NOW=LATER, **there)
    assert ran.code == 0, ran.out + ran.err


def test_bad_archive_is_an_error_for_people(live: Run, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"<html>")
    ran = live("cache", "import", str(tmp_path / "x.zip"))
    assert ran.code == 5
    assert f"{tmp_path / 'x.zip'} was not imported: it is no zip archive" in ran.err
    assert not (tmp_path / "cache" / "manifest.json").exists()
