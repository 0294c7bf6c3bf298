"""`qwenwatch changes` and `qwenwatch diff`, on the bundled baseline."""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran, Run

NOW = {"QWENWATCH_NOW": "2026-08-22T13:00:00Z"}


@pytest.fixture
def ask(run: Run) -> Run:
    """Run ``qwenwatch`` on the last day of the baseline."""

    def run_then(*arguments: str) -> Ran:
        return run(*arguments, **NOW)

    return run_then


def rows_of(ran: Ran) -> list[dict[str, Any]]:
    assert ran.code == 0, ran.err
    rows: list[dict[str, Any]] = json.loads(ran.out)["changes"]
    return rows


def test_the_week_before_the_newest_day(ask: Run) -> None:
    ran = ask("changes", "--top", "3")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[:2] == [
        "qwenwatch changes",
        "2026-08-16 to 2026-08-22 UTC, both days included (the last is not over: up to 2026-08-22 "
        "13:00Z) · known at 2026-08-22 13:00Z · replayed",
    ]
    headings = [line.partition(" · ")[0] for line in lines[2:]]
    order = ["Prices", "Models added", "Models removed", "Models expiring", "Movers"]
    assert [one for one in dict.fromkeys(headings) if one in order] == order
    assert "Prices · confirmed changes · 3 of " in ran.out
    assert "Prices · not alarmed · 3 of " in ran.out
    assert "week 3–9 Aug 2026 → week 10–16 Aug 2026" in ran.out
    assert lines[-1].startswith("Source: OpenRouter (openrouter.ai/rankings)")
    assert max(map(len, lines)) <= 200


LATER = {"QWENWATCH_NOW": "2026-11-22T10:00:00Z"}
"""Long after the last figures of usage, some days after the last reading of LiteLLM."""


@pytest.mark.parametrize(
    ("asked", "last"),
    [
        ((), "2026-11-17"),
        (("--kind", "price"), "2026-11-17"),
        (("--basis", "route", "--kind", "price"), "2026-08-22"),
        (("--kind", "share"), "2026-08-21"),
    ],
    ids=["all", "prices", "route", "usage"],
)
def test_the_default_ends_with_what_is_known(run: Run, asked: tuple[str, ...], last: str) -> None:
    since = ("--since", "2026-08-01")
    ran = run("changes", *since, *asked, "--format", "json", **LATER)
    named = run("changes", *since, *asked, "--until", "2026-11-22", "--format", "json", **LATER)
    document = json.loads(ran.out)
    assert document["until"] == last
    prices = [row for row in document["changes"] if row["kind"] == "price"]
    assert prices == [row for row in rows_of(named) if row["kind"] == "price"]
    assert bool(prices) == ("share" not in asked)


def test_the_default_never_ends_before_it_begins(run: Run) -> None:
    document = json.loads(run("changes", "--since", "2026-11-20", "--format", "json", **LATER).out)
    assert (document["since"], document["until"]) == ("2026-11-20", "2026-11-20")
    ran = run("changes", "--since", "2026-08-22", **NOW)
    assert "2026-08-22 UTC (the last is not over: up to 2026-08-22 13:00Z)" in ran.out


def test_qwens_cut_of_march(ask: Run) -> None:
    asked = ("--vendor", "alibaba", "--kind", "price", "--basis", "route")
    days = ("2026-03-03", "2026-03-04")
    differs = ask("diff", *days, *asked, "--exit-code")
    assert differs.code == 1
    assert differs.out.startswith(
        "qwenwatch diff: from the end of 2026-03-03 to the end of 2026-03-04\n"
    )
    ran = ask("diff", *days, *asked, "--format", "json")
    rows = [row for row in rows_of(ran) if row["field"] == "input"]
    assert {row["vendor"] for row in rows} == {"alibaba"}
    assert {row["at"][:10] for row in rows} == {"2026-03-04"}
    cut = {row["id"]: (row["before"], row["after"]) for row in rows if row["percent"] == -35.0}
    assert cut["alibaba/qwen-max"] == (1.6, 1.04)
    assert cut["alibaba/qwen-turbo"] == (0.05, 0.0325)
    assert "alibaba/qwen3-max" not in cut  # it followed on 17 March
    # The same question put as a period.
    same = ask("changes", "--since", "2026-03-04", "--until", "2026-03-04", *asked,
               "--format", "json")  # fmt: skip
    assert rows_of(same) == json.loads(ran.out)["changes"]


def test_a_day_without_news_is_status_0(ask: Run) -> None:
    ran = ask("diff", "2026-03-06", "2026-03-07", "--kind", "price", "--exit-code")
    assert ran.code == 0
    assert "no confirmed change of a price" in ran.out


def test_the_ten_largest_drops_of_the_year(ask: Run) -> None:
    year = ("--since", "2025-08-22", "--until", "2026-08-22")
    confirmed = ("--kind", "price", "--basis", "route", "--marks", "confirmed")
    ran = ask("changes", *year, *confirmed, "--sort", "drop", "--top", "10")
    table = ran.out.partition("Prices · confirmed changes · 10 of ")[2].partition("\n\n")[0]
    drops = [float(line.split("▼ ")[1].split()[0]) for line in table.splitlines()[3:]]
    assert drops == [-100.0, -100.0, -100.0, -93.3, -87.5, -86.0, -80.4, -80.0, -80.0, -80.0]
    assert "Price changes by month" in ran.out


def test_formats_hold_the_same_rows(ask: Run) -> None:
    asked = ("changes", "--kind", "added", "--kind", "removed", "--kind", "expiring")
    plain = json.loads(ask(*asked, "--format", "json").out)
    assert (plain["schema_version"], plain["replayed"]) == (1, True)
    assert {row["kind"] for row in plain["changes"]} == {"added", "removed", "expiring"}
    ends = [row["at"] for row in plain["changes"] if row["kind"] == "expiring"]
    times = [row["at"] for row in plain["changes"] if row["kind"] != "expiring"]
    assert times == sorted(times, reverse=True)
    assert ends == sorted(ends)
    assert [row["kind"] for row in plain["changes"]][-len(ends) :] == ["expiring"] * len(ends)
    feeds = {source["feed"] for source in plain["sources"]}
    assert {row["feed"] for row in plain["changes"]} <= feeds
    lines = [json.loads(line) for line in ask(*asked, "--format", "ndjson").out.splitlines()]
    sections = Counter(line["section"] for line in lines)
    assert sections["changes"] == len(plain["changes"])
    assert [line["id"] for line in lines if line["section"] == "changes"] == [
        row["id"] for row in plain["changes"]
    ]
    table = list(csv.DictReader(io.StringIO(ask(*asked, "--format", "csv").out)))
    assert [row["id"] for row in table if row["section"] == "changes"] == [
        row["id"] for row in plain["changes"]
    ]
    assert ask(*asked, "--format", "md").out.count("\n## ") == 3


def test_ranks_and_shares_of_one_grouping(ask: Run) -> None:
    ran = ask("changes", "--kind", "rank", "--kind", "share", "--by", "vendor", "--format", "json")
    plain = json.loads(ran.out)
    (pair,) = plain["compared"]
    assert (pair["by"], pair["before_start"], pair["after_start"], pair["note"]) == (
        "vendor", "2026-08-03", "2026-08-10", None,
    )  # fmt: skip
    shares = {row["id"]: row for row in plain["changes"] if row["kind"] == "share"}
    leaders = {
        day: {
            row["id"]: row["share"]
            for row in json.loads(
                ask("leaders", "--by", "vendor", "--date", day, "--format", "json").out
            )["leaderboards"]["vendor"]
        }
        for day in ("2026-08-09", "2026-08-16")
    }
    assert len(shares) > 10
    for id_, row in shares.items():
        assert row["before"] == leaders["2026-08-09"].get(id_)
        assert row["after"] == leaders["2026-08-16"].get(id_)


def test_weeks_of_different_sources_are_not_compared(ask: Run) -> None:
    ran = ask("changes", "--since", "2026-01-05", "--kind", "rank", "--format", "json")
    plain = json.loads(ran.out)
    assert plain["changes"] == []
    assert all("different sources" in pair["note"] for pair in plain["compared"])


def test_the_watch_list(ask: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    nobody = ask("changes", "--watch")
    assert nobody.code == 2
    assert "nobody is watched" in nobody.err
    config.write_text("[watch]\nvendors = ['xiaomi']\nmodels = ['glm-5']\n", encoding="utf-8")
    rows = rows_of(ask("changes", "--since", "2026-02-01", "--watch", "--format", "json"))
    assert {row["id"] for row in rows if row["vendor"] != "xiaomi"} == {"zhipuai/glm-5"}
    assert any(row["vendor"] == "xiaomi" for row in rows)
    assert "only xiaomi, zhipuai/glm-5" in ask("changes", "--watch").out


@pytest.mark.parametrize(
    ("watch", "says"),
    [
        ("vendors = ['nobody']", "watch.vendors: there is no vendor 'nobody'"),
        ("models = ['no-such-model']", "watch.models: No model is called"),
        ("vendors = 'alibaba'", "watch.vendors is 'alibaba', expected a list of texts"),
        ("people = []", "watch.people is not known; there are models, vendors"),
    ],
)
def test_mistakes_in_the_watch_list_are_named(
    ask: Run, tmp_path: Path, watch: str, says: str
) -> None:
    (tmp_path / "config.toml").write_text(f"[watch]\n{watch}\n", encoding="utf-8")
    ran = ask("changes", "--watch")
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("changes", "--since", "lately"), "'lately' is not a day: expected YYYY-MM-DD"),
        (("changes", "--since", "2026-08-23", "--until", "2026-08-01"), "lies before"),
        (("changes", "--vendor", "nobody"), "there is no vendor 'nobody'"),
        (("changes", "--metric", "applause"), "no definition 'applause'"),
        (("diff", "2026-08-20", "2026-08-20"), "the earlier day comes first"),
    ],
)
def test_mistakes_are_named(ask: Run, arguments: tuple[str, ...], says: str) -> None:
    ran = ask(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_what_was_known_then_stays_the_same(ask: Run) -> None:
    """On the day itself nobody knew that the models of 2026-08-15 had gone for good."""
    asked = ("changes", "--until", "2026-08-15", "--kind", "removed", "--format", "json")
    then = rows_of(ask(*asked, "--known-at", "2026-08-16T00:00:00Z"))
    now = rows_of(ask(*asked))
    gone = {row["source_id"] for row in now if row["mark"] == "confirmed"}
    assert "openai/gpt-5.3-chat" in gone
    marks = {row["source_id"]: row["mark"] for row in then}
    assert marks["openai/gpt-5.3-chat"] == "absent"
