"""Fixtures of the tests of polling: a clock, a cache without baseline, a server, made-up feeds."""

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock

from qwenwatch_cache.feeds import openrouter_models
from qwenwatch_cache.store import Store
from tests.cache.played import Player
from tests.cache.polling import NO_BASELINE, Watch, without_waits
from tests.cache.proved import poll
from tests.cache.rows import NOW, at, mounted, usage
from tests.feedserver import FeedServer, FixtureBodies


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Retries without waiting, and clients without certificates."""
    with without_waits(monkeypatch):
        yield


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch) -> Player:
    return Player(monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def filled(root: Path) -> Path:
    """A cache with two writes, so that there is a version to fall back on."""
    Store(root).append({"usage": usage({"a": 1})}, NOW)
    Store(root).append({"usage": usage({"a": 1, "b": 2}, at(1))}, at(1))
    return root


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 kB."""
    with mounted(tmp_path / "disk", "128k") as folder:
        yield folder


@pytest.fixture
def store(root: Path) -> Store:
    return Store(root, bundled=NO_BASELINE)


@pytest.fixture
def server(watch: Watch) -> Iterator[FeedServer]:
    with FeedServer(FixtureBodies(), now=lambda: watch.now) as server:
        yield server


def made_once(
    name: str, tmp_path_factory: pytest.TempPathFactory, make: Callable[[Path], object]
) -> Path:
    """A folder that one of the processes that run the tests makes for all of them."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with FileLock(folder / f"{name}.lock"):
        if not (folder / name).exists():
            begun = tmp_path_factory.mktemp(name) / name
            make(begun)
            begun.rename(folder / name)
    return folder / name


@pytest.fixture(scope="session")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of all feeds after some days with faults and restatements; only to be copied."""
    return made_once("polled", tmp_path_factory, poll)


@pytest.fixture(scope="session")
def route_told(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that was told OpenRouter's 116 recorded price lists, oldest first, without a log and
    without a baseline; only to be copied."""
    lists = sorted((recordings / "prices/openrouter/models").glob("*.json.gz"))
    assert len(lists) == 116

    def tell(root: Path) -> None:
        store = Store(root, bundled=NO_BASELINE)
        for path in lists:
            stamp = path.name.partition(".")[0]
            when = datetime.strptime(stamp, "%Y-%m-%dT%H%MZ").replace(tzinfo=UTC)
            parsed = openrouter_models.parse(gzip.decompress(path.read_bytes()), when)
            store.append(parsed.frames, when, unread=parsed.unread)

    return made_once("route-told", tmp_path_factory, tell)


@pytest.fixture
def well(polled: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return shutil.copytree(polled, tmp_path / "well")
