"""Questions that commands and screens put alike, with the settings of the run. Imports Polars."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial

import polars as pl

from qwenwatch.days import end_of
from qwenwatch.session import Session
from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.identity import split_variant
from qwenwatch_cache.market.board import Board
from qwenwatch_cache.market.disagreement import SAME, disagreement
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.offers import offers
from qwenwatch_cache.market.side_by_side import SideBySide, side_by_side
from qwenwatch_cache.market.spend_definition import measured_spend
from qwenwatch_cache.market.windows import Grain
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Answer
from qwenwatch_widgets.views.disagreement import DisagreementAsked, disagreement_answer


def definitions_of(session: Session, known: Known, grain: Grain, day: date | None) -> SideBySide:
    """All definitions of a time, implied spend under the configured mix included.

    Raises:
        NothingToShow: None has figures of that time.
    """
    return side_by_side(known, grain, day, partial(measured_spend, known, mix=session.mix))


def disagreement_of(
    session: Session,
    known: Known,
    *,
    day: date | None = None,
    models: Sequence[str] = (),
    basis: str = "",
    least: Decimal = Decimal(0),
    top: int = 0,
) -> Answer:
    """Where sources state different prices of one model.

    Args:
        session: The cache.
        known: What was known.
        day: As of its end; None for now.
        models: Canonical ids; of these also what all sources say alike. Empty for all.
        basis: "route" or "list", "" for both.
        least: Only differences of so many per cent or more.
        top: How many models people see, 0 for all.

    Raises:
        NothingToShow: There are no prices.
    """
    at = end_of(day, known.at)
    found = offers(known, at)
    if basis:
        found = found.filter(pl.col("basis") == basis)
    if found.is_empty():
        raise NothingToShow("no prices are known for this day: run `qwenwatch refresh`")
    board = _board(known, day)
    frame = disagreement(
        found,
        at,
        read_at=lambda feed: known.polls.last(feed, at),
        shares={} if board is None else _shares(board),
        models=models,
        min_spread=float(least / 100),
    )
    if models and frame.is_empty():
        raise NothingToShow(f"no source states a price of {', '.join(models)}")
    feeds = found.filter(pl.col("feed").is_in(frame["feed"].unique().to_list()))
    origins = [
        known.price_origin(feed, at) for feed in feeds.get_column("feed").unique().sort().to_list()
    ]
    several = found.group_by(SAME).agg(pl.col("feed").n_unique()).filter(pl.col("feed") > 1)
    asked = DisagreementAsked(
        known_at=known.at,
        priced_at=at,
        usage="" if board is None else _usage(board),
        basis=basis,
        min_percent=least,
        compared=several.height,
        models=models,
        top=top,
        rates=_rates(known, frame, at.date()) if models else {},
    )
    return disagreement_answer(frame, asked, [*origins, *([] if board is None else [board.origin])])


def _board(known: Known, day: date | None) -> Board | None:
    """The last complete week of tokens by model, None if there is none."""
    try:
        definition = known.choose_definition("week", "tokens", day)
        window = known.newest_window(definition, "week", day)
    except NothingToShow:
        return None
    return None if window is None else known.board(definition, "model", window)


def _shares(board: Board) -> Mapping[str, float]:
    """Share of a model with all of its variants, of those that are named."""
    shares: dict[str, float] = {}
    for model, share in (
        board.rows.filter(pl.col("rank").is_not_null()).select("id", "share").rows()
    ):
        base = split_variant(model)[0]
        shares[base] = shares.get(base, 0.0) + share
    return shares


def _rates(known: Known, frame: pl.DataFrame, day: date) -> Mapping[str, tuple[Decimal, date]]:
    """What the currencies of prices, but USD, are worth in USD."""
    others = [one for one in frame["currency"].unique().sort().to_list() if one != "USD"]
    rates = {one: known.rates.rate(one, "USD", day) for one in others}
    return {one: (rate.value, rate.date) for one, rate in rates.items() if rate is not None}


def _usage(board: Board) -> str:
    window = board.window
    when = amounts.window(window.grain, window.start, window.end)
    return f"{board.definition.label} in the {when}"
