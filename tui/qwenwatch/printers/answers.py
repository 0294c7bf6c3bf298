"""The answer to a question in each of the formats."""

import io
import json
from collections.abc import Iterator
from typing import Any

from qwenwatch.printers.text import print_markdown, print_text
from qwenwatch_widgets.views.answer import Answer


def print_answer(answer: Answer, form: str, *, colour: bool) -> str:
    """An answer as text.

    Args:
        answer: What to print.
        form: "text", "md", "json", "ndjson" (first what was asked, then a line per row) or "csv"
            (a line per row of every part but the sources, under the columns of all of them).
        colour: Whether "text" is coloured.
    """
    if form == "text":
        return print_text(answer.page, colour=colour)
    if form == "md":
        return print_markdown(answer.page)
    if form == "json":
        return json.dumps(answer.document, ensure_ascii=False, indent=2) + "\n"
    if form == "ndjson":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _lines(answer))
    return _csv(answer)


def _lines(answer: Answer) -> Iterator[dict[str, Any]]:
    plain = answer.document
    asked = {key: value for key, value in plain.items() if key not in answer.parts}
    yield {"section": "question", **asked}
    yield from _rows(answer, *answer.parts)


def _rows(answer: Answer, *parts: str) -> Iterator[dict[str, Any]]:
    for part in parts:
        for row in answer.document[part]:
            yield {"section": part, **row}


def _csv(answer: Answer) -> str:
    import csv  # which few want

    parts = (part for part in answer.parts if part != "sources")
    rows = [_flat(row) for row in _rows(answer, *parts)]
    columns = dict.fromkeys(column for row in rows for column in row)
    target = io.StringIO()
    writer = csv.DictWriter(target, list(columns) or ["section"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row without objects and lists: `window` with `start` becomes `window_start`."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}_{inner}": each for inner, each in value.items()}
        elif isinstance(value, list):
            flat[name] = ", ".join(map(str, value))
        else:
            flat[name] = value
    return flat
