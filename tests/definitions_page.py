"""The worked examples of docs/definitions.md, as they are printed there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "definitions.md").read_text(encoding="utf-8")

_EXAMPLE = re.compile(r"^\*Example, ([^*]+)\.\*(.*?)(?=^\*Example|^#|\Z)", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Example:
    """One of them.

    Attributes:
        text: Its sentences, with one space wherever there is any.
        rows: Those of its table by heading, empty if there is none.
    """

    text: str
    rows: Sequence[dict[str, str]]


def names(text: str = PAGE) -> Sequence[str]:
    """What the examples of a text are called, in its order."""
    return [" ".join(name.split()) for name, _ in _EXAMPLE.findall(text)]


def example(name: str) -> Example:
    """The example of a name."""
    (found,) = (body for one, body in _EXAMPLE.findall(PAGE) if " ".join(one.split()) == name)
    lines = found.splitlines()
    table = [line for line in lines if line.startswith("|")]
    words = " ".join(line for line in lines if not line.startswith("|")).split()
    return Example(" ".join(words), _rows(table))


def sections() -> dict[str, str]:
    """The smallest headed parts of the page by heading, without its introduction."""
    parts = re.split(r"^#{2,3} (.+)$", PAGE, flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _rows(table: Sequence[str]) -> Sequence[dict[str, str]]:
    cells = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]
