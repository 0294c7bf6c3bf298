"""Running the command as a user does: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

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


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of the command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing of the developer's own is found."""
    config = tmp_path / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {
        **kept,
        "HOME": str(tmp_path / "home"),
        "QWENWATCH_CONFIG": str(config),
        "QWENWATCH_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONWARNINGS": "error",
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """Run ``qwenwatch`` with some arguments and further variables."""

    def run_command(*arguments: str, **variables: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "qwenwatch", *arguments],
            env={**environment, **variables},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return run_command


@pytest.fixture
def server() -> Iterator[FeedServer]:
    """The feed server with its small hand-written world."""
    with FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW, bad_keys=["sk-bad"]) as server:
        yield server


@pytest.fixture
def live(run: Run, server: FeedServer) -> Run:
    """Run ``qwenwatch`` against the feed server, on its day, with a key."""

    def run_live(*arguments: str, **variables: str) -> Ran:
        return run(
            *arguments,
            **{
                "QWENWATCH_FEEDS_URL": server.url,
                "QWENWATCH_NOW": "2026-08-17T12:00:00Z",
                "OPENROUTER_API_KEY": KEY,
                **variables,
            },
        )

    return run_live
