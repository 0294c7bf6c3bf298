"""What is loaded when: start-up speed and the rooms depend on it."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qwenwatch_cache.store import Store
from tests.cache.rows import fetches


def loaded_after(code: str) -> set[str]:
    """Top-level packages in sys.modules of a fresh interpreter after some code."""
    report = "import sys\nprint(' '.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


@pytest.mark.parametrize(
    "command",
    ["snapshot", "feeds", "prices", "refresh --offline", "cache path", "cache info", "config path"],
)
def test_headless_commands_leave_textual_out(command: str) -> None:
    code = f"from qwenwatch.cli import main\nmain({[*command.split(), '-q']!r})"
    assert "textual" not in loaded_after(code)


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    loaded = loaded_after("from qwenwatch.command_line import build_parser\nbuild_parser()")
    assert not loaded & {"polars", "httpx", "textual", "rich", "asyncio"}


@pytest.mark.parametrize("form", ["text", "json", "csv", "ndjson", "md"])
def test_a_snapshot_kept_ready_is_printed_without_the_data_library(
    tmp_path: Path, form: str
) -> None:
    learned = datetime(2026, 8, 24, tzinfo=UTC)  # the day asked about had closed by then
    Store(tmp_path).log(fetches([learned]), learned)
    words = ["snapshot", "--date", "2026-08-21", "--format", form, "--cache-dir", str(tmp_path)]
    code = (
        "import os\nos.environ['QWENWATCH_NOW'] = '2026-08-25'\n"
        f"from qwenwatch.cli import main\nmain({words!r})"
    )
    assert "polars" in loaded_after(code)
    assert not loaded_after(code) & {"polars", "filelock", "httpx", "asyncio"}


def test_a_round_without_news_loads_no_questions(tmp_path: Path) -> None:
    # That feed is asked about single models only, never in a round.
    words = ["refresh", "--feed", "openrouter-endpoints", "--cache-dir", str(tmp_path)]
    code = f"from qwenwatch.cli import main\nmain({words!r})"
    report = "assert 'qwenwatch.preparing' not in __import__('sys').modules"
    assert "polars" in loaded_after(f"{code}\n{report}")


def test_the_screen_is_ready_without_polars_and_httpx() -> None:
    loaded = loaded_after(
        "from qwenwatch.app import QwenwatchApp\nfrom qwenwatch.client import ProcessAnswers"
    )
    assert "textual" in loaded
    assert not loaded & {"polars", "httpx"}
