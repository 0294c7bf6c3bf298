"""The prices of models at all times: a line per offer, a line per change."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.market.hours import hours_text
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Answer, Page, framed, known_lines
from qwenwatch_widgets.views.drafts import change_claim, price_claim
from qwenwatch_widgets.views.plain import plain_row
from qwenwatch_widgets.views.prices import money_text
from qwenwatch_widgets.views.sources import source_lines
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone

if TYPE_CHECKING:
    from qwenwatch_cache.market.known import Known
    from qwenwatch_cache.market.origins import Origin
    from qwenwatch_cache.market.terms import Terms

SPARK = 32
"""Cells of the picture of an offer's input price; each is a moment, evenly apart."""

TILE = (
    *("model", "basis", "feed", "provider", "region", "variant", "currency", "tier_from"),
    *("window_utc", "source_id"),
)
"""Columns that name what has one price at a time."""

FIELDS = {"input": "input", "output": "output", "cache_read": "cached input"}
WHOLE = {"listed": "listing", "schedule": "times of day", "tiers": "set of tiers"}

OFFERS = (
    Column("model", "Model", grow=True),
    Column("basis", "Offer"),
    Column("since", "Since"),
    Column("input_first", "Input then", "right"),
    Column("input_now", "now", "right"),
    Column("output_first", "Output then", "right"),
    Column("output_now", "now", "right"),
    Column("change", "Input since", "right", drop=2),
    Column("spark", "Input", drop=1, width=SPARK),
)

CHANGES = (
    Column("at", "First seen"),
    Column("model", "Model", grow=True, drop=2),
    Column("basis", "Offer"),
    Column("field", "What"),
    Column("before", "Before", "right"),
    Column("after", "After", "right"),
    Column("percent", "Change", "right"),
    Column("mark", "Mark"),
    Column("until", "Until", drop=1),
)

MARKS = (
    "confirmed: a later reading said the same · flicker, glitch, jump: not believed · correction: "
    "the feed was wrong before, not the price another"
)


def history_answer(
    known: "Known", models: Sequence[str], terms: "Terms", since: date | None
) -> Answer:
    """The prices of some models at all times.

    Args:
        known: What was known.
        models: Canonical ids, in the order wanted.
        terms: Which offers are wanted.
        since: First day, None for all.

    Raises:
        NothingToShow: No price of them is known.
    """
    # Loads Polars, which only a question needs.
    from qwenwatch_cache.market.model_history import model_history

    history = model_history(known, models, terms, since)
    steps, changes = history.steps.to_dicts(), history.changes.to_dicts()
    if not steps:
        raise NothingToShow(f"no prices of {', '.join(models)} are known on these terms")
    feeds = sorted({row["feed"] for row in steps})
    origins = {feed: known.price_origin(feed, known.at) for feed in feeds}
    place = {model: number for number, model in enumerate(models)}
    steps.sort(key=lambda row: place.get(row["model"], len(place)))
    asked = {"models": list(models), "since": since.isoformat() if since else None}
    document = framed(known.at, origins.values(), **asked)
    document["changes"] = [plain_row(row) for row in changes]
    document["series"] = [plain_row(row) for row in steps]
    names = {row["model"]: _name(row) for row in reversed(steps)}
    named = ", ".join(names[model] for model in models if model in names)
    page = Page(
        title=f"qwenwatch prices · history of {named}",
        lines=[*known_lines(known.at), f"since {since}" if since else "all that is known"],
        tables=[_offers(steps, known.at, origins), _changes(changes, origins)],
        sources=source_lines(origins.values(), known.at),
    )
    return Answer(page, lambda: document, ("sources", "changes", "series"))


def _offers(
    steps: Sequence[Mapping[str, Any]], now: datetime, origins: Mapping[str, "Origin"]
) -> TableView:
    offers = [list(rows) for _, rows in groupby(steps, key=itemgetter(*TILE))]
    begin = min(row["at"] for row in steps)
    ends = {feed: origin.as_of or now for feed, origin in origins.items()}
    # What was before a correction was never the price.
    firsts = [next(row for row in rows if row["edition"] == rows[-1]["edition"]) for rows in offers]
    lasts = [rows[-1] for rows in offers]
    money = {
        (name, side): amounts.on_point([money_text(row[name], row["currency"]) for row in rows])
        for name in ("input", "output")
        for side, rows in (("then", firsts), ("now", lasts))
    }
    lines = [
        Row(
            " ".join(str(first[name]) for name in TILE),
            (
                Cell(_name(first)),
                Cell(offer_text(first, origins), "dim"),
                Cell(f"{first['at']:%Y-%m-%d}"),
                *(Cell(texts[number]) for texts in money.values()),
                Cell(_since(first["input"], last["input"])),
                Cell(series=price_series(rows, begin, ends[first["feed"]])),
            ),
            claim=price_claim(last, ends[last["feed"]]),
        )
        for number, (first, last, rows) in enumerate(zip(firsts, lasts, offers, strict=True))
    ]
    return TableView(
        title="Offers · per 1M tokens",
        caption="believed prices · then: on the day under Since; now: the newest; Input since: its "
        f"change between them · picture from {begin:%Y-%m-%d} to the last reading of each feed",
        columns=OFFERS,
        rows=tuple(lines),
    )


def _since(then: Decimal | None, now: Decimal | None) -> str:
    """How much more a price is than it was."""
    return amounts.change(float(now / then - 1) * 100 if then and now is not None else None)


def price_series(
    rows: Sequence[Mapping[str, Any]], begin: datetime, end: datetime, moments: int = SPARK
) -> tuple[float | None, ...]:
    """The input price at evenly spaced moments; None where there was none.

    Args:
        rows: model_history.MODEL_STEPS of one offer, oldest first.
        begin: The first moment.
        end: The last.
        moments: How many.
    """
    values: list[float | None] = []
    for number in range(moments):
        moment = begin + (end - begin) * number / (moments - 1)
        at = bisect_right(rows, moment, key=itemgetter("at"))
        amount = rows[at - 1]["input"] if at else None
        values.append(None if amount is None else float(amount))
    return tuple(values)


def _changes(changes: Sequence[Mapping[str, Any]], origins: Mapping[str, "Origin"]) -> TableView:
    money = {
        side: amounts.on_point(
            [
                money_text(row[side], row["currency"]) if row["field"] in FIELDS else ""
                for row in changes
            ]
        )
        for side in ("before", "after")
    }
    return TableView(
        title="Changes · oldest first, per 1M tokens",
        caption=MARKS,
        columns=CHANGES,
        rows=tuple(
            _change(row, number, money["before"][number], money["after"][number], origins)
            for number, row in enumerate(changes)
        ),
        empty="no price changed in that time",
    )


def _change(
    row: Mapping[str, Any], number: int, before: str, after: str, origins: Mapping[str, "Origin"]
) -> Row:
    percent: float | None = row["percent"]
    change = amounts.change(percent) if row["field"] in FIELDS else ""
    priced = row["mark"] == "confirmed" and percent is not None
    cells = (
        Cell(f"{row['at']:%Y-%m-%d %H:%MZ}", sort=row["at"].timestamp()),
        Cell(_name(row)),
        Cell(offer_text(row, origins), "dim"),
        Cell({**FIELDS, **WHOLE}[row["field"]]),
        Cell(before),
        Cell(after),
        Cell(change, ("down" if (percent or 0) > 0 else "up") if priced else "dim", percent),
        Cell(row["mark"], _tone(row["mark"])),
        Cell(f"{row['until']:%Y-%m-%d}" if row["until"] else "", "dim"),
    )
    return Row(
        f"{number}", cells, claim=change_claim(row, row["model"], row["currency"], row["at"])
    )


def _name(row: Mapping[str, Any]) -> str:
    return amounts.clean(row["name"]).strip()


def _tone(mark: str) -> Tone:
    return "accent" if mark == "confirmed" else "dim"


def offer_text(row: Mapping[str, Any], origins: Mapping[str, "Origin"]) -> str:
    """What an offer is: ``list · cn · Alibaba · batch · >32k``."""
    parts = [row["basis"]]
    if row["region"] in {"cn", "intl"}:
        parts.append(row["region"])
    parts.append(origins[row["feed"]].publisher)
    if row["variant"]:
        parts.append(amounts.clean(row["variant"]))
    if row["tier_from"]:
        parts.append(f">{amounts.short_count(row['tier_from'])}")
    if row["window_utc"]:
        parts.append(hours_text(amounts.clean(row["window_utc"])))
    return " · ".join(parts)
