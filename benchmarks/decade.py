"""Make a cache with years of rows, as years of polling would have left it.

    python benchmarks/decade.py DIR [--years 10] [--end 2026-08-21] [--seed 1]

The rows are made up by a seeded generator; ids are those of the bundled baseline and of the tables
of names, so that questions know them. They are written a year at a time through the store's own
`append`, `add` and `log`.

Measured on recordings (`growth.py` prints it beside what is made up here):

* rankings: 51 rows a day, 38 of them restated within two hours; about 3 models a day that were not
  there the day before;
* Vercel: 6 to 11 names per metric and day, as on its page;
* prices: 18.5 rows a day of OpenRouter (the newest week of bodies half a day apart; 13 over the
  last year), 4 of LiteLLM (its last year), 1.2 of models.dev (of few bodies, so too few); entries
  of the catalogues 3.6, 2 and 1 a day; ECB: 2 rates a working day;
* requests: what each feed's `plan` asks, at the feed's interval.

Assumed, because nobody recorded it (each is a constant here or in the `invented_*` files):

* apps: 100 a day, each with new figures (50 were recorded, once); sessions: 2,500 cells, once a
  week (the source gives 5,500 at most); tasks: 29 with 10 models each, new every day (so many were
  recorded of another data set of the site);
* Hugging Face: 96 organisations, most with 10 or more models, all figures restated daily;
* Alibaba: a change every other day; all labs of `vendors.toml` on Vercel; one day in 30 of the
  rankings restated weeks later, and every day once on the day after it; half a percent of requests
  that fail; which servers give an ETag; that every answer of the rankings, of OpenRouter's models
  and of Hugging Face is another body than the one before.
"""

import argparse
import random
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import invented_log
import invented_prices
import invented_usage
import polars as pl

from qwenwatch_cache.frames import CATALOG_TABLE, FETCH_TABLE, USAGE_TABLE
from qwenwatch_cache.store import Store
from qwenwatch_cache.vendors import load_vendors

END = date(2026, 8, 21)
"""The last day of the rankings in the bundled baseline."""

RANKINGS = "openrouter-rankings"
YEAR = 365
BIRTHS = 2.6  # days between two models that come out
PRICE_ROWS = {"openrouter-models": 18.5, "litellm": 4.0, "models-dev": 1.2, "alibaba-list": 0.5}
CATALOG_ROWS = {
    "openrouter-models": 3.6,
    "litellm": 2.0,
    "models-dev": 1.0,
    "alibaba-list": 0.1,
    "openrouter-apps": 0.5,
}
ROUNDS = {
    "openrouter-models": [timedelta(hours=hour, minutes=17) for hour in range(24)],
    "litellm": [timedelta(hours=5)],
    "models-dev": [timedelta(hours=hour) for hour in (1, 7, 13, 19)],
    "alibaba-list": [timedelta(hours=6)],
}
APPS = 100

Frames = Mapping[str, pl.DataFrame]


def main() -> None:
    """Make the cache and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path, help="where; must not exist, or hold a cache")
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--end", type=date.fromisoformat, default=END)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    make_cache(options.directory, options.years, options.seed, options.end)
    seconds = time.perf_counter() - began
    files = [path for path in options.directory.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    print(f"{options.directory}: {len(files)} files, {size / 1e6:.1f} MB, made in {seconds:.0f} s")


def make_cache(root: Path, years: int, seed: int = 1, end: date = END) -> None:
    """Fill a new cache with so many years of rows.

    Args:
        root: The cache directory; anything in it is deleted.
        years: How many times 365 days.
        seed: The same seed gives the same rows.
        end: Last day that has figures; learned on the day after.

    Raises:
        StoreError: The cache cannot be written.
    """
    if root.exists():
        shutil.rmtree(root)
    store = Store(root)
    revised: list[Frames] = []
    for frames in rows_of(store, years, seed, end):
        now = _newest(frames)
        once = frames["usage"].filter(pl.col("feed") != RANKINGS)
        # One answer states a thing once; what is stated again within the year is added below.
        store.append(
            {"usage": once, **{name: frames[name] for name in ("fx", "session", "task")}},
            now,
            whole=frozenset(),
        )
        store.log(frames[FETCH_TABLE.name], now)
        again = frames["usage"].filter(feed=RANKINGS)
        revised.append({"usage": again, "price": frames["price"], "catalog": frames["catalog"]})
    store.add({name: pl.concat(one[name] for one in revised) for name in revised[0]}, now)


def _newest(frames: Frames) -> datetime:
    newest = frames["usage"].get_column(USAGE_TABLE.time).max()
    assert isinstance(newest, datetime)
    return newest


def rows_of(store: Store, years: int, seed: int, end: date) -> Iterator[Frames]:
    """Frames by table, one year after the other, oldest first.

    Args:
        store: Its baseline has the ids.
        years: How many times 365 days.
        seed: The same seed gives the same rows.
        end: Last day that has figures.
    """
    rng = random.Random(seed)
    days = [end - timedelta(days=back) for back in reversed(range(years * YEAR))]
    offers = invented_prices.offers_of(store)
    models = _models(store, len(days), rng)
    labs = [name for one in load_vendors() for name in one.aliases.get("vercel", ())]
    vercel = _entities(store, "vercel-leaderboard")
    apps = _entities(store, "openrouter-apps")
    apps += [str(9_000_000 + number) for number in range(APPS - len(apps))]
    rankings = invented_usage.rankings(models, days, rng)
    year_of = pl.col("observed_at").dt.date()
    for first in range(0, len(days), YEAR):
        year = days[first : first + YEAR]
        whole = first == 0
        # What was learned the day after the last day of a year comes with that year.
        learned = year_of.is_between(year[0] + timedelta(days=1), year[-1] + timedelta(days=1))
        usage = [
            rankings.filter(learned),
            invented_usage.vercel(vercel, labs, year, rng),
            invented_usage.apps(apps, year, rng),
            invented_usage.hugging_face(year, rng),
        ]
        prices = [
            invented_prices.prices(
                offers.filter(feed=feed), year, rate, ROUNDS[feed], rng, everything=whole
            )
            for feed, rate in PRICE_ROWS.items()
        ]
        now = models[-300:]
        yield {
            "usage": pl.concat(usage).sort(USAGE_TABLE.time, maintain_order=True),
            "price": pl.concat(prices).sort("observed_at", maintain_order=True),
            "catalog": invented_prices.catalog(store, year, CATALOG_ROWS, rng, everything=whole),
            "fx": invented_prices.rates(year, rng),
            "session": invented_usage.sessions(now, year, rng),
            "task": invented_usage.tasks(now, year, rng),
            FETCH_TABLE.name: invented_log.log(year, rng),
        }


def _models(store: Store, days: int, rng: random.Random) -> Sequence[str]:
    """Ids of the rankings, oldest first: those of the baseline last, made-up ones first."""
    recent = _entities(store, RANKINGS)
    slugs = store.bundled(CATALOG_TABLE).get_column("usage_slug").drop_nulls()
    known = sorted(set(slugs) - set(recent))
    rng.shuffle(recent)
    rng.shuffle(known)
    count = round((days - invented_usage.PAST) / BIRTHS)
    authors = sorted({name.partition("/")[0] for name in recent})
    missing = max(0, count - len(known) - len(recent))
    past = [f"{rng.choice(authors)}/past-{number}" for number in range(missing)]
    return [*past, *known, *recent][-count:]


def _entities(store: Store, feed: str) -> list[str]:
    """What the baseline's usage of a feed names, apart from the rest."""
    rows = store.bundled(USAGE_TABLE).filter(pl.col("feed") == feed, pl.col("entity") != "other")
    return rows.get_column("entity").unique().sort().to_list()


if __name__ == "__main__":
    main()
