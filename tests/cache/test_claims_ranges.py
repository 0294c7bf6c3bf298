"""A range as a claim's value: exact, or rounded at both ends where it says to which digit."""

from decimal import Decimal

import pytest

from qwenwatch_cache.claims.claim import UNITS
from qwenwatch_cache.claims.figure import read_figure


@pytest.mark.parametrize(
    ("text", "precision", "low", "high"),
    [
        ("1.9–97.6 %", "", "0.019", "0.976"),
        ("1.9–97.6 %", "0.1", "0.0185", "0.9765"),
        ("12-13 %", "1", "0.115", "0.135"),
        ("<0.1–0.3 %", "", "0", "0.003"),
        ("<0.1–0.3 %", "0.1", "-0.0005", "0.0035"),
    ],
)
def test_a_range_is_exact_unless_it_says_how_its_ends_were_rounded(
    text: str, precision: str, low: str, high: str
) -> None:
    figure = read_figure(text, UNITS["share"], precision)
    assert (figure.low, figure.high) == (Decimal(low), Decimal(high))
    assert figure.step == (Decimal(precision) / 100 if precision else 0)


@pytest.mark.parametrize("text", [">1–3 %", "<0.3–0.1 %", "1–3 %+"])
def test_a_range_with_a_bound_at_its_wrong_end_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        read_figure(text, UNITS["share"])
