"""The lines of a table, drawn from its view and nothing else."""

from collections.abc import Iterator, Sequence

from rich.style import Style
from textual.strip import Strip

from qwenwatch_widgets.canvas import Paint, Piece, strip
from qwenwatch_widgets.columns import Placed
from qwenwatch_widgets.order import Sort
from qwenwatch_widgets.sparks import sparkline
from qwenwatch_widgets.text import fit, plain, width
from qwenwatch_widgets.views.table import Column, Row, TableView

MARK = "•"


def wanted_widths(view: TableView, sort: Sort | None) -> list[int]:
    """Measure the cells that each column needs for its heading and its widest text."""
    wanted = []
    for index, column in enumerate(view.columns):
        widest = column.width or max(
            (width(plain(row.cells[index].text)) for row in view.rows), default=0
        )
        wanted.append(max(widest, width(_heading(column, sort))))
    return wanted


def header_line(placed: Sequence[Placed], sort: Sort | None, cells: int, paint: Paint) -> Strip:
    """Draw the headings.

    Args:
        placed: Columns shown.
        sort: Column that the rows are sorted by, its heading is marked.
        cells: Width of the line.
        paint: Styles.

    Returns:
        The line.
    """
    pieces: list[Piece] = []
    x = 0
    for each in placed:
        sorted_by = sort is not None and sort.column == each.column.key
        style = paint["accent"] if sorted_by else paint["dim"]
        pieces.append((" " * (each.x - x), paint[""]))
        pieces.append((fit(_heading(each.column, sort), each.width, each.column.align), style))
        x = each.x + each.width
    return strip(pieces, cells, paint[""])


def row_line(
    row: Row,
    placed: Sequence[Placed],
    cells: int,
    paint: Paint,
    *,
    over: Style | None = None,
    marked: bool = False,
    found: str = "",
    match: Style | None = None,
    ascii_only: bool = False,
) -> Strip:
    """Draw a row.

    Args:
        row: The row.
        placed: Columns shown.
        cells: Width of the line.
        paint: Styles.
        over: Style laid over the whole row (the cursor's).
        marked: Whether the row is marked.
        found: Text to point out.
        match: Style of the text pointed out.
        ascii_only: Whether sparklines do without block elements.

    Returns:
        The line.
    """
    pieces: list[Piece] = [(MARK if marked else " ", paint["accent"])]
    x = 1
    rest = paint["dim"] if row.pinned else paint[""]
    for each in placed:
        cell = row.cells[each.at]
        pieces.append((" " * (each.x - x), paint[""]))
        x = each.x + each.width
        if cell.series is not None:
            # The heading names the windows in sight, so the highest of those is the full bar.
            shown = cell.series[-each.width :]
            (spark,) = sparkline(shown, each.width, airy=True, ascii_only=ascii_only)
            pieces.append((spark, paint[cell.tone or "spark"]))
            continue
        style = paint[cell.tone] if cell.tone else rest
        text = fit(plain(cell.text), each.width, each.column.align)
        pieces.extend(_pointed_out(text, found, style, style + match if match else style))
    line = strip(pieces, cells, paint[""])
    return line if over is None else _laid_over(line, over)


def _heading(column: Column, sort: Sort | None) -> str:
    title = plain(column.title)
    if sort is None or sort.column != column.key:
        return title
    return f"{title} {'▾' if sort.descending else '▴'}"


def _pointed_out(text: str, found: str, style: Style, match: Style) -> Iterator[Piece]:
    start = text.casefold().find(found.casefold()) if found else -1
    # Case folding may change the length of a text; then the place found means nothing in it.
    if start < 0 or len(text.casefold()) != len(text):
        yield text, style
        return
    end = start + len(found)
    yield text[:start], style
    yield text[start:end], match
    yield text[end:], style


def _laid_over(line: Strip, over: Style) -> Strip:
    return Strip(
        [segment._replace(style=(segment.style or Style()) + over) for segment in line],
        line.cell_length,
    )
