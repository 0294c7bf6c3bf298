"""When a feed is due: the jitter, the budget, the back-off, all from the log alone."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.frames import FETCH
from qwenwatch_cache.log_ends import midnight_after
from qwenwatch_cache.schedule import (
    JITTER,
    LONGEST_JITTER,
    FeedSettings,
    back_off,
    next_due,
    record_of,
    without_days,
)

NOON = datetime(2026, 8, 17, 12, tzinfo=UTC)
MODELS, RANKINGS = FEEDS["openrouter-models"], FEEDS["openrouter-rankings"]
HOURLY = FeedSettings(MODELS, enabled=True, base_url="", key="", every=timedelta(hours=1))

moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
cadences = st.timedeltas(timedelta(minutes=10), timedelta(days=7))


def log_of(*rows: dict[str, Any]) -> pl.DataFrame:
    """A log of requests of the hourly feed, good ones unless something else is said."""
    usual = {"feed": MODELS.name, "url": "https://openrouter.ai/api/v1/models", "status": 200}
    full = [dict.fromkeys(FETCH) | usual | row for row in rows]
    return pl.DataFrame(full, schema=FETCH)


class TestJitter:
    @given(moments, cadences)
    def test_never_early_and_never_much_later(self, asked: datetime, every: timedelta) -> None:
        later = next_due(replace(HOURLY, every=every), asked) - asked - every
        assert timedelta(0) <= later < min(every * JITTER, LONGEST_JITTER) + timedelta(seconds=1)

    def test_it_is_at_most_a_tenth_and_at_most_a_quarter_of_an_hour(self) -> None:
        assert timedelta(hours=1) * JITTER == timedelta(minutes=6)
        assert timedelta(minutes=15) == LONGEST_JITTER

    def test_it_differs_between_moments_and_feeds(self) -> None:
        asked = [NOON + timedelta(minutes=minute) for minute in range(60)]
        waits = {next_due(HOURLY, moment) - moment for moment in asked}
        assert len(waits) > 40
        assert max(waits) - min(waits) > timedelta(minutes=4)
        other = replace(HOURLY, feed=RANKINGS)
        assert sum(next_due(HOURLY, one) == next_due(other, one) for one in asked) < 5

    @given(moments)
    def test_two_programs_agree(self, asked: datetime) -> None:
        # One made the request and knows the moment, the other reads it in the log.
        record = record_of(log_of({"started": asked}), HOURLY, asked)
        assert record.due == next_due(HOURLY, asked)


class TestBudget:
    def asked(self, *moments: datetime) -> pl.DataFrame:
        return log_of(*({"started": moment} for moment in moments))

    def spent(self, log: pl.DataFrame, now: datetime) -> int:
        return record_of(log, HOURLY, now).spent

    def test_it_counts_every_request_of_the_utc_day(self) -> None:
        midnight = datetime(2026, 8, 17, tzinfo=UTC)
        log = self.asked(midnight - timedelta(microseconds=1), midnight, NOON)
        assert self.spent(log, NOON) == 2
        assert self.spent(log, midnight) == 2
        assert self.spent(log, midnight - timedelta(microseconds=1)) == 1
        assert self.spent(log, midnight + timedelta(days=1)) == 0

    def test_failures_count_too(self) -> None:
        log = log_of(
            {"started": NOON, "status": 503, "error": "…"},
            {"started": NOON, "status": 503, "error": "…", "retry_at": NOON},
        )
        assert self.spent(log, NOON) == 2

    def test_a_clock_set_back_brings_no_new_budget(self) -> None:
        log = self.asked(*(NOON + timedelta(hours=hour) for hour in range(5)))
        assert self.spent(log, NOON - timedelta(hours=6)) == 5

    def test_another_feeds_requests_do_not_count(self) -> None:
        other = replace(HOURLY, feed=RANKINGS)
        assert record_of(self.asked(NOON), other, NOON).spent == 0

    def test_those_of_feeds_that_share_a_limit_stay_below_it(self) -> None:
        # OpenRouter's Data API: 500 requests a day for all of its endpoints together.
        assert len(RANKINGS.kin) == 4
        assert sum(FEEDS[name].budget for name in RANKINGS.kin) <= 500

    @given(moments)
    def test_it_ends_at_the_next_midnight_utc(self, now: datetime) -> None:
        end = midnight_after(now)
        assert now < end <= now + timedelta(days=1)
        assert (end.hour, end.minute, end.second, end.microsecond) == (0, 0, 0, 0)


class TestBackOff:
    def failed(self, started: datetime, wait: timedelta) -> dict[str, Any]:
        return {"started": started, "status": 503, "error": "…", "retry_at": started + wait}

    def test_a_minute_at_first_then_twice_the_wait_before(self) -> None:
        assert back_off(log_of(), HOURLY, NOON) == NOON + timedelta(minutes=1)
        for before, after in [(1, 2), (16, 32), (40, 60), (60, 60)]:
            log = log_of(self.failed(NOON, timedelta(minutes=before)))
            assert back_off(log, HOURLY, NOON) == NOON + timedelta(minutes=after)

    def test_a_good_answer_ends_it(self) -> None:
        log = log_of(self.failed(NOON, timedelta(minutes=16)), {"started": NOON})
        assert back_off(log, HOURLY, NOON) == NOON + timedelta(minutes=1)

    @pytest.mark.parametrize(("status", "binds"), [(429, True), (503, False), (404, False)])
    def test_only_too_many_requests_binds_also_by_force(self, status: int, binds: bool) -> None:
        retry_at = NOON + timedelta(hours=3)
        row = self.failed(NOON, timedelta(hours=3)) | {"status": status}
        record = record_of(log_of(row), HOURLY, NOON)
        assert record.due == retry_at
        assert record.told_to_wait == (retry_at if binds else None)


class TestInsisting:
    URL = "https://vercel.com/x?dataset={}&from=2026-08-{:02}"

    def implausible(self, dataset: str, day: int) -> dict[str, Any]:
        started = NOON + timedelta(days=day)
        row = {"url": self.URL.format(dataset, day), "started": started, "rows": 5, "error": "…"}
        return row | {"retry_at": started}

    def good(self, dataset: str, day: int) -> dict[str, Any]:
        started = NOON + timedelta(days=day)
        return {"url": self.URL.format(dataset, day), "started": started, "rows": 50}

    def since(self, rows: Sequence[dict[str, Any]], dataset: str) -> datetime | None:
        record = record_of(log_of(*rows), HOURLY, NOON + timedelta(days=9))
        return record.insisting_since.get(without_days(self.URL.format(dataset, 1)))

    def test_one_data_set_may_insist_while_another_is_well(self) -> None:
        rows = []
        for day in range(1, 8):
            rows += [self.good("models", day), self.implausible("labs", day)]
        assert self.since(rows, "labs") == NOON + timedelta(days=1)
        assert self.since(rows, "models") is None

    def test_a_good_answer_in_between_ends_it(self) -> None:
        rows = [self.implausible("labs", 1), self.good("labs", 2), self.implausible("labs", 3)]
        assert self.since(rows, "labs") == NOON + timedelta(days=3)

    def test_another_failure_in_between_does_not(self) -> None:
        down = {"url": self.URL.format("labs", 2), "started": NOON, "status": 503, "error": "…"}
        rows = [self.implausible("labs", 1), down, self.implausible("labs", 3)]
        assert self.since(rows, "labs") == NOON + timedelta(days=1)


def test_a_key_is_in_no_text_about_settings() -> None:
    settings = replace(HOURLY, feed=RANKINGS, key="sk-very-secret")
    assert "sk-very-secret" not in repr(settings) + str(settings) + json.dumps(str([settings]))


class TestWrongClocks:
    def test_a_request_of_another_year_silences_nobody(self) -> None:
        future = log_of({"started": NOON + timedelta(days=1500)})
        assert record_of(future, HOURLY, NOON).due is None
        waiting = {"started": NOON + timedelta(days=1500), "status": 429, "error": "too many"}
        told = log_of({**waiting, "retry_at": NOON + timedelta(days=1501)})
        record = record_of(told, HOURLY, NOON)
        assert (record.due, record.told_to_wait) == (None, None)

    def test_a_clock_set_back_by_an_hour_keeps_the_schedule(self) -> None:
        asked = NOON + timedelta(hours=1)
        assert record_of(log_of({"started": asked}), HOURLY, NOON).due == next_due(HOURLY, asked)


class TestKin:
    def test_when_one_of_the_data_api_is_told_to_wait_all_wait(self) -> None:
        until = NOON + timedelta(hours=3)
        told = {"feed": RANKINGS.name, "started": NOON, "status": 429, "retry_at": until}
        log = log_of({**told, "error": "too many requests"})
        for name in RANKINGS.kin:
            settings = replace(HOURLY, feed=FEEDS[name])
            assert record_of(log, settings, NOON).told_to_wait == until
        assert record_of(log, HOURLY, NOON).told_to_wait is None

    def test_they_are_the_feeds_that_need_the_key(self) -> None:
        keyed = {name for name, feed in FEEDS.items() if feed.key_env}
        assert {name for name, feed in FEEDS.items() if feed.kin} == keyed
        assert all(set(FEEDS[name].kin) == keyed for name in keyed)


class TestAfterAnImport:
    def test_no_condition_from_before_is_sent(self) -> None:
        """What is unchanged since then need not be what stands last, now that others' rows came."""
        before = {"started": NOON, "etag": "a"}
        after = {"started": NOON + timedelta(hours=2), "url": "https://other/", "etag": "b"}
        merged = NOON + timedelta(hours=1)
        record = record_of(log_of(before, after), HOURLY, NOON, None, merged)
        assert record.validators == {"https://other/": "b"}
        assert len(record_of(log_of(before, after), HOURLY, NOON).validators) == 2
        # What it brought counts as had all the same: nothing is asked sooner.
        assert [one.started for one in record.done] == [before["started"], after["started"]]

    def test_a_wish_to_be_left_alone_outlasts_another_machines_answer(self) -> None:
        until = NOON + timedelta(hours=6)
        told = {"started": NOON, "status": 429, "error": "too many", "retry_at": until}
        elsewhere = {"started": NOON + timedelta(minutes=5)}
        record = record_of(log_of(told, elsewhere), HOURLY, NOON + timedelta(hours=1))
        assert record.told_to_wait == until


def test_an_answer_of_a_wrong_clock_does_not_outlast_a_loss() -> None:
    ahead = {"started": NOON + timedelta(days=3), "etag": "a"}
    record = record_of(log_of(ahead), HOURLY, NOON, NOON)
    assert (record.validators, list(record.done)) == ({}, [])
