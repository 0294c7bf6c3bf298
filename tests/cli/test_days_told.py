"""Of which days an answer is: without a date, with one that is not over, and as known when."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

NOON = {"QWENWATCH_NOW": "2026-08-22T12:00:00Z"}
NEW_YEAR_2028 = {"QWENWATCH_NOW": "2028-01-01T12:00:00Z"}


class TestLastCompleteDay:
    """Without a date changes are told of the last day that is over."""

    @pytest.mark.parametrize("others", [(), ("prices",), ("leaderboards", "prices")])
    def test_of_a_snapshot(self, run: Run, others: tuple[str, ...]) -> None:
        sections = [part for name in ("changes", *others) for part in ("--section", name)]
        plain = json.loads(run("snapshot", *sections, "--format", "json", **NOON).out)
        assert plain["date"] == "2026-08-21"
        happened = [row for row in plain["changes"] if row["kind"] != "expiring"]
        assert happened
        assert {row["at"][:10] for row in happened if row["kind"] in {"price", "added"}} == {
            "2026-08-21"
        }

    def test_prices_of_later_say_so(self, run: Run) -> None:
        snapshot = run("snapshot", "--section", "changes", "--section", "prices", **NOON)
        assert "prices of now, 2026-08-22 12:00Z" in snapshot.out
        assert "prices of now" not in run("snapshot", "--date", "2026-08-20", **NOON).out
        assert "prices of now" not in run("prices", **NOON).out  # headed by that day itself

    def test_a_day_that_is_not_over_is_told_up_to_now(self, run: Run) -> None:
        asked = ("snapshot", "--section", "changes", "--date")
        assert (
            "\n2026-08-22 UTC (the last is not over: up to 2026-08-22 12:00Z) · "
            in run(*asked, "2026-08-22", **NOON).out
        )
        assert "\n2026-08-21 UTC · " in run(*asked, "2026-08-21", **NOON).out


def test_changes_are_of_seven_days_as_on_the_screen(run: Run) -> None:
    plain = json.loads(run("changes", "--format", "json", **NOON).out)
    assert (plain["since"], plain["until"]) == ("2026-08-16", "2026-08-22")
    plain = json.loads(run("changes", "--until", "2026-06-07", "--format", "json", **NOON).out)
    assert (plain["since"], plain["until"]) == ("2026-06-01", "2026-06-07")


@pytest.mark.parametrize(
    "asked",
    [("changes",), ("cost", "--input", "1M", "--output", "1M"), ("disagreement",), ("identity",)],
    ids=lambda asked: str(asked[0]),
)
def test_text_says_as_of_when_and_that_time_is_played(run: Run, asked: tuple[str, ...]) -> None:
    head, _, _ = run(*asked, **NOON).out.partition("\n\n")
    assert "known at 2026-08-22 12:00Z · replayed" in head
    head, _, _ = run(*asked, "--known-at", "2026-08-21T00:00:00Z", **NOON).out.partition("\n\n")
    assert "known at 2026-08-21 00:00Z · replayed" in head


class TestApps:
    """Why there are no figures of apps is said as it is."""

    def test_of_a_day_before_the_first(self, run: Run) -> None:
        ran = run("leaders", "--by", "app", "--date", "2026-01-05", **NOON)
        assert ran.code == 4
        assert "up to 2026-01-05: the newest are of 2026-07-23 to 2026-08-21" in ran.err

    def test_without_a_key(self, run: Run) -> None:
        ran = run("leaders", "--by", "app", **NEW_YEAR_2028)
        assert ran.code == 4
        assert "they need a key, and none is set" in ran.err

    def test_with_a_key(self, run: Run) -> None:
        ran = run("leaders", "--by", "app", **NEW_YEAR_2028, OPENROUTER_API_KEY="sk-or-x")
        assert ran.code == 4
        assert "key" not in ran.err
        assert "`qwenwatch feeds` says how openrouter-apps is doing" in ran.err


class TestOutput:
    """An output that cannot be is a wrong command line, and the message says why."""

    def test_no_such_directory(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "nowhere" / "x.json"
        for asked in (("snapshot", "--date", "2026-08-20"), ("changes",)):
            ran = run(*asked, "-o", str(path), **NOON)
            assert ran.code == 2
            assert ran.err == f"qwenwatch: cannot write {path}: no such directory\n"
        assert not path.parent.exists()

    def test_a_directory(self, run: Run, tmp_path: Path) -> None:
        ran = run("changes", "-o", str(tmp_path), **NOON)
        assert ran.code == 2
        assert ran.err == f"qwenwatch: cannot write {tmp_path}: it is a directory\n"


@pytest.mark.parametrize("section", ["spend", "changes"])
def test_the_csv_of_a_snapshot_has_all_figures_of_the_json(run: Run, section: str) -> None:
    asked = ("snapshot", "--date", "2026-08-20", "--section", section)
    plain = json.loads(run(*asked, "--format", "json", **NOON).out)[section]
    table = list(csv.DictReader(io.StringIO(run(*asked, "--format", "csv", **NOON).out)))
    assert len(table) == len(plain) > 0
    for row, printed in zip(plain, table, strict=True):
        for name, value in row.items():
            assert printed[name] == ("" if value is None else str(value)), name
