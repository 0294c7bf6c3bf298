"""Sorting, filtering and finding."""

from qwenwatch_widgets.order import Sort, arrange, first_direction, following
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView


def row(key: str, value: float | str | None, *, pinned: bool = False) -> Row:
    return Row(key, (Cell(key, sort=key), Cell(str(value), sort=value)), pinned=pinned)


VIEW = TableView(
    "t",
    "",
    (Column("name", "Name"), Column("value", "Value", "right")),
    (
        row("delta", 2.0),
        row("alpha", None),
        row("Beta", 7.5),
        row("rest", 99.0, pinned=True),
        row("gamma", 2.0),
    ),
)


def keys(sort: Sort | None, needle: str = "") -> list[str]:
    return [each.key for each in arrange(VIEW, sort, needle)]


class TestArrange:
    def test_default_order_with_pinned_rows_last(self) -> None:
        assert keys(None) == ["delta", "alpha", "Beta", "gamma", "rest"]

    def test_unknown_comes_last_in_both_directions(self) -> None:
        assert keys(Sort("value", True)) == ["Beta", "delta", "gamma", "alpha", "rest"]
        assert keys(Sort("value", False)) == ["delta", "gamma", "Beta", "alpha", "rest"]

    def test_names_whatever_their_case(self) -> None:
        assert keys(Sort("name", False)) == ["alpha", "Beta", "delta", "gamma", "rest"]

    def test_an_unknown_column_changes_nothing(self) -> None:
        assert keys(Sort("gone", True)) == keys(None)

    def test_figures_and_texts_in_one_column(self) -> None:
        mixed = TableView("", "", VIEW.columns, (row("a", "x"), row("b", 1.0), row("c", None)))
        assert [each.key for each in arrange(mixed, Sort("value", False), "")] == ["b", "a", "c"]

    def test_filter(self) -> None:
        assert keys(None, "TA") == ["delta", "Beta"]

    def test_first_direction(self) -> None:
        assert first_direction(VIEW, 1)
        assert not first_direction(VIEW, 0)


class TestFollowing:
    def test_goes_round(self) -> None:
        rows = arrange(VIEW, None, "")
        assert following(rows, "beta", 3, 1) == 2
        assert following(rows, "ta", 2, -1) == 2
        assert following(rows, "ta", 1, -1) == 0
        assert following(rows, "nothing", 0, 1) is None
        assert following((), "x", 0, 1) is None
