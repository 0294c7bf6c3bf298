"""Since when a price stands: whoever read it first, and however often it was stated since."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.feeds.price_row import price_row
from qwenwatch_cache.frames import FETCH, PRICE, conform
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.offers import offers
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.store import Store
from tests.feedserver import FIXTURE_NOW

DAY = timedelta(days=1)
FEED = "openrouter-models"
FIRST = FIXTURE_NOW - 100 * DAY


def stated(when: datetime, listed: bool = True, /, **prices: str) -> dict[str, Any]:
    """What OpenRouter states of a model: 1 in, 4 out, or what is given."""
    amounts = {name: Decimal(price) for name, price in {"input": "1", "output": "4"}.items()}
    amounts |= {name: Decimal(price) for name, price in prices.items()}
    row = price_row(FEED, "lab/model", amounts, when, basis="route", provider="openrouter")
    return row | {"listed": listed}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return conform(pl.DataFrame(list(rows), schema=PRICE), PRICE)


def since(tmp_path: Path, *bundled: dict[str, Any], own: dict[str, Any]) -> datetime:
    """Since when the price stands, in the table of prices and to whoever compares offers."""
    frame(*bundled).write_parquet(tmp_path / "price.parquet")
    store = Store(tmp_path / "cache", bundled=tmp_path)
    store.append({"price": frame(own)}, FIXTURE_NOW)
    request = {**dict.fromkeys(FETCH), "feed": FEED, "url": f"https://{FEED}"}
    log = pl.DataFrame([request | {"started": FIXTURE_NOW}], schema=FETCH)
    store.log(log, FIXTURE_NOW)
    known = Known(store, FIXTURE_NOW)
    table = known.prices(FIXTURE_NOW, "lab/model", Mix())
    ((shown,), (compared,)) = (
        rows.get_column("observed_at").to_list() for rows in (table, offers(known, FIXTURE_NOW))
    )
    assert isinstance(shown, datetime) and shown == compared
    return shown


def test_the_first_reading_of_an_own_cache_changes_nothing(tmp_path: Path) -> None:
    assert since(tmp_path, stated(FIRST), own=stated(FIXTURE_NOW)) == FIRST


def test_another_amount_than_those_shown_changes_nothing(tmp_path: Path) -> None:
    written = stated(FIRST + DAY, cache_write="2")
    assert since(tmp_path, stated(FIRST), written, own=stated(FIXTURE_NOW)) == FIRST


@pytest.mark.parametrize("name", ["input", "output", "cache_read"])
def test_a_price_that_changed_stands_since_then(tmp_path: Path, name: str) -> None:
    assert since(tmp_path, stated(FIRST), own=stated(FIXTURE_NOW, **{name: "0.5"})) == FIXTURE_NOW


def test_a_price_that_is_what_it_once_was_stands_since_it_is_again(tmp_path: Path) -> None:
    other = stated(FIRST + DAY, input="2")
    back = stated(FIRST + 2 * DAY)
    assert since(tmp_path, stated(FIRST), other, back, own=stated(FIXTURE_NOW)) == FIRST + 2 * DAY


def test_an_offer_that_was_gone_stands_since_it_came_back(tmp_path: Path) -> None:
    gone = stated(FIRST + DAY, False)
    back = stated(FIRST + 2 * DAY)
    assert since(tmp_path, stated(FIRST), gone, back, own=stated(FIXTURE_NOW)) == FIRST + 2 * DAY


def test_a_cached_price_of_0_that_is_unknown_is_no_change(tmp_path: Path) -> None:
    """OpenRouter sent 0 for what did not apply."""
    assert since(tmp_path, stated(FIRST, cache_read="0"), own=stated(FIXTURE_NOW)) == FIRST


def test_a_price_of_0_that_stood_long_is_not_doubted_because_it_is_read_anew(
    tmp_path: Path,
) -> None:
    nothing = {"input": "0", "output": "0"}
    before = (stated(FIRST), stated(FIRST + DAY, **nothing))
    assert since(tmp_path, *before, own=stated(FIXTURE_NOW, **nothing)) == FIRST + DAY
    known = Known(Store(tmp_path / "cache", bundled=tmp_path), FIXTURE_NOW)
    (row,) = known.prices(FIXTURE_NOW, "lab/model", Mix()).to_dicts()
    assert (row["input"], row["output"]) == (0, 0)
