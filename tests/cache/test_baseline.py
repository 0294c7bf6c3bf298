"""The figures that come with the program: enough, small, credited, and made from the record."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from qwenwatch_cache.feeds import CREDITS
from qwenwatch_cache.frames import (
    FETCH_TABLE,
    HOST_TABLE,
    PRICE_TABLE,
    SESSION_TABLE,
    TABLES,
    TASK_TABLE,
    USAGE_TABLE,
)
from qwenwatch_cache.market.definitions import definition_of
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.files import read_table

ROOT = Path(__file__).parents[2]
BASELINE = Path(str(files("qwenwatch_cache"))) / "baseline"
END = datetime(2026, 8, 22, 12, 30, tzinfo=UTC)
TOKENS = definition_of("tokens/openrouter-rankings")
FLAGSHIPS = {
    "alibaba/qwen3.8-max",
    "alibaba/qwen3.7-max",
    "alibaba/qwen3-max",
    "deepseek/deepseek-v4-pro",
    "deepseek/deepseek-v4-flash",
    "moonshotai/kimi-k3",
    "zhipuai/glm-5.3",
    "minimax/minimax-m3",
    "openai/gpt-5.6-sol",
    "openai/gpt-5.5",
    "anthropic/claude-opus-5",
    "anthropic/claude-sonnet-5",
    "google/gemini-3.1-pro-preview",
    "google/gemini-3.7-flash",
    "xai/grok-4.6",
}
"""The newest and dearest of each vendor in OpenRouter's list of 2026-08-22, read off the list."""

NOT_RECORDED = (SESSION_TABLE, TASK_TABLE, HOST_TABLE)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return Known(Store(tmp_path_factory.mktemp("baseline") / "cache"), END)


def weeks_of(known: Known, by_model: bool) -> dict[str, list[date]]:
    """Complete weeks in which somebody was named, by who."""
    rows = known.totals(TOKENS, "model" if by_model else "vendor", "week").filter("complete")
    found: dict[str, set[date]] = {}
    for start, feed, kind, entity in rows.select("start", "feed", "kind", "entity").iter_rows():
        if kind == "lab":
            name = known.directory.lab(feed, entity)
        else:
            model = known.directory.model(feed, entity)
            name = model.id if by_model else model.vendor
        found.setdefault(name, set()).add(start)
    return {name: sorted(starts) for name, starts in found.items()}


def consecutive(starts: list[date]) -> int:
    """Length of the longest run of weeks without a gap."""
    longest = run = 0
    for number, start in enumerate(starts):
        follows = number and start - starts[number - 1] == timedelta(days=7)
        run = run + 1 if follows else 1
        longest = max(longest, run)
    return longest


class TestEnough:
    def test_a_year_of_weeks_by_vendor_without_a_gap(self, known: Known) -> None:
        starts = known.totals(TOKENS, "vendor", "week").filter("complete")["start"].unique()
        assert consecutive(starts.sort().to_list()) == starts.len() >= 52
        assert starts.max() == date(2026, 8, 10)
        runs = {vendor: consecutive(weeks) for vendor, weeks in weeks_of(known, False).items()}
        # These were among the nine named vendors of the chart in each week of the year.
        assert {vendor for vendor, run in runs.items() if run >= 52} >= {
            "openai",
            "anthropic",
            "google",
            "deepseek",
        }

    def test_a_quarter_of_weeks_by_model(self, known: Known) -> None:
        starts = known.totals(TOKENS, "model", "week").filter("complete")["start"].unique()
        assert consecutive(starts.sort().to_list()) == starts.len() >= 52
        runs = {model: consecutive(weeks) for model, weeks in weeks_of(known, True).items()}
        assert sum(run >= 12 for run in runs.values()) >= 10
        assert runs["deepseek/deepseek-v4-flash"] >= 12

    def test_prices_of_the_models_that_people_compare(self, known: Known) -> None:
        prices = known.prices(END, "alibaba/qwen3-max", Mix())
        priced = prices.filter((pl.col("input") > 0) & (pl.col("output") > 0))
        assert priced["model"].n_unique() >= 150
        assert set(priced["model"]) >= FLAGSHIPS
        assert set(priced["basis"]) == {"route", "list"}

    def test_every_definition_has_figures(self, known: Known) -> None:
        assert [one.key for one in known.definitions()] == [
            "tokens/openrouter-rankings",
            "tokens_standard/openrouter-rankings",
            "tokens/vercel-leaderboard",
            "requests/vercel-leaderboard",
            "spend/vercel-leaderboard",
        ]

    def test_the_week_in_which_qwen_led(self, known: Known) -> None:
        board = known.board(TOKENS, "vendor", Window(date(2026, 3, 30), "week"))
        leader = board.rows.row(0, named=True)
        assert (leader["rank"], leader["id"], f"{leader['share']:.1%}") == (1, "alibaba", "25.6%")
        assert board.total is not None and f"{board.total / 1e12:.1f}T" == "27.0T"
        assert board.complete
        after = known.board(TOKENS, "vendor", Window(date(2026, 4, 6), "week")).rows
        qwen = after.filter(pl.col("id") == "alibaba").row(0, named=True)
        assert (qwen["rank"], qwen["previous_rank"], f"{qwen['share']:.1%}") == (4, 1, "12.2%")

    def test_qwen_led_in_no_other_week(self, known: Known) -> None:
        starts = known.totals(TOKENS, "vendor", "week").filter("complete")["start"].unique()
        led = [
            start
            for start in starts
            if known.board(TOKENS, "vendor", Window(start, "week"), history=1).rows["id"][0]
            == "alibaba"
        ]
        assert led == [date(2026, 3, 30)]


class TestHonest:
    def test_every_source_is_in_the_notice(self) -> None:
        notice = (BASELINE / "NOTICE").read_text(encoding="utf-8")
        stated = set()
        for table in TABLES.values():
            stated |= set(read_table(BASELINE / f"{table.name}.parquet", table)["feed"])
        assert len(stated) >= 5
        assert [feed for feed in sorted(stated) if f'"{feed}"' not in notice] == []
        assert stated <= set(CREDITS)
        for licence in ("CC BY 4.0", "MIT", "© 2026 Vercel"):
            assert licence in notice

    def test_nothing_else_lies_beside_the_tables(self) -> None:
        assert {path.name for path in BASELINE.iterdir()} == {
            "NOTICE",
            *(f"{name}.parquet" for name in TABLES),
        }

    def test_it_is_small(self) -> None:
        assert sum(path.stat().st_size for path in BASELINE.iterdir()) < 500_000

    def test_no_running_day_or_week_is_in_it(self) -> None:
        usage = read_table(BASELINE / "usage.parquet", USAGE_TABLE)
        days = usage.filter(pl.col("grain") == "day")
        weeks = usage.filter(pl.col("grain") == "week")
        assert (days["period"] < days["observed_at"].dt.date()).all()
        over = weeks["period"].dt.offset_by("8d").cast(pl.Datetime("us", "UTC"))
        assert (over <= weeks["observed_at"]).all()

    def test_only_changes_are_kept(self) -> None:
        """Of each key no two rows in a row say the same."""
        for table in (USAGE_TABLE, PRICE_TABLE):
            frame = read_table(BASELINE / f"{table.name}.parquet", table)
            values = pl.struct(table.values)
            repeated = frame.sort(table.time, maintain_order=True).filter(
                values.eq_missing(values.shift().over(table.key))
            )
            assert (table.name, repeated.height) == (table.name, 0)

    def test_no_machine_left_its_traces(self) -> None:
        fetch = read_table(BASELINE / "fetch.parquet", FETCH_TABLE)
        assert fetch["url"].unique().to_list() == ["recorded"]
        assert fetch["error"].null_count() == fetch.height

    def test_figures_say_that_they_are_bundled(self, known: Known) -> None:
        board = known.board(TOKENS, "vendor", Window(date(2026, 8, 10), "week"))
        assert (board.origin.status, board.origin.feed) == ("bundled", "openrouter-rankings")
        assert board.origin.as_of == datetime(2026, 8, 22, 0, 5, tzinfo=UTC)
        assert "as of 2026-08-22T00:05Z" in board.origin.citation
        earlier = known.board(TOKENS, "vendor", Window(date(2026, 3, 30), "week"))
        assert earlier.origin.feed == "openrouter-rankings-page"
        # Vendors were recorded on 1 August, models of the same page later.
        assert earlier.origin.as_of == datetime(2026, 8, 1, tzinfo=UTC)
        assert known.price_origin("models-dev", END).as_of == datetime(2026, 7, 2, tzinfo=UTC)


def test_the_script_makes_it_again_from_the_recordings(recordings: Path, tmp_path: Path) -> None:
    """Slow (some seconds): plays every recorded body through parsers and store."""
    subprocess.run(
        [
            *(sys.executable, "cache/scripts/make_baseline.py"),
            *("--recordings", str(recordings), "--out", str(tmp_path)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "."},
        check=True,
        capture_output=True,
    )
    for table in TABLES.values():
        made = read_table(tmp_path / f"{table.name}.parquet", table)
        committed = read_table(BASELINE / f"{table.name}.parquet", table)
        assert (committed.height > 0) is (table not in NOT_RECORDED)
        assert (table.name, made.equals(committed)) == (table.name, True)
