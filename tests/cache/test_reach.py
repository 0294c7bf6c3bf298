"""How far a source reaches, told from what was learned of it lately."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.market.definitions import DEFINITIONS
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.usage import KnownUsage
from qwenwatch_cache.market.windows import Grain
from qwenwatch_cache.store import Store
from tests.cache.polling import NO_BASELINE
from tests.cache.rows import NOW, usage

FEED = "openrouter-rankings"
LAST = date(2026, 8, 16)


def learned(store: Store, values: dict[str, int | None], period: date, when: datetime) -> None:
    store.append({"usage": usage(values, when, feed=FEED, period=period)}, when, whole=())


def test_a_restated_old_day_does_not_hide_the_last_one(root: Path) -> None:
    """The source stops; weeks later one old day comes again. Only that was learned lately."""
    store = Store(root, bundled=NO_BASELINE)
    learned(store, {"a/b": 5}, LAST - timedelta(days=30), NOW - timedelta(days=29))
    learned(store, {"a/b": 7}, LAST, NOW)
    learned(store, {"a/b": 6}, LAST - timedelta(days=30), NOW + timedelta(days=10))
    for days in range(0, 120, 3):
        known = KnownUsage(store, NOW + timedelta(days=days))
        assert known.newest_days["tokens", FEED] == LAST, days


def test_the_source_s_own_date_of_a_kind_not_learned_lately(root: Path) -> None:
    store = Store(root, bundled=NO_BASELINE)
    labs = usage({"lab": 5}, NOW, feed=FEED, period=LAST).with_columns(kind=pl.lit("lab"))
    store.append({"usage": labs}, NOW, whole=())
    later = NOW + timedelta(days=100)
    learned(store, {"a/b": 7}, later.date(), later)
    for days in (0, 50, 100, 150):
        known = KnownUsage(store, NOW + timedelta(days=days))
        assert known.newest_as_of(FEED, ["lab"]) == NOW, days


def test_a_day_on_which_nobody_was_used(root: Path) -> None:
    """Unlikely, and nobody has a share of nothing; it must not keep others from being shown."""
    store = Store(root, bundled=NO_BASELINE)
    learned(store, {"a/b": 0, "c/d": 0}, LAST, NOW)
    known = Known(store, NOW + timedelta(days=1))
    definition = DEFINITIONS["tokens/openrouter-rankings"]
    window = known.choose_window(definition, "day", None)
    shares = known.board(definition, "model", window).rows["share"].to_list()
    assert not [share for share in shares if share]


@pytest.mark.parametrize("days_ago", [0, 10, 45, 100, 200, 330])
@pytest.mark.parametrize("grain", ["day", "week", "month"])
def test_the_definition_chosen_reaches_as_far_as_any(
    days_ago: int, grain: Grain, tmp_path: Path
) -> None:
    """What is not read, since it cannot reach further, would not have been chosen."""
    store = Store(tmp_path / "cache")
    newest = datetime(2026, 8, 22, 12, tzinfo=UTC)
    # Of one feed something was learned later than of all others, of an old day.
    learned(store, {"a/b": 5}, LAST - timedelta(days=30), newest)
    at = newest - timedelta(days=days_ago)
    windows = {
        one: window
        for one in DEFINITIONS.values()
        if (window := Known(store, at).newest_window(one, grain)) is not None
    }
    if not windows:
        with pytest.raises(NothingToShow):
            Known(store, at).choose_definition(grain)
        return
    last = max(window.start for window in windows.values())
    first = next(one for one, window in windows.items() if window.start == last)
    assert Known(store, at).choose_definition(grain) == first
