"""Where the data of the feeds comes from."""

import functools
import json
from collections.abc import Callable
from datetime import UTC, datetime
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

    def apps(self) -> list[Row] | None:
        """Rows of ``app-rankings``."""
        ...

    def leaderboard(self, dataset: str) -> list[Row] | None:
        """Rows of one dataset of Vercel's export."""
        ...

    def document(self, feed: str) -> bytes | None:
        """The body of a feed that is one JSON document."""
        ...

    def fx_history(self) -> str | None:
        """The text of the ECB's ``eurofxref-hist.csv``."""
        ...


class FixtureBodies:
    """The small hand-written world of ``tests/fixtures/feeds``."""

    def __init__(self, folder: Path = FIXTURES) -> None:
        self._folder = folder

    def rankings(self) -> list[Row]:
        """Five weeks, 2026-07-13 to 2026-08-16, constant within a week."""
        return self._rows("rankings-daily.json", "data")

    def apps(self) -> list[Row] | None:
        """Four apps."""
        return self._rows("app-rankings.json", "data")

    def leaderboard(self, dataset: str) -> list[Row] | None:
        """Three complete weeks, the first two alike, and one running day of models and labs."""
        if dataset not in ("models", "labs"):
            return None
        return self._rows(f"vercel-{dataset}.json", "rows")

    def document(self, feed: str) -> bytes | None:
        """The fixture file as it is."""
        return (self._folder / _DOCUMENTS[feed]).read_bytes()

    def fx_history(self) -> str | None:
        """Two flat levels: 7.0 yuan per dollar, then 7.2 from 2026-08-10 on."""
        return (self._folder / "eurofxref-hist.csv").read_text()

    def _rows(self, name: str, key: str) -> list[Row]:
        rows: list[Row] = _parsed(self._folder / name)[key]
        return rows


@functools.lru_cache(maxsize=16)
def _parsed(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
