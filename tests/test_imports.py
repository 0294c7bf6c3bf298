"""What is loaded when: start-up speed and the rooms depend on it."""

import subprocess
import sys

import pytest


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
    "command", ["snapshot", "feeds", "prices", "refresh --offline", "cache path", "config path"]
)
def test_headless_commands_leave_textual_out(command: str) -> None:
    code = f"from qwenwatch.cli import main\nmain({[*command.split(), '-q']!r})"
    assert "textual" not in loaded_after(code)


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    loaded = loaded_after("from qwenwatch.cli import build_parser\nbuild_parser()")
    assert not loaded & {"polars", "httpx", "textual", "msgspec", "rich", "asyncio"}


def test_the_screen_is_ready_without_polars_and_httpx() -> None:
    loaded = loaded_after(
        "from qwenwatch.app import QwenwatchApp\nfrom qwenwatch.client import ProcessAnswers"
    )
    assert "textual" in loaded
    assert not loaded & {"polars", "httpx", "msgspec"}
