"""`qwenwatch identity`: what the map does not know, and what it joins, as a user sees it."""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from qwenwatch_cache.identity import load_identity
from tests.cli.conftest import Ran, Run

NOW = {"QWENWATCH_NOW": "2026-08-22T12:00:00Z", "QWENWATCH_OFFLINE": "1"}


@pytest.fixture
def baseline(run: Run) -> Run:
    """Run ``qwenwatch`` on the figures that come with it."""

    def run_baseline(*arguments: str) -> Ran:
        return run(*arguments, **NOW)

    return run_baseline


def document(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    plain: dict[str, Any] = json.loads(ran.out)
    assert plain["schema_version"] == 1
    assert plain["replayed"] is True
    return plain


def test_the_day_of_a_cloaked_model(baseline: Run, recordings: Path) -> None:
    """Against the recorded day, added up here."""
    plain = document(baseline("identity", "--window", "day", "--format", "json"))
    row = plain["coverage"][0]
    assert (row["definition"], row["start"]) == ("tokens/openrouter-rankings", "2026-08-21")
    (path,) = (recordings / "usage/openrouter-data-api").glob("casualstudy.*.json")
    day = json.loads(path.read_text(encoding="utf-8"))["2026-08-21"]
    tokens = {slug: int(stated["total_tokens"]) for slug, stated in day.items()}
    assert row["cloaked_value"] == tokens["stealth/ox-alpha"]
    assert row["other_value"] == tokens["other"]
    assert row["unmapped_value"] == 0
    assert row["mapped_value"] == sum(tokens.values()) - row["cloaked_value"] - row["other_value"]
    assert row["cloaked_share"] == pytest.approx(
        tokens["stealth/ox-alpha"] / sum(tokens.values()), abs=1e-8
    )
    (hidden,) = [one for one in plain["not_mapped"] if one["definition"] == row["definition"]]
    assert (hidden["id"], hidden["status"]) == ("stealth/ox-alpha", "cloaked")
    assert hidden["value"] == row["cloaked_value"]


def test_the_report_has_every_feed_with_usage_by_model(baseline: Run) -> None:
    plain = document(baseline("identity", "--format", "json"))
    rows = plain["coverage"]
    assert [row["definition"] for row in rows] == [
        "tokens/openrouter-rankings",
        "tokens/vercel-leaderboard",
        "requests/vercel-leaderboard",
        "spend/vercel-leaderboard",
    ]
    for row in rows:
        assert (row["start"], row["complete"]) == ("2026-08-10", True)
        shares = [row[f"{one}_share"] for one in ("mapped", "cloaked", "unmapped", "other")]
        assert sum(shares) == pytest.approx(1, abs=1e-6)
    assert rows[1]["mapped_value"] is None  # Vercel publishes shares only
    assert {source["feed"] for source in plain["sources"]} == {
        "openrouter-rankings",
        "vercel-leaderboard",
    }
    assert all(source["citation"] for source in plain["sources"])


def test_the_text_says_the_sums_and_the_sources(baseline: Run) -> None:
    ran = baseline("identity", "--window", "day")
    assert ran.code == 0
    lines = ran.out.splitlines()
    (sums,) = [line for line in lines if line.startswith("tokens · OpenRouter ")]
    assert sums.split()[-9:] == ["80.0", "%", "14.3", "%", "0.0", "%", "5.7", "%", "1"]
    assert any(line.split()[:2] == ["stealth/ox-alpha", "cloaked"] for line in lines)
    assert "Source: OpenRouter (openrouter.ai/rankings)" in ran.out
    assert max(map(len, lines)) <= 120


def test_a_week_of_the_past_from_the_weekly_page(baseline: Run) -> None:
    plain = document(baseline("identity", "--date", "2026-04-05", "--format", "json"))
    assert [row["definition"] for row in plain["coverage"]] == ["tokens/openrouter-rankings"]
    (row,) = plain["coverage"]
    assert (row["start"], row["feed"]) == ("2026-03-30", "openrouter-rankings-page")
    assert row["unmapped_share"] < 0.01


def test_all_ids_of_a_model(baseline: Run) -> None:
    plain = document(baseline("identity", "Qwen3 Max", "--format", "json"))
    assert plain["model"] == "alibaba/qwen3-max"
    assert (plain["vendor"], plain["country"]) == ("alibaba", "CN")
    ids = Counter(row["feed"] for row in plain["ids"])
    assert ids == {feed: len(ids) for feed, ids in load_identity().ids("alibaba/qwen3-max").items()}
    assert all(row["source"] for row in plain["ids"])
    text = baseline("identity", "qwen/qwen3-max:free").out
    assert "Ids of alibaba/qwen3-max" in text
    for row in plain["ids"]:
        assert any(
            row["feed"] in line and row["id"] in line and row["source"] in line
            for line in text.splitlines()
        )


def test_a_reviewed_relation_shows_its_reason(baseline: Run) -> None:
    text = baseline("identity", "kimi-k2-0905-preview").out
    assert "reviewed: OpenRouter names it 'Kimi K2 0905'" in text


def test_other_formats_have_the_same_rows(baseline: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(baseline("identity", "glm-5", "--format", "csv").out)))
    plain = document(baseline("identity", "glm-5", "--format", "json"))
    assert [(row["feed"], row["id"]) for row in rows] == [
        (row["feed"], row["id"]) for row in plain["ids"]
    ]
    lines = baseline("identity", "--window", "day", "--format", "ndjson").out.splitlines()
    sections = Counter(json.loads(line)["section"] for line in lines)
    assert sections == {"question": 1, "coverage": 4, "not_mapped": 1, "sources": 2}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["no-such-model"], 2, "No model is called 'no-such-model'"),
        (["qwen"], 2, "'qwen' fits"),
        (["glm-5", "--window", "day"], 2, "one model has no window"),
        (["--date", "yesterday"], 2, "--date 'yesterday' is not a day"),
        (["--date", "2024-01-07"], 4, "no complete week"),
    ],
)
def test_what_cannot_be_answered(baseline: Run, arguments: list[str], code: int, said: str) -> None:
    ran = baseline("identity", *arguments)
    assert ran.code == code
    assert said in ran.err
    assert ran.out == ""
