"""Two days compared: which weeks are, and what is said where they cannot be."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.errors import NothingToShow, QwenwatchError
from qwenwatch_cache.feeds.vercel_leaderboard import OTHER
from qwenwatch_cache.market.between import Asked, Compared, changes_between, newest_day
from qwenwatch_cache.market.changes import CHANGES, Period
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.store import Store
from tests.cache.test_leaderboard import rankings, shares, week_of

NOW = datetime(2026, 8, 31, tzinfo=UTC)
MONDAY = date(2026, 8, 3)
WEEK = timedelta(days=7)
TWO = Period(MONDAY + WEEK, MONDAY + 2 * WEEK - timedelta(days=1))
"""The second of two weeks: compared with the first."""


def known_of(tmp_path: Path, **tables: pl.DataFrame) -> Known:
    store = Store(tmp_path / "cache", bundled=tmp_path)
    if tables:
        store.append(tables, NOW)
    return Known(store, NOW)


def weeks(*entities: Mapping[str, int]) -> pl.DataFrame:
    days: dict[date, Mapping[str, int]] = {}
    for number, named in enumerate(entities):
        days |= week_of(MONDAY + number * WEEK, named)
    return rankings(days, NOW)


def by_vendor(known: Known, period: Period = TWO, **asked: str) -> tuple[pl.DataFrame, Compared]:
    answer = changes_between(known, Asked(period, by=("vendor",), **asked))  # type: ignore[arg-type]
    assert answer.rows.schema == CHANGES
    (pair,) = answer.compared
    return answer.rows, pair


def test_nothing_is_known(tmp_path: Path) -> None:
    known = known_of(tmp_path)
    rows, pair = by_vendor(known)
    assert rows.is_empty()
    assert "there are no usage figures yet" in pair.note
    with pytest.raises(NothingToShow, match="no prices yet"):
        newest_day(known)
    with pytest.raises(QwenwatchError, match="no definition"):
        by_vendor(known, metric="applause")


def test_the_newest_day_is_that_of_the_usage_where_no_price_was_read(tmp_path: Path) -> None:
    known = known_of(tmp_path, usage=weeks({"openai/a": 1}))
    assert newest_day(known) == MONDAY + timedelta(days=6)


def test_two_weeks(tmp_path: Path) -> None:
    usage = weeks({"openai/a": 60, "qwen/b": 40}, {"openai/a": 45, "qwen/b": 55})
    rows, pair = by_vendor(known_of(tmp_path, usage=usage))
    assert pair.note == ""
    found = {(row["id"], row["kind"]): (row["before"], row["after"]) for row in rows.to_dicts()}
    assert {key: tuple(map(float, ends)) for key, ends in found.items()} == {
        ("openai", "rank"): (1, 2),
        ("openai", "share"): (0.6, 0.45),
        ("alibaba", "rank"): (2, 1),
        ("alibaba", "share"): (0.4, 0.55),
    }
    assert set(rows["at"]) == {datetime(2026, 8, 17, tzinfo=UTC)}
    assert set(rows["field"]) == {"tokens"}


def test_filters(tmp_path: Path) -> None:
    usage = weeks({"openai/gpt-4": 60, "qwen/b": 40}, {"openai/gpt-4": 45, "qwen/b": 55})
    known = known_of(tmp_path, usage=usage)

    def ids(**asked: set[str]) -> set[tuple[str, str]]:
        rows = changes_between(known, Asked(TWO, **asked)).rows  # type: ignore[arg-type]
        return set(rows.select("by", "id").iter_rows())

    assert ids(vendors={"openai"}) == {("vendor", "openai"), ("model", "openai/gpt-4")}
    assert ids(models={"openai/gpt-4"}) == {("model", "openai/gpt-4")}
    both = ids(vendors={"alibaba"}, models={"openai/gpt-4"})
    assert both == {
        ("vendor", "alibaba"),
        ("model", "qwen/b@openrouter"),
        ("model", "openai/gpt-4"),
    }


def test_days_of_the_same_week(tmp_path: Path) -> None:
    known = known_of(tmp_path, usage=weeks({"openai/a": 60}, {"openai/a": 45}))
    middle = MONDAY + 2 * WEEK
    rows, pair = by_vendor(known, Period(middle, middle + timedelta(days=2)))
    assert rows.is_empty()
    assert pair.note == "the last complete week is the same at both ends"


def test_no_week_before(tmp_path: Path) -> None:
    rows, pair = by_vendor(known_of(tmp_path, usage=weeks({"openai/a": 1}, {"openai/a": 2})),
                           Period(MONDAY, TWO.last))  # fmt: skip
    assert rows.is_empty()
    assert "no complete week of tokens · OpenRouter is known up to 2026-08-02" in pair.note


def test_of_a_week_with_a_day_missing_nothing_is_told(tmp_path: Path) -> None:
    days = week_of(MONDAY, {"openai/a": 60, "qwen/b": 40}, days=6)
    days |= week_of(MONDAY + WEEK, {"openai/a": 45, "qwen/b": 55})
    rows, pair = by_vendor(known_of(tmp_path, usage=rankings(days, NOW)))
    assert rows.is_empty()
    assert pair.note


SHARE = st.integers(0, 33)
NAMED = st.dictionaries(st.sampled_from(["OpenAI", "Alibaba", "DeepSeek"]), SHARE, min_size=1)


@settings(deadline=None, max_examples=25)
@given(before=NAMED, after=NAMED)
def test_what_a_source_does_not_name_is_no_zero(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, int], after: dict[str, int]
) -> None:
    """Shares of labs, some of them named in one week only."""
    days: dict[date, Mapping[str, float]] = {}
    for monday, named in ((MONDAY, before), (MONDAY + WEEK, after)):
        days |= week_of(monday, {**named, OTHER: 100 - sum(named.values())})
    usage = shares(days, "lab")
    rows, _ = by_vendor(known_of(tmp_path_factory.mktemp("w"), usage=usage))
    vendors = {"OpenAI": "openai", "Alibaba": "alibaba", "DeepSeek": "deepseek"}
    found = {
        row["id"]: (row["before"], row["after"])
        for row in rows.to_dicts()
        if row["kind"] == "share"
    }
    for name, vendor in vendors.items():
        ends = (before.get(name), after.get(name))
        told = found.get(vendor)
        if ends[0] == ends[1]:
            assert told is None
        else:
            assert told is not None
            for end, value in zip(ends, told, strict=True):
                assert value == (None if end is None else Decimal(end) / 100)
