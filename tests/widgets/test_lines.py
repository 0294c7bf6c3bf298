"""Lines of tables and panels, drawn without an app."""

from collections import defaultdict

import pytest
from msgspec.structs import replace
from rich.style import Style
from textual.geometry import Size

from qwenwatch_widgets.columns import place
from qwenwatch_widgets.lattice import Lattice
from qwenwatch_widgets.order import Sort
from qwenwatch_widgets.panel_lines import panel_edges, panel_lines
from qwenwatch_widgets.table_lines import header_line, row_line, wanted_widths
from qwenwatch_widgets.views.market import PanelLine, PanelView
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView

PAINT = defaultdict(
    Style,
    {"": Style(), "up": Style(color="green"), "dim": Style(dim=True), "focus": Style(bold=True)},
)

ROW = Row(
    "alibaba",
    (
        Cell("13", sort=13),
        Cell("阿里巴巴 · Qwen"),
        Cell("0.7 %", "up", 0.7),
        Cell(series=(0.0, None, 1.0)),
    ),
)
VIEW = TableView(
    "Leaders",
    "",
    (
        Column("rank", "#", "right"),
        Column("name", "Vendor", grow=True),
        Column("share", "Share", "right"),
        Column("history", "3 wk", width=4),
    ),
    (ROW,),
)
PANEL = PanelView(
    vendor="alibaba",
    title="13 Alibaba · Qwen",
    country="CN",
    value="0.53T",
    share="0.7 %",
    change="▲ +0.2 pp",
    change_tone="up",
    series=tuple(float(value) for value in range(26)),
    scale="26 wk, 0–1 %",
    models=(PanelLine("qwen3.7-max", "0.21T"), PanelLine("qwen3.6-35b-a3b", "0.14T")),
    route="route $1.25/3.75 – $12.00/36.00",
    list="list –",
    cite="",
)


class TestTableLines:
    def test_row(self) -> None:
        placed = place(VIEW.columns, wanted_widths(VIEW, None), 34)
        line = row_line(ROW, placed, 34, PAINT)
        assert line.text == " 13  阿里巴巴 · Qwen  0.7 %   ▁ ▇ "
        assert line.cell_length == 34
        tones = [segment.style for segment in line if "0.7 %" in segment.text]
        assert tones == [Style(color="green")]

    def test_header_marks_the_sort(self) -> None:
        sort = Sort("share", True)
        placed = place(VIEW.columns, wanted_widths(VIEW, sort), 40)
        assert "Share ▾" in header_line(placed, sort, 40, PAINT).text

    def test_mark_match_and_cursor(self) -> None:
        placed = place(VIEW.columns, wanted_widths(VIEW, None), 34)
        match, over = Style(underline=True), Style(bgcolor="blue")
        line = row_line(ROW, placed, 34, PAINT, over=over, marked=True, found="QWEN", match=match)
        assert line.text.startswith("•")
        found = [each.text for each in line if each.style and each.style.underline]
        assert found == ["Qwen"]
        assert all(each.style and each.style.bgcolor for each in line)

    def test_feed_text_is_never_markup(self) -> None:
        evil = replace(ROW, cells=(*ROW.cells[:1], Cell("[red]x[/]\x1b[2J"), *ROW.cells[2:]))
        placed = place(VIEW.columns, [2, 20, 6, 4], 60)
        assert "[red]x[/][2J " in row_line(evil, placed, 60, PAINT).text


class TestPanelLines:
    def lines(self, cells: int, height: int, view: PanelView = PANEL) -> list[str]:
        return [line.text for line in panel_lines(view, cells, height, PAINT)]

    def test_least_size(self) -> None:
        assert self.lines(30, 7) == [
            "╭ 13 Alibaba · Qwen CN ──────╮",
            "│   0.53T    0.7 % ▲ +0.2 pp │",
            "│ ▁▁▁▂▂▂▂▃▃▃▃▄▄▄▄▅▅▅▅▆▆▆▆▇▇▇ │",
            "│ qwen3.7-max          0.21T │",
            "│ qwen3.6-35b-a3b      0.14T │",
            "│ route $1.25/3.75–…         │",
            "╰───────────── 26 wk, 0–1 % ─╯",
        ]

    @pytest.mark.parametrize("cells", [30, 33, 59, 60, 80, 160])
    @pytest.mark.parametrize("height", [3, 4, 7, 8, 12])
    def test_always_fills_its_place(self, cells: int, height: int) -> None:
        views = (PANEL, replace(PANEL, series=(), models=(), scale="", title="x" * 200))
        for view in views:
            drawn = panel_lines(view, cells, height, PAINT)
            assert [line.cell_length for line in drawn] == [cells] * height

    def test_selection_shows_without_colour(self) -> None:
        upper, lower = panel_edges(PANEL, 30, PAINT, selected=True)
        assert upper.text.startswith("┍") and lower.text.endswith("┙")

    def test_a_cut_series_says_so(self) -> None:
        long = replace(PANEL, series=(1.0,) * 53, scale="53 wk, 0–1 %")
        assert "newest 30 of 53 wk" in self.lines(34, 7, long)[-1]
        assert " 53 wk, 0–1 % " in self.lines(120, 7, long)[-1]


class TestLattice:
    @pytest.mark.parametrize("size", [(92, 28), (132, 36), (100, 27), (30, 14), (200, 60)])
    def test_whole_panels_fill_what_is_in_sight(self, size: tuple[int, int]) -> None:
        lattice = Lattice.fitting(Size(*size), 40)
        assert lattice.left(lattice.columns) == size[0]
        assert lattice.top(lattice.rows_in_sight) == size[1]
        for index in range(40):
            panel = lattice.panel(index)
            assert panel.width >= 30 and panel.height >= 7
            for line in (panel.y, panel.bottom - 1):
                assert lattice.at(panel.x, line) == lattice.at(panel.right - 1, line) == index

    def test_one_panel_high_is_one_panel_wide(self) -> None:
        assert Lattice.fitting(Size(160, 7), 21).panel(0).size == Size(160, 7)

    def test_no_room_and_no_panels(self) -> None:
        assert Lattice.fitting(Size(0, 0), 0).height == 0
        assert Lattice.fitting(Size(10, 2), 3).columns == 1
