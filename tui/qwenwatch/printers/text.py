"""Pages as plain text and as Markdown."""

from collections.abc import Sequence

from qwenwatch_widgets.sparks import sparkline
from qwenwatch_widgets.text import fit, width
from qwenwatch_widgets.views.answer import Page
from qwenwatch_widgets.views.table import Cell, Column, TableView, Tone

WIDEST = 160
"""Cells of a line; what says something of a whole table goes on in the next one."""

_ANSI: dict[Tone, str] = {
    "dim": "2",
    "up": "32",
    "down": "31",
    "accent": "1",
    "warn": "33",
    "bad": "31;1",
}


def print_text(page: Page, *, colour: bool) -> str:
    """A page for a terminal or a mail; colour adds nothing but colour."""
    parts = [_bold(page.title, colour), *_folded(" · ".join(page.lines)), ""]
    for table in page.tables:
        parts += [table_text(table, colour=colour), ""]
    return "\n".join([*parts, *page.sources]) + "\n"


def print_markdown(page: Page) -> str:
    """A page as GitHub Markdown, fit for a step summary or an issue."""
    parts = [f"# {_escape(page.title)}", "", _escape(" · ".join(page.lines)), ""]
    for table in page.tables:
        parts += [f"## {_escape(table.title)}", "", _escape(table.caption), ""]
        parts += [*_markdown_table(table), ""]
    return "\n".join([*parts, *(f"- {_escape(source)}" for source in page.sources)]) + "\n"


def table_text(table: TableView, *, colour: bool) -> str:
    """A table with its heading, every column as wide as its widest cell."""
    lines = [_bold(table.title, colour), *_folded(table.caption)]
    if not table.rows:
        return "\n".join([*lines, table.empty])
    widths = [
        max([width(column.title), *(width(_text(row.cells[at], column)) for row in table.rows)])
        for at, column in enumerate(table.columns)
    ]
    headings = [Cell(column.title, "dim") for column in table.columns]
    lines.append(_line(headings, table, widths, colour))
    lines += [_line(row.cells, table, widths, colour) for row in table.rows]
    return "\n".join(lines)


def _line(cells: Sequence[Cell], table: TableView, widths: Sequence[int], colour: bool) -> str:
    parts = []
    for cell, column, cells_wide in zip(cells, table.columns, widths, strict=True):
        text = fit(_text(cell, column), cells_wide, column.align)
        code = _ANSI.get(cell.tone)
        parts.append(f"\x1b[{code}m{text}\x1b[0m" if colour and code else text)
    return "  ".join(parts).rstrip()


def _text(cell: Cell, column: Column) -> str:
    if cell.series is None:
        return cell.text
    return sparkline(cell.series[-column.width :], column.width)[0]


def _markdown_table(table: TableView) -> list[str]:
    if not table.rows:
        return [_escape(table.empty)]
    rules = ["--:" if column.align == "right" else ":--" for column in table.columns]
    rows = [[column.title for column in table.columns], rules]
    rows += [
        [_text(cell, column).strip() for cell, column in zip(row.cells, table.columns, strict=True)]
        for row in table.rows
    ]
    escaped = [rows[1] if row is rules else [_escape(cell) for cell in row] for row in rows]
    return ["| " + " | ".join(row) + " |" for row in escaped]


def _folded(text: str) -> Sequence[str]:
    """A text in lines of `WIDEST` cells, broken between its parts."""
    first, *parts = text.split(" · ")
    lines = [first]
    for part in parts:
        longer = f"{lines[-1]} · {part}"
        if width(longer) <= WIDEST:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def _escape(text: str) -> str:
    """Feed text must not become Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in text)


def _bold(text: str, colour: bool) -> str:
    return f"\x1b[1m{text}\x1b[0m" if colour else text
