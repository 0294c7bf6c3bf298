"""The commands on a cache that can only be read: in an object store, in a read-only directory."""

import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from qwenwatch.answers import AnswersError
from qwenwatch.client import ProcessAnswers
from qwenwatch_widgets.views.query import MarketQuery
from tests.cache.s3 import S3Server, only_these
from tests.cli.conftest import Ran, Run

QUERY = MarketQuery()

QUESTIONS = (
    ("snapshot", "--known-at", "2026-08-17T13:00:00Z", "--format", "json"),
    ("leaders", "--by", "model", "--format", "csv"),
    ("prices", "qwen3-max", "--format", "ndjson"),
    ("definitions", "--format", "md"),
    ("feeds", "--format", "json"),
    ("hosts", "qwen3-max", "--format", "json"),
)


def timeless(text: str) -> str:
    """What was printed, without the second in which it was."""
    return re.sub(r'"(at|due)": "[^"]*"|"age_seconds": -?\d+', '"…"', text)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def polled(polled: Path, live: Run) -> Path:
    """A cache with a round over the feeds, and the hosts of a model."""
    assert live("hosts", "qwen3-max").code == 0
    return polled


@pytest.fixture
def address(polled: Path, s3: S3Server) -> str:
    """A copy of it in an object store."""
    url = f"{s3.new_bucket()}/cache"
    s3.copy(polled, url)
    return url


@pytest.fixture
def from_afar(live: Run, s3: S3Server, address: str) -> Callable[..., Ran]:
    """Run ``qwenwatch`` on the copy."""

    def run_from_afar(*arguments: str, **variables: str) -> Ran:
        return live(*arguments, **{"QWENWATCH_CACHE_DIR": address, **s3.environment, **variables})

    return run_from_afar


@pytest.fixture
def read_only(polled: Path, tmp_path: Path) -> Iterator[Path]:
    """The same directory, where nothing can be written, not even by an administrator."""
    place = tmp_path / "read-only"
    place.mkdir()
    try:
        subprocess.run(
            ["mount", "--bind", str(polled), str(place)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a file system read-only")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_an_object_store_answers_as_the_directory_does(
    live: Run, from_afar: Run, question: tuple[str, ...]
) -> None:
    there, here = from_afar(*question), live(*question, "--offline")
    assert timeless(there.out) == timeless(here.out)
    assert (there.code, there.err) == (here.code, here.err)
    assert there.code == 0


def test_an_object_store_is_never_written_to(
    from_afar: Run, s3: S3Server, address: str, tmp_path: Path
) -> None:
    before = s3.objects(address)
    ran = from_afar("refresh", "--force")
    assert (ran.code, ran.out) == (5, "")
    assert f"{address} can only be read: poll on the machine that owns the cache" in ran.err
    from_afar("snapshot")
    assert s3.objects(address) == before
    # No directory came about that is called like the address.
    assert not [path for path in (*Path().iterdir(), *tmp_path.rglob("*")) if "s3:" in path.name]


def test_feeds_says_that_the_cache_is_only_read(from_afar: Run, address: str) -> None:
    assert (
        f"cache {address} · only read here: poll on the machine that owns the cache"
        in from_afar("feeds").out
    )


def test_where_an_address_may_stand(
    live: Run, s3: S3Server, address: str, polled: Path, tmp_path: Path
) -> None:
    config = tmp_path / "elsewhere.toml"
    config.write_text(f'[cache]\ndir = "{address}"\n', encoding="utf-8")
    configured = {"QWENWATCH_CONFIG": str(config), "QWENWATCH_CACHE_DIR": ""}
    by_option = ("--cache-dir", address)
    assert live("cache", "path", **configured).out == f"{address}\n"
    assert live("cache", "path", *by_option).out == f"{address}\n"
    question = ("leaders", "--format", "csv")
    expected = live(*question).out
    shutil.rmtree(polled)
    assert live(*question).out != expected
    assert live(*question, **configured, **s3.environment).out == expected
    assert live(*question, *by_option, **s3.environment).out == expected


def test_an_address_without_a_cache_is_no_empty_cache(from_afar: Run, address: str) -> None:
    ran = from_afar("snapshot", QWENWATCH_CACHE_DIR=f"{address}/other")
    assert (ran.code, ran.out) == (5, "")
    assert f"there is no cache of this version at {address}/other" in ran.err


@pytest.mark.parametrize("question", QUESTIONS[:-1], ids=" ".join)
def test_a_read_only_directory_answers(
    live: Run, read_only: Path, question: tuple[str, ...]
) -> None:
    there = live(*question, QWENWATCH_CACHE_DIR=str(read_only))
    here = live(*question)
    assert timeless(there.out) == timeless(here.out)
    assert (there.code, there.err) == (here.code, here.err)
    assert there.code == 0


def test_a_read_only_directory_takes_no_answers(live: Run, read_only: Path, polled: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in polled.rglob("*")}
    ran = live("refresh", "--force", QWENWATCH_CACHE_DIR=str(read_only))
    assert (ran.code, ran.out) == (5, "")
    assert f"{read_only}: Read-only file system" in ran.err
    hosts = live("hosts", "qwen3-max", "--format", "json", QWENWATCH_CACHE_DIR=str(read_only))
    assert hosts.code == 5
    assert f"{read_only}: Read-only file system" in hosts.err
    known = live("hosts", "qwen3-max", "--format", "json", "--offline")
    assert timeless(hosts.out) == timeless(known.out)
    assert {path: path.stat().st_mtime_ns for path in polled.rglob("*")} == before


class TestScreen:
    """What the process behind the screen says."""

    @pytest.fixture
    async def afar(
        self, live: Run, s3: S3Server, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[ProcessAnswers]:
        with only_these(s3.environment, monkeypatch):
            answers = ProcessAnswers(["--cache-dir", address], address, QUERY)
            yield answers
            await answers.close()

    async def test_an_object_store(self, afar: ProcessAnswers, address: str) -> None:
        market = await afar.market(QUERY)
        assert market.panels
        assert market.headline.badge == "offline"
        feeds = await afar.feeds()
        assert feeds.notices == ("only read here: poll on the machine that owns the cache",)
        report = await afar.refresh(force=True)
        assert not report.changed
        assert report.lines == feeds.notices
        assert afar.ready_market() is None

    async def test_a_read_only_directory(self, read_only: Path) -> None:
        answers = ProcessAnswers(["--cache-dir", str(read_only)], read_only, QUERY)
        try:
            assert (await answers.market(QUERY)).panels
            assert (await answers.feeds()).table.rows
            with pytest.raises(AnswersError, match="Read-only file system"):
                await answers.refresh()
        finally:
            await answers.close()
