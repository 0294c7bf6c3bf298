"""Sparklines: scale, gaps, width and height."""

from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_widgets.sparks import ASCII_BLOCKS, BLOCKS, sparkline

VALUES = st.lists(st.none() | st.floats(), max_size=60)


class TestSparkline:
    def test_from_zero_to_the_highest(self) -> None:
        assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == ("▁▂▃▄▅▆▇█",)

    def test_a_gap_is_not_a_zero(self) -> None:
        assert sparkline([1.0, None, 0.0, float("nan"), 1.0], 5) == ("█ ▁ █",)

    def test_the_newest_values_stay(self) -> None:
        assert sparkline([7, 7, 0, 7], 2) == ("▁█",)

    def test_values_cut_off_still_count_for_the_scale(self) -> None:
        assert sparkline([14, 7], 1) == ("▅",)

    def test_short_series_stand_on_the_right(self) -> None:
        assert sparkline([1], 3) == ("  █",)

    def test_all_zero(self) -> None:
        assert sparkline([0, 0], 2) == ("▁▁",)

    def test_rows_and_bars(self) -> None:
        assert sparkline([1, 4], 4, height=2, bar=2) == ("  ██", "▅▅██")

    def test_airy_leaves_an_eighth_free(self) -> None:
        assert sparkline([7], 1, airy=True) == ("▇",)

    def test_ascii(self) -> None:
        (drawn,) = sparkline([0, None, 9], 3, ascii_only=True)
        assert drawn == "_ #"
        assert drawn.isascii() and len(ASCII_BLOCKS) == len(BLOCKS)

    @given(VALUES, st.integers(0, 40), st.integers(1, 4), st.integers(1, 3))
    def test_never_fails_and_always_fills(
        self, values: list[float | None], width: int, height: int, bar: int
    ) -> None:
        rows = sparkline(values, width, height=height, bar=bar)
        assert [len(row) for row in rows] == [width] * height
