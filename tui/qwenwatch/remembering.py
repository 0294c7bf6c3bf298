"""A figure on the screen as a claim, to be checked from now on. Imports Polars."""

import re
from datetime import date
from typing import Any

from qwenwatch.own_claims import own_claims_path, remember
from qwenwatch.session import Session
from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.identity import split_variant
from qwenwatch_cache.market.known import Known
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.build import board_of, offers_of
from qwenwatch_widgets.views.prices import offer_key
from qwenwatch_widgets.views.query import RememberQuery

NO_MODEL = "only models of the map, as a whole, can be claimed (docs/claims.md)"

SYMBOLS = {"USD": "$", "CNY": "¥", "EUR": "€"}


def remember_figure(session: Session, known: Known, query: RememberQuery) -> str:
    """Make a claim of the row under the cursor.

    Returns:
        What came of it, for people.

    Raises:
        QwenwatchError: The row is no figure that can be claimed; the text says why.
    """
    make = _price_claim if query.table == "prices" else _share_claim
    claim = make(session, known, query)
    where = own_claims_path(session.config)
    if not remember(session.config, claim):
        return f"{claim['id']} is remembered already, in {where}"
    return f"Remembered: {claim['says']} (as {claim['id']} in {where}); 5 shows what becomes of it"


def _share_claim(session: Session, known: Known, query: RememberQuery) -> dict[str, Any]:
    """A share on a leaderboard."""
    try:
        board = board_of(known, query.market)
    except QwenwatchError as error:
        raise QwenwatchError(f"no share of a vendor is known by {query.row}") from error
    # A row of definitions stands for whoever leads by it.
    wanted = (
        board.rows["rank"] == 1 if query.table == "definitions" else board.rows["id"] == query.row
    )
    rows = board.rows.filter(wanted).to_dicts()
    if not rows or rows[0]["rank"] is None:
        raise QwenwatchError("this row is nobody's share: there is nothing to claim")
    row, by, window = rows[0], query.market.by, board.window
    model, variant = split_variant(row["id"])
    if by == "model" and (variant or "@" in model):
        raise QwenwatchError(NO_MODEL)
    share = amounts.percent(row["share"])
    when = amounts.window(window.grain, window.start, window.end)
    claim: dict[str, Any] = {
        "id": _id(f"{window.start}", window.grain, row["id"], *board.definition.key.split("/")),
        "says": f"{amounts.clean(row['name'])} had {share} of {board.definition.label}, {when}",
        "source": {"outlet": "qwenwatch", "date": _today(session).isoformat()},
        "measure": "share",
        by: row["id"],
        "value": share.removeprefix("<"),
        "metric": board.definition.metric,
        "feed": board.definition.feed,
        "window": f"{window.start}..{window.end}",
    }
    if by == "model" or board.definition.name != board.definition.metric:
        claim["scope"] = {"variants": "standard"}
    return claim


def _price_claim(session: Session, known: Known, query: RememberQuery) -> dict[str, Any]:
    """The input price of an offer, as it is now."""
    at, offers = offers_of(known, query.market, session.mix)
    rows = [row for row in offers.to_dicts() if offer_key(row) == query.row]
    if not rows or rows[0]["input"] is None:
        raise QwenwatchError("no price is known of this row: there is nothing to claim")
    row = rows[0]
    if "@" in row["model"] or row["variant"]:
        raise QwenwatchError(NO_MODEL)
    price = f"{SYMBOLS[row['currency']]}{row['input'].normalize():f}"
    claim: dict[str, Any] = {
        "id": _id(f"{at.date()}", row["model"], row["feed"], row["region"]),
        "says": f"{amounts.clean(row['name'])} costs {price} per 1M tokens of input "
        f"({row['basis']} price of {row['feed']}), {at.date()}",
        "source": {"outlet": "qwenwatch", "date": _today(session).isoformat()},
        "measure": "price",
        "model": row["model"],
        "value": price,
        "field": "input",
        "basis": row["basis"],
        "window": f"{at.date()}",
    }
    if row["region"]:
        claim["region"] = row["region"]
    return claim


def _today(session: Session) -> date:
    return session.clock().date()


def _id(*parts: str) -> str:
    words = "-".join(part for part in ("own", *parts) if part)
    return re.sub(r"[^a-z0-9._-]+", "-", words.lower())[:64]
