"""Which rows of a table are in sight: each is on the line on which it is drawn."""

from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_widgets.sight import Sight


@st.composite
def sights(draw: st.DrawFn) -> Sight:
    rows = draw(st.integers(0, 60))
    pins = draw(st.integers(0, min(rows, 3)))
    lines = draw(st.integers(1, 30))
    unscrolled = Sight(rows, pins, lines, 0)
    last = max(0, rows - unscrolled.pinned - unscrolled.body)
    return unscrolled._replace(top=draw(st.integers(0, last)))


def test_pinned_rows_stay_on_the_last_lines() -> None:
    sight = Sight(rows=20, pins=1, lines=8, top=5)
    assert [sight.row_at(line) for line in range(9)] == [5, 6, 7, 8, 9, 10, 11, 19, None]
    assert sight.line_of(19) == 7
    # With two lines left for the others they scroll like these.
    assert [Sight(20, 1, 3, 5).row_at(line) for line in range(3)] == [5, 6, 7]


def test_few_rows_leave_lines_empty() -> None:
    sight = Sight(rows=2, pins=1, lines=8, top=0)
    assert [sight.row_at(line) for line in range(3)] == [0, 1, None]


@given(sights())
@settings(deadline=None, database=None)
def test_rows_and_lines_answer_each_other(sight: Sight) -> None:
    shown = [sight.row_at(line) for line in range(sight.lines)]
    rows = [row for row in shown if row is not None]
    assert len(rows) == len(set(rows)) == min(sight.rows, sight.lines)
    for row in range(sight.rows):
        assert sight.line_of(row) == (shown.index(row) if row in shown else None)


@given(sights(), st.data())
@settings(deadline=None, database=None)
def test_any_row_can_be_brought_into_sight(sight: Sight, data: st.DataObject) -> None:
    if not sight.rows:
        return
    row = data.draw(st.integers(0, sight.rows - 1))
    top = sight.top_for(row)
    moved = sight if top is None else sight._replace(top=top)
    assert row in [moved.row_at(line) for line in range(sight.lines)]
