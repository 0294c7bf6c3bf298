"""Numbers, dates and ages as people read them; unknown is an en dash, never 0."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

UNKNOWN = "–"

_UNITS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))


def tokens(value: int | None, unit: int = 0) -> str:
    """A count with two decimals of its unit: ``19.77T``, ``530.31B``.

    Args:
        value: The count.
        unit: Unit to stay in (10**12, …) so that a column can be compared at a glance; values
            below a hundredth of it take their own.
    """
    if value is None:
        return UNKNOWN
    for size, letter in _UNITS:
        # 999,999 is 1.00M, not 1000.00k.
        if value * 1_000_000 >= size * 999_995 or (size == unit and value * 100 >= unit):
            return f"{value / size:.2f}{letter}"
    return str(value)


def unit_of(values: Sequence[int | None]) -> int:
    """The unit that the largest of some counts is written in, 0 if there is none."""
    largest = max((value for value in values if value is not None), default=0)
    return next((size for size, _ in _UNITS if largest >= size), 0)


def percent(share: float | None) -> str:
    """A share of 0..1: ``26.2 %``; one that would be rounded to nothing: ``<0.1 %``."""
    if share is None:
        return UNKNOWN
    return "<0.1 %" if 0 < share < 0.0005 else f"{share * 100:.1f} %"


def percent_between(low: float, high: float) -> str:
    """A share that lies between two: ``1.9–97.6 %``, one number where both are shown the same."""
    ends = dict.fromkeys(percent(end).removesuffix(" %") for end in (low, high))
    return f"{'–'.join(ends)} %"


def points(change: float | None) -> str:
    """A change of a share in percentage points, signed: ``+0.6``."""
    if change is None:
        return UNKNOWN
    text = f"{change * 100:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text


def growth(now: int | None, before: int | None) -> str:
    """Relative change, signed: ``+9.1 %``; "" if it is not known."""
    if now is None or not before:
        return ""
    return f"{(now / before - 1) * 100:+.1f} %"


def money(amount: Decimal | None) -> str:
    """An amount with two decimals, or as many as its first three digits need: ``0.0345``."""
    if amount is None:
        return UNKNOWN
    decimals = 2
    if 0 < abs(amount) < 1:
        decimals = max(2, 2 - amount.adjusted())
    text = f"{amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"
    while len(text.partition(".")[2]) > 2 and text.endswith("0"):
        text = text[:-1]
    return text


def number(amount: Decimal | None) -> float | int | None:
    """An exact amount as the shortest JSON number that reads back as it."""
    if amount is None:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def sortable(amount: Decimal | None) -> float | None:
    """What a cell with an amount is sorted by."""
    return None if amount is None else float(amount)


def change(percent: float | None) -> str:
    """A relative change that is given in per cent, signed: ``-35.0 %``."""
    if percent is None:
        return UNKNOWN
    text = f"{percent:+.1f} %"
    return "0.0 %" if text in {"+0.0 %", "-0.0 %"} else text


def short_count(count: int) -> str:
    """A length of prompt as people say it: ``128k`` for 128,000 and for 131,072, ``1M``."""
    for size, letter in ((10**6, "M"), (10**3, "k")):
        if count >= size:
            binary = letter == "k" and count % 1024 == 0 and count % 1000 != 0
            whole = count // 1024 if binary else round(count / size)
            return f"{whole}{letter}"
    return str(count)


def short_money(amount: Decimal) -> str:
    """An amount to two digits below 10, to whole units above, for where there is little room."""
    if amount == 0:
        return "0"
    digits = 0 if abs(amount) >= 10 else 1 - amount.adjusted()
    text = f"{amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def ratio(value: float | None) -> str:
    """A ratio: ``16.7×``; below 1 with two decimals, from 1000 without any."""
    if value is None:
        return UNKNOWN
    if value >= 1000:
        return f"{value:,.0f}×"
    return f"{value:.1f}×" if value >= 0.995 else f"{value:.2f}×"


def on_point(texts: Sequence[str]) -> list[str]:
    """Pad numbers on the right so that, pushed to the right, their decimal points line up."""
    tails = [len(text.rpartition(".")[2]) if "." in text else -1 for text in texts]
    longest = max(tails, default=-1)
    if longest < 0:
        return list(texts)
    return [text + " " * (longest - tail) for text, tail in zip(texts, tails, strict=True)]


def short_grain(grain: str) -> str:
    """How a sparkline's heading calls a window: ``wk``."""
    return {"day": "d", "week": "wk", "month": "mo"}[grain]


def window(grain: str, start: date, end: date) -> str:
    """A window: ``week 10–16 Aug 2026``, ``day Fri 21 Aug 2026``, ``month Aug 2026``."""
    if grain == "day":
        return f"day {start:%a} {start.day} {start:%b %Y}"
    if grain == "month":
        return f"month {start:%b %Y}"
    first = f"{start.day}"
    if start.month != end.month:
        first += f" {start:%b}"
    if start.year != end.year:
        first += f" {start.year}"
    return f"week {first}–{end.day} {end:%b %Y}"


def instant(moment: datetime | None) -> str:
    """A moment to the minute: ``2026-08-22 00:05Z``."""
    return f"{moment:%Y-%m-%d %H:%MZ}" if moment else UNKNOWN


def age(span: timedelta | None) -> str:
    """A span in its largest unit: ``5 min``, ``3 h``, ``2 d``, ``4 mo``."""
    if span is None:
        return UNKNOWN
    minutes = max(0, int(span.total_seconds() // 60))
    for size, name in ((60 * 24 * 60, "mo"), (24 * 60, "d"), (60, "h")):
        if minutes >= size:
            return f"{minutes // (30 * 24 * 60 if name == 'mo' else size)} {name}"
    return f"{minutes} min"


def clean(text: str) -> str:
    """Text from a feed without anything a terminal could take for a command."""
    if text.isprintable():
        return text
    return "".join(letter for letter in text if letter.isprintable())
