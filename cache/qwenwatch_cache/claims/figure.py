"""The value of a claim: what was printed, and which values that admits.

A figure is admitted if it would be printed so: within half a unit of the last digit that was given
("61 %" is 60.5 to 61.5 %, "5.16T" is 5.155 to 5.165T); of prices the last digit is that of cents
at least ("$0.3" is 0.295 to 0.305). Ranges and bounds are taken as they are, unless a range says
to which digit its ends were rounded.
"""

import re
from decimal import Decimal
from typing import Literal

import msgspec

Unit = Literal["share", "amount", "rank", "times", "change", "USD", "CNY", "EUR"]
"""What a value is counted in: a part of 1, a count, a place, a multiple, a relative change (0.5 is
+50 %), or money per 1M tokens."""

CURRENCIES: dict[str, Unit] = {"$": "USD", "¥": "CNY", "€": "EUR"}
CENT = Decimal("0.01")
"""Prices are exact amounts: "$0.3" is $0.30, and "$30" no price of $29.60."""
_SCALES = {"T": 10**12, "B": 10**9, "M": 10**6, "k": 10**3}
_LONGEST = 40
MOST = Decimal(10) ** 18
"""No value is larger: all tokens of 2026 are less than a hundredth of that."""

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_FORM = re.compile(
    r"(?P<bound>[<>≤≥])?\s*(?P<sign>[+\-−])?\s*(?P<currency>[$¥€])?"
    rf"(?P<low>{_NUMBER})(?:\s*[-–]\s*(?P<high>{_NUMBER}))?\s*(?P<unit>[TBMkx×%])?(?P<more>\+)?"
)

EXAMPLES: dict[Unit, str] = {
    "share": "61 %",
    "amount": "5.16T",
    "rank": "1",
    "times": "16.7x",
    "change": "-30 %",
    "USD": "$0.8",
    "CNY": "¥0.8",
    "EUR": "€0.7",
}


class Figure(msgspec.Struct, frozen=True):
    """A published value.

    Attributes:
        text: As printed.
        unit: What it is counted in.
        low: The least value that it admits, None for no bound.
        high: The greatest, None for no bound.
        step: A unit of its last digit, 0 for what is no rounded value: bounds, and ranges that
            do not say to which digit their ends were rounded.
        open: Whether the bounds themselves are left out ("over 10").
    """

    text: str
    unit: Unit
    low: Decimal | None
    high: Decimal | None
    step: Decimal
    open: bool = False

    def admits(self, value: Decimal) -> bool:
        """Whether a value would be printed so."""
        if self.open and value in (self.low, self.high):
            return False
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)

    def distance(self, value: Decimal) -> Decimal:
        """How far a value is from the nearest that is admitted; 0 if it is itself."""
        if self.low is not None and value < self.low:
            return self.low - value
        if self.high is not None and value > self.high:
            return value - self.high
        return Decimal(0)

    def wider(self, margin: Decimal) -> "Figure":
        """The same with more room on both sides."""
        low = None if self.low is None else self.low - margin
        high = None if self.high is None else self.high + margin
        return Figure(self.text, self.unit, low, high, self.step, self.open)

    def excludes(self, other: "Figure") -> bool:
        """Whether no value can be both."""
        if self.unit != other.unit:
            return False
        below = self.high is not None and other.low is not None and self.high < other.low
        above = self.low is not None and other.high is not None and self.low > other.high
        return below or above


def read_figure(text: str, units: frozenset[Unit], precision: str = "") -> Figure:
    """Read a printed value.

    Args:
        text: "61 %", "5.16T", "$0.8", "16.7x", "-30 %", "3–5x", ">10x", "<15 %", "300+",
            "<0.1–0.3 %".
        units: What it may be counted in.
        precision: A unit of the last digit that is believed, where not the last one is: "1000" for
            a "290,000" that was rounded to thousands; of a range that to which its ends were
            rounded. In the unit of the value.

    Raises:
        ValueError: It is none, or of another unit; the message says what fits.
    """
    fitting = " or ".join(EXAMPLES[unit] for unit in sorted(units))
    form = _FORM.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if form is None:
        raise ValueError(f"is no value; expected something like {fitting}")
    unit = _unit(form, units)
    if unit not in units:
        raise ValueError(f"is not counted in what this measure is; expected {fitting}")
    scale = Decimal(_SCALES.get(form["unit"] or "", 1))
    if form["unit"] == "%":
        scale = Decimal("0.01")
    ends = [Decimal(end.replace(",", "")) for end in (form["low"], form["high"]) if end]
    if ends != sorted(ends):
        raise ValueError("begins with its higher end")
    if ends[-1] * scale > MOST:
        raise ValueError("is larger than anything that is counted")
    step = Decimal(1).scaleb(min(int(end.as_tuple().exponent) for end in ends))
    if unit in CURRENCIES.values():
        step = min(step, CENT)
    if precision:
        step = _precision(precision)
    return _figure(text.strip(), unit, ends, step, scale, form, rounded=bool(precision))


def _figure(
    text: str,
    unit: Unit,
    ends: list[Decimal],
    step: Decimal,
    scale: Decimal,
    form: re.Match[str],
    *,
    rounded: bool,
) -> Figure:
    negative = form["sign"] in {"-", "−"}
    if negative and unit != "change":
        raise ValueError("is negative")
    # "15x" of growth is 14 times more than before.
    base = Decimal(1) if unit == "change" and form["unit"] in {"x", "×"} else Decimal(0)
    values = sorted((-end if negative else end) * scale - base for end in ends)
    bound = form["bound"] or ("≥" if form["more"] else "")
    half = step * scale / 2
    if unit == "share" and len(values) > 1 and bound == "<":  # "<0.1–0.3 %" begins at nothing
        values[0], bound = Decimal(0), ""
    if bound:
        if len(values) > 1:
            raise ValueError("is a bound and a range at once")
        least = values[0] if bound in {">", "≥"} else None
        most = values[0] if bound in {"<", "≤"} else None
        return Figure(text, unit, least, most, Decimal(0), open=bound in {"<", ">"})
    if unit == "rank" or (len(values) > 1 and not rounded):  # a range says itself how exact it is
        return Figure(text, unit, values[0], values[-1], Decimal(0))
    return Figure(text, unit, values[0] - half, values[-1] + half, step * scale)


def _unit(form: re.Match[str], units: frozenset[Unit]) -> Unit:
    if form["currency"]:
        return CURRENCIES[form["currency"]] if form["unit"] is None else "rank"
    if form["unit"] in {"x", "×"}:
        return "change" if "change" in units else "times"
    if form["unit"] == "%":
        return "change" if "change" in units else "share"
    return "rank" if "rank" in units and form["unit"] is None else "amount"


def _precision(text: str) -> Decimal:
    if not re.fullmatch(r"\d{1,12}(\.\d{1,12})?", text) or not Decimal(text):
        raise ValueError(f"has the precision {text!r}, which is no number above 0")
    return Decimal(text)
