"""What changed, as the screen shows it on the bundled baseline where there is little room."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from qwenwatch.config import Config
from qwenwatch.pages import answer_tables
from qwenwatch.session import Session
from qwenwatch_widgets.columns import place
from qwenwatch_widgets.table_lines import wanted_widths
from qwenwatch_widgets.views.query import TablesQuery

ROOM = 76
"""Cells of a table in a terminal of 80: without borders, scroll bar and a mark."""


@pytest.mark.parametrize("grain", ["day", "week", "month"])
def test_no_figure_of_changes_is_cut_at_80_columns(tmp_path: Path, grain: str) -> None:
    config = Config(tmp_path / "config.toml", cache_dir=tmp_path / "cache")
    now = datetime(2026, 8, 22, 12, tzinfo=UTC)
    session = Session.open(config, lambda: now, offline=True)
    view = answer_tables(session, TablesQuery("changes", grain))
    assert view.headline.source.endswith(f" · +{len(view.sources) - 1} more (?)")
    filled = [table for table in view.tables if table.rows]
    assert len(filled) > 2
    for table in filled:
        wanted = wanted_widths(table, None)
        placed = place(table.columns, wanted, ROOM)
        assert placed[-1].x + placed[-1].width <= ROOM
        for one in placed:
            assert one.width >= wanted[one.at] or one.column.grow, one.column.title
        shown = {one.column.key for one in placed}
        assert "name" in shown or "model" in shown
        if table.title.startswith("Prices · "):
            assert {"input", "change"} <= shown
            assert "Also: other prices" in table.caption
