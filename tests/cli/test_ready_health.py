"""How the log ends is kept beside it, and is never trusted over it."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import repeat
from pathlib import Path

import polars as pl
import pytest

from qwenwatch.config import Config
from qwenwatch.ready_check import ready_faults
from qwenwatch.ready_health import tails_now, tails_path
from qwenwatch.session import Session
from qwenwatch.settings import feed_settings
from qwenwatch_cache.frames import FETCH_TABLE
from qwenwatch_cache.health import RECENT, feed_states, states_of
from qwenwatch_cache.schedule import FeedSettings
from qwenwatch_cache.store import Store
from tests.cache.rows import NOW, fetches, files_of

FEED = "models-dev"
LATER = NOW + timedelta(hours=3)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path / "config.toml", tmp_path / "cache")


@pytest.fixture
def feeds(config: Config) -> Sequence[FeedSettings]:
    return feed_settings(config)


@pytest.fixture
def store(config: Config) -> Store:
    """A cache whose log has one good request and one that failed."""
    store = Store(config.cache_dir)
    good = fetches([NOW - timedelta(hours=2)], FEED).with_columns(status=200, rows_new=7)
    failed = fetches([NOW - timedelta(hours=1)], FEED).with_columns(
        status=500, error=pl.lit("HTTP 500")
    )
    for rows in (good, failed):
        store.log(rows, NOW)
    return store


def is_as_the_log_says(store: Store, feeds: Sequence[FeedSettings]) -> bool:
    """Whether a new look at the whole log says the same, for some hours to come."""
    log = store.cached(FETCH_TABLE)
    return all(
        states_of(tails_now(store, feeds, now), feeds, now) == feed_states(log, feeds, now)
        for now in (NOW, NOW + timedelta(minutes=5), LATER, NOW + timedelta(days=3))
    )


def test_it_is_kept_and_says_what_the_log_says(store: Store, feeds: Sequence[FeedSettings]) -> None:
    first = tails_now(store, feeds, NOW)
    kept = tails_path(store.root).read_bytes()
    assert FEED.encode() in kept
    assert tails_now(store, feeds, NOW) == first
    assert tails_path(store.root).read_bytes() == kept
    assert is_as_the_log_says(store, feeds)


def test_it_is_read_instead_of_the_log(
    store: Store, feeds: Sequence[FeedSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tails_now(store, feeds, NOW)
    opened: list[str] = []
    read = store._read  # the one door to the files

    def counted(file: str) -> bytes:
        opened.append(file)
        return read(file)

    monkeypatch.setattr(store, "_read", counted)
    assert tails_now(store, feeds, LATER) == first
    assert not [file for file in opened if file.startswith("fetch/")]


def test_another_request_counts_at_once(store: Store, feeds: Sequence[FeedSettings]) -> None:
    tails_now(store, feeds, NOW)
    store.log(fetches([NOW], FEED).with_columns(status=200), NOW)
    assert tails_now(store, feeds, NOW).ends[FEED].good == NOW
    assert is_as_the_log_says(store, feeds)


def test_another_day_has_another_budget(store: Store, feeds: Sequence[FeedSettings]) -> None:
    assert tails_now(store, feeds, NOW).ends[FEED].spent == 2
    assert tails_now(store, feeds, NOW + timedelta(days=1)).ends[FEED].spent == 0
    assert tails_now(store, feeds, NOW).ends[FEED].spent == 2


def test_a_request_that_is_dated_later_than_now_is_not_kept(
    store: Store, feeds: Sequence[FeedSettings]
) -> None:
    store.log(fetches([NOW + timedelta(hours=30)], FEED).with_columns(status=429), NOW)
    tails_now(store, feeds, NOW)
    assert not tails_path(store.root).exists()
    assert is_as_the_log_says(store, feeds)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"basis": 3}', b"\xff\xfe", b"null"])
def test_what_cannot_be_read_is_made_again(
    content: bytes, store: Store, feeds: Sequence[FeedSettings]
) -> None:
    first = tails_now(store, feeds, NOW)
    path = tails_path(store.root)
    path.write_bytes(content)
    assert tails_now(store, feeds, NOW) == first
    assert FEED.encode() in path.read_bytes()


def test_where_nothing_can_be_kept_it_is_said_all_the_same(
    store: Store, feeds: Sequence[FeedSettings]
) -> None:
    (store.root / "ready").write_text("in the way", encoding="utf-8")
    assert is_as_the_log_says(store, feeds)


def test_an_empty_cache_stays_untouched(config: Config, feeds: Sequence[FeedSettings]) -> None:
    store = Store(config.cache_dir)
    assert tails_now(store, feeds, NOW).ends == {}
    assert not store.root.exists()


def test_verify_names_one_that_was_changed(store: Store, config: Config) -> None:
    session = Session.open(config, lambda: NOW, offline=True)
    tails_now(store, session.feeds, NOW)
    assert ready_faults(session) == []
    path = tails_path(store.root)
    before = files_of(store.root)
    path.write_bytes(path.read_bytes().replace(b'"spent":2', b'"spent":1'))
    assert files_of(store.root) != before
    assert ready_faults(session) == [
        "ready/health.json differs from what the tables say; delete it"
    ]
    path.write_bytes(b"{")
    [fault] = ready_faults(session)
    assert fault.startswith("ready/health.json cannot be used (")


def test_verify_has_nothing_against_a_wait_that_is_long_over(store: Store, config: Config) -> None:
    asked = NOW - RECENT + timedelta(hours=1)  # too long ago an hour later, on the same day
    wait = fetches([asked], FEED).with_columns(
        status=429, error=pl.lit("HTTP 429"), retry_at=asked + timedelta(hours=1)
    )
    good = fetches([NOW - timedelta(minutes=30)], FEED).with_columns(status=200, rows_new=7)
    for rows in (wait, good):
        store.log(rows, NOW)
    for now in (NOW, NOW + timedelta(hours=2)):
        session = Session.open(config, repeat(now).__next__, offline=True)
        tails_now(store, session.feeds, now)
        assert ready_faults(session) == []
