"""What a token of a model cost on a day: the cheapest, the dearest, and that of a stated workload.

Usage is stated in tokens, without saying which were input, output or cached. A price of "a token"
can so only be a range; see `qwenwatch_cache.market.spend` for what is made of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import msgspec
import polars as pl

from qwenwatch_cache.identity import split_variant
from qwenwatch_cache.market.believed import LastPoll, believed
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.doubts import Polls
from qwenwatch_cache.market.hours import minutes_of_day
from qwenwatch_cache.market.in_force import ON_DEMAND
from qwenwatch_cache.market.prices import COLUMNS, CROSS_CHECK, Mix

Basis = Literal["route", "list"]

CURRENCY = "USD"
"""The currency of all amounts; offers in another one are not looked at."""


class TokenPrice(msgspec.Struct, frozen=True):
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
        last_poll: LastPoll,
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
            last_poll: The last of them, where it can be had without all others.
            mix: Workload behind the expected price.
        """
        self._offers = _offers(frame, directory, models, basis)
        self._polls = polls
        self._last_poll = last_poll
        self._mix = mix

    def on(self, day: date, known_at: datetime) -> Mapping[str, TokenPrice]:
        """Prices by id of the model (with its variant) as they stood at the end of a day.

        They are believed as `prices` believes them at that moment. A model is missing if nothing
        was stated, or if any of its tiers and hours of that day has an unknown price.

        Args:
            day: The day, UTC; of prices by day of the week those of this day count.
            known_at: Nothing observed later is used.
        """
        at = min(datetime.combine(day, time.max, UTC), known_at)
        rows = believed(self._offers, at, self._polls, self._last_poll).rows
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
    tiles = [tile for tile in tiles if minutes_of_day(tile["window_utc"], weekday)]
    base = [tile for tile in tiles if tile["tier_from"] == 0]
    if not base or any(tile["input"] is None or tile["output"] is None for tile in tiles):
        return None
    kinds = [price for tile in tiles for price in _kinds(tile)]
    minutes = [minutes_of_day(tile["window_utc"], weekday) for tile in base]
    blended = [mix.price(tile["input"], tile["output"], tile["cache_read"]) for tile in base]
    return TokenPrice(
        low=min(kinds),
        high=max(kinds),
        expected=_sum(map(Decimal.__mul__, blended, map(Decimal, minutes))) / sum(minutes),
        feeds=frozenset(tile["feed"] for tile in tiles),
    )


def _kinds(tile: Mapping[str, Any]) -> Iterable[Decimal]:
    """What the kinds of tokens cost that a price is stated of."""
    yield tile["input"]
    yield tile["output"]
    if tile["cache_read"] is not None:
        yield tile["cache_read"]


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
