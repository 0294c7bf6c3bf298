"""What OpenRouter's tokens of a window would have cost, at the prices of its days."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
import polars as pl

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.market.definitions import By, Definition, definition_of
from qwenwatch_cache.market.directory import OTHER, Directory
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.origins import Origin
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.spend import NO_PRICE, NOT_YET, Use, over, spend, unpriced
from qwenwatch_cache.market.token_prices import FREE, Basis, TokenPrice, TokenPrices, is_free
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.vendors import UNKNOWN

TOKENS = "tokens/openrouter-rankings"
"""Definition of the tokens that are priced: the only feed of absolute ones."""

MEASURED = "spend/vercel-leaderboard"
"""Definition of the spend that is compared with: measured, but on another platform."""

MEASURED_BY: frozenset[By] = frozenset({"vendor", "country"})
"""Groupings that are compared; models have other names and other free variants there."""


class Spend(msgspec.Struct, frozen=True):
    """The implied spend of a window.

    Attributes:
        definition: What the tokens are.
        by: Grouping.
        window: When.
        basis: Which prices.
        mix: Workload behind the expected spend.
        used: Everything that the source counted, with prices where they are known.
        rows: spend.SPEND.
        unpriced: spend.UNPRICED.
        whole: The same as `rows` in one row: everything that the source counted.
        models: How many models are named.
        daily: Whether each day was priced by itself; else the total of a week.
        priced_at: The last moment that prices are of.
        complete: Whether every day of the window is there.
        scope: What the source of the tokens counted, in its words.
        origins: Where tokens and prices came from.
        price_feeds: Which of them state the prices.
        compared: Where the measured shares came from, None if there are none.
    """

    definition: Definition
    by: By
    window: Window
    basis: Basis
    mix: Mix
    used: Sequence[Use]
    rows: pl.DataFrame
    unpriced: pl.DataFrame
    whole: Mapping[str, Any]
    models: int
    daily: bool
    priced_at: datetime
    complete: bool
    scope: str
    origins: Sequence[Origin]
    price_feeds: Sequence[str]
    compared: Origin | None


def implied_spend(known: Known, by: By, window: Window, basis: Basis, mix: Mix) -> Spend:
    """Price the tokens of a window.

    Each day is priced as of its end. Where only the total of a week is known, it is priced over
    all prices of its days: cheapest and dearest of them, and the mean of the expected.

    Args:
        known: What was known.
        by: Grouping.
        window: When.
        basis: "route" for what OpenRouter charged, "list" for what the vendors' lists say.
        mix: Workload behind the expected spend.

    Raises:
        NothingToShow: There are no tokens of that window.
    """
    definition = definition_of(TOKENS)
    span = (window.start, window.end)
    of_window = known.totals(definition, "model", window.grain, span)
    of_window = of_window.filter(pl.col("start") == window.start)
    if of_window.is_empty():
        raise NothingToShow(
            f"no figures of {definition.label} of the {window.grain} {window.start} to {window.end}"
        )
    days = _by_day(known, definition, of_window, window)
    tokens = of_window if days is None else days
    used = _named(known, tokens, window, basis, mix, daily=days is not None)
    used += _rest(known, definition, window, used)
    measured, compared = _measured(known, by, window)
    priced_at = min(datetime.combine(window.end, time.max, UTC), known.at)
    feeds = sorted({feed for use in used if use.price for feed in use.price.feeds})
    return Spend(
        definition=definition,
        by=by,
        window=window,
        basis=basis,
        mix=mix,
        used=used,
        rows=spend(used, by, measured),
        unpriced=unpriced(used),
        whole=_whole(used),
        models=len({use.id for use in used if use.id}),
        daily=days is not None,
        priced_at=priced_at,
        complete=bool(of_window.get_column("complete").all()),
        scope=str(of_window.get_column("scope").first()),
        origins=(
            *_token_origins(known, definition, window),
            *(known.price_origin(feed, priced_at) for feed in feeds),
        ),
        price_feeds=feeds,
        compared=compared,
    )


def _by_day(
    known: Known, definition: Definition, of_window: pl.DataFrame, window: Window
) -> pl.DataFrame | None:
    """The figures of each day of the source that answers for the window, None if it has none."""
    feed = of_window.get_column("feed").first()
    days = known.totals(definition, "model", "day", (window.start, window.end))
    days = days.filter(
        pl.col("start").is_between(window.start, window.end) & (pl.col("feed") == feed)
    )
    return None if days.is_empty() else days


def _named(
    known: Known, tokens: pl.DataFrame, window: Window, basis: Basis, mix: Mix, *, daily: bool
) -> list[Use]:
    """What was used of the models that are named, with prices."""
    named = tokens.filter(~pl.col("entity").is_in(list(OTHER))).sort("start", "entity")
    entities = named.select("feed", "entity").unique().sort("feed", "entity")
    models = {entity: known.directory.model(feed, entity) for feed, entity in entities.iter_rows()}
    prices = TokenPrices(
        known.price,
        known.directory,
        {model.id for model in models.values()},
        basis,
        polls=known.polls,
        last_poll=known.polls.last,
        mix=mix,
    )
    by_day = {day: prices.on(day, known.at) for day in _days(window, known.at)}
    later = prices.ever()
    used = []
    for start, entity, value in named.select("start", "entity", "value").iter_rows():
        model = models[entity]
        days = [start] if daily else list(by_day)
        free = is_free(model.id)
        found = over(by_day.get(day, {}).get(model.id) for day in days)
        used.append(
            _use(
                known.directory,
                model.vendor,
                value,
                id_=model.id,
                name=model.name,
                price=FREE if free else found,
                why=NOT_YET if model.id in later else NO_PRICE,
            )
        )
    return used


def _rest(known: Known, definition: Definition, window: Window, used: Sequence[Use]) -> list[Use]:
    """Tokens of each vendor, and of nobody known, beyond those of the models that are named.

    Some sources name more vendors than models. What is restated between two of their captures
    may make a vendor's models a little more than the vendor: then there is no rest.
    """
    totals = known.totals(definition, "vendor", window.grain, (window.start, window.end))
    totals = totals.filter(pl.col("start") == window.start)
    stated: dict[str, int] = defaultdict(int)
    for feed, kind, entity, value in totals.select("feed", "kind", "entity", "value").iter_rows():
        stated[_vendor(known.directory, feed, kind, entity)] += value
    named: dict[str, int] = defaultdict(int)
    for use in used:
        named[use.vendor or UNKNOWN] += use.tokens
    rest = {
        vendor: tokens - named[vendor]
        for vendor, tokens in stated.items()
        if vendor != UNKNOWN and tokens > named[vendor]
    }
    rest[UNKNOWN] = max(0, sum(stated.values()) - sum(named.values()) - sum(rest.values()))
    return [_use(known.directory, vendor, rest[vendor]) for vendor in sorted(rest) if rest[vendor]]


def _vendor(directory: Directory, feed: str, kind: str, entity: str) -> str:
    if entity in OTHER:
        return UNKNOWN
    return directory.lab(feed, entity) if kind == "lab" else directory.model(feed, entity).vendor


def _use(
    directory: Directory,
    vendor_id: str,
    tokens: int,
    *,
    id_: str = "",
    name: str = "",
    price: TokenPrice | None = None,
    why: str = "",
) -> Use:
    vendor = directory.vendor(vendor_id)
    return Use(
        id=id_,
        name=name,
        vendor=vendor.id if vendor else None,
        vendor_name=vendor.label if vendor else "unattributed",
        country=directory.country(vendor_id) or None,
        tokens=tokens,
        price=price,
        free=is_free(id_) or (price is not None and price.high == 0),
        why=why,
    )


def _days(window: Window, known_at: datetime) -> list[date]:
    """The days of a window that have begun."""
    days = [window.start + timedelta(days=number) for number in range(window.days)]
    return [day for day in days if day <= known_at.date()]


def _measured(known: Known, by: By, window: Window) -> tuple[dict[str, float], Origin | None]:
    """Shares of spend as measured elsewhere, if every day of the window is there."""
    if by not in MEASURED_BY:
        return {}, None
    board = known.board(definition_of(MEASURED), by, window, history=1)
    if board.rows.is_empty() or not board.complete:
        return {}, None
    return dict(board.rows.select("id", "share").iter_rows()), board.origin


def _token_origins(known: Known, definition: Definition, window: Window) -> list[Origin]:
    """Where the tokens came from: by model, and by vendor if that was another source."""
    boards = [known.board(definition, by, window, history=1) for by in ("model", "vendor")]
    return list({board.origin.feed: board.origin for board in boards}.values())


def _whole(used: Sequence[Use]) -> Mapping[str, Any]:
    """Everything in one row of spend.SPEND."""
    everything = [Use("", "", None, "", None, use.tokens, use.price, use.free) for use in used]
    return spend(everything, "vendor").row(0, named=True)
