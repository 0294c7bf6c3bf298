"""The hosts of a model as a table and as plain values."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace

from qwenwatch_cache.market.hosts import HOSTS, Asked, ModelHosts
from qwenwatch_widgets.views.hosts import document, hosts_view, state
from qwenwatch_widgets.views.market import HostsView

NOW = datetime(2026, 8, 22, 1, tzinfo=UTC)
READ = NOW - timedelta(hours=3)
LICENCE = "no licence stated"
CITATION = "Prices: OpenRouter, as of {as_of}"


def row(tag: str, **values: Any) -> dict[str, Any]:
    return {**dict.fromkeys(HOSTS), "provider": tag, "provider_name": tag, **values}


ROWS = [
    row(
        "nebius/fp8",
        provider_name="Nebius",
        input=Decimal("0.15"),
        output=Decimal(6),
        quantization="fp8",
        context_length=262144,
        max_output=65536,
        status=-2,
        uptime_30m=0.625,
        uptime_1d=0.9995,
        observed_at=READ,
    ),
    row("bare", observed_at=READ),
]


def model_hosts(**values: Any) -> ModelHosts:
    made = ModelHosts(
        model="alibaba/qwen3-max",
        name="Qwen3 Max",
        source_id="qwen/qwen3-max",
        other_ids=(),
        rows=pl.DataFrame(ROWS, schema=HOSTS),
        asked=Asked(READ, READ, ""),
    )
    return replace(made, **values)


def view(hosts: ModelHosts | None = None, *, offline: bool = False) -> HostsView:
    return hosts_view(
        hosts or model_hosts(), NOW, licence=LICENCE, citation=CITATION, offline=offline
    )


def texts(shown: HostsView) -> list[list[str]]:
    return [[cell.text.strip() for cell in one.cells] for one in shown.table.rows]


class TestTable:
    def test_figures_and_unknown(self) -> None:
        first, second = texts(view())
        assert first == [
            "Nebius", "nebius/fp8", "0.15", "6.00", "–", "degraded -2", "62.5 %", "100.0 %",
            "fp8", "262,144", "65,536",
        ]  # fmt: skip
        assert second == ["bare", "bare", *["–"] * 9]

    def test_a_price_by_time_of_day_says_its_hours(self) -> None:
        timed = [ROWS[0] | {"window_utc": "12345 0100-0400"}]
        (shown,) = view(model_hosts(rows=pl.DataFrame(timed, schema=HOSTS))).table.rows
        assert shown.cells[0].text == "Nebius · weekdays 01:00–04:00 UTC"
        assert "6.00 out per 1M tokens, weekdays 01:00–04:00 UTC, uptime" in shown.cite

    def test_heading_says_of_what_when_and_about_which_id(self) -> None:
        table = view().table
        assert table.title == "Hosts of Qwen3 Max · per 1M tokens"
        assert table.caption == (
            "USD · as of 2026-08-21 22:00Z · route prices per host, OpenRouter · qwen/qwen3-max"
        )
        several = view(model_hosts(other_ids=("x/y", "x/z"))).table
        assert several.caption.endswith("qwen/qwen3-max (not asked about: x/y, x/z)")

    def test_citation(self) -> None:
        shown = view()
        assert shown.source == f"Prices: OpenRouter, as of 2026-08-21T22:00:00Z · {LICENCE}"
        assert shown.table.rows[0].cite == (
            "Qwen3 Max at Nebius (nebius/fp8): route price USD 0.15 in, 6.00 out per 1M tokens, "
            "uptime of the last day 100.0 %. Prices: OpenRouter, as of 2026-08-21T22:00:00Z"
        )

    def test_text_of_the_feed_cannot_command_the_terminal(self) -> None:
        evil = "\x1b[31mx\x07\u202e\n"
        rows = pl.DataFrame(
            [row(evil, provider_name=evil, quantization=evil, observed_at=READ)], schema=HOSTS
        )
        hosts = model_hosts(
            model=evil, name=evil, source_id=evil, other_ids=(evil,), rows=rows,
            asked=Asked(READ, NOW, evil),
        )  # fmt: skip
        shown = view(hosts)
        said = [shown.model, shown.name, shown.state, shown.table.title, shown.table.caption]
        for text in [*said, *(cell for one in texts(shown) for cell in one)]:
            assert text.isprintable()
        plain = document(hosts, NOW, licence=LICENCE, citation=CITATION)
        assert plain["hosts"][0]["provider"] == "[31mx"
        assert plain["sources"][0]["error"] == "[31mx"


class TestState:
    @pytest.mark.parametrize(
        ("asked", "offline", "expected", "tone"),
        [
            (Asked(READ, READ, ""), False, "read 3 h ago", "dim"),
            (Asked(READ, READ, ""), True, "read 3 h ago · offline, no feed is asked", "warn"),
            (
                Asked(READ, NOW - timedelta(minutes=2), "503"),
                False,
                "read 3 h ago · the request 2 min ago failed: 503",
                "bad",
            ),
            (
                Asked(None, NOW, "404"),
                False,
                "never read · the request 0 min ago failed: 404",
                "bad",
            ),
            (
                Asked(None, None, ""),
                True,
                "OpenRouter was never asked about this model · offline, no feed is asked",
                "warn",
            ),
        ],
    )
    def test_age_and_reason(self, asked: Asked, offline: bool, expected: str, tone: str) -> None:
        assert state(asked, NOW, offline=offline) == (expected, tone)

    def test_without_hosts_the_table_says_why(self) -> None:
        hosts = model_hosts(
            rows=pl.DataFrame(schema=HOSTS), asked=Asked(None, NOW, "404 Not Found")
        )
        shown = view(hosts)
        assert shown.table.rows == ()
        assert shown.table.empty == (
            "no host is known: never read · the request 0 min ago failed: 404 Not Found"
        )
        assert "as of –" in shown.table.caption

    def test_a_failure_takes_no_row_away(self) -> None:
        failed = view(model_hosts(asked=Asked(READ, NOW, "503")))
        assert texts(failed) == texts(view())


class TestDocument:
    def test_plain_values(self) -> None:
        plain = document(model_hosts(), NOW, licence=LICENCE, citation=CITATION)
        assert (plain["schema_version"], plain["at"]) == (1, "2026-08-22T01:00:00Z")
        assert (plain["model"], plain["source_id"]) == ("alibaba/qwen3-max", "qwen/qwen3-max")
        assert plain["sources"] == [
            {
                "feed": "openrouter-endpoints",
                "as_of": "2026-08-21T22:00:00Z",
                "fetched_at": "2026-08-21T22:00:00Z",
                "age_seconds": 3 * 3600,
                "licence": LICENCE,
                "citation": "Prices: OpenRouter, as of 2026-08-21T22:00:00Z",
                "status": "live",
                "error": None,
            }
        ]
        first, second = plain["hosts"]
        assert (first["input"], first["output"], first["cache_read"]) == (0.15, 6, None)
        assert isinstance(first["output"], int)
        assert first["uptime_1d"] == 0.9995 and first["observed_at"] == "2026-08-21T22:00:00Z"
        assert second["status"] is None and list(second) == list(HOSTS)
