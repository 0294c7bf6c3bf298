"""Where sources state different prices of the same model, on the same basis, in the same place.

Models are the same by the identity table only, and prices are compared only within one basis,
variant, region and currency: a mainland price in yuan and an international one in dollars are two
prices, not a disagreement.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby, permutations
from typing import Any

import polars as pl

from qwenwatch_cache.frames import INSTANT, MONEY
from qwenwatch_cache.market.corrections import HAND_KEPT
from qwenwatch_cache.market.in_force import window_in_force

COMPARED = ("input", "output", "cache_read")
"""Prices that are compared, per 1M tokens of the shortest prompts."""

SAME = ("model", "variant", "basis", "region", "currency")
"""What prices that are compared have in common."""

DISAGREEMENT = pl.Schema(
    {
        **dict.fromkeys(SAME, pl.String()),
        "name": pl.String(),
        "vendor": pl.String(),
        "feed": pl.String(),
        "source_id": pl.String(),
        "provider": pl.String(),
        "window_utc": pl.String(),  # "" or the time of day in force
        "up_to": pl.Int64(),  # longest prompt it is for, null if for all
        **dict.fromkeys(COMPARED, MONEY),
        "since": INSTANT,  # since when input, output and cached stand so
        "read_at": INSTANT,  # when the feed was last read
        "hand_kept": pl.Boolean(),  # people keep the feed; it may be this that is wrong
        "feeds": pl.Int64(),  # how many state a price that can be compared
        "differs": pl.List(pl.String()),  # which of the prices are not all the same
        # The highest of the prices divided by the lowest, less 1: of each, and of the one furthest
        # apart; null if fewer than two are known, or the lowest is 0 and the highest is not.
        **{f"spread_{name}": pl.Float64() for name in COMPARED},
        "spread": pl.Float64(),
        "share": pl.Float64(),  # of the model in what is used, null if not known
        "note": pl.String(),  # what explains the difference, "" if nothing does
    }
)

_DIGITS = 9
_OTHER_TOKENS = {
    "input": {"audio_input": "audio"},
    "output": {"image_output": "image", "audio_output": "audio"},
    "cache_read": {"audio_cache_read": "audio"},
}


def disagreement(
    offers: pl.DataFrame,
    at: datetime,
    *,
    read_at: Callable[[str], datetime | None],
    shares: Mapping[str, float],
    models: Collection[str] = (),
    min_spread: float = 0.0,
) -> pl.DataFrame:
    """Every price that another source contradicts, and the ones that contradict it.

    Args:
        offers: offers.OFFERS for the shortest prompts.
        at: The moment; of prices by time of day those in force then are compared.
        read_at: When a feed was last read.
        shares: Share of a model in what is used, by canonical id.
        models: Only these, and then those on which sources agree, or of which there is only one
            source, too; empty for all that differ.
        min_spread: Leave out what is not so far apart; a price against 0 is always far.

    Returns:
        DISAGREEMENT, the prices of one model together. Sorted by spread times share where the share
        is known, a price against 0 before all others; then by spread, model, variant, basis, region
        and currency; what is explained comes after what is not. Within a model by feed, source id
        and provider.
    """
    groups = []
    rows = window_in_force(offers, at).sort(*SAME, "feed", "source_id", "provider").to_dicts()
    for _, group in groupby(rows, key=lambda row: tuple(row[name] for name in SAME)):
        stated = [row for row in group if any(row[name] is not None for name in COMPARED)]
        if not stated or (models and stated[0]["model"] not in models):
            continue
        differs, spreads = _compared(stated)
        known = [spread for spread in spreads.values() if spread is not None]
        infinite = any(spreads[name] is None for name in differs)
        spread = None if infinite else max(known, default=None)
        if not models and (not differs or (spread is not None and spread < min_spread)):
            continue
        found = {
            "feeds": len({row["feed"] for row in stated}),
            "differs": differs,
            **{f"spread_{name}": value for name, value in spreads.items()},
            "spread": spread,
            "share": shares.get(stated[0]["model"]),
            "note": _explained(stated, differs),
        }
        groups.append([_row(row, read_at) | found for row in stated])
    groups.sort(key=_order)
    return pl.DataFrame([row for group in groups for row in group], schema=DISAGREEMENT)


def _compared(
    stated: Sequence[Mapping[str, Any]],
) -> tuple[list[str], dict[str, float | None]]:
    """Which prices of one model differ between feeds, and how far each is spread.

    Prices of one feed are no disagreement: it may have several offers of a model.
    """
    differs = []
    spreads: dict[str, float | None] = {}
    for name in COMPARED:
        by_feed: dict[str, set[Decimal]] = {}
        for row in stated:
            if row[name] is not None:
                by_feed.setdefault(row["feed"], set()).add(row[name])
        spreads[name] = None
        if len(by_feed) < 2:
            continue
        if set.intersection(*by_feed.values()):
            spreads[name] = 0.0
            continue
        differs.append(name)
        amounts = set.union(*by_feed.values())
        if min(amounts) > 0:
            spreads[name] = round(float(max(amounts) / min(amounts) - 1), _DIGITS)
    return differs, spreads


def _explained(stated: Sequence[Mapping[str, Any]], differs: Sequence[str]) -> str:
    """That one source states as a price of text what another states of images or sound."""
    for name in differs:
        for other, kind in _OTHER_TOKENS[name].items():
            for one, two in permutations(stated, 2):
                if one["feed"] != two["feed"] and one[name] == two[other] != two[name]:
                    text = "cached" if name == "cache_read" else name
                    return f"{one['feed']} gives the {text} price of {kind} tokens"
    return ""


def _row(offer: Mapping[str, Any], read_at: Callable[[str], datetime | None]) -> dict[str, Any]:
    row = {name: offer.get(name) for name in DISAGREEMENT}
    hand_kept = offer["feed"] in HAND_KEPT
    read = read_at(offer["feed"])
    return row | {"since": offer["observed_at"], "read_at": read, "hand_kept": hand_kept}


def _order(group: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    first = group[0]
    infinite = bool(first["differs"]) and first["spread"] is None
    spread = first["spread"] or 0.0
    weighed = None if first["share"] is None else spread * first["share"]
    place = (bool(first["note"]), not infinite, weighed is None, -(weighed or 0.0), -spread)
    return *place, *(first[name] for name in SAME)
