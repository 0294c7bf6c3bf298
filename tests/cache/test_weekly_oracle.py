"""Days of the Data API, added up by the program, against the weekly chart of another endpoint.

The chart was recorded from OpenRouter's own page: the same traffic, added up by OpenRouter. It is
read here by plain Python, so that nothing of the program takes part on that side.
"""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from qwenwatch_cache.feeds import openrouter_rankings
from qwenwatch_cache.frames import USAGE_TABLE
from qwenwatch_cache.market.definitions import definition_of
from qwenwatch_cache.market.totals import totals
from qwenwatch_cache.store import Store, as_of

WEEKS = [date(2026, 6, 22) + timedelta(days=7 * number) for number in range(8)]
WHEN = datetime(2026, 8, 22, 0, 5, tzinfo=UTC)

Chart = dict[str, dict[str, int]]


def recorded_rows(recordings: Path) -> list[dict[str, str]]:
    (path,) = (recordings / "usage/openrouter-data-api").glob("*.rankings-daily.*.json")
    days = json.loads(path.read_text(encoding="utf-8"))
    return [row for day in days.values() for row in day.values()]


@pytest.fixture(scope="module")
def weekly(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Weeks by model through parser, store and question."""
    body = json.dumps({"data": recorded_rows(recordings)}).encode()
    folder = tmp_path_factory.mktemp("oracle")
    store = Store(folder / "cache", bundled=folder)
    store.append(openrouter_rankings.parse(body, WHEN).frames, WHEN)
    usage = as_of(store.cached(USAGE_TABLE), USAGE_TABLE)
    return totals(usage, definition_of("tokens/openrouter-rankings"), "model", "week")


@pytest.fixture(scope="module")
def chart(recordings: Path) -> Chart:
    """Each week as the latest recording that holds it shows it."""
    weeks: Chart = {}
    for path in sorted((recordings / "usage/openrouter-frontend").glob("token-economy.*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for point in document["payload"]["weekly_chart"]:
            weeks[point["x"]] = point["ys"]
    return weeks


def test_eight_weekly_totals_are_equal_to_the_token(weekly: pl.DataFrame, chart: Chart) -> None:
    rows = weekly.group_by("start").agg(pl.col("value").sum(), pl.col("complete").all())
    added = {start: (value, complete) for start, value, complete in rows.iter_rows()}
    assert {week: added[week] for week in WEEKS} == {
        week: (sum(chart[str(week)].values()), True) for week in WEEKS
    }
    assert added[date(2026, 8, 10)][0] == 75_340_581_084_831  # 75.34T, read off the recording


def test_named_models_are_equal_where_they_were_in_every_days_top_50(
    weekly: pl.DataFrame, chart: Chart, recordings: Path
) -> None:
    days: dict[tuple[str, str], set[str]] = {}
    for row in recorded_rows(recordings):
        day = date.fromisoformat(row["date"])
        week = str(day - timedelta(days=day.weekday()))
        days.setdefault((week, row["model_permaslug"]), set()).add(row["date"])
    added = {(str(row["start"]), row["entity"]): row["value"] for row in weekly.to_dicts()}
    named = [
        (str(week), model, tokens)
        for week in WEEKS
        for model, tokens in chart[str(week)].items()
        if model != "Others"
    ]
    assert len(named) == 8 * 9
    differing = {
        (week, model): tokens - added[week, model]
        for week, model, tokens in named
        if added[week, model] != tokens
    }
    # Tencent's Hy3 changed over from its free to its paid variant in that week: each of them was
    # below the top 50 on the days when the other was used, and that rest stands in `other`.
    assert differing == {
        ("2026-07-20", "tencent/hy3-20260706"): 7_084_281_421,
        ("2026-07-20", "tencent/hy3-20260706:free"): 4_740_199_442,
    }
    assert all(len(days[key]) < 7 for key in differing)
    both = sum(chart["2026-07-20"][model] for _, model in differing)
    assert sum(differing.values()) / both < 0.0021
    assert max(gap / chart[week][model] for (week, model), gap in differing.items()) < 0.0027
    # Every other model that was in each day's top 50 is equal, and there are many of those.
    assert sum(len(days[week, model]) == 7 for week, model, _ in named) >= 65


def test_the_running_week_is_marked_and_earlier_weeks_were_restated_once(
    weekly: pl.DataFrame, chart: Chart
) -> None:
    complete = dict(weekly.select("start", "complete").unique().iter_rows())
    assert complete.pop(date(2026, 8, 17)) is False  # five of seven days
    assert complete.pop(date(2026, 5, 18)) is False  # the recording begins on its Sunday
    assert all(complete.values())
    # OpenRouter restated older days between the two recordings, by less than 0.05 %.
    for week in ("2026-05-25", "2026-06-01", "2026-06-08", "2026-06-15"):
        rows = weekly.filter(pl.col("start") == date.fromisoformat(week))
        ratio = rows["value"].sum() / sum(chart[week].values())
        assert 1 < ratio < 1.0005
