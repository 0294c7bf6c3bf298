"""`qwenwatch spend` on the bundled baseline."""

import csv
import io
import json
from typing import Any

import pytest

from tests.cli.conftest import Ran, Run

NOW = "2026-08-22T12:00:00Z"
QWENS_WEEK = ("--date", "2026-04-05")


@pytest.fixture
def spend(run: Run) -> Run:
    def run_spend(*arguments: str) -> Ran:
        return run("spend", *arguments, QWENWATCH_OFFLINE="1", QWENWATCH_NOW=NOW)

    return run_spend


def document(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    plain: dict[str, Any] = json.loads(ran.out)
    return plain


def test_the_document_has_what_the_contract_names(spend: Run) -> None:
    plain = document(spend("--format", "json"))
    assert plain["schema_version"] == 1
    assert plain["replayed"] is True
    assert plain["window"] == {
        "grain": "week",
        "start": "2026-08-10",
        "end": "2026-08-16",
        "complete": True,
    }
    assert plain["mix"] == {"input": 0.8, "output": 0.05, "cached": 0.15}
    assert {source["feed"] for source in plain["sources"]} == {
        "openrouter-rankings",
        "openrouter-models",
        "vercel-leaderboard",
    }
    ids = [row["id"] for row in plain["spend"]]
    assert ids[0] == "anthropic"
    assert ids[-1] == "unattributed"
    expected = [row["expected"] for row in plain["spend"] if row["expected"] is not None]
    assert expected == sorted(expected, reverse=True)
    assert {"id", "low", "high", "share_low", "share_high", "priced_share"} <= {*plain["spend"][0]}
    assert sum(row["tokens"] for row in plain["spend"]) == plain["total"]["tokens"]
    lacking = sum(row["tokens"] for row in plain["unpriced"])
    assert plain["total"]["tokens"] - plain["total"]["priced_tokens"] == lacking
    assert len(plain["assumptions"]) >= 10


def test_qwens_week_tells_tokens_and_spend_at_once(spend: Run) -> None:
    text = spend(*QWENS_WEEK).out
    assert "most tokens: Alibaba · Qwen, 25.6 % (6.24T of its 6.90T free)" in text
    assert "most implied spend: Anthropic, 67.3 % (5.5–97.9 %)" in text
    assert "9 named of each week + others" in text
    assert "route prices" in text
    assert "mix 80:5:15 in:out:cached" in text
    assert "prices OpenRouter 2026-03-31 12:30Z" in text
    assert "all 9 models named have a price · 40.8 % of all tokens" in text
    qwen = next(
        row
        for row in document(spend(*QWENS_WEEK, "--format", "json"))["spend"]
        if row["id"] == "alibaba"
    )
    assert (qwen["low"], qwen["high"], qwen["share_high"]) == (0, 0, 0.0)
    assert qwen["measured_share"] is None


def test_assumptions_are_printed_in_sentences(spend: Run) -> None:
    text = spend().out
    for line in document(spend("--format", "json"))["assumptions"]:
        assert line in text
        assert line.endswith(".")
    assert "5 of the 60 models named lack a price on some day · 7.5 % of all tokens" in text
    assert "DeepSeek V4 Pro 0813" in text
    assert "80 % fresh input, 5 % output and 15 % cached input" in text
    assert max(map(len, text.splitlines())) <= 160


def test_a_closed_day_is_answered_as_known_when_it_closed(spend: Run) -> None:
    once = spend(*QWENS_WEEK, "--format", "json")
    assert document(once)["known_at"] == "2026-08-01T00:00:00Z"
    named = spend(*QWENS_WEEK, "--format", "json", "--known-at", "2026-08-01T00:00:00Z")
    assert named.out == once.out == spend(*QWENS_WEEK, "--format", "json").out


def test_groupings_windows_basis_and_top(spend: Run) -> None:
    models = document(spend("--by", "model", "--window", "day", "--format", "json"))
    assert models["window"]["start"] == models["window"]["end"] == "2026-08-21"
    assert models["spend"][-1]["id"] == "other"
    assert {row["measured_share"] for row in models["spend"]} == {None}
    countries = document(
        spend("--by", "country", "--window", "month", "--date", "2026-07-31", "--format", "json")
    )
    assert [row["id"] for row in countries["spend"]][:2] == ["US", "CN"]
    listed = document(spend("--basis", "list", "--format", "json"))
    assert {source["feed"] for source in listed["sources"]} >= {"models-dev", "litellm"}
    assert "OpenRouter charges others" in " ".join(listed["assumptions"])
    shown = spend("--top", "3").out
    assert "Google" in shown
    assert "Moonshot " not in shown
    assert "unattributed" in shown


def test_rows_for_programs(spend: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(spend("--format", "csv").out)))
    assert {row["section"] for row in rows} == {"spend", "unpriced"}
    rest = next(row for row in rows if row["id"] == "unattributed")
    assert (rest["low"], rest["share_low"]) == ("", "")  # unknown, not 0
    lines = [json.loads(line) for line in spend("--format", "ndjson").out.splitlines()]
    assert [line["section"] for line in lines[:2]] == ["question", "sources"]
    assert spend("--format", "md").out.startswith("# qwenwatch spend · week 10–16 Aug 2026")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--date", "2025-01-05"), 4, "no complete week of tokens"),
        (("--window", "day", "--date", "2026-04-05"), 4, "no complete day of tokens"),
        (("--date", "monday"), 2, "'monday' is not a day: expected YYYY-MM-DD"),
    ],
)
def test_what_cannot_be_answered(
    spend: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = spend(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
