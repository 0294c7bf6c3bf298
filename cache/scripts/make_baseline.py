"""Make the bundled baseline from recorded payloads, through the program's own parsers and store.

    PYTHONPATH=. python cache/scripts/make_baseline.py --recordings ../shared/recordings

What goes in, and from where:

* OpenRouter Data API days (CC BY 4.0), as recorded, into `usage` by `openrouter-rankings`;
* for the weeks before them the weekly totals per vendor and of the named models as published on
  OpenRouter's rankings page, into `usage` as `openrouter-rankings-page`. They are the same totals:
  the days add up to them to the token (tests/cache/test_weekly_oracle.py);
* Vercel AI Gateway leaderboard days (CC BY 4.0), in the export's shape;
* app rankings of the one recorded window (CC BY 4.0), into `usage` by `openrouter-apps`;
* every recorded OpenRouter model list, models.dev registry and LiteLLM file in order of date, and
  Alibaba's group files, into `price` and `catalog`, so that what is kept is what polling on those
  days would have kept;
* the ECB's reference rates, each as known from the hour at which it was published.
"""

import argparse
import gzip
import json
import re
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
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
)
from qwenwatch_cache.feeds import vercel_leaderboard as vercel
from qwenwatch_cache.feeds.feed import Parsed
from qwenwatch_cache.frames import FETCH, TABLES, USAGE
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.files import write_table

PAGE = "openrouter-rankings-page"
SETTLED = timedelta(days=1)
"""A week on the page is final a day after its end (one was still corrected four hours after)."""

PUBLISHED = timedelta(hours=15)
"""The ECB's rates of a day come out around 16:00 in Frankfurt."""

LARGEST = 500_000
"""Bytes the baseline may take."""


def main() -> None:
    """Make the baseline and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--recordings", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("cache/qwenwatch_cache/baseline"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        nothing = Path(folder) / "nothing"
        nothing.mkdir()
        store = Store(Path(folder) / "cache", bundled=nothing)
        for when, feed, parsed in sorted(_played(options.recordings), key=lambda one: one[:2]):
            added = store.append(
                parsed.frames, when, unread=parsed.unread, whole=parsed.whole, believe=True
            )
            store.log(_fetch(feed, when, parsed.rows, added), when)
        export(store, options.out)
    sizes = {path.name: path.stat().st_size for path in sorted(options.out.glob("*.parquet"))}
    print(f"{sizes} {sum(sizes.values()):,} bytes")
    if sum(sizes.values()) > LARGEST:
        raise SystemExit(f"larger than {LARGEST:,} bytes")


def export(store: Store, out: Path) -> None:
    """Write a store's tables as a baseline, sorted so that the same input gives the same bytes."""
    out.mkdir(parents=True, exist_ok=True)
    for table in TABLES.values():
        frame = store.cached(table).sort(table.time, *table.key, maintain_order=True)
        write_table(out / f"{table.name}.parquet", frame)


def _played(recordings: Path) -> Iterator[tuple[datetime, str, Parsed]]:
    yield from _rankings(recordings)
    yield from _apps(recordings)
    yield from _page_weeks(recordings)
    yield from _vercel(recordings)
    for path in sorted((recordings / "prices/openrouter/models").glob("*.json.gz")):
        when = datetime.strptime(f"{path.name[:15]}+0000", "%Y-%m-%dT%H%M%z")
        body = gzip.decompress(path.read_bytes())
        yield when, openrouter_models.NAME, openrouter_models.parse(body, when)
    for path in sorted((recordings / "prices/models.dev").glob("*/*.json.gz")):
        when = _day_in(path.name)
        body = gzip.decompress(path.read_bytes())
        yield when, models_dev.NAME, models_dev.parse(body, when)
    for path in sorted((recordings / "prices/litellm").glob("*/*.json.gz")):
        when = _day_in(path.name)
        body = gzip.decompress(path.read_bytes())
        yield when, litellm.NAME, litellm.parse(body, when)
    yield from _alibaba(recordings)
    yield from _rates(recordings)


def _alibaba(recordings: Path) -> Iterator[tuple[datetime, str, Parsed]]:
    """The group files that the index leads to."""
    when = datetime(2026, 5, 27, 6, 44, tzinfo=UTC)
    (path,) = (recordings / "prices/alibaba-model-studio").glob("groups_*.tar.gz")
    with tarfile.open(path) as archive:
        (index,) = alibaba_list.plan(when, ())
        for request in index.parse(_member(archive, index.path), when).follow:
            body = _member(archive, request.path)
            yield when, alibaba_list.NAME, request.parse(body, when)


def _member(archive: tarfile.TarFile, path: str) -> bytes:
    """The file that stands at an address, by the part of it that the archive holds."""
    name = unquote(path.partition("/models/")[2])
    file = archive.extractfile(name)
    if file is None:
        raise ValueError(f"there is no {name} in the archive")
    return file.read()


def _rates(recordings: Path) -> Iterator[tuple[datetime, str, Parsed]]:
    (path,) = (recordings / "prices/fx").glob("eurofxref-hist_*.zip")
    last = _day_in(path.name) + PUBLISHED
    (request,) = ecb_fx.backfill(last)
    parsed = request.parse(path.read_bytes(), last)
    known_from = pl.col("date").cast(pl.Datetime("us", "UTC")) + PUBLISHED
    rates = parsed.frames["fx"].with_columns(observed_at=known_from)
    yield last, ecb_fx.NAME, replace(parsed, frames={"fx": rates})


def _apps(recordings: Path) -> Iterator[tuple[datetime, str, Parsed]]:
    """The one window that was recorded, as of the moment of its capture."""
    when = datetime(2026, 8, 22, 2, 1, tzinfo=UTC)
    first, last = date(2026, 7, 23), date(2026, 8, 21)
    rows = RecordedBodies(recordings, lambda: when).apps(first, last)
    meta = {"as_of": when.isoformat(), "start_date": str(first), "end_date": str(last)}
    (request,) = openrouter_apps.plan(when, ())
    body = json.dumps({"data": rows, "meta": meta}).encode()
    yield when, openrouter_apps.NAME, request.parse(body, when)


def _rankings(recordings: Path) -> Iterator[tuple[datetime, str, Parsed]]:
    """The recorded days as one answer, as of the moment the last of them was captured."""
    when = datetime(2026, 8, 22, 0, 5, tzinfo=UTC)
    rows = RecordedBodies(recordings, lambda: when).rankings()
    body = json.dumps({"data": rows, "meta": {"as_of": when.isoformat()}}).encode()
    yield when, openrouter_rankings.NAME, openrouter_rankings.parse(body, when)


def _page_weeks(recordings: Path) -> Iterator[tuple[datetime, str, Parsed]]:
    folder = recordings / "usage/openrouter-frontend"
    for path in sorted(folder.glob("token-economy.*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        when = datetime.fromisoformat(document["fetched_at"])
        yield when, PAGE, _page(document["payload"]["weekly_chart"], "model", when)
    for path in sorted(folder.glob("market-share.*.raw.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        when = _day_in(path.name)
        yield when, PAGE, _page(document["data"], "lab", when)


def _page(weeks: list[dict[str, Any]], kind: str, when: datetime) -> Parsed:
    """Weekly totals of a chart; weeks that are not settled are left out."""
    rows = [
        {
            "feed": PAGE,
            "metric": "tokens",
            "kind": kind,
            "entity": "other" if entity.lower() == "others" else entity,
            "grain": "week",
            "period": date.fromisoformat(week["x"]),
            "value": tokens,
            "share": None,
            "scope": "9 named of each week + others",
            "as_of": when,
            "observed_at": when,
        }
        for week in weeks
        if _midnight(date.fromisoformat(week["x"])) + timedelta(days=7) + SETTLED <= when
        for entity, tokens in week["ys"].items()
    ]
    return Parsed({"usage": pl.DataFrame(rows, schema=USAGE)}, len(rows))


def _vercel(recordings: Path) -> Iterator[tuple[datetime, str, Parsed]]:
    when = datetime(2026, 8, 22, 1, 57, tzinfo=UTC)
    rows = RecordedBodies(recordings, lambda: when).leaderboard("models")
    body = json.dumps({"rows": rows}).encode()
    yield when, vercel.NAME, vercel.parse(body, when, "model")


def _fetch(feed: str, when: datetime, rows: int, added: int) -> pl.DataFrame:
    """A log row: the feed was read at that moment, though not by this program."""
    row = {"feed": feed, "url": "recorded", "started": when, "rows": rows, "rows_new": added}
    empty = dict.fromkeys(FETCH.names())
    return pl.DataFrame([{**empty, **row, "status": 200}], schema=FETCH)


def _day_in(name: str) -> datetime:
    found = re.search(r"\d{4}-\d{2}-\d{2}", name)
    if found is None:
        raise ValueError(f"no date in {name}")
    return _midnight(date.fromisoformat(found[0]))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


if __name__ == "__main__":
    main()
