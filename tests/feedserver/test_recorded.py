"""The recordings are played as they could be known at the server's clock."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.feedserver import FeedServer, RecordedBodies
from tests.feedserver.support import (
    APPS,
    ECB_DAILY,
    LITELLM,
    MODELS,
    MODELS_DEV,
    RANKINGS,
    ROOT,
    SESSIONS,
    TASKS,
    VERCEL,
    client_of,
)

RECORDINGS = ROOT.parent / "shared" / "recordings"

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recordings are not on this machine (../shared/recordings)"
)


class At:
    """A clock that can be set."""

    def __init__(self, moment: str) -> None:
        self.moment = datetime.fromisoformat(moment)

    def __call__(self) -> datetime:
        return self.moment


@contextmanager
def playing(clock: At) -> Iterator[httpx.Client]:
    with (
        FeedServer(RecordedBodies(RECORDINGS, clock), now=clock) as server,
        client_of(server) as client,
    ):
        yield client


def test_recorded_rankings_are_those_of_the_day() -> None:
    clock = At("2026-08-22T01:00:00Z")
    with playing(clock) as client:
        body = client.get(RANKINGS).json()
        assert len(body["data"]) == 30 * 51
        assert body["meta"]["end_date"] == "2026-08-21"
        last = [row for row in body["data"] if row["date"] == "2026-08-21"]
        assert last[0]["model_permaslug"] == "stealth/ox-alpha"
        assert last[0]["total_tokens"] == "1990781795145"
        assert last[-1]["model_permaslug"] == "other"
        assert len(client.get(APPS).json()["data"]) == 50
        clock.moment -= timedelta(days=1)
        assert client.get(RANKINGS).json()["meta"]["end_date"] == "2026-08-20"


def test_the_recorded_apps_are_of_one_window_only() -> None:
    recorded = {"start_date": "2026-07-23", "end_date": "2026-08-21"}
    clock = At("2026-08-22T01:00:00Z")
    with playing(clock) as client:
        answer = client.get(APPS, params=recorded).json()
        assert answer["data"] == client.get(APPS).json()["data"]
        assert answer["data"][0]["total_tokens"] == "38877705398677"
        for other in ("2026-07-22", "2026-07-24"):
            assert client.get(APPS, params=recorded | {"start_date": other}).status_code == 404
        assert client.get(APPS, params=recorded | {"end_date": "2026-08-20"}).status_code == 404
        clock.moment += timedelta(days=1)
        assert client.get(APPS).status_code == 404
        assert client.get(APPS, params=recorded).status_code == 200
        clock.moment -= timedelta(days=2)  # the window is not over yet
        assert client.get(APPS, params=recorded).status_code == 404


@pytest.mark.parametrize("path", [SESSIONS, TASKS])
def test_what_nobody_recorded_is_not_played(path: str) -> None:
    with playing(At("2026-08-22T01:00:00Z")) as client:
        answer = client.get(path)
        assert answer.status_code == 404
        assert "is not recorded" in answer.json()["error"]["message"]


def test_recorded_bodies_are_the_newest_known_at_the_clock() -> None:
    clock = At("2026-08-22T00:17:00Z")
    with playing(clock) as client:
        assert len(client.get(MODELS).json()["data"]) == 421
        clock.moment -= timedelta(minutes=1)
        assert len(client.get(MODELS).json()["data"]) == 420
        assert len(client.get(MODELS_DEV).json()) == 147
        assert "sample_spec" in client.get(LITELLM).json()
        assert "time='2026-08-21'" in client.get(ECB_DAILY).text
        clock.moment = datetime(2020, 1, 1, tzinfo=UTC)
        assert client.get(MODELS).status_code == 404


def test_recorded_leaderboard_is_derived_from_the_page() -> None:
    clock = At("2026-08-22T12:00:00Z")
    with playing(clock) as client:
        rows = client.get(VERCEL).json()["rows"]
        assert {row["metric"] for row in rows} == {"requests", "tokens", "spend"}
        assert max(row["date"] for row in rows) == "2026-08-22"
        opus = {
            "date": "2026-06-23",
            "group": "model",
            "name": "Claude Opus 4.8",
            "metric": "spend",
            "modality": "all",
            "share_percent": 31.6897,
        }
        assert opus in rows
        sums: dict[tuple[str, str], float] = defaultdict(float)
        for row in rows:
            sums[row["date"], row["metric"]] += row["share_percent"]
        assert all(total == pytest.approx(100) for total in sums.values())
        labs = client.get(VERCEL, params={"dataset": "labs"}).json()["rows"]
        spend = {row["name"]: row["share_percent"] for row in labs if row["metric"] == "spend"}
        assert {"Anthropic", "OpenAI", "Z.ai", "Other"} <= set(spend)
        # A day that was still running when it was recorded is never served as a whole one.
        clock.moment += timedelta(days=1)
        rows = client.get(VERCEL).json()["rows"]
        assert max(row["date"] for row in rows) == "2026-08-21"
