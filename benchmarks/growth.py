"""How a cache grows: bytes and files per year of polling, and in ten years, of all feeds.

    PYTHONPATH=. python benchmarks/growth.py --recordings ../shared/recordings [--years 10]

First the recorded answers of every feed are played in order of their times through parsers,
`append` and `log`; what they leave is counted. Then caches of one and of so many years are made
(`decade.py`, whose rates these counts are compared with) and measured: rows, bytes, and which
columns they are for. Last, polling is played with numbers only, to see how many files lie
there at any time. Goals and floors are those that the project set itself: at most 1 MB a year and
40 files; prices 0.215 MB in 1 year and 1.32 MB in 10, rankings 0.116 and 1.39 MB.
"""

import argparse
import io
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import playback
import polars as pl
from decade import YEAR, make_cache

from qwenwatch_cache.frames import FETCH_TABLE, PRICE_TABLE, TABLES, USAGE_TABLE
from qwenwatch_cache.manifest import Manifest, Part
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.parts import to_merge

CLOSE = timedelta(days=2)
"""Answers that are further apart have missed what came and went between them."""

ASSUMED = frozenset({"openrouter-sessions", "openrouter-tasks", "huggingface"})
"""Feeds of which no answer was recorded: read by the documentation, their rates are assumed."""

ONCE = frozenset({"openrouter-apps", "alibaba-list"})
"""Feeds of which one moment was recorded, so that their rate is assumed."""

GOAL_BYTES, GOAL_FILES = 1_000_000, 40
FLOORS = {"price": (0.215, 1.32), "rankings": (0.116, 1.39)}  # MB of 1 and of 10 years

Series = tuple[str, str]
"""Table and feed."""


@dataclass
class Recorded:
    """What the recorded answers of one feed left in one table: rows that were new, by answer."""

    new: list[tuple[datetime, int]] = field(default_factory=list)

    @property
    def days(self) -> float:
        """Days from the first answer to the last."""
        return (self.new[-1][0] - self.new[0][0]) / timedelta(days=1)

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(rows for _, rows in self.new)

    def per_year(self, *, close: bool) -> float | None:
        """Rows a year, by the last year that was recorded; None if that cannot be told.

        Args:
            close: By answers that follow each other within `CLOSE` only.
        """
        since = self.new[-1][0] - timedelta(days=YEAR)
        steps = [
            (later - earlier, rows)
            for (earlier, _), (later, rows) in pairwise(self.new)
            if earlier >= since and (not close or later - earlier <= CLOSE)
        ]
        time = sum((gap for gap, _ in steps), timedelta())
        if time < timedelta(days=3):
            return None
        return sum(rows for _, rows in steps) / (time / timedelta(days=YEAR))


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recordings", type=Path, required=True)
    parser.add_argument("--years", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recorded = play(options.recordings, Path(folder) / "recorded")
        made = {}
        for years in (1, options.years):
            root = Path(folder) / f"{years}-years"
            make_cache(root, years)
            made[years] = Store(root)
        print_growth(recorded, {years: sizes(store.manifest()) for years, store in made.items()})
        print_columns(made[1])
        print_files(made[1], options.years)


def play(recordings: Path, root: Path) -> Mapping[Series, Recorded]:
    """Store all recorded answers in order of their times; how many rows were new in each."""
    found: dict[Series, Recorded] = defaultdict(Recorded)
    nothing = root.parent / "no-baseline"
    nothing.mkdir()
    store = Store(root, bundled=nothing)
    for answer in playback.answers(recordings):
        before = {key: rows for key, (rows, _) in sizes(store.manifest()).items()}
        parsed = answer.parsed
        new = store.append(
            parsed.frames, answer.when, unread=parsed.unread, whole=parsed.whole, believe=True
        )
        store.log(answer.logged(new), answer.when)
        after = sizes(store.manifest())
        for table in parsed.frames:
            key = table, answer.feed
            rows = after[key][0] - before.get(key, 0) if key in after else 0
            found[key].new.append((answer.when, rows))
    total = sum(size for _, size in sizes(store.manifest()).values())
    print(f"recorded answers: {total / 1e6:.3f} MB, {len(store.manifest().parts)} parts\n")
    return found


def sizes(manifest: Manifest) -> dict[Series, tuple[int, int]]:
    """Rows and bytes of each table and feed."""
    found: dict[Series, tuple[int, int]] = {}
    for part in manifest.parts:
        rows, size = found.get((part.table, part.feed), (0, 0))
        found[part.table, part.feed] = rows + part.rows, size + part.bytes
    return found


def print_growth(
    recorded: Mapping[Series, Recorded], made: Mapping[int, Mapping[Series, tuple[int, int]]]
) -> None:
    """Rows of the recordings beside those of the caches that were made, and what they take."""
    (_, one), (years, many) = made.items()
    print("| table | feed | recorded days | rows | rows/year: whole | close | made up | known by |")
    print("|---|---|---:|---:|---:|---:|---:|---|")
    for (table, feed), (rows, _) in one.items():
        seen = recorded.get((table, feed))
        known = "plan and interval" if table == FETCH_TABLE.name else "recordings"
        if table != FETCH_TABLE.name and feed in ASSUMED | ONCE:
            known = "assumed" if feed in ASSUMED else "one moment, rate assumed"
        cells = (
            [f"{seen.days:.0f}", f"{seen.rows:,}", *map(_count, _rates(seen))]
            if seen
            else ["–", "–", "–", "–"]
        )
        print(f"| {table} | {feed} | {' | '.join(cells)} | {rows:,} | {known} |")
    print(f"\n| table | feed | rows 1 y | MB 1 y | rows {years} y | MB {years} y | bytes/row |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for key, (rows, size) in many.items():
        first_rows, first = one[key]
        print(
            f"| {key[0]} | {key[1]} | {first_rows:,} | {first / 1e6:.3f} | {rows:,} "
            f"| {size / 1e6:.3f} | {size / rows:.1f} |"
        )
    groups: Mapping[str, Callable[[Series], bool]] = {
        "all": lambda key: True,
        "the log": lambda key: key[0] == FETCH_TABLE.name,
        "what feeds said": lambda key: key[0] != FETCH_TABLE.name,
        "of which recorded feeds": lambda key: key[0] != "fetch" and key[1] not in ASSUMED,
        "price": lambda key: key[0] == PRICE_TABLE.name,
        "rankings": lambda key: key == (USAGE_TABLE.name, "openrouter-rankings"),
    }
    print()
    for name, belongs in groups.items():
        small, large = (
            sum(size for key, (_, size) in of.items() if belongs(key)) / 1e6 for of in (one, many)
        )
        floor = FLOORS.get(name)
        beside = f" (floors {floor[0]} and {floor[1]} MB)" if floor else ""
        print(f"{name}: {small:.3f} MB in 1 year, {large:.3f} MB in {years} years{beside}")
    a_year = sum(size for _, size in many.values()) / years
    verdict = "kept" if a_year <= GOAL_BYTES else "MISSED"
    print(f"goal, {GOAL_BYTES / 1e6:g} MB a year: {a_year / 1e6:.2f} MB, {verdict}")


def _rates(seen: Recorded) -> Sequence[float | None]:
    return seen.per_year(close=False), seen.per_year(close=True)


def _count(number: float | None) -> str:
    return "–" if number is None else f"{number:,.0f}"


def print_columns(store: Store, shown: int = 20) -> None:
    """Which columns cost the bytes of a year: each written alone, less what an empty one takes."""
    costs: list[tuple[int, str]] = []
    for (table, feed), (_, size) in sizes(store.manifest()).items():
        rows = store.cached(TABLES[table], feeds=[feed])
        alone = {
            name: _bytes(rows.select(name)) - _bytes(rows.select(name).clear())
            for name in rows.columns
        }
        rest = size - sum(alone.values())
        costs.extend((cost, f"{table} {feed} {name}") for name, cost in alone.items())
        costs.append((rest, f"{table} {feed} (footer and pages)"))
    print(f"\n| column, {shown} largest of {len(costs)} | MB in 1 year |\n|---|---:|")
    for cost, name in sorted(costs, reverse=True)[:shown]:
        print(f"| {name} | {cost / 1e6:.3f} |")


def _bytes(frame: pl.DataFrame) -> int:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.tell()


def print_files(store: Store, years: int) -> None:
    """How many files polling leaves: the rule of merging, played with numbers of rows and bytes."""
    series = dict(_writes(store))
    parts_of: dict[Series, list[Part]] = {key: [] for key in series}
    retired: dict[Series, int] = dict.fromkeys(series, 0)
    counts: list[int] = []
    for _ in range(years * YEAR):
        for key, (writes, rows, row_bytes) in series.items():
            for _ in range(writes):
                before = parts_of[key]
                merged = to_merge(before, rows)
                kept = len(before) - merged
                together = rows + sum(part.rows for part in before[kept:])
                size = round(together * row_bytes)
                parts_of[key] = [*before[:kept], Part(*key, "", together, size)]
                retired[key] = merged
        counts.append(sum(map(len, parts_of.values())) + sum(retired.values()))
    print(
        f"\nfiles of {len(series)} series (parts and those kept to fall back on) at the end of a "
        f"day: {counts[0]} after a day, {max(counts[:YEAR])} at most in the first year, "
        f"{max(counts)} in {years} years, {counts[-1]} at the end; about 10 more are "
        "format.json, manifest.json and the locks"
    )
    verdict = "kept" if max(counts) <= GOAL_FILES else "MISSED"
    print(f"goal, {GOAL_FILES} files: {max(counts)}, {verdict}")


def _writes(store: Store) -> Iterator[tuple[Series, tuple[int, int, float]]]:
    """Of each table and feed how many writes a day bring rows, how many each, and bytes of one."""
    for (name, feed), (count, size) in sizes(store.manifest()).items():
        table = TABLES[name]
        learned = store.cached(table, feeds=[feed], columns=[table.time])
        moments = learned.n_unique()
        a_day = max(1, round(moments / YEAR))
        if feed == "huggingface":
            a_day = 96  # one answer for each organisation
        if name == FETCH_TABLE.name:
            a_day = max(1, round(count / YEAR))
        yield (name, feed), (a_day, max(1, round(count / YEAR / a_day)), size / count)


if __name__ == "__main__":
    main()
