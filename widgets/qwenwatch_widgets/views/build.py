"""From what is known to whole screens: the one place where questions are put together."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, cast

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.market.windows import TRUNCATE, steps_to
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.claim_draft import NOBODY
from qwenwatch_widgets.views.headline import headline
from qwenwatch_widgets.views.leaders import (
    leaders_table,
    panel,
    panels,
    window_starts,
)
from qwenwatch_widgets.views.market import Choice, MarketView, PanelView, VendorView
from qwenwatch_widgets.views.prices import OWN_CURRENCY, prices_table
from qwenwatch_widgets.views.query import MarketQuery
from qwenwatch_widgets.views.scene import Scene
from qwenwatch_widgets.views.table import TableView

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.board import Board
    from qwenwatch_cache.market.definitions import By
    from qwenwatch_cache.market.known import Known
    from qwenwatch_cache.market.prices import Mix
    from qwenwatch_cache.market.windows import Grain

COMPARED = 40
"""How many of the most used models the Market screen compares by price."""


def market_view(known: "Known", query: MarketQuery, scene: Scene) -> MarketView:
    """The Market screen.

    Raises:
        NothingToShow: There are no figures for what the query asks.
    """
    board = _board(known, query)
    vendors = (
        board if query.by == "vendor" else known.board(board.definition, "vendor", board.window)
    )
    models = board if query.by == "model" else known.board(board.definition, "model", board.window)
    at = _price_moment(known, board)
    baseline = _baseline(known, query)
    offers = _offers(known, at, baseline, scene.mix)
    by_model = _by_model(offers)
    used = [_base(model) for model in models.rows["id"].to_list()]
    compared = dict.fromkeys([baseline, *used][: COMPARED + 1])
    return MarketView(
        headline=_headline(known, board, scene),
        leaders=leaders_table(board),
        panels=panels(vendors, models, by_model, scene.panels),
        prices=_prices(known, offers, baseline, scene.mix, at, used, set(compared)),
        definition=board.definition.key,
        definitions=tuple(Choice(one.key, one.label) for one in known.definitions()),
        grain=board.window.grain,
        by=query.by,
        steps_back=query.steps_back,
        source_url=board.definition.page,
        steps=_steps(known, query, board),
    )


def vendor_view(known: "Known", vendor: str, query: MarketQuery, scene: Scene) -> VendorView:
    """One vendor in full.

    Raises:
        NothingToShow: There are no figures for what the query asks.
    """
    board = _board(known, query, by="vendor", history=53)
    models = known.board(board.definition, "model", board.window)
    at = _price_moment(known, board)
    baseline = _baseline(known, query)
    offers = _offers(known, at, baseline, scene.mix)
    own_models = [row for row in models.rows.to_dicts() if row["vendor"] == vendor]
    row = next((row for row in board.rows.to_dicts() if row["id"] == vendor), None)
    shown = (
        panel(row, board, window_starts(board, 53), own_models, _by_model(offers))
        if row
        else _absent(known, vendor, board)
    )
    order = [_base(model["id"]) for model in own_models]
    own = set(offers.filter(offers["vendor"] == vendor)["model"].to_list()) | {baseline}
    return VendorView(
        vendor=vendor,
        headline=_headline(known, board, scene),
        panel=shown,
        models=_own_models(own_models, models),
        prices=_prices(known, offers, baseline, scene.mix, at, order, own),
        sources=tuple(
            dict.fromkeys(
                (board.origin.citation, *_price_citations(known, offers, at)),
            )
        ),
    )


def _board(known: "Known", query: MarketQuery, *, by: str = "", history: int = 26) -> "Board":
    """The leaderboard that a query asks for.

    Raises:
        NothingToShow: There are no figures for it.
    """
    grain = cast("Grain", query.grain)
    definition = known.choose_definition(grain, query.definition)
    window = known.choose_window(definition, grain, None, query.steps_back)
    return known.board(definition, cast("By", by or query.by), window, history=history)


def _steps(known: "Known", query: MarketQuery, board: "Board") -> dict[str, int]:
    """Steps back to the windows of other lengths that end nearest to the one shown."""
    steps: dict[str, int] = {}
    for grain in TRUNCATE if query.steps_back else ():
        with suppress(NothingToShow):
            definition = known.choose_definition(grain, query.definition)
            newest = known.newest_window(definition, grain)
            if newest is not None:
                steps[grain] = steps_to(newest, board.window.end)
    return steps


def _price_moment(known: "Known", board: "Board") -> datetime:
    """Prices are those of now, or of the window's last day once one steps back in time."""
    newest = known.newest_window(board.definition, board.window.grain)
    if newest == board.window:
        return known.at
    return min(datetime.combine(board.window.end, time.max, UTC), known.at)


def _headline(known: "Known", board: "Board", scene: Scene) -> Any:
    countries = known.board(board.definition, "country", board.window)
    return headline(
        board,
        countries,
        scene.feeds,
        scene.now,
        offline=scene.offline,
        replayed=scene.replayed,
        notices=scene.notices,
    )


def _offers(known: "Known", at: datetime, baseline: str, mix: "Mix") -> "pl.DataFrame":
    """The prices to show: those that only repeat another feed's list price are left out."""
    offers = known.prices(at, baseline, mix)
    return offers.filter(~offers["cross_check"])


def _prices(
    known: "Known",
    offers: "pl.DataFrame",
    baseline: str,
    mix: "Mix",
    at: datetime,
    order: Sequence[str],
    only: Collection[str],
) -> TableView:
    return prices_table(
        offers,
        baseline=baseline,
        mix=mix,
        at=at,
        names={vendor.id: vendor.label for vendor in known.directory.vendors},
        origins={feed: known.price_origin(feed, at) for feed in offers["feed"].unique().to_list()},
        order=order,
        only=only,
    )


def _price_citations(known: "Known", offers: "pl.DataFrame", at: datetime) -> Sequence[str]:
    return [
        known.price_origin(feed, at).citation for feed in offers["feed"].unique().sort().to_list()
    ]


def _own_models(rows: Sequence[Mapping[str, Any]], board: "Board") -> TableView:
    table = leaders_table(board)
    own = {row["id"] for row in rows}
    return TableView(
        title=f"Models · {len(own)} used",
        caption=table.caption,
        columns=table.columns,
        rows=tuple(row for row in table.rows if row.key in own),
        empty="none of its models is named by this source in this window",
    )


def _absent(known: "Known", vendor: str, board: "Board") -> PanelView:
    """The panel of a vendor that the source does not name in the window."""
    entry = known.directory.vendor(vendor)
    label = entry.label if entry else vendor
    return PanelView(
        vendor=vendor,
        title=f"{amounts.UNKNOWN} {label}",
        country=(entry.country if entry else "") or amounts.UNKNOWN,
        value=amounts.UNKNOWN,
        share=amounts.UNKNOWN,
        change="not named",
        change_tone="dim",
        series=(),
        scale="",
        models=(),
        route=f"route {amounts.UNKNOWN}",
        list=f"list {amounts.UNKNOWN}",
        cite=f"{label}: not named by {board.definition.label} in this window",
        claim=NOBODY,
    )


def _by_model(offers: "pl.DataFrame") -> Mapping[str, Sequence[Mapping[str, Any]]]:
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for offer in offers.to_dicts():
        if offer["currency"] == OWN_CURRENCY:  # panels have no room to tell currencies apart
            grouped.setdefault(offer["model"], []).append(offer)
    return grouped


def _baseline(known: "Known", query: MarketQuery) -> str:
    """The canonical id of the baseline asked for; one that is not mapped stands for itself."""
    if "@" in query.baseline:
        return query.baseline
    return known.directory.identity.resolve(query.baseline)


def _base(model: str) -> str:
    return model.partition(":")[0]
