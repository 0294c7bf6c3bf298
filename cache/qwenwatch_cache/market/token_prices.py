"""What a token of a model cost on a day: the cheapest, the dearest, and that of a stated workload.

Usage is stated in tokens, without saying which were input, output or cached. A price of "a token"
can so only be a range; see `qwenwatch_cache.market.spend` for what is made of it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import polars as pl

from qwenwatch_cache.identity import split_variant
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.doubts import Polls, extremes, without_glitches, without_jumps
from qwenwatch_cache.market.in_force import ON_DEMAND, in_force, revisions
from qwenwatch_cache.market.prices import COLUMNS, CROSS_CHECK, Mix

Basis = Literal["route", "list"]

CURRENCY = "USD"
"""The currency of all amounts; offers in another one are not looked at."""

MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """USD per 1M tokens of a model at one time.

    Attributes:
        low: As if every token were of the cheapest kind: cached input where a price of it is
            stated, else input (or output, should that be cheaper), at the cheapest tier and hour.
        high: As if every token were of the dearest kind, at the dearest tier and hour.
        expected: Of the stated workload, at the tier of short prompts; hours of the day count by
            their length.
        feeds: Who states it.
    """

    low: Decimal
    high: Decimal
    expected: Decimal
    feeds: frozenset[str]


FREE = TokenPrice(Decimal(0), Decimal(0), Decimal(0), frozenset())
"""Of a free variant: nobody is charged for it."""


class TokenPrices:
    """The prices of some models, to be asked day by day."""

    def __init__(
        self,
        frame: pl.DataFrame,
        directory: Directory,
        models: Collection[str],
        basis: Basis,
        *,
        polls: Polls,
        last_poll: Callable[[str, datetime], datetime | None],
        mix: Mix,
    ) -> None:
        """Take what is known of prices.

        Args:
            frame: Rows of the price table, all revisions that are known.
            directory: Who is behind an id.
            models: Ids of the models wanted, as `Directory.model` gives them, variants included.
            basis: Route prices, or list prices: those for everywhere before those for mainland
                China, the vendors' own before what only repeats them.
            polls: Moments at which each feed was read successfully, by feed.
            last_poll: The last of them up to a moment.
            mix: Workload behind the expected price.
        """
        self._offers = _offers(frame, directory, models, basis)
        self._polls = polls
        self._last_poll = last_poll
        self._mix = mix

    def on(self, day: date, known_at: datetime) -> Mapping[str, TokenPrice]:
        """Prices by id of the model (with its variant) as they stood at the end of a day.

        They are believed as `prices` believes them at that moment: jumps and zeros in doubt are
        not. A model is missing if nothing was stated, or if any of its tiers and hours of that day
        has an unknown price.

        Args:
            day: The day, UTC; of prices by day of the week those of this day count.
            known_at: Nothing observed later is used.
        """
        at = min(datetime.combine(day, time.max, UTC), known_at)
        known = self._offers.filter(pl.col("observed_at") <= at)
        if known.is_empty():
            return {}
        believed = without_jumps(revisions(known, at, *extremes()), at, self._polls)
        rows = without_glitches(in_force(believed, at), lambda feed: self._last_poll(feed, at))
        rows = rows.filter(pl.col("rank") == pl.col("rank").min().over("id_of_model"))
        rows = rows.sort("id_of_model", "feed", "model", "provider", "tier_from", "window_utc")
        found = {}
        tiles = rows.iter_rows(named=True)
        for model, of_model in groupby(tiles, key=itemgetter("id_of_model")):
            price = _token_price(list(of_model), day.isoweekday(), self._mix)
            if price is not None:
                found[model] = price
        return found

    def ever(self) -> Collection[str]:
        """Ids of the models of which a price was ever stated."""
        return self._offers.get_column("id_of_model").unique().sort().to_list()


def is_free(model: str) -> bool:
    """Whether an id is that of a free variant."""
    return split_variant(model)[1] == "free"


def _offers(
    frame: pl.DataFrame, directory: Directory, models: Collection[str], basis: Basis
) -> pl.DataFrame:
    """The rows of the price table that may price some models, with id and rank of the offer."""
    rows = frame.select(COLUMNS).filter(
        (pl.col("basis") == basis)
        & (pl.col("feed") != ON_DEMAND)
        & (pl.col("currency") == CURRENCY)
    )
    named = ("feed", "model", "provider", "variant")
    ids = []
    for feed, model, provider, variant in rows.select(named).unique().sort(named).iter_rows():
        id_ = directory.model(feed, model, provider).id
        id_ = f"{id_}:{variant}" if variant else id_
        if id_ in models:
            ids.append((feed, model, provider, variant, id_))
    schema = dict.fromkeys((*named, "id_of_model"), pl.String())
    rank = 2 * (pl.col("region") == "cn").cast(pl.Int64) + pl.col("feed").is_in(list(CROSS_CHECK))
    wanted = pl.DataFrame(ids, schema=schema, orient="row")
    return rows.join(wanted, on=named, how="inner").with_columns(rank=rank)


def _token_price(tiles: Sequence[Mapping[str, Any]], weekday: int, mix: Mix) -> TokenPrice | None:
    """The price of a model from its tiers and hours of a day, None if any of them is unknown."""
    tiles = [tile for tile in tiles if _minutes(tile["window_utc"], weekday)]
    base = [tile for tile in tiles if tile["tier_from"] == 0]
    if not base or any(tile["input"] is None or tile["output"] is None for tile in tiles):
        return None
    kinds = [price for tile in tiles for price in _kinds(tile)]
    minutes = [_minutes(tile["window_utc"], weekday) for tile in base]
    blended = [blend(tile["input"], tile["output"], tile["cache_read"], mix) for tile in base]
    return TokenPrice(
        low=min(kinds),
        high=max(kinds),
        expected=_sum(map(Decimal.__mul__, blended, map(Decimal, minutes))) / sum(minutes),
        feeds=frozenset(tile["feed"] for tile in tiles),
    )


def blend(input_: Decimal, output: Decimal, cache_read: Decimal | None, mix: Mix) -> Decimal:
    """The price of a token of a workload.

    Cached tokens cost as much as input where no price of them is stated; a cached price of 0 beside
    an input price is none (OpenRouter sent "0" for whatever did not apply until 2026-03-29).
    """
    return input_ * mix.input + output * mix.output + (cache_read or input_) * mix.cached


def _kinds(tile: Mapping[str, Any]) -> Iterable[Decimal]:
    """What the kinds of tokens cost that a price is stated of."""
    yield tile["input"]
    yield tile["output"]
    if tile["cache_read"]:
        yield tile["cache_read"]


def _minutes(window_utc: str, weekday: int) -> int:
    """How many minutes of a day of the week a time of day holds, see `in_force.window_in_force`."""
    days, _, hours = window_utc.rpartition(" ")
    if days and str(weekday) not in days:
        return 0
    if not hours:
        return MINUTES
    start, end = (int(each[:2]) * 60 + int(each[2:]) for each in hours.split("-"))
    return (end - start) % MINUTES or MINUTES


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
