"""One vendor's panel, drawn from its view and nothing else."""

from textual.strip import Strip

from qwenwatch_widgets.canvas import Paint, Piece, strip
from qwenwatch_widgets.sparks import sparkline
from qwenwatch_widgets.text import fit, plain, width
from qwenwatch_widgets.views.market import PanelView

LEAST_WIDTH = 30
"""A frame with a space at each side, and 26 weeks."""

LEAST_HEIGHT = 7
"""A frame with figures, sparkline, two models and a price."""

_CHART_FROM = 56
"""Inner width from which the series is drawn as a chart beside the text."""

_TEXT_CELLS = 34
_MOST_TEXT_CELLS = 44

_AT_REST = "╭─╮╰╯"
_SELECTED = "┍━┑┕┙"
_SIDE = "│"
"""The sides stay as they are: moving the selection repaints four lines instead of fourteen."""


def panel_lines(
    view: PanelView, cells: int, height: int, paint: Paint, *, ascii_only: bool = False
) -> tuple[Strip, ...]:
    """Draw a panel at rest.

    Args:
        view: The vendor.
        cells: Width, with the frame.
        height: Lines, with the frame.
        paint: Styles.
        ascii_only: Whether the sparkline does without block elements.

    Returns:
        The lines, from the top down.
    """
    inner, rows = cells - 4, height - 2
    draw = _with_chart if inner >= _CHART_FROM else _stacked
    frame = paint["frame"]
    body = [
        strip(
            [(f"{_SIDE} ", frame), *_filled(pieces, inner, paint), (f" {_SIDE}", frame)],
            cells,
            paint[""],
        )
        for pieces in draw(view, inner, rows, paint, ascii_only)
    ]
    top, bottom = panel_edges(view, cells, paint)
    return (top, *body, bottom)


def panel_edges(
    view: PanelView, cells: int, paint: Paint, *, selected: bool = False, focused: bool = False
) -> tuple[Strip, Strip]:
    """Draw the upper and the lower edge of a panel.

    Args:
        view: The vendor.
        cells: Width, with the frame.
        paint: Styles.
        selected: Whether it is the selected panel; its edges are heavier, whatever the colours.
        focused: Whether the keys go to it.

    Returns:
        Both edges.
    """
    corner, edge, end, bottom, bottom_end = tuple(_SELECTED if selected else _AT_REST)
    frame = paint["focus" if focused else "dim" if selected else "frame"]
    inner = cells - 4
    title = plain(view.title)
    country = f" {plain(view.country)}" if view.country else ""
    title = fit(title, min(width(title), max(1, inner - width(country) - 1)))
    heading = [
        (f"{corner} ", frame),
        (title, paint["accent" if focused else "strong"]),
        (country, paint["dim"]),
        (" ", frame),
    ]
    left = cells - 1 - sum(width(text) for text, _ in heading)
    upper = strip([*heading, (edge * left + end, frame)], cells, paint[""])
    scale = _scale(view, inner)
    scale = f" {scale} " if scale and width(scale) <= inner - 2 else ""
    left = cells - 3 - width(scale)
    pieces = [(bottom + edge * left, frame), (scale, paint["dim"]), (edge + bottom_end, frame)]
    return upper, strip(pieces, cells, paint[""])


def _stacked(
    view: PanelView, cells: int, rows: int, paint: Paint, ascii_only: bool
) -> list[list[Piece]]:
    spark_rows = 1 if rows < 8 else 2
    spark = sparkline(view.series, cells, height=spark_rows, airy=True, ascii_only=ascii_only)
    lines = [_figures(view, cells, paint), *([(row, paint["spark"])] for row in spark)]
    lines += _details(view, cells, rows - len(lines), paint)
    return lines[:rows]


def _with_chart(
    view: PanelView, cells: int, rows: int, paint: Paint, ascii_only: bool
) -> list[list[Piece]]:
    shown, bar = _bars(view, cells)
    chart_cells = bar * shown
    text_cells = min(_MOST_TEXT_CELLS, cells - chart_cells - 3)
    chart = sparkline(view.series, chart_cells, height=rows, bar=bar, ascii_only=ascii_only)
    gap = " " * (cells - text_cells - chart_cells)
    text = [_figures(view, text_cells, paint), *_details(view, text_cells, rows - 1, paint)]
    text += [[]] * (rows - len(text))
    lines = [
        [*_filled(pieces, text_cells, paint), (gap + row, paint["spark"])]
        for pieces, row in zip(text, chart, strict=False)
    ]
    return lines


def _figures(view: PanelView, cells: int, paint: Paint) -> list[Piece]:
    figures = f"{plain(view.value):>7} {plain(view.share):>8}"
    change = plain(view.change)
    return [
        (figures, paint["strong"]),
        (fit(f" {change}", cells - width(figures), "right"), paint[view.change_tone]),
    ]


def _details(view: PanelView, cells: int, rows: int, paint: Paint) -> list[list[Piece]]:
    prices = [text for text in (view.route, view.list) if text]
    # With little room the second price goes first, then models, then the first price.
    kept = prices[: 2 if rows >= 4 else 1] if rows >= 2 else []
    lines = []
    for line in view.models[: max(0, rows - len(kept))]:
        text = plain(line.text)
        name = fit(plain(line.name), max(0, cells - width(text) - 1))
        lines.append([(name, paint[""]), (" ", paint[""]), (text, paint["dim"])])
    lines += [[] for _ in range(rows - len(lines) - len(kept))]
    return lines + [[(_price(price, cells), paint["dim"])] for price in kept]


def _price(text: str, cells: int) -> str:
    text = plain(text)
    for long, short in ((" – ", "–"), ("–$", "–")):
        if width(text) > cells:
            text = text.replace(long, short)
    if width(text) > cells and "–" in text:
        # Half a number would be another number.
        text = text.partition("–")[0] + "–…"
    return fit(text, cells)


def _bars(view: PanelView, cells: int) -> tuple[int, int]:
    """How many values of the series are drawn, and how wide each one."""
    room = cells - _TEXT_CELLS - 3 if cells >= _CHART_FROM else cells
    values = max(1, len(view.series))
    bar = max(1, room // values) if cells >= _CHART_FROM else 1
    return min(len(view.series), room // bar), bar


def _scale(view: PanelView, cells: int) -> str:
    scale, (shown, _) = plain(view.scale), _bars(view, cells)
    # The scale names the whole series: where only its newest part is drawn, that is said.
    return scale if shown == len(view.series) else f"newest {shown} of {scale}"


def _filled(pieces: list[Piece], cells: int, paint: Paint) -> list[Piece]:
    free = cells - sum(width(text) for text, _ in pieces)
    return [*pieces, (" " * free, paint[""])] if free > 0 else pieces
