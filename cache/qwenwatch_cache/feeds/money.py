"""Prices as feeds write them, brought to exact amounts per 1M tokens."""

from decimal import Decimal, InvalidOperation

HIGHEST = Decimal(1000)
"""USD per 1M tokens, request, image or search above which a price is taken for a unit error."""

HIGHEST_IN = {"USD": HIGHEST, "CNY": HIGHEST * 10}
"""The bound by currency. Ten yuan stand for a dollar, which is more than a dollar was worth on any
day of the ECB's rates (at most 8.28): what may stand in dollars may stand in yuan."""

MILLION_DIGITS = 6
KEPT = Decimal("1e-12")
"""The finest step that is kept; feeds state float noise beyond it (0.20000000000000002)."""


class RefusedPrice(ValueError):
    """A price that cannot be right; `rule` names why, for counting."""

    def __init__(self, rule: str, detail: str) -> None:
        """Keep the rule beside the message."""
        self.rule = rule
        super().__init__(detail)


def per_million(text: str) -> Decimal | None:
    """A decimal string in USD per token, as USD per 1M tokens; "-1" means unknown.

    Raises:
        RefusedPrice: No number, or one that `kept` refuses.
    """
    amount = _number(text)
    return None if amount == -1 else kept(amount, MILLION_DIGITS)


def amount_of(text: str, currency: str = "USD") -> Decimal | None:
    """A decimal string in a currency of `HIGHEST_IN` as an exact amount; "-1" means unknown.

    Raises:
        RefusedPrice: No number, or one that `kept` refuses.
    """
    amount = _number(text)
    return None if amount == -1 else kept(amount, currency=currency)


def kept(amount: Decimal, shift: int = 0, currency: str = "USD") -> Decimal:
    """An amount, its point moved by some digits, without the digits beyond `KEPT`.

    Raises:
        RefusedPrice: Not finite, negative, above the bound of its currency (`HIGHEST_IN`), or so
            small that nothing is left.
    """
    if not amount.is_finite():
        raise RefusedPrice("not a number", f"{amount} is no amount")
    if amount < 0:
        raise RefusedPrice("negative", f"{amount} is negative")
    highest = HIGHEST_IN[currency]
    if amount > highest or amount.scaleb(shift) > highest:
        stated = f"{amount} per token" if shift else str(amount)
        raise RefusedPrice("above the bound", f"{stated} is above {highest} per 1M")
    rounded = amount.scaleb(shift).quantize(KEPT)
    if amount and not rounded:
        raise RefusedPrice("below the bound", f"{amount} is more than 0, but less than is kept")
    return rounded


def _number(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise RefusedPrice("not a number", f"{text[:40]!r} is no decimal number") from error
    if not amount.is_finite():
        raise RefusedPrice("not a number", f"{text[:40]!r} is no decimal number")
    return amount
