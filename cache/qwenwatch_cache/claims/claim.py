"""What a published figure says, and who said it."""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from qwenwatch_cache.claims.figure import Figure, Unit
from qwenwatch_cache.claims.period import Period

Measure = Literal[
    "share",
    "total",
    "ratio",
    "rank",
    "count",
    "growth",
    "price",
    "price_ratio",
    "price_change",
]
MEASURES: tuple[Measure, ...] = get_args(Measure)

Kind = Literal["", "country", "vendor", "model"]
KINDS: tuple[Kind, ...] = ("country", "vendor", "model")

STANDARD = "standard"
"""The variant of a model that has none in its id."""

PRICES = frozenset({"price", "price_ratio", "price_change"})
"""Measures that are of prices; the others are of usage."""

IMPLIED = "implied_spend"
"""Metric of tokens × price, which is computed here and stated by nobody."""

_MONEY: frozenset[Unit] = frozenset({"USD", "CNY", "EUR"})
UNITS: Mapping[Measure, frozenset[Unit]] = {
    "share": frozenset({"share"}),
    "total": frozenset({"amount"}),
    "ratio": frozenset({"times"}),
    "rank": frozenset({"rank"}),
    "count": frozenset({"rank"}),
    "growth": frozenset({"change"}),
    "price": _MONEY,
    "price_ratio": frozenset({"times"}),
    "price_change": frozenset({"change"}),
}
"""What the value of each measure is counted in."""


class Said(msgspec.Struct, frozen=True):
    """Where a figure was published, as far as it is known.

    Attributes:
        outlet: Who published it.
        title: Under which heading.
        date: When, as ISO date, month or year.
        url: Where.
    """

    outlet: str = ""
    title: str = ""
    date: str = ""
    url: str = ""

    def __str__(self) -> str:
        """One line: ``trade press, "Title", 2026-02-25``."""
        title = f'"{self.title}"' if self.title else ""
        parts = [self.outlet, title, self.date or "date not recorded", self.url]
        return ", ".join(part for part in parts if part)


class Scope(msgspec.Struct, frozen=True):
    """The scope that the source itself states; what it leaves open is read plainly.

    Attributes:
        among: "" for the whole platform, "named" for what is named, "CN+US", "top N"; "attributed"
            for what is named and known to be the subject's, as a part of everything: what
            leaderboards show.
        variants: "all" or "standard".
        without: Vendor or model id that is left out, "" for none.
    """

    among: str = ""
    variants: Literal["all", "standard"] = "all"
    without: str = ""

    @property
    def top(self) -> int:
        """N of "top N", 0 if it is no such scope."""
        return int(self.among[4:]) if self.among.startswith("top ") else 0


PLAIN = Scope()
"""Nothing is stated."""


class Claim(msgspec.Struct, frozen=True):
    """One published figure.

    Attributes:
        id: Short name, unique in its file.
        says: What is claimed, in a sentence.
        said: Who said it.
        measure: What is measured.
        figure: The value.
        kind: Whether `of` is a country, a vendor or a model; "" for everything.
        of: Country code, vendor id or canonical model id; of a model that is not mapped the feed's
            own id and the feed ("qwen/new@openrouter"). A model may have a variant ("x/y:free"),
            "x/y:standard" is the one without.
        to: What it is set against, of the same kind; of ratios only.
        metric: What is counted: "tokens", "requests", "open_models" …, any word for what no feed
            counts, "any" for all that rank vendors.
        feed: Name of the feed, "any" for all; of implied spend that of the tokens.
        period: The time, None if the source states none.
        since: The earlier time of a growth.
        growth_of: Whether the growth is one of a share or of a total.
        top: N of a count among the top N.
        scope: What the source says of its scope.
        field: "input" or "output", "" if the source does not say.
        basis: "route" or "list", ""; of prices, and of implied spend.
        region: "intl", "cn", "global", "".
        prompts: Tokens of the prompt that a price is for, 0 for the shortest ones.
        host: Tag of the host that charges a price, "" for the router or the vendor.
        together: Name shared by figures of one sentence, which must hold under one scope.
        contradicts: Ids of claims that cannot be true as well.
        proxies: Metrics that come near to a metric that no feed counts.
        note: What a reader should know about how the claim was read.
    """

    id: str
    says: str
    said: Said
    measure: Measure
    figure: Figure
    kind: Kind = ""
    of: str = ""
    to: str = ""
    metric: str = "tokens"
    feed: str = "any"
    period: Period | None = None
    since: Period | None = None
    growth_of: Literal["share", "total"] = "total"
    top: int = 0
    scope: Scope = PLAIN
    field: str = ""
    basis: str = ""
    region: str = ""
    prompts: int = 0
    host: str = ""
    together: str = ""
    contradicts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    note: str = ""
