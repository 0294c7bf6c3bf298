"""Which columns stay when there is little room."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_widgets.columns import LUXURY, place
from qwenwatch_widgets.views.table import Column

COLUMNS = (
    Column("rank", "#", "right"),
    Column("name", "Vendor", grow=True),
    Column("country", "", drop=2),
    Column("share", "Share", "right"),
    Column("history", "12 wk", drop=1, width=12),
)
WANTED = (2, 20, 2, 6, 12)


def shown(room: int) -> list[str]:
    return [each.column.key for each in place(COLUMNS, WANTED, room)]


class TestPlace:
    def test_all_fit(self) -> None:
        assert shown(60) == ["rank", "name", "country", "share", "history"]

    def test_the_growing_column_is_shortened_before_another_is_left_out(self) -> None:
        assert shown(49) == ["rank", "name", "country", "share", "history"]
        assert shown(47) == ["rank", "name", "share", "history"]

    def test_of_two_that_grow_the_wider_is_shortened_first(self) -> None:
        columns = (Column("model", "Model", grow=True), Column("basis", "Basis", grow=True))
        for room, widths in ((70, [36, 30]), (50, [23, 23]), (30, [16, 11])):
            assert [each.width for each in place(columns, (50, 30), room)] == widths

    def test_for_a_luxury_nothing_is_cut_short(self) -> None:
        columns = (Column("model", "Model", grow=True), Column("vendor", "Vendor", drop=LUXURY))
        for room, keys in ((46, ["model", "vendor"]), (45, ["model"])):
            assert [each.column.key for each in place(columns, (50, 10), room)] == keys

    def test_highest_drop_goes_first(self) -> None:
        assert shown(40) == ["rank", "name", "share"]

    def test_what_is_never_dropped_is_cut(self) -> None:
        placed = place(COLUMNS, WANTED, 20)
        assert [each.column.key for each in placed][:2] == ["rank", "name"]
        assert placed[-1].x + placed[-1].width <= 20

    def test_spare_room_widens_gaps_then_the_growing_column(self) -> None:
        placed = place(COLUMNS, WANTED, 160)
        gaps = {b.x - a.x - a.width for a, b in pairwise(placed)}
        assert gaps == {8}
        assert placed[-1].x + placed[-1].width == 159

    @given(st.integers(0, 300))
    def test_columns_never_overlap_nor_leave_the_table(self, room: int) -> None:
        end = 0
        for each in place(COLUMNS, WANTED, room):
            assert each.x > 0 and each.x >= end and each.width > 0
            end = each.x + each.width
        assert end <= max(room, 0)
