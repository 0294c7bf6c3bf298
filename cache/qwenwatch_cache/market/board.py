"""A leaderboard with what it is of."""

import msgspec
import polars as pl

from qwenwatch_cache.market.definitions import By, Definition
from qwenwatch_cache.market.origins import Origin
from qwenwatch_cache.market.windows import Window


class Board(msgspec.Struct, frozen=True):
    """A leaderboard with what it is of.

    Attributes:
        definition: What was counted.
        by: Grouping.
        window: When.
        rows: leaderboard.LEADERBOARD.
        total: Sum of the values, None where only shares are published.
        previous_total: The same of the window before, None if unknown.
        complete: Whether every day of the window is there.
        scope: What the source counted, in its words.
        origin: Where the figures came from.
    """

    definition: Definition
    by: By
    window: Window
    rows: pl.DataFrame
    total: int | None
    previous_total: int | None
    complete: bool
    scope: str
    origin: Origin
