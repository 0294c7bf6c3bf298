"""Which windows of other lengths lie where the screen is in time. Imports Polars."""

from contextlib import suppress
from typing import cast

from msgspec.structs import replace

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.windows import TRUNCATE, Grain, Window, steps_to
from qwenwatch_widgets.views.query import TablesQuery

LENGTHS = {"day": 1, "week": 7, "month": 30}
"""Days of the periods whose changes are shown; `qwenwatch changes` tells of a week, too."""


def steps_of(known: Known, query: TablesQuery) -> dict[str, int]:
    """Steps back, by grain, to the window that ends nearest to the one asked about.

    Empty where the newest is shown: the newest of another length is what is wanted then.
    """
    if not query.steps_back:
        return {}
    if query.question == "changes":
        days = query.steps_back * LENGTHS[query.grain]
        return {grain: round(days / length) for grain, length in LENGTHS.items()}
    shown = _window(known, query)
    steps: dict[str, int] = {}
    for grain in TRUNCATE:
        one = 1 if query.question == "prices" else 0  # none back is now, not a window
        with suppress(NothingToShow):
            newest = _window(known, replace(query, grain=grain, steps_back=one))
            if shown and newest:
                steps[grain] = one + steps_to(newest, shown.end)
    return steps


def _window(known: Known, query: TablesQuery) -> Window | None:
    """The window that a question is about, None if it is about none."""
    if query.question == "prices":
        # The first frame does not wait for what it alone needs.
        from qwenwatch.price_pages import window_of

        return window_of(known, query)
    if query.question != "definitions":
        return None
    grain = cast(Grain, query.grain)
    return known.choose_window(known.choose_definition(grain), grain, None, query.steps_back)
