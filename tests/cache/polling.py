"""What the tests of polite polling share: a clock, a cache without baseline, feeds on a server."""

import contextlib
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import stamina

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.frames import FETCH_TABLE, TABLES
from qwenwatch_cache.http import ATTEMPTS
from qwenwatch_cache.schedule import FeedSettings
from qwenwatch_cache.store import Store
from tests.feedserver import FIXTURE_NOW, FeedServer

RANKINGS, VERCEL, MODELS, MODELS_DEV = (
    "openrouter-rankings",
    "vercel-leaderboard",
    "openrouter-models",
    "models-dev",
)
NAMES = (RANKINGS, VERCEL, MODELS, MODELS_DEV)
KEY, BAD_KEY = "sk-or-v1-0123456789abcdef", "sk-or-v1-refused"
WITHOUT_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
DATA = tuple(table for table in TABLES.values() if table is not FETCH_TABLE)

NO_BASELINE = Path(__file__).parent / "no-baseline"
"""No such folder: the real baseline goes past the server's day and would come into view hourly."""


class Watch:
    """A clock that moves on by a second (or `step`) with every look, and further when told."""

    def __init__(self, now: datetime = FIXTURE_NOW, step: float = 1) -> None:
        self.now = now
        self.step = timedelta(seconds=step)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now

    def on(self, **span: float) -> None:
        self.now += timedelta(**span)


@contextlib.contextmanager
def without_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Retries without waiting, and clients without certificates."""
    # Nothing here is TLS, and to load the certificates takes longer than most of these tests.
    monkeypatch.setattr(ssl, "create_default_context", lambda: WITHOUT_CERTIFICATES)
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield


def settings_of(server: FeedServer, *names: str, key: str = KEY) -> list[FeedSettings]:
    """As the configuration would have it, with all feeds on the server."""
    return [
        FeedSettings(
            feed=FEEDS[name],
            enabled=True,
            base_url=server.url,
            key=key if FEEDS[name].key_env else "",
            every=FEEDS[name].floor,
        )
        for name in names or NAMES
    ]


def data_of(store: Store) -> dict[str, pl.DataFrame]:
    return {table.name: store.cached(table) for table in DATA}
