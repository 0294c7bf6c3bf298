"""Ratios of prices as bars."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_widgets.text import width
from qwenwatch_widgets.views.price_bars import LEFT, RIGHT, TITLE, bar_cell


@pytest.mark.parametrize(
    ("ratio", "bar"),
    [
        (1.0, "       │"),
        (2.0, "       │█"),
        (0.5, "      █│"),
        (8.0, "       │███"),
        (1.45, "       │▌"),
        (0.7, "      ▐│"),
        (64.0, "       │██████"),
        (1000.0, "       │█████▶"),
        (1 / 128, "███████│"),
        (0.001, "◀██████│"),
        (0.0, "◀██████│"),
    ],
)
def test_a_cell_is_a_factor_of_two(ratio: float, bar: str) -> None:
    assert bar_cell(ratio).text == bar


def test_an_unknown_ratio_has_no_bar_and_no_place_in_the_order() -> None:
    assert (bar_cell(None).text, bar_cell(None).sort) == ("", None)


@given(st.floats(0, 1e9))
def test_the_stroke_stands_below_that_of_the_heading(ratio: float) -> None:
    text = bar_cell(ratio).text
    assert text.index("│") == TITLE.index("│") == LEFT
    assert width(text) <= width(TITLE) == LEFT + 1 + RIGHT
    assert bar_cell(ratio).sort == ratio
