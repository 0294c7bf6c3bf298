"""Questions that a screen shows as tables, by name. Imports Polars."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import cast

from msgspec.structs import replace

from qwenwatch.asking import definitions_of, disagreement_of
from qwenwatch.claim_pages import ask_claim, ask_claims
from qwenwatch.session import Session
from qwenwatch.steps import LENGTHS, steps_of
from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.market.between import Asked, changes_between, newest_day
from qwenwatch_cache.market.changes import Period
from qwenwatch_cache.market.definitions import definition_of
from qwenwatch_cache.market.implied_spend import TOKENS, implied_spend
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.terms import ANY_TERMS
from qwenwatch_cache.market.windows import Grain
from qwenwatch_widgets.views.amounts import window as window_text
from qwenwatch_widgets.views.answer import Page
from qwenwatch_widgets.views.change_log import log_table
from qwenwatch_widgets.views.changes import changes_answer
from qwenwatch_widgets.views.definitions import definitions_answer
from qwenwatch_widgets.views.headline import health_line
from qwenwatch_widgets.views.market import Headline
from qwenwatch_widgets.views.price_history import history_answer
from qwenwatch_widgets.views.query import TablesQuery
from qwenwatch_widgets.views.spend import spend_answer
from qwenwatch_widgets.views.table import Tone
from qwenwatch_widgets.views.tables import TablesView

RECENT = 90
"""Days of which changes of a vendor are shown."""

Ask = Callable[[Session, Known, TablesQuery], tuple[str, Page]]
"""Puts a question; gives the time that the answer is about, and the answer."""


def answer_tables(session: Session, query: TablesQuery) -> TablesView:
    """The answer to a question for the screen.

    Raises:
        NothingToShow: There is none.
    """
    known = session.known()
    window, page = PAGES[query.question](session, known, query)
    scene = session.scene()
    shown = _shown(page, window=window, health=health_line(scene.feeds, scene.now))
    return replace(shown, steps=steps_of(known, query))


def _shown(page: Page, *, window: str, health: tuple[str, Tone]) -> TablesView:
    """A page for the screen.

    Args:
        page: The answer for people; its first line says what holds for all of it.
        window: The time that it is about.
        health: One line about the feeds, and its tone.
    """
    first, *others = (*page.lines, "")
    text, tone = health
    headline = Headline(
        window=window,
        badge="",
        badge_tone="",
        summary=first,
        caveat=" · ".join(line for line in others if line),
        source=_first_of(page.sources),
        health=text,
        health_tone=tone,
    )
    return TablesView(headline, tuple(page.tables), tuple(page.sources))


def _first_of(sources: Sequence[str]) -> str:
    """The first source, and how many more the help names."""
    more = f" · +{len(sources) - 1} more (?)" if len(sources) > 1 else ""
    return f"{sources[0]}{more}" if sources else ""


def _definitions(session: Session, known: Known, query: TablesQuery) -> tuple[str, Page]:
    """Who leads by what, and what the tokens would have cost, vendor by vendor."""
    grain, day = cast(Grain, query.grain), None
    if query.steps_back:
        newest = known.choose_definition(grain)
        day = known.choose_window(newest, grain, None, query.steps_back).end
    side = definitions_of(session, known, grain, day)
    page = definitions_answer(side, known.at, top=0).page
    first, *others = page.tables
    lines = list(page.lines[1:])  # the window stands in the corner
    try:
        window = known.choose_window(definition_of(TOKENS), grain, day)
        spend = implied_spend(known, "vendor", window, "route", session.mix)
        priced = spend_answer(spend, known.at).page
        lines = [priced.lines[0], *lines]
        others = [priced.tables[0], *others]
    except NothingToShow:
        pass  # without tokens there is nothing to price; the definitions say what is missing
    text = window_text(side.window.grain, side.window.start, side.window.end)
    return text, Page(page.title, lines, (first, *others), page.sources)


def _changes(session: Session, known: Known, query: TablesQuery) -> tuple[str, Page]:
    """What changed in a day, a week or 30 days."""
    length = LENGTHS[query.grain]
    period = Period.of_days(length, newest_day(known) - timedelta(query.steps_back * length))
    changes = changes_between(known, Asked(period))
    page = changes_answer(changes, known.at, title="", top=0, order="time").page
    return _span(period.first, period.last), page


def _vendor(session: Session, known: Known, query: TablesQuery) -> tuple[str, Page]:
    """What changed of a vendor lately."""
    period = Period.of_days(RECENT, newest_day(known))
    changes = changes_between(known, Asked(period, vendors=(query.subject,), by=("vendor",)))
    page = changes_answer(changes, known.at, title="", top=0, order="time").page
    return _span(period.first, period.last), Page("", (), (log_table(changes),), page.sources)


def _model(session: Session, known: Known, query: TablesQuery) -> tuple[str, Page]:
    """How the prices of a model moved, and what each source says of them."""
    model = query.subject
    page = history_answer(known, (model,), ANY_TERMS, None).page
    offers, changes, *_ = page.tables
    tables = [offers, changes]
    with suppress(NothingToShow):  # one source alone disagrees with nobody
        tables += disagreement_of(session, known, models=(model,)).page.tables
    return "", Page(page.title, page.lines, tables, page.sources)


def _prices(session: Session, known: Known, query: TablesQuery) -> tuple[str, Page]:
    """What the Prices screen asks."""
    # The first frame does not wait for what it alone needs.
    from qwenwatch.price_pages import PRICE_PAGES

    return PRICE_PAGES[query.question](session, known, query)


def _span(first: date, last: date) -> str:
    return f"{first} to {last}" if first != last else f"{last}"


PAGES: Mapping[str, Ask] = {
    "definitions": _definitions,
    "changes": _changes,
    "vendor": _vendor,
    "model": _model,
    "prices": _prices,
    "compare": _prices,
    "index": _prices,
    "claims": ask_claims,
    "claim": ask_claim,
}
"""The questions by name."""
