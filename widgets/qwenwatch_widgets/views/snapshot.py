"""The snapshot of a day: the questions taken together."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import msgspec

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.market.terms import ANY_TERMS, Terms
from qwenwatch_widgets.views.price_rows import rate_feeds

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.between import Changes
    from qwenwatch_cache.market.board import Board
    from qwenwatch_cache.market.definitions import By
    from qwenwatch_cache.market.implied_spend import Spend
    from qwenwatch_cache.market.known import Known
    from qwenwatch_cache.market.measured import Measured
    from qwenwatch_cache.market.origins import Origin
    from qwenwatch_cache.market.prices import Mix
    from qwenwatch_cache.market.side_by_side import SideBySide
    from qwenwatch_cache.market.windows import Grain, Window

SECTIONS = ("leaderboards", "definitions", "spend", "changes", "prices")
OF_USE = frozenset({"leaderboards", "definitions", "spend"})
"""Sections of the usage of a window."""

GROUPS: Sequence["By"] = ("model", "vendor", "country")


class Ask(msgspec.Struct, frozen=True):
    """What a snapshot is wanted of.

    Attributes:
        date: The day; None for the newest with figures, of which changes are told only once it is
            over.
        sections: Which parts.
        groups: Groupings of the leaderboards.
        metric: Definition key or metric, "" lets the data decide.
        grain: Length of the window.
        baseline: Canonical id of the model that price ratios refer to.
        mix: Workload behind blended prices.
        models: Canonical ids whose prices are wanted, in their order; empty for all.
        at: The moment that the prices are wanted of; None for the end of the day.
        terms: On which terms prices are wanted.
    """

    date: date | None
    sections: Collection[str]
    groups: Sequence["By"]
    metric: str
    grain: "Grain"
    baseline: str
    mix: "Mix"
    models: Sequence[str] = ()
    at: datetime | None = None
    terms: Terms = ANY_TERMS


class Snapshot(msgspec.Struct, frozen=True):
    """The answers for one day.

    Attributes:
        ask: What was asked.
        date: The day.
        known_at: Nothing learned later was used.
        window: The window of the leaderboards, None if no usage was asked for.
        boards: Leaderboards by grouping.
        definitions: All definitions of the window, None if not asked for.
        spend: Implied spend, None if not asked for or if no tokens are known.
        changes: What changed on the day, None if not asked for.
        prices: prices.PRICES, None if not asked for.
        priced_at: The moment the prices are of.
        order: Canonical ids of models to put prices in order: those named, or the most used first.
        origins: Where everything came from.
    """

    ask: Ask
    date: date
    known_at: datetime
    window: "Window | None"
    boards: Mapping["By", "Board"]
    definitions: "SideBySide | None"
    spend: "Spend | None"
    changes: "Changes | None"
    prices: "pl.DataFrame | None"
    priced_at: datetime
    order: Sequence[str]
    origins: Sequence["Origin"]


def take_snapshot(known: "Known", ask: Ask) -> Snapshot:
    """Put all questions of a snapshot.

    Raises:
        NothingToShow: There are no figures for the day asked.
    """
    day = ask.date
    boards: dict[By, Board] = {}
    definitions: SideBySide | None = None
    spend: Spend | None = None
    window: Window | None = None
    if OF_USE & set(ask.sections):
        definition = known.choose_definition(ask.grain, ask.metric, day)
        if day is None:
            newest = known.newest_window(definition, "day")
            day = newest.start if newest else None
        window = known.choose_window(definition, ask.grain, day)
        day = day or window.end
        if "leaderboards" in ask.sections:
            boards = {by: known.board(definition, by, window) for by in ask.groups}
        if "definitions" in ask.sections:
            definitions = _definitions(known, window, ask)
        if "spend" in ask.sections:
            spend = _spend(known, window, ask.mix)
        if spend is None and tuple(ask.sections) == ("spend",):
            raise NothingToShow(f"no tokens are known of {window.start} to {window.end}")
    day = day or _newest_priced_day(known)
    if ask.date is None and "changes" in ask.sections:
        day = min(day, known.at.date() - timedelta(days=1))
    # The newest day is shown with the prices of now, a day that was named with those of its end.
    priced_at = known.at
    if ask.date is not None:
        priced_at = min(ask.at or datetime.combine(ask.date, time.max, UTC), known.at)
    offers = _offers(known, ask, priced_at) if "prices" in ask.sections else None
    changes = _changes(known, day, ask) if "changes" in ask.sections else None
    if offers is not None and offers.is_empty() and window is None and changes is None:
        whose = f" of {', '.join(ask.models)}" if ask.models else ""
        how = "" if ask.terms == ANY_TERMS else " on these terms"
        raise NothingToShow(f"no prices{whose} are known for {day}{how}")
    origins: dict[str, Origin] = {}
    for found in (definitions, spend, changes):
        for origin in found.origins if found else ():
            origins.setdefault(origin.feed, origin)
    origins |= {board.origin.feed: board.origin for board in boards.values()}
    for board in boards.values():
        for origin in _earlier_origins(known, board):
            origins.setdefault(origin.feed, origin)
    if offers is not None:
        feeds = offers["feed"].unique().sort().to_list()
        known.polls.look(feeds, priced_at)
        for feed in feeds:
            origins[feed] = known.price_origin(feed, priced_at)
        for feed, rate_day in rate_feeds(offers):
            origins[feed] = known.rate_origin(feed, rate_day)
    return Snapshot(
        ask=ask,
        date=day,
        known_at=known.at,
        window=window,
        boards=boards,
        definitions=definitions,
        spend=spend,
        changes=changes,
        prices=offers,
        priced_at=priced_at,
        order=ask.models or (_used(known, ask, day) if offers is not None else ()),
        origins=tuple(origins.values()),
    )


def _earlier_origins(known: "Known", board: "Board") -> Sequence["Origin"]:
    """Where the windows before the board's came from, if from elsewhere."""
    # Loads Polars, which the document of a kept snapshot does without.
    from qwenwatch_cache.market.origins import history_origins

    return history_origins(known, board)


def _definitions(known: "Known", window: "Window", ask: Ask) -> "SideBySide":
    """All definitions of the window, implied spend under the mix included."""
    # Loads much that the other questions do without.
    from qwenwatch_cache.market.side_by_side import side_by_side
    from qwenwatch_cache.market.spend_definition import measured_spend

    def spend(window: "Window") -> Sequence["Measured"]:
        return measured_spend(known, window, ask.mix)

    return side_by_side(known, ask.grain, ask.date, spend, window=window)


def _spend(known: "Known", window: "Window", mix: "Mix") -> "Spend | None":
    """Implied spend by vendor at route prices, None where no tokens of the window are known."""
    from qwenwatch_cache.market.implied_spend import implied_spend

    try:
        return implied_spend(known, "vendor", window, "route", mix)
    except NothingToShow:
        return None


def _changes(known: "Known", day: date, ask: Ask) -> "Changes":
    """What changed on the day."""
    from qwenwatch_cache.market.between import Asked, changes_between
    from qwenwatch_cache.market.changes import Period

    return changes_between(known, Asked(Period(day, day), metric=ask.metric, grain=ask.grain))


def _offers(known: "Known", ask: Ask, at: datetime) -> "pl.DataFrame":
    """The prices on the terms wanted; in another currency before any of them is left out."""
    offers = known.prices(at, ask.baseline, ask.mix, ask.terms.prompt_tokens, ask.models)
    if ask.terms.currency:
        offers = known.converted(offers, ask.baseline, ask.terms.currency, at)
    offers = ask.terms.of(offers)
    if ask.models:
        named = offers.filter(offers["model"].is_in(list(ask.models)))
        if named.is_empty():
            return named
        offers = offers.filter(offers["model"].is_in([*ask.models, ask.baseline]))
    return offers


def _used(known: "Known", ask: Ask, day: date) -> Sequence[str]:
    """The models of the newest leaderboard there is up to that day; none if there is none."""
    try:
        definition = known.choose_definition(ask.grain, ask.metric, day)
    except NothingToShow:
        return ()
    window = known.newest_window(definition, ask.grain, day)
    if window is None:
        return ()
    rows = known.board(definition, "model", window).rows
    return tuple(dict.fromkeys(model.partition(":")[0] for model in rows["id"].to_list()))


def _newest_priced_day(known: "Known") -> date:
    newest = known.newest_price
    if not isinstance(newest, datetime):
        raise NothingToShow("there are no prices yet: run `qwenwatch refresh`")
    return newest.date()
