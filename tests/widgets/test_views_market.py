"""The views of the fixture world by hand, and what hostile names leave of themselves."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.feeds import FEEDS, models_dev, openrouter_models, openrouter_rankings
from qwenwatch_cache.health import FeedState, Holding
from qwenwatch_cache.market.definitions import definition_of
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.schedule import FeedSettings
from qwenwatch_cache.store import Store
from qwenwatch_widgets.views.build import market_view, vendor_view
from qwenwatch_widgets.views.codec import View
from qwenwatch_widgets.views.feeds import feeds_view
from qwenwatch_widgets.views.headline import health_line
from qwenwatch_widgets.views.leaders import leaders_table, window_starts
from qwenwatch_widgets.views.market import PanelView
from qwenwatch_widgets.views.query import MarketQuery
from qwenwatch_widgets.views.scene import Scene
from qwenwatch_widgets.views.table import Row, TableView
from tests.feedserver import FIXTURE_NOW
from tests.feedserver.bodies import FIXTURES

WEEK = Window(date(2026, 8, 10), "week")
HOSTILE = "\x1b[31mRed\x07\u202e[bold]X[/bold]\n"
"""A name that would colour, ring, turn around and break a line, were it let through."""

SCENE = Scene(now=FIXTURE_NOW, feeds=(), mix=Mix())


def known_of(folder: Path, bodies: dict[str, bytes]) -> Known:
    """What a cache knows after these bodies, with no baseline beneath it."""
    parsers = {
        "openrouter-rankings": openrouter_rankings.parse,
        "openrouter-models": openrouter_models.parse,
        "models-dev": models_dev.parse,
    }
    store = Store(folder / "cache", bundled=folder)
    for feed, body in bodies.items():
        store.append(parsers[feed](body, FIXTURE_NOW).frames, FIXTURE_NOW)
    return Known(store, FIXTURE_NOW)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Known:
    names = {
        "openrouter-rankings": "rankings-daily.json",
        "openrouter-models": "models.json",
        "models-dev": "models-dev.json",
    }
    bodies = {feed: (FIXTURES / name).read_bytes() for feed, name in names.items()}
    return known_of(tmp_path_factory.mktemp("views"), bodies)


def texts(table: TableView, row: Row) -> dict[str, str]:
    """The cells of a row by column, without padding."""
    return {
        column.key: cell.text.strip() for column, cell in zip(table.columns, row.cells, strict=True)
    }


def by_key(table: TableView) -> dict[str, dict[str, str]]:
    return {row.key: texts(table, row) for row in table.rows}


def shown(view: Any) -> Iterator[str]:
    """Every text of a view but keys and sort values, which nobody is shown."""
    if isinstance(view, str):
        yield view
    elif isinstance(view, tuple):
        for item in view:
            yield from shown(item)
    elif isinstance(view, View):
        for name, value in asdict(view).items():
            if name not in {"key", "sort"}:
                yield from shown(value)


def panel_of(panels: tuple[PanelView, ...], vendor: str) -> PanelView:
    return next(panel for panel in panels if panel.vendor == vendor)


class TestLeaders:
    def test_by_vendor(self, world: Known) -> None:
        table = market_view(world, MarketQuery(), SCENE).leaders
        rows = by_key(table)
        assert list(rows) == [
            *("deepseek", "anthropic", "alibaba", "openai", "google", "zhipuai"),
            "unattributed",
        ]
        columns = ("rank", "moved", "name", "country", "value", "share", "change")
        assert [rows["alibaba"][key] for key in columns] == [
            *("3", "▼2", "Alibaba · Qwen", "CN", "210.00B", "15.0 %", "-15.0"),
        ]
        assert [rows["deepseek"][key] for key in columns] == [
            *("1", "▲2", "DeepSeek", "CN", "350.00B", "25.0 %", "+7.0"),
        ]
        assert rows["openai"]["moved"] == "·"
        rest = table.rows[-1]
        assert rest.pinned and [row.pinned for row in table.rows[:-1]] == [False] * 6
        assert rows["unattributed"]["rank"] == "–"

    def test_what_is_new_says_so(self, world: Known) -> None:
        week = Window(date(2026, 7, 27), "week")  # the first of the cloaked model
        board = world.board(definition_of("tokens"), "model", week)
        rows = by_key(leaders_table(board))
        assert rows["stealth/ox-alpha@openrouter"]["moved"] == "new"
        assert rows["stealth/ox-alpha@openrouter"]["change"] == "–"
        assert rows["stealth/ox-alpha@openrouter"]["country"] == "–"

    def test_the_rest_is_shown_however_few_are_asked_for(self, world: Known) -> None:
        board = world.board(definition_of("tokens"), "model", WEEK)
        assert [row.key for row in leaders_table(board, top=1).rows] == [
            "deepseek/deepseek-v4-flash",
            "other",
        ]

    def test_countries_have_no_country_column(self, world: Known) -> None:
        table = market_view(world, MarketQuery(by="country"), SCENE).leaders
        assert "country" not in {column.key for column in table.columns}
        assert [row.key for row in table.rows] == ["CN", "US", "unattributed"]

    def test_series_keep_gaps_as_gaps(self, world: Known) -> None:
        board = world.board(definition_of("tokens"), "model", WEEK)
        assert len(window_starts(board)) == 5  # there are no figures before 13 July
        cells = {row.key: row.cells[-1].series for row in leaders_table(board).rows}
        assert cells["stealth/ox-alpha@openrouter"] == (None, None, 0.05, 0.04, 0.03)
        assert cells["alibaba/qwen3-max"] == (0.08, 0.08, 0.14, 0.15, 0.12)

    def test_a_citation_carries_definition_scope_window_and_source(self, world: Known) -> None:
        row = market_view(world, MarketQuery(), SCENE).leaders.rows[0]
        for part in (
            *("DeepSeek", "350.00B", "25.0 %", "tokens · OpenRouter", "top 50"),
            *(
                "week 10–16 Aug 2026 UTC",
                "openrouter.ai/rankings",
                "2026-08-17T12:00Z",
                "CC BY 4.0",
            ),
        ):
            assert part in row.cite

    def test_other_windows_and_steps_back(self, world: Known) -> None:
        back = market_view(world, MarketQuery(steps_back=1), SCENE)
        assert back.headline.window == "week 3–9 Aug 2026 · complete"
        assert back.leaders.rows[0].key == "alibaba"
        assert back.steps == {"day": 7, "week": 1}  # to 9 Aug; no whole month is known
        assert market_view(world, MarketQuery(), SCENE).steps == {}
        day = market_view(world, MarketQuery(grain="day"), SCENE)
        assert day.headline.window == "day Sun 16 Aug 2026 · complete"
        with pytest.raises(NothingToShow, match="no complete month"):
            market_view(world, MarketQuery(grain="month", definition="tokens"), SCENE)


class TestPanels:
    def test_a_vendor_at_a_glance(self, world: Known) -> None:
        panels = market_view(world, MarketQuery(), SCENE).panels
        assert [panel.vendor for panel in panels] == [
            *("deepseek", "anthropic", "alibaba", "openai", "google", "zhipuai")
        ]
        qwen = panel_of(panels, "alibaba")
        assert (qwen.title, qwen.country, qwen.share) == ("3 Alibaba · Qwen", "CN", "15.0 %")
        assert (qwen.change, qwen.change_tone) == ("▼ -15.0 pp", "down")
        assert qwen.series == (0.12, 0.12, 0.2, 0.3, 0.15)
        assert "0–30 %" in qwen.scale
        assert [(line.name, line.text) for line in qwen.models] == [
            ("Qwen3 Max", "168.00B"),
            ("Qwen3 Coder 480B A35B (free)", "42.00B"),
        ]

    def test_prices_from_the_cheapest_to_the_dearest(self, world: Known) -> None:
        qwen = panel_of(market_view(world, MarketQuery(), SCENE).panels, "alibaba")

        def numbers(text: str) -> list[Decimal]:
            return [Decimal(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]

        # Route: Qwen3 Coder, Qwen3 Max; list: abroad, never the mainland price of 0.8/3.2.
        assert numbers(qwen.route) == [Decimal(text) for text in ("0.25", "1", "1", "4")]
        assert numbers(qwen.list) == [Decimal(text) for text in ("1.2", "6", "1.5", "7.5")]
        google = panel_of(market_view(world, MarketQuery(), SCENE).panels, "google")
        assert google.list == "list –"

    def test_only_the_panels_asked_for_in_their_order(self, world: Known) -> None:
        scene = replace(SCENE, panels=("openai", "nobody", "alibaba"))
        panels = market_view(world, MarketQuery(by="model"), scene).panels
        assert [panel.vendor for panel in panels] == ["openai", "alibaba"]


class TestPrices:
    def test_the_baseline_stands_first_and_the_others_follow_by_use(self, world: Known) -> None:
        table = market_view(world, MarketQuery(), SCENE).prices
        rows = [texts(table, row) for row in table.rows]
        assert [row["model"] for row in rows[:3]] == ["◆ Qwen3 Max"] * 3
        assert [row["basis"] for row in rows[:3]] == [
            *("route · ≤32k", "list · intl · ≤32k", "list · cn"),
        ]
        models = list(dict.fromkeys(row["model"] for row in rows))
        assert models[1:3] == ["DeepSeek V4 Flash 0423", "Claude Sonnet 4.6"]

    def test_amounts_and_ratios(self, world: Known) -> None:
        table = market_view(world, MarketQuery(), SCENE).prices
        claude = next(
            row for row in (texts(table, row) for row in table.rows) if "Claude" in row["model"]
        )
        assert [claude[key] for key in ("input", "output", "cached", "blended")] == [
            *("3.00", "15.00", "0.30", "3.20"),
        ]
        assert [claude[f"ratio_{key}"] for key in ("input", "output", "blended")] == [
            *("3.0×", "3.8×", "3.1×"),
        ]
        assert claude["changed"] == "–"

    def test_unknown_prices_are_dashes(self, world: Known) -> None:
        table = market_view(world, MarketQuery(), SCENE).prices
        cloaked = next(
            row for row in (texts(table, row) for row in table.rows) if "Ox" in row["model"]
        )
        unknown = {"vendor", "input", "output", "cached", "blended", "ratio_input", "changed"}
        assert {cloaked[key] for key in unknown} == {"–"}

    def test_keys_are_unique(self, world: Known) -> None:
        for vendor in ("alibaba", "anthropic", "zhipuai"):
            view = vendor_view(world, vendor, MarketQuery(), SCENE)
            for table in (view.prices, view.models):
                keys = [row.key for row in table.rows]
                assert len(keys) == len(set(keys)) > 0

    def test_the_caption_says_what_the_numbers_are(self, world: Known) -> None:
        caption = market_view(world, MarketQuery(), SCENE).prices.caption
        for part in ("USD", "route", "list", "80", "qwen3-max"):
            assert part in caption


class TestVendor:
    def test_its_models_prices_and_sources(self, world: Known) -> None:
        view = vendor_view(world, "alibaba", MarketQuery(), SCENE)
        assert [row.key for row in view.models.rows] == [
            "alibaba/qwen3-max",
            "alibaba/qwen3-coder-480b-a35b-instruct:free",
        ]
        names = {texts(view.prices, row)["model"] for row in view.prices.rows}
        assert {"◆ Qwen3 Max", "Qwen3.7 Plus"} <= names
        assert not any("Claude" in name for name in names)
        assert len(view.sources) == 3
        assert "openrouter.ai/rankings" in view.sources[0]

    def test_one_that_is_not_named_has_a_panel_of_dashes(self, world: Known) -> None:
        view = vendor_view(world, "mistral", MarketQuery(), SCENE)
        assert (view.panel.value, view.panel.share, view.panel.series) == ("–", "–", ())
        assert view.panel.country == "FR"
        assert view.models.rows == ()
        assert view.models.empty


class TestHeadline:
    def test_definition_total_and_countries(self, world: Known) -> None:
        headline = market_view(world, MarketQuery(), SCENE).headline
        assert headline.window == "week 10–16 Aug 2026 · complete"
        for part in ("1.40T", "+0.0 %", "CN 48.0 %", "US 42.0 %", "unattributed 10.0 %"):
            assert part in headline.summary
        assert "tokenizer" in headline.caveat
        assert "as of 2026-08-17T12:00Z" in headline.source
        assert headline.badge == "live"

    def test_the_badge_tells_offline_and_replayed(self, world: Known) -> None:
        scene = replace(SCENE, offline=True, replayed=True)
        headline = market_view(world, MarketQuery(), scene).headline
        assert headline.badge == "offline · replayed at 2026-08-17 12:00Z"

    def test_the_newest_notice_of_the_cache_comes_first(self, world: Known) -> None:
        scene = replace(SCENE, notices=("old", f"usage.parquet {HOSTILE}"))
        headline = market_view(world, MarketQuery(), scene).headline
        assert headline.health.startswith("usage.parquet")
        assert headline.health.isprintable()
        assert headline.health_tone == "bad"


def state_of(name: str, state: Any, error: str = "", hours: float | None = None) -> FeedState:
    feed = FEEDS[name]
    good = None if hours is None else FIXTURE_NOW - timedelta(hours=hours)
    settings = FeedSettings(feed, True, "", "", feed.floor)
    due = FIXTURE_NOW + timedelta(hours=1)
    holding = Holding(1234, FIXTURE_NOW - timedelta(days=1) if hours == 0.5 else None)
    return FeedState(settings, state, good, due, error, 56, 17, holding)


class TestFeeds:
    STATES = (
        state_of("openrouter-rankings", "no key"),
        state_of("vercel-leaderboard", "stale", hours=50),
        state_of("openrouter-models", "ok", hours=0.5),
        state_of("models-dev", "failing", f"boom {HOSTILE}", hours=3),
    )

    def test_health_of_every_feed(self) -> None:
        view = feeds_view(self.STATES, FIXTURE_NOW, [f"set aside {HOSTILE}"])
        rows = by_key(view.table)
        assert list(rows) == [state.settings.feed.name for state in self.STATES]
        models = rows["openrouter-models"]
        columns = ("state", "key", "last_good", "as_of", "age", "due", "left", "new", "rows")
        assert [models[key] for key in columns] == [
            *("ok", "not needed", "17 Aug 11:30Z", "16 Aug 12:00Z", "30 min", "17 Aug 13:00Z"),
            *("17 of 100", "56", "1,234"),
        ]
        keyless = rows["openrouter-rankings"]
        assert (keyless["last_good"], keyless["age"], keyless["due"]) == ("–", "–", "–")
        assert keyless["key"] == "missing"
        assert "OPENROUTER_API_KEY" in keyless["detail"]
        assert rows["models-dev"]["detail"].startswith("boom")
        details = {one.feed: "\n".join(one.lines) for one in view.details}
        assert list(details) == list(rows)
        assert "failing: boom" in details["models-dev"]
        assert "17 of 100 requests left today" in details["openrouter-models"]
        assert all("licence: " in text for text in details.values())
        assert all(text.isprintable() for text in shown(view))

    def test_an_unknown_date_is_a_dash_in_the_citation_too(self) -> None:
        cites = {row.key: row.cite for row in feeds_view(self.STATES, FIXTURE_NOW, []).table.rows}
        assert "as of –" in cites["openrouter-rankings"]
        assert "as of 2026-08-16 12:00Z" in cites["openrouter-models"]
        assert "as of 2026-08-17 09:00Z" in cites["models-dev"]

    def test_one_line_for_all(self) -> None:
        line, tone = health_line(self.STATES, FIXTURE_NOW)
        for part in ("1 feed ok", "1 feed stale", "2 d old", "1 feed failing", "next 13:00Z"):
            assert part in line
        assert "OPENROUTER_API_KEY" in line
        assert line.isprintable()
        assert tone == "warn"
        assert health_line([], FIXTURE_NOW) == ("", "dim")


class TestHostileNames:
    @pytest.fixture(scope="class")
    @staticmethod
    def hostile(tmp_path_factory: pytest.TempPathFactory) -> Known:
        days = [
            {"date": f"2026-08-{day}", "model_permaslug": slug, "total_tokens": tokens}
            for day in range(10, 17)
            for slug, tokens in ((f"qwen/{HOSTILE}", "60"), (f"{HOSTILE}/x:{HOSTILE}", "40"))
        ]
        listed = [
            {
                "id": model,
                "canonical_slug": model,
                "name": f"{HOSTILE}: {HOSTILE}",
                "pricing": {"prompt": "0.000001", "completion": "0.000002"},
            }
            for model in (f"qwen/{HOSTILE}", f"{HOSTILE}/x")
        ]
        own = {f"qwen-{HOSTILE}": {"name": HOSTILE, "cost": {"input": 1, "output": 2}}}
        return known_of(
            tmp_path_factory.mktemp("hostile"),
            {
                "openrouter-rankings": json.dumps({"data": days}).encode(),
                "openrouter-models": json.dumps({"data": listed}).encode(),
                "models-dev": json.dumps({"alibaba": {"models": own}}).encode(),
            },
        )

    @pytest.mark.parametrize("by", ["vendor", "model", "country"])
    def test_no_control_character_reaches_a_view(self, hostile: Known, by: str) -> None:
        query = MarketQuery(by=by, baseline=f"qwen/{HOSTILE}")
        views = (
            market_view(hostile, replace(query, baseline="alibaba/qwen3-max"), SCENE),
            vendor_view(hostile, "alibaba", replace(query, baseline="alibaba/qwen3-max"), SCENE),
        )
        found = [text for view in views for text in shown(view)]
        assert [text for text in found if not text.isprintable()] == []
        # Markup is not markup here: the brackets are letters of the name and stay.
        assert any("Red[bold]X[/bold]" in text for text in found)
