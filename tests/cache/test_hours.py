"""Times of day as people say them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_cache.market.hours import hours_text


@pytest.mark.parametrize(
    ("window", "text"),
    [
        ("", ""),
        ("0100-0400", "01:00–04:00 UTC"),
        ("1000-0100", "10:00–01:00 UTC"),
        ("1000-0000", "10:00–24:00 UTC"),
        ("0030-0130", "00:30–01:30 UTC"),
        ("0000-0000", "all day"),
        ("67 0000-0000", "Sat–Sun"),
        ("12345 0000-0000", "weekdays"),
        ("12345 0100-0400", "weekdays 01:00–04:00 UTC"),
        ("7 2200-0200", "Sun 22:00–02:00 UTC"),
        ("1345 0000-0000", "Mon, Wed–Fri"),
        # Several of one price, as `cost` joins them.
        ("0000-0100, 0400-0600", "00:00–01:00, 04:00–06:00 UTC"),
        (
            "12345 0000-0100, 12345 0400-0600, 67 0000-0000",
            "weekdays 00:00–01:00, 04:00–06:00 UTC, Sat–Sun",
        ),
    ],
)
def test_words(window: str, text: str) -> None:
    assert hours_text(window) == text


@given(st.text(min_size=1))
def test_what_is_no_time_of_day_is_told_as_it_is(text: str) -> None:
    assert hours_text(f"{text}?") == f"{text}?"
