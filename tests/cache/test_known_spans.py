"""A question reads only the days it needs, and answers as if it had read all there are."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.frames import FETCH, FETCH_TABLE, USAGE
from qwenwatch_cache.health import feed_states, recent_log
from qwenwatch_cache.market.definitions import DEFINITIONS, GROUPINGS
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.leaderboard import leaderboard
from qwenwatch_cache.market.polls import KnownPolls
from qwenwatch_cache.market.totals import totals
from qwenwatch_cache.market.windows import Grain, Window
from qwenwatch_cache.schedule import FeedSettings
from qwenwatch_cache.store import Store
from tests.cache.rows import fetches

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
SEEDS = range(4)
FIGURES = (
    ("openrouter-rankings", "tokens", "model", ("qwen/qwen3-max", "a/b", "other")),
    ("vercel-leaderboard", "tokens", "lab", ("Alibaba", "openai")),
    ("vercel-leaderboard", "spend", "model", ("Qwen 3 Max", "other")),
)
GRAINS: tuple[tuple[Grain, int], ...] = (("day", 300), ("week", 500), ("month", 1200))


def made_up(chance: random.Random, days: int) -> pl.DataFrame:
    """Years with restatements, late rows, withdrawals, and gaps longer than what is read first."""
    gap = chance.randrange(days)
    rows: list[dict[str, Any]] = []
    for back in range(days):
        period = NOW.date() - timedelta(days=back + 1)
        for feed, metric, kind, entities in FIGURES:
            if gap <= back < gap + chance.choice((0, 40, 400)) or chance.random() < 0.03:
                continue
            for entity in entities:
                when = datetime(period.year, period.month, period.day, 1, tzinfo=UTC)
                for _ in range(chance.choice((1, 1, 1, 2, 3))):
                    when += timedelta(days=1, hours=chance.choice((0, 0, 2, 700)))
                    gone = chance.random() < 0.05
                    tokens = feed == "openrouter-rankings" and not gone
                    rows.append(
                        {
                            "feed": feed,
                            "metric": metric,
                            "kind": kind,
                            "entity": entity,
                            "grain": "day",
                            "period": period,
                            "value": chance.randrange(10**9) if tokens else None,
                            "share": None if tokens or gone else chance.random() / 3,
                            "scope": "all",
                            "as_of": when - timedelta(hours=chance.choice((0, 900))),
                            "observed_at": when,
                        }
                    )
    return pl.DataFrame(rows, schema=USAGE)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("grain", "days"), GRAINS)
def test_windows_and_leaderboards_are_as_from_everything(
    tmp_path: Path, seed: int, grain: Grain, days: int
) -> None:
    chance = random.Random(f"{seed} {grain}")
    store = Store(tmp_path / "cache", bundled=tmp_path)
    store.add({"usage": made_up(chance, days)}, NOW)
    at = NOW - timedelta(days=chance.choice((0, 1, 50)))
    everything = Known(store, at).usage
    boards = 0
    for definition in DEFINITIONS.values():
        known = Known(store, at)
        of_vendors = totals(everything, definition, "vendor", grain).filter("complete")
        starts = of_vendors.get_column("start").unique().sort().to_list()
        whole = [Window(start, grain) for start in starts]
        for until in (None, at.date() - timedelta(days=1), at.date() - timedelta(days=days // 2)):
            fitting = [one for one in whole if until is None or one.end <= until]
            newest = known.newest_window(definition, grain, until)
            assert newest == (fitting[-1] if fitting else None)
            for by in GROUPINGS if newest else ():
                assert newest is not None
                board = known.board(definition, by, newest)
                of_all = totals(everything, definition, by, grain)
                expected = leaderboard(of_all, definition, by, newest, known.directory)
                assert board.rows.equals(expected)
                own = everything.filter(
                    (pl.col("feed") == board.origin.feed)
                    & pl.col("kind").is_in(
                        of_all.filter(pl.col("start") == newest.start)["kind"].unique().to_list()
                    )
                )
                assert board.origin.as_of == own["as_of"].max()
                boards += 1
    assert boards


@pytest.mark.parametrize("seed", SEEDS)
def test_the_health_of_feeds_is_as_from_the_whole_log(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    rows = []
    # Some feeds fell silent long ago, some fail, some never bring anything.
    begins = {name: chance.choice((0, 30, 39, 41, 200)) for name in FEEDS}
    for step in range(400, 0, -1):
        for name, silent in begins.items():
            started = NOW - timedelta(hours=6 * step, days=silent, minutes=chance.randrange(60))
            error = chance.choice((None, None, "HTTP 500", "HTTP 429"))
            rows.append(
                dict.fromkeys(FETCH)
                | {
                    "feed": name,
                    "url": f"https://example.org/{name}",
                    "started": started,
                    "status": chance.choice((0, int((error or "HTTP 200")[5:]))),
                    "rows": 5,
                    "rows_new": chance.choice((0, 0, 3)) if silent != 39 else 0,
                    "retry_at": started + timedelta(hours=chance.randrange(99)) if error else None,
                    "error": error,
                    "role": chance.choice(("part", "last", "backfill", "model", None)),
                }
            )
    store = Store(tmp_path / "cache", bundled=tmp_path)
    store.log(pl.DataFrame(rows, schema=FETCH), NOW)
    feeds = [FeedSettings(feed, True, "", "key", feed.floor) for feed in FEEDS.values()]
    whole = feed_states(store.cached(FETCH_TABLE), feeds, NOW)
    assert feed_states(recent_log(store, feeds, NOW), feeds, NOW) == whole
    assert len({one.state for one in whole}) > 2


def test_several_feeds_looked_up_at_once_were_read_when_each_was(root: Path) -> None:
    store = Store(root)
    store.log(fetches([NOW - timedelta(days=90), NOW - timedelta(days=2)], "litellm"), NOW)
    store.log(fetches([NOW - timedelta(days=100)], "models-dev"), NOW)
    store.log(fetches([NOW - timedelta(hours=1)], "ecb-fx"), NOW)
    feeds = ("litellm", "models-dev", "ecb-fx", "vercel-leaderboard")
    for at in (NOW, NOW - timedelta(days=1), NOW - timedelta(days=60)):
        at_once, one_by_one = KnownPolls(store, NOW), KnownPolls(store, NOW)
        at_once.look(feeds, at)
        for feed in feeds:
            assert at_once.last_own(feed, at) == one_by_one.last_own(feed, at), (feed, at)
            assert at_once.last(feed, at) == one_by_one.last(feed, at), (feed, at)
