"""What the tokens used would have cost: an interval per model, vendor or country, and its share.

Usage says how many tokens there were, not which of them were input, output or cached. So:

* `low`: every token at the cheapest price that applies to the model that day (`TokenPrice.low`);
* `high`: every token at the dearest one; the true bill for tokens lies between the two;
* `expected`: every token at the price of a stated workload. That is an assumption, not a bound.

Free variants cost 0. Tokens without a price are counted and named (`unpriced`): they are in
`tokens` and not in `priced_tokens`, and of money and its shares they are no part.

Shares are of the priced part. A group's share x ÷ (x + y), x its own spend and y that of all the
others, grows with x and shrinks with y, and neither depends on the other. So the bounds are

    share_low  = low(X)  ÷ (low(X)  + sum of high of all the others)
    share_high = high(X) ÷ (high(X) + sum of low  of all the others)

and no narrower interval holds every workload. low(X) ÷ sum of all low, and the same of high, are no
bounds: they are what comes out if everybody's workload is the cheapest, or the dearest, at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec
import polars as pl

from qwenwatch_cache.frames import MONEY
from qwenwatch_cache.market.definitions import By
from qwenwatch_cache.market.directory import UNATTRIBUTED
from qwenwatch_cache.market.leaderboard import SHARE_DIGITS
from qwenwatch_cache.market.token_prices import TokenPrice

SPEND = pl.Schema(
    {
        "id": pl.String(),
        "name": pl.String(),
        "vendor": pl.String(),  # null for countries and for what is not attributed
        "country": pl.String(),  # null where unknown
        "tokens": pl.Int64(),
        "token_share": pl.Float64(),  # 0..1 of all tokens of the source, priced or not
        "free_tokens": pl.Int64(),  # of free variants, or listed at 0; priced, at 0
        "priced_tokens": pl.Int64(),
        "priced_share": pl.Float64(),  # priced_tokens ÷ tokens
        "low": MONEY,  # USD; null if nothing has a price
        "high": MONEY,
        "expected": MONEY,  # under the stated mix
        "share_low": pl.Float64(),  # 0..1 of everything priced; null if unknown, or of nothing
        "share_high": pl.Float64(),
        "share_expected": pl.Float64(),
        "measured_share": pl.Float64(),  # of spend, as another platform measured it
        "measured_high": pl.Float64(),  # the same with all that it does not attribute
        "outside": pl.Float64(),  # measured above (+) or below (-) low to high by this; 0: inside
        "off": pl.Float64(),  # expected above (+) or below (-) the measured by this; 0: within
    }
)

UNPRICED = pl.Schema(
    {
        "id": pl.String(),
        "name": pl.String(),
        "vendor": pl.String(),
        "country": pl.String(),
        "tokens": pl.Int64(),  # without a price
        "share": pl.Float64(),  # of all tokens of the source
        "why": pl.String(),  # one of the texts below
    }
)

NOT_NAMED = "the source does not name the models"
NO_PRICE = "no price is stated"
NOT_YET = "no price was known at the time"

OTHER_MODELS = ("other", "other models")
"""Id and name of the models that a source does not name, as on a leaderboard by model."""

BUCKETS = frozenset({UNATTRIBUTED, OTHER_MODELS[0]})
"""Ids of what is not attributed; never ranked."""

MILLION = 6
STEP = Decimal(1).scaleb(-12)
"""What is kept of an amount."""


class Use(msgspec.Struct, frozen=True):
    """Tokens of one model on one day, or in one week where only its total is known.

    Attributes:
        id: Id of the model with its variant; "" for tokens whose models are not named.
        name: For people.
        vendor: Vendor id, None if unknown.
        vendor_name: For people.
        country: Of the vendor, None if unknown.
        tokens: How many.
        price: What they cost, None if unknown.
        free: Whether it cost nothing: a free variant, or a model that is listed at 0.
        why: Why there is no price.
    """

    id: str
    name: str
    vendor: str | None
    vendor_name: str
    country: str | None
    tokens: int
    price: TokenPrice | None = None
    free: bool = False
    why: str = NO_PRICE


def over(prices: Iterable[TokenPrice | None]) -> TokenPrice | None:
    """The price of a token used some time in several days: the hull, and the mean of the expected.

    Days without a known price say nothing; None if there is none at all.
    """
    known = [price for price in prices if price is not None]
    if not known:
        return None
    return TokenPrice(
        low=min(price.low for price in known),
        high=max(price.high for price in known),
        expected=sum((price.expected for price in known), Decimal(0)) / len(known),
        feeds=frozenset().union(*(price.feeds for price in known)),
    )


def spend(used: Sequence[Use], by: By, measured: Mapping[str, float] | None = None) -> pl.DataFrame:
    """Add up what was used, by model, vendor or country.

    Args:
        used: Everything that the source counted.
        by: Grouping.
        measured: Shares of spend by id, as measured on another platform; what that does not
            attribute stands under `UNATTRIBUTED`. Groups that it does not name are not compared.

    Returns:
        SPEND by expected spend, dearest first, then by tokens and id; groups without any price
        after those, and last what is not attributed.
    """
    groups: dict[str, _Group] = {}
    for use in used:
        id_, name, vendor, country = _key(use, by)
        group = groups.setdefault(id_, _Group(name, vendor, country))
        group.add(use)
    all_tokens = sum(group.tokens for group in groups.values())
    low = sum((group.low for group in groups.values()), Decimal(0))
    high = sum((group.high for group in groups.values()), Decimal(0))
    expected = sum((group.expected for group in groups.values()), Decimal(0))
    rows = []
    for id_, group in groups.items():
        priced = group.priced_tokens > 0
        share_low = _share(group.low, group.low + high - group.high) if priced else None
        share_high = _share(group.high, group.high + low - group.low) if priced else None
        share_expected = _share(group.expected, expected) if priced else None
        rows.append(
            {
                "id": id_,
                "name": group.name,
                "vendor": group.vendor,
                "country": group.country,
                "tokens": group.tokens,
                "token_share": _part(group.tokens, all_tokens),
                "free_tokens": group.free_tokens,
                "priced_tokens": group.priced_tokens,
                "priced_share": _part(group.priced_tokens, group.tokens),
                "low": _usd(group.low) if priced else None,
                "high": _usd(group.high) if priced else None,
                "expected": _usd(group.expected) if priced else None,
                "share_low": share_low,
                "share_high": share_high,
                "share_expected": share_expected,
                **_compared(id_, (share_low, share_expected, share_high), measured or {}),
            }
        )
    return (
        pl.DataFrame(rows, schema=SPEND)
        .with_columns(bucket=pl.col("id").is_in(list(BUCKETS)))
        .sort(
            *("bucket", "expected", "tokens", "id"),
            descending=[False, True, True, False],
            nulls_last=True,
        )
        .drop("bucket")
    )


def leader(rows: pl.DataFrame, column: str) -> str | None:
    """Id of the group with the largest amount, None if nothing attributed costs anything.

    Args:
        rows: SPEND.
        column: "tokens", "low", "expected" or "high".
    """
    amounts = {
        id_: amount
        for id_, amount in rows.select("id", column).sort("id").iter_rows()
        if amount and id_ not in BUCKETS
    }
    return max(amounts, key=amounts.__getitem__, default=None)


def unpriced(used: Sequence[Use]) -> pl.DataFrame:
    """What was used without a known price: UNPRICED, most tokens first, ties by id.

    Models that the source does not name are one row per vendor.
    """
    all_tokens = sum(use.tokens for use in used)
    found: dict[str, dict[str, object]] = {}
    tokens: dict[str, int] = {}
    for use in used:
        if use.price is None and use.tokens:
            id_ = use.id or f"{OTHER_MODELS[0]}/{use.vendor or UNATTRIBUTED}"
            named = use.name if use.id else f"{OTHER_MODELS[1]} · {use.vendor_name}"
            row = {"id": id_, "name": named, "vendor": use.vendor, "country": use.country}
            found.setdefault(id_, {**row, "why": use.why if use.id else NOT_NAMED})
            tokens[id_] = tokens.get(id_, 0) + use.tokens
    rows = [
        {**row, "tokens": tokens[id_], "share": _part(tokens[id_], all_tokens)}
        for id_, row in found.items()
    ]
    return pl.DataFrame(rows, schema=UNPRICED).sort("tokens", "id", descending=[True, False])


class _Group(msgspec.Struct):
    """What is added up under one id; amounts per 1M of the price, so that nothing is rounded."""

    name: str
    vendor: str | None
    country: str | None
    tokens: int = 0
    free_tokens: int = 0
    priced_tokens: int = 0
    low: Decimal = msgspec.field(default=Decimal(0))
    high: Decimal = msgspec.field(default=Decimal(0))
    expected: Decimal = msgspec.field(default=Decimal(0))

    def add(self, use: Use) -> None:
        """Count some tokens in."""
        self.tokens += use.tokens
        self.free_tokens += use.tokens if use.free else 0
        if use.price is not None:
            self.priced_tokens += use.tokens
            self.low += use.tokens * use.price.low
            self.high += use.tokens * use.price.high
            self.expected += use.tokens * use.price.expected


def _key(use: Use, by: By) -> tuple[str, str, str | None, str | None]:
    """Id, name, vendor and country of the group that tokens are counted in."""
    if by == "model":
        if not use.id:
            return (*OTHER_MODELS, None, None)
        return use.id, use.name, use.vendor, use.country
    if by == "vendor" and use.vendor is not None:
        return use.vendor, use.vendor_name, use.vendor, use.country
    if by == "country" and use.country is not None:
        return use.country, use.country, None, use.country
    return UNATTRIBUTED, UNATTRIBUTED, None, None


def _compared(
    id_: str,
    implied: tuple[float | None, float | None, float | None],
    measured: Mapping[str, float],
) -> dict[str, float | None]:
    """How far a measured share is from the implied low, expected and high.

    What the other platform does not attribute may all be of this group, or none of it: what it
    measured is an interval too, and two that meet are no contradiction.
    """
    share = None if id_ == UNATTRIBUTED else measured.get(id_)
    most = None if share is None else min(1.0, share + measured.get(UNATTRIBUTED, 0.0))
    outside = off = None
    low, expected, high = implied
    if share is not None and most is not None:
        most = round(most, SHARE_DIGITS)
        if low is not None and high is not None:
            outside = round(max(0.0, share - high) + min(0.0, most - low), SHARE_DIGITS)
        if expected is not None:
            off = round(max(0.0, expected - most) + min(0.0, expected - share), SHARE_DIGITS)
    return {"measured_share": share, "measured_high": most, "outside": outside, "off": off}


def _share(part: Decimal, whole: Decimal) -> float | None:
    """A share of money; of nothing nobody has one."""
    return round(float(part / whole), SHARE_DIGITS) if whole else None


def _part(part: int, whole: int) -> float | None:
    return round(part / whole, SHARE_DIGITS) if whole else None


def _usd(amount: Decimal) -> Decimal:
    return amount.scaleb(-MILLION).quantize(STEP)
