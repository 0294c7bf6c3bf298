"""`qwenwatch prices` with its options, and `qwenwatch index`, on the bundled baseline."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.conftest import Ran, Run

SCHEMA = Path(__file__).parents[2] / "docs" / "snapshot.schema.json"
THAT_DAY = ("--date", "2026-02-20")


@pytest.fixture
def ask(run: Run) -> Run:
    """Run on the last recorded day, without network."""

    def run_then(*arguments: str, **variables: str) -> Ran:
        return run(
            *arguments, "--offline", **{"QWENWATCH_NOW": "2026-08-22T12:30:00Z", **variables}
        )

    return run_then


def document(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    plain: dict[str, Any] = json.loads(ran.out)
    return plain


def prices(ask: Run, *arguments: str) -> list[dict[str, Any]]:
    plain = document(ask("prices", *arguments, "--format", "json"))
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(plain)
    rows: list[dict[str, Any]] = plain["prices"]["rows"]
    return rows


class TestTerms:
    def test_basis_region_and_variant(self, ask: Run) -> None:
        whole = prices(ask, "qwen3-max", "gpt-5.2")
        assert {row["basis"] for row in whole} == {"route", "list"}
        assert {"", "batch"} <= {row["variant"] for row in whole}

        def some(**where: str) -> list[dict[str, Any]]:
            return [row for row in whole if all(row[key] == where[key] for key in where)]

        assert prices(ask, "qwen3-max", "gpt-5.2", "--basis", "route") == some(basis="route")
        assert prices(ask, "qwen3-max", "gpt-5.2", "--variant", "batch") == some(variant="batch")
        assert prices(ask, "qwen3-max", "gpt-5.2", "--variant", "standard") == some(variant="")
        mainland = prices(ask, "qwen3-max", "gpt-5.2", "--region", "cn")
        assert mainland == [row for row in whole if row["region"] in {"cn", "", "global"}]
        assert {"cn", "global"} <= {row["region"] for row in mainland}

    def test_the_tier_of_long_prompts(self, ask: Run) -> None:
        for size, tier, price in (("32k", 0, 0.78), ("40k", 32_000, 1.56), ("1M", 128_000, 1.95)):
            (row,) = prices(
                ask, "qwen3-max", "--basis", "route", "--request-size", size,
                "--variant", "standard",
            )  # fmt: skip
            assert (row["tier_from"], row["input"]) == (tier, price)
        text = ask("prices", "qwen3-max", "--request-size", "200k").out
        assert "for prompts of 200,000 tokens" in text
        assert "route · >128k" in text

    def test_a_workload_of_ones_own(self, ask: Run) -> None:
        for mix in ("3:1:0", "75:25:0"):
            (row,) = prices(
                ask, "gpt-5.2", "--mix", mix, "--basis", "route", "--baseline", "gpt-5.2",
                "--variant", "standard",
            )  # fmt: skip
            assert row["blended"] == 0.75 * 1.75 + 0.25 * 14

    def test_a_cached_price_of_nothing_is_no_discount(self, ask: Run) -> None:
        """OpenRouter sent "0" for every model without a cached price until April 2025."""
        (row,) = prices(
            ask, "gpt-4", "--at", "2025-03-31T13:00", "--basis", "route", "--baseline", "gpt-4",
            "--variant", "standard",
        )  # fmt: skip
        assert row["cache_read"] is None
        assert row["blended"] == 0.95 * 30 + 0.05 * 60

    def test_a_moment_within_a_day(self, ask: Run) -> None:
        """The glitch of 2026-04-18 apart, Kimi K2.5 moved between two captures of 2026-02-16."""
        before, after = (
            prices(ask, "kimi-k2.5", "--basis", "route", "--variant", "standard", "--at", at)[-1]
            for at in ("2026-02-16T10:00", "2026-02-16T13:00:00Z")
        )
        assert (before["input"], after["input"]) == (0.45, 0.23)
        assert "prices at 2026-02-16 10:00Z" in ask("prices", "--at", "2026-02-16T10:00").out

    def test_named_models_stand_in_the_order_of_the_command_line(self, ask: Run) -> None:
        for names in (("gpt-5.2", "claude-opus-4.6"), ("claude-opus-4.6", "gpt-5.2")):
            out = ask("prices", *names, "--basis", "route").out
            titles = {"gpt-5.2": "\nGPT-5.2 ", "claude-opus-4.6": "\nClaude Opus 4.6 "}
            places = [out.index(titles[name]) for name in names]
            assert places == sorted(places)

    def test_named_models_need_no_leaderboard(
        self, ask: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        from qwenwatch.cli import main
        from qwenwatch_cache.market.known import Known

        def refuse(*arguments: object, **more: object) -> None:
            raise AssertionError("a leaderboard was computed")

        for name in ("board", "totals", "choose_definition"):
            monkeypatch.setattr(Known, name, refuse)
        monkeypatch.setenv("QWENWATCH_CACHE_DIR", str(tmp_path))
        monkeypatch.setenv("QWENWATCH_CONFIG", str(tmp_path / "config.toml"))
        (tmp_path / "config.toml").touch()
        target = tmp_path / "out.json"
        for day in ((), THAT_DAY):
            words = ["prices", "gpt-4", *day, "--format", "json", "--offline", "-o", str(target)]
            assert main(words) == 0


class TestCurrencies:
    def test_both_amounts_and_the_rate(self, ask: Run) -> None:
        plain = document(
            ask(
                "prices",
                "qwen-max",
                "--currency",
                "USD",
                "--date",
                "2026-06-01",
                "--format",
                "json",
            )
        )
        (yuan,) = (rate for rate in plain["prices"]["rates"] if rate["base"] == "CNY")
        assert (yuan["date"], yuan["feed"], yuan["quote"]) == ("2026-06-01", "ecb-fx", "USD")
        (row,) = (
            row
            for row in plain["prices"]["rows"]
            if row["currency"] == "CNY" and row["source_id"] == "qwen-max" and not row["variant"]
        )
        assert row["input"] == 2.4
        assert row["converted_input"] == pytest.approx(2.4 * yuan["rate"], rel=1e-9)
        assert row["rate_date"] == "2026-06-01"
        assert plain["prices"]["currency"] == "USD"
        assert [one["citation"] for one in plain["sources"] if one["feed"] == "ecb-fx"] == [
            "Rates: European Central Bank reference rates, as of 2026-06-01T00:00Z"
        ]

    def test_a_weekend_takes_the_rate_of_friday(self, ask: Run) -> None:
        out = ask("prices", "qwen-max", "--currency", "USD", "--date", "2026-06-07").out
        assert "USD (ECB, 2026-06-05)" in out

    def test_ratios_across_currencies(self, ask: Run) -> None:
        words = ("qwen3.5-plus", "--baseline", "gemini-3-pro-preview", "--date", "2026-06-01")
        own = [row for row in prices(ask, *words) if row["currency"] == "CNY"]
        assert own and {row["ratio_input"] for row in own} == {None}
        across = prices(ask, *words, "--currency", "CNY", "--variant", "standard")
        (row,) = (row for row in across if row["currency"] == "CNY")
        (gemini,) = {
            row["converted_input"]
            for row in across
            if row["model"] == "google/gemini-3-pro-preview" and row["basis"] == "list"
        }
        assert row["converted_input"] == row["input"] == 0.8
        assert row["ratio_input"] == pytest.approx(0.8 / gemini, rel=1e-8)
        text = ask("prices", *words, "--currency", "CNY").out
        assert f"1/{gemini / 0.8:.1f}" in text

    def test_without_the_option_nothing_is_converted(self, ask: Run) -> None:
        assert not [key for row in prices(ask, "qwen-max") for key in row if "converted" in key]


class TestHistory:
    def test_every_change_with_its_mark(self, ask: Run) -> None:
        plain = document(ask("prices", "qwen-max", "gpt-4", "--history", "--format", "json"))
        cut = [
            (row["field"], row["before"], row["after"], row["percent"], row["mark"])
            for row in plain["changes"]
            if row["at"].startswith("2026-03-04") and row["field"] in {"input", "output"}
        ]
        assert cut == [
            ("input", 1.6, 1.04, -35, "confirmed"),
            ("output", 6.4, 4.16, -35, "confirmed"),
        ]
        corrected = [row for row in plain["changes"] if row["mark"] == "correction"]
        assert {(row["model"], row["feed"]) for row in corrected} == {
            ("openai/gpt-4", "models-dev")
        }
        times = [row["at"] for row in plain["changes"]]
        assert times == sorted(times)

    def test_the_series_has_no_glitch_and_ends_in_a_gap_where_it_left(self, ask: Run) -> None:
        plain = document(ask("prices", "kimi-k2.5", "qwen-max", "--history", "--format", "json"))
        route = [row for row in plain["series"] if row["basis"] == "route"]
        kimi = [row for row in route if row["model"] == "moonshotai/kimi-k2.5"]
        assert 0 not in {row["input"] for row in kimi} | {row["output"] for row in kimi}
        assert [row["at"] for row in kimi] == sorted(row["at"] for row in kimi)
        assert any(row["mark"] == "glitch" and row["after"] == 0 for row in plain["changes"])
        last = [row for row in route if row["model"] == "alibaba/qwen-max"][-1]
        assert (last["input"], last["output"]) == (None, None)

    def test_since_keeps_what_was_in_force(self, ask: Run) -> None:
        plain = document(
            ask("prices", "qwen-max", "--history", "--since", "2026-03-01", "--basis", "route",
                "--format", "json")
        )  # fmt: skip
        assert min(row["at"] for row in plain["changes"]) >= "2026-03-01"
        assert [row["input"] for row in plain["series"]][:2] == [1.6, 1.04]
        assert {row["basis"] for row in plain["series"]} == {"route"}

    def test_for_people(self, ask: Run) -> None:
        out = ask("prices", "qwen-max", "--history").out
        assert "2026-03-04 00:37Z" in out and "-35.0 %" in out and "confirmed" in out
        assert max(map(len, out.splitlines())) <= 160


class TestIndex:
    def test_rows_and_bases(self, ask: Run) -> None:
        plain = document(ask("index", "--vendors", "openai,Alibaba", "--format", "json"))
        rows = plain["index"]
        assert {row["vendor"] for row in rows} == {"openai", "alibaba", "all"}
        firsts = {row["vendor"]: row for row in reversed(rows)}
        assert {row["index"] for row in firsts.values()} == {100}
        assert {row["matched"] for row in firsts.values()} == {None}
        for row in rows:
            if row["matched"] is not None:
                assert (row["index"] is None) == (row["matched"] < 3)
        assert plain["basis"] == "route" and "geometric mean" in plain["method"]

    def test_formats_hold_the_same_rows(self, ask: Run) -> None:
        words = ("index", "--vendors", "openai", "--since", "2026-06-01")
        plain = document(ask(*words, "--format", "json"))["index"]
        table = list(csv.DictReader(io.StringIO(ask(*words, "--format", "csv").out)))
        assert [row["index"] for row in table] == [
            "" if row["index"] is None else str(row["index"]) for row in plain
        ]

    def test_for_people(self, ask: Run) -> None:
        out = ask("index", "--grain", "week", "--since", "2026-07-06").out
        table = out.partition("Price index")[2].splitlines()[2:]
        assert max(map(len, table)) <= 160
        assert any(line.startswith("Alibaba · Qwen") for line in table)
        assert any(line.startswith("All vendors") for line in table)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("prices", "gpt-4", "--request-size", "long"), 2, "'long' is not a size"),
        (("prices", "gpt-4", "--mix", "80:20"), 2, "three parts like 80:5:15"),
        (("prices", "gpt-4", "--mix", "0:0:0"), 2, "three parts"),
        (("prices", "gpt-4", "--mix", "NaN:1:1"), 2, "three parts"),
        (("prices", "gpt-4", "--mix", "-1:1:1"), 2, "--mix"),
        (("prices", "gpt-4", "--currency", "XTS"), 2, "--currency"),
        (("prices", "gpt-4", "--at", "noon"), 2, "'noon' is not a time"),
        (("prices", "gpt-4", "--at", "2026-01-01", "--date", "2026-01-01"), 2, "one of them"),
        (("prices", "gpt-4", "--since", "2026-01-01"), 2, "--since is for --history"),
        (("prices", "gpt-4", "--history", "--currency", "CNY"), 2, "--currency: not with"),
        (("prices", "--history"), 2, "needs the model"),
        (("prices", "gpt-4", "--history", "--since", "May"), 2, "'May' is not a day"),
        (("prices", "gpt-4", "--variant", "nightly"), 4, "no prices of openai/gpt-4"),
        (("index", "--vendors", "openai,acme"), 2, "'acme'"),
        (("index", "--since", "2027-01-01"), 4, "no vendor"),
    ],
)
def test_what_cannot_be_answered_is_said(
    ask: Run, words: tuple[str, ...], code: int, says: str
) -> None:
    ran = ask(*words)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err


def test_help_begins_with_examples(run: Run) -> None:
    for command in ("prices", "index"):
        out = run(command, "-h").out
        assert f"examples:\n  qwenwatch {command}" in out
