"""What the text of prices says of terms that are not the plain ones."""

import pytest

from qwenwatch_widgets.text import width
from tests.cli.conftest import Run

NOON = {"QWENWATCH_NOW": "2026-08-22T12:00:00Z"}


def test_batch_prices_are_compared_with_the_standard_price_and_say_so(run: Run) -> None:
    text = run("prices", "--variant", "batch", "--top", "5", **NOON).out
    assert "× to qwen3-max, standard price, same basis and currency" in text
    # GPT-5.6 Luna: 0.10 in a batch; Qwen3 Max by the router 0.78 as a rule (rounded: 0.13×).
    (luna,) = (
        line for line in text.splitlines() if line.startswith("GPT-5.6 Luna") and "route" in line
    )
    assert "0.13×" in luna
    assert "standard price" not in run("prices", "--top", "5", **NOON).out


@pytest.mark.parametrize("currency", ["USD", "CNY", "EUR"])
def test_prices_in_a_currency_fit_and_repeat_nothing(run: Run, currency: str) -> None:
    text = run("prices", "--currency", currency, **NOON).out
    assert max(map(width, text.splitlines())) <= 160
    (header,) = (line.split() for line in text.splitlines() if line.startswith("Model "))
    assert "Blended" not in header and "Changed" not in header
    assert (
        header[-11:]
        == [
            *("In", currency, "Out", currency, "Blend", currency),
            *("×", "in", "×", "out", "×", "blend"),
        ][-11:]
    )


def test_what_holds_for_a_table_goes_on_in_the_next_line(run: Run) -> None:
    text = run("prices", "--currency", "CNY", "--top", "1", **NOON).out
    lines = text.splitlines()
    at = lines.index("Prices · per 1M tokens")
    head = [line.startswith("Model ") for line in lines].index(True)
    caption = " · ".join(lines[at + 1 : head])
    assert head - at > 2
    assert caption.startswith("1 USD = 6.72 CNY (ECB, 2026-08-21) · ")
    assert caption.endswith("× to qwen3-max, same basis, in the same currency or converted")
