"""The made-up log of requests for `decade.py`, at the cadences of the feeds.

Addresses are the feeds' own, as `plan` gives them. A day is a template that is repeated with its
date; what changes from answer to answer (bytes, hash, ETag) is drawn for each.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import polars as pl

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.feeds.feed import Done
from qwenwatch_cache.frames import FETCH

FAMILIES = 48  # files of Alibaba's that its index leads to
SESSION_PAGES = 5
FURTHER_PAGES = 12  # of Hugging Face's organisations with more than 1,000 models
FAILS = 0.005  # part of the requests that fail

EARLIEST = date(2026, 1, 1)
FOUR_YEARS = timedelta(days=1461)
"""Feeds ask for no day before they began; the addresses of earlier days are those of later ones."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """How a feed's rounds look in the log.

    Attributes:
        every: Time between two rounds, jitter included.
        news: Part of the requests whose body is another than before; the rest are 304, or the same
            bytes where the request is not conditional.
        tagged: Whether the server gives an ETag or a Last-Modified date.
    """

    every: timedelta
    news: float
    tagged: bool


CADENCES = {
    "openrouter-rankings": Cadence(timedelta(minutes=63), 1.0, False),
    "openrouter-apps": Cadence(timedelta(minutes=368), 1.0, False),
    "openrouter-sessions": Cadence(timedelta(minutes=1447), 1 / 7, False),
    "openrouter-tasks": Cadence(timedelta(minutes=1447), 1.0, False),
    "vercel-leaderboard": Cadence(timedelta(minutes=1447), 1.0, True),
    "openrouter-models": Cadence(timedelta(minutes=63), 1.0, False),
    "models-dev": Cadence(timedelta(minutes=368), 0.5, True),
    "litellm": Cadence(timedelta(minutes=1447), 0.9, True),
    "alibaba-list": Cadence(timedelta(minutes=1447), 0.02, True),
    "ecb-fx": Cadence(timedelta(minutes=727), 0.35, True),
    "huggingface": Cadence(timedelta(minutes=1447), 1.0, True),
}


def log(days: Sequence[date], rng: random.Random) -> pl.DataFrame:
    """All requests of some days, in order of time."""
    begin = datetime.combine(days[0], time(), UTC)
    end = begin + timedelta(days=len(days))
    rows: list[tuple[object, ...]] = []
    for feed, cadence in CADENCES.items():
        now = begin + timedelta(minutes=rng.uniform(0, 60))
        last: dict[str, tuple[str, str, int]] = {}
        while now < end:
            asked = _asked(feed, now.date())
            for number, one in enumerate(asked):
                started = now + timedelta(milliseconds=number * 450 + rng.randrange(200))
                role = "last" if number == len(asked) - 1 else "part"
                if one.page:
                    # The whole list stands in the row of its first page.
                    rows.append((feed, one.url, started, 200, *NOTHING, 0, None, None, role))
                    continue
                if rng.random() < FAILS:
                    again = started + timedelta(minutes=1)
                    rows.append((feed, one.url, started, 503, *NOTHING, 0, again, FAILURE, role))
                    continue
                changed = one.url not in last or rng.random() < cadence.news
                if changed:
                    tagged = cadence.tagged and one.conditional  # nobody keeps another's
                    tag = f'W/"{rng.randbytes(16).hex()}"' if tagged else ""
                    last[one.url] = rng.randbytes(32).hex(), tag, rng.randrange(2000, 400_000)
                digest, tag, size = last[one.url]
                if not changed and one.conditional and cadence.tagged:
                    rows.append(
                        (feed, one.url, started, 304, 0, "", tag, None, 0, None, None, role)
                    )
                    continue
                new = rng.randrange(30) if changed else 0
                answer = (size, digest, tag, size // 300, new)
                rows.append((feed, one.url, started, 200, *answer, None, None, role))
            now += cadence.every
    return pl.DataFrame(rows, FETCH, orient="row").sort("started", "feed", "url")


NOTHING = (None, None, None, None)  # neither bytes nor sha256, ETag or rows
FAILURE = "the service is not available (HTTP 503)"


@dataclass(frozen=True, slots=True)
class _Asked:
    """One address of a round: whether "unchanged" is an answer of use, whether it is a page."""

    url: str
    conditional: bool
    page: bool = False


@lru_cache(maxsize=64)
def _asked(feed: str, day: date) -> Sequence[_Asked]:
    """What a round of a day asks, after a good round of the day before, which had a whole year."""
    host = FEEDS[feed].host
    while day < EARLIEST:
        day += FOUR_YEARS
    now = datetime.combine(day, time(12), UTC)
    yesterday, last = now - timedelta(days=1), day - timedelta(days=2)
    done = [Done(f"{host}/x?start_date={last - timedelta(days=364)}&end_date={last}", yesterday)]
    done += [Done(f"{host}/x?dataset={one}&to={last}", yesterday) for one in ("models", "labs")]
    plan = FEEDS[feed].plan(now, done)
    asked = [
        _Asked(host + request.path, request.conditional and not request.paged) for request in plan
    ]
    if feed == "alibaba-list":
        folder = asked[0].url.rpartition("/")[0]
        asked += [_Asked(f"{folder}/groups/family-{n}.json", True) for n in range(FAMILIES)]
    if feed == "openrouter-sessions":
        first = asked[0].url.removesuffix("offset=0")
        asked += [_Asked(f"{first}offset={n * 500}", False) for n in range(1, SESSION_PAGES)]
    if feed == "huggingface":
        pages = [f"{host}/api/models?cursor=page-{n}" for n in range(FURTHER_PAGES)]
        asked += [_Asked(url, False, page=True) for url in pages]
    return asked
