"""Claims for the screen: all of them, and one with its arithmetic. Imports Polars."""

from qwenwatch.own_claims import all_claims
from qwenwatch.session import Session
from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.market.check_all import check_all
from qwenwatch_cache.market.known import Known
from qwenwatch_widgets.views.answer import Page
from qwenwatch_widgets.views.claims import claims_answer
from qwenwatch_widgets.views.query import TablesQuery

WRAP = 130
"""Letters of a line of the arithmetic."""


def ask_claims(session: Session, known: Known, query: TablesQuery) -> tuple[str, Page]:
    """Every claim with its verdict, and what holds of those that were published together."""
    checked, sentences = check_all(known, all_claims(session.config))
    answer = claims_answer(checked, sentences, known.at, detail=False, wrap=WRAP, on_screen=True)
    page = answer.page
    # The counts say most; when it was known stands in the corner.
    return page.lines[0], Page(page.title, (*page.lines[1:], ""), page.tables, page.sources)


def ask_claim(session: Session, known: Known, query: TablesQuery) -> tuple[str, Page]:
    """One claim: what was said, and the arithmetic under every scope that tells something.

    Raises:
        NothingToShow: There is none of that name any more.
    """
    claims = {claim.id: claim for claim in all_claims(session.config)}
    if query.subject not in claims:
        raise NothingToShow(f"no claim is called {query.subject!r} any more")
    claim = claims[query.subject]
    linked = [
        one
        for one in claims.values()
        if one is claim
        or (claim.together and one.together == claim.together)
        or one.id in claim.contradicts
        or claim.id in one.contradicts
    ]
    found, sentences = check_all(known, linked)
    checked = [one for one in found if one.claim.id == claim.id]
    own = [one for one in sentences if claim.id in one.ids]
    page = claims_answer(checked, own, known.at, detail=True, wrap=WRAP).page
    overview, *tables = page.tables
    return page.lines[0], Page(page.title, (claim.says,), tables or (overview,), page.sources)
