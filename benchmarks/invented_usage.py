"""Made-up usage for `decade.py`: rankings, Vercel's shares, apps, Hugging Face, sessions, tasks.

Every function gives the rows of some days as polling would have left them, by a random generator
that the caller seeds. Where rates come from stands in `decade.py`.
"""

import random
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from urllib.parse import parse_qs, urlsplit

import polars as pl

from qwenwatch_cache.feeds import huggingface
from qwenwatch_cache.frames import INSTANT, MONEY, SESSION, TASK, USAGE, conform

NAMED = 50  # models of a day
TOTAL = 10e12  # tokens of a day
RESTATED_SOON = 38 / 51  # rows of a day that are another figure two hours later
RESTATED_LATE = 30  # one day in so many is restated weeks later
LATE = timedelta(days=20)
PAST = -600  # models are born from so many days before the first day on


def rankings(ids: Sequence[str], days: Sequence[date], rng: random.Random) -> pl.DataFrame:
    """Tokens per model and day, top 50 and the rest; models come, rise and fade.

    Args:
        ids: The source's ids in the order in which the models came out.
        days: Consecutive days.
        rng: Where chance comes from.
    """
    step = (len(days) - PAST) / len(ids)
    lives = pl.DataFrame(
        {
            "entity": ids,
            "born": [round(PAST + step * n) for n in range(len(ids))],
            "peak": [rng.lognormvariate(0, 1.1) for _ in ids],
            "half_life": [rng.uniform(25, 200) for _ in ids],
        }
    )
    everyday = pl.DataFrame({"period": days}).with_row_index("day")
    age = pl.col("day").cast(pl.Int64) - pl.col("born")
    alive = everyday.join(lives, how="cross").filter(age >= 0, age < 4 * pl.col("half_life"))
    noise = pl.Series("noise", [rng.gauss(0, 0.15) for _ in range(alive.height)])
    strength = (
        pl.col("peak") * (1 - (-(age + 1) / 6).exp()) * (0.5 ** (age / pl.col("half_life")))
    ) * noise.exp()
    named = (
        alive.select("period", "entity", strength.alias("strength"))
        .sort("period", "strength", "entity", descending=[False, True, False])
        .group_by("period", maintain_order=True)
        .head(NAMED)
    )
    share = pl.col("strength") / pl.col("strength").sum().over("period")
    named = named.select("period", "entity", (share * TOTAL * 0.925).cast(pl.Int64).alias("value"))
    rest = pl.DataFrame({"period": days, "entity": "other"}).with_columns(
        pl.Series("value", [int(TOTAL * rng.uniform(0.05, 0.1)) for _ in days])
    )
    stated = pl.concat([named, rest]).sort("period", "value", "entity", descending=True)
    first = stated.with_columns(_after("period", days=1, minutes=5))
    chosen = pl.Series([rng.random() < RESTATED_SOON for _ in range(stated.height)])
    soon = _restated(stated.filter(chosen), 1 + 4e-5).with_columns(
        _after("period", days=1, minutes=121)
    )
    weak = {day for day in days if rng.randrange(RESTATED_LATE) == 0 and day + LATE < days[-1]}
    late = _restated(stated.filter(pl.col("period").is_in(weak)), 1 - 3e-4).with_columns(
        _after("period", days=LATE.days, minutes=5)
    )
    return _usage(
        pl.concat([first, soon, late]), "openrouter-rankings", "model", scope="top 50 a day + other"
    )


def vercel(
    names: Sequence[str], labs: Sequence[str], days: Sequence[date], rng: random.Random
) -> pl.DataFrame:
    """Shares of tokens, requests and spend per day: nine models and the rest, and all labs."""
    rows: list[tuple[date, str, str, str, float]] = []
    for day in days:
        # Which models are named changes slowly; whole months are asked for at once.
        turn = (day.year * 12 + day.month) // 2
        named = [names[(turn + n) % len(names)] for n in range(9)]
        for kind, entities in (("model", [*named, "other"]), ("lab", labs)):
            for metric in ("tokens", "requests", "spend"):
                weights = [rng.lognormvariate(-n / 4, 0.2) for n in range(len(entities))]
                rows.extend(
                    (
                        day,
                        kind,
                        metric,
                        entity,
                        round(round(100 * weight / sum(weights), 4) / 100, 12),
                    )
                    for entity, weight in zip(entities, weights, strict=True)
                )
    frame = pl.DataFrame(rows, ["period", "kind", "metric", "entity", "share"], orient="row")
    frame = frame.with_columns(_after("period", days=1, minutes=40))
    return _usage(frame, "vercel-leaderboard", scope="models named by Vercel + other")


def apps(ids: Sequence[str], days: Sequence[date], rng: random.Random) -> pl.DataFrame:
    """Tokens and requests of each app in the 30 days that end with each day."""
    requests = [rng.lognormvariate(16, 1.5) for _ in ids]
    rows = []
    for day in days:
        for n, app in enumerate(ids):
            requests[n] *= rng.uniform(0.99, 1.01)
            first = day - timedelta(days=29)
            rows.append((first, app, "requests", int(requests[n])))
            rows.append((first, app, "tokens", int(requests[n] * rng.uniform(3e4, 9e4))))
    frame = pl.DataFrame(rows, ["period", "entity", "metric", "value"], orient="row")
    frame = frame.with_columns(_after("period", days=30, minutes=15))
    return _usage(frame, "openrouter-apps", "app", "rolling30", scope="top 100 apps")


def hugging_face(days: Sequence[date], rng: random.Random) -> pl.DataFrame:
    """Of each organisation four figures a day, and two of each of its most downloaded models."""
    plan = huggingface.plan(datetime.combine(days[0], time()), ())
    orgs = [parse_qs(urlsplit(one.path).query)["author"][0] for one in plan]
    things = [
        (metric, kind, entity, grain)
        for org in orgs
        for kind, entity, metrics in (
            ("org", org, ("open_models", "downloads", "likes", "derivatives")),
            *(
                ("model", f"{org}/Model-{n}", ("downloads", "likes"))
                for n in range(rng.choice((10, 10, 10, 10, 6, 3)))
            ),
        )
        for metric in metrics
        for grain in (("rolling30" if metric == "downloads" else "total"),)
    ]
    base = pl.DataFrame(things, ["metric", "kind", "entity", "grain"], orient="row").with_columns(
        pl.Series("size", [rng.lognormvariate(8, 2.5) for _ in things])
    )
    frame = pl.DataFrame({"day": days}).join(base, how="cross")
    drift = pl.Series([rng.gauss(0, 0.02) for _ in range(frame.height)])
    # Downloads move both ways; likes and numbers of models only grow, and rest on most days.
    elapsed = (pl.col("day") - days[0]).dt.total_days()
    value = (
        pl.when(pl.col("metric") == "downloads")
        .then(pl.col("size") * (1 + drift))
        .otherwise(pl.col("size") / 10 * (1 + elapsed / 2000))
    )
    rolling = pl.col("metric") == "downloads"
    frame = frame.with_columns(
        value.cast(pl.Int64).alias("value"),
        pl.when(rolling)
        .then(pl.col("day") - timedelta(days=30))
        .otherwise(pl.col("day"))
        .alias("period"),
        _after("day", days=0, minutes=9 * 60),
    )
    return _usage(frame.drop("day", "size"), "huggingface", scope=huggingface.SCOPE)


def sessions(models: Sequence[str], days: Sequence[date], rng: random.Random) -> pl.DataFrame:
    """Median USD of a session, made anew each Monday for 2,500 cells of app, model and turns."""
    turns = ("1-turn", "2-9-turns", "10-49-turns", "50-plus-turns")
    cells = [(f"app-{n % 100}", turns[n // 625], models[n * 7 % len(models)]) for n in range(2500)]
    cells = sorted(set(cells))
    rows = [
        (day, app, turn, model, f"{rng.lognormvariate(-3, 1.5):.6f}")
        for day in days
        if day.weekday() == 6
        for app, turn, model in cells
    ]
    frame = pl.DataFrame(rows, ["period", "app", "turns", "model", "usd"], orient="row").select(
        pl.all(),
        _after("period", days=1, minutes=7 * 60),
        pl.lit("openrouter-sessions").alias("feed"),
        pl.col("app").str.to_titlecase().alias("app_name"),
        pl.lit(30).alias("window_days"),
        pl.col("usd").str.to_decimal(scale=12).cast(MONEY).alias("median_usd"),
    )
    return conform(frame.with_columns(as_of="observed_at"), SESSION)


def tasks(models: Sequence[str], days: Sequence[date], rng: random.Random) -> pl.DataFrame:
    """Shares of requests and tokens of 29 tasks and of ten models within each, for each day."""
    kinds = ("code", "data", "agent", "general")
    rows = [
        (day, metric, f"{kinds[n % 4]}:task_{n}", kinds[n % 4], model, rng.random() / 30)
        for day in days
        for n in range(29)
        for model in ("", *(models[(n * 3 + m) % len(models)] for m in range(10)))
        for metric in ("requests", "tokens")
    ]
    columns = ["period", "metric", "task", "category", "model", "share"]
    frame = pl.DataFrame(rows, columns, orient="row").with_columns(
        _after("period", days=1, minutes=8 * 60),
        pl.lit("openrouter-tasks").alias("feed"),
        pl.col("task").alias("task_name"),
        pl.lit(7).alias("window_days"),
        pl.col("period").cast(INSTANT).alias("as_of"),
    )
    return conform(frame, TASK)


def _usage(
    frame: pl.DataFrame, feed: str, kind: str = "", grain: str = "day", *, scope: str
) -> pl.DataFrame:
    """Fill in the columns of usage that all rows of a feed share, and put them in order of time."""
    same = {"feed": feed, "metric": "tokens", "kind": kind, "grain": grain, "scope": scope}
    missing = [pl.lit(text).alias(name) for name, text in same.items() if name not in frame.columns]
    missing += [
        pl.lit(None).alias(name) for name in ("value", "share") if name not in frame.columns
    ]
    full = frame.with_columns(missing).with_columns(as_of="observed_at")
    return conform(full.sort("observed_at", maintain_order=True), USAGE)


def _restated(frame: pl.DataFrame, factor: float) -> pl.DataFrame:
    return frame.with_columns((pl.col("value") * factor).cast(pl.Int64))


def _after(column: str, *, days: int, minutes: int) -> pl.Expr:
    """When rows about a day were learned."""
    return (pl.col(column).cast(INSTANT) + timedelta(days=days, minutes=minutes)).alias(
        "observed_at"
    )
