"""Implied spend as people read it: what is unknown is a dash."""

from decimal import Decimal
from pathlib import Path

import pytest

from qwenwatch_widgets.views.spend import spend_answer, spend_table, unpriced_table, usd
from tests.cache.spend_cases import NOON, asked, price


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "–"),
        (Decimal(0), "0"),
        (Decimal("0.004"), "<1"),
        (Decimal("249.65"), "250"),
        (Decimal("999999.7"), "1.00M"),
        (Decimal("28473737.59"), "28.47M"),
    ],
)
def test_dollars(amount: Decimal | None, text: str) -> None:
    assert usd(amount) == text


def test_unknown_amounts_are_dashes_and_free_ones_0(tmp_path: Path) -> None:
    tokens = {"qwen/x": 10**9, "z-ai/y:free": 10**9, "mistralai/z": 10**9, "other": 5}
    spend = asked(tmp_path, [price("qwen/x", "1", "5")], tokens, by="vendor")
    table = spend_table(spend)
    texts = {
        row.key: {
            column.key: cell.text for column, cell in zip(table.columns, row.cells, strict=True)
        }
        for row in table.rows
    }
    assert list(texts) == ["alibaba", "zhipuai", "mistral", "unattributed", "all"]
    amounts = ("low", "expected", "high", "share_expected", "share")
    assert [texts["zhipuai"][name] for name in amounts] == ["0", "0", "0", "0.0 %", "0.0"]
    assert [texts["mistral"][name] for name in amounts] == ["–"] * 5
    assert [texts["unattributed"][name] for name in amounts] == ["–"] * 5
    assert texts["all"]["priced"] == "66.7 %"
    assert "measured" not in texts["all"]  # nothing to compare with
    why = [row.cells[-1].text for row in unpriced_table(spend).rows]
    assert why == ["no price is stated", "the source does not name the models"]


def test_text_of_feeds_is_cleaned_and_the_top_is_cut(tmp_path: Path) -> None:
    tokens = {"lab/\x1b[31mred": 10**9, "lab/b": 10**9}
    spend = asked(tmp_path, [price("lab/b", "1", "5")], tokens)
    answer = spend_answer(spend, NOON, top=1)
    shown = [row.cells[0].text for row in answer.page.tables[0].rows]
    assert shown == ["b", "everything"]
    named = [row["name"] for row in answer.document["spend"]]
    assert named == ["b", "[31mred"]
    assert answer.page.tables[1].rows[0].cells[0].text == "[31mred"


def test_a_market_that_nobody_is_behind(tmp_path: Path) -> None:
    spend = asked(tmp_path, [], {"other": 5}, by="vendor")
    answer = spend_answer(spend, NOON)
    assert answer.page.lines[0] == "nothing is attributed"
    assert answer.document["total"]["expected"] is None
    assert [row.cells[5].text for row in answer.page.tables[0].rows] == ["–", "–"]
