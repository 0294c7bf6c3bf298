"""Usage exports: documented ones are summed by model, others refused with what was found."""

import json
from pathlib import Path

import pytest

from qwenwatch_cache.market.usage_export import Export, UnknownExport, read_export
from qwenwatch_cache.market.workload import Workload

FOLDER = Path(__file__).parents[1] / "fixtures" / "usage"


def read(name: str) -> Export:
    return read_export((FOLDER / name).read_bytes(), name)


def refused(body: str) -> str:
    with pytest.raises(UnknownExport) as error:
        read_export(body.encode(), "mine")
    return str(error.value)


class TestCcusage:
    def test_sums_by_model_with_cached_tokens_as_part_of_the_input(self) -> None:
        export = read("ccusage-daily.json")
        # Its input tokens are those that are neither read from nor written to the cache.
        assert {one.name: one.workload for one in export.models} == {
            "claude-sonnet-4-6": Workload(input=8100, output=1000, cached=5000, written=100),
            "my-own-finetune": Workload(input=1000, output=200, cached=100),
        }
        assert [one.name for one in export.models] == ["claude-sonnet-4-6", "my-own-finetune"]

    def test_a_file_with_several_sections_counts_once(self) -> None:
        export = read("ccusage-daily.json")
        whole = export.workload
        stated = json.loads((FOLDER / "ccusage-daily.json").read_text(encoding="utf-8"))["totals"]
        assert whole.fresh == stated["inputTokens"]
        assert whole.cached == stated["cacheReadTokens"]
        assert whole.written == stated["cacheCreationTokens"]
        assert whole.output == stated["outputTokens"]
        assert whole.input + whole.output == stated["totalTokens"]
        assert (export.first, export.last) == ("2026-08-14", "2026-08-15")

    def test_usage_by_project(self) -> None:
        plain = json.loads((FOLDER / "ccusage-daily.json").read_text(encoding="utf-8"))
        first, second = plain["daily"]
        body = json.dumps({"projects": {"a": [first], "b": [second]}, "totals": plain["totals"]})
        assert read_export(body.encode(), "x").models == read("ccusage-daily.json").models

    def test_without_a_breakdown_by_model_it_is_refused(self) -> None:
        body = '{"type": "monthly", "data": [{"month": "2026-04", "inputTokens": 5}]}'
        assert "an object with type, data" in refused(body)
        assert "modelBreakdowns" in refused('{"daily": [{"date": "2026-04-01"}]}')


class TestOpenRouter:
    def test_sums_by_model(self) -> None:
        export = read("openrouter-activity.json")
        assert {one.name: one.workload for one in export.models} == {
            "qwen/qwen3-max": Workload(input=2_500_000, output=125_000, requests=50),
            "acme/never-heard-of": Workload(input=10_000, output=5_000, requests=50),
        }
        assert export.workload.size == 25_100  # the mean of 2,510,000 tokens in 100 requests
        assert not export.tells_cached

    def test_the_same_as_a_table(self) -> None:
        assert read("openrouter-activity.csv") == read("openrouter-activity.json")

    def test_a_stated_part_is_cached_of_every_model(self) -> None:
        export = read("openrouter-activity.json").with_parts(1_255_000, 0)
        assert [one.workload.cached for one in export.models] == [1_250_000, 5_000]

    def test_a_table_without_documented_columns_is_refused_by_name(self) -> None:
        with pytest.raises(UnknownExport) as error:
            read("openrouter-logs.csv")
        text = str(error.value)
        assert "openrouter-logs.csv holds the columns generation_id, created_at, cost_total" in text
        assert "prompt_tokens" in text and "ccusage" in text  # what is expected instead


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("", "no table"),
        ("{", "no whole JSON"),
        ("[]", "nothing"),
        ('{"usage": 1, "total": 2}', "an object with usage, total"),
        ('{"data": [{"model": "a/b", "prompt_tokens": -1, "completion_tokens": 2}]}', "wrong"),
        ('{"data": [{"model": "a/b", "prompt_tokens": 1.5, "completion_tokens": 2}]}', "wrong"),
        ('{"data": [{"prompt_tokens": 1, "completion_tokens": 2}]}', "model"),
        ('{"data": [{"model": "a/b", "prompt_tokens": 0, "completion_tokens": 0}]}', "no tokens"),
        ("model,prompt_tokens,completion_tokens\na/b,many,2\n", "line 2"),
        ("model,prompt_tokens,completion_tokens\na/b\n", "line 2"),
        ('{"\\u001b[31m": 1}', "an object with [31m"),
    ],
)
def test_other_files_are_refused(body: str, found: str) -> None:
    text = refused(body)
    assert found in text
    assert "\x1b" not in text


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnknownExport, match="is not text"):
        read_export(b"\xff\xfe\x00", "mine")
