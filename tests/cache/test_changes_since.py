"""The changes of a period, of which only the last weeks before it are looked at."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from qwenwatch_cache.market.between import Asked, changes_between
from qwenwatch_cache.market.changes import Period, in_order, offer_changes
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.store import Store

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """What the bundled prices say: two years of the router's, one of lists."""
    root: Path = tmp_path_factory.mktemp("cache")
    return Known(Store(root), NOW)


@pytest.fixture(scope="module")
def history(known: Known) -> pl.DataFrame:
    """Every change that there ever was."""
    return known.price_history()


def months() -> Iterator[Period]:
    first = date(2024, 10, 1)
    while first < NOW.date():
        following = (first + timedelta(days=32)).replace(day=1)
        yield Period(first, following - timedelta(days=1))
        first = following


@pytest.mark.parametrize("period", list(months()), ids=lambda period: f"{period.first:%Y-%m}")
def test_are_those_of_the_whole_history(
    known: Known, history: pl.DataFrame, period: Period
) -> None:
    asked = Asked(period, kinds=("price", "added", "removed"))
    whole = in_order(offer_changes(history, known.polls, known.directory, period))
    assert changes_between(known, asked).rows.equals(whole)


def test_the_months_hold_changes_of_every_kind(known: Known, history: pl.DataFrame) -> None:
    ever = Period(date(2024, 9, 1), NOW.date())
    rows = offer_changes(history, known.polls, known.directory, ever)
    assert {"price", "added", "removed"} <= set(rows["kind"])
    assert {"confirmed", "flicker", "correction", "returned"} <= set(rows["mark"])
