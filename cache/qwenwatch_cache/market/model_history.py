"""The prices of some models at all times: every change, and the steps that are believed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple

import polars as pl

from qwenwatch_cache.frames import conform
from qwenwatch_cache.market.changes import percent
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.price_history import PRICE_HISTORY
from qwenwatch_cache.market.price_steps import FIELDS, PRICE_STEPS, price_steps
from qwenwatch_cache.market.terms import Terms

WHOLE = ("listed", "schedule", "tiers")
"""Changes of a whole offer, without which gaps in its prices have no reason."""

_TILE = (
    *("basis", "feed", "source_id", "provider", "region", "variant", "currency", "tier_from"),
    "window_utc",
)
_NAMED = {"model": pl.String(), "name": pl.String(), "source_id": pl.String()}

MODEL_CHANGES = pl.Schema(
    {
        **_NAMED,  # canonical id, name for people, the feed's own id
        **{name: kind for name, kind in PRICE_HISTORY.items() if name != "model"},
        "percent": pl.Float64(),  # how much more it is, null where one side is unknown or 0
    }
)

MODEL_STEPS = pl.Schema(
    {**_NAMED, **{name: kind for name, kind in PRICE_STEPS.items() if name != "model"}}
)


class ModelHistory(NamedTuple):
    """The answer.

    Attributes:
        changes: MODEL_CHANGES, oldest first, of input, output, cached input and whole offers.
        steps: MODEL_STEPS by offer, oldest first: the last step of a time holds until the next.
    """

    changes: pl.DataFrame
    steps: pl.DataFrame


def model_history(
    known: Known, models: Sequence[str], terms: Terms, since: date | None
) -> ModelHistory:
    """The prices of some models at all times.

    Args:
        known: What was known.
        models: Canonical ids.
        terms: Which offers are wanted: basis, region and variant count.
        since: First day wanted, None for all. Of the steps the one that was in force as that day
            began is there as well, at its own time.
    """
    history = known.price_history(models=set(models))
    steps = price_steps(known.directory.of_models(known.price, models), history)
    changes = history.filter(pl.col("field").is_in([*FIELDS, *WHOLE]))
    # A 0 that stands for nothing is no fall by 100 %.
    ratio = pl.when(~pl.col("mark").is_in(["known", "unknown"])).then("ratio")
    changes = changes.with_columns(percent=ratio.map_elements(percent, return_dtype=pl.Float64))
    changes, steps = (known.directory.named(terms.of(rows)) for rows in (changes, steps))
    steps = steps.sort("model", *_TILE, "at")
    if since is not None:
        begin = pl.lit(datetime.combine(since, time.min, UTC))
        changes = changes.filter(pl.col("at") >= begin)
        until = pl.col("at").shift(-1).over("model", *_TILE)
        steps = steps.filter((until > begin).fill_null(value=True))
    changes = changes.sort("at", "model", *_TILE, "field")
    return ModelHistory(conform(changes, MODEL_CHANGES), conform(steps, MODEL_STEPS))
