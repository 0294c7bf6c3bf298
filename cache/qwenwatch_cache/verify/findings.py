"""What a look through the cache found."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import asdict

from qwenwatch_cache.clock import iso
from qwenwatch_cache.frames import Table

Progress = Callable[[str, int, int], None]
"""Told of a feed how many of its bodies are looked through, and how many there are."""


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not as it must be.

    Attributes:
        where: The file below the root of the cache, or the row.
        what: What is wrong with it.
    """

    where: str
    what: str

    def __str__(self) -> str:
        """As one line."""
        return f"{self.where}: {self.what}"


class Findings(msgspec.Struct):
    """What was looked at, and what differs.

    Attributes:
        differences: Every difference, in the order in which they were found.
        parts: Parquet files looked at.
        rows: Rows in those that count.
        bodies: Kept bodies looked at.
        answers: Answers whose rows were derived again from their bodies. A body may have come
            several times.
        apart: Bodies that no good answer in the log tells of: refused answers, and such that a kill
            kept from being logged.
        unread: Answers that were not compared, because this version does not know who reads them.
        left_over: Files that a write which was killed, or is not finished, left beside the parts.
    """

    differences: list[Difference] = msgspec.field(default_factory=list)
    parts: int = 0
    rows: int = 0
    bodies: int = 0
    answers: int = 0
    apart: int = 0
    unread: int = 0
    left_over: int = 0

    def counted(self) -> dict[str, int]:
        """The numbers by name."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}

    def add(self, where: str, what: str) -> None:
        """Note a difference."""
        self.differences.append(Difference(where, what))


def row_name(table: Table, row: dict[str, Any]) -> str:
    """What messages call a row: its table, its key, and when it was learned."""
    key = " ".join(str(row[name]) for name in table.key if row[name] not in ("", table.time))
    learned = row.get(table.time)
    return f"{table.name} {key}" + (f", learned {iso(learned)}" if learned else "")
