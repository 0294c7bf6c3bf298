"""Views as JSON and back, on the real figures of the bundled baseline."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.health import FeedState, Holding
from qwenwatch_cache.market.definitions import DEFINITIONS
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.schedule import FeedSettings
from qwenwatch_cache.store import Store
from qwenwatch_widgets.views.build import market_view, vendor_view
from qwenwatch_widgets.views.claim_draft import Claimable
from qwenwatch_widgets.views.codec import from_plain, to_plain
from qwenwatch_widgets.views.feeds import FeedsView, feeds_view
from qwenwatch_widgets.views.market import MarketView, VendorView
from qwenwatch_widgets.views.query import MarketQuery
from qwenwatch_widgets.views.scene import Scene
from qwenwatch_widgets.views.table import Cell, Row, TableView

NOW = datetime(2026, 8, 22, 12, 30, tzinfo=UTC)


def state_of(name: str) -> FeedState:
    settings = FeedSettings(FEEDS[name], True, "", "", FEEDS[name].floor)
    return FeedState(settings, "ok", NOW, None, "", 1, 20, Holding(3, NOW))


SCENE = Scene(now=NOW, feeds=[state_of(name) for name in FEEDS], mix=Mix())


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return Known(Store(tmp_path_factory.mktemp("codec") / "cache"), NOW)


@pytest.mark.parametrize("by", ["vendor", "model", "country"])
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_the_market_view_comes_back_as_it_was(known: Known, definition: str, by: str) -> None:
    view = market_view(known, MarketQuery(definition=definition, by=by), SCENE)
    assert view.leaders.rows and view.panels and view.prices.rows
    assert from_plain(MarketView, json.loads(json.dumps(to_plain(view)))) == view


@pytest.mark.parametrize("vendor", ["alibaba", "anthropic", "01-ai", "no-such-vendor"])
def test_a_vendor_view_comes_back_as_it_was(known: Known, vendor: str) -> None:
    view = vendor_view(known, vendor, MarketQuery(), SCENE)
    assert from_plain(VendorView, json.loads(json.dumps(to_plain(view)))) == view


def test_the_feeds_view_comes_back_as_it_was() -> None:
    view = feeds_view(SCENE.feeds, NOW, ["set aside: é–×"])
    assert len(view.table.rows) == len(FEEDS)
    assert from_plain(FeedsView, json.loads(json.dumps(to_plain(view)))) == view


@pytest.mark.parametrize(
    "cell",
    [
        Cell(),
        Cell("–", sort=None),
        Cell("3.0×", "accent", 3.0),
        Cell("7", sort=7),
        Cell("Qwen", sort="qwen"),
        Cell(series=(None, 0.5, None)),
        Cell(series=()),
    ],
)
def test_cells_keep_their_kind(cell: Cell) -> None:
    back = from_plain(Cell, json.loads(json.dumps(to_plain(cell))))
    assert back == cell
    assert type(back.sort) is type(cell.sort) and type(back.series) is type(cell.series)


@pytest.mark.parametrize("claim", [{"measure": "share", "vendor": "xai"}, "nobody's", ""])
def test_a_claim_or_why_there_is_none_comes_back(claim: Claimable) -> None:
    row = Row("xai", (Cell("xAI"),), claim=claim)
    assert from_plain(Row, json.loads(json.dumps(to_plain(row)))) == row


@pytest.mark.parametrize("claim", [{"measure": 3}, {"scope": {}}, ["share"], 1, None])
def test_a_claim_holds_texts_only(claim: Any) -> None:
    with pytest.raises(ValueError, match="this is no Row"):
        from_plain(Row, {"key": "xai", "cells": [], "claim": claim})


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        "text",
        3,
        {},
        {"title": "a"},
        {"title": "a", "caption": "b", "columns": 3, "rows": []},
        {"title": "a", "caption": "b", "columns": [], "rows": [{"key": "k"}]},
        {"title": "a", "caption": "b", "columns": [], "rows": [], "of_an_older_program": 1},
    ],
)
def test_what_is_no_such_view_is_refused(plain: Any) -> None:
    with pytest.raises(ValueError, match="this is no TableView"):
        from_plain(TableView, plain)
