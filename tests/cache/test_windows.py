"""Windows of time: what a day, an ISO week and a month are, and which one is over."""

from datetime import date, timedelta
from typing import get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.market.windows import TRUNCATE, Grain, Window, last_complete, steps_to

PROPERTY = settings(deadline=None, database=None, max_examples=100)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
ANY_GRAIN = st.sampled_from(get_args(Grain))


@pytest.mark.parametrize(
    ("day", "grain", "start", "end", "days"),
    [
        ("2026-08-12", "day", "2026-08-12", "2026-08-12", 1),
        ("2026-08-10", "week", "2026-08-10", "2026-08-16", 7),  # a Monday
        ("2026-08-16", "week", "2026-08-10", "2026-08-16", 7),  # a Sunday
        ("2026-01-01", "week", "2025-12-29", "2026-01-04", 7),  # ISO week 1 of 2026
        ("2024-02-29", "month", "2024-02-01", "2024-02-29", 29),
        ("2026-02-10", "month", "2026-02-01", "2026-02-28", 28),
        ("2026-12-31", "month", "2026-12-01", "2026-12-31", 31),
    ],
)
def test_the_window_that_a_day_falls_in(
    day: str, grain: Grain, start: str, end: str, days: int
) -> None:
    window = Window.containing(date.fromisoformat(day), grain)
    assert (str(window.start), str(window.end), window.days) == (start, end, days)


@pytest.mark.parametrize(
    ("start", "grain", "steps", "expected"),
    [
        ("2026-08-10", "week", -1, "2026-08-03"),
        ("2026-08-10", "week", 3, "2026-08-31"),
        ("2026-03-01", "day", -1, "2026-02-28"),
        ("2026-01-01", "month", -1, "2025-12-01"),
        ("2026-01-01", "month", -25, "2023-12-01"),
        ("2026-11-01", "month", 2, "2027-01-01"),
        ("2026-11-01", "month", 0, "2026-11-01"),
    ],
)
def test_shifting(start: str, grain: Grain, steps: int, expected: str) -> None:
    assert Window(date.fromisoformat(start), grain).shifted(steps) == Window(
        date.fromisoformat(expected), grain
    )


@pytest.mark.parametrize(
    ("day", "grain", "start"),
    [
        ("2026-08-16", "week", "2026-08-10"),  # the Sunday itself ends it
        ("2026-08-15", "week", "2026-08-03"),
        ("2026-08-17", "week", "2026-08-10"),
        ("2026-08-31", "month", "2026-08-01"),
        ("2026-08-30", "month", "2026-07-01"),
        ("2026-01-30", "month", "2025-12-01"),
        ("2026-08-30", "day", "2026-08-30"),
    ],
)
def test_the_newest_window_that_is_over(day: str, grain: Grain, start: str) -> None:
    assert str(last_complete(date.fromisoformat(day), grain).start) == start


@PROPERTY
@given(day=DAYS, grain=ANY_GRAIN)
def test_a_day_lies_in_its_window_and_its_neighbours_adjoin(day: date, grain: Grain) -> None:
    window = Window.containing(day, grain)
    assert window.start <= day <= window.end
    assert window.shifted(1).start == window.end + timedelta(days=1)
    assert window.shifted(-1).end == window.start - timedelta(days=1)
    assert Window.containing(window.start, grain) == Window.containing(window.end, grain) == window


@PROPERTY
@given(day=DAYS, grain=ANY_GRAIN, there=st.integers(-600, 600), more=st.integers(-600, 600))
def test_shifting_there_and_back(day: date, grain: Grain, there: int, more: int) -> None:
    window = Window.containing(day, grain)
    assert window.shifted(there).shifted(-there) == window
    assert window.shifted(there).shifted(more) == window.shifted(there + more)
    assert (window.shifted(there) < window) == (there < 0)


@PROPERTY
@given(day=DAYS, grain=ANY_GRAIN)
def test_the_last_complete_window_is_over_and_the_next_is_not(day: date, grain: Grain) -> None:
    window = last_complete(day, grain)
    assert window.end <= day < window.shifted(1).end


@PROPERTY
@given(day=DAYS, grain=ANY_GRAIN)
def test_polars_cuts_time_at_the_same_places(day: date, grain: Grain) -> None:
    truncated = pl.Series([day]).dt.truncate(TRUNCATE[grain]).to_list()
    assert truncated == [Window.containing(day, grain).start]


@PROPERTY
@given(day=DAYS)
def test_weeks_are_those_of_the_iso_calendar(day: date) -> None:
    monday = Window.containing(day, "week").start
    assert monday.isocalendar()[:2] == day.isocalendar()[:2]
    assert monday.isoweekday() == 1


@PROPERTY
@given(DAYS, ANY_GRAIN, st.integers(0, 60), st.integers(-40, 40))
def test_no_window_ends_nearer_than_the_one_stepped_to(
    day: date, grain: Grain, back: int, away: int
) -> None:
    newest = last_complete(day, grain)
    assert steps_to(newest, newest.shifted(-back).end) == back
    wanted = newest.shifted(-back).end + timedelta(days=away)
    ends = [abs(newest.shifted(-steps).end - wanted) for steps in range(120)]
    assert steps_to(newest, wanted) == ends.index(min(ends))
