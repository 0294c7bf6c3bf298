"""Fixtures of the tests of polling: a clock, a cache without baseline, a server, made-up feeds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from qwenwatch_cache.store import Store
from tests.cache.played import Player
from tests.cache.polling import NO_BASELINE, Watch, without_waits
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
def store(root: Path) -> Store:
    return Store(root, bundled=NO_BASELINE)


@pytest.fixture
def server(watch: Watch) -> Iterator[FeedServer]:
    with FeedServer(FixtureBodies(), now=lambda: watch.now) as server:
        yield server
