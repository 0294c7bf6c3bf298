"""Prices by time of day say of which hours they are, wherever they are shown.

LiteLLM lists DeepSeek's price of weekdays by the hour, and that of the weekend, since 2026-09-29.
"""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qwenwatch.config import Config
from qwenwatch.pages import answer_tables
from qwenwatch.session import Session
from qwenwatch_widgets.views.query import TablesQuery
from tests.cli.conftest import Run

MODEL = "deepseek/deepseek-v4-pro"
PEAK = "weekdays 01:00–04:00 UTC"
TIMES = {"2026-11-20T02:00:00Z": PEAK, "2026-11-22T10:00:00Z": "Sat–Sun"}
RAW = ("0100-0400", "0000-0000")


@pytest.mark.parametrize(("now", "hours"), TIMES.items())
@pytest.mark.parametrize("form", ["text", "md"])
def test_a_row_of_prices_says_its_hours(run: Run, now: str, hours: str, form: str) -> None:
    out = run("prices", MODEL, "--offline", "--format", form, QWENWATCH_NOW=now).out
    (row,) = (line for line in out.splitlines() if "LiteLLM" in line and "DeepSeek V4" in line)
    assert f"list · LiteLLM · {hours} " in row


@pytest.mark.parametrize(("now", "hours"), TIMES.items())
def test_a_row_of_the_disagreement_says_its_hours(run: Run, now: str, hours: str) -> None:
    out = run("disagreement", MODEL, "--offline", QWENWATCH_NOW=now).out
    (row,) = (line for line in out.splitlines() if line.startswith("DeepSeek") and "≠" in line)
    assert row.endswith(hours)
    assert not any(raw in out for raw in RAW)


def test_a_history_says_the_hours_of_each_price(run: Run) -> None:
    now = "2026-11-22T10:00:00Z"
    out = run("prices", MODEL, "--history", "--offline", QWENWATCH_NOW=now).out
    assert f"list · LiteLLM · {PEAK}" in out
    assert "route · OpenRouter · 10:00–01:00 UTC" in out
    assert not any(raw in out for raw in RAW)


def test_models_side_by_side_have_a_line_of_hours(tmp_path: Path) -> None:
    """On 18 August 2026 at 02:00 OpenRouter charged 1.32 of 01:00–04:00 UTC."""
    config = Config(tmp_path / "config.toml", cache_dir=tmp_path / "cache")
    now = datetime(2026, 8, 18, 2, tzinfo=UTC)
    session = Session.open(config, lambda: now, offline=True)
    view = answer_tables(session, TablesQuery("compare", models=(MODEL, "alibaba/qwen3-max")))
    lines = [[cell.text.strip() for cell in row.cells[1:]] for row in view.tables[0].rows]
    assert ["hours UTC", "01:00–04:00", ""] in lines


def test_a_cell_of_csv_is_no_list(run: Run) -> None:
    now = "2026-11-22T10:00:00Z"
    out = run("disagreement", MODEL, "--offline", "--format", "csv", QWENWATCH_NOW=now).out
    row = next(csv.DictReader(io.StringIO(out)))
    assert row["differs"] == "input, output, cache_read"
    assert "[" not in out
