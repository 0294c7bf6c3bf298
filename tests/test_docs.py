"""The documents say what the program does."""

import re
from pathlib import Path

import pytest

from qwenwatch.cli import build_parser
from qwenwatch.exit_codes import ExitCode
from qwenwatch.keys import bindings
from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.frames import TABLES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_documented(name: str) -> None:
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    named = {column for row in rows for column in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(TABLES[name].schema)


def test_every_feed_and_its_licence_is_in_the_readme() -> None:
    for feed in FEEDS.values():
        (row,) = [line for line in README.splitlines() if line.startswith(f"| `{feed.name}` |")]
        if "no licence" not in feed.licence:
            assert feed.licence in row


def test_every_exit_code_is_in_the_readme() -> None:
    listed = set(re.findall(r"^\| (\d+) \|", README, flags=re.MULTILINE))
    assert listed == {str(int(code)) for code in ExitCode}


def test_every_command_of_the_readme_is_understood() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    commands = [
        line.partition("#")[0].split()
        for block in blocks
        for line in block.splitlines()
        if line.startswith("qwenwatch ")
    ]
    assert len(commands) >= 6
    for command in commands:
        assert build_parser().parse_args(command[1:]).command == command[1]


def test_every_key_is_documented_as_it_is() -> None:
    rows = re.findall(
        r"^\| `([\w.-]+)` \| `(\S+)` \|", (ROOT / "docs/keys.md").read_text(), re.MULTILINE
    )
    assert dict(rows) == {name: binding.key for name, binding in bindings().items()}
