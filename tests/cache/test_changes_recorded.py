"""The change log over the recorded year against a count in plain Python over the raw bodies.

What is compared: OpenRouter's price list as in the 116 recorded bodies (of the 1,107 captures that
feeds/prices.md counts in its §11 two thirds are not recorded), each id with its top-level prices.
"""

import gzip
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.feeds import models_dev
from qwenwatch_cache.frames import FETCH
from qwenwatch_cache.market.between import Asked, Changes, changes_between
from qwenwatch_cache.market.changes import Period
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.store import Store
from qwenwatch_widgets.views.change_lines import price_lines
from tests.cache.test_price_history_recorded import captures

ROUTE = "openrouter-models"
YEAR = Period(date(2025, 8, 22), date(2026, 8, 22))
DAY = timedelta(days=1)

Stated = tuple[datetime, Decimal | None]
Run = tuple[Decimal | None, datetime, int, timedelta]
"""A price, when it was first seen, in how many bodies, and for how long."""
Step = tuple[str, datetime, str, Decimal | None, Decimal | None]
"""Id, when first seen, mark, before, after."""


@dataclass(frozen=True)
class Record:
    """The record as the program tells it, and the bodies themselves."""

    store: Store
    bodies: Mapping[datetime, Mapping[str, Any]]
    known: Known

    def changes(self, period: Period = YEAR, **asked: Any) -> Changes:
        return changes_between(self.known, Asked(period, **asked))


@pytest.fixture(scope="module")
def record(recordings: Path, route_told: Path, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """All recorded bodies, told in order to a cache without a baseline."""
    folder = tmp_path_factory.mktemp("record")
    store = Store(shutil.copytree(route_told, folder / "cache"), bundled=folder)
    bodies: dict[datetime, Mapping[str, Any]] = {}
    fetches = []
    for when, feed, path in captures(recordings):
        body = gzip.decompress(path.read_bytes())
        fetches.append({**dict.fromkeys(FETCH), "feed": feed, "url": "x", "started": when})
        if feed == ROUTE:
            bodies[when] = json.loads(body)
        else:
            parsed = models_dev.parse(body, when)
            store.append(parsed.frames, when, unread=parsed.unread)
    last = max(bodies)
    store.log(pl.DataFrame(fetches, schema=FETCH), last)
    assert len(bodies) == 116
    return Record(store, bodies, Known(store, last))


def histories(
    bodies: Mapping[datetime, Mapping[str, Any]], key: str
) -> Iterator[tuple[str, Sequence[Stated]]]:
    """What was stated of each id without a break of a week: pieces of (when, price)."""
    series: dict[str, list[Stated]] = defaultdict(list)
    for when, body in bodies.items():
        for entry in body["data"]:
            pricing = entry["pricing"]
            tiled = any("utc_start" in one for one in pricing.get("overrides") or [])
            if not entry["id"].startswith("~") and not tiled:
                # The feed itself has float noise: "0.0000006000000000000001".
                price = round(Decimal(pricing[key]) * 1_000_000, 9)
                series[entry["id"]].append((when, None if price < 0 else price))
    moments = list(bodies)
    for name, stated in series.items():
        piece: list[Stated] = []
        for when, amount in stated:
            if piece:
                away = moments[moments.index(piece[-1][0]) + 1]
                if away != when and when - away >= 7 * DAY:
                    yield name, piece
                    piece = []
            piece.append((when, amount))
        yield name, piece


def steps(name: str, piece: Sequence[Stated]) -> Iterator[Step]:
    """Every step of a price, with what it is to be taken for."""
    runs: list[Run] = []
    for price, group in groupby(piece, key=lambda one: one[1]):
        when = [one[0] for one in group]
        runs.append((price, when[0], len(when), when[-1] - when[0]))
    free = name.endswith(":free")
    believed, paid, last = runs[0][0], bool(runs[0][0]), ""
    for number, (price, at, polls, stood) in enumerate(runs[1:], 1):
        before = runs[number - 1]
        zero = price == 0 and not free and paid and stood <= 3 * DAY
        far = False
        if believed and price:
            far = not Decimal("0.02") < price / believed < 50
        if price is None:
            mark = "unknown"
        elif before[0] is None or (not paid and not free and not before[3]):
            mark = "known"
        elif last in {"glitch", "jump"} and price == believed:
            mark = last
        elif zero:
            mark = "glitch" if number + 1 < len(runs) else "unconfirmed"
        elif far and stood < 7 * DAY:
            mark = "jump"
        elif (last == "flicker" and price == believed) or _reverts(runs, number, believed):
            mark = "flicker"
        else:
            mark = "confirmed" if polls > 1 else "unconfirmed"
        yield name, at, mark, before[0], price
        if mark not in {"glitch", "jump", "flicker", "unknown"} and not zero:
            believed = price
        paid, last = paid or bool(price), mark


def _reverts(runs: Sequence[Run], number: int, believed: Decimal | None) -> bool:
    """Whether a run is over at once, and the price that was believed is back."""
    if number + 1 == len(runs) or runs[number + 1][0] != believed:
        return False
    _, at, polls, _ = runs[number]
    return polls == 1 or (polls == 2 and runs[number + 1][1] - at <= 3 * DAY)


@pytest.fixture(scope="module")
def expected(record: Record) -> list[Step]:
    """All steps of input and output in the year, counted in plain Python."""
    found = [
        step
        for key in ("prompt", "completion")
        for name, piece in histories(record.bodies, key)
        for step in steps(name, piece)
    ]
    return [step for step in found if YEAR.begin <= step[1] < YEAR.end]


def test_counts_per_month_are_those_of_the_raw_bodies(record: Record, expected: list[Step]) -> None:
    """By mark, so that flickers are apart; an id counts once per moment and mark."""
    counted = Counter(
        (date(at.year, at.month, 1), mark)
        for _, at, mark in {(name, at, mark) for name, at, mark, _, _ in expected}
    )
    counts = record.changes(kinds=["price"]).counts.filter(pl.col("feed") == ROUTE)
    found = {(month, mark): count for month, _, mark, count in counts.iter_rows()}
    assert {month for month, _ in counted} == {month for month, _ in found}
    assert len({month for month, _ in found}) == 13
    for key in counted.keys() | found.keys():
        assert abs(found.get(key, 0) - counted.get(key, 0)) <= 0.02 * counted[key], key
    assert found == counted


def test_flickers_and_corrections_are_listed_apart(record: Record) -> None:
    rows = record.changes(kinds=["price"]).rows
    marks = dict(rows.group_by("mark").len().iter_rows())
    assert marks["flicker"] > 100
    assert {"confirmed", "correction", "glitch", "unconfirmed"} <= marks.keys()
    believed = record.changes(kinds=["price"], believed=True).rows
    assert set(believed["mark"]) == {"confirmed"}
    assert believed.height == marks["confirmed"]
    # models.dev had GPT-4 at 10/30 while OpenRouter charged 30/60 in every body.
    gpt4 = record.changes(kinds=["price"], models=["openai/gpt-4"], basis="list").rows
    assert [(row["feed"], row["field"], row["mark"]) for row in gpt4.to_dicts()] == [
        ("models-dev", "input", "correction"),
        ("models-dev", "output", "correction"),
    ]
    # Kimi K2.5 stood at 0/0 in two bodies.
    kimi = record.changes(Period(date(2026, 4, 18), date(2026, 4, 18)), kinds=["price"]).rows
    zero = kimi.filter(
        (pl.col("source_id") == "moonshotai/kimi-k2.5")
        & pl.col("field").is_in(["input", "output"])
        & (pl.col("after") == 0)
    )
    assert zero["mark"].to_list() == ["glitch", "glitch"]


LARGEST = [
    ("Qwen3 235B A22B Thinking 2507", "2026-02-14", -100.0),
    ("Qwen3 VL 235B A22B Thinking", "2026-02-13", -100.0),
    ("Qwen3 VL 30B A3B Thinking", "2026-02-13", -100.0),
    ("Qwen3 235B A22B Thinking 2507", "2026-05-31", -93.3),
    ("Ling-2.6-flash", "2026-05-31", -87.5),
    ("MiMo-V2.5", "2026-05-31", -86.0),
    ("Kimi K2.5", "2026-02-15", -80.4),
    ("GPT-5.6 Luna", "2026-07-31", -80.0),
    ("GPT-5.6 Luna Pro", "2026-07-31", -80.0),
    ("LFM2-2.6B", "2026-01-15", -80.0),
]
"""The ten largest confirmed drops of a route price; LFM2-8B-A1B (2026-01-15) and Olmo 2 32B
(2025-10-14) fell by 80.0 % as well."""


def test_the_ten_largest_confirmed_drops(record: Record, expected: list[Step]) -> None:
    drops: dict[tuple[str, datetime], float] = {}
    for name, at, mark, before, after in expected:
        if mark == "confirmed" and before and after is not None and after < before:
            change = float((after / before - 1) * 100)
            drops[name, at] = min(change, drops.get((name, at), 0.0))
    rows = record.changes(kinds=["price"], basis="route", believed=True).rows
    lines = price_lines(rows, "drop")
    told = {
        (line.first["source_id"] + (f":{variant}" if (variant := line.first["variant"]) else ""),
         line.first["at"]): min(line.steps)
        for line in lines
    }  # fmt: skip
    assert told.keys() == drops.keys()
    for key, change in drops.items():
        assert told[key] == pytest.approx(change, abs=1e-6)
    found = [
        (line.first["name"], f"{line.first['at']:%Y-%m-%d}", round(min(line.steps), 1))
        for line in lines[:10]
    ]
    assert found == LARGEST
    assert sorted(drops.values())[:10] == pytest.approx([min(line.steps) for line in lines[:10]])


def test_nineteen_ids_that_vanished(record: Record) -> None:
    """Eleven of Qwen were back the next day; the other eight never came back."""
    day = Period(date(2026, 1, 16), date(2026, 1, 16))
    ids = [
        {entry["id"] for entry in record.bodies[when]["data"]}
        for when in record.bodies
        if f"{when:%Y-%m-%dT%H%M}" in {"2026-01-15T1215", "2026-01-16T0032"}
    ]
    missing = ids[0] - ids[1]
    rows = record.changes(day, kinds=["removed"]).rows.to_dicts()
    marks = {
        row["source_id"] + (f":{row['variant']}" if row["variant"] else ""): row["mark"]
        for row in rows
    }
    assert marks == {
        name: "returned" if name.startswith("qwen/") else "confirmed" for name in missing
    }
    # As it was known on that day.
    known = Known(record.store, datetime(2026, 1, 16, 23, tzinfo=UTC))
    then = changes_between(known, Asked(day, kinds=["removed"])).rows
    assert then["mark"].to_list() == ["absent"] * 19


def test_a_week_of_added_models(record: Record) -> None:
    """Every id that no earlier body of the last week before named, with a second body or not."""
    period = Period(date(2026, 8, 16), date(2026, 8, 21))
    rows = record.changes(period, kinds=["added"]).rows.filter(pl.col("feed") == ROUTE)
    found = {
        row["source_id"] + (f":{row['variant']}" if row["variant"] else ""): row["at"]
        for row in rows.to_dicts()
    }
    first: dict[str, datetime] = {}
    for when, body in record.bodies.items():
        for entry in body["data"]:
            first.setdefault(entry["id"], when)
    expected = {
        name: when
        for name, when in first.items()
        if period.begin <= when < period.end and not name.startswith("~")
    }
    again = found.keys() - expected.keys()
    assert expected.items() <= found.items()
    assert len(expected) > 5
    for name in again:  # those were listed before, and away for a week or longer
        last = max(
            when
            for when, body in record.bodies.items()
            if when < found[name] and name in {entry["id"] for entry in body["data"]}
        )
        assert found[name] - last >= timedelta(days=7)
