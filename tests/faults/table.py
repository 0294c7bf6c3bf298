"""The matrix as a page of Markdown: for each fault, the feeds that behave alike in one row."""

import re
from collections.abc import Sequence
from datetime import timedelta

from qwenwatch_cache.round import FEW
from tests.faults.matrix import PLAYED, RETRY_AFTER, Cell
from tests.feedserver import FAULTS, faults_for
from tests.feedserver.mutations import ABSURD_FACTOR
from tests.feedserver.wire import HUGE_BYTES

GROUPS = {
    "Another answer": {
        "401": "HTTP 401",
        "403": "HTTP 403",
        "404": "HTTP 404",
        "429": "HTTP 429 with `Retry-After` of two hours",
        "429-bare": "HTTP 429 without `Retry-After`",
        "500": "HTTP 500",
        "503": "HTTP 503",
        "html": "a web page with HTTP 200",
        "redirect": "a redirect on the same host",
        "redirect-other-host": "a redirect to another host, which is told no key",
    },
    "Another content": {
        "truncated": "the first half of the body as if it were all",
        "empty-list": "no row at all",
        "half-list": "fewer than half of the rows",
        "renamed-field": "the value under another name, in every row",
        "string-for-number": "a text in place of the number, in every row",
        "number-for-string": "a number in place of the text, in every row",
        "one-bad-row": "the first value is a list",
        "negative-price": "the first value is negative",
        "absurd-price": f"the first value is {ABSURD_FACTOR:,} times what it was",
        "duplicate-rows": "every row twice",
    },
    "Badly sent": {
        "short-body": "half of the promised length, then the end",
        "slow-drip": "a byte now and then",
        "hang": "nothing at all",
        "reset": "a TCP reset",
        "huge": f"the body and blanks, {HUGE_BYTES // 1024**2} MB",
        "gzip-bomb": "a small body that unpacks to far more",
    },
}
"""Every fault, and what comes in place of the good answer."""

CANNOT = "cannot have it"

HEAD = """\
# What a faulty feed does to the program

Written by `python -m tests.faults > docs/faults.md`; `tests/faults/test_matrix.py` plays it all
again and compares. Do not edit.

Each cell is one real round over a real connection: a cache that was filled a day before, a feed
that has news, and a server that spoils every request of the round. Of every cell the test asserts
that

* every row that was stored before is still there as it was, and nothing of it is withdrawn;
* no row is stored that a good answer would not have brought;
* the user is told in one plain line, without a key;
* good answers bring all that was missing as soon as the feed is asked again. The one exception is
  marked: Hugging Face says how things stand today, and never again how they stood yesterday.

*Told* is the line of `qwenwatch refresh` without the feed's name; the command ends with code 3 if
a line begins with "failed". HOST stands for the server's address, N for a number that differs from
feed to feed. Where several requests of a round fail, one of them is told, and how many more there
were; that is left out here, and so is what every good answer leaves out. *News stored* says how
much of what a good answer would have brought was stored. *Asked again* counts from the beginning of
the round; "as usual" is the feed's own cadence.

The lists played have more entries than the {few} up to which a list that is cut in half cannot be
told from a list that became shorter. Of Hugging Face three organisations are asked, two of them
with fewer models than that.
"""


def page(cells: Sequence[Cell], passing: Sequence[Cell]) -> str:
    """The whole page.

    Args:
        cells: Of every feed and fault that go together.
        passing: Of faults that were over at the third attempt.
    """
    parts = [HEAD.format(few=FEW)]
    for title, faults in GROUPS.items():
        parts.append(f"\n## {title}\n\n")
        parts.append(_row("Fault", "Feeds", "Told", "News stored", "Asked again"))
        parts.append("|---|---|---|---|---|\n")
        for fault, meaning in faults.items():
            parts.extend(_rows_of(fault, meaning, [one for one in cells if one.fault == fault]))
    parts.append("\n## Over at the third attempt\n\n")
    parts.append("Two requests fail, the third is answered, all in one round.\n\n")
    parts.append(_row("Feed", "Fault", "Requests", "News stored"))
    parts.append("|---|---|---|---|\n")
    for one in passing:
        parts.append(_row(f"`{one.feed}`", f"`{one.fault}`", str(one.requests), stored(one)))
    return "".join(parts)


def _rows_of(fault: str, meaning: str, cells: Sequence[Cell]) -> list[str]:
    alike: dict[tuple[str, str, str], list[Cell]] = {}
    for one in cells:
        alike.setdefault((told(one), stored(one), wait(one)), []).append(one)
    rows: list[str] = []
    first = f"`{fault}`: {meaning}"
    for (line, news, again), same in sorted(alike.items(), key=lambda item: -len(item[1])):
        feeds = _feeds([one.feed for one in same], [one.feed for one in cells])
        rows.append(_row(first, feeds, line, news, again))
        first = ""
    cannot = [feed for feed in PLAYED if fault not in faults_for(feed)]
    if cannot:
        rows.append(_row("", ", ".join(f"`{feed}`" for feed in cannot), CANNOT, "", ""))
    return rows


def _feeds(some: Sequence[str], all_of_them: Sequence[str]) -> str:
    if len(some) == len(PLAYED):
        return "all"
    if 2 * len(some) <= len(all_of_them) or len(some) == len(all_of_them):
        return ", ".join(f"`{feed}`" for feed in some)
    others = [feed for feed in all_of_them if feed not in some]
    return "all but " + ", ".join(f"`{feed}`" for feed in others)


def told(cell: Cell) -> str:
    """The line without the figures that say nothing of the fault."""
    line = re.sub(r" \(and \d+ more of \d+ requests failed\)", "", cell.told)
    line = re.sub(r"(?<![-\d])\d[\d,]*(?<!,) (rows|new|bytes|entries|now|before)\b", r"N \1", line)
    return re.sub(r"\b\d+ of N rows|\bbyte \d+", _without_figure, line)


def _without_figure(found: re.Match[str]) -> str:
    return re.sub(r"\d+", "N", found[0])


def stored(cell: Cell) -> str:
    """How much of the news was stored, and whether the rest comes later."""
    return cell.stored if cell.recovered else f"{cell.stored}; the rest never"


def wait(cell: Cell) -> str:
    """When the feed is asked again, rounded."""
    if cell.state != "failed":
        return "as usual"
    if cell.fault in RETRY_AFTER:
        hours = cell.wait / timedelta(hours=1)
        return f"in {hours:.0f} h"
    return f"in {cell.wait / timedelta(minutes=1):.0f} min"


def _row(*texts: str) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |\n"


assert set(FAULTS) == {fault for faults in GROUPS.values() for fault in faults}
