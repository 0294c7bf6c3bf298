"""Screens that are loaded when first wanted: the first paint does not wait for them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwenwatch.screens.page import Desk, Page


def tables_screen(desk: "Desk", question: str) -> "Page":
    """The screen of a question that is answered with tables."""
    from qwenwatch.screens.tables import TablesScreen

    return TablesScreen(desk, question)


def prices_screen(desk: "Desk", baseline: str) -> "Page":
    """The Prices screen."""
    from qwenwatch.screens.prices import PricesScreen

    return PricesScreen(desk, baseline)


def claims_screen(desk: "Desk") -> "Page":
    """The Claims screen."""
    from qwenwatch.screens.claims import ClaimsScreen

    return ClaimsScreen(desk)


def feeds_screen(desk: "Desk") -> "Page":
    """The Feeds screen."""
    from qwenwatch.screens.feeds import FeedsScreen

    return FeedsScreen(desk)
