"""`qwenwatch cost` as a user runs it, on the hand-written world of the feed server."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran, Run

USAGE = Path(__file__).parents[1] / "fixtures" / "usage"
ASKED = ("cost", "--input", "12M", "--output", "3M", "--cached", "60%", "--request-size", "40k")


@pytest.fixture
def told(live: Run, polled: Path) -> Run:
    """Run the command in a cache that has read all feeds once."""
    return live


def plain(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out, parse_float=Decimal)
    return found


def of(document: dict[str, Any], **wanted: str) -> list[dict[str, Any]]:
    return [
        row
        for row in document["costs"]
        if all(row[name] == value for name, value in wanted.items())
    ]


class TestCommand:
    def test_text(self, told: Run) -> None:
        ran = told(*ASKED, "--top", "3")
        assert ran.code == 0
        lines = ran.out.splitlines()
        assert lines[0] == "qwenwatch cost"
        assert "12M tokens in, 7.2M of it cached (60.0 %) · 3M out" in lines[1]
        assert "300 requests of 40k" in lines[1]
        assert "cheapest first · tokens as each model counts them" in ran.out
        (route,) = (line for line in lines if "◆ Qwen3 Max" in line and "route" in line)
        # models.json: above 32,000 tokens 2 in, 8 out, 0.4 cached.
        assert route.split()[-6:] == ["9.60", "2.88", "24.00", "36.48", "239.4×", "1.0×"]
        assert "repeats what another feed lists" in ran.out
        assert "Prices: OpenRouter (openrouter.ai/models), as of 2026-08-17" in lines[-2]
        assert "Rates: European Central Bank" in lines[-1]
        assert "Cost · 3 of " in ran.out
        assert max(map(len, lines)) <= 160

    def test_json(self, told: Run) -> None:
        document = plain(told(*ASKED, "--format", "json"))
        assert document["schema_version"] == 1
        assert document["replayed"] is True
        assert document["known_at"] == document["priced_at"]
        assert document["workload"] == {
            **{"input": 12_000_000, "cached": 7_200_000, "cache_written": 0, "output": 3_000_000},
            **{"requests": 300, "request_size": 40_000},
        }
        (route,) = of(document, model="alibaba/qwen3-max", basis="route")
        assert (route["tier_from"], route["up_to"]) == (32_000, 128_000)
        assert route["total"] == Decimal("36.48")
        assert route["times_baseline"] == 1
        totals = [row["total"] for row in document["costs"]]
        assert totals == sorted(totals)
        assert min(totals) > 0
        assert {row["total"] for row in document["free"]} == {0}
        assert {row["total"] for row in document["left_out"]} == {None}
        assert {source["feed"] for source in document["sources"]} >= {"openrouter-models", "ecb-fx"}

    def test_yuan_are_converted_with_the_rate_of_the_day(self, told: Run) -> None:
        document = plain(told(*ASKED, "--region", "cn", "--format", "json"))
        (row,) = of(document, model="alibaba/qwen3-max", feed="alibaba-list")
        assert (row["currency"], row["native_total"]) == ("CNY", Decimal("72.96"))
        assert row["rate_date"] == "2026-08-14"
        document = plain(told(*ASKED, "--region", "cn", "--currency", "CNY", "--format", "json"))
        (row,) = of(document, model="alibaba/qwen3-max", feed="alibaba-list")
        assert (row["total"], row["rate_date"]) == (Decimal("72.96"), None)

    def test_only_what_was_asked_for(self, told: Run) -> None:
        wanted = ("--basis", "list", "--vendor", "Anthropic", "--format", "json")
        rows = plain(told(*ASKED, *wanted))["costs"]
        assert {(row["basis"], row["vendor"]) for row in rows} == {("list", "anthropic")}
        rows = plain(told(*ASKED, "qwen3-max", "--basis", "route", "--format", "json"))["costs"]
        assert [row["model"] for row in rows] == ["alibaba/qwen3-max"]
        batch = plain(told(*ASKED, "--batch", "--format", "json"))
        assert batch["costs"]
        assert {row["variant"] for row in batch["costs"]} <= {"batch", "thinking-batch"}
        assert any(row["left_out"] == "no batch price is stated" for row in batch["left_out"])

    def test_free_models_only_where_wanted(self, told: Run) -> None:
        assert "Free · not ranked" not in told(*ASKED).out
        assert "costs nothing: --free lists them" in told(*ASKED).out
        assert "Free · not ranked" in told(*ASKED, "--free").out

    def test_rows_for_programs(self, told: Run, tmp_path: Path) -> None:
        target = tmp_path / "costs.csv"
        assert told(*ASKED, "--format", "csv", "-o", str(target)).code == 0
        rows = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))
        assert {row["section"] for row in rows} == {"costs", "free", "left_out"}
        assert all(row["total"] == "" for row in rows if row["section"] == "left_out")

    def test_prices_of_an_earlier_day(self, told: Run) -> None:
        short = ("cost", "--input", "12M", "--output", "3M", "gpt-4", "--format", "json")
        document = plain(told(*short, "--date", "2026-02-20"))
        assert document["priced_at"] == "2026-02-20T23:59:59Z"
        (row,) = of(document, basis="route")
        assert row["total"] == 30 * 12 + 60 * 3
        (row,) = plain(told(*short, "--request-size", "40k", "--basis", "route"))["left_out"]
        assert row["left_out"] == "the context is shorter than one request"

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            ((), "say what to reckon"),
            (("--input", "lots"), "'lots' is not a number of input tokens"),
            (("--input", "1M", "--cached", "2M"), "are more than the 1,000,000"),
            (("--input", "1M", "--cached", "80%", "--cache-write", "30%"), "are more than"),
            (("--input", "1M", "--date", "soon"), "'soon' is not a day"),
            (("--input", "1M", "--vendor", "acme"), "no vendor is called 'acme'"),
            (("--input", "1M", "no-such-model"), "No model is called"),
            (("--usage", "nowhere.json"), "cannot read nowhere.json"),
            (("--usage", str(USAGE / "ccusage-daily.json"), "--input", "1M"), "leave out --input"),
            (("--usage", str(USAGE / "ccusage-daily.json"), "--cached", "1%"), "--cached"),
            (("--usage", str(USAGE / "openrouter-logs.csv")), "holds the columns generation_id"),
        ],
    )
    def test_what_is_wrong_is_said(
        self, run: Run, arguments: tuple[str, ...], complaint: str
    ) -> None:
        ran = run("cost", *arguments)
        assert ran.code == 2
        assert complaint in ran.err

    def test_help_begins_with_examples(self, run: Run) -> None:
        ran = run("cost", "--help")
        assert ran.code == 0
        assert ran.out.index("examples:") < ran.out.index("read from a cache")


class TestUsage:
    def test_ccusage(self, told: Run) -> None:
        ran = told("cost", "--usage", str(USAGE / "ccusage-daily.json"), "--format", "json")
        document = plain(ran)
        assert document["usage_source"] == "ccusage"
        assert document["workload"]["input"] == 9100
        # The model that was used most is what the others are compared with.
        assert document["baseline_model"] == "anthropic/claude-sonnet-4-6"
        claude, own = document["usage"]
        # 3,000 in at 3, 5,000 cached at 0.3, 100 written at 3.75, 1,000 out at 15 per million.
        assert claude["total"] == Decimal("0.025875")
        assert (claude["basis"], claude["feed"]) == ("list", "models-dev")
        assert (own["model"], own["total"]) == (None, None)
        assert own["why"] == "its name is in no map of models"

    @pytest.mark.parametrize("name", ["openrouter-activity.json", "openrouter-activity.csv"])
    def test_openrouter(self, told: Run, name: str) -> None:
        ran = told("cost", "--usage", str(USAGE / name), "--format", "json")
        document = plain(ran)
        assert document["usage_source"] == "OpenRouter activity"
        assert document["workload"]["request_size"] == 25_100
        qwen, other = document["usage"]
        # 2.5M in at 1 and 125k out at 4: its route price below 32,000 tokens.
        assert (qwen["model"], qwen["total"]) == ("alibaba/qwen3-max", 3)
        assert (qwen["cached"], qwen["basis"]) == (None, "route")
        assert (other["model"], other["total"]) == (None, None)

    def test_a_stated_part_is_cached(self, told: Run) -> None:
        name = str(USAGE / "openrouter-activity.json")
        document = plain(told("cost", "--usage", name, "--cached", "80%", "--format", "json"))
        qwen = document["usage"][0]
        assert qwen["cached"] == 2_000_000
        assert qwen["total"] == Decimal("1.4")  # 0.5 × 1 + 2 × 0.2 + 0.125 × 4

    def test_text(self, told: Run) -> None:
        ran = told("cost", "--usage", str(USAGE / "ccusage-daily.json"), "--top", "3")
        assert ran.code == 0
        assert "Your usage · models with most tokens first" in ran.out
        assert "1 of 2 models have no cost: the sum is of the others" in ran.out
        assert "my-own-finetune" in ran.out
