"""A made-up past that is as long as the feeds' own."""

from datetime import date, timedelta

from tests.feedserver import FixtureBodies
from tests.feedserver.bodies import Row


class LongAgo(FixtureBodies):
    """Figures of every day, as far back as the feeds' own begin."""

    def __init__(self, last: date) -> None:
        super().__init__()
        self._last = last

    def _days(self, first: date) -> list[str]:
        return [str(first + timedelta(days=day)) for day in range((self._last - first).days + 1)]

    def rankings(self) -> list[Row]:
        return [
            {"date": day, "model_permaslug": slug, "total_tokens": tokens}
            for day in self._days(date(2025, 1, 1))
            for slug, tokens in (("qwen/qwen3-max", "600"), ("other", "400"))
        ]

    def leaderboard(self, dataset: str) -> list[Row] | None:
        name = "Alibaba" if dataset == "labs" else "Qwen 3 Max"
        return [
            {"date": day, "group": "all", "name": name, "metric": metric, "share_percent": 100.0}
            for day in self._days(date(2025, 10, 1))
            for metric in ("tokens", "requests", "spend")
        ]
