"""OpenRouter Data API, classifications/task: shares of requests and tokens per kind of task.

Facts (OpenRouterTeam/docs openapi.yaml and the Data API cookbook, read 2026-08-22; no real body is
recorded, so this reads the documented shape and is proven on hand-written bodies only): the
trailing 7 days; sampled, shares only; a task's share is of all *classified* traffic, what could not
be classified is left out before; a model's share is of its task, only the top models are listed,
and they may add up to less than 1. There is no `meta`: `as_of` is a day inside `data`, the last one
of the window, and stands for it in `period`; as a moment it is the beginning of that day.

Category totals are the sums of their tasks: they are counted, not kept.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
import polars as pl

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import Count, Done, Feed, Parsed, Request, decode, refuse_empty
from qwenwatch_cache.feeds.openrouter_data import HOST, KEY_ENV, KIN, LICENCE, instant
from qwenwatch_cache.frames import TASK, conform

NAME = "openrouter-tasks"
PATH = "/api/v1/classifications/task"
METRICS = ("requests", "tokens")
WHOLE = 1.02  # what the shares of one total may add up to at most, roundings granted


class _Model(msgspec.Struct):
    id: str
    tag_usage_share: float
    tag_token_share: float


class _Task(msgspec.Struct):
    tag: str
    display_name: str
    macro_category: str
    usage_share: float
    token_share: float
    models: list[_Model]


class _Data(msgspec.Struct):
    as_of: str
    classifications: list[_Task]
    window_days: Count | None = None
    macro_categories: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Body(msgspec.Struct):
    data: _Data


def parse(body: bytes, fetched_at: datetime) -> Parsed:
    """Read task shares: per metric a row for each task and one for each of its models.

    Raises:
        FeedError: Not the documented shape, no tasks, a share outside 0–1, a task or a model twice,
            or shares that add up to more than 1. All are shares of one total, so a bad one refuses
            the whole answer.
    """
    data = decode(NAME, body, _Body).data
    refuse_empty(NAME, data.classifications, "tasks")
    as_of = instant(NAME, "data.as_of", data.as_of)
    frame = pl.DataFrame(
        [
            {
                "feed": NAME,
                "metric": metric,
                "task": task.tag,
                "task_name": task.display_name,
                "category": task.macro_category,
                "model": model,
                "period": as_of.date(),
                "window_days": data.window_days,
                "share": _share(share, metric, model or task.tag),
                "as_of": as_of,
                "observed_at": fetched_at,
            }
            for task in data.classifications
            for model, shares in _entries(task)
            for metric, share in zip(METRICS, shares, strict=True)
        ],
        schema=TASK,
    )
    _refuse_what_does_not_fit_together(frame)
    categories = len(data.macro_categories)
    return Parsed(
        {"task": conform(frame, TASK)},
        frame.height // len(METRICS) + categories,
        {"category totals, sums of their tasks": categories},
    )


def plan(now: datetime, done: Sequence[Done]) -> Sequence[Request]:
    """One request; only the window of 7 days is offered."""
    return [Request(f"{PATH}?window=7d", parse)]


def _entries(task: _Task) -> Iterator[tuple[str, tuple[float, float]]]:
    """The task itself as model "", then its models, each with its shares in order of `METRICS`."""
    yield "", (task.usage_share, task.token_share)
    for model in task.models:
        yield model.id, (model.tag_usage_share, model.tag_token_share)


def _share(share: float, metric: str, of: str) -> float:
    rounded = round(share, 12)  # a sum of floats may pass 1 by its noise
    if not 0 <= rounded <= 1:
        raise FeedError(f"{NAME}: the share of {metric} of {of[:40]!r} is {share}, expected 0 to 1")
    return rounded


def _refuse_what_does_not_fit_together(frame: pl.DataFrame) -> None:
    twice = frame.filter(pl.struct("metric", "task", "model").is_duplicated())
    if not twice.is_empty():
        task, model = twice.select("task", "model").row(0)
        raise FeedError(f"{NAME}: {(model or task)[:40]!r} stands twice")
    # A task is a share of everything, a model is one of its task.
    total = pl.when(pl.col("model") == "").then(pl.lit("all tasks")).otherwise(pl.col("task"))
    sums = frame.group_by("metric", total.alias("of"), pl.col("model") == "").agg(
        pl.col("share").sum()
    )
    above = sums.filter(pl.col("share") > WHOLE).sort("metric", "of", "model")
    if not above.is_empty():
        metric, of, _, share = above.row(0)
        raise FeedError(
            f"{NAME}: the shares of {metric} of {of[:40]!r} add up to {share:.3f}, "
            "expected 1 at most"
        )


FEED = Feed(
    name=NAME,
    title="OpenRouter tasks (shares of requests and tokens per task, 7 days)",
    publisher="OpenRouter",
    kind="usage",
    host=HOST,
    plan=plan,
    budget=20,
    floor=timedelta(days=1),
    licence=LICENCE,
    citation="Source: OpenRouter (openrouter.ai/rankings), as of {as_of}. CC BY 4.0",
    page="https://openrouter.ai/rankings",
    key_env=KEY_ENV,
    kin=KIN,
)
