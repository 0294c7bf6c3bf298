"""What the README prints is what the commands beside it print, on the bundled baseline."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
OUTPUTS = re.findall(r"```console\n\$ qwenwatch (.+)\n((?:.*\n)+?)```", README)
LEFT_OUT = "…"


def printed(folder: Path, command: str) -> str:
    """What a command prints, with the variables that the README names."""
    stated = dict(re.findall(r"`(QWENWATCH_(?:OFFLINE|NOW))=([^`]+)`", README))
    assert sorted(stated) == ["QWENWATCH_NOW", "QWENWATCH_OFFLINE"]
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "qwenwatch", *command.split()],
        env={**kept, **stated, "HOME": str(folder), "QWENWATCH_CACHE_DIR": str(folder / "cache")},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(("command", "shown"), OUTPUTS, ids=[command for command, _ in OUTPUTS])
def test_an_output_is_that_of_its_command(command: str, shown: str, tmp_path: Path) -> None:
    lines = [
        "(?:.*\n)+?" if line == LEFT_OUT else re.escape(line) + "\n" for line in shown.splitlines()
    ]
    assert sum(not line.startswith("(") for line in lines) >= 2
    assert re.fullmatch("".join(lines), printed(tmp_path, command)) is not None


def test_each_question_has_an_output() -> None:
    named = {command.split()[0] for command, _ in OUTPUTS}
    assert named == {
        *("spend", "prices", "cost", "index", "disagreement", "changes", "identity", "check"),
    }


def test_the_first_table_is_that_of_the_command_above_it(tmp_path: Path) -> None:
    found = re.search(r"```sh\nqwenwatch (.*--format md)\n```\n\n((?:\|.*\n)+)", README)
    assert found is not None
    command, table = found.groups()
    assert "\n" + table + "\n" in printed(tmp_path, command)
    assert [row.split(" | ")[2] for row in table.splitlines()[2:]] == [
        "Alibaba · Qwen",
        "Xiaomi",
        "Anthropic",
    ]


@pytest.mark.parametrize("picture", re.findall(r"!\[.*\]\((.+)\)", README))
def test_every_picture_is_made_by_the_script(picture: str) -> None:
    script = (Path(__file__).parents[1] / "screenshots" / "make.py").read_text(encoding="utf-8")
    assert f'"{Path(picture).stem}": (' in script
