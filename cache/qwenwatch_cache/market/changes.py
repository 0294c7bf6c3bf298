"""What moved in a period: prices, models that came and went or are about to, ranks and shares.

One row per change of one thing. `at` is when it was first seen, whatever is known by now decides
its mark:

===========  =====================================================================================
mark         meaning
===========  =====================================================================================
"confirmed"  Prices: as in `qwenwatch_cache.market.price_history`. Added: a later poll listed it
             too. Removed: not listed for `GRACE` (7 days). Ranks and shares: of two whole windows.
"absent"     Removed: not listed lately; it may be back within `GRACE`.
"returned"   Removed: it was back within `GRACE`; `until` says when.
"announced"  Expiring: the feed says so.
others       Prices and added: as in the price history; they alarm nobody.
===========  =====================================================================================
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args

import msgspec
import polars as pl

from qwenwatch_cache.frames import INSTANT, MONEY
from qwenwatch_cache.identity import split_variant
from qwenwatch_cache.market.directory import Directory, Model
from qwenwatch_cache.market.doubts import Polls
from qwenwatch_cache.market.marks import Rounds

Kind = Literal["price", "added", "removed", "expiring", "rank", "share"]
KINDS: tuple[Kind, ...] = get_args(Kind)

EXPIRES_WITHIN = timedelta(days=30)
"""How far ahead an announced end is told of. Dates such as 2098-12-31 mean no end."""

CHANGES = pl.Schema(
    {
        # when first seen; of ranks and shares the end of the later window, of expiring the last day
        "at": INSTANT,
        "kind": pl.String(),  # one of KINDS
        "by": pl.String(),  # what `id` is: model or vendor
        "id": pl.String(),  # canonical id, or the feed's own and the feed, without variant
        "variant": pl.String(),  # "", free, batch …
        "name": pl.String(),
        "vendor": pl.String(),  # null if unknown
        # price: as in PRICE_HISTORY; rank, share: what is counted; added, removed: listed; expires
        "field": pl.String(),
        "before": MONEY,  # null if unknown or not there
        "after": MONEY,
        "unit": pl.String(),  # a currency (per 1M tokens or per unit), place, share (0..1), or null
        "percent": pl.Float64(),  # of prices: how much more, null where one is unknown or it was 0
        "feed": pl.String(),
        "basis": pl.String(),  # route, list; null for ranks, shares and ends
        "provider": pl.String(),
        "region": pl.String(),
        "source_id": pl.String(),  # the feed's own id, null for vendors and groups
        "tier_from": pl.Int64(),  # of prices, null for all else
        "window_utc": pl.String(),
        "until": INSTANT,  # when it was seen to have changed again, null if it has not
        "mark": pl.String(),
    }
)

_ORDER = ("kind", "by", "id", "variant", "feed", "basis", "provider", "region", "source_id", "unit")

_LISTED_MARKS = {"gone": "confirmed", "unconfirmed": "absent", "absence": "returned"}
"""How the marks of the price history's rows of field "listed" are called here."""

PERCENT_DIGITS = 7
"""Percentages are rounded to this many digits, as ratios are to nine: 0.65 is -35."""


class Period(msgspec.Struct, frozen=True):
    """Whole days, UTC, both ends included.

    Attributes:
        first: First day; what is compared with is the end of the day before it.
        last: Last day.

    Raises:
        ValueError: The last day lies before the first.
    """

    first: date
    last: date

    @classmethod
    def of_days(cls, days: int, last: date) -> "Period":
        """So many days, of which `last` is the last."""
        return cls(last - timedelta(days=days - 1), last)

    def __post_init__(self) -> None:
        """Refuse what is no period."""
        if self.last < self.first:
            raise ValueError(f"{self.last} lies before {self.first}")

    @property
    def begin(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last, time(), UTC) + timedelta(days=1)

    @property
    def before(self) -> date:
        """The day at whose end things stood as they were before."""
        return self.first - timedelta(days=1)


def offer_changes(
    history: pl.DataFrame, polls: Polls, directory: Directory, period: Period
) -> pl.DataFrame:
    """Changes of prices, and models that were added and removed.

    Args:
        history: price_history.PRICE_HISTORY.
        polls: Moments at which each feed was read successfully, by feed.
        directory: Who is behind an id.
        period: When.

    Returns:
        CHANGES of kinds price, added and removed.
    """
    rounds: dict[str, Rounds] = {}
    models: dict[tuple[str, str, str], Model] = {}
    rows = []
    within = (pl.col("at") >= period.begin) & (pl.col("at") < period.end)
    for row in history.filter(within).to_dicts():
        feed = row["feed"]
        key = (feed, row["model"], row["provider"])
        model = models.get(key) or models.setdefault(key, directory.model(*key))
        if row["field"] != "listed":
            kind, mark = "price", row["mark"]
        elif row["mark"] == "added":
            if feed not in rounds:
                rounds[feed] = Rounds(polls.get(feed, ()))
            again, _ = rounds[feed].agreed(row["at"], row["until"], ())
            kind, mark = "added", "confirmed" if again else "unconfirmed"
        else:
            kind, mark = "removed", _LISTED_MARKS[row["mark"]]
        priced = kind == "price"
        rows.append(
            {
                **{name: row[name] for name in _AS_IN_HISTORY},
                "kind": kind,
                "by": "model",
                "id": model.id,
                "name": _with_variant(model.name, row["variant"]),
                "vendor": model.known_vendor,
                "unit": row["currency"] if priced else None,
                "percent": percent(row["ratio"]),
                "source_id": row["model"],
                "tier_from": row["tier_from"] if priced else None,
                "window_utc": row["window_utc"] if priced else None,
                "mark": mark,
            }
        )
    return pl.DataFrame(rows, schema=CHANGES)


_AS_IN_HISTORY = (
    "at", "variant", "field", "before", "after", "feed", "basis", "provider", "region", "until",
)  # fmt: skip


def percent(ratio: float | None) -> float | None:
    """How many per cent more a price is after a change by a ratio; null if that is unknown."""
    return None if ratio is None else round((ratio - 1) * 100, PERCENT_DIGITS)


def expiring(
    catalog: pl.DataFrame, listed: pl.DataFrame, directory: Directory, day: date
) -> pl.DataFrame:
    """Models whose end is announced for the `EXPIRES_WITHIN` after a day.

    Args:
        catalog: Catalogue rows as they stood at the end of the day, one per model.
        listed: What price feeds listed then: columns feed, model (without variant), listed. What
            is not listed any more has ended already; a model without prices is taken as it is.
        directory: Who is behind an id.
        day: The day.

    Returns:
        CHANGES of kind expiring.
    """
    ahead = pl.col("expires").is_between(day, day + EXPIRES_WITHIN, closed="right")
    offered = listed.group_by("feed", "model").agg(pl.col("listed").any())
    base = pl.col("model").str.split(":").list.first()
    plain = pl.when(pl.col("feed").str.starts_with("openrouter")).then(base).otherwise("model")
    rows = []
    ending = (
        catalog.filter(ahead)
        .with_columns(base=plain)
        .join(offered.rename({"model": "base"}), on=["feed", "base"], how="left")
        .filter(pl.col("listed").fill_null(value=True))
        .select("feed", "model", "base", "expires")
    )
    for feed, source_id, base_id, expires in ending.iter_rows():
        model = directory.model(feed, base_id)
        variant = split_variant(source_id)[1] if source_id != base_id else ""
        rows.append(
            {
                **dict.fromkeys(CHANGES),
                "at": datetime.combine(expires, time(), UTC),
                "kind": "expiring",
                "by": "model",
                "id": model.id,
                "variant": variant,
                "name": _with_variant(model.name, variant),
                "vendor": model.known_vendor,
                "field": "expires",
                "feed": feed,
                "provider": "",
                "region": "",
                "source_id": source_id,
                "mark": "announced",
            }
        )
    return pl.DataFrame(rows, schema=CHANGES)


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """CHANGES newest first, then by what changed, tier, time of day and field.

    Ends that are announced, which are yet to come, are the last, the soonest first.
    """
    ahead = pl.col("kind") == "expiring"
    age = pl.col("at").dt.timestamp("us") * pl.when(ahead).then(1).otherwise(-1)
    return rows.sort(ahead, age, *_ORDER, "tier_from", "window_utc", "field")


def _with_variant(name: str, variant: str) -> str:
    if not variant or name.lower().endswith(f"({variant})"):
        return name
    return f"{name} ({variant})"
