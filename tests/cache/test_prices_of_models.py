"""Prices of some models are read alone, and are what the whole table says of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.store import Store

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
BASELINE = "alibaba/qwen3-max"


@pytest.mark.parametrize("days_ago", [0, 30, 200, 400])
@pytest.mark.parametrize(
    "models",
    [
        ("anthropic/claude-opus-4-6",),
        ("deepseek/deepseek-v3.2", "openai/gpt-5.2"),
        ("alibaba/qwen3-max",),
        ("moonshotai/kimi-k2.5", "nobody/nothing"),
    ],
    ids=" ".join,
)
def test_they_are_those_of_the_whole_table(
    models: tuple[str, ...], days_ago: int, tmp_path: Path
) -> None:
    at, store = NOW - timedelta(days=days_ago), Store(tmp_path / "cache")
    alone = Known(store, at).prices(at, BASELINE, Mix(), models=models)
    together = Known(store, at).prices(at, BASELINE, Mix())
    assert_frame_equal(alone, together.filter(together["model"].is_in([*models, BASELINE])))
    assert together.height > 4 * alone.height


def test_there_are_some(tmp_path: Path) -> None:
    known = Known(Store(tmp_path / "cache"), NOW)
    models = ("anthropic/claude-opus-4-6",)
    assert set(models) <= set(known.prices(NOW, BASELINE, Mix(), models=models)["model"])


def test_the_newest_price_is_that_of_the_whole_table(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    for at in (NOW, NOW - timedelta(days=100)):
        assert Known(store, at).newest_price == Known(store, at).price["observed_at"].max()
    assert Known(store, datetime(2020, 1, 1, tzinfo=UTC)).newest_price is None
