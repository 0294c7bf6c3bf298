"""Numbers in the arithmetic of a check, to as many digits as tell it from the claim."""

from decimal import ROUND_HALF_UP, Decimal

from qwenwatch_cache.claims.figure import Unit

_SCALES = ((10**12, "T"), (10**9, "B"), (10**6, "M"))
_SIGNS = {"USD": "$", "CNY": "¥", "EUR": "€"}


def spelled(value: Decimal | None, unit: Unit) -> str:
    """A value: ``62.0 %``, ``5.155T``, ``$0.30``, ``16.7×``, ``-35.0 %``; "any" without a bound."""
    if value is None:
        return "any"
    if unit == "share":
        return f"{_rounded(value * 100, 1)} %"
    if unit == "change":
        if value >= 9:
            return f"{_rounded(value + 1, 1)}×"
        return f"{_rounded(value * 100, 1):+} %" if value else "0.0 %"
    if unit == "times":
        return f"{_rounded(value, 1 if value >= 1 else 2)}×"
    if unit == "amount":
        return amount(value)
    if unit == "rank":
        return f"{value:.0f}"
    return f"{_SIGNS[unit]}{price(value)}"


def between(low: Decimal, high: Decimal | None, unit: Unit) -> str:
    """A value or its bounds: ``41.3 %``, ``41.3 to 50.4 %``."""
    if high is None:
        return f"{spelled(low, unit)} or more"
    ends = spelled(low, unit), spelled(high, unit)
    return ends[0] if ends[0] == ends[1] else f"{ends[0].removesuffix(' %')} to {ends[1]}"


def amount(value: Decimal) -> str:
    """A count with three decimals of its unit: ``5.155T``."""
    for size, letter in _SCALES:
        if value >= size:
            return f"{_rounded(value / size, 3)}{letter}"
    return f"{value:,.0f}"


def price(value: Decimal) -> str:
    """An amount of money: at least two decimals, four of a converted one: ``0.30``, ``1.4155``."""
    if value >= Decimal("0.1"):
        value = _rounded(value, 4)
    whole, _, decimals = f"{value.normalize():f}".partition(".")
    return f"{whole}.{decimals[:8]:0<2}"


def _rounded(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
