"""`qwenwatch cache`: where it is, what it holds, proof of it, and its care."""

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cache.rows import last_part
from tests.cli.conftest import Ran, Run
from tests.feedserver import FeedServer

LATER = {"QWENWATCH_NOW": "2026-08-19T12:00:00Z"}


def document(ran: Ran) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(ran.out)
    return plain


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache"


class TestPath:
    def test_is_printed(self, run: Run, root: Path) -> None:
        assert run("cache", "path").out == f"{root}\n"
        assert not root.exists()

    def test_an_action_is_needed(self, run: Run) -> None:
        assert run("cache").code == 2


class TestVerify:
    def test_of_a_healthy_cache_one_line_is_said(self, live: Run, polled: Path) -> None:
        assert live("hosts", "qwen/qwen3-max").code == 0
        ran = live("cache", "verify", **LATER)
        assert (ran.code, ran.out) == (0, "")
        [line] = ran.err.splitlines()
        assert line.endswith("answers read again: nothing differs")
        assert live("cache", "verify", "-q").err == ""

    def test_what_differs_is_named_line_by_line(self, live: Run, polled: Path) -> None:
        usage = max((polled / "usage").glob("*.parquet"), key=lambda one: one.stat().st_size)
        pl.read_parquet(usage).with_columns(value=pl.lit(1)).write_parquet(usage)
        body = next((polled / "bodies").glob("litellm/*"))
        body.write_bytes(body.read_bytes()[:-1])
        price = next((polled / "price").glob("models-dev-*"))
        price.unlink()
        ran = live("cache", "verify")
        assert ran.code == 1
        named = [line.partition(": ")[0] for line in ran.out.splitlines()]
        assert sorted(named) == sorted(
            path.relative_to(polled).as_posix() for path in (usage, price, body)
        )
        assert ran.err.splitlines()[-1].endswith("3 differ")
        plain = document(live("cache", "verify", "--format", "json"))
        assert plain["healthy"] is False
        assert [one["where"] for one in plain["differences"]] == named
        assert plain["looked_at"]["bodies"] > 10

    def test_a_spoilt_ready_answer(self, live: Run, polled: Path) -> None:
        closed = {"QWENWATCH_NOW": "2026-08-25T12:00:00Z"}  # after all that the baseline has
        live("refresh", **closed)
        live("snapshot", "--date", "2026-08-21", **closed)
        kept = [path for path in (polled / "ready").rglob("*.json") if "snapshots" in path.parts]
        assert kept
        assert live("cache", "verify", **closed).code == 0
        spoilt = max(kept, key=lambda one: one.stat().st_size)
        text = spoilt.read_text(encoding="utf-8")
        before, stated, after = text.partition('"share": 0.')
        assert stated
        spoilt.write_text(f"{before}{stated}9{after}", encoding="utf-8")
        ran = live("cache", "verify", **closed)
        assert ran.code == 1
        assert "ready/snapshots/" in ran.out

    def test_a_newer_cache_is_refused(self, run: Run, root: Path) -> None:
        root.mkdir()
        (root / "format.json").write_text('{"format": 99}')
        assert run("cache", "verify").code == 5


class TestInfo:
    def test_says_what_each_feed_brought(self, live: Run, polled: Path) -> None:
        plain = document(live("cache", "info", "--format", "json"))
        rankings = next(one for one in plain["feeds"] if one["feed"] == "openrouter-rankings")
        assert (rankings["rows"], rankings["versions"]) == (301, 0)
        assert (rankings["first_period"], rankings["last_period"]) == ("2026-07-13", "2026-08-16")
        assert rankings["first_learned"].startswith("2026-08-17T12:00:")
        assert (rankings["requests"], rankings["bodies"]) == (1, 1)
        files = [path for path in polled.glob("*/*.parquet") if path.parent.name != "set-aside"]
        sizes = sum(path.stat().st_size for path in files)
        assert plain["parts"] + plain["retired_parts"] == len(files)
        assert plain["bytes"] + plain["retired_bytes"] == sizes
        bodies = [path.stat().st_size for path in (polled / "bodies").rglob("*.gz")]
        assert sum(one["body_bytes"] for one in plain["feeds"]) == sum(bodies)

    def test_versions_are_what_was_said_anew(
        self, live: Run, polled: Path, server: FeedServer
    ) -> None:
        live("refresh", "--force", "--feed", "models-dev", **LATER)
        before = document(live("cache", "info", "--format", "json"))
        server.fault("models-dev", "one-bad-row")
        text = live("cache", "info").out
        assert "openrouter-rankings" in text
        assert [one["versions"] for one in before["feeds"] if one["feed"] == "models-dev"] == [0]
        assert live("cache", "info", "--format", "md").out.startswith("# qwenwatch cache\n")

    def test_of_nothing(self, run: Run) -> None:
        assert "Nothing is in the cache yet" in run("cache", "info").out


class TestCompact:
    def test_says_what_became_of_the_files(self, live: Run, polled: Path) -> None:
        live("refresh", "--force", **LATER)
        before = live("snapshot", "--format", "json", "--known-at", "2026-08-20", **LATER).out
        ran = live("cache", "compact", **LATER)
        assert ran.code == 0
        parts = [int(line.split()[1]) for line in ran.out.splitlines()]
        assert [line.split()[0] for line in ran.out.splitlines()] == ["before:", "after:"]
        assert 0 < parts[1] <= parts[0]
        after = live("snapshot", "--format", "json", "--known-at", "2026-08-20", **LATER).out
        assert after == before
        assert live("cache", "verify", **LATER).code == 0


class TestArchive:
    def test_goes_out_and_comes_in(self, live: Run, polled: Path, tmp_path: Path) -> None:
        archive, other = tmp_path / "out.zip", str(tmp_path / "other")
        ran = live("cache", "export", str(archive))
        assert ran.code == 0
        assert ran.out.startswith(f"{archive}: ")
        ran = live("cache", "import", str(archive), "--cache-dir", other)
        assert ran.code == 0
        assert "--known-at" in ran.err
        asked = ("snapshot", "--format", "json", "--known-at", "2026-08-18")
        assert live(*asked, "--cache-dir", other).out == live(*asked).out
        assert live("cache", "verify", "--cache-dir", other).code == 0
        again = live("cache", "import", str(archive), "--cache-dir", other)
        assert " 0 new; " in again.out
        assert "--known-at" not in again.err

    def test_without_bodies(self, live: Run, polled: Path, tmp_path: Path) -> None:
        archive = tmp_path / "out.zip"
        assert " 0 bodies, " in live("cache", "export", str(archive), "--no-bodies").out

    def test_what_is_no_archive_is_refused(self, live: Run, polled: Path, tmp_path: Path) -> None:
        archive = tmp_path / "out.zip"
        archive.write_bytes(b"nonsense")
        for file in (archive, tmp_path / "none.zip"):
            ran = live("cache", "import", str(file))
            assert ran.code == 5
            assert str(file) in ran.err
        assert live("cache", "verify").code == 0

    def test_a_place_that_cannot_be_written(self, live: Run, polled: Path) -> None:
        assert live("cache", "export", str(polled / "in-it.zip")).code == 5
        assert live("cache", "export", "/no/such/place.zip").code == 5


class TestNoCache:
    @pytest.mark.parametrize("action", [("verify",), ("compact",), ("export", "kept.zip")])
    def test_a_mistyped_directory_is_no_healthy_cache(
        self, run: Run, tmp_path: Path, action: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "kept.zip").write_bytes(b"a good one")
        ran = run("cache", *action, "--cache-dir", str(tmp_path / "mistyped"))
        assert (ran.code, ran.out) == (4, "")
        assert "there is no cache at" in ran.err
        assert not (tmp_path / "mistyped").exists()
        assert (tmp_path / "kept.zip").read_bytes() == b"a good one"


class TestTargets:
    def test_what_is_no_file_is_left_alone(self, live: Run, polled: Path, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        for target in (str(pipe), "-"):
            ran = live("cache", "export", target)
            assert (ran.code, ran.out) == (5, "")
            assert "an archive needs a file" in ran.err
        assert pipe.is_fifo()

    def test_a_link_stays_a_link(self, live: Run, polled: Path, tmp_path: Path) -> None:
        link, real = tmp_path / "link.zip", tmp_path / "real.zip"
        link.symlink_to(real)
        assert live("cache", "export", str(link)).code == 0
        assert link.is_symlink()
        assert real.read_bytes()[:2] == b"PK"


def test_a_loss_stays_told(live: Run, polled: Path) -> None:
    last_part(polled, feed="openrouter-rankings").write_bytes(b"torn")
    assert live("cache", "compact").code == 5
    ran = live("cache", "verify")
    assert ran.code == 0
    assert "rows of openrouter-rankings were lost to damage" in ran.err


def test_a_text_of_an_earlier_time_says_nothing_of_the_present(live: Run, polled: Path) -> None:
    then = ("snapshot", "--date", "2026-08-16", "--known-at", "2026-08-17T12:30:00Z")
    now = {"QWENWATCH_NOW": "2026-08-17T14:00:00Z"}
    first = live(*then, **now)
    later = live(*then, QWENWATCH_NOW="2026-08-25T12:00:00Z")
    assert first.out == later.out
    assert "stale" not in later.out
    assert "stale" in later.err
    assert live("leaders", "--known-at", "").code == 2
