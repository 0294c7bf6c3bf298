"""Fixtures of the tests of polling: a clock, a cache without baseline, a server, made-up feeds."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of all feeds after some days with faults and restatements; only to be copied."""
    root = tmp_path_factory.mktemp("polled") / "cache"
    poll(root)
    return root


@pytest.fixture
def well(polled: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return shutil.copytree(polled, tmp_path / "well")
