"""`qwenwatch check` as a user runs it, its report, and its page of the documents."""

import csv
import io
import json
import re
import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from qwenwatch.config import Config
from qwenwatch.own_claims import own_claims_path
from qwenwatch.pages import answer_tables
from qwenwatch.remembering import remember_draft
from qwenwatch.session import Session
from qwenwatch_cache.claims.reading import bundled_claims, read_claims
from qwenwatch_widgets.columns import place
from qwenwatch_widgets.views.query import TablesQuery
from tests.cli.claims_report import MOMENT, REPORT, report
from tests.cli.conftest import Run

PAGE = (REPORT.parent / "claims.md").read_text(encoding="utf-8")
OFFLINE = {"QWENWATCH_OFFLINE": "1", "QWENWATCH_NOW": MOMENT}

SECOND_EYES = Path(__file__).parents[1] / "fixtures" / "claims" / "second-eyes.toml"

TRUE = """\
[[claim]]
id = "four"
says = "Four of five"
source = { outlet = "nobody" }
measure = "count"
country = "CN"
top = 5
window = "2026-W08"
value = "4"
"""


def test_the_report_in_the_documents_is_what_the_command_prints() -> None:
    assert report() == REPORT.read_bytes()


def test_strict_fails_where_something_is_contradicted(run: Run) -> None:
    assert run("check", **OFFLINE).code == 0
    assert run("check", "--strict", **OFFLINE).code == 1
    assert run("check", "--strict", "gpt-4-input", **OFFLINE).code == 0
    assert run("check", "--strict", "gpt-4-cut", **OFFLINE).code == 1


def test_all_formats_tell_the_same_verdicts(run: Run) -> None:
    document = json.loads(run("check", "--format", "json", **OFFLINE).out)
    told = {row["id"]: row["verdict"] for row in document["claims"]}
    assert list(told) == [claim.id for claim in bundled_claims()]
    assert sum(document["verdicts"].values()) == len(told)
    rows = list(csv.DictReader(io.StringIO(run("check", "--format", "csv", **OFFLINE).out)))
    assert {row["id"]: row["verdict"] for row in rows if row["section"] == "claims"} == told
    text = run("check", **OFFLINE).out
    for id_, verdict in told.items():
        assert re.search(rf"^{re.escape(id_)} +\S.*  {verdict}  ", text, re.MULTILINE), id_
    assert max(map(len, text.splitlines())) <= 200
    lines = [
        json.loads(line) for line in run("check", "--format", "ndjson", **OFFLINE).out.splitlines()
    ]
    assert sum(line["section"] == "claims" for line in lines) == len(told)


def test_verdicts_are_seen_on_a_small_screen_however_long_ids_and_figures_are(
    tmp_path: Path,
) -> None:
    """What is cut or left out is everything else; a figure of the screen says itself what it is."""
    config = Config(tmp_path / "etc/config.toml", cache_dir=tmp_path / "cache")
    now = datetime.fromisoformat(MOMENT)
    session = Session.open(config, lambda: now, offline=True)
    draft = {
        "measure": "share",
        "vendor": "anthropic",
        "metric": "implied_spend",
        "feed": "openrouter-rankings",
        "basis": "route",
        "window": "2026-08-10..2026-08-16",
        "value": "50.0–60.0 %",
        "precision": "0.1",
    }
    remember_draft(session, draft)
    with own_claims_path(config).open("a", encoding="utf-8") as file:
        file.write(TRUE.replace('"four"', f'"{"my-own-" * 9}x"'))
    view = answer_tables(session, TablesQuery("claims"))
    table = view.tables[0]
    wanted = [
        max(len(text) for text in (column.title, *(row.cells[at].text for row in table.rows)))
        for at, column in enumerate(table.columns)
    ]
    assert wanted[0] <= 28
    for room in (80, 60, 50):
        [verdict] = [
            one for one in place(table.columns, wanted, room) if one.column.key == "verdict"
        ]
        assert verdict.width == wanted[2]
    own = next(row for row in table.rows if row.key.startswith("own-anthropic-"))
    assert own.cells[-1].text.startswith("Anthropic had 50.0–60.0 % of the implied spend")
    assert "10–16 Aug 2026 · only bounds are known" in own.cells[-1].text
    four = table.rows[-1]
    assert four.key.endswith("-x") and four.cells[0].text.endswith("…")


def test_strict_lets_pass_what_no_figure_contradicts(run: Run) -> None:
    """That nothing fits is no proof of the opposite."""
    for id_ in ("week-cn-share", "qwen-customers", "week-cn-tokens"):
        assert run("check", "--strict", id_, **OFFLINE).code == 0


def test_a_report_says_sentence_verdict_arithmetic_and_sources_in_this_order(run: Run) -> None:
    text = run("check", "gemini-over-qwen3.5", "--format", "md", **OFFLINE).out
    own = text.partition("## gemini-over-qwen3.5: not reproduced\n")[2]
    wanted = (
        "That is 1/18 of what Gemini costs",
        "| stated | 18x (article, ",
        "| verdict | not reproduced |",
        "| why | closest, off by 0.71×: input, list price (litellm)",
        "| arithmetic | $2.00 × 6.9173 (2026-03-09) ÷ ¥0.80 = 17.3× |",
        "| note | read as Gemini 3 Pro",
        "| tried | it fits under 0 of 7 scopes",
        "| source | Prices: Alibaba Cloud Model Studio, ",
        "Rates: European Central Bank",
        "Prices: LiteLLM",
    )
    places = [own.find(one) for one in wanted]
    assert -1 not in places
    assert places == sorted(places)


def test_each_form_cites_what_it_prints(run: Run) -> None:
    """The line of a claim rests on one trial; programs and reports get all."""
    asked = ("check", "sonnet-over-coder-flash", "--file", str(SECOND_EYES))
    brief = run("check", "--file", str(SECOND_EYES), **OFFLINE).out
    assert "LiteLLM" not in brief and "models.dev" in brief
    document = json.loads(run(*asked, "--format", "json", **OFFLINE).out)
    told = " ".join(row["scope"] for row in document["trials"])
    lists = {one for one in ("litellm", "alibaba-list", "models-dev") if f"({one})" in told}
    assert len(lists) == 3
    assert {row["feed"] for row in document["sources"]} == lists | {"ecb-fx"}
    report = run(*asked, "--format", "md", **OFFLINE).out
    for row in document["sources"]:
        assert row["citation"].partition(",")[0] in report


def test_a_figure_that_is_unknown_is_null_and_never_0(run: Run) -> None:
    document = json.loads(run("check", "qwen-customers", "--format", "json", **OFFLINE).out)
    (claim,) = document["claims"]
    assert (claim["found"], claim["plain_low"], claim["tried"]) == (None, None, 0)
    (missing,) = document["missing"]
    assert (missing["feed"], missing["fetchable"]) == (None, False)


def test_what_a_feed_could_bring_is_named(run: Run) -> None:
    document = json.loads(run("check", "february-top-ten", "--format", "json", **OFFLINE).out)
    (missing,) = document["missing"]
    assert missing["feed"] == "openrouter-rankings"
    assert (missing["first"], missing["last"]) == ("2026-02-01", "2026-02-28")
    assert (missing["fetchable"], missing["needs_key"]) == (True, True)


def test_one_claim_is_told_with_its_arithmetic_and_what_was_searched(run: Run) -> None:
    text = run("check", "week-cn-share", **OFFLINE).out
    for expected in ("5.155T ÷ 8.309T = 62.0 %", "5.763T ÷ 13.948T = 41.3 %", "65.6 %", "searched"):
        assert expected in text
    assert "Trinity Large Preview" in text  # of the figures published with it
    assert "gpt-4" not in text


def test_claims_of_ones_own(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(TRUE, encoding="utf-8")
    done = run("check", "--file", str(path), **OFFLINE)
    assert done.code == 0
    assert re.search(r"^four +4  reproduced ", done.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (TRUE.replace('"4"', "4"), "claim 'four': value: expected text in quotes"),
        (TRUE.replace("top = 5", ""), "claim 'four': top: is missing"),
        (TRUE + "verdict = 'true'\n", "'verdict': is no key"),
        ("not toml", "is no TOML"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_key(
    run: Run, tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "my.toml"
    path.write_text(content, encoding="utf-8")
    done = run("check", "--file", str(path), **OFFLINE)
    assert (done.code, done.out) == (2, "")
    assert str(path) in done.err
    assert reason in done.err


def test_a_claim_that_is_not_there_is_an_error_that_lists_them(run: Run) -> None:
    done = run("check", "nothing", **OFFLINE)
    assert done.code == 2
    assert "no claim is called 'nothing'; there are cn-tokens-growth, " in done.err


class TestPage:
    """docs/claims.md."""

    def test_its_examples_are_understood_and_use_every_key_of_its_table(self) -> None:
        used: set[str] = set()
        for number, text in enumerate(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)):
            assert read_claims(text, f"example {number}")
            used |= {key for table in tomllib.loads(text)["claim"] for key in table}
        table = PAGE.partition("| key |")[2].partition("\n\n")[0]
        rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
        assert used == {key for row in rows for key in re.findall(r"`(\w+)`", row)}

    def test_it_names_every_measure_and_verdict(self) -> None:
        from qwenwatch_cache.claims.claim import MEASURES
        from qwenwatch_widgets.views.claims import VERDICTS

        for name in MEASURES:
            assert f"\n| `{name}` |" in PAGE
        for verdict in VERDICTS:
            assert f"\n| {verdict} |" in PAGE
        assert f"{len(bundled_claims())} of them come with the program" in PAGE
