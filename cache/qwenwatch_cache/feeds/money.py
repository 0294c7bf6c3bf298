"""Prices as feeds write them, brought to exact amounts per 1M tokens."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

HIGHEST = Decimal(1000)
"""USD per 1M tokens above which a token price is taken for a unit error and refused."""

MILLION_DIGITS = 6
PER_UNIT = frozenset({"request", "image", "web_search"})
"""Price columns that are per request, image or search rather than per 1M tokens."""


class RefusedPrice(ValueError):
    """A price that cannot be right; `rule` names why, for counting."""

    def __init__(self, rule: str, detail: str) -> None:
        """Keep the rule beside the message."""
        self.rule = rule
        super().__init__(detail)


def per_million(text: str) -> Decimal | None:
    """A decimal string in USD per token, as USD per 1M tokens; "-1" means unknown.

    Raises:
        RefusedPrice: No number, or a negative one other than -1.
    """
    amount = amount_of(text)
    return None if amount is None else amount.scaleb(MILLION_DIGITS)


def amount_of(text: str) -> Decimal | None:
    """A decimal string as an exact amount; "-1" means unknown.

    Raises:
        RefusedPrice: No number, or a negative one other than -1.
    """
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise RefusedPrice("not a number", f"{text[:40]!r} is no decimal number") from error
    if not amount.is_finite():
        raise RefusedPrice("not a number", f"{text[:40]!r} is no decimal number")
    if amount == -1:
        return None
    if amount < 0:
        raise RefusedPrice("negative", f"{text[:40]} is negative")
    return amount


def check_bounds(prices: Mapping[str, Decimal | None]) -> None:
    """Refuse token prices that no provider has ever asked.

    Raises:
        RefusedPrice: A price per 1M tokens is negative or above `HIGHEST`.
    """
    for field, amount in prices.items():
        if amount is None:
            continue
        if amount < 0:
            raise RefusedPrice("negative", f"{field} is {amount}")
        if field not in PER_UNIT and amount > HIGHEST:
            raise RefusedPrice(
                "above the bound", f"{field} is {amount.normalize():f} per 1M, above {HIGHEST}"
            )
