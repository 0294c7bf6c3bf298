"""Numbers of tokens as people type them: 12M, 1.5B, 3_000_000, 40k; and parts of them: 60%."""

import re
from decimal import ROUND_HALF_UP, Decimal

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
_NUMBER = re.compile(r"(\d{1,3}(?:[,_]\d{3})+|\d+)(\.\d+)?\s*([kmbt]?)", re.ASCII | re.IGNORECASE)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%", re.ASCII)

LARGEST = 10**15
"""More tokens than this are a slip: all of OpenRouter has some 10**14 a week."""


def parse_count(text: str, name: str = "a number of tokens") -> int:
    """Read a count.

    Args:
        text: As typed; `k`, `M`, `B` and `T` are powers of a thousand, in either case.
        name: What is counted, for the message.

    Raises:
        ValueError: It is no count; the message quotes it and shows what one looks like.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not {name}: write it like 12M, 1.5B, 40k or 3_000_000")
    whole, fraction, unit = match.groups()
    digits = whole.replace(",", "").replace("_", "") + (fraction or "")
    exact = Decimal(digits) * _UNITS[unit.lower()]
    if exact != exact.to_integral_value():
        raise ValueError(f"{text!r} is not {name}: {exact.normalize():f} is not a whole number")
    if exact > LARGEST:
        raise ValueError(f"{text!r} is not {name}: at most 1000T can be reckoned with")
    return int(exact)


def parse_part(text: str, whole: int, name: str) -> int:
    """Read a part of a count: a percentage of it, or a count of its own.

    Args:
        text: As typed: "60%" or "7M".
        whole: What it is a part of.
        name: What the part is, for the message.

    Returns:
        The part as a count, rounded to whole tokens.

    Raises:
        ValueError: It is neither, or more than the whole.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        if re.fullmatch(r"0?\.\d+", text.strip(), re.ASCII):
            raise ValueError(f"{text!r} is not {name}: write a percentage like 60%, or a number")
        part = parse_count(text, name)
        if part > whole:
            raise ValueError(f"{name} of {part:,} are more than the {whole:,} they are part of")
        return part
    percent = Decimal(match[1])
    if percent > 100:
        raise ValueError(f"{text!r} is not {name}: more than 100 %")
    return int((whole * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))
