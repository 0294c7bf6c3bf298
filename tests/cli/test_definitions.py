"""`qwenwatch definitions` and `qwenwatch leaders --by app`, as a user runs them."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.feeds import huggingface, openrouter_sessions
from qwenwatch_cache.frames import INSTANT, USAGE_TABLE
from qwenwatch_cache.store import Store
from tests.cli.conftest import Run
from tests.feedserver import FIXTURE_NOW
from tests.feedserver.bodies import FIXTURES

THEN = {"QWENWATCH_OFFLINE": "1", "QWENWATCH_NOW": "2026-08-22T12:00:00Z"}
FIXTURE_DAY = {"QWENWATCH_OFFLINE": "1", "QWENWATCH_NOW": "2026-08-17T12:30:00Z"}


def document(run: Run, *words: str, **more: str) -> dict[str, Any]:
    ran = run(*words, "--format", "json", **(THEN | more))
    assert ran.code == 0, ran.err
    plain: dict[str, Any] = json.loads(ran.out)
    return plain


@pytest.fixture
def more_feeds(tmp_path: Path) -> None:
    """Organisations and sessions in the cache; the rest is the baseline."""
    store = Store(tmp_path / "cache")
    for path in sorted((FIXTURES / "huggingface").glob("*.json")):
        parsed = huggingface.parse(path.read_bytes(), FIXTURE_NOW, path.stem)
        store.append(parsed.frames, FIXTURE_NOW, whole=parsed.whole)
    parsed = openrouter_sessions.parse((FIXTURES / "session-cost.json").read_bytes(), FIXTURE_NOW)
    store.append(parsed.frames, FIXTURE_NOW, whole=parsed.whole)


def test_the_week_in_which_qwen_led_and_did_not(run: Run) -> None:
    ran = run("definitions", "--date", "2026-04-05", **THEN)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    (all_variants,) = [line for line in lines if line.startswith("tokens · OpenRouter   ")][:1]
    (standard,) = [line for line in lines if line.startswith("tokens, standard only")][:1]
    assert "Alibaba · Qwen" in all_variants and "25.6 %" in all_variants
    assert "Xiaomi" in standard and "15.8 %" in standard
    assert "No figures of that time: tokens · Vercel AI Gateway" in ran.out
    assert "week 30 Mar–5 Apr 2026" in lines[1]


def test_every_row_says_scope_source_and_date(run: Run) -> None:
    plain = document(run, "definitions")
    assert plain["window"]["start"] == "2026-08-10"
    for row in plain["definitions"]:
        assert row["scope"] and row["caveat"] and row["as_of"] and row["label"]
    assert {row["feed"] for row in plain["sources"]} >= {"openrouter-rankings", "openrouter-apps"}
    assert all(row["citation"] and row["licence"] for row in plain["sources"])
    assert plain["replayed"] is True and plain["baseline"] is True


def test_fits_a_wide_terminal(run: Run, more_feeds: None) -> None:
    out = run("definitions", **FIXTURE_DAY).out
    tables, _, _ = out.rpartition("\n\n")  # notes and sources come last
    assert max(map(len, tables.splitlines())) <= 160
    for part in ("downloads · Hugging Face", "dearest sessions", "Sessions · median USD"):
        assert part in tables
    assert "30 d to 2026-08-16" in tables and "on 2026-08-17" in tables


def test_formats_hold_the_same_rows(run: Run, more_feeds: None) -> None:
    plain = document(run, "definitions", **FIXTURE_DAY)
    parts = ("definitions", "countries", "leaders", "apps", "sessions")
    counts = {part: len(plain[part]) for part in parts if plain[part]}
    assert set(counts) == {"definitions", "countries", "leaders", "sessions"}
    lines = run("definitions", "--format", "ndjson", **FIXTURE_DAY).out.splitlines()
    sections = [json.loads(line)["section"] for line in lines]
    assert {part: sections.count(part) for part in counts} == counts
    text = run("definitions", "--format", "csv", **FIXTURE_DAY).out
    assert "{" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {part: sum(row["section"] == part for row in rows) for part in counts} == counts
    first = next(row for row in rows if row["key"] == "downloads/huggingface")
    assert (first["window_grain"], first["window_end"], first["shares_CN"]) == (
        *("rolling30", "2026-08-16"),
        "1.0",
    )
    assert "| downloads · Hugging Face |" in run("definitions", "--format", "md", **FIXTURE_DAY).out


def test_nothing_learned_later_is_used(run: Run, more_feeds: None) -> None:
    early = document(run, "definitions", "--known-at", "2026-08-17T11:59:00Z")
    assert not {row["feed"] for row in early["definitions"]} & {"huggingface"}
    assert early["known_at"] == "2026-08-17T11:59:00Z"


def test_a_day_that_has_closed_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    words = ("definitions", "--date", "2026-08-10", "--format", "json")
    later = {"QWENWATCH_OFFLINE": "1", "QWENWATCH_NOW": "2026-08-24T12:00:00Z"}
    before = run(*words, **later)
    assert before.code == 0
    assert json.loads(before.out)["known_at"] == "2026-08-23T00:00:00Z"
    stated = Store(tmp_path / "empty").read(USAGE_TABLE, feeds={"vercel-leaderboard"})
    when = pl.lit(datetime(2026, 8, 25, tzinfo=UTC), INSTANT)
    restated = stated.with_columns(pl.col("share") / 2, observed_at=when)
    Store(tmp_path / "cache").append({"usage": restated}, datetime(2026, 8, 25, tzinfo=UTC))
    assert run(*words, **(later | {"QWENWATCH_NOW": "2026-08-26T12:00:00Z"})).out == before.out
    now = run(*words, "--known-at", "2026-08-26T12:00:00Z", **later)
    assert json.loads(now.out)["definitions"] != json.loads(before.out)["definitions"]


def test_apps(run: Run) -> None:
    plain = document(run, "leaders", "--by", "app")
    assert plain["window"] == {"grain": "rolling30", "start": "2026-07-23", "end": "2026-08-21"}
    first = plain["apps"][0]
    assert (first["name"], first["tokens"], first["requests"]) == (
        "Hermes Agent",
        38_877_705_398_677,
        402_379_468,
    )
    assert first["tokens_per_request"] == pytest.approx(38_877_705_398_677 / 402_379_468)
    text = run("leaders", "--by", "app", "--top", "1", **THEN).out
    assert "Hermes Agent" in text and "Claude Code" not in text
    assert "Source: OpenRouter (openrouter.ai/apps), as of 2026-08-22T02:01Z" in text


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("leaders", "--by", "app", "--window", "day"), 2, "30 days"),
        (("leaders", "--by", "app", "--metric", "spend"), 2, "tokens and requests"),
        (("leaders", "--by", "app", "--date", "2025-06-01"), 4, "up to 2025-06-01"),
        (("leaders", "--by", "app", "--date", "soon"), 2, "YYYY-MM-DD"),
        (("definitions", "--date", "2020-01-05"), 4, "2020-01-05"),
        (("definitions", "--date", "0001-01-01"), 2, "out of range"),
        (("definitions", "--date", "yesterday"), 2, "YYYY-MM-DD"),
        (("snapshot", "--by", "app"), 2, "invalid choice"),
    ],
)
def test_what_cannot_be_answered(run: Run, words: tuple[str, ...], code: int, reason: str) -> None:
    ran = run(*words, **THEN)
    assert (ran.code, ran.out) == (code, "")
    assert reason in ran.err
