"""`qwenwatch hosts`, and the same question put by the screen."""

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qwenwatch.answers import AnswersError
from qwenwatch.client import ProcessAnswers
from qwenwatch_cache.identity import load_identity
from qwenwatch_widgets.views.query import MarketQuery
from tests.cli.conftest import Run
from tests.feedserver import FeedServer

FEED = "openrouter-endpoints"
CHEAPEST_FIRST = ["deepinfra/fp4", "novita", "alibaba", "nebius/fp8"]
LATER = {"QWENWATCH_NOW": "2026-08-17T12:30:00Z"}


def asked(server: FeedServer) -> list[str]:
    return [one.path for one in server.requests if one.feed == FEED]


class TestCommand:
    def test_text(self, live: Run, server: FeedServer) -> None:
        ran = live("hosts", "qwen3-max")
        assert ran.code == 0
        lines = ran.out.splitlines()
        assert lines[0] == "qwenwatch hosts alibaba/qwen3-max"
        assert (
            "as of 2026-08-17 12:00Z · route prices per host, OpenRouter · qwen/qwen3-max"
            in ran.out
        )
        rows = [line for line in lines if any(f" {tag} " in line for tag in CHEAPEST_FIRST)]
        assert [line.split("  ")[0] for line in rows] == [
            "DeepInfra", "NovitaAI · 10:00–01:00 UTC", "Alibaba Cloud Int.", "Nebius Token Factory",
        ]  # fmt: skip
        assert "degraded -2" in rows[3]
        assert lines[-1].startswith(
            "Prices: OpenRouter (openrouter.ai/models), as of 2026-08-17T12:00:0"
        )
        assert f"{FEED}: stored, 4 rows read" in ran.err
        assert asked(server) == ["/api/v1/models/qwen/qwen3-max/endpoints"]
        assert "authorization" not in server.requests[-1].headers

    def test_as_it_was_known_then(self, live: Run, server: FeedServer) -> None:
        then = ("hosts", "qwen3-max", "--known-at", "2026-08-17T12:10:00Z", "--format", "json")
        live("hosts", "qwen3-max")
        before = live(*then)
        rows = json.loads(before.out)["hosts"]
        assert [row["provider"] for row in rows] == CHEAPEST_FIRST
        server.fault(FEED, "absurd-price")
        live("hosts", "qwen3-max", **LATER)
        requests = len(asked(server))
        after = live(*then, **LATER)
        assert after.out == before.out
        assert len(asked(server)) == requests == 2  # nobody was asked about the past
        earlier = live("hosts", "qwen3-max", "--known-at", "2026-08-17T11:00:00Z")
        assert (earlier.code, earlier.out) == (4, "")

    def test_json_is_what_the_feed_stated(self, live: Run) -> None:
        plain = json.loads(live("hosts", "alibaba/qwen3-max", "--format", "json").out)
        assert (plain["schema_version"], plain["replayed"]) == (1, True)
        assert plain["source_id"] == "qwen/qwen3-max"
        assert [(row["provider"], row["input"], row["output"]) for row in plain["hosts"]] == [
            ("deepinfra/fp4", 0.6, 2.4),
            ("novita", 0.8, 4),
            ("alibaba", 1, 4),
            ("nebius/fp8", 1.2, 4.5),
        ]
        assert plain["hosts"][3]["uptime_30m"] == 0.625
        assert [source["feed"] for source in plain["sources"]] == [FEED]

    def test_ndjson_csv_and_markdown_hold_the_same_hosts(self, live: Run) -> None:
        lines = [json.loads(line) for line in live("hosts", "qwen3-max", "--format", "ndjson").out
                 .splitlines()]  # fmt: skip
        assert [line["section"] for line in lines] == ["model", "sources", *["hosts"] * 4]
        assert [line["provider"] for line in lines[2:]] == CHEAPEST_FIRST
        rows = list(csv.DictReader(io.StringIO(live("hosts", "qwen3-max", "--format", "csv").out)))
        assert [row["provider"] for row in rows] == CHEAPEST_FIRST
        assert (rows[0]["model"], rows[0]["input"], rows[3]["cache_read"]) == (
            "alibaba/qwen3-max", "0.6", "",
        )  # fmt: skip
        markdown = live("hosts", "qwen3-max", "--format", "md").out
        assert sum(line.startswith("| ") for line in markdown.splitlines()) == 2 + 4

    def test_the_feed_is_asked_once_within_its_floor(self, live: Run, server: FeedServer) -> None:
        first, second = (live("hosts", "qwen3-max", "--format", "csv") for _ in range(2))
        assert (second.code, second.out) == (0, first.out)
        assert "not due" in second.err
        assert len(asked(server)) == 1
        assert live("hosts", "qwen3-max", **LATER).code == 0
        assert len(asked(server)) == 2

    def test_a_feed_that_fails_leaves_the_old_rows(self, live: Run, server: FeedServer) -> None:
        live("hosts", "qwen3-max")
        server.fault(FEED, "renamed-field")
        ran = live("hosts", "qwen3-max", **LATER)
        assert ran.code == 3
        assert "DeepInfra" in ran.out
        assert "ago failed: 4 of 4 rows have another shape" in ran.out
        assert "as of 2026-08-17 12:00Z" in ran.out

    def test_nothing_to_show(self, live: Run, server: FeedServer) -> None:
        server.fault(FEED, "404")
        ran = live("hosts", "qwen3-max")
        assert (ran.code, ran.out) == (4, "")
        assert (
            "qwen/qwen3-max: no host is known: never read · the request 0 min ago failed" in ran.err
        )

    def test_offline_asks_nobody(self, live: Run, server: FeedServer) -> None:
        ran = live("hosts", "qwen3-max", "--offline")
        assert (ran.code, asked(server)) == (4, [])
        assert "never asked" in ran.err
        live("hosts", "qwen3-max")
        ran = live("hosts", "qwen3-max", "--offline")
        assert (ran.code, len(asked(server))) == (0, 1)
        assert "offline, no feed is asked" in ran.out

    def test_a_model_that_is_none_several_or_not_there(self, live: Run, server: FeedServer) -> None:
        identity = load_identity()
        elsewhere = next(
            identity.resolve(name)
            for name in ("alibaba/qwen-omni-turbo", "alibaba/qwen-mt-plus", "alibaba/qwen-vl-max")
            if "openrouter-models" not in identity.ids(name)
        )
        for model, complaint in (
            ("no-such-model", "No model is called"),
            ("claude", "fits"),
            (elsewhere, f"OpenRouter has no id for {elsewhere}"),
        ):
            ran = live("hosts", model)
            assert (ran.code, ran.out) == (2, "")
            assert complaint in ran.err
        assert asked(server) == []

    def test_the_table_of_prices_stays_as_it_is(self, live: Run) -> None:
        live("refresh", "--feed", "openrouter-models")
        before = live("prices", "qwen3-max", "--format", "csv").out
        live("hosts", "qwen3-max")
        assert live("prices", "qwen3-max", "--format", "csv").out == before
        assert "deepinfra" not in before


class TestScreen:
    @pytest.fixture
    async def answers(
        self, tmp_path: Path, server: FeedServer, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[ProcessAnswers]:
        monkeypatch.setenv("QWENWATCH_FEEDS_URL", server.url)
        monkeypatch.setenv("QWENWATCH_NOW", "2026-08-17T12:00:00Z")
        made = ProcessAnswers(["--cache-dir", str(tmp_path)], tmp_path, MarketQuery())
        yield made
        await made.close()

    async def test_known_first_then_asked(
        self, answers: ProcessAnswers, server: FeedServer
    ) -> None:
        before = await answers.hosts("alibaba/qwen3-max", ask=False)
        assert before.table.rows == () and "never asked" in before.state
        assert asked(server) == []
        after = await answers.hosts("alibaba/qwen3-max", ask=True)
        assert [row.key for row in after.table.rows] == CHEAPEST_FIRST
        assert after.note.startswith(f"{FEED}: stored")
        again = await answers.hosts("alibaba/qwen3-max", ask=True)
        assert again.table == after.table and "not due" in again.note
        assert len(asked(server)) == 1

    async def test_a_failure_is_part_of_the_view(
        self, answers: ProcessAnswers, server: FeedServer
    ) -> None:
        server.fault(FEED, "503")
        view = await answers.hosts("alibaba/qwen3-max", ask=True)
        assert view.state_tone == "bad" and "503" in view.state
        with pytest.raises(AnswersError, match="OpenRouter has no id"):
            await answers.hosts("new/one@models-dev", ask=True)
