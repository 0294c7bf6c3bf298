"""Definitions whose figures have a span of their own: what counts, and that holes stay holes."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.feeds import huggingface, openrouter_apps, openrouter_sessions
from qwenwatch_cache.feeds.openrouter_models import parse as parse_models
from qwenwatch_cache.frames import CATALOG_TABLE, SESSION, USAGE, Table
from qwenwatch_cache.market.apps import APPS, apps
from qwenwatch_cache.market.definitions import STANDING
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.measured import COUNTRIES, LEADERS, Measured
from qwenwatch_cache.market.origins import Origin
from qwenwatch_cache.market.sessions import SESSIONS, sessions
from qwenwatch_cache.market.side_by_side import (
    DEFINITION_COUNTRIES,
    DEFINITION_LEADERS,
    DEFINITION_ROWS,
    SideBySide,
    side_by_side,
)
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.store import Store
from tests.feedserver import FIXTURE_NOW
from tests.feedserver.bodies import FIXTURES

NOW = FIXTURE_NOW  # 2026-08-17 12:00
TODAY = NOW.date()
PROPERTY = settings(
    deadline=None,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ORGS = {"Qwen": "alibaba", "deepseek-ai": "deepseek", "mistralai": "mistral", "meta-llama": "meta"}
ASKED = len(huggingface.plan(NOW, ()))  # one request per organisation
PLACES = {"alibaba": "CN", "deepseek": "CN", "mistral": "FR", "meta": "US"}


def figure(
    feed: str, kind: str, metric: str, entity: str, value: int | None, end: date, **more: Any
) -> dict[str, Any]:
    """A usage row of figures that end on a day, learned at noon of the day after it."""
    rolling = kind == "app" or metric == "downloads"
    when = datetime.combine(end, datetime.min.time(), UTC) + timedelta(hours=36)
    return {
        "feed": feed,
        "metric": metric,
        "kind": kind,
        "entity": entity,
        "grain": "rolling30" if rolling else "total",
        "period": end - timedelta(days=29) if rolling else end,
        "value": value,
        "share": None,
        "scope": "as stated",
        "as_of": when,
        "observed_at": when,
    } | more


def hub(metric: str, org: str, value: int | None, end: date, **more: Any) -> dict[str, Any]:
    return figure("huggingface", "org", metric, org, value, end, **more)


def app(metric: str, id_: str, value: int | None, end: date) -> dict[str, Any]:
    return figure("openrouter-apps", "app", metric, id_, value, end)


def known_of(folder: Path, rows: Sequence[Mapping[str, Any]], at: datetime = NOW) -> Known:
    """What a cache of these usage rows knows, with no baseline beneath it."""
    store = Store(folder / "cache", bundled=folder)
    store.add({"usage": pl.DataFrame(rows, schema=USAGE)}, max(at, NOW))
    return Known(store, at)


def leaders(side: SideBySide, key: str) -> list[tuple[Any, ...]]:
    rows = side.leaders.filter(pl.col("key") == key)
    return rows.select("id", "value", "share").rows()


def countries(side: SideBySide, key: str) -> dict[str, float]:
    rows = side.countries.filter(pl.col("key") == key)
    return dict(rows.select("country", "share").iter_rows())


def row_of(side: SideBySide, key: str) -> dict[str, Any]:
    (row,) = side.rows.filter(pl.col("key") == key).to_dicts()
    return row


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The hand-written bodies of three organisations, of the apps and of the sessions."""
    folder = tmp_path_factory.mktemp("world")
    store = Store(folder / "cache", bundled=folder)
    read = {
        path.stem: huggingface.parse(path.read_bytes(), NOW, path.stem)
        for path in sorted((FIXTURES / "huggingface").glob("*.json"))
    }
    body = (FIXTURES / "app-rankings.json").read_bytes()
    read["apps"] = openrouter_apps.parse(body, NOW, TODAY)
    read["sessions"] = openrouter_sessions.parse((FIXTURES / "session-cost.json").read_bytes(), NOW)
    read["models"] = parse_models((FIXTURES / "models.json").read_bytes(), NOW)
    for parsed in read.values():
        store.append(parsed.frames, NOW, whole=parsed.whole)
    return Known(store, NOW)


@pytest.fixture(scope="module")
def side(world: Known) -> SideBySide:
    return side_by_side(world, "week", None)


class TestFixtureWorld:
    def test_only_what_has_figures_stands_there(self, side: SideBySide) -> None:
        assert side.rows["key"].to_list() == [
            "tokens/openrouter-apps",
            "requests/openrouter-apps",
            "tokens_per_request/openrouter-apps",
            "session_cost/openrouter-sessions",
            "downloads/huggingface",
            "likes/huggingface",
            "open_models/huggingface",
            "derivatives/huggingface",
        ]
        assert side.missing == [
            "tokens · OpenRouter",
            "tokens, standard only · OpenRouter",
            "tokens · Vercel AI Gateway",
            "requests · Vercel AI Gateway",
            "spend · Vercel AI Gateway",
        ]
        assert side.window == Window(date(2026, 8, 10), "week")
        frames = (side.rows, side.countries, side.leaders, side.apps, side.sessions)
        schemas = (DEFINITION_ROWS, DEFINITION_COUNTRIES, DEFINITION_LEADERS, APPS, SESSIONS)
        assert all(frame.schema == one for frame, one in zip(frames, schemas, strict=True))

    @pytest.mark.parametrize("metric", ["downloads", "likes", "open_models", "derivatives"])
    def test_organisations_by_plain_python(self, side: SideBySide, metric: str) -> None:
        sums: dict[str, int] = {}
        vendors = {"Qwen": "alibaba", "deepseek-ai": "deepseek", "moonshotai": "moonshotai"}
        for org, vendor in vendors.items():
            text = (FIXTURES / "huggingface" / f"{org}.json").read_text(encoding="utf-8")
            models = json.loads(text)
            children = [
                sum(model["childrenModelCount"].values())
                for model in models
                if "childrenModelCount" in model
            ]
            if metric == "open_models":
                sums[vendor] = len(models)
            elif metric != "derivatives":
                sums[vendor] = sum(model[metric] for model in models)
            elif len(children) * 10 >= len(models) * 9:
                sums[vendor] = sum(children)
        if metric == "derivatives":
            assert "deepseek" not in sums  # one of its two models does not say
        total = sum(sums.values())
        order = sorted(sums, key=lambda vendor: (-sums[vendor], vendor))
        key = f"{metric}/huggingface"
        assert [found[:2] for found in leaders(side, key)] == [(one, sums[one]) for one in order]
        shares = [share for _, _, share in leaders(side, key)]
        assert shares == pytest.approx([sums[one] / total for one in order], abs=1e-9)
        assert countries(side, key) == {"CN": pytest.approx(1, abs=1e-8)}
        row = row_of(side, key)
        assert (
            f"{len(sums)} of {ASKED} organisations" in row["scope"]
            and "not of the whole Hub" in row["scope"]
        )
        assert row["as_of"] == NOW

    def test_each_says_of_which_days_it_is(self, side: SideBySide) -> None:
        days = {
            row["metric"]: (row["grain"], row["start"], row["end"]) for row in side.rows.to_dicts()
        }
        yesterday = date(2026, 8, 16)
        month = ("rolling30", date(2026, 7, 18), yesterday)
        assert days == {
            "tokens": month,
            "requests": month,
            "tokens_per_request": month,
            "session_cost": month,
            "downloads": month,
            "likes": ("total", TODAY, TODAY),
            "open_models": ("total", TODAY, TODAY),
            "derivatives": ("total", TODAY, TODAY),
        }

    def test_apps(self, side: SideBySide) -> None:
        assert side.apps.select("rank", "name", "tokens_per_request").rows() == [
            (1, "Code Crab", 100_000),
            (2, "Hermes Agent", 125_000),
            (3, "聊天 Chat", 40_000),
            (4, 'IDE "Quoted" [beta]', 100_000),
        ]
        assert leaders(side, "tokens/openrouter-apps")[0] == ("101", 2 * 10**12, None)
        assert leaders(side, "requests/openrouter-apps")[0] == ("101", 2 * 10**7, None)
        assert [one[0] for one in leaders(side, "tokens_per_request/openrouter-apps")] == [
            *("102", "101", "104"),  # 101 and 104 tie: by id
            "103",
        ]
        assert countries(side, "tokens/openrouter-apps") == {}

    def test_sessions(self, side: SideBySide) -> None:
        first, last = side.sessions.row(0, named=True), side.sessions.row(-1, named=True)
        assert (first["app_name"], first["turns"], first["median_usd"], first["vendor"]) == (
            "Code Crab",
            "50-plus-turns",
            12,
            "anthropic",
        )
        assert (last["model"], last["median_usd"]) == (
            "alibaba/qwen3-coder-480b-a35b-instruct:free",
            0,  # as it is stated
        )
        body = json.loads((FIXTURES / "session-cost.json").read_text(encoding="utf-8"))
        medians = sorted((row["median_session_cost_usd"] for row in body["data"]), reverse=True)
        assert [float(one) for one in side.sessions["median_usd"]] == pytest.approx(medians)
        row = row_of(side, "session_cost/openrouter-sessions")
        assert (row["leader_value"], row["unit"], row["kind"]) == (12, "USD", "session")
        assert row["leader"].endswith("/50-plus-turns") and row["leader_share"] is None

    def test_where_they_came_from(self, side: SideBySide) -> None:
        assert {(one.feed, one.status) for one in side.origins} == {
            ("huggingface", "live"),
            ("openrouter-apps", "live"),
            ("openrouter-sessions", "live"),
        }


class TestTheNewestOfATime:
    END = date(2026, 8, 10)

    def likes(self, known: Known, day: date | None = None) -> SideBySide:
        return side_by_side(known, "day", day)

    def test_a_vendor_of_several_organisations_is_one(self, tmp_path: Path) -> None:
        rows = [
            hub("likes", "meta-llama", 3, TODAY),
            hub("likes", "facebook", 2, TODAY),
            hub("likes", "Qwen", 4, TODAY),
            hub("likes", "nobody-knows", 1, TODAY),
        ]
        side = self.likes(known_of(tmp_path, rows, NOW + timedelta(days=1)))
        assert leaders(side, "likes/huggingface") == [("meta", 5, 0.5), ("alibaba", 4, 0.4)]
        assert countries(side, "likes/huggingface") == {"US": 0.5, "CN": 0.4, "unattributed": 0.1}

    def test_nothing_that_ended_after_the_day_asked_about(self, tmp_path: Path) -> None:
        rows = [hub("likes", "Qwen", 10 + n, self.END + timedelta(days=n)) for n in range(3)]
        known = known_of(tmp_path, rows)
        for number in range(3):
            side = self.likes(known, self.END + timedelta(days=number))
            assert leaders(side, "likes/huggingface") == [("alibaba", 10 + number, 1.0)]
        with pytest.raises(NothingToShow):
            self.likes(known, self.END - timedelta(days=1))

    def test_nothing_from_long_before_the_window(self, tmp_path: Path) -> None:
        known = known_of(tmp_path, [hub("likes", "Qwen", 5, self.END)])
        assert row_of(self.likes(known, self.END + timedelta(days=7)), "likes/huggingface")
        with pytest.raises(NothingToShow):
            self.likes(known, self.END + timedelta(days=8))

    def test_an_organisation_missed_for_some_days_counts_as_last_stated(
        self, tmp_path: Path
    ) -> None:
        rows = [
            hub("likes", "Qwen", 6, self.END),
            hub("likes", "deepseek-ai", 4, self.END - timedelta(days=7)),
            hub("likes", "mistralai", 90, self.END - timedelta(days=8)),
        ]
        side = self.likes(known_of(tmp_path, rows), self.END)
        assert leaders(side, "likes/huggingface") == [("alibaba", 6, 0.6), ("deepseek", 4, 0.4)]
        row = row_of(side, "likes/huggingface")
        assert (row["start"], row["end"]) == (self.END, self.END)
        assert f"2 of {ASKED} organisations (1 as stated up to 7 days earlier)" in row["scope"]
        assert "FR" not in countries(side, "likes/huggingface")  # unknown, not 0

    def test_an_app_that_fell_out_of_the_list_is_gone(self, tmp_path: Path) -> None:
        rows = [
            app("tokens", "1", 50, self.END - timedelta(days=1)),
            app("tokens", "2", 40, self.END - timedelta(days=1)),
            app("tokens", "2", 45, self.END),
        ]
        side = self.likes(known_of(tmp_path, rows), self.END)
        assert side.apps.select("id", "tokens", "requests", "tokens_per_request").rows() == [
            ("2", 45, None, None)
        ]
        assert side.rows["key"].to_list() == ["tokens/openrouter-apps"]

    def test_tokens_and_requests_of_different_days_are_never_divided(self, tmp_path: Path) -> None:
        rows = [app("tokens", "1", 50, self.END), app("requests", "1", 5, self.END - timedelta(1))]
        side = self.likes(known_of(tmp_path, rows), self.END)
        assert side.apps.select("tokens", "requests", "tokens_per_request").rows() == [
            (50, None, None)
        ]

    def test_a_restatement_counts_from_when_it_was_learned(self, tmp_path: Path) -> None:
        first = hub("likes", "Qwen", 6, self.END)
        later = first["observed_at"] + timedelta(days=1)
        known_of(tmp_path, [first, {**first, "value": 7, "observed_at": later}])
        store = Store(tmp_path / "cache", bundled=tmp_path)
        for at, likes in ((first["observed_at"], 6), (later, 7)):
            side = self.likes(Known(store, at), self.END)
            assert leaders(side, "likes/huggingface") == [("alibaba", likes, 1.0)]

    def test_of_nothing_at_all_nobody_has_a_share(self, tmp_path: Path) -> None:
        rows = [hub("likes", "Qwen", 0, self.END), hub("likes", "deepseek-ai", 0, self.END)]
        side = self.likes(known_of(tmp_path, rows), self.END)
        assert leaders(side, "likes/huggingface") == [("alibaba", 0, None), ("deepseek", 0, None)]
        assert countries(side, "likes/huggingface") == {"CN": None}


class TestSeam:
    def test_an_interval_stands_beside_the_others(self, world: Known) -> None:
        shares = {"share": [None], "share_low": [0.2], "share_high": [0.4]}
        who = {"rank": [1], "id": ["alibaba"], "name": ["Alibaba"], "country": ["CN"]}
        origin = Origin("spend", "p", NOW, None, "", "", "live")
        asked: list[Window] = []

        def further(window: Window) -> Sequence[Measured]:
            asked.append(window)
            return [
                Measured(
                    key="implied_spend/spend",
                    feed="spend",
                    label="implied spend",
                    unit="USD",
                    kind="vendor",
                    start=window.start,
                    end=window.end,
                    grain=window.grain,
                    complete=True,
                    scope="s",
                    caveat="c",
                    leaders=pl.DataFrame({**who, "value": [None], **shares}, schema=LEADERS),
                    countries=pl.DataFrame({"country": ["CN"], **shares}, schema=COUNTRIES),
                    origin=origin,
                )
            ]

        side = side_by_side(world, "week", None, further)
        assert asked == [Window(date(2026, 8, 10), "week")]
        row = row_of(side, "implied_spend/spend")
        assert [row[f"leader_{name}"] for name in shares] == [None, 0.2, 0.4]
        assert side.rows["key"][0] == "implied_spend/spend"  # before the standing ones
        assert side.origins[0] == origin


class TestReading:
    def test_a_leaderboard_reads_none_of_it(
        self, world: Known, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read: list[tuple[str, tuple[str, ...]]] = []
        cached = Store.cached

        def noted(store: Store, table: Table, **more: Any) -> pl.DataFrame:
            read.append((table.name, tuple(more.get("feeds") or ("all",))))
            return cached(store, table, **more)

        monkeypatch.setattr(Store, "cached", noted)
        known = Known(Store(world._store.root, bundled=world._store.root.parent), NOW)
        with pytest.raises(NothingToShow):
            known.choose_definition("week")
        assert known.usage.is_empty()
        usage = {feeds for table, feeds in read if table == "usage"}
        assert usage == {
            ("openrouter-rankings",),
            ("openrouter-rankings-page",),
            ("vercel-leaderboard",),
        }
        side_by_side(known, "week", None)
        # And the others once each, however many definitions they answer.
        again = [feeds for table, feeds in read if table == "usage" and feeds not in usage]
        assert sorted(again) == [("huggingface",), ("openrouter-apps",)]


AMOUNTS = st.none() | st.integers(0, 10**12)


@PROPERTY
@given(stated=st.dictionaries(st.sampled_from("abcdef"), st.tuples(AMOUNTS, AMOUNTS)))
def test_apps_with_holes(stated: dict[str, tuple[int | None, int | None]]) -> None:
    def side(number: int) -> pl.DataFrame:
        rows = [(id_, both[number]) for id_, both in stated.items() if both[number] is not None]
        return pl.DataFrame(rows, {"entity": pl.String(), "value": pl.Int64()}, orient="row")

    rows = apps(side(0), side(1), str.upper).to_dicts()
    some = {id_: both for id_, both in stated.items() if both != (None, None)}
    assert {row["id"]: (row["tokens"], row["requests"]) for row in rows} == some
    for row in rows:
        tokens, requests, each = row["tokens"], row["requests"], row["tokens_per_request"]
        if tokens is None or not requests:
            assert each is None
        else:
            assert abs(Fraction(each) - Fraction(tokens, requests)) <= Fraction(1, 10**12)
        assert (row["rank"] is None) == (tokens is None)
        assert row["name"] == row["id"].upper()
    known = [row["tokens"] for row in rows if row["tokens"] is not None]
    assert known == sorted(known, reverse=True)
    assert [row["tokens"] for row in rows[len(known) :]] == [None] * (len(rows) - len(known))


@PROPERTY
@given(
    likes=st.dictionaries(st.sampled_from(sorted(ORGS)), st.none() | st.integers(0, 10**6)),
    data=st.data(),
)
def test_organisations_with_holes(
    tmp_path_factory: pytest.TempPathFactory, likes: dict[str, int | None], data: st.DataObject
) -> None:
    end = date(2026, 8, 10)
    ages = {org: data.draw(st.integers(0, 12)) for org in likes}
    rows = [hub("likes", org, value, end - timedelta(ages[org])) for org, value in likes.items()]
    known = known_of(tmp_path_factory.mktemp("holes"), rows)
    stated = {org: value for org, value in likes.items() if value is not None}
    stated = {org: value for org, value in stated.items() if ages[org] <= 7}
    newest = min((ages[org] for org in stated), default=0)
    stated = {org: value for org, value in stated.items() if ages[org] <= newest + 7}
    if not stated:
        with pytest.raises(NothingToShow):
            side_by_side(known, "day", end)
        return
    side = side_by_side(known, "day", end)
    assert side.rows["key"].to_list() == ["likes/huggingface"]
    found = {id_: value for id_, value, _ in leaders(side, "likes/huggingface")}
    assert found == {ORGS[org]: value for org, value in stated.items()}
    here = countries(side, "likes/huggingface")
    assert set(here) == {PLACES[ORGS[org]] for org in stated}
    total = sum(stated.values())
    for place, share in here.items():
        its = sum(value for org, value in stated.items() if PLACES[ORGS[org]] == place)
        assert share == (pytest.approx(its / total, abs=1e-8) if total else None)


@PROPERTY
@given(
    medians=st.lists(
        st.decimals(0, 1000, places=6, allow_nan=False, allow_infinity=False), max_size=6
    )
)
def test_sessions_are_all_there_dearest_first(medians: list[Decimal]) -> None:
    rows = [
        {
            "app": f"app-{number}",
            "app_name": "",
            "turns": "1-turn",
            "model": "who/knows",
            "median_usd": median,
        }
        for number, median in enumerate(medians)
    ]
    frame = pl.DataFrame([dict.fromkeys(SESSION) | row for row in rows], schema=SESSION)
    found = sessions(frame, Directory(CATALOG_TABLE.empty()))
    assert found["median_usd"].to_list() == sorted(medians, reverse=True)
    assert found["rank"].to_list() == list(range(1, len(medians) + 1))
    assert set(found["vendor"]) <= {None}
    assert found["app_name"].to_list() == found["app"].to_list()  # nothing else is known


def test_standing_definitions_say_what_they_are_not() -> None:
    for key, standing in STANDING.items():
        assert key == f"{standing.metric}/{standing.feed}"
        assert standing.caveat and standing.label and standing.page.startswith("https://")
