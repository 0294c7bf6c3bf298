"""What the map of model ids does not know, by weight: every recorded week, and holes."""

import csv
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_cache.feeds import openrouter_rankings
from qwenwatch_cache.frames import CATALOG, USAGE_TABLE
from qwenwatch_cache.identity import load_identity, relations
from qwenwatch_cache.market.definitions import DEFINITIONS, definition_of
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.joined import JOINED, joined
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.totals import TOTALS, totals
from qwenwatch_cache.market.unmapped import (
    COVERAGE,
    UNMAPPED,
    by_model,
    coverage,
    coverage_of,
    status_of,
    unmapped,
)
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.store import Store, as_of

WHEN = datetime(2026, 8, 22, 0, 5, tzinfo=UTC)
MONDAY = date(2026, 8, 10)
DIRECTORY = Directory(pl.DataFrame(schema=CATALOG))
RANKINGS = "openrouter-rankings"
STATUSES = ["mapped", "cloaked", "unmapped", "other"]


def window_of(
    values: Mapping[str, int | None], feed: str = RANKINGS, shares: bool = False
) -> pl.DataFrame:
    """TOTALS of one week: values with their shares, or (in millionths) shares alone."""
    total = sum(value for value in values.values() if value is not None)
    rows = [
        {
            "start": MONDAY,
            "feed": feed,
            "kind": "model",
            "entity": entity,
            "value": None if shares else value,
            "share": None if value is None or not total else value / total,
            "complete": True,
            "scope": "",
            "as_of": WHEN,
        }
        for entity, value in values.items()
    ]
    return pl.DataFrame(rows, schema=TOTALS)


def by_status(frame: pl.DataFrame) -> dict[str, tuple[int, int | None, float | None]]:
    assert frame.schema == COVERAGE
    return {status: (ids, value, share) for status, ids, value, share in frame.iter_rows()}


class TestByHand:
    def test_the_worked_example(self) -> None:
        """The one of docs/definitions.md."""
        week = window_of(
            {
                "qwen/qwen3-max": 500,
                "qwen/qwen3-coder-480b-a35b-07-25:free": 300,
                "stealth/ox-alpha": 120,
                "somebody/new-model-20260820": 20,
                "other": 60,
            }
        )
        frame = coverage(week, DIRECTORY)
        assert frame.get_column("status").to_list() == STATUSES
        assert by_status(frame) == {
            "mapped": (2, 800, 0.8),
            "cloaked": (1, 120, 0.12),
            "unmapped": (1, 20, 0.02),
            "other": (1, 60, 0.06),
        }
        rows = unmapped(week, DIRECTORY)
        assert rows.schema == UNMAPPED
        assert rows.rows() == [
            ("cloaked", "stealth/ox-alpha", "ox-alpha", 120, 0.12),
            ("unmapped", "somebody/new-model-20260820", "new-model-20260820", 20, 0.02),
        ]

    def test_the_heaviest_comes_first_and_ties_go_by_id(self) -> None:
        week = window_of({"b/b": 5, "a/a": 5, "c/c": 7, "openrouter/x": 5})
        assert unmapped(week, DIRECTORY)["entity"].to_list() == [
            "c/c",
            "a/a",
            "b/b",
            "openrouter/x",
        ]

    def test_where_only_shares_are_published_there_are_no_values(self) -> None:
        week = window_of(
            {"Claude Opus 4.6": 6, "Unheard Of 1": 1, "other": 3}, "vercel-leaderboard", shares=True
        )
        assert by_status(coverage(week, DIRECTORY)) == {
            "mapped": (1, None, 0.6),
            "cloaked": (0, None, 0.0),
            "unmapped": (1, None, 0.1),
            "other": (1, None, 0.3),
        }
        assert unmapped(week, DIRECTORY).rows() == [
            ("unmapped", "Unheard Of 1", "Unheard Of 1", None, 0.1)
        ]

    def test_a_window_without_figures_has_no_coverage(self) -> None:
        assert coverage(pl.DataFrame(schema=TOTALS), DIRECTORY).is_empty()
        assert unmapped(pl.DataFrame(schema=TOTALS), DIRECTORY).is_empty()

    def test_nobody_has_a_share_of_nothing(self) -> None:
        week = window_of({"qwen/qwen3-max": 0, "other": 0})
        assert by_status(coverage(week, DIRECTORY)) == {
            "mapped": (1, 0, None),
            "cloaked": (0, 0, None),
            "unmapped": (0, 0, None),
            "other": (1, 0, None),
        }

    @pytest.mark.parametrize(
        ("feed", "entity", "status"),
        [
            (RANKINGS, "openrouter/owl-alpha", "cloaked"),
            ("openrouter-rankings-page", "stealth/ox-alpha", "cloaked"),
            ("openrouter-rankings-page", "Others", "other"),
            (RANKINGS, "qwen/qwen3-max:free", "mapped"),
            (RANKINGS, "qwen/qwen3-max-from-the-future", "unmapped"),
            # Hidden is only what OpenRouter hides: elsewhere the word is a name like any other.
            ("vercel-leaderboard", "stealth/ox-alpha", "unmapped"),
            (RANKINGS, "stealth", "unmapped"),
        ],
    )
    def test_status(self, feed: str, entity: str, status: str) -> None:
        assert status_of(feed, entity, DIRECTORY) == status

    def test_what_is_not_mapped_meets_nothing_of_another_source(self) -> None:
        model = DIRECTORY.model("vercel-leaderboard", "Unheard Of 1")
        assert (model.id, model.vendor) == ("Unheard Of 1@vercel-leaderboard", "unknown")
        other = DIRECTORY.model(RANKINGS, "unheard/of-1")
        assert other.id == "unheard/of-1@openrouter"

    def test_definitions_that_count_a_part_of_another_are_left_out(self) -> None:
        keys = [one.key for one in by_model(list(DEFINITIONS.values()))]
        assert keys[0] == "tokens/openrouter-rankings"
        assert "spend/vercel-leaderboard" in keys
        assert not any("standard" in key for key in keys)


ENTITY = st.sampled_from(
    [
        *("qwen/qwen3-max", "z-ai/glm-5-20260211", "stealth/ox-alpha", "openrouter/owl-alpha"),
        *("a/new", "b/newer:free", "other"),
    ]
)


@given(st.dictionaries(ENTITY, st.none() | st.integers(1, 10**15), min_size=1))
def test_an_unknown_figure_becomes_no_number(values: dict[str, int | None]) -> None:
    frame = coverage(window_of(values), DIRECTORY)
    for status, (count, value, share) in by_status(frame).items():
        own = [v for e, v in values.items() if status_of(RANKINGS, e, DIRECTORY) == status]
        assert count == len(own)
        if None in own:
            assert value is None
            assert share is None
    for row in unmapped(window_of(values), DIRECTORY).to_dicts():
        assert row["value"] == values[row["entity"]]
        assert (row["share"] is None) == (values[row["entity"]] is None)


class TestRecordedWeeks:
    """Against plain Python over the raw JSON and the written map read as text."""

    def test_days_of_the_data_api(self, recordings: Path, tmp_path: Path) -> None:
        days = read(next((recordings / "usage/openrouter-data-api").glob("casualstudy.*.json")))
        rows = [row for day in days.values() for row in day.values()]
        expected: dict[date, Counter[str]] = {}
        for row in rows:
            day = date.fromisoformat(row["date"])
            week = expected.setdefault(day - timedelta(days=day.weekday()), Counter())
            week[told(row["model_permaslug"])] += int(row["total_tokens"])
        store = Store(tmp_path / "cache", bundled=tmp_path)
        body = json.dumps({"data": rows}).encode()
        store.append(openrouter_rankings.parse(body, WHEN).frames, WHEN)
        usage = as_of(store.cached(USAGE_TABLE), USAGE_TABLE)
        weekly = totals(usage, definition_of("tokens/openrouter-rankings"), "model", "week")
        assert len(expected) == 14
        cloaked = 0
        for start, sums in expected.items():
            here = weekly.filter(pl.col("start") == start)
            assert_is(by_status(coverage(here, DIRECTORY)), sums)
            cloaked += sums["cloaked"] > 0
        assert cloaked == 8

    def test_weeks_of_the_chart(self, recordings: Path) -> None:
        chart = {
            point["x"]: point["ys"]
            for payload in payloads(recordings)
            for point in payload["weekly_chart"]
        }
        assert len(chart) == 58
        weeks_with_cloaked = []
        for start, tokens in chart.items():
            week = window_of(tokens, "openrouter-rankings-page")
            found = by_status(coverage(week, DIRECTORY))
            assert_is(found, told_of(tokens))
            if found["cloaked"][0]:
                weeks_with_cloaked.append(start)
        assert len(weeks_with_cloaked) == 15

    def test_weeks_of_the_whole_platform(self, recordings: Path) -> None:
        """Each of 400 to 500 models of seven days, none of them in a rest."""
        for payload in payloads(recordings):
            tokens: Counter[str] = Counter()
            for row in payload["models_week"]:
                if row["permaslug"]:  # one row is of nothing, with no tokens
                    tokens[row["permaslug"]] += row["prompt_tokens"] + row["completion_tokens"]
            assert len(tokens) > 390
            week = window_of(tokens)
            sums = told_of(tokens)
            assert_is(by_status(coverage(week, DIRECTORY)), sums)
            assert sums["other"] == 0
            assert 0 < sums["unmapped"] < 0.002 * sums.total()
            heaviest = unmapped(week, DIRECTORY).filter(pl.col("status") == "unmapped").row(0)
            assert heaviest[4] < 0.0005

    def test_the_top_fifteen_of_twenty_months(self, recordings: Path) -> None:
        (path,) = (recordings / "usage/openrouter-frontend").glob("*.rankings-monthly.*.json")
        months = read(path)["months"]
        assert len(months) == 20
        for month in months:
            missing = [
                row for row in month["models"] if told(row["model"]) not in {"mapped", "cloaked"}
            ]
            assert sum(row["tokens"] for row in missing) < 0.01 * month["weekTotal"], month["month"]

    def test_every_name_on_vercels_leaderboard(self, recordings: Path) -> None:
        known = {row["id"] for row in map_rows() if row["feed"] == "vercel-leaderboard"}
        for path in sorted((recordings / "usage/vercel-gateway").glob("*.json")):
            series = read(path)["payload"]["series"]
            assert series
            for day in series:
                # Of what is named; the recording does not say how much is not.
                missing = sum(share for name, share in day["shares"] if name not in known)
                assert missing < 0.01 * sum(share for _, share in day["shares"])


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return Known(Store(tmp_path_factory.mktemp("empty") / "cache"), WHEN + timedelta(hours=12))


class TestKnown:
    """Through the cache: the figures that come with the program."""

    def test_every_bundled_week(self, known: Known) -> None:
        definition = definition_of("tokens/openrouter-rankings")
        windows = [Window(date(2025, 8, 4) + timedelta(weeks=n), "week") for n in range(54)]
        for window in windows:
            found = coverage_of(known, definition, window)
            shares = by_status(found.shares)
            assert found.complete
            share = shares["unmapped"][2]
            assert share is not None
            assert share < 0.01
            assert sum(each[2] or 0 for each in shares.values()) == pytest.approx(1, abs=1e-8)
            assert found.origin.feed.startswith("openrouter-rankings")

    def test_a_window_without_figures_is_empty(self, known: Known) -> None:
        definition = definition_of("tokens/openrouter-rankings")
        found = coverage_of(known, definition, Window(date(2024, 1, 1), "week"))
        assert found.shares.is_empty()
        assert found.rows.is_empty()


class TestJoined:
    def test_lines_of_the_map_with_the_variants_that_had_a_price(self) -> None:
        price = pl.DataFrame(
            [
                ("openrouter-models", "qwen/qwen3-max", ""),
                ("openrouter-models", "qwen/qwen3-max", "free"),
                ("openrouter-models", "qwen/qwen3-max", "batch"),
                ("openrouter-models", "qwen/qwen3-max-thinking", "free"),
                ("models-dev", "qwen/qwen3-max", "free"),
            ],
            schema={"feed": pl.String, "model": pl.String, "variant": pl.String},
            orient="row",
        )
        frame = joined(relations("alibaba/qwen3-max"), price)
        assert frame.schema == JOINED
        rows = {(row["feed"], row["id"]): row for row in frame.to_dicts()}
        assert rows["openrouter-models", "qwen/qwen3-max"]["variants"] == ["batch", "free"]
        assert rows["models-dev", "alibaba-cn/qwen3-max"]["variants"] == []
        assert [tuple(row[:3]) for row in frame.iter_rows()] == sorted(
            (row["canonical"], row["feed"], row["id"])
            for row in map_rows()
            if row["canonical"] == "alibaba/qwen3-max"
        )

    def test_every_line_says_who_says_so(self) -> None:
        for model in ("alibaba/qwen3-max", "zhipuai/glm-5", "anthropic/claude-haiku-4-5"):
            lines = relations(model)
            assert {line.feed for line in lines} == set(load_identity().ids(model))
            assert all(line.source for line in lines)

    def test_a_reviewed_line_has_its_reason(self) -> None:
        reviewed = [row["source"] for row in map_rows() if row["source"].startswith("reviewed")]
        assert len(reviewed) > 20
        assert all(len(source.removeprefix("reviewed: ")) > 10 for source in reviewed)

    def test_no_lines_of_a_model_that_is_not_in_the_map(self) -> None:
        assert relations("nobody/nothing") == []


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def payloads(recordings: Path) -> list[Any]:
    paths = sorted((recordings / "usage/openrouter-frontend").glob("token-economy.*.json"))
    assert len(paths) == 6
    return [read(path)["payload"] for path in paths]


def map_rows() -> list[dict[str, str]]:
    text = files("qwenwatch_cache").joinpath("identity.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


SLUGS = {row["id"] for row in map_rows() if row["feed"] == RANKINGS}


def told(slug: str) -> str:
    """What the map says of a slug, by plain text."""
    if slug in {"other", "Others"}:
        return "other"
    if slug.split(":")[0] in SLUGS:
        return "mapped"
    return "cloaked" if slug.startswith(("openrouter/", "stealth/")) else "unmapped"


def told_of(tokens: Mapping[str, int]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for slug, count in tokens.items():
        sums[told(slug)] += count
    return sums


def assert_is(
    found: Mapping[str, tuple[int, int | None, float | None]], sums: Counter[str]
) -> None:
    """The sums are equal to the token, and less than 1 % is not mapped."""
    assert {status: value for status, (_, value, _) in found.items()} == {
        status: sums[status] for status in STATUSES
    }
    for status, (_, _, share) in found.items():
        assert share == pytest.approx(sums[status] / sums.total(), abs=1e-8)
    assert sums["unmapped"] < 0.01 * sums.total()
