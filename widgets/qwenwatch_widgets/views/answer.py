"""The answer to one question, as every printer wants it: pages for people, rows for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qwenwatch_widgets.views.table import TableView


@dataclass(frozen=True, slots=True)
class Page:
    """Headed tables for people.

    Attributes:
        title: What it is of.
        lines: What holds for all of it.
        tables: In reading order.
        sources: One line per source.
    """

    title: str
    lines: Sequence[str]
    tables: Sequence[TableView]
    sources: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in both forms.

    Attributes:
        page: For people.
        document: The JSON document: plain values, shares are fractions, times ISO 8601 UTC,
            unknown is null. It has `schema_version` and `sources`.
        parts: The keys of `document` that hold lists of rows (flat objects), `sources` included:
            what NDJSON and CSV print line by line.
    """

    page: Page
    document: dict[str, Any]
    parts: Sequence[str]
