"""Data from the recordings, as it could be known at the server's clock.

What is derived, because nobody recorded the body itself:

* Vercel's leaderboard was recorded from its page. ``cost`` becomes ``spend``, every share a row of
  the export, and an ``Other`` row per day and metric takes what is missing to 100. Labs are added
  up from the named models, so that here, unlike in the real export, they have an ``Other`` too.
* The ECB's files are cut out of one later history file (see ``ecb.py``).
"""

import functools
import gzip
import json
import re
import tarfile
import zipfile
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.feedserver.bodies import Clock, Row

_CAPTURED = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{4})Z)?")
_VERCEL_METRICS = {"requests": "requests", "tokens": "tokens", "cost": "spend"}
_LAB_OF = {
    "Claude": "Anthropic",
    "DeepSeek": "DeepSeek",
    "GLM": "Z.ai",
    "GPT": "OpenAI",
    "Gemini": "Google",
    "MiniMax": "MiniMax",
    "Other": "Other",
    "Step": "StepFun",
    "text": "OpenAI",
}
"""By the first word of a recorded model's name."""
_DOCUMENTS = {
    "openrouter-models": ("prices/openrouter/models/*.json.gz",),
    "models-dev": ("prices/models.dev/api/*.json.gz", "prices/models.dev/generated/api_*.json.gz"),
    "litellm": ("prices/litellm/wheels/*.json.gz", "prices/litellm/main/*.json.gz"),
}


class RecordedBodies:
    """The newest recorded bodies that were captured at or before the clock.

    Args:
        folder: The folder that holds ``prices`` and ``usage``.
        clock: Give it the clock of the server.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def rankings(self) -> list[Row]:
        """All recorded days; those that are not over at the clock are cut off by the endpoint."""
        days = _json(self._one("usage/openrouter-data-api/*.rankings-daily.*.json"))
        return [row for day in days.values() for row in day.values()]

    def apps(self, first: date, last: date) -> list[Row] | None:
        """The one recorded window: 30 days that ended with 2026-08-21.

        It was asked for 50 rows, the default; whoever wishes more gets these 50.
        """
        recording = _json(self._one("usage/openrouter-data-api/*app-rankings.*.json"))
        days = [date.fromisoformat(row["d"]) for row in recording["daily"]]
        if (first, last) != (min(days), max(days)):
            return None
        rows: list[Row] = recording["apps_raw"]
        return rows

    def sessions(self) -> list[Row] | None:
        """Nobody recorded them."""
        return None

    def tasks(self) -> Row | None:
        """Nobody recorded the body; a chart of the website is another data set."""
        return None

    def leaderboard(self, dataset: str) -> list[Row] | None:
        """Shares per model or lab, derived from page scrapes; `None` for all else."""
        if dataset == "labs":
            return _labs(self.leaderboard("models") or [])
        if dataset != "models":
            return None
        now = self._clock()
        by_day: dict[tuple[str, str], list[Row]] = {}
        for path in self._all("usage/vercel-gateway/*.json"):
            scrape = _json(path)
            captured = datetime.fromisoformat(scrape["fetched_at"])
            for entry in scrape["payload"]["series"]:
                # A scrape saw its last day unfinished: right on that very day, wrong ever after.
                unfinished = entry["day"] == captured.date().isoformat()
                if unfinished and not (captured <= now and captured.date() == now.date()):
                    continue
                rows = _vercel_rows(entry)
                by_day[entry["day"], rows[0]["metric"]] = rows
        return [row for key in sorted(by_day) for row in by_day[key]]

    def document(self, feed: str) -> bytes | None:
        """The newest body captured at or before the clock."""
        paths = (path for pattern in _DOCUMENTS[feed] for path in self._all(pattern))
        newest = self._newest(paths)
        return None if newest is None else _unzipped(newest)

    def endpoints(self, model: str) -> bytes | None:
        """The one recorded body, openai/gpt-4o; its day is not known, so it is played on any."""
        path = self._folder / f"prices/openrouter/endpoints/{model.replace('/', '__')}.json"
        return path.read_bytes() if path.is_file() else None

    def alibaba(self, name: str) -> bytes | None:
        """A file of the newest archive captured at or before the clock."""
        newest = self._newest(self._all("prices/alibaba-model-studio/groups_*.tar.gz"))
        return None if newest is None else _members(newest).get(name)

    def fx_history(self) -> str | None:
        """The whole history; what was not published yet is cut off by the endpoint."""
        return _hist_csv(self._one("prices/fx/eurofxref-hist_*.zip"))

    def hub_models(self, org: str) -> list[Row] | None:
        """Only the trending models of all organisations were recorded: no organisation's list."""
        return None

    def _newest(self, paths: Iterable[Path]) -> Path | None:
        now = self._clock()
        known = [(_captured(path), path.name, path) for path in paths if _captured(path) <= now]
        return max(known)[2] if known else None

    def _all(self, pattern: str) -> list[Path]:
        return sorted(self._folder.glob(pattern))

    def _one(self, pattern: str) -> Path:
        paths = self._all(pattern)
        if not paths:
            raise FileNotFoundError(f"no {pattern} in {self._folder}")
        return paths[-1]


def _vercel_rows(entry: Row) -> list[Row]:
    shares = dict(entry["shares"])
    shares["Other"] = round(100 - sum(shares.values()), 4)
    return [
        {
            "date": entry["day"],
            "group": "model",
            "name": name,
            "metric": _VERCEL_METRICS[entry["metric"]],
            "modality": "all",
            "share_percent": share,
        }
        for name, share in shares.items()
    ]


def _labs(models: list[Row]) -> list[Row]:
    shares: dict[tuple[str, str, str], float] = {}
    for row in models:
        first_word = re.split(r"[ -]", row["name"])[0]
        key = (row["date"], row["metric"], _LAB_OF[first_word])
        shares[key] = shares.get(key, 0) + row["share_percent"]
    return [
        {
            "date": day,
            "group": "lab",
            "name": lab,
            "metric": metric,
            "modality": "all",
            "share_percent": round(share, 4),
        }
        for (day, metric, lab), share in shares.items()
    ]


def _captured(path: Path) -> datetime:
    """When a file was captured, by its name; a name without a time counts from the day's end."""
    match = _CAPTURED.search(path.name)
    if match is None:
        raise ValueError(f"no date in the name of {path}")
    day, time = match.groups()
    if time is None:
        return _end_of_day(day)
    return datetime.strptime(f"{day}{time}+0000", "%Y-%m-%d%H%M%z")


def _end_of_day(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)


@functools.lru_cache(maxsize=8)
def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=8)
def _unzipped(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


@functools.lru_cache(maxsize=1)
def _members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        files = ((member.name, archive.extractfile(member)) for member in archive.getmembers())
        return {name: file.read() for name, file in files if file is not None}


@functools.lru_cache(maxsize=1)
def _hist_csv(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read("eurofxref-hist.csv").decode()
