"""The answer to one question, as every printer wants it: pages for people, rows for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qwenwatch_widgets.views.market import Headline
from qwenwatch_widgets.views.table import TableView, Tone

SCHEMA_VERSION = 1
"""Of every JSON document; docs/snapshot.schema.json describes that of a snapshot."""


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
        parts: The keys of `document` that hold lists of rows, `sources` included: what NDJSON and
            CSV print line by line. Objects within a row become columns of a CSV (`window_start`).
    """

    page: Page
    document: dict[str, Any]
    parts: Sequence[str]


@dataclass(frozen=True, slots=True)
class TablesView:
    """The answer to a question on the screen.

    Attributes:
        headline: What the figures are, above and below the tables.
        tables: One below the other.
        sources: One line per source.
    """

    headline: Headline
    tables: tuple[TableView, ...]
    sources: tuple[str, ...]


def tables_view(page: Page, *, window: str, health: tuple[str, Tone]) -> TablesView:
    """A page for the screen.

    Args:
        page: The answer for people; its first line says what holds for all of it.
        window: The time that it is about.
        health: One line about the feeds, and its tone.
    """
    first, *others = (*page.lines, "")
    text, tone = health
    headline = Headline(
        window=window,
        badge="",
        badge_tone="",
        summary=first,
        caveat=" · ".join(line for line in others if line),
        source=" · ".join(page.sources[:1]),
        health=text,
        health_tone=tone,
    )
    return TablesView(headline, tuple(page.tables), tuple(page.sources))
