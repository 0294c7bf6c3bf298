"""The answer to one question, as every printer wants it: pages for people, rows for programs."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from qwenwatch_cache.clock import is_replayed, iso
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.sources import source_row
from qwenwatch_widgets.views.table import TableView

if TYPE_CHECKING:
    from qwenwatch_cache.market.origins import Origin

SCHEMA_VERSION = 1
"""Of every JSON document; docs/snapshot.schema.json describes that of a snapshot."""


class Page(msgspec.Struct, frozen=True):
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


class Answer:
    """An answer in both forms.

    Attributes:
        page: For people.
        parts: The keys of `document` that hold lists of rows, `sources` included: what NDJSON and
            CSV print line by line. Objects within a row become columns of a CSV (`window_start`).
    """

    def __init__(
        self, page: Page, document: Callable[[], dict[str, Any]], parts: Sequence[str]
    ) -> None:
        """Take both forms; the document is made when somebody wants it, which people seldom do."""
        self.page = page
        self.parts = parts
        self._document = document

    @cached_property
    def document(self) -> dict[str, Any]:
        """The JSON document: plain values, shares are fractions, times ISO 8601 UTC, unknown is
        null. It has `schema_version` and `sources`.
        """
        return self._document()


def framed(known_at: datetime, origins: Iterable["Origin"], **asked: object) -> dict[str, Any]:
    """What the JSON documents of all answers begin with.

    Args:
        known_at: Nothing learned later was used.
        origins: Where the figures came from.
        asked: What was asked, and what holds for all of the answer; lists of rows are added.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "replayed": is_replayed(),
        "known_at": iso(known_at),
        **asked,
        "sources": [source_row(origin, known_at) for origin in origins],
    }


def known_lines(known_at: datetime) -> list[str]:
    """As of when an answer is, and whether time is played."""
    return [f"known at {amounts.instant(known_at)}", *(["replayed"] if is_replayed() else [])]
