"""Where the data of the feeds comes from."""

import functools
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

Clock = Callable[[], datetime]
Row = dict[str, Any]

FIXTURES = Path(__file__).parent.parent / "fixtures" / "feeds"

_DOCUMENTS = {
    "openrouter-models": "models.json",
    "models-dev": "models-dev.json",
    "litellm": "litellm.json",
}

#: The moment the fixtures were "recorded": noon of the Monday after their five complete weeks.
FIXTURE_NOW = datetime(2026, 8, 17, 12, tzinfo=UTC)


class Bodies(Protocol):
    """The data behind the endpoints; `None` means that it is not held."""

    def rankings(self) -> list[Row]:
        """Rows of ``rankings-daily`` of all days held, in the shape of the API."""
        ...

    def apps(self, first: date, last: date) -> list[Row] | None:
        """Rows of ``app-rankings`` of these days, both inclusive."""
        ...

    def sessions(self) -> list[Row] | None:
        """Rows of ``session-cost``."""
        ...

    def tasks(self) -> Row | None:
        """What stands in ``data`` of ``classifications/task``."""
        ...

    def leaderboard(self, dataset: str) -> list[Row] | None:
        """Rows of one dataset of Vercel's export."""
        ...

    def document(self, feed: str) -> bytes | None:
        """The body of a feed that is one JSON document."""
        ...

    def endpoints(self, model: str) -> bytes | None:
        """The body of ``models/{author}/{slug}/endpoints``."""
        ...

    def alibaba(self, name: str) -> bytes | None:
        """A file of Model Studio's repository, "index.json" or "groups/qwen-max.json"."""
        ...

    def fx_history(self) -> str | None:
        """The text of the ECB's ``eurofxref-hist.csv``."""
        ...

    def hub_models(self, org: str) -> list[Row] | None:
        """All models of an organisation on Hugging Face, every field that is held."""
        ...


class FixtureBodies:
    """The small hand-written world of ``tests/fixtures/feeds``."""

    def __init__(self, folder: Path = FIXTURES) -> None:
        self._folder = folder

    def rankings(self) -> list[Row]:
        """Five weeks, 2026-07-13 to 2026-08-16, constant within a week."""
        return self._rows("rankings-daily.json", "data")

    def apps(self, first: date, last: date) -> list[Row] | None:
        """Four apps that are used alike in every window."""
        return self._rows("app-rankings.json", "data")

    def sessions(self) -> list[Row] | None:
        """Fourteen medians of two apps."""
        return self._rows("session-cost.json", "data")

    def tasks(self) -> Row | None:
        """Four tasks, one of them without models."""
        tasks: Row = _parsed(self._folder / "task-classifications.json")["data"]
        return tasks

    def leaderboard(self, dataset: str) -> list[Row] | None:
        """Three complete weeks, the first two alike, and one running day of models and labs."""
        if dataset not in ("models", "labs"):
            return None
        return self._rows(f"vercel-{dataset}.json", "rows")

    def document(self, feed: str) -> bytes | None:
        """The fixture file as it is."""
        return (self._folder / _DOCUMENTS[feed]).read_bytes()

    def endpoints(self, model: str) -> bytes | None:
        """Hosts of qwen/qwen3-max: one degraded, one by the time of day, one discounted."""
        path = self._folder / f"endpoints-{model.replace('/', '__')}.json"
        return path.read_bytes() if path.is_file() else None

    def alibaba(self, name: str) -> bytes | None:
        """An index of five families and the files of the three that are Alibaba's own."""
        path = self._folder / "alibaba-groups" / name
        return path.read_bytes() if path.is_file() else None

    def fx_history(self) -> str | None:
        """Two flat levels: 7.0 yuan per dollar, then 7.2 from 2026-08-10 on."""
        return (self._folder / "eurofxref-hist.csv").read_text()

    def hub_models(self, org: str) -> list[Row] | None:
        """Five models of Qwen, two of deepseek-ai, one of moonshotai; nobody else has any."""
        path = self._folder / "huggingface" / f"{org}.json"
        rows: list[Row] = _parsed(path) if path.is_file() else []
        return rows

    def _rows(self, name: str, key: str) -> list[Row]:
        rows: list[Row] = _parsed(self._folder / name)[key]
        return rows


@functools.lru_cache(maxsize=16)
def _parsed(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
