"""Every kind of row on the screens claims what is true when it is checked with the same data."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tomli_w

from qwenwatch.config import Config
from qwenwatch.pages import answer_tables
from qwenwatch.remembering import claim_of
from qwenwatch.session import Session
from qwenwatch_cache.claims.reading import read_claims
from qwenwatch_cache.feeds import openrouter_endpoints
from qwenwatch_cache.frames import FETCH
from qwenwatch_cache.market.check import check
from qwenwatch_cache.market.evidence import Evidence
from qwenwatch_cache.market.hosts import hosts_of
from qwenwatch_widgets.views.build import market_view, vendor_view
from qwenwatch_widgets.views.claim_draft import NOBODY, Claimable
from qwenwatch_widgets.views.drafts import (
    ALREADY,
    COMES_AND_GOES,
    HOURS,
    IN_PART,
    NO_INDEX,
    NO_USER,
    NOT_MOVED,
    UNKNOWN,
)
from qwenwatch_widgets.views.hosts import hosts_view
from qwenwatch_widgets.views.query import MarketQuery, PriceWish, TablesQuery
from qwenwatch_widgets.views.table import TableView
from tests.feedserver.bodies import FIXTURES

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
"""The end of the bundled figures."""

JULY, MARCH = datetime(2026, 7, 10, 12, tzinfo=UTC), datetime(2026, 3, 20, 12, tzinfo=UTC)
"""Played times, of which prices are known."""

GRAINS = ("day", "week", "month")
COMPARED = ("alibaba/qwen3-max", "deepseek/deepseek-v3.2", "anthropic/claude-sonnet-5")
"""Of the second some feeds have no price, so that the first stands alone in their lines."""
TIERED = ("alibaba/qwen3-max", "google/gemini-2.5-pro")
"""Their long prompts begin at 128k and at 200k tokens."""


class Checker:
    """A session at a time, and the verdicts on what rows claim there."""

    def __init__(self, folder: Path, now: datetime) -> None:
        config = Config(folder / "etc/config.toml", cache_dir=folder / "cache")
        self.session = Session.open(config, lambda: now, offline=True)
        self.known = self.session.known()
        self.evidence = Evidence(self.known)
        self._verdicts: dict[str, tuple[str, str]] = {}

    def verdict(self, draft: Mapping[str, str]) -> tuple[str, str]:
        """The verdict on a draft, and what was claimed and found."""
        key = json.dumps(dict(draft), sort_keys=True)
        if key not in self._verdicts:
            told = claim_of(draft, self.session)
            (claim,) = read_claims(tomli_w.dumps({"claim": [told]}), "a row")
            found = check(self.known, claim, self.evidence)
            text = f"{claim.says}: {found.verdict}, {found.found} ({found.reason})"
            self._verdicts[key] = found.verdict, text
        return self._verdicts[key]

    def bears_out(self, claims: Sequence[Claimable]) -> list[str]:
        """Check drafts, all of which must be reproduced; gives why the other rows claim nothing."""
        drafts = [claim for claim in claims if not isinstance(claim, str)]
        judged = [self.verdict(draft) for draft in drafts]
        assert [text for verdict, text in judged if verdict != "reproduced"] == []
        reasons = [claim for claim in claims if isinstance(claim, str)]
        assert all(reasons)
        return reasons

    def market(self, **wished: Any) -> Any:
        return market_view(self.known, MarketQuery(**wished), self.session.scene())

    def tables(self, question: str, *asked: Any, **wished: Any) -> dict[str, list[Claimable]]:
        """What the rows of the tables of a question claim, by the first words of their titles."""
        view = answer_tables(self.session, TablesQuery(question, *asked, **wished))
        return {table.title.partition(" · ")[0]: claims_of(table) for table in view.tables}


@pytest.fixture(scope="module")
def checkers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[datetime, Checker]:
    return {now: Checker(tmp_path_factory.mktemp("rows"), now) for now in (NOW, JULY, MARCH)}


@pytest.fixture
def now(checkers: Mapping[datetime, Checker]) -> Checker:
    return checkers[NOW]


def claims_of(table: TableView) -> list[Claimable]:
    return [row.claim for row in table.rows]


def some(claims: Sequence[Claimable], count: int = 3) -> list[Claimable]:
    """So many of them, the first and the last included, and all reasons."""
    drafts = [claim for claim in claims if not isinstance(claim, str)]
    step = max(1, (len(drafts) - 1) // max(1, count - 1))
    picked = [*drafts[::step], *drafts[-1:]]
    return [*picked, *(claim for claim in claims if isinstance(claim, str))]


TIMES = [
    pytest.param(NOW, id="now"),
    pytest.param(JULY, id="July"),
    pytest.param(MARCH, id="March"),
]


@pytest.mark.parametrize("by", ["vendor", "model", "country"])
@pytest.mark.parametrize("grain", GRAINS)
def test_leaderboards(now: Checker, grain: str, by: str) -> None:
    for definition in now.known.definitions():
        view = now.market(definition=definition.key, grain=grain, by=by)
        assert now.bears_out(some(claims_of(view.leaders))) == [NOBODY] * (
            sum(row.pinned for row in view.leaders.rows)
        )


@pytest.mark.parametrize("by", ["vendor", "model", "country"])
def test_leaderboards_of_the_past(now: Checker, by: str) -> None:
    """Up to May the figures are of weeks, and name nine models and some vendors."""
    for steps in (1, 13, 30):
        now.bears_out(some(claims_of(now.market(by=by, steps_back=steps).leaders), 5))


def test_a_variant_is_told_from_the_model(now: Checker) -> None:
    view = now.market(by="model", grain="month")
    own = {claim["model"]: claim for row in view.leaders.rows if (claim := row.claim) != NOBODY}
    assert own["tencent/hy3:free"]["value"] != own["tencent/hy3:standard"]["value"]
    assert now.bears_out([own["tencent/hy3:free"], own["tencent/hy3:standard"]]) == []


def test_panels_claim_what_the_rows_of_vendors_do(now: Checker) -> None:
    rows = {row.key: row.claim for row in now.market().leaders.rows}
    panels = now.market(by="model").panels
    assert panels and [panel.claim for panel in panels] == [rows[one.vendor] for one in panels]


def test_prices_of_the_market(now: Checker) -> None:
    for steps in (0, 1, 4, 30):
        view = now.market(steps_back=steps)
        reasons = now.bears_out(claims_of(view.prices))
        assert set(reasons) <= {UNKNOWN}
        assert len(reasons) * 10 < len(view.prices.rows)


@pytest.mark.parametrize("vendor", ["alibaba", "deepseek", "nobody"])
def test_a_vendor(now: Checker, vendor: str) -> None:
    view = vendor_view(now.known, vendor, MarketQuery(), now.session.scene())
    assert now.bears_out([view.panel.claim]) == ([NOBODY] if vendor == "nobody" else [])
    now.bears_out([*claims_of(view.models), *claims_of(view.prices)])
    [changes] = now.tables("vendor", subject=vendor).values()
    reasons = now.bears_out(changes)
    assert set(reasons) <= {COMES_AND_GOES, NOT_MOVED}


@pytest.mark.parametrize("moment", TIMES)
@pytest.mark.parametrize(
    ("grain", "back", "wish"),
    [
        ("week", 0, PriceWish()),
        ("week", 4, PriceWish()),
        ("day", 3, PriceWish(basis="route", prompt_tokens=200_000)),
        ("month", 1, PriceWish(basis="list", currency="CNY", prompt_tokens=40_000)),
    ],
    ids=["now", "four weeks ago", "long prompts", "lists in yuan"],
)
def test_prices_on_any_terms(
    checkers: Mapping[datetime, Checker],
    moment: datetime,
    grain: str,
    back: int,
    wish: PriceWish,
) -> None:
    for claims in checkers[moment].tables("prices", grain, back, prices=wish).values():
        reasons = checkers[moment].bears_out(claims)
        assert len(reasons) * 20 < len(claims) or not claims


def test_an_index_is_no_price(now: Checker) -> None:
    [claims] = now.tables("index").values()
    assert set(claims) == {NO_INDEX}


def test_models_side_by_side(now: Checker) -> None:
    for back in (0, 4):
        [claims] = now.tables("compare", "week", back, models=COMPARED).values()
        drafts = [claim for claim in claims if not isinstance(claim, str)]
        assert {draft["measure"] for draft in drafts} == {"price", "price_ratio"}
        assert {draft["field"] for draft in drafts} == {"input", "output"}
        now.bears_out(claims)


@pytest.mark.parametrize("models", [TIERED, TIERED[::-1]], ids=" ".join)
def test_models_whose_tiers_begin_at_different_lengths(
    now: Checker, models: tuple[str, str]
) -> None:
    wish = PriceWish(prompt_tokens=300_000)
    [claims] = now.tables("compare", models=models, prices=wish).values()
    ratios = [one for one in claims if not isinstance(one, str) and "to" in one]
    assert "200001" in {ratio.get("prompts") for ratio in ratios}
    now.bears_out(claims)


@pytest.mark.parametrize(
    ("grain", "back"), [("day", 0), ("day", 3), ("week", 0), ("week", 13), ("month", 0)]
)
def test_definitions(now: Checker, grain: str, back: int) -> None:
    tables = now.tables("definitions", grain, back)
    assert {"Definitions", "Leaders", "Implied spend"} <= tables.keys()
    for name, claims in tables.items():
        reasons = now.bears_out(some(claims, 4))
        assert set(reasons) <= {NOBODY, NO_USER, UNKNOWN, IN_PART}
        assert len(reasons) < len(claims) or name in {"Apps", "Sessions"}


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("moment", TIMES)
def test_changes(checkers: Mapping[datetime, Checker], moment: datetime, grain: str) -> None:
    for back in (0, 2):
        view = answer_tables(checkers[moment].session, TablesQuery("changes", grain, back))
        for table in view.tables:
            claims = claims_of(table)
            if table.title.startswith("Movers"):
                claims = some(claims, 4)
            reasons = checkers[moment].bears_out(claims)
            if table.title.startswith("Models "):
                assert set(reasons) <= {COMES_AND_GOES}
            if table.title.startswith("Prices · not alarmed"):
                assert len(reasons) == len(claims)


@pytest.mark.parametrize(
    "model", ["alibaba/qwen3.5-plus", "deepseek/deepseek-v4-flash", "openai/gpt-5"]
)
def test_a_model(now: Checker, model: str) -> None:
    for claims in now.tables("model", subject=model).values():
        now.bears_out(claims)


def test_hosts(tmp_path: Path) -> None:
    store = Checker(tmp_path, NOW).session.store
    body = (FIXTURES / "endpoints-qwen__qwen3-max.json").read_bytes()
    times = NOW - timedelta(days=9), NOW - timedelta(hours=1)
    for when, text in zip(times, (body.replace(b"0.0000012", b"0.0000015"), body), strict=True):
        answer = openrouter_endpoints.parse(text, when, "qwen/qwen3-max")
        store.append(answer.frames, when, whole=answer.whole)
        path = openrouter_endpoints.on_demand("qwen/qwen3-max").path
        asked = {"feed": openrouter_endpoints.NAME, "url": f"https://x{path}", "started": when}
        store.log(pl.DataFrame([dict.fromkeys(FETCH) | asked], schema=FETCH), when)
    checker = Checker(tmp_path, NOW)
    found = hosts_of(checker.known, checker.session.store, "qwen3-max")
    view = hosts_view(found, NOW, licence="", citation="{as_of}", offline=True)
    claims = claims_of(view.table)
    drafts = [claim for claim in claims if not isinstance(claim, str)]
    hosts = [row.key for row in view.table.rows if row.claim != HOURS]
    assert len(hosts) == 3 and [draft["host"] for draft in drafts] == hosts
    assert {draft["window"] for draft in drafts} == {"2026-08-22"}
    assert checker.bears_out(claims) == [HOURS]  # one charges by the time of day
    before = {**drafts[0], "value": "$77"}
    assert checker.verdict(before)[0] == "not reproduced"


def test_claims_are_none_twice(now: Checker) -> None:
    for claims in now.tables("claims").values():
        assert set(claims) == {ALREADY}
    for claims in now.tables("claim", subject="week-cn-share").values():
        assert set(claims) == {ALREADY}


def test_a_wrong_figure_would_be_found_out(now: Checker) -> None:
    """The verdicts above mean something: the same rows with another value are not borne out."""
    share, price = now.market().leaders.rows[0].claim, now.market().prices.rows[0].claim
    assert not isinstance(share, str) and not isinstance(price, str)
    assert now.verdict({**share, "value": "99.9 %"})[0] != "reproduced"
    assert now.verdict({**price, "value": "$77"})[0] != "reproduced"
