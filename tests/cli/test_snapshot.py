"""`qwenwatch snapshot`: the figures, the formats, the contract."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.conftest import AGAIN, Ran, Run

DOCS = Path(__file__).parents[2] / "docs"


def document(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    plain: dict[str, Any] = json.loads(ran.out)
    return plain


def leaders(plain: dict[str, Any], by: str) -> dict[str, Any]:
    return {row["id"]: row for row in plain["leaderboards"][by]}


class TestBundledBaseline:
    """Without network, key or cache the bundled figures are printed, and said to be bundled."""

    def test_prints_real_figures_and_their_origin(self, run: Run) -> None:
        plain = document(run("snapshot", "--offline", "--format", "json"))
        assert plain["baseline"] is True
        assert plain["date"] == "2026-08-21"
        assert plain["window"] == {
            "grain": "week",
            "start": "2026-08-10",
            "end": "2026-08-16",
            "complete": True,
        }
        deepseek = leaders(plain, "vendor")["deepseek"]
        # The recorded days of that week, added up by hand in another program.
        assert deepseek["rank"] == 1
        assert deepseek["value"] == 19_774_207_014_073
        assert {source["status"] for source in plain["sources"]} == {"bundled"}
        assert all(source["licence"] and source["citation"] for source in plain["sources"])

    def test_writes_nothing(self, run: Run, tmp_path: Path) -> None:
        document(run("snapshot", "--offline", "--format", "json"))
        assert not (tmp_path / "cache").exists()

    def test_text_says_definition_scope_source_and_date(self, run: Run) -> None:
        out = run("snapshot", "--offline").out
        for part in (
            "week 10–16 Aug 2026",
            "tokens · OpenRouter",
            "bundled baseline",
            "Source: OpenRouter (openrouter.ai/rankings), as of 2026-08-22T00:05Z. CC BY 4.0",
            "unattributed",
            "route",
            "list",
        ):
            assert part in out

    @pytest.mark.parametrize(
        ("baseline", "basis", "column", "ratio"),
        [
            # Prices of 2026-02-20: Opus 4.6 5/25, MiniMax M2.5 0.3/1.1 (list 0.3/1.2),
            # GLM-5 0.3/2.55 (list 1/3.2).
            ("minimax-m2.5", "route", "ratio_input", 5 / 0.3),
            ("minimax-m2.5", "route", "ratio_output", 25 / 1.1),
            ("minimax-m2.5", "list", "ratio_output", 25 / 1.2),
            ("glm-5", "route", "ratio_output", 25 / 2.55),
            ("glm-5", "list", "ratio_input", 5 / 1.0),
            ("glm-5", "list", "ratio_output", 25 / 3.2),
        ],
    )
    def test_published_price_ratios(
        self, run: Run, baseline: str, basis: str, column: str, ratio: float
    ) -> None:
        ran = run(
            "prices", "claude-opus-4.6", "--baseline", baseline, "--date", "2026-02-20",
            "--format", "json",
        )  # fmt: skip
        rows = [
            row
            for row in document(ran)["prices"]["rows"]
            if row["source_id"].endswith(("claude-opus-4.6", "claude-opus-4-6"))
        ]
        assert {row["basis"] for row in rows} == {"route", "list"}
        plain = [row for row in rows if row["basis"] == basis and not row["variant"]]
        assert [row[column] for row in plain if not row["cross_check"]] == [pytest.approx(ratio)]
        # LiteLLM, which had the same list prices on that day, agrees.
        assert all(row[column] == pytest.approx(ratio) for row in plain)


class TestLive:
    """Against the feed server with its hand-written world."""

    def test_numbers_of_the_fixture_world(self, live: Run, polled: Path) -> None:
        plain = document(live("snapshot", "--format", "json"))
        assert plain["date"] == "2026-08-16"
        # The weeks before the server's world, in the history, are the baseline's.
        status = {source["feed"]: source["status"] for source in plain["sources"]}
        assert status.pop("openrouter-rankings-page") == "bundled"
        assert set(status.values()) == {"live"}
        vendors = leaders(plain, "vendor")
        # 7 days × 50e9 of 200e9 a day; the week before 36e9 of 200e9.
        assert vendors["deepseek"]["value"] == 350 * 10**9
        assert vendors["deepseek"]["share"] == 0.25
        assert vendors["deepseek"]["share_change"] == pytest.approx(0.07)
        # qwen3-max 24e9 and qwen3-coder:free 6e9 of 200e9.
        assert vendors["alibaba"]["share"] == 0.15
        assert vendors["alibaba"]["previous_rank"] == 1
        countries = leaders(plain, "country")
        assert countries["CN"]["share"] == 0.48
        assert countries["US"]["share"] == 0.42
        assert countries["unattributed"]["share"] == 0.1
        assert countries["unattributed"]["rank"] is None

    def test_definitions_stand_side_by_side(self, live: Run, polled: Path) -> None:
        found = {
            (row["metric"], row["feed"]): (row["leader"], row["leader_share"])
            for row in document(live("definitions", "--format", "json"))["definitions"]
            if row["kind"] == "vendor"
        }
        assert found == {
            ("tokens", "openrouter-rankings"): ("deepseek", 0.25),
            # Of 1,358B without the free variant's 42B.
            ("tokens_standard", "openrouter-rankings"): ("deepseek", 0.257731959),
            ("tokens", "vercel-leaderboard"): ("deepseek", 0.35),
            ("requests", "vercel-leaderboard"): ("openai", 0.37),
            ("spend", "vercel-leaderboard"): ("anthropic", 0.52),
            ("implied_spend", "openrouter-rankings"): ("anthropic", None),  # bounds only
        }

    def test_prices_without_float_noise(self, live: Run, polled: Path) -> None:
        ran = live("prices", "qwen3-coder", "deepseek-v4-flash", "--format", "json")
        assert '"input": 0.25,' in ran.out
        assert '"input": 0.1,' in ran.out
        assert "00000001" not in ran.out

    def test_same_bytes_for_the_same_knowledge(self, live: Run, polled: Path) -> None:
        arguments = ("snapshot", "--known-at", "2026-08-17T12:03:00Z", "--format", "json")
        first = live(*arguments, **AGAIN)
        live("refresh", "--force", **AGAIN)
        assert live(*arguments, **AGAIN).out == first.out

    def test_knows_nothing_that_came_later(self, live: Run, polled: Path) -> None:
        ran = live(
            "snapshot", "--date", "2026-08-16", "--known-at", "2026-08-16T12:00:00Z",
            "--section", "leaderboards",
        )  # fmt: skip
        assert ran.code == 4
        assert "no " in ran.err
        assert ran.out == ""


class TestFormats:
    """Every format holds the same rows."""

    @pytest.mark.parametrize(
        "arguments",
        [
            ("snapshot",),
            ("snapshot", "--section", "prices"),
            ("leaders", "--by", "vendor", "--window", "month"),
            ("snapshot", "--metric", "spend"),
            ("snapshot", "--date", "2026-04-06"),
            ("snapshot", "--window", "day"),
        ],
    )
    def test_json_keeps_its_schema(self, run: Run, arguments: tuple[str, ...]) -> None:
        schema = json.loads((DOCS / "snapshot.schema.json").read_text(encoding="utf-8"))
        plain = document(run(*arguments, "--offline", "--format", "json"))
        jsonschema.Draft202012Validator(schema).validate(plain)

    def test_csv_and_ndjson_hold_the_rows_of_the_json(self, run: Run) -> None:
        plain = document(run("snapshot", "--offline", "--format", "json"))
        rows = list(csv.DictReader(io.StringIO(run("snapshot", "--format", "csv").out)))
        lines = [
            json.loads(line) for line in run("snapshot", "--format", "ndjson").out.splitlines()
        ]
        for by, leaders_of in plain["leaderboards"].items():
            expected = [(row["id"], row["value"]) for row in leaders_of]
            board = {"section": "leaderboards", "by": by}
            in_csv = [(row["id"], row["value"]) for row in rows if row.items() >= board.items()]
            assert in_csv == [(id_, "" if value is None else str(value)) for id_, value in expected]
            in_lines = [row for row in lines if row.items() >= board.items()]
            assert [(row["id"], row["value"]) for row in in_lines] == expected
        for part in ("spend", "changes"):
            assert plain[part]
            ids = [row["id"] for row in plain[part]]
            assert [row["id"] for row in rows if row["section"] == part] == ids
            assert [row["id"] for row in lines if row["section"] == part] == ids
        assert sum(row["section"] == "prices" for row in rows) == len(plain["prices"]["rows"])
        assert lines[0]["section"] == "snapshot"
        assert lines[0]["date"] == plain["date"]

    def test_markdown_is_tables(self, run: Run) -> None:
        out = run("snapshot", "--format", "md", "--top", "3").out
        assert out.startswith("# qwenwatch snapshot 2026-08-21\n")
        assert "| 1 | · | DeepSeek | CN |" in out

    def test_written_to_a_file(self, run: Run, tmp_path: Path) -> None:
        target = tmp_path / "out.json"
        ran = run("snapshot", "--format", "json", "-o", str(target))
        assert ran == Ran(0, "", "")
        assert json.loads(target.read_text(encoding="utf-8"))["schema_version"] == 1


class TestRefusals:
    """What cannot be answered is refused with a message and the documented code."""

    def test_no_figures_for_a_day(self, run: Run) -> None:
        ran = run("leaders", "--date", "2027-01-01", "--offline")
        assert ran.code == 4
        assert "2026-08-10 to 2026-08-16" in ran.err

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("snapshot", "--date", "yesterday"), "'yesterday' is not a day"),
            (("snapshot", "--known-at", "noon"), "'noon' is not a time"),
            (("prices", "qwen3-maxx"), "'qwen3-maxx'"),
            (("prices", "qwen3"), "Give one of these ids"),
            (("snapshot", "--metric", "likes"), "no definition 'likes'"),
            (("snapshot", "--frobnicate"), "--frobnicate"),
        ],
    )
    def test_wrong_words(self, run: Run, arguments: tuple[str, ...], says: str) -> None:
        ran = run(*arguments)
        assert ran.code in {2, 4}
        assert says in ran.err
        assert ran.out == ""
