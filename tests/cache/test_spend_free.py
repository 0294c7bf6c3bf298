"""What costs nothing is told apart from what has no price, and leaders by their names."""

from datetime import timedelta
from pathlib import Path

from qwenwatch_cache.market.spend_definition import spend_definition
from tests.cache.spend_cases import NOON, asked, price

BEFORE = NOON - timedelta(days=10)


def test_a_model_that_is_listed_at_0_is_free_and_one_whose_0_is_doubted_is_not(
    tmp_path: Path,
) -> None:
    rows = [
        price("lab/cloaked", "0", "0", when=BEFORE),
        price("lab/cloaked", "0", "0"),
        price("lab/glitch", "0", "0"),
        price("lab/paid", "1", "5"),
    ]
    tokens = {"lab/cloaked": 400, "lab/glitch": 30, "lab/paid": 2, "lab/paid:free": 1}
    spend = asked(tmp_path, rows, tokens)
    assert spend.whole["free_tokens"] == 401
    assert spend.whole["priced_tokens"] == 403
    assert spend.unpriced.get_column("tokens").to_list() == [30]


def test_leaders_of_implied_spend_are_called_by_name(tmp_path: Path) -> None:
    rows = [price("anthropic/a", "1", "5"), price("qwen/b", "0.1", "20")]
    spend = asked(tmp_path, rows, dict.fromkeys(("anthropic/a", "qwen/b"), 9))
    scope = spend_definition(spend).scope
    assert scope.endswith("at lowest Anthropic would lead, at highest Alibaba · Qwen")
    nothing = spend_definition(asked(tmp_path / "none", [], {"qwen/b": 9})).scope
    assert nothing.endswith("at lowest nobody would lead, at highest nobody")
