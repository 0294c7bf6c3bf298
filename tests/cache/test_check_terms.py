"""Claims with terms: what leaderboards show, implied spend, one feed, a variant, a day, a host."""

import re
from datetime import UTC, datetime

import polars as pl
import pytest

from qwenwatch_cache.claims.reading import read_claims
from qwenwatch_cache.claims.tables import ClaimError
from qwenwatch_cache.market.check import Checked, check
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.store import Store

HEAD = """\
[[claim]]
id = "one"
says = "x"
source = { outlet = "nobody" }
"""
WEEK = 'window = "2026-W33"'
NAMED = 'scope = { among = "attributed" }'
SPEND = ('measure = "share"', 'vendor = "anthropic"', 'metric = "implied_spend"', WEEK)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The bundled figures."""
    store = Store(tmp_path_factory.mktemp("terms") / "cache")
    return Known(store, datetime(2026, 8, 22, 12, tzinfo=UTC))


def checked(known: Known, *lines: str) -> Checked:
    (claim,) = read_claims(HEAD + "\n".join(lines), "file")
    return check(known, claim)


def test_what_is_attributed_is_a_part_of_everything(known: Known) -> None:
    """The sums are made here of the rows of the table, day by day."""
    rows = known.usage.filter(
        (pl.col("feed") == "openrouter-rankings")
        & (pl.col("metric") == "tokens")
        & (pl.col("grain") == "day")
        & pl.col("period").is_between(pl.date(2026, 8, 10), pl.date(2026, 8, 16))
    ).select("entity", "value")
    amounts = {entity: int(value) for entity, value in rows.group_by("entity").sum().iter_rows()}
    total = sum(amounts.values())
    own = sum(value for entity, value in amounts.items() if entity.startswith("deepseek/"))
    text = f"{100 * own / total:.1f} %"
    lines = ('measure = "share"', 'vendor = "deepseek"', WEEK, 'feed = "openrouter-rankings"')
    found = checked(known, *lines, f'value = "{text}"', NAMED)
    assert (text, found.verdict) == ("26.2 %", "reproduced")
    # Read plainly, what is not named may be its as well.
    assert checked(known, *lines, f'value = "{text}"').verdict != "reproduced"
    assert checked(known, *lines, 'value = "27.2 %"', NAMED).verdict == "not reproduced"


def test_a_place_among_what_is_attributed(known: Known) -> None:
    lines = ('measure = "rank"', 'vendor = "tencent"', WEEK, 'feed = "openrouter-rankings"', NAMED)
    assert checked(known, *lines, 'value = "2"').verdict == "reproduced"
    assert checked(known, *lines, 'value = "3"').verdict == "contradicted"


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("1.8-97.6 %", "reproduced"),
        ("1-99 %", "reproduced"),
        ("30 %", "no public data"),  # it may be
        ("<90 %", "no public data"),
        (">98 %", "not reproduced"),
        ("1 %", "not reproduced"),
    ],
)
def test_implied_spend_is_an_interval(known: Known, value: str, verdict: str) -> None:
    found = checked(known, *SPEND, 'basis = "route"', f'value = "{value}"')
    assert found.verdict == verdict
    assert {origin.feed for origin in found.origins} == {"openrouter-rankings", "openrouter-models"}
    arithmetic = found.trials[0].arithmetic
    low, of_most, high, of_least = map(float, re.findall(r"\$([\d.]+)M", arithmetic))
    assert (round(100 * low / of_most, 1), round(100 * high / of_least, 1)) == (1.9, 97.6)
    # All the others are dearest where it is cheapest, and the other way round.
    assert of_most - low > of_least - high > 0
    assert "1.9 %" in arithmetic and "97.6 %" in arithmetic and "mix of 80:5:15" in arithmetic


def test_implied_spend_is_of_whole_windows_that_are_known(known: Known) -> None:
    other = tuple(line for line in SPEND if line != WEEK)
    days = checked(known, *other, 'value = "50 %"', 'window = "2026-08-11..2026-08-13"')
    assert days.verdict == "no public data" and not days.trials
    ago = checked(known, *other, 'value = "50 %"', 'window = "2025-02-03..2025-02-09"')
    [missing] = ago.missing
    assert (missing.feed, missing.fetchable) == ("openrouter-rankings", True)


def test_implied_spend_is_measured_by_nobody(known: Known) -> None:
    with pytest.raises(ClaimError, match="metric: implied_spend is known of shares only"):
        checked(known, 'measure = "total"', 'metric = "implied_spend"', 'value = "1M"', WEEK)


def test_a_price_of_a_day_is_the_one_at_its_end(known: Known) -> None:
    """OpenRouter's price of a model fell on a day: before it the old one holds, on it the new."""
    history = known.price_history(feeds={"openrouter-models"})
    row = history.filter(
        (pl.col("field") == "input")
        & (pl.col("mark") == "confirmed")
        & (pl.col("variant") == "")
        & (pl.col("tier_from") == 0)
        & (pl.col("model") == "deepseek/deepseek-v4-pro-0813")
    ).row(-1, named=True)
    model = known.directory.model("openrouter-models", row["model"]).id
    lines = ('measure = "price"', f'model = "{model}"', 'field = "input"', 'basis = "route"')
    day = f'window = "{row["at"].date()}"'
    after, before = (f"${row[side].normalize():f}" for side in ("after", "before"))
    assert checked(known, *lines, day, f'value = "{after}"').verdict == "reproduced"
    assert checked(known, *lines, day, f'value = "{before}"').verdict == "reproduced only if"


@pytest.mark.parametrize(
    ("model", "verdict"),
    [
        ("alibaba/qwen3.5-plus:batch", "reproduced"),
        ("alibaba/qwen3.5-plus:standard", "not reproduced"),
        ("alibaba/qwen3.5-plus", "reproduced only if"),
    ],
)
def test_a_variant_that_is_named_is_no_condition(known: Known, model: str, verdict: str) -> None:
    """Alibaba lists batch requests at half the price."""
    standard = known.prices(known.at, "", Mix()).filter(
        pl.col("model") == "alibaba/qwen3.5-plus", pl.col("feed") == "alibaba-list"
    )
    half = standard.filter(pl.col("variant") == "batch")["input"].item()
    lines = ('measure = "price"', 'field = "input"', 'basis = "list"', 'feed = "alibaba-list"')
    text = f"¥{half.normalize():f}"
    found = checked(known, *lines, f'model = "{model}"', f'value = "{text}"')
    assert found.verdict == verdict


def test_a_model_that_is_not_mapped_has_its_feed_in_its_name(known: Known) -> None:
    lines = ('measure = "price"', 'field = "input"', 'value = "$0.4"')
    assert checked(known, *lines, 'model = "babbage-002@litellm"').verdict == "reproduced"
    with pytest.raises(ClaimError, match="model: No model is called"):
        checked(known, *lines, 'model = "babbage-002@nobody"')


def test_prices_of_one_feed(known: Known) -> None:
    lines = ('measure = "price"', 'model = "babbage-002@litellm"', 'value = "$0.4"')
    assert checked(known, *lines, 'feed = "litellm"').verdict == "reproduced"
    assert checked(known, *lines, 'feed = "models-dev"').verdict == "no public data"
    with pytest.raises(ClaimError, match="feed: no feed is called 'other'"):
        checked(known, *lines, 'feed = "other"')


@pytest.mark.parametrize("host", ["../etc", "a b", "", "x" * 700])
def test_a_host_has_a_tag(known: Known, host: str) -> None:
    with pytest.raises(ClaimError, match="host: "):
        checked(
            known,
            *('measure = "price"', 'model = "alibaba/qwen3-max"', 'value = "$1"'),
            f'host = "{host}"',
        )
