"""Implied spend: as tables for people with its assumptions in full, and as plain values."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.clock import iso
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Answer, Page, framed, known_lines
from qwenwatch_widgets.views.claim_draft import NOBODY, Claimable
from qwenwatch_widgets.views.drafts import IMPLIED, IN_PART, UNKNOWN, days, share_between
from qwenwatch_widgets.views.leaders import HEADINGS
from qwenwatch_widgets.views.plain import plain_row, plain_window
from qwenwatch_widgets.views.price_rows import plain_mix
from qwenwatch_widgets.views.prices import mix_text
from qwenwatch_widgets.views.sources import source_lines
from qwenwatch_widgets.views.spend_assumptions import assumptions
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView

if TYPE_CHECKING:
    from qwenwatch_cache.market.implied_spend import Spend
    from qwenwatch_cache.market.origins import Origin

LARGEST = 8
"""How many of what has no price are named."""

BUCKETS = frozenset({"other", "unattributed"})
"""Ids of what is not attributed to anybody."""

COMPARED = (
    Column("measured", "Vercel", "right", drop=1),
    Column("off", "Δ pp", "right", drop=2),
    Column("outside", "Range", drop=2),
)


def spend_answer(spend: "Spend", known_at: datetime, *, top: int = 0) -> Answer:
    """Show implied spend.

    Args:
        spend: The answer of the question.
        known_at: Nothing learned later was used.
        top: How many rows people see, 0 for all; what is not attributed is always shown.
    """
    window = spend.window
    page = Page(
        title=f"qwenwatch spend · {amounts.window(window.grain, window.start, window.end)} UTC",
        lines=[headline(spend), *known_lines(known_at)],
        tables=[spend_table(spend, top=top), unpriced_table(spend), _in_words(spend)],
        sources=source_lines(_origins(spend), known_at),
    )
    return Answer(page, lambda: document(spend, known_at), ("sources", "spend", "unpriced"))


def headline(spend: "Spend") -> str:
    """Who leads by tokens, and who by what they would have cost."""
    rows = [row for row in spend.rows.to_dicts() if row["id"] not in BUCKETS]
    if not rows:
        return "nothing is attributed"
    used = max(rows, key=lambda row: (row["tokens"], row["id"]))
    said = [f"most tokens: {_name(used)}, {amounts.percent(used['token_share'])}"]
    if used["free_tokens"]:
        said[0] += (
            f" ({amounts.tokens(used['free_tokens'])} of its {amounts.tokens(used['tokens'])} free)"
        )
    dear = max(rows, key=lambda row: (row["expected"] or Decimal(0), row["id"]))
    if dear["expected"]:
        said.append(
            f"most implied spend: {_name(dear)}, {amounts.percent(dear['share_expected'])} "
            f"({_range(dear['share_low'], dear['share_high'])} %)"
        )
    return " · ".join(said)


def spend_table(spend: "Spend", *, top: int = 0) -> TableView:
    """The spend of each group, and of everything."""
    rows = spend.rows.to_dicts()
    ranked = [row for row in rows if row["id"] not in BUCKETS]
    shown = ranked[:top] if top else ranked
    shown += [row for row in rows if row["id"] in BUCKETS]
    whole = {**spend.whole, "id": "all", "name": "everything", "country": None}
    unit = amounts.unit_of([row["tokens"] for row in rows])
    columns = [
        Column("name", HEADINGS[spend.by], grow=True),
        Column("tokens", "Tokens", "right"),
        Column("token_share", "Share", "right", drop=4),
        Column("free", "Free", "right", drop=5),
        Column("priced", "Priced", "right"),
        Column("low", "Low $", "right", drop=3),
        Column("expected", "Expected $", "right"),
        Column("high", "High $", "right", drop=3),
        Column("share_expected", "Share of $", "right"),
        Column("share", "Low–high %", "right"),
        *(COMPARED if spend.compared else ()),
    ]
    return TableView(
        title=f"Implied spend · by {spend.by}",
        caption=" · ".join(
            (
                f"{spend.definition.label} × {spend.basis} prices",
                spend.scope,
                "USD",
                mix_text(spend.mix),
                f"prices {_price_sources(spend)}",
            )
        ),
        columns=tuple(columns),
        rows=tuple(_row(row, spend, unit) for row in [*shown, whole]),
        empty="nothing was used",
    )


def unpriced_table(spend: "Spend") -> TableView:
    """The largest of what has no price."""
    rows = spend.unpriced.to_dicts()
    unit = amounts.unit_of([row["tokens"] for row in rows])
    named = sum(row["why"] != NOT_NAMED for row in rows)
    when = "some day" if spend.daily else f"any day of the {spend.window.grain}"
    lacking = f"{named} of the {spend.models} models named lack a price on {when}"
    if not named:
        lacking = f"all {spend.models} models named have a price"
    whole = spend.whole
    part = None if whole["priced_share"] is None else 1 - whole["priced_share"]
    return TableView(
        title="Not priced",
        caption=f"{lacking} · {amounts.percent(part)} of all tokens, in no amount and no share",
        columns=(
            Column("name", "Model", grow=True),
            Column("tokens", "Tokens", "right"),
            Column("share", "Share", "right"),
            Column("why", "Why"),
        ),
        rows=tuple(
            Row(
                row["id"],
                (
                    Cell(_name(row), sort=row["name"].casefold()),
                    Cell(amounts.tokens(row["tokens"], unit), sort=row["tokens"]),
                    Cell(amounts.percent(row["share"]), sort=row["share"]),
                    Cell(row["why"], "dim", sort=row["why"]),
                ),
            )
            for row in rows[:LARGEST]
        ),
        empty="everything has a price",
    )


def document(spend: "Spend", known_at: datetime) -> dict[str, Any]:
    """Implied spend as plain values."""
    asked = framed(
        known_at,
        _origins(spend),
        window=plain_window(spend.window, complete=spend.complete),
        definition=spend.definition.key,
        scope=spend.scope,
        by=spend.by,
        basis=spend.basis,
        currency="USD",
        mix=plain_mix(spend.mix),
        priced_at=iso(spend.priced_at),
        priced_daily=spend.daily,
        models=spend.models,
        total=_plain({name: spend.whole[name] for name in WHOLE}),
        assumptions=list(assumptions(spend)),
    )
    unpriced = [_plain(row) for row in spend.unpriced.to_dicts()]
    return {**asked, "spend": spend_rows(spend), "unpriced": unpriced}


def spend_rows(spend: "Spend") -> list[dict[str, Any]]:
    """The groups as plain values, as the section `spend` of a snapshot holds them too."""
    return [_plain(row) for row in spend.rows.to_dicts()]


WHOLE = ("tokens", "free_tokens", "priced_tokens", "priced_share", "low", "high", "expected")

NOT_NAMED = "the source does not name the models"
"""As `spend.NOT_NAMED`; that module loads Polars."""

CENT = Decimal("0.01")


def _row(row: Mapping[str, Any], spend: "Spend", unit: int) -> Row:
    pinned = row["id"] in {*BUCKETS, "all"}
    name = _name(row)
    cells = [
        Cell(name, tone="dim" if pinned else "", sort=name.casefold()),
        Cell(amounts.tokens(row["tokens"], unit), sort=row["tokens"]),
        Cell(amounts.percent(row["token_share"]), sort=row["token_share"]),
        Cell(amounts.tokens(row["free_tokens"], unit) if row["free_tokens"] else "", "dim"),
        Cell(amounts.percent(row["priced_share"]), sort=row["priced_share"]),
        *(
            Cell(usd(row[column]), sort=amounts.sortable(row[column]))
            for column in ("low", "expected", "high")
        ),
        Cell(amounts.percent(row["share_expected"]), sort=row["share_expected"]),
        Cell(_range(row["share_low"], row["share_high"]), "dim", sort=row["share_high"]),
    ]
    if spend.compared:
        cells += [
            Cell(_range(row["measured_share"], row["measured_high"]), sort=row["measured_share"]),
            Cell(amounts.points(row["off"]), sort=row["off"]),
            _where(row["outside"]),
        ]
    cite, claim = _cite(row, spend), _claim(row, spend)
    return Row(row["id"], tuple(cells), pinned=pinned, cite=cite, claim=claim)


def _claim(row: Mapping[str, Any], spend: "Spend") -> Claimable:
    """The share of the implied spend, as an interval."""
    if row["id"] in {*BUCKETS, "all"}:
        return NOBODY
    if row["share_low"] is None or row["share_high"] is None:
        return UNKNOWN
    if not spend.complete:
        return IN_PART
    return {
        "measure": "share",
        spend.by: row["id"],
        **share_between(row["share_low"], row["share_high"]),
        "metric": IMPLIED,
        "feed": spend.definition.feed,
        "basis": spend.basis,
        "window": days(spend.window.start, spend.window.end),
    }


def _where(outside: float | None) -> Cell:
    """Whether what was measured lies in the interval."""
    if outside is None:
        return Cell(amounts.UNKNOWN, "dim")
    if outside == 0:
        return Cell("inside", "dim", sort=0.0)
    side = "above" if outside > 0 else "below"
    return Cell(f"{abs(outside) * 100:.1f} {side}", "warn", sort=outside)


def _cite(row: Mapping[str, Any], spend: "Spend") -> str:
    window = spend.window
    when = amounts.window(window.grain, window.start, window.end)
    return amounts.clean(
        f"{row['name']}: implied spend USD {usd(row['low'])} to {usd(row['high'])}, "
        f"{usd(row['expected'])} with {mix_text(spend.mix)} ({spend.basis} prices, "
        f"{amounts.percent(row['priced_share'])} of its tokens priced), {when} UTC. "
        + " ".join(origin.citation for origin in spend.origins)
    )


def _in_words(spend: "Spend") -> TableView:
    return TableView(
        title="How to read this",
        caption="",
        columns=(Column("text", "Assumptions", grow=True),),
        rows=tuple(
            Row(str(number), (Cell(line),))
            for number, line in enumerate(assumptions(spend), start=1)
        ),
    )


def usd(amount: Decimal | None) -> str:
    """Dollars with two decimals of their unit: ``28.47M``."""
    if amount is None:
        return amounts.UNKNOWN
    if 0 < amount < 1:
        return "<1"
    return amounts.tokens(int(amount.to_integral_value(ROUND_HALF_EVEN)))


def _range(low: float | None, high: float | None) -> str:
    """A range of shares in percent: ``1.9–97.6``, one number where both are the same."""
    if low is None or high is None:
        return amounts.UNKNOWN
    return amounts.percent_between(low, high).removesuffix(" %")


def _price_sources(spend: "Spend") -> str:
    feeds = [origin for origin in spend.origins if origin.feed in spend.price_feeds]
    read = [f"{one.publisher} {amounts.instant(one.fetched_at)}" for one in feeds]
    return ", ".join(read) or amounts.UNKNOWN


def _origins(spend: "Spend") -> Sequence["Origin"]:
    return [*spend.origins, *([spend.compared] if spend.compared else [])]


def _name(row: Mapping[str, Any]) -> str:
    return amounts.clean(row["name"])


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for JSON, its amounts to the cent."""
    return plain_row(
        {
            name: value.quantize(CENT, ROUND_HALF_EVEN) if isinstance(value, Decimal) else value
            for name, value in row.items()
        }
    )
