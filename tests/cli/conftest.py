"""Running the command as a user does: a process of its own."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.forked import Forked
from tests.cli.forked import Ran as Ran
from tests.feedserver import FIXTURE_NOW, FeedServer, FixtureBodies

KEY = "sk-or-secret-0123456789"

CONFIG = """\
[feeds.huggingface]
enabled = false  # a hundred requests a round; tests/cache has them
"""

RECORDED = (
    "openrouter-rankings",
    "openrouter-apps",
    "vercel-leaderboard",
    "openrouter-models",
    "models-dev",
    "litellm",
    "alibaba-list",
    "ecb-fx",
)
"""Feeds of which the feed server can play recordings."""

AGAIN = {"QWENWATCH_NOW": "2026-08-17T12:05:00Z"}
"""Five minutes after the round of `polled`: a run of its own time could be of an earlier second."""

Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    with Forked(tmp_path_factory.mktemp("forked")) as forked:
        yield forked


@pytest.fixture(scope="session")
def world() -> Iterator[FeedServer]:
    """The feed server with its small hand-written world, which no test changes."""
    with FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW, bad_keys=["sk-bad"]) as server:
        yield server


@pytest.fixture
def server(world: FeedServer) -> Iterator[FeedServer]:
    """The same; faults and who has asked are forgotten with the test."""
    yield world
    world.begin_anew()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing of the developer's own is found."""
    return environment_in(tmp_path)


def environment_in(folder: Path) -> dict[str, str]:
    """The same, with the configuration and the cache in a folder."""
    config = folder / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {
        **kept,
        "HOME": str(folder / "home"),
        "QWENWATCH_CONFIG": str(config),
        "QWENWATCH_CACHE_DIR": str(folder / "cache"),
        "PYTHONWARNINGS": "error",
    }


def asking(server: FeedServer) -> dict[str, str]:
    """What the environment of a run against the feed server, on its day and with a key, has too."""
    return {
        "QWENWATCH_FEEDS_URL": server.url,
        "QWENWATCH_NOW": "2026-08-17T12:00:00Z",
        "OPENROUTER_API_KEY": KEY,
    }


@pytest.fixture
def run(forked: Forked, environment: dict[str, str]) -> Run:
    """Run ``qwenwatch`` with some arguments and further variables."""

    def run_command(*arguments: str, **variables: str) -> Ran:
        ran = forked.run(arguments, {**environment, **variables})
        assert "Traceback" not in ran.err
        return ran

    return run_command


@pytest.fixture
def live(run: Run, server: FeedServer) -> Run:
    """Run ``qwenwatch`` against the feed server, on its day, with a key."""

    def run_live(*arguments: str, **variables: str) -> Ran:
        return run(*arguments, **{**asking(server), **variables})

    return run_live


@pytest.fixture(scope="session")
def refreshed(forked: Forked, world: FeedServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of `live` after its first ``qwenwatch refresh``; only to be copied."""
    folder = tmp_path_factory.mktemp("refreshed")
    ran = forked.run(["refresh"], {**environment_in(folder), **asking(world)})
    assert ran.code == 0, ran.out
    world.begin_anew()
    return folder / "cache"


@pytest.fixture
def polled(refreshed: Path, tmp_path: Path) -> Path:
    """A copy of it, at the place where the command looks for its cache."""
    return Path(shutil.copytree(refreshed, tmp_path / "cache"))
