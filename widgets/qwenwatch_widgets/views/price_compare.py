"""Some models side by side: a column per model, a line per figure of each offer."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.market.hours import hours_text
from qwenwatch_cache.market.terms import EVERYWHERE
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Page
from qwenwatch_widgets.views.claim_draft import Claimable
from qwenwatch_widgets.views.drafts import FIELDS, price_claim, ratio_claim
from qwenwatch_widgets.views.price_history import TILE, price_series
from qwenwatch_widgets.views.price_screen import AMOUNTS, terms_text
from qwenwatch_widgets.views.prices import OWN_CURRENCY, changed_cell, mix_text, money_text
from qwenwatch_widgets.views.sources import known_until, source_line
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.origins import Origin
    from qwenwatch_widgets.views.snapshot import Snapshot

SPARK = 20
"""Cells of the picture of an offer's input price, and so of a model's column."""

Offer = Mapping[str, Any]
"""A row of prices.PRICES or conversion.CONVERTED with `context`, `series` and `texts` besides."""


def compare_page(
    snapshot: "Snapshot",
    contexts: Mapping[tuple[str, str, str], int | None],
    steps: "pl.DataFrame",
) -> Page:
    """Models side by side.

    Args:
        snapshot: Of the section "prices" alone, of the models to compare, in their order.
        contexts: Tokens of the longest context by feed, its own id of the model, and variant.
        steps: model_history.MODEL_STEPS of these models.
    """
    assert snapshot.prices is not None
    ask, at = snapshot.ask, snapshot.priced_at
    origins = {origin.feed: origin for origin in snapshot.origins}
    series, begin = _histories(steps, at, origins)
    offers = [
        row
        | {
            "context": contexts.get((row["feed"], row["source_id"], row["variant"])),
            "series": series.get(tuple(row[name] for name in TILE)),
        }
        for row in snapshot.prices.to_dicts()
        if not row["cross_check"] and row["model"] in ask.models
    ]
    for model in ask.models:
        own = [offer for offer in offers if offer["model"] == model]
        for offer, texts in zip(own, _money(own, ask.terms.currency), strict=True):
            offer["texts"] = texts
    history = "no history is known"
    if begin is not None:
        history = f"history: input price since {begin:%Y-%m-%d}, from 0 to the highest of each"
    summary = (
        terms_text(ask.terms),
        mix_text(ask.mix),
        f"× to {amounts.clean(ask.baseline)}, standard",
    )
    return Page(
        title="qwenwatch prices · models side by side",
        lines=[" · ".join(summary), history],
        tables=[_table(offers, ask.models, ask.terms.currency, at, origins)],
        sources=[source_line(origin, snapshot.known_at) for origin in snapshot.origins],
    )


def _histories(
    steps: "pl.DataFrame", at: datetime, origins: Mapping[str, "Origin"]
) -> tuple[dict[tuple[Any, ...], tuple[float | None, ...]], datetime | None]:
    """Input prices over time by offer, and the moment at which they all begin."""
    by_offer: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in steps.to_dicts():
        if row["at"] <= at and row["feed"] in origins:
            by_offer.setdefault(tuple(row[name] for name in TILE), []).append(row)
    begin = min((rows[0]["at"] for rows in by_offer.values()), default=None)
    if begin is None:
        return {}, None
    return {
        offer: price_series(rows, begin, origins[rows[0]["feed"]].as_of or at, SPARK)
        for offer, rows in by_offer.items()
    }, begin


def _money(offers: Sequence[Offer], currency: str) -> Sequence[Mapping[str, str]]:
    """The amounts of a column by field; their decimal points stand in one place."""
    prefix = "converted_" if currency else ""
    texts = [
        money_text(offer[f"{prefix}{name}"], currency or offer["currency"])
        for offer in offers
        for name in AMOUNTS.values()
    ]
    aligned = iter(amounts.on_point(texts))
    return [{field: next(aligned) for field in AMOUNTS} for _ in offers]


def _table(
    offers: Sequence[Offer],
    models: Sequence[str],
    currency: str,
    at: datetime,
    origins: Mapping[str, "Origin"],
) -> TableView:
    names = {one["model"]: amounts.clean(one["name"]).strip() for one in reversed(offers)}
    rows = []
    for (*_, place, _feed, number), found in sorted(_lines(offers).items()):
        offer = next(iter(found.values()))
        text = _offer_text(offer, place, origins) + (f" · {number}" if number > 1 else "")
        tone: Tone = ""
        read = known_until(origins[offer["feed"]], at)
        for field, show in _FIELDS.items():
            shown = {model: show(offer, at) for model, offer in found.items()}
            if any(cell.series or _states(cell) for cell in shown.values()):
                cells = [shown.get(model, Cell(amounts.UNKNOWN, "dim")) for model in models]
                stated = [f"{names[model]} {cell.text.strip()}" for model, cell in shown.items()]
                rows.append(
                    Row(
                        f"{text} {field}",
                        (Cell(text, tone), Cell(field, "dim"), *cells),
                        cite=f"{field}, {text}, at {amounts.instant(read)}: {', '.join(stated)}. "
                        f"{origins[offer['feed']].citation}",
                        claim=_claim(field, list(found.values()), place, read),
                    )
                )
                tone = "dim"
    unit = currency or f"{OWN_CURRENCY} where there is no sign"
    return TableView(
        title=f"{len(models)} models side by side · per 1M tokens",
        caption=f"← → through the models · {unit} · {amounts.UNKNOWN} not stated",
        columns=(
            Column("offer", "Offer", grow=True),
            Column("field", ""),
            *(
                Column(model, names.get(model, amounts.clean(model)), "right", width=SPARK)
                for model in models
            ),
        ),
        rows=tuple(rows),
        empty="none of these models has a price on these terms",
    )


def _lines(offers: Sequence[Offer]) -> Mapping[tuple[Any, ...], Mapping[str, Offer]]:
    """The offers of each line by model.

    A price that holds everywhere holds where others have a price of the region: it stands beside
    them, in the line of every region in which its model has no price of its own.
    """
    regions: dict[tuple[Any, ...], set[str]] = {}
    own: set[tuple[Any, ...]] = set()
    for offer in offers:
        if place := _place(offer):
            regions.setdefault(_terms(offer), set()).add(place)
            own.add((*_terms(offer), place, offer["model"]))
    lines: dict[tuple[Any, ...], dict[str, Offer]] = {}
    for offer in offers:
        terms, model = _terms(offer), offer["model"]
        places = [_place(offer)]
        if not places[0]:
            beside = sorted(regions.get(terms, ()))
            places = [one for one in beside if (*terms, one, model) not in own] or places
        for place in places:
            number = 1  # of several offers of one model that are alike each has a line of its own
            while model in lines.get(_order(offer, place, number), {}):
                number += 1
            lines.setdefault(_order(offer, place, number), {})[model] = offer
    return lines


def _claim(field: str, offers: Sequence[Offer], place: str, at: datetime) -> Claimable:
    """The first price that is stated against the second; a price alone, if it is the only one."""
    if field not in FIELDS:
        return "Claims are of input and output prices: go to their lines"
    stated = [offer for offer in offers if offer[field] is not None]
    if len(stated) > 1:
        # Both hold in the region of the line, whether or not they are stated for it.
        first, second = ({**offer, "region": place or offer["region"]} for offer in stated[:2])
        return ratio_claim((first, second), field, at)
    return price_claim(stated[0], at, fields=(field,))


def _terms(offer: Offer) -> tuple[str, str, str]:
    """What offers have in common that can be set side by side, wherever they hold."""
    return offer["variant"], offer["basis"], offer["feed"]


def _order(offer: Offer, place: str, number: int) -> tuple[Any, ...]:
    """What offers have in common that stand in one line, and where: standard route prices first."""
    variant, basis, feed = _terms(offer)
    return variant != "", variant, basis != "route", place, feed, number


def _place(offer: Offer) -> str:
    """Where a price holds that does not hold everywhere."""
    return "" if offer["region"] in EVERYWHERE else str(offer["region"])


def _offer_text(offer: Offer, place: str, origins: Mapping[str, "Origin"]) -> str:
    variant = amounts.clean(offer["variant"])
    parts = (offer["basis"], place, origins[offer["feed"]].publisher, variant)
    return " · ".join(part for part in parts if part)


def _states(cell: Cell) -> bool:
    return cell.text.strip() not in {"", amounts.UNKNOWN}


def _amount(field: str) -> Callable[[Offer, datetime], Cell]:
    return lambda offer, at: Cell(offer["texts"][field])


def _prompts(offer: Offer, at: datetime) -> Cell:
    """Lengths of prompts that the price is for: ``>32k ≤128k``; nothing if for all."""
    parts = []
    if offer["tier_from"]:
        parts.append(f">{amounts.short_count(offer['tier_from'])}")
    if offer["up_to"] is not None:
        parts.append(f"≤{amounts.short_count(offer['up_to'])}")
    return Cell(" ".join(parts))


def _hours(offer: Offer, at: datetime) -> Cell:
    """Times of day that the price is for: ``weekdays 01:00–04:00``; nothing if for all."""
    return Cell(hours_text(amounts.clean(offer["window_utc"])).removesuffix(" UTC"))


def _ratio(offer: Offer, at: datetime) -> Cell:
    return Cell(amounts.ratio(offer["ratio_blended"]), "accent")


def _context(offer: Offer, at: datetime) -> Cell:
    tokens = offer["context"]
    return Cell(amounts.UNKNOWN if tokens is None else f"{tokens:,}")


def _history(offer: Offer, at: datetime) -> Cell:
    return Cell(series=offer["series"])


_FIELDS: Mapping[str, Callable[[Offer, datetime], Cell]] = {
    "prompts": _prompts,
    "hours UTC": _hours,
    **{field: _amount(field) for field in AMOUNTS},
    "× blended": _ratio,
    "context": _context,
    "changed": changed_cell,
    "history": _history,
}
"""How a line of each kind shows an offer."""
