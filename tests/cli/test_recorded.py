"""The command against the recordings, as on the day on which they were made."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import RECORDED, Ran, Run, asking, environment_in
from tests.cli.forked import Forked
from tests.feedserver import FeedServer, RecordedBodies

NOW = datetime(2026, 8, 22, 1, tzinfo=UTC)
WEEKS = [date(2026, 6, 22) + timedelta(weeks=number) for number in range(8)]


@pytest.fixture(scope="module")
def recorded(
    forked: Forked, recordings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """Run ``qwenwatch`` against the feed server with the recordings, after one refresh."""
    environment = environment_in(tmp_path_factory.mktemp("recorded"))
    with FeedServer(RecordedBodies(recordings, lambda: NOW), now=lambda: NOW) as server:
        environment |= {**asking(server), "QWENWATCH_NOW": "2026-08-22T01:00:00Z"}

        def run_recorded(*arguments: str) -> Ran:
            return forked.run(arguments, environment)

        chosen = [word for name in RECORDED for word in ("--feed", name)]
        ran = run_recorded("refresh", *chosen)
        assert ran.code == 0, ran.out
        yield run_recorded


def weekly_chart(recordings: Path) -> dict[str, dict[str, int]]:
    """The published weekly chart, by week and model; the last capture of a week counts."""
    weeks = {}
    for path in sorted((recordings / "usage/openrouter-frontend").glob("token-economy.*.json")):
        for point in json.loads(path.read_text(encoding="utf-8"))["payload"]["weekly_chart"]:
            weeks[point["x"]] = point["ys"]
    return weeks


def test_the_snapshot_of_2026_08_21(recorded: Run) -> None:
    plain = json.loads(recorded("snapshot", "--format", "json").out)
    assert plain["date"] == "2026-08-21"
    assert plain["window"]["start"] == "2026-08-10"
    assert plain["replayed"] is True
    status = {source["feed"]: source["status"] for source in plain["sources"]}
    # Only the weeks before the recorded days, in the history, are the baseline's.
    assert status.pop("openrouter-rankings-page") == "bundled"
    assert plain["baseline"] is True
    assert set(status.values()) == {"live"}


def test_weeks_equal_the_published_chart_to_the_token(recorded: Run, recordings: Path) -> None:
    chart = weekly_chart(recordings)
    unequal: dict[str, set[str]] = {}
    for monday in WEEKS:
        sunday = monday + timedelta(days=6)
        ran = recorded("leaders", "--by", "model", "--date", str(sunday), "--format", "json")
        plain: dict[str, Any] = json.loads(ran.out)
        assert plain["window"]["start"] == str(monday)
        rows = plain["leaderboards"]["model"]
        values = {row["source_id"]: row["value"] for row in rows}
        published = chart[str(monday)]
        assert sum(values.values()) == sum(published.values())
        for slug, tokens in published.items():
            if slug != "Others" and values.get(slug) != tokens:
                unequal.setdefault(str(monday), set()).add(slug)
    # That week the model went from free to paid, and each variant missed the top 50 of some days.
    assert unequal == {"2026-07-20": {"tencent/hy3-20260706", "tencent/hy3-20260706:free"}}
    (path,) = (recordings / "usage/openrouter-data-api").glob("*.rankings-daily.*.json")
    days = json.loads(path.read_text(encoding="utf-8"))
    week = [days[str(date(2026, 7, 20) + timedelta(days=number))] for number in range(7)]
    for slug in unequal["2026-07-20"]:
        assert any(slug not in day for day in week)
