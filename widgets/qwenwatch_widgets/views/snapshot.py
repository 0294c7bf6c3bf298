"""The snapshot of a day: the questions taken together, and as the JSON document of the contract.

The document is described by docs/snapshot.schema.json; `SCHEMA_VERSION` counts its versions.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.clock import is_replayed
from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.market.terms import ANY_TERMS, Terms
from qwenwatch_widgets.views.amounts import clean
from qwenwatch_widgets.views.price_rows import prices_block, rate_feeds
from qwenwatch_widgets.views.sources import source_row

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.definitions import By
    from qwenwatch_cache.market.known import Board, Known, Origin
    from qwenwatch_cache.market.prices import Mix
    from qwenwatch_cache.market.windows import Grain, Window

SCHEMA_VERSION = 1
SECTIONS = ("leaderboards", "definitions", "prices")
GROUPS: Sequence["By"] = ("model", "vendor", "country")


@dataclass(frozen=True, slots=True)
class Ask:
    """What a snapshot is wanted of.

    Attributes:
        date: The day; None for the newest with figures.
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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The answers for one day.

    Attributes:
        ask: What was asked.
        date: The day.
        known_at: Nothing learned later was used.
        window: The window of the leaderboards, None if no usage was asked for.
        boards: Leaderboards by grouping.
        definitions: One pair of leaderboards (by vendor, by country) per definition with figures.
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
    definitions: Sequence[tuple["Board", "Board"]]
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
    definitions: list[tuple[Board, Board]] = []
    window: Window | None = None
    if {"leaderboards", "definitions"} & set(ask.sections):
        definition = known.choose_definition(ask.grain, ask.metric, day)
        if day is None:
            newest = known.newest_window(definition, "day")
            day = newest.start if newest else None
        window = known.choose_window(definition, ask.grain, day)
        day = day or window.end
        if "leaderboards" in ask.sections:
            boards = {by: known.board(definition, by, window) for by in ask.groups}
        if "definitions" in ask.sections:
            definitions = _definitions(known, window)
    day = day or _newest_priced_day(known)
    # The newest day is shown with the prices of now, a day that was named with those of its end.
    priced_at = known.at
    if ask.date is not None:
        priced_at = min(ask.at or datetime.combine(ask.date, time.max, UTC), known.at)
    offers = _offers(known, ask, priced_at) if "prices" in ask.sections else None
    if offers is not None and offers.is_empty() and not boards and not definitions:
        whose = f" of {', '.join(ask.models)}" if ask.models else ""
        how = "" if ask.terms == ANY_TERMS else " on these terms"
        raise NothingToShow(f"no prices{whose} are known for {day}{how}")
    origins = {board.origin.feed: board.origin for pair in definitions for board in pair}
    origins |= {board.origin.feed: board.origin for board in boards.values()}
    for board in boards.values():
        for origin in known.history_origins(board):
            origins.setdefault(origin.feed, origin)
    if offers is not None:
        for feed in offers["feed"].unique().sort().to_list():
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
        prices=offers,
        priced_at=priced_at,
        order=ask.models or (_used(known, ask, day) if offers is not None else ()),
        origins=tuple(origins.values()),
    )


def document(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as plain values: shares are fractions, times ISO 8601 UTC, unknown is null."""
    window = snapshot.window
    plain: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "replayed": is_replayed(),
        "date": snapshot.date.isoformat(),
        "known_at": _instant(snapshot.known_at),
        "baseline": any(origin.status != "live" for origin in snapshot.origins),
        "window": None if window is None else _window(window, snapshot),
        "sources": [source_row(origin, snapshot.known_at) for origin in snapshot.origins],
    }
    if "leaderboards" in snapshot.ask.sections:
        plain["leaderboards"] = {
            by: [_leader(row) for row in board.rows.to_dicts()]
            for by, board in snapshot.boards.items()
        }
    if "definitions" in snapshot.ask.sections:
        plain["definitions"] = [_definition(*pair) for pair in snapshot.definitions]
    if snapshot.prices is not None:
        plain["prices"] = prices_block(snapshot.ask, snapshot.prices, snapshot.priced_at)
    return plain


def _definitions(known: "Known", window: "Window") -> list[tuple["Board", "Board"]]:
    pairs = [
        (known.board(one, "vendor", window), known.board(one, "country", window))
        for one in known.definitions()
    ]
    return [pair for pair in pairs if not pair[0].rows.is_empty()]


def _offers(known: "Known", ask: Ask, at: datetime) -> "pl.DataFrame":
    """The prices on the terms wanted; in another currency before any of them is left out."""
    offers = known.prices(at, ask.baseline, ask.mix, ask.terms.prompt_tokens)
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
    newest = known.price.get_column("observed_at").max()
    if not isinstance(newest, datetime):
        raise NothingToShow("there are no prices yet: run `qwenwatch refresh`")
    return newest.date()


def _window(window: "Window", snapshot: Snapshot) -> dict[str, Any]:
    boards = [*snapshot.boards.values(), *(board for board, _ in snapshot.definitions)]
    return {
        "grain": window.grain,
        "start": window.start.isoformat(),
        "end": window.end.isoformat(),
        "complete": all(board.complete for board in boards),
    }


def _leader(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rank": row["rank"],
        "previous_rank": row["previous_rank"],
        "id": clean(row["id"]),
        "source_id": None if row["source_id"] is None else clean(row["source_id"]),
        "name": clean(row["name"]),
        "vendor": row["vendor"],
        "country": row["country"],
        "metric": row["metric"],
        "value": row["value"],
        "share": row["share"],
        "share_change": row["share_change"],
        "history": [
            {"start": point["start"].isoformat(), "share": point["share"]}
            for point in row["history"]
        ],
    }


def _definition(vendors: "Board", countries: "Board") -> dict[str, Any]:
    leader = vendors.rows.row(0, named=True)
    window = vendors.window
    return {
        "metric": vendors.definition.name,
        "feed": vendors.definition.feed,
        "window": {
            "grain": window.grain,
            "start": window.start.isoformat(),
            "end": window.end.isoformat(),
            "complete": vendors.complete,
        },
        "scope": vendors.scope,
        "leader": leader["id"] if leader["rank"] is not None else None,
        "leader_share": leader["share"] if leader["rank"] is not None else None,
        "shares": dict(countries.rows.select("id", "share").iter_rows()),
    }


def _instant(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else None
