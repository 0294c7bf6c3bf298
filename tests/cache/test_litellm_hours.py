"""Off-peak hours as tiles of the week: each minute once, and the right one."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_cache.feeds.litellm_hours import OffPeak, week_tiles
from qwenwatch_cache.feeds.money import RefusedPrice

WHEN = datetime(2026, 11, 18, tzinfo=UTC)
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
NAMES = ["Monday", "tue", "WED", "thursday", "fri", "Saturday", "sun"]

DEEPSEEK = {
    "windows": [
        {"hours_utc": ["00:00-01:00", "04:00-06:00", "10:00-00:00"], "weekdays": [1, 2, 3, 4, 5]},
        {"hours_utc": "00:00-00:00", "weekdays": [6, 7]},
    ]
}


def tiles(block: dict[str, Any]) -> tuple[list[str], list[str]]:
    return week_tiles(msgspec.convert(block, OffPeak), WHEN)


def minutes(window: str) -> Iterator[int]:
    """The minutes of the week that a stored window holds, as frames.py documents it."""
    if window == "":
        yield from range(7 * 1440)
        return
    found = re.fullmatch(r"(?:([1-7]+) )?(\d\d)(\d\d)-(\d\d)(\d\d)", window)
    assert found is not None, window
    days, *clock = found.groups()
    start, end = int(clock[0]) * 60 + int(clock[1]), int(clock[2]) * 60 + int(clock[3])
    assert 0 <= start < 1440
    for day in days or "1234567":
        # Only a window of every day may wrap midnight; one of some days ends with the day.
        assert start < end or end == 0 or not days
        for minute in range(start, end if start < end else end + 1440):
            yield (int(day) - 1) * 1440 + minute % 1440


def is_off_peak(block: dict[str, Any], moment: datetime) -> bool:
    """LiteLLM's own rule, asked of one moment."""
    rules = list(block.get("windows") or [])
    if "hours_utc" in block:
        rules.append(block)
    here = moment.astimezone(ZoneInfo(block.get("weekday_timezone") or "UTC"))
    for rule in rules:
        listed = rule.get("weekdays")
        days = [NAMES.index(day) + 1 if isinstance(day, str) else day for day in listed or []]
        if listed is not None and here.isoweekday() not in days:
            continue
        spans = rule["hours_utc"]
        for span in [spans] if isinstance(spans, str) else spans:
            start, end = span.split("-")
            clock = f"{moment:%H:%M}"
            if start < end and start <= clock < end:
                return True
            if start >= end and (clock >= start or clock < end):
                return True
    return False


class TestKnown:
    def test_deepseek_is_cheap_but_for_seven_hours_of_a_working_day(self) -> None:
        peak, off_peak = tiles(DEEPSEEK)
        assert peak == ["12345 0100-0400", "12345 0600-1000"]
        assert off_peak == ["12345 0000-0100", "12345 0400-0600", "12345 1000-0000", "67 0000-0000"]

    def test_hours_of_every_day_need_no_days(self) -> None:
        assert tiles({"hours_utc": "16:00-00:00"}) == (["0000-1600"], ["1600-0000"])

    def test_all_of_the_time_is_no_window(self) -> None:
        assert tiles({"hours_utc": "00:00-00:00"}) == ([], [""])
        assert tiles({"windows": [{"hours_utc": "00:00-00:00", "weekdays": []}]}) == ([""], [])

    def test_days_of_another_time_zone_are_cut_at_its_midnight(self) -> None:
        """Saturday in Shanghai is Friday 16:00 to Saturday 16:00 by UTC."""
        block = {"hours_utc": "00:00-00:00", "weekdays": [6], "weekday_timezone": "Asia/Shanghai"}
        peak, off_peak = tiles(block)
        assert off_peak == ["5 1600-0000", "6 0000-1600"]
        assert peak == ["12347 0000-0000", "5 0000-1600", "6 1600-0000"]

    def test_an_hour_counts_to_the_day_that_it_is_in_the_zone(self) -> None:
        """LiteLLM's own example: Friday 16:30 by UTC is Saturday in Shanghai."""
        block = {
            "weekday_timezone": "Asia/Shanghai",
            "windows": [{"hours_utc": "16:00-17:00", "weekdays": [6]}],
        }
        assert tiles(block)[1] == ["5 1600-1700"]

    def test_days_go_by_number_or_name(self) -> None:
        named = {"hours_utc": "00:00-00:00", "weekdays": ["Sat", "sunday"]}
        assert tiles(named)[1] == ["67 0000-0000"]

    @pytest.mark.parametrize(
        ("block", "detail"),
        [
            ({}, "no hours are stated"),
            ({"windows": []}, "no hours are stated"),
            ({"hours_utc": "22-06"}, "'22-06' are no hours"),
            ({"hours_utc": "25:00-26:00"}, "'25:00-26:00' are no hours"),
            ({"hours_utc": ["01:00-02:00", ""]}, "'' are no hours"),
            ({"hours_utc": "00:00-00:00", "weekdays": [0]}, "'0' is no day of the week"),
            ({"hours_utc": "00:00-00:00", "weekdays": [8]}, "'8' is no day of the week"),
            ({"hours_utc": "00:00-00:00", "weekdays": ["noday"]}, "'noday' is no day of the week"),
            (
                {"hours_utc": "00:00-00:00", "weekday_timezone": "Not/AZone"},
                "'Not/AZone' is no time zone",
            ),
            (
                {"hours_utc": "00:00-00:00", "weekday_timezone": "../x"},
                "'../x' is no time zone",
            ),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, block: dict[str, Any], detail: str) -> None:
        with pytest.raises(RefusedPrice, match=re.escape(detail)) as caught:
            tiles(block)
        assert caught.value.rule == "unclear off-peak hours"


CLOCKS = st.builds(
    "{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 0, 1, 15, 30, 59])
)
SPANS = st.builds("{}-{}".format, CLOCKS, CLOCKS)
DAYS = st.lists(st.one_of(st.integers(1, 7), st.sampled_from(NAMES)), max_size=7)
RULES = st.fixed_dictionaries(
    {"hours_utc": st.one_of(SPANS, st.lists(SPANS, max_size=3))},
    optional={"weekdays": st.none() | DAYS},
)
ZONES = ["UTC", "Asia/Shanghai", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"]
BLOCKS = st.one_of(
    st.fixed_dictionaries(
        {"windows": st.lists(RULES, min_size=1, max_size=3)},
        optional={"weekday_timezone": st.sampled_from(ZONES)},
    ),
    st.fixed_dictionaries(
        {"hours_utc": SPANS},
        optional={
            "weekdays": DAYS,
            "windows": st.lists(RULES, max_size=2),
            "weekday_timezone": st.sampled_from(ZONES),
        },
    ),
)


@given(block=BLOCKS)
def test_each_minute_of_the_week_is_in_one_tile(block: dict[str, Any]) -> None:
    peak, off_peak = tiles(block)
    covered = Counter(minute for window in peak + off_peak for minute in minutes(window))
    assert covered == dict.fromkeys(range(7 * 1440), 1)
    assert len(set(peak + off_peak)) == len(peak + off_peak)


@given(block=BLOCKS, minute=st.integers(0, 7 * 1440 - 1))
def test_each_minute_is_in_the_tile_of_its_price(block: dict[str, Any], minute: int) -> None:
    _, off_peak = tiles(block)
    cheap = any(minute in set(minutes(window)) for window in off_peak)
    assert cheap is is_off_peak(block, MONDAY + timedelta(minutes=minute))
