"""No fault of any feed costs or falsifies what is kept, and the table in the docs is true."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from qwenwatch_cache.feeds import FEEDS
from tests.faults.matrix import (
    KEY,
    LATER,
    LIKE_503,
    PASSING,
    PLAYED,
    RETRY_AFTER,
    Cell,
    Matrix,
    every_cell,
    matrix,
    passing_cells,
)
from tests.faults.table import GROUPS, page
from tests.feedserver import FAULTS, faults_for

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"

LONGEST_LINE = 400

JARGON = re.compile(r"Traceback|Error\b|Exception|object at 0x|Expected|`|\{|\}|<|\\x|\bNone\b")
"""Words of programs; a message is for people."""

HARMLESS = {
    "redirect": set(PLAYED),
    # With a key it is left behind, and the answer is a refusal.
    "redirect-other-host": {name for name, feed in PLAYED.items() if not feed.key_env},
    # "1.2" is the same amount.
    "string-for-number": {"models-dev", "litellm", "openrouter-sessions"},
}
"""Where a round must be as good as without the fault."""

ALWAYS = frozenset(FAULTS) - {
    "redirect",
    "redirect-other-host",
    "string-for-number",
    # One bad entry costs that entry only where entries stand for themselves.
    "one-bad-row",
    "negative-price",
    "absurd-price",
    "duplicate-rows",
}
"""Faults that every feed must report as a failure."""

ONE_OF_A_WHOLE = frozenset(
    {"openrouter-rankings", "openrouter-apps", "openrouter-tasks", "vercel-leaderboard", "ecb-fx"}
)
"""Feeds whose entries belong together, so that a bad one refuses the answer."""

TODAY_ONLY = "huggingface"
"""States no past: a day that it was not understood on is missing for ever."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    with matrix(tmp_path_factory.mktemp("faults")) as opened:
        yield opened


@pytest.fixture(scope="module")
def cells(played: Matrix) -> Mapping[tuple[str, str], Cell]:
    """Every fault on every feed, played once."""
    return {(feed, fault): played.play(feed, fault) for feed, fault in every_cell()}


@pytest.fixture(scope="module")
def passing(played: Matrix) -> Mapping[str, Cell]:
    """Each feed with a fault on the first two requests."""
    return {feed: played.play(feed, fault, last=2) for feed, fault in passing_cells()}


def test_nothing_is_left_out() -> None:
    assert set(FEEDS) <= set(PLAYED)
    assert {fault for faults in GROUPS.values() for fault in faults} == set(FAULTS)
    assert {feed for feed, _ in passing_cells()} == set(PLAYED)
    assert {fault for _, fault in passing_cells()} == set(PASSING)
    for feed in PLAYED:
        # What a feed cannot have is a fault of its body only.
        assert set(FAULTS) - set(faults_for(feed)) <= set(GROUPS["Another content"])


@pytest.mark.parametrize(("feed", "fault"), every_cell())
class TestEveryCell:
    @pytest.fixture
    def cell(self, cells: Mapping[tuple[str, str], Cell], feed: str, fault: str) -> Cell:
        return cells[feed, fault]

    def test_nothing_is_lost(self, cell: Cell) -> None:
        assert cell.lost == ()

    def test_nothing_false_is_stored(self, cell: Cell) -> None:
        assert cell.false == ()

    def test_the_user_is_told_in_one_plain_line(self, cell: Cell) -> None:
        assert len(cell.line.splitlines()) == 1
        assert len(cell.line) <= LONGEST_LINE
        assert cell.line.isprintable()
        assert not JARGON.search(cell.line)
        assert KEY not in cell.line + str(cell.logged)

    def test_the_log_says_how_it_ended(self, cell: Cell) -> None:
        if cell.state == "failed":
            assert cell.message
            assert cell.logged["error"] == cell.message
            assert cell.logged["retry_at"] == cell.due
            assert cell.stored != "all"
        else:
            assert cell.state == ("unchanged" if cell.stored == "nothing" else "stored")
            assert cell.message == ""
            assert cell.logged["error"] is None

    def test_the_feed_is_left_alone_for_a_while(self, cell: Cell) -> None:
        least = RETRY_AFTER.get(cell.fault, LATER * 0)
        assert cell.wait >= least
        assert cell.wait.total_seconds() >= 60

    def test_what_is_missing_comes_later(self, cell: Cell) -> None:
        if cell.fault in LIKE_503:
            assert (cell.state, cell.stored, cell.logged["sha256"]) == ("failed", "nothing", None)
        assert cell.recovered or cell.feed == TODAY_ONLY

    def test_it_fails_where_it_must(self, cell: Cell) -> None:
        if cell.feed in HARMLESS.get(cell.fault, ()):
            assert (cell.state, cell.stored) == ("stored", "all")
        elif cell.fault in ALWAYS or cell.feed in ONE_OF_A_WHOLE:
            assert (cell.state, cell.stored) == ("failed", "nothing")

    def test_only_what_may_pass_is_tried_again(self, cell: Cell) -> None:
        # Two hours are not waited for.
        if cell.fault in PASSING:
            assert cell.requests == 3
        elif cell.fault in ("401", "403", "429", "hang", "slow-drip"):
            assert cell.requests == 1


@pytest.mark.parametrize("feed", PLAYED)
def test_what_fails_twice_and_works_then_is_a_good_round(
    passing: Mapping[str, Cell], feed: str
) -> None:
    cell = passing[feed]
    assert (cell.state, cell.message, cell.stored) == ("stored", "", "all")
    assert (cell.lost, cell.false) == ((), ())
    assert cell.requests >= 3


def test_the_table_in_the_docs_is_what_was_played(
    cells: Mapping[tuple[str, str], Cell], passing: Mapping[str, Cell]
) -> None:
    written = page(list(cells.values()), list(passing.values()))
    assert DOCUMENT.read_text(encoding="utf-8") == written, (
        "run: python -m tests.faults > docs/faults.md"
    )
