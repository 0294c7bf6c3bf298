"""The recorded answers of all feeds in order of their times, read by the program's own parsers.

Feeds whose answers were recorded as days (rankings, Vercel, exchange rates) are played a day at a
time, as polling would have met them. Sessions, tasks and Hugging Face's lists were never recorded.
"""

import gzip
import hashlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
from msgspec.structs import replace
from tests.feedserver.recorded import RecordedBodies

from qwenwatch_cache.feeds import (
    alibaba_list,
    ecb_fx,
    litellm,
    models_dev,
    openrouter_apps,
    openrouter_models,
    openrouter_rankings,
    vercel_leaderboard,
)
from qwenwatch_cache.feeds.feed import Parsed, Parser
from qwenwatch_cache.frames import FETCH

LAST = datetime(2026, 8, 22, 2, 1, tzinfo=UTC)
"""When the usage recordings end."""

AGAIN = 3  # newest days that a round asks of the rankings

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One recorded answer: when it came, from whom, and what it said."""

    when: datetime
    feed: str
    body: bytes
    parsed: Parsed

    def logged(self, new: int) -> pl.DataFrame:
        """The row of the log that the answer makes, given how many rows were new."""
        row: dict[str, Any] = dict.fromkeys(FETCH)
        row |= {"feed": self.feed, "url": "recorded", "started": self.when, "status": 200}
        row |= {"bytes": len(self.body), "sha256": hashlib.sha256(self.body).hexdigest()}
        row |= {"rows": self.parsed.rows, "rows_new": new, "role": "last"}
        return pl.DataFrame([row], schema=FETCH)


def answers(recordings: Path) -> list[Answer]:
    """Every recorded answer, oldest first.

    Args:
        recordings: The folder that holds ``prices`` and ``usage``.
    """
    found = [
        *_files(recordings / "prices/openrouter/models", "*.json.gz", openrouter_models),
        *_files(recordings / "prices/models.dev", "*/*.json.gz", models_dev),
        *_files(recordings / "prices/litellm", "*/*.json.gz", litellm),
        *_alibaba(recordings / "prices/alibaba-model-studio"),
        *_rates(recordings / "prices/fx"),
        *_rankings(recordings / "usage/openrouter-data-api"),
        *_vercel(recordings),
        *_apps(recordings),
    ]
    return sorted(found, key=lambda one: (one.when, one.feed))


def _files(folder: Path, pattern: str, feed: Any) -> Iterator[Answer]:
    for path in folder.glob(pattern):
        yield _answer(
            _moment_in(path.name), feed.NAME, gzip.decompress(path.read_bytes()), feed.parse
        )


def _alibaba(folder: Path) -> Iterator[Answer]:
    """The index and the group files that it leads to."""
    (path,) = folder.glob("groups_*.tar.gz")
    when = _moment_in(path.name)
    with tarfile.open(path) as archive:

        def body(address: str) -> bytes:
            file = archive.extractfile(unquote(address.partition("/models/")[2]))
            return file.read() if file else b""

        (index,) = alibaba_list.plan(when, ())
        for request in index.parse(body(index.path), when).follow:
            yield _answer(when, alibaba_list.NAME, body(request.path), request.parse)


def _rates(folder: Path) -> Iterator[Answer]:
    """The rates of each working day of the last recorded year, as published at 15:00 UTC."""
    (path,) = folder.glob("eurofxref-hist_*.zip")
    end = _moment_in(path.name) + timedelta(days=1)
    (request,) = ecb_fx.backfill(end)
    parsed = request.parse(path.read_bytes(), end)
    days = parsed.frames["fx"].filter(pl.col("date") > end.date() - timedelta(days=366))
    for (day,), rates in days.group_by("date", maintain_order=True):
        assert isinstance(day, date)
        when = datetime.combine(day, time(15), UTC)
        told = rates.with_columns(observed_at=pl.lit(when).cast(rates.schema["observed_at"]))
        yield Answer(when, ecb_fx.NAME, b"", replace(parsed, frames={"fx": told}))


def _rankings(folder: Path) -> Iterator[Answer]:
    """Every day with the two before it, five minutes after its end; the last one again at two."""
    (path,) = folder.glob("casualstudy.*")
    days: dict[str, Rows] = {
        day: list(rows.values()) for day, rows in json.loads(path.read_text()).items()
    }
    for number, day in enumerate(sorted(days)):
        newest = sorted(days)[max(0, number + 1 - AGAIN) : number + 1]
        when = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1, minutes=5)
        yield _day(when, [row for one in newest for row in days[one]])
    (path,) = folder.glob("ai-tracker.*")
    later = json.loads(path.read_text())["daily"]
    yield _day(
        LAST,
        [
            {"date": row["d"], "model_permaslug": row["m"], "total_tokens": str(row["t"])}
            for row in later
        ],
    )


def _day(when: datetime, rows: Rows) -> Answer:
    body = json.dumps({"data": rows, "meta": {"as_of": when.isoformat()}}).encode()
    return _answer(when, openrouter_rankings.NAME, body, openrouter_rankings.parse)


def _vercel(recordings: Path) -> Iterator[Answer]:
    """Models and labs of each day, in the export's shape, an hour after its end."""
    bodies = RecordedBodies(recordings, lambda: LAST)
    for dataset, kind in vercel_leaderboard.KINDS.items():
        by_day: dict[str, list[Mapping[str, Any]]] = {}
        for row in bodies.leaderboard(dataset) or []:
            by_day.setdefault(row["date"], []).append(row)
        for day, rows in by_day.items():
            when = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(hours=25)
            parser = partial(vercel_leaderboard.parse, kind=kind)
            if when <= LAST:
                body = json.dumps({"rows": rows}).encode()
                yield _answer(when, vercel_leaderboard.NAME, body, parser)


def _apps(recordings: Path) -> Iterator[Answer]:
    """The one window that was recorded."""
    last = LAST.date() - timedelta(days=1)
    rows = RecordedBodies(recordings, lambda: LAST).apps(last - timedelta(days=29), last)
    (request,) = openrouter_apps.plan(LAST, ())
    body = json.dumps({"data": rows, "meta": {"as_of": LAST.isoformat()}}).encode()
    yield _answer(LAST, openrouter_apps.NAME, body, request.parse)


def _answer(when: datetime, feed: str, body: bytes, parse: Parser) -> Answer:
    return Answer(when, feed, body, parse(body, when))


def _moment_in(name: str) -> datetime:
    """When a file was captured, by its name; at noon where that says the day only."""
    found = re.search(r"(\d{4}-\d{2}-\d{2})(?:T(\d{4})Z)?", name)
    if found is None:
        raise ValueError(f"no date in {name}")
    return datetime.strptime(f"{found[1]}{found[2] or '1200'}+0000", "%Y-%m-%d%H%M%z")
