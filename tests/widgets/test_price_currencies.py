"""Prices in several currencies and from cross-check feeds, as people and programs see them."""

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from qwenwatch.printers.data import print_csv
from qwenwatch.printers.tables import page
from qwenwatch.printers.text import print_markdown, print_text
from qwenwatch_cache.feeds import models_dev, openrouter_models, openrouter_rankings
from qwenwatch_cache.frames import CATALOG_TABLE, PRICE, PRICE_FIELDS
from qwenwatch_cache.identity import Identity
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.store import Store
from qwenwatch_cache.vendors import load_vendors
from qwenwatch_widgets.views.build import market_view, vendor_view
from qwenwatch_widgets.views.query import MarketQuery
from qwenwatch_widgets.views.scene import Scene
from qwenwatch_widgets.views.snapshot import Ask, Snapshot, take_snapshot
from qwenwatch_widgets.views.snapshot_document import document
from qwenwatch_widgets.views.table import TableView
from tests.feedserver import FIXTURE_NOW
from tests.feedserver.bodies import FIXTURES

QWEN, GLM = "alibaba/qwen3-max", "zhipuai/glm-5.2"
SCENE = Scene(now=FIXTURE_NOW, feeds=(), mix=Mix())
ASK = Ask(
    date=None,
    sections=("prices",),
    groups=(),
    metric="",
    grain="week",
    baseline=QWEN,
    mix=Mix(),
)
IDS = Identity(
    [
        (QWEN, "openrouter-models", "qwen/qwen3-max"),
        (QWEN, "models-dev", "alibaba/qwen3-max"),
        (QWEN, "litellm", "dashscope/qwen3-max"),
        (QWEN, "alibaba-list", "qwen3-max"),
        (GLM, "openrouter-models", "z-ai/glm-5.2"),
        (GLM, "alibaba-list", "glm-5.2"),
        ("alibaba/qwen-new", "litellm", "dashscope/qwen-new"),
    ]
)


def stated(feed: str, model: str, given: str, taken: str, **more: Any) -> Mapping[str, Any]:
    """A list price as a feed states it."""
    return {
        **{"feed": feed, "basis": "list", "provider": "alibaba", "region": "intl", "model": model},
        **{"variant": "", "tier_from": 0, "window_utc": "", "currency": "USD"},
        **dict.fromkeys(PRICE_FIELDS),
        **{"input": Decimal(given), "output": Decimal(taken)},
        **{"listed": True, "observed_at": FIXTURE_NOW},
        **more,
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The fixture world with a price in yuan and with LiteLLM's prices beside the others'."""
    folder = tmp_path_factory.mktemp("currencies")
    store = Store(folder / "cache", bundled=folder)
    for parse, name in (
        (openrouter_rankings.parse, "rankings-daily.json"),
        (openrouter_models.parse, "models.json"),
        (models_dev.parse, "models-dev.json"),
    ):
        store.append(parse((FIXTURES / name).read_bytes(), FIXTURE_NOW).frames, FIXTURE_NOW)
    yuan = {"region": "cn", "currency": "CNY"}
    rows = [
        stated("litellm", "dashscope/qwen3-max", "1.3", "6.5"),
        stated("litellm", "dashscope/qwen-new", "0.7", "2.1"),
        stated("alibaba-list", "qwen3-max", "9", "54", **yuan),
        stated("alibaba-list", "glm-5.2", "4.5", "18", **yuan),
    ]
    for row in rows:
        store.append({"price": pl.DataFrame([row], schema=PRICE)}, FIXTURE_NOW, whole=frozenset())
    known = Known(store, FIXTURE_NOW)
    known.directory = Directory(store.read(CATALOG_TABLE), IDS)
    return known


@pytest.fixture(scope="module")
def snapshot(world: Known) -> Snapshot:
    return take_snapshot(world, ASK)


def rows_of(table: TableView, model: str = "") -> list[dict[str, str]]:
    """The texts of a table by column, of one model if it is given."""
    titles = [column.key for column in table.columns]
    return [
        dict(zip(titles, (cell.text.strip() for cell in row.cells), strict=True))
        for row in table.rows
        if not model or row.key.startswith(f"{model} ")
    ]


def all_prices(snapshot: Snapshot) -> TableView:
    (table,) = page(snapshot, load_vendors(), 0, offline=False, health="").tables
    return table


def test_another_currency_stands_before_the_amount(snapshot: Snapshot) -> None:
    (qwen,) = (row for row in rows_of(all_prices(snapshot)) if row["input"] == "¥9.00")
    assert (qwen["output"], qwen["basis"]) == ("¥54.00", "list · cn")
    # 0.80 × 9 + 0.05 × 54 + 0.15 × 9, in yuan as well.
    assert qwen["blended"] == "¥11.25"
    assert "USD, ¥ CNY" in all_prices(snapshot).caption


def test_dollars_alone_are_called_so(snapshot: Snapshot, world: Known) -> None:
    table = market_view(world, MarketQuery(baseline=QWEN), SCENE).prices
    assert any("¥" in row["input"] for row in rows_of(table))
    own = take_snapshot(world, Ask(**{**vars_of(ASK), "models": ("alibaba/qwen-new",)}))
    assert own.prices is not None
    dollars = own.prices.filter(pl.col("currency") == "USD")
    table = all_prices(Snapshot(**{**vars_of(own), "prices": dollars}))
    assert table.caption.startswith("USD · ")


def vars_of(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def test_yuan_are_compared_with_yuan_only(snapshot: Snapshot) -> None:
    rows = [row for row in rows_of(all_prices(snapshot)) if row["input"].startswith("¥")]
    ratios = {row["input"]: (row["ratio_input"], row["ratio_output"]) for row in rows}
    assert ratios == {"¥9.00": ("1.0×", "1.0×"), "¥4.50": ("0.50×", "0.33×")}


def test_yuan_have_no_place_in_an_order_of_dollars(snapshot: Snapshot) -> None:
    table = all_prices(snapshot)
    at = [column.key for column in table.columns].index("input")
    for row in table.rows:
        if row.cells[at].text.startswith("¥"):
            assert [cell.sort for cell in row.cells[at : at + 4]] == [None] * 4


def test_markdown_and_text_show_the_sign(snapshot: Snapshot) -> None:
    laid_out = page(snapshot, load_vendors(), 0, offline=False, health="")
    for printed in (print_markdown(laid_out), print_text(laid_out, colour=False)):
        assert "¥9.00" in printed and "USD, ¥ CNY" in printed


def test_programs_get_the_currency_of_every_row(snapshot: Snapshot) -> None:
    rows = document(snapshot)["prices"]["rows"]
    told = {(row["feed"], row["currency"], row["input"]) for row in rows if row["model"] == QWEN}
    assert ("alibaba-list", "CNY", 9) in told and ("litellm", "USD", 1.3) in told
    lines = [
        line
        for line in csv.DictReader(io.StringIO(print_csv(snapshot)))
        if line["feed"] == "alibaba-list"
    ]
    assert {(line["currency"], line["input"]) for line in lines} == {("CNY", "9"), ("CNY", "4.5")}


def test_screens_show_a_cross_check_only_where_nothing_else_is_listed(world: Known) -> None:
    query = MarketQuery(baseline=QWEN)
    for table in (
        market_view(world, query, SCENE).prices,
        vendor_view(world, "alibaba", query, SCENE).prices,
    ):
        listed = [row["input"] for row in rows_of(table, QWEN)]
        assert "1.30" not in listed and {"1.20", "¥9.00"} <= set(listed)
    own = rows_of(vendor_view(world, "alibaba", query, SCENE).prices)
    assert [row["basis"] for row in own if row["input"] == "0.70"] == ["list · intl · LiteLLM"]


def test_the_whole_list_names_who_says_it(snapshot: Snapshot) -> None:
    (check,) = (row for row in rows_of(all_prices(snapshot), QWEN) if row["input"] == "1.30")
    assert check["basis"].startswith("list · intl · ")
    assert check["basis"].casefold().endswith("litellm")
    assert check["ratio_input"] == "1.1×"  # to 1.2, not to itself


def test_keys_are_unique_with_several_feeds(snapshot: Snapshot) -> None:
    keys = [row.key for row in all_prices(snapshot).rows]
    assert len(keys) == len(set(keys))


def test_panels_are_in_dollars(world: Known) -> None:
    view = vendor_view(world, "alibaba", MarketQuery(baseline=QWEN), SCENE)
    assert "9" not in view.panel.list and "54" not in view.panel.list
