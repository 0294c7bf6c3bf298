"""The claims that rows stand for: a share, a price, a change of one, each as its view knows it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.identity import split_model
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.claim_draft import NOBODY, Claimable

if TYPE_CHECKING:
    from qwenwatch_cache.market.between import Compared
    from qwenwatch_cache.market.board import Board

UNKNOWN = "This figure is not known: there is nothing to claim"
UNREAD = "It is not known when this was read: there is nothing to claim"
IN_PART = "Not all days of this time are known: a claim of it could not be checked"
NOT_MOVED = "Input and output did not change here, and claims are of these"
UNCOMPARED = "This change has no percentage: one of both prices is not stated, or was 0"
HOURS = "This price is of some hours of the day, which a claim cannot say"
COMES_AND_GOES = "That a model comes or goes is no figure"
ALREADY = "This is a claim already"
NO_INDEX = "An index is of many prices at once: claims are of the price of a model"
NO_USER = "Claims are of countries, vendors and models, not of apps and their sessions"

IMPLIED = "implied_spend"
"""Metric of tokens × price."""

PLAIN_BASIS = "route"
"""Prices that definitions side by side take for implied spend: those that OpenRouter charged."""

SIGNS = {"USD": "$", "CNY": "¥", "EUR": "€"}
"""Currencies that a claim can be in."""

FIELDS = ("input", "output")
"""Prices that a claim can be of, the one that is preferred first."""

ATTRIBUTED = {"scope.among": "attributed"}
"""What leaderboards show: what is named and known to be somebody's, as a part of everything."""


def days(first: date, last: date) -> str:
    """A time as claims write it."""
    return f"{first}" if first == last else f"{first}..{last}"


def board_claim(row: Mapping[str, Any], board: "Board", several: Collection[str] = ()) -> Claimable:
    """A share on a leaderboard.

    Args:
        row: Of leaderboard.LEADERBOARD.
        board: The leaderboard.
        several: Models of which it has more than one variant.
    """
    if row["rank"] is None:
        return NOBODY
    if not board.complete:
        return IN_PART
    of, definition, window = row["id"], board.definition, board.window
    return {
        "measure": "share",
        board.by: f"{of}:standard" if of in several else of,
        "value": amounts.percent(row["share"]),
        "metric": definition.metric,
        "feed": definition.feed,
        "window": days(window.start, window.end),
        **ATTRIBUTED,
        **({"scope.variants": "standard"} if definition.standard_only else {}),
    }


def measured_claim(
    row: Mapping[str, Any],
    kind: str,
    of: str | None,
    share: Mapping[str, Any],
    value: Decimal | None,
) -> Claimable:
    """What a definition says of a vendor or a country: its share, or its total if that is all.

    Args:
        row: Of side_by_side.DEFINITION_ROWS.
        kind: "vendor" or "country".
        of: Whose it is, None if nobody is ranked.
        share: `share`, or its bounds `share_low` and `share_high`.
        value: How much it is, None if only shares are stated.
    """
    if of is None:
        return NOBODY
    if not row["complete"]:
        return IN_PART
    terms = {kind: of, "metric": row["metric"].removesuffix("_standard"), "feed": row["feed"]}
    terms["window"] = days(row["start"] or row["end"], row["end"])
    if row["grain"] not in {"day", "week", "month"}:
        terms["window"] = f"{row['end']}"  # its span is its own
    elif row["metric"] == IMPLIED:
        terms["basis"] = PLAIN_BASIS
    else:
        terms |= ATTRIBUTED
        if row["metric"].endswith("_standard"):
            terms["scope.variants"] = "standard"
    if share["share"] is not None:
        return {"measure": "share", "value": amounts.percent(share["share"]), **terms}
    if share["share_low"] is not None and share["share_high"] is not None:
        between = share_between(share["share_low"], share["share_high"])
        return {"measure": "share", **between, **terms}
    if value is None:
        return UNKNOWN
    return {"measure": "total", "value": amounts.tokens(int(value)), **terms}


def several_variants(ids: Iterable[str]) -> frozenset[str]:
    """Models of which there are several variants: their id alone would stand for all of them."""
    found = Counter(split_model(one)[0] for one in ids)
    return frozenset(model for model, count in found.items() if count > 1)


def share_between(low: float, high: float) -> dict[str, str]:
    """A share that is only known to lie between two: the bounds as they are shown, both rounded."""
    text = amounts.percent_between(low, high)
    return {"value": text, "precision": "0.1"} if "–" in text else {"value": text}


def price_claim(
    row: Mapping[str, Any], at: datetime, *, host: str = "", fields: Sequence[str] = FIELDS
) -> Claimable:
    """A price, that of input if it is known.

    Args:
        row: Of prices.PRICES, or with its columns up to `output`; `window_utc`, `tier_from` and
            `variant` may be missing.
        at: When it was in force.
        host: Tag of the host that charges it.
        fields: Prices that it may be of, the one that is preferred first.
    """
    field = next((name for name in fields if row[name] is not None), "")
    if not field:
        return UNKNOWN
    terms = _terms(row)
    if isinstance(terms, str):
        return terms
    return {
        "measure": "price",
        **terms,
        "value": _price(row[field], row["currency"]),
        "field": field,
        **({"host": host} if host else {}),
        "window": f"{at.date()}",
    }


def ratio_claim(rows: Sequence[Mapping[str, Any]], field: str, at: datetime) -> Claimable:
    """How many times as much the first of two offers costs as the second.

    Their tiers may begin at different lengths of prompts: beyond the later begin both hold.

    Args:
        rows: Two rows of prices.PRICES of one feed, basis, region and currency.
        field: "input" or "output".
        at: When they were in force.
    """
    mine, theirs = rows
    tier = {"tier_from": max(row.get("tier_from") or 0 for row in rows)}
    terms, other = _terms({**mine, **tier}), _terms({**theirs, **tier})
    if isinstance(terms, str):
        return terms
    if isinstance(other, str):
        return other
    if mine["currency"] != theirs["currency"]:
        return "These prices are in different currencies: c on a price of one of them claims it"
    if not mine[field] or not theirs[field]:
        return UNKNOWN if None in {mine[field], theirs[field]} else "There is no ratio to 0"
    value = amounts.ratio(float(mine[field] / theirs[field])).replace("×", "x").replace(",", "")
    if not float(value[:-1]):
        return "This ratio is too small for a claim"
    return {
        "measure": "price_ratio",
        **terms,
        "to": other["model"],
        "value": value,
        "field": field,
        "window": f"{at.date()}",
    }


def change_claim(row: Mapping[str, Any], model: str, currency: str, at: datetime) -> Claimable:
    """A change of a price.

    Args:
        row: With the columns of an offer, `field`, `percent` and `mark`.
        model: Canonical id, without variant.
        currency: Of both prices.
        at: When it was first seen.
    """
    if row["field"] not in FIELDS:
        return NOT_MOVED
    if row["percent"] is None:
        return UNCOMPARED
    if row["mark"] != "confirmed":
        return f"This change is marked {row['mark']}: it is not believed, so nothing is claimed"
    terms = _terms({**row, "model": model, "currency": currency})
    if isinstance(terms, str):
        return terms
    return {
        "measure": "price_change",
        **terms,
        "value": change_text(row["percent"]),
        "field": row["field"],
        "window": f"{at.date()}",
    }


def change_text(percent: float) -> str:
    """A change in per cent as a value: ``-35.0 %``; more than tenfold as a factor."""
    return f"{percent / 100 + 1:.1f}x" if percent >= 900 else f"{percent:+.1f} %"


def mover_claim(
    rank: Mapping[str, Any] | None, share: Mapping[str, Any] | None, pair: "Compared"
) -> Claimable:
    """How much a share grew; the place, where it is the only one that is known.

    Args:
        rank: A row of changes.CHANGES of kind rank, None if the place is as before.
        share: The same of kind share.
        pair: The windows that were compared.
    """
    row = share or rank
    if row is None or pair.definition is None or pair.before is None or pair.after is None:
        return UNKNOWN
    own_id = f"{row['id']}:{row['variant']}" if row["variant"] else row["id"]
    if own_id in {"other", "unattributed"}:
        return NOBODY
    of = _alone(own_id) if pair.by == "model" else own_id
    terms = {"metric": pair.definition.metric, "feed": pair.definition.feed}
    scope = dict(ATTRIBUTED)
    if pair.definition.standard_only:
        scope["scope.variants"] = "standard"
    then, now = days(pair.before.start, pair.before.end), days(pair.after.start, pair.after.end)
    if share is not None and share["before"] and share["after"] is not None:
        value = change_text(float(share["after"] / share["before"] - 1) * 100)
        growth = {"measure": "growth", "growth_of": "share", pair.by: of, "value": value}
        return {**growth, **terms, "from": then, "window": now, **scope}
    if share is not None and share["after"] is not None:
        value = amounts.percent(float(share["after"]))
        return {"measure": "share", pair.by: of, "value": value, **terms, "window": now, **scope}
    if rank is not None and rank["after"] is not None:
        value = f"{int(rank['after'])}"
        return {"measure": "rank", pair.by: of, "value": value, **terms, "window": now, **scope}
    return "It is not named in the later of both times: there is nothing to claim"


def _alone(model: str) -> str:
    """A model without its variants, whichever of them there are."""
    base, variant = split_model(model)
    return f"{base}:{variant or 'standard'}"


def _terms(row: Mapping[str, Any]) -> dict[str, str] | str:
    """Whose price it is, and on which terms; or why a claim cannot say so."""
    if row["currency"] not in SIGNS:
        return f"Prices in {amounts.clean(row['currency'])} cannot be claimed"
    if row.get("window_utc"):
        return HOURS
    variant = row.get("variant", "")
    terms = {
        "model": f"{row['model']}:{variant}" if variant else row["model"],
        "basis": row["basis"],
        "feed": row["feed"],
    }
    if row["basis"] == "list":
        terms["region"] = row["region"] or "global"
    if row.get("tier_from"):
        terms["prompts"] = f"{row['tier_from'] + 1}"
    return terms


def _price(amount: Decimal, currency: str) -> str:
    """A price in full: what is rounded may be another."""
    return f"{SIGNS[currency]}{amount.normalize():f}"
