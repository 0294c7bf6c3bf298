"""The benchmarks of growth: what they measure is what was recorded, what they make up holds."""

import importlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.frames import FETCH_TABLE, TABLES, USAGE_TABLE, Table
from qwenwatch_cache.store import Store

END = date(2026, 8, 21)
DAYS = 30


@pytest.fixture(scope="module", autouse=True)
def benchmarks() -> Iterator[None]:
    """They are scripts beside each other, no package. Years are short here, but for growth.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
        importlib.import_module("growth")
        patch.setattr("decade.YEAR", DAYS)
        yield


@pytest.fixture(scope="module")
def made(benchmarks: None, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A cache of two "years" of 30 days."""
    return _made(tmp_path_factory.mktemp("decade") / "cache")


def _made(root: Path, seed: int = 1) -> Store:
    importlib.import_module("decade").make_cache(root, 2, seed=seed, end=END)
    return Store(root)


def test_every_feed_that_is_asked_has_figures_and_requests(made: Store) -> None:
    asked = {name for name, feed in FEEDS.items() if feed.on_demand is None}
    assert set(made.cached(FETCH_TABLE).get_column("feed")) == asked
    data = [table for table in TABLES.values() if table is not FETCH_TABLE]
    assert {feed for table in data for feed in made.cached(table).get_column("feed")} == asked


def test_rankings_are_whole_days_up_to_the_end_and_are_restated(made: Store) -> None:
    rows = made.cached(USAGE_TABLE).filter(feed="openrouter-rankings")
    days = [END - timedelta(days=back) for back in range(2 * DAYS)]
    last = rows.sort("observed_at").unique(["entity", "period"], keep="last")
    assert Counter(last.get_column("period")) == dict.fromkeys(days, 51)
    assert rows.height > last.height


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_nothing_is_stated_twice_at_one_time(made: Store, table: Table) -> None:
    moment = [*dict.fromkeys((*table.key, table.time))]
    assert made.cached(table).filter(pl.struct(moment).is_duplicated()).is_empty()


def test_the_same_seed_makes_the_same_rows(made: Store, tmp_path: Path) -> None:
    again = _made(tmp_path / "again")
    for table in TABLES.values():
        assert made.cached(table).equals(again.cached(table))
    other = _made(tmp_path / "other", seed=2)
    assert not made.cached(USAGE_TABLE).equals(other.cached(USAGE_TABLE))


def test_rows_a_year_are_those_after_the_first_answer_in_the_last_year() -> None:
    growth = importlib.import_module("growth")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    seen = growth.Recorded(
        [
            (start - timedelta(days=400), 99),  # before the last year, and the first of all
            (start, 7),  # after a gap that began before the last year
            (start + timedelta(days=1), 2),
            (start + timedelta(days=2), 4),
            (start + timedelta(days=12), 30),  # what came and went in ten days was missed
            (start + timedelta(days=13), 0),
        ]
    )
    assert seen.rows == 142
    assert seen.per_year(close=False) == pytest.approx(36 / 13 * 365)
    assert seen.per_year(close=True) == pytest.approx(6 / 3 * 365)


def test_all_recorded_answers_are_played_in_order(recordings: Path) -> None:
    played = importlib.import_module("playback").answers(recordings)
    assert [one.when for one in played] == sorted(one.when for one in played)
    bodies = Counter(one.feed for one in played)
    assert bodies["openrouter-models"] == 116
    assert bodies["litellm"] == 35
    assert bodies["models-dev"] == 6
    assert bodies["alibaba-list"] == 49
    assert bodies["openrouter-rankings"] == 91  # 90 days, the last of them a second time
