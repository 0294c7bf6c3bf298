"""`qwenwatch disagreement` as a user runs it, on the hand-written world of the feed server."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran, Run


@pytest.fixture
def told(live: Run, polled: Path) -> Run:
    """Run the command in a cache that has read all feeds once."""
    return live


def plain(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


class TestCommand:
    def test_text(self, told: Run) -> None:
        ran = told("disagreement")
        assert ran.code == 0
        lines = ran.out.splitlines()
        assert lines[0] == "qwenwatch disagreement"
        assert "that several sources state differ" in lines[1]
        assert "same model, variant, basis, region and currency" in lines[1]
        at = next(
            number for number, line in enumerate(lines) if line.startswith("DeepSeek Reasoner")
        )
        assert lines[at].split()[5:13] == ["LiteLLM", "✎", "≠", "0.28", "≠", "0.42", "≠", "0.028"]
        assert "+900 %" in lines[at]  # cached: 0.028 against 0.0028
        assert lines[at + 1].split()[:6] == ["models.dev", "✎", "≠", "0.14", "≠", "0.28"]
        assert "Prices: LiteLLM, MIT" in ran.out

    def test_json(self, told: Run) -> None:
        document = plain(told("disagreement", "--format", "json"))
        rows = document["prices"]
        assert document["schema_version"] == 1
        assert document["differing"] == len({(row["model"], row["variant"]) for row in rows})
        assert document["differing"] < document["compared"]
        for row in rows:
            assert row["differs"]
            assert row["feeds"] > 1
            assert row["basis"] == "list"
            assert row["read_at"] == "2026-08-17T12:00:00Z"[:-3] + row["read_at"][-3:]
        assert {source["feed"] for source in document["sources"]} >= {"litellm", "models-dev"}

    def test_mainland_prices_are_told_and_never_compared(self, told: Run) -> None:
        document = plain(told("disagreement", "qwen3-max", "--format", "json"))
        rows = {(row["region"], row["currency"], row["feed"]): row for row in document["prices"]}
        assert rows["cn", "CNY", "alibaba-list"]["feeds"] == 1
        assert rows["cn", "CNY", "alibaba-list"]["spread"] is None
        assert rows["intl", "USD", "litellm"]["feeds"] == 2
        text = told("disagreement", "qwen3-max").out
        assert "at the rate of 2026-08-14, not compared" in text

    def test_a_threshold(self, told: Run) -> None:
        every = plain(told("disagreement", "--format", "json"))
        far = plain(told("disagreement", "--min-percent", "150", "--format", "json"))
        assert 0 < len(far["prices"]) < len(every["prices"])
        assert all(row["spread"] is None or row["spread"] >= 1.5 for row in far["prices"])
        assert [row for row in every["prices"] if row in far["prices"]] == far["prices"]

    def test_route_prices_have_one_source(self, told: Run) -> None:
        ran = told("disagreement", "--basis", "route")
        assert ran.code == 0
        assert "only OpenRouter states route prices" in ran.out

    def test_rows_for_programs(self, told: Run) -> None:
        rows = list(csv.DictReader(io.StringIO(told("disagreement", "--format", "csv").out)))
        assert {row["section"] for row in rows} == {"prices"}
        assert {row["feed"] for row in rows} == {"litellm", "models-dev"}

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (("--min-percent", "much"), "'much' is not a percentage"),
            (("--min-percent", "-1"), "is not a percentage of 0 or more"),
            (("--date", "then"), "'then' is not a day"),
            (("no-such-model",), "No model is called"),
        ],
    )
    def test_what_is_wrong_is_said(
        self, run: Run, arguments: tuple[str, ...], complaint: str
    ) -> None:
        ran = run("disagreement", *arguments)
        assert ran.code == 2
        assert complaint in ran.err

    def test_nothing_is_known_so_early(self, run: Run) -> None:
        ran = run("disagreement", "--date", "2020-01-01")
        assert ran.code == 4
        assert "no prices are known" in ran.err
