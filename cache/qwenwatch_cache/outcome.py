"""What became of one feed in a round over the feeds."""

from datetime import datetime
from typing import Literal

import msgspec

State = Literal["stored", "unchanged", "not due", "on demand", "off", "no key", "failed"]

NEWS: frozenset[State] = frozenset({"stored", "unchanged", "failed"})
"""Outcomes after which an answer may be another one, be it only by its age."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one feed in a round.

    Attributes:
        feed: Its name.
        state: "stored" (asked and read), "unchanged" (asked, same as before), "not due",
            "on demand" (asked about single models only), "off", "no key" or "failed".
        rows: Entries that the answers held.
        rows_new: Rows that were stored.
        message: What happened, for people; the error if it failed.
        due: When it may be asked again.
        refused: Entries that were not kept, by rule.
        notes: What was wrong with some of them.
        doubted: Prices that jumped, which are not shown before they have stood for a while.
    """

    feed: str
    state: State
    rows: int = 0
    rows_new: int = 0
    message: str = ""
    due: datetime | None = None
    refused: dict[str, int] = msgspec.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()
