"""Cloaked models cost nothing: their tokens are free, and the text says why."""

import json

import pytest

from tests.cli.conftest import Run

NOON = {"QWENWATCH_NOW": "2026-08-22T12:00:00Z"}
DAY = ("spend", "--window", "day", "--date", "2026-08-21")


@pytest.mark.parametrize(("by", "name"), [("vendor", "unattributed"), ("model", "Ox Alpha")])
def test_tokens_of_a_cloaked_model_are_free(run: Run, by: str, name: str) -> None:
    text = run(*DAY, "--by", by, "--top", "0", **NOON).out
    (row,) = (line for line in text.splitlines() if line.startswith(f"{name} ") and "1.99T" in line)
    assert row.partition(" % ")[2].split()[0] == "1.99T"
    assert "Free: variants that are free, and models that have been listed at 0 for long" in text


def test_free_tokens_have_a_price_and_are_no_more_than_all(run: Run) -> None:
    rows = json.loads(run(*DAY, "--format", "json", **NOON).out)["spend"]
    assert any(row["free_tokens"] for row in rows)
    for row in rows:
        assert 0 <= row["free_tokens"] <= row["priced_tokens"] <= row["tokens"]


def test_it_is_said_that_nothing_tells_what_a_model_is_for(run: Run) -> None:
    text = run("cost", "--input", "12M", "--output", "3M", **NOON).out
    assert "no source kept here says what a model is for" in text
