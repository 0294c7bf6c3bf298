"""The fixtures, with lists long enough that the loss of half is seen, and with news on a later day.

Added entries repeat the last or first one of the fixture under another name, so that nothing of
what they state is news to a parser.
"""

import copy
import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from tests.feedserver import FIXTURE_NOW, Clock, FixtureBodies
from tests.feedserver.bodies import Row

ADDED = 24
"""Entries added to each list that is long in reality too."""

NEWS_FROM = FIXTURE_NOW + timedelta(days=1)
"""From this moment on, price lists state one other price."""


class LongerBodies(FixtureBodies):
    """The fixtures, longer.

    What is left as short as it is: the days of Vercel's leaderboard (shares must add up), Model
    Studio's files, the ECB's day, and the Hugging Face organisations that really have few models.
    """

    def __init__(self, clock: Clock) -> None:
        """Take the server's clock."""
        super().__init__()
        self._clock = clock

    def rankings(self) -> list[Row]:
        """Also of the next day, and more models of few tokens every day."""
        rows = super().rankings()
        last = max(row["date"] for row in rows)
        following = str(date.fromisoformat(last) + timedelta(days=1))
        rows = rows + [{**row, "date": following} for row in rows if row["date"] == last]
        days = sorted({row["date"] for row in rows})
        return rows + [
            {"date": day, "model_permaslug": f"fixture/small-{number}", "total_tokens": "1000"}
            for day in days
            for number in _numbers()
        ]

    def apps(self, first: date, last: date) -> list[Row] | None:
        """More apps, each as much used as the last one."""
        rows = super().apps(first, last) or []
        return _longer(rows, lambda number: {"app_id": 200 + number, "app_name": f"App {number}"})

    def sessions(self) -> list[Row] | None:
        """More apps; one median is news later."""
        rows = super().sessions() or []
        longer = _longer(rows, lambda number: {"app_slug": f"app-{number}"})
        if self._news:
            longer[-1]["median_session_cost_usd"] = 9.75
        return longer

    def tasks(self) -> Row | None:
        """More tasks of share 0, each with as many models as the first one."""
        tasks = copy.deepcopy(super().tasks() or {})
        first = tasks["classifications"][0] | {"usage_share": 0, "token_share": 0}
        tasks["classifications"] += [first | {"tag": f"code:{number}"} for number in _numbers()]
        return tasks

    def document(self, feed: str) -> bytes | None:
        """More models of vendors that the program knows; one price is news later."""
        payload = json.loads(super().document(feed) or b"")
        if feed == "openrouter-models":
            last = payload["data"][-1]
            payload["data"] += [last | {"id": f"{last['id']}-{number}"} for number in _numbers()]
            if self._news:
                payload["data"][-1]["pricing"] = last["pricing"] | {"completion": "0.000009"}
        elif feed == "models-dev":
            models = payload["alibaba"]["models"]
            models |= {f"qwen-fixture-{number}": models["qwen3-max"] for number in _numbers()}
            if self._news:
                models[f"qwen-fixture-{ADDED}"] = {"cost": {"input": 9, "output": 99}}
        else:
            models = {f"gpt-fixture-{number}": payload["gpt-4"] for number in _numbers()}
            if self._news:
                models[f"gpt-fixture-{ADDED}"] = payload["gpt-5.4"]
            payload |= models
        return json.dumps(payload).encode()

    def endpoints(self, model: str) -> bytes | None:
        """More hosts, each like the second one; one price is news later."""
        payload = json.loads(super().endpoints(model) or b"")
        hosts = payload["data"]["endpoints"]
        hosts += [hosts[1] | {"tag": f"host-{number}"} for number in _numbers()]
        if self._news:
            hosts[-1]["pricing"] = {"prompt": "0.000009", "completion": "0.00009"}
        return json.dumps(payload).encode()

    def alibaba(self, name: str) -> bytes | None:
        """One price is news later."""
        body = super().alibaba(name)
        return body.replace(b'"price": "4.8"', b'"price": "4.9"') if body and self._news else body

    def fx_history(self) -> str | None:
        """Also of the day after."""
        head, _, days = (super().fx_history() or "").partition("\n")
        return f"{head}\n{FIXTURE_NOW.date()},1.26,160.00,N/A,0.80000,9.1000,\n{days}"

    def hub_models(self, org: str) -> list[Row] | None:
        """More models of Qwen."""
        rows = super().hub_models(org) or []
        return _longer(rows, lambda n: {"id": f"Qwen/More-{n}"}) if org == "Qwen" else rows

    @property
    def _news(self) -> bool:
        return self._clock() >= NEWS_FROM


def _longer(rows: Sequence[Row], other: Any) -> list[Row]:
    """The rows, and copies of the last one with what `other` says by number."""
    return [*rows, *(rows[-1] | other(number) for number in _numbers())]


def _numbers() -> range:
    return range(1, ADDED + 1)
