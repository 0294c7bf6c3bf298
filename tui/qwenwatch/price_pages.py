"""What the Prices screen asks: the table, models side by side, the index. Imports Polars."""

from datetime import date, timedelta
from typing import cast

from qwenwatch.asking import disagreement_of
from qwenwatch.days import end_of
from qwenwatch.session import Session
from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.market.between import newest_day
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.model_history import model_history
from qwenwatch_cache.market.offers import offers
from qwenwatch_cache.market.price_index import price_index
from qwenwatch_cache.market.terms import Terms
from qwenwatch_cache.market.windows import Grain, Window, last_complete
from qwenwatch_cache.vendors import load_vendors
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Page
from qwenwatch_widgets.views.price_compare import compare_page
from qwenwatch_widgets.views.price_index import index_answer
from qwenwatch_widgets.views.price_screen import prices_page
from qwenwatch_widgets.views.query import TablesQuery
from qwenwatch_widgets.views.snapshot import Ask, Snapshot, take_snapshot
from qwenwatch_widgets.views.table import TableView

STANDARD = ""
"""The variant of prices without batch, free and the like."""


def ask_prices(session: Session, known: Known, query: TablesQuery) -> tuple[str, Page]:
    """All prices of a time, and where sources disagree.

    Raises:
        NothingToShow: There are none.
    """
    window = window_of(known, query)
    taken = _prices(session, known, query, window, STANDARD)
    found = disagreement_of(session, known, day=_end(window), basis=query.prices.basis)
    return _when(query, window), prices_page(taken, found, load_vendors())


def ask_compare(session: Session, known: Known, query: TablesQuery) -> tuple[str, Page]:
    """All offers of some models side by side.

    Raises:
        NothingToShow: They have none.
    """
    window = window_of(known, query)
    taken = _prices(session, known, query, window, None)
    rows = offers(known, taken.priced_at, query.prices.prompt_tokens)
    lengths = rows.select("feed", "source_id", "variant", "context_length").iter_rows()
    contexts = {(feed, id_, variant): length for feed, id_, variant, length in lengths}
    steps = model_history(known, query.models, taken.ask.terms, None).steps
    return _when(query, window), compare_page(taken, contexts, steps)


def ask_index(session: Session, known: Known, query: TablesQuery) -> tuple[str, Page]:
    """The price index of vendors up to then; of route prices unless list prices alone are wanted.

    That there is none is an answer too: the other tables of the screen do without.
    """
    basis = query.prices.basis or "route"
    at = end_of(_end(window_of(known, query)), known.at)
    rows = price_index(known, basis, "month", session.mix, until=at)
    try:
        page = index_answer(known, rows, basis=basis, grain="month", mix=session.mix, at=at).page
    except NothingToShow as error:
        page = Page("", (), (TableView("Price index", "", (), (), empty=str(error)),), ())
    return "", page


def _prices(
    session: Session, known: Known, query: TablesQuery, window: Window | None, variant: str | None
) -> Snapshot:
    wish = query.prices
    return take_snapshot(
        known,
        Ask(
            date=_end(window),
            sections=("prices",),
            groups=(),
            metric=session.config.metric,
            grain=cast(Grain, session.config.window),
            baseline=_baseline(wish.baseline),
            mix=session.mix,
            models=query.models,
            terms=Terms(
                basis=wish.basis,
                variant=variant,
                prompt_tokens=wish.prompt_tokens,
                currency=wish.currency,
            ),
        ),
    )


def _baseline(model: str) -> str:
    """The canonical id of a model; what is not mapped is named by the feed's id and the feed."""
    return model if "@" in model else load_identity().resolve(model)


def window_of(known: Known, query: TablesQuery) -> Window | None:
    """The window at whose end the prices are wanted, None for those of now."""
    if not query.steps_back:
        return None
    over = min(newest_day(known), known.at.date() - timedelta(days=1))
    return last_complete(over, cast(Grain, query.grain)).shifted(1 - query.steps_back)


def _end(window: Window | None) -> date | None:
    return None if window is None else window.end


def _when(query: TablesQuery, window: Window | None) -> str:
    if window is None:
        return f"now · < goes back by the {query.grain}"
    return f"end of {amounts.window(window.grain, window.start, window.end)}"


PRICE_PAGES = {"prices": ask_prices, "compare": ask_compare, "index": ask_index}
"""The questions by name."""
