"""Who is used most: the fixture world by hand, the recordings by plain Python."""

import json
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.errors import NothingToShow, QwenwatchError
from qwenwatch_cache.feeds import openrouter_models, openrouter_rankings, vercel_leaderboard
from qwenwatch_cache.feeds.feed import Parsed
from qwenwatch_cache.frames import CATALOG_TABLE, USAGE_TABLE
from qwenwatch_cache.market.board import Board
from qwenwatch_cache.market.definitions import DEFINITIONS, By, definition_of
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.leaderboard import LEADERBOARD, leaderboard
from qwenwatch_cache.market.totals import TOTALS, totals
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.store import Store, as_of
from tests.feedserver import FIXTURE_NOW, RecordedBodies
from tests.feedserver.bodies import FIXTURES

TOKENS = definition_of("tokens/openrouter-rankings")
WEEK = Window(date(2026, 8, 10), "week")
B = 10**9


def rankings(days: Mapping[date, Mapping[str, int]], when: datetime = FIXTURE_NOW) -> pl.DataFrame:
    """Usage rows as the rankings feed would state them."""
    rows = [
        {"date": str(day), "model_permaslug": entity, "total_tokens": str(tokens)}
        for day, entities in days.items()
        for entity, tokens in entities.items()
    ]
    return openrouter_rankings.parse(json.dumps({"data": rows}).encode(), when).frames["usage"]


def shares(days: Mapping[date, Mapping[str, float]], kind: str = "model") -> pl.DataFrame:
    """Token shares in percent as Vercel's export would state them."""
    rows = [
        {"date": str(day), "group": kind, "name": name, "metric": "tokens", "share_percent": share}
        for day, names in days.items()
        for name, share in names.items()
    ]
    body = json.dumps({"rows": rows}).encode()
    return vercel_leaderboard.parse(body, FIXTURE_NOW, kind).frames["usage"]


def week_of(start: date, entities: Mapping[str, Any], days: int = 7) -> dict[date, Any]:
    return {start + timedelta(days=number): entities for number in range(days)}


def known_of(folder: Path, *frames: Mapping[str, pl.DataFrame], at: datetime) -> Known:
    """What a cache knows that was told these frames, with no baseline beneath it."""
    store = Store(folder / "cache", bundled=folder)
    for told in frames:
        store.append(told, at)
    return Known(store, at)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The fixture world after one round of all feeds."""
    read: dict[str, Callable[[bytes, datetime], Parsed]] = {
        "rankings-daily": openrouter_rankings.parse,
        "models": openrouter_models.parse,
        "vercel-models": partial(vercel_leaderboard.parse, kind="model"),
        "vercel-labs": partial(vercel_leaderboard.parse, kind="lab"),
    }
    frames = [
        parse((FIXTURES / f"{name}.json").read_bytes(), FIXTURE_NOW).frames
        for name, parse in read.items()
    ]
    return known_of(tmp_path_factory.mktemp("world"), *frames, at=FIXTURE_NOW)


def summary(board: Board) -> list[tuple[Any, ...]]:
    columns = ["rank", "previous_rank", "id", "value", "share", "share_change"]
    return board.rows.select(columns).rows()


class TestFixtureWorld:
    """The numbers of tests/fixtures/feeds/rankings-daily.json: 200B a day in both weeks."""

    def test_by_model(self, world: Known) -> None:
        board = world.board(TOKENS, "model", WEEK)
        assert summary(board) == [
            (1, 2, "deepseek/deepseek-v4-flash", 350 * B, 0.25, 0.07),
            (2, 1, "anthropic/claude-sonnet-4-6", 308 * B, 0.22, 0.02),
            # 168B each, and 210B each in the week before: ties go by id.
            (3, 4, "alibaba/qwen3-max", 168 * B, 0.12, -0.03),
            (4, 5, "openai/gpt-5.4", 168 * B, 0.12, 0.02),
            (5, 7, "google/gemini-3.1-pro-preview", 112 * B, 0.08, 0.02),
            (6, 6, "zhipuai/glm-5.2", 112 * B, 0.08, 0.01),
            (7, 3, "alibaba/qwen3-coder-480b-a35b-instruct:free", 42 * B, 0.03, -0.12),
            (8, 8, "stealth/ox-alpha@openrouter", 42 * B, 0.03, -0.01),
            (None, None, "other", 98 * B, 0.07, 0.02),
        ]
        assert (board.total, board.previous_total, board.complete) == (1400 * B, 1400 * B, True)

    def test_by_vendor(self, world: Known) -> None:
        board = world.board(TOKENS, "vendor", WEEK)
        assert summary(board) == [
            (1, 3, "deepseek", 350 * B, 0.25, 0.07),
            (2, 2, "anthropic", 308 * B, 0.22, 0.02),
            (3, 1, "alibaba", 210 * B, 0.15, -0.15),
            (4, 4, "openai", 168 * B, 0.12, 0.02),
            (5, 6, "google", 112 * B, 0.08, 0.02),
            (6, 5, "zhipuai", 112 * B, 0.08, 0.01),
            (None, None, "unattributed", 140 * B, 0.1, 0.01),
        ]

    def test_by_country(self, world: Known) -> None:
        board = world.board(TOKENS, "country", WEEK)
        assert summary(board) == [
            (1, 1, "CN", 672 * B, 0.48, -0.07),
            (2, 2, "US", 588 * B, 0.42, 0.06),
            (None, None, "unattributed", 140 * B, 0.1, 0.01),
        ]

    def test_who_is_behind_a_row(self, world: Known) -> None:
        rows = {row["id"]: row for row in world.board(TOKENS, "model", WEEK).rows.to_dicts()}
        free = rows["alibaba/qwen3-coder-480b-a35b-instruct:free"]
        assert (free["name"], free["vendor"], free["country"], free["source_id"]) == (
            "Qwen3 Coder 480B A35B (free)",
            "alibaba",
            "CN",
            "qwen/qwen3-coder-480b-a35b-07-25:free",
        )
        cloaked = rows["stealth/ox-alpha@openrouter"]
        assert (cloaked["name"], cloaked["vendor"], cloaked["country"]) == ("Ox Alpha", None, None)
        assert (rows["other"]["name"], rows["other"]["vendor"]) == ("other models", None)
        vendors = {row["id"]: row for row in world.board(TOKENS, "vendor", WEEK).rows.to_dicts()}
        assert vendors["alibaba"]["name"] == "Alibaba · Qwen"
        assert vendors["unattributed"]["country"] is None

    def test_history_holds_only_windows_with_a_figure(self, world: Known) -> None:
        rows = {
            row["id"]: row["history"] for row in world.board(TOKENS, "model", WEEK).rows.to_dicts()
        }
        assert rows["stealth/ox-alpha@openrouter"] == [
            {"start": date(2026, 7, 27), "share": 0.05},
            {"start": date(2026, 8, 3), "share": 0.04},
            {"start": date(2026, 8, 10), "share": 0.03},
        ]
        assert [point["share"] for point in rows["alibaba/qwen3-max"]] == [
            0.08,
            0.08,
            0.14,
            0.15,
            0.12,
        ]

    def test_history_is_as_long_as_asked_for(self, world: Known) -> None:
        rows = world.board(TOKENS, "model", WEEK, history=2).rows
        assert {len(history) for history in rows["history"].to_list()} == {2}

    def test_days(self, world: Known) -> None:
        monday = world.board(TOKENS, "country", Window(date(2026, 8, 10), "day"))
        assert summary(monday) == [  # the day before was the Sunday of the other week
            (1, 1, "CN", 96 * B, 0.48, -0.07),
            (2, 2, "US", 84 * B, 0.42, 0.06),
            (None, None, "unattributed", 20 * B, 0.1, 0.01),
        ]

    def test_an_unfinished_month_says_so(self, world: Known) -> None:
        board = world.board(TOKENS, "country", Window(date(2026, 8, 1), "month"))
        # 1 and 2 August belong to the week of 27 July: 2 × 100B, then 14 × 200B.
        assert (board.total, board.complete) == (3000 * B, False)
        assert world.newest_window(TOKENS, "month") is None

    def test_nothing_is_known_of_other_times(self, world: Known) -> None:
        board = world.board(TOKENS, "vendor", WEEK.shifted(5))
        assert board.rows.is_empty()
        assert board.rows.schema == LEADERBOARD
        assert (board.total, board.complete) == (None, False)

    def test_without_the_week_before_there_is_no_change(self, world: Known) -> None:
        rows = world.board(TOKENS, "vendor", Window(date(2026, 7, 13), "week")).rows
        assert (
            rows["previous_rank"].null_count() == rows["share_change"].null_count() == rows.height
        )

    @pytest.mark.parametrize("by", ["model", "vendor", "country"])
    @pytest.mark.parametrize("key", DEFINITIONS)
    def test_shares_add_up_to_one(self, world: Known, key: str, by: By) -> None:
        board = world.board(definition_of(key), by, WEEK)
        assert board.rows["share"].sum() == pytest.approx(1, abs=1e-7)
        assert board.rows.schema == LEADERBOARD


class TestVercel:
    def test_labs_by_vendor_have_shares_and_no_values(self, world: Known) -> None:
        board = world.board(definition_of("tokens/vercel-leaderboard"), "vendor", WEEK)
        assert summary(board) == [
            (1, 1, "deepseek", None, 0.35, 0.01),
            (2, 2, "anthropic", None, 0.27, -0.01),
            (3, 3, "openai", None, 0.2, -0.02),
            (4, 4, "alibaba", None, 0.14, 0.02),
            (5, 5, "zhipuai", None, 0.04, 0.0),
        ]
        assert (board.total, board.complete) == (None, True)

    def test_the_leader_depends_on_the_definition(self, world: Known) -> None:
        leaders = {
            one.key: world.board(one, "vendor", WEEK).rows.row(0, named=True)["id"]
            for one in world.definitions()
        }
        assert leaders == {
            "tokens/openrouter-rankings": "deepseek",
            "tokens_standard/openrouter-rankings": "deepseek",
            "tokens/vercel-leaderboard": "deepseek",
            "requests/vercel-leaderboard": "openai",
            "spend/vercel-leaderboard": "anthropic",
        }

    def test_by_country(self, world: Known) -> None:
        board = world.board(definition_of("spend/vercel-leaderboard"), "country", WEEK)
        assert summary(board) == [
            (1, 1, "US", None, 0.83, -0.04),  # Anthropic 52, OpenAI 31
            (2, 2, "CN", None, 0.17, 0.04),  # Alibaba 9, DeepSeek 4, Z.ai 4
        ]

    def test_models_are_known_by_their_display_names(self, world: Known) -> None:
        board = world.board(definition_of("tokens/vercel-leaderboard"), "model", WEEK)
        found = {row["id"]: row["vendor"] for row in board.rows.to_dicts()}
        assert found == {
            "deepseek/deepseek-v4-flash": "deepseek",
            "anthropic/claude-sonnet-4-6": "anthropic",
            "openai/gpt-5.4": "openai",
            "alibaba/qwen3-max": "alibaba",
            "other": None,
        }

    def test_a_weeks_share_is_the_mean_of_its_days(self, tmp_path: Path) -> None:
        start = date(2026, 8, 10)
        days = {start + timedelta(days=n): {"A": 30 + n, "Other": 70 - n} for n in range(7)}
        days[start]["B"] = 14
        days[start]["Other"] = 56
        known = known_of(tmp_path, {"usage": shares(days)}, at=FIXTURE_NOW)
        board = known.board(definition_of("tokens/vercel-leaderboard"), "model", WEEK)
        # A: 30 … 36, the mean of which is 33; B was named on one of seven days: 14 ÷ 7.
        assert board.rows.select("rank", "id", "value", "share").rows() == [
            (1, "A@vercel-leaderboard", None, 0.33),
            (2, "B@vercel-leaderboard", None, 0.02),
            (None, "other", None, 0.65),
        ]


class TestGaps:
    def test_a_week_with_a_missing_day_is_a_gap(self, tmp_path: Path) -> None:
        days = {
            **week_of(date(2026, 7, 27), {"qwen/qwen3-max": 6, "other": 4}),
            **week_of(date(2026, 8, 3), {"qwen/qwen3-max": 5, "other": 5}, days=6),
            **week_of(date(2026, 8, 10), {"qwen/qwen3-max": 8, "other": 2}),
        }
        known = known_of(tmp_path, {"usage": rankings(days)}, at=FIXTURE_NOW)
        row = known.board(TOKENS, "vendor", WEEK).rows.row(0, named=True)
        assert row["history"] == [
            {"start": date(2026, 7, 27), "share": 0.6},
            {"start": date(2026, 8, 10), "share": 0.8},
        ]
        assert (row["previous_rank"], row["share_change"]) == (None, None)
        running = known.board(TOKENS, "vendor", WEEK.shifted(-1))
        assert (running.complete, running.total) == (False, 60)
        assert running.rows.row(0, named=True)["share"] == 0.5

    def test_the_newest_window_is_a_whole_one(self, tmp_path: Path) -> None:
        days = {
            **week_of(date(2026, 8, 3), {"qwen/qwen3-max": 5}),
            **week_of(date(2026, 8, 10), {"qwen/qwen3-max": 8}, days=6),
        }
        known = known_of(tmp_path, {"usage": rankings(days)}, at=FIXTURE_NOW)
        assert known.choose_window(TOKENS, "week", None) == WEEK.shifted(-1)
        with pytest.raises(NothingToShow, match="before 2026-08-02"):
            known.choose_window(TOKENS, "week", None, 1)
        assert known.choose_window(TOKENS, "week", date(2026, 8, 12)) == WEEK.shifted(-1)
        with pytest.raises(NothingToShow, match="2026-08-10 to 2026-08-16"):
            known.choose_window(TOKENS, "week", date(2026, 8, 16))
        with pytest.raises(NothingToShow, match="up to 2026-08-08"):
            known.choose_window(TOKENS, "week", date(2026, 8, 8))

    def test_what_no_definition_counts_is_not_even_sorted(self, tmp_path: Path) -> None:
        # Of a year's rows nearly all are such: to sort them takes most of a second.
        other = rankings({date(2026, 8, 10): {"Qwen": 1}}).with_columns(feed=pl.lit("huggingface"))
        assert known_of(tmp_path, {"usage": other}, at=FIXTURE_NOW).usage.is_empty()

    def test_an_empty_cache_has_nothing_to_show(self, tmp_path: Path) -> None:
        known = known_of(tmp_path, at=FIXTURE_NOW)
        assert known.definitions() == []
        with pytest.raises(NothingToShow, match="qwenwatch refresh"):
            known.choose_definition("week")
        with pytest.raises(QwenwatchError, match="no definition 'downloads'"):
            known.choose_definition("week", "downloads")

    def test_what_was_withdrawn_is_no_figure(self, tmp_path: Path) -> None:
        day = date(2026, 8, 10)
        first = rankings({day: {"qwen/qwen3-max": 6, "a/b": 4}})
        later = FIXTURE_NOW + timedelta(hours=1)
        store = Store(tmp_path / "cache", bundled=tmp_path)
        store.append({"usage": first}, FIXTURE_NOW)
        store.append({"usage": rankings({day: {"qwen/qwen3-max": 6}}, later)}, later)
        window = Window(day, "day")
        now = Known(store, later).board(TOKENS, "vendor", window)
        then = Known(store, FIXTURE_NOW).board(TOKENS, "vendor", window)
        assert now.rows.select("id", "share").rows() == [("alibaba", 1.0)]
        assert then.rows.select("id", "share").rows() == [("alibaba", 0.6), ("unattributed", 0.4)]

    def test_a_restatement_counts_from_when_it_was_learned(self, tmp_path: Path) -> None:
        day = date(2026, 8, 10)
        later = FIXTURE_NOW + timedelta(hours=1)
        store = Store(tmp_path / "cache", bundled=tmp_path)
        store.append({"usage": rankings({day: {"qwen/qwen3-max": 6, "other": 4}})}, FIXTURE_NOW)
        store.append({"usage": rankings({day: {"qwen/qwen3-max": 8, "other": 2}}, later)}, later)
        totals_then_and_now = [
            Known(store, at).board(TOKENS, "vendor", Window(day, "day")).rows["value"].to_list()
            for at in (FIXTURE_NOW, later)
        ]
        assert totals_then_and_now == [[6, 4], [8, 2]]


class TestOrder:
    @settings(deadline=None, database=None, max_examples=15)
    @given(seed=st.integers(0, 2**32 - 1), by=st.sampled_from(["model", "vendor", "country"]))
    def test_the_order_of_rows_changes_nothing(self, world: Known, seed: int, by: By) -> None:
        catalog = openrouter_models.parse(
            (FIXTURES / "models.json").read_bytes(), FIXTURE_NOW
        ).frames["catalog"]

        def answer(usage: pl.DataFrame, catalogue: pl.DataFrame) -> bytes:
            known = as_of(usage, USAGE_TABLE)
            asked = totals(known, TOKENS, by, "week")
            assert asked.schema == TOTALS
            return leaderboard(asked, TOKENS, by, WEEK, Directory(catalogue)).write_json().encode()

        shuffled = world.usage.sample(fraction=1, shuffle=True, seed=seed)
        mixed = catalog.sample(fraction=1, shuffle=True, seed=seed)
        assert answer(shuffled, mixed) == answer(world.usage, catalog)

    def test_equal_figures_go_by_id(self, tmp_path: Path) -> None:
        day = date(2026, 8, 10)
        entities = {"z-ai/glm-5.2-20260616": 5, "qwen/qwen3-max": 5, "openai/gpt-5.4-20260305": 5}
        known = known_of(tmp_path, {"usage": rankings({day: entities})}, at=FIXTURE_NOW)
        rows = known.board(TOKENS, "vendor", Window(day, "day")).rows
        assert rows.select("rank", "id").rows() == [(1, "alibaba"), (2, "openai"), (3, "zhipuai")]

    def test_the_rest_stands_last_even_if_it_is_the_largest(self, tmp_path: Path) -> None:
        day = date(2026, 8, 10)
        entities = {"other": 900, "stealth/x-alpha": 60, "qwen/qwen3-max": 40}
        known = known_of(tmp_path, {"usage": rankings({day: entities})}, at=FIXTURE_NOW)
        by_vendor = known.board(TOKENS, "vendor", Window(day, "day")).rows
        assert by_vendor.select("rank", "id", "share").rows() == [
            (1, "alibaba", 0.04),
            (None, "unattributed", 0.96),
        ]
        by_model = known.board(TOKENS, "model", Window(day, "day")).rows
        assert by_model.select("rank", "id").rows() == [
            (1, "stealth/x-alpha@openrouter"),
            (2, "alibaba/qwen3-max"),
            (None, "other"),
        ]


class TestCatalogue:
    def test_two_variants_of_one_slug_share_its_name(self) -> None:
        frame = openrouter_models.parse(
            (FIXTURES / "models.json").read_bytes(), FIXTURE_NOW
        ).frames["catalog"]
        directory = Directory(as_of(frame, CATALOG_TABLE))
        standard = directory.model("openrouter-rankings", "qwen/qwen3-coder-480b-a35b-07-25")
        free = directory.model("openrouter-rankings", "qwen/qwen3-coder-480b-a35b-07-25:free")
        assert standard.name == "Qwen3 Coder 480B A35B"
        assert free.name == "Qwen3 Coder 480B A35B (free)"
        assert free.id == f"{standard.id}:free"

    def test_what_no_table_knows_keeps_its_own_id(self) -> None:
        directory = Directory(CATALOG_TABLE.empty())
        model = directory.model("openrouter-rankings", "nobody/new-1:free")
        assert (model.id, model.vendor, model.mapped) == (
            "nobody/new-1@openrouter:free",
            "unknown",
            False,
        )
        assert directory.lab("vercel-leaderboard", "No Such Lab") == "unknown"
        assert directory.country("unknown") == ""


def authors() -> dict[str, tuple[str, str]]:
    """OpenRouter author -> vendor and country, read from the table by plain Python."""
    text = files("qwenwatch_cache").joinpath("vendors.toml").read_text(encoding="utf-8")
    return {
        author: (vendor["id"], vendor["country"])
        for vendor in tomllib.loads(text)["vendor"]
        for author in vendor["aliases"].get("openrouter", [])
    }


CAPTURED = datetime(2026, 8, 22, 0, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def rows(recordings: Path) -> list[dict[str, str]]:
    return RecordedBodies(recordings, lambda: CAPTURED).rankings()


@pytest.fixture(scope="module")
def known(rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Known:
    frames = openrouter_rankings.parse(json.dumps({"data": rows}).encode(), CAPTURED).frames
    return known_of(tmp_path_factory.mktemp("recorded"), frames, at=CAPTURED)


class TestRecomputed:
    """The same answers from the raw recorded rows, without anything of the program."""

    @pytest.mark.parametrize("by", ["vendor", "country"])
    @pytest.mark.parametrize("start", ["2026-06-01", "2026-06-29", "2026-07-20", "2026-08-10"])
    def test_vendors_and_countries(
        self, rows: list[dict[str, str]], known: Known, start: str, by: By
    ) -> None:
        monday = date.fromisoformat(start)
        table = authors()

        def added(first: date) -> dict[str, int]:
            sums: dict[str, int] = {}
            for row in rows:
                if first <= date.fromisoformat(row["date"]) < first + timedelta(days=7):
                    author = row["model_permaslug"].partition("/")[0]
                    place = table.get(author, ("", ""))[by == "country"] or "unattributed"
                    sums[place] = sums.get(place, 0) + int(row["total_tokens"])
            return sums

        def ranks(sums: dict[str, int]) -> dict[str, int]:
            named = sorted((-sums[key], key) for key in sums if key != "unattributed")
            return {key: number for number, (_, key) in enumerate(named, 1)}

        now, before = added(monday), added(monday - timedelta(days=7))
        board = known.board(TOKENS, by, Window(monday, "week"))
        assert {row["id"]: row["value"] for row in board.rows.to_dicts()} == now
        assert {row["id"]: row["rank"] for row in board.rows.to_dicts() if row["rank"]} == ranks(
            now
        )
        assert board.rows["id"].to_list()[-1] == "unattributed"
        earlier = ranks(before)
        for row in board.rows.to_dicts():
            share = now[row["id"]] / sum(now.values())
            assert row["share"] == pytest.approx(share, abs=1e-9)
            assert row["previous_rank"] == earlier.get(row["id"])
            if row["id"] in before:
                change = share - before[row["id"]] / sum(before.values())
                assert row["share_change"] == pytest.approx(change, abs=2e-9)
        assert board.rows["share"].sum() == pytest.approx(1, abs=1e-7)
        assert board.total == sum(now.values())

    def test_cloaked_models_are_nobodys(self, rows: list[dict[str, str]], known: Known) -> None:
        cloaked = {
            row["model_permaslug"]
            for row in rows
            if row["model_permaslug"].startswith(("stealth/", "openrouter/"))
        }
        assert {"stealth/ox-alpha", "openrouter/owl-alpha"} <= cloaked
        found = known.board(TOKENS, "model", Window(date(2026, 6, 15), "week")).rows
        owl = found.filter(pl.col("source_id") == "openrouter/owl-alpha").row(0, named=True)
        assert (owl["vendor"], owl["country"]) == (None, None)
        assert owl["rank"] is not None
