"""The hosts of one model: what the parser keeps, what it refuses, and what is asked for."""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import Parsed
from qwenwatch_cache.feeds.openrouter_endpoints import FEED, NAME, on_demand, parse, plan
from qwenwatch_cache.frames import HOST_TABLE, PRICE_TABLE, TABLES
from qwenwatch_cache.store import Store
from tests.feedserver import FIXTURE_NOW
from tests.feedserver.bodies import FIXTURES

MODEL = "qwen/qwen3-max"
BODY = (FIXTURES / "endpoints-qwen__qwen3-max.json").read_bytes()
LATER = FIXTURE_NOW.replace(hour=13)

PROPERTY = settings(deadline=None, database=None, max_examples=150)


def parsed(body: bytes = BODY) -> Parsed:
    return parse(body, FIXTURE_NOW, MODEL)


def changed(change: Callable[[list[dict[str, Any]]], None], body: bytes = BODY) -> bytes:
    """The body with its list of endpoints changed."""
    plain = json.loads(body)
    change(plain["data"]["endpoints"])
    return json.dumps(plain).encode()


def copies(endpoints: list[dict[str, Any]], count: int) -> None:
    """Make the list longer by hosts of other tags, so that one bad row is a small part of it."""
    endpoints += [{**endpoints[0], "tag": f"host-{number}"} for number in range(count)]


def hosts(answer: Parsed) -> dict[str, dict[str, Any]]:
    return {row["provider"]: row for row in answer.frames["host"].to_dicts()}


def prices(answer: Parsed) -> dict[tuple[str, int, str], tuple[Decimal | None, ...]]:
    """Input, output and cached price by tag, tier and time of day."""
    return {
        (row["provider"], row["tier_from"], row["window_utc"]): (
            row["input"],
            row["output"],
            row["cache_read"],
        )
        for row in answer.frames["price"].to_dicts()
    }


def dec(*texts: str | None) -> tuple[Decimal | None, ...]:
    return tuple(None if text is None else Decimal(text) for text in texts)


class TestFixture:
    def test_hosts_as_stated(self) -> None:
        answer = parsed()
        assert (answer.rows, answer.refused, answer.unread) == (4, {}, frozenset())
        assert answer.whole == frozenset({MODEL})
        assert hosts(answer)["nebius/fp8"] == {
            "feed": NAME,
            "model": MODEL,
            "provider": "nebius/fp8",
            "provider_name": "Nebius Token Factory",
            "quantization": "fp8",
            "context_length": 131072,
            "max_output": None,
            "status": -2,
            "uptime_30m": 0.625,
            "uptime_1d": 0.9,
            "listed": True,
            "observed_at": FIXTURE_NOW,
        }

    def test_what_is_not_stated_is_unknown(self) -> None:
        rows = hosts(parsed())
        assert rows["alibaba"]["quantization"] is None  # the body says "unknown"
        assert rows["deepinfra/fp4"]["uptime_30m"] is None
        assert rows["deepinfra/fp4"]["uptime_1d"] is None

    def test_prices_per_million_with_tiers_and_times_of_day(self) -> None:
        assert prices(parsed()) == {
            ("alibaba", 0, ""): dec("1", "4", "0.2"),
            ("alibaba", 32000, ""): dec("2", "8", "0.4"),
            ("nebius/fp8", 0, ""): dec("1.2", "4.5", None),
            # Its discount of a quarter is taken off already.
            ("deepinfra/fp4", 0, ""): dec("0.6", "2.4", "0.12"),
            ("novita", 0, "0100-1000"): dec("1.6", "8", None),
            ("novita", 0, "1000-0100"): dec("0.8", "4", None),
        }
        frame = parsed().frames["price"]
        assert frame.select(
            "feed", "basis", "region", "model", "variant", "currency"
        ).unique().rows() == [(NAME, "route", "", MODEL, "", "USD")]

    @pytest.mark.parametrize("discount", [0, 0.5, 1, -0.1, None, "half"])
    def test_a_discount_changes_no_price(self, discount: Any) -> None:
        def state(endpoints: list[dict[str, Any]]) -> None:
            for endpoint in endpoints:
                endpoint["pricing"]["discount"] = discount

        assert prices(parsed(changed(state))) == prices(parsed())


class TestDrift:
    def test_an_unheard_of_field_is_ignored(self) -> None:
        def add(endpoints: list[dict[str, Any]]) -> None:
            endpoints[0]["new"] = endpoints[0]["pricing"]["new"] = [{"a": 1}]

        assert parsed(changed(add)).frames["host"].equals(parsed().frames["host"])

    @pytest.mark.parametrize(
        ("path", "value", "complaint"),
        [
            (("tag",), None, "tag of a row without tag is"),
            (("provider_name",), 7, "provider_name of alibaba is"),
            (("pricing", "prompt"), 0.1, "pricing.prompt of alibaba is"),
            (("uptime_last_30m",), "99", "uptime_last_30m"),
            (("uptime_last_1d",), 101, "uptime_last_1d"),
            (("status",), "ok", "status"),
            (("status",), 10**30, "status"),
            (("context_length",), -1, "context_length"),
        ],
    )
    def test_a_field_of_another_type_is_named(
        self, path: tuple[str, ...], value: object, complaint: str
    ) -> None:
        def retype(endpoints: list[dict[str, Any]]) -> None:
            holder = endpoints[0]
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = value

        answer = parsed(changed(retype))
        assert complaint in answer.notes[0]
        assert (len(answer.notes), len(hosts(answer))) == (1, 3)
        assert answer.unread == {MODEL}  # nothing of it has vanished

    @pytest.mark.parametrize("field", ["tag", "provider_name", "pricing"])
    def test_a_missing_field_is_named(self, field: str) -> None:
        def remove(endpoints: list[dict[str, Any]]) -> None:
            del endpoints[0][field]

        answer = parsed(changed(remove))
        assert re.match(rf"{field} of .* is missing", answer.notes[0])
        assert len(hosts(answer)) == 3

    def test_where_all_are_bad_it_is_another_format(self) -> None:
        def retype(endpoints: list[dict[str, Any]]) -> None:
            for one in endpoints:
                one["status"] = "ok"

        with pytest.raises(FeedError, match=r"4 of 4 rows .*status of alibaba is a text"):
            parsed(changed(retype))

    def test_one_bad_host_of_many_costs_no_other(self) -> None:
        def spoil(endpoints: list[dict[str, Any]]) -> None:
            copies(endpoints, 12)
            endpoints[1]["pricing"]["prompt"] = "-7"
            del endpoints[2]["provider_name"]

        answer = parsed(changed(spoil))
        assert answer.rows == 16
        assert answer.refused == {"negative": 1, "another shape than documented": 1}
        assert len(hosts(answer)) == 14 and "nebius/fp8" not in hosts(answer)
        assert "nebius/fp8" not in answer.frames["price"]["provider"].to_list()
        assert answer.unread == {MODEL}
        assert len(answer.notes) == 2 and "nebius/fp8" in answer.notes[1]

    def test_three_wrong_prices_are_another_unit(self) -> None:
        def spoil(endpoints: list[dict[str, Any]]) -> None:
            for endpoint in endpoints[:3]:
                endpoint["pricing"]["prompt"] = "1"

        with pytest.raises(FeedError, match="3 of 4 prices cannot be right, the first: alibaba"):
            parsed(changed(spoil))

    def test_of_a_host_stated_twice_the_first_counts(self) -> None:
        def repeat(endpoints: list[dict[str, Any]]) -> None:
            endpoints.append({**endpoints[0], "status": -5})

        answer = parsed(changed(repeat))
        assert (answer.rows, answer.refused) == (5, {"a host stated twice": 1})
        assert hosts(answer)["alibaba"]["status"] == 0
        assert prices(answer) == prices(parsed())
        assert answer.unread == frozenset()

    def test_no_host_at_all_is_a_fault(self) -> None:
        with pytest.raises(FeedError, match="names no host of qwen/qwen3-max"):
            parsed(changed(list.clear))

    def test_an_answer_about_another_model_is_refused(self) -> None:
        with pytest.raises(FeedError, match="asked about openai/gpt-4, the answer is about 'qwen"):
            parse(BODY, FIXTURE_NOW, "openai/gpt-4")

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            (b"", "empty body"),
            (BODY[:900], "cut off after 900 bytes"),
            (b"<html>", "web page"),
            (b'{"data": []}', "another shape"),
            (b'{"data": {"id": "qwen/qwen3-max"}}', "data.endpoints is missing"),
            (BODY.replace(b"DeepInfra", b"\\ud800"), "not JSON"),
        ],
    )
    def test_no_such_document(self, body: bytes, complaint: str) -> None:
        with pytest.raises(FeedError, match=complaint):
            parsed(body)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["tag", "pricing", "prompt", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = [*json.loads(BODY)["data"]["endpoints"][0], "unheard-of"]


class TestAnything:
    @PROPERTY
    @given(st.binary(max_size=60) | JSON.map(lambda plain: json.dumps(plain).encode()))
    def test_is_read_or_refused(self, body: bytes) -> None:
        with pytest.raises(FeedError):
            parsed(body)

    @PROPERTY
    @given(st.sampled_from(FIELDS), JSON)
    @example("context_length", 10**19)
    def test_any_value_of_any_field_of_one_host_of_many(self, field: str, value: Any) -> None:
        def put(endpoints: list[dict[str, Any]]) -> None:
            copies(endpoints, 12)
            endpoints[3][field] = value

        answer = parsed(changed(put))
        assert answer.rows == len(hosts(answer)) + sum(answer.refused.values())
        for name, frame in answer.frames.items():
            assert frame.schema == TABLES[name].schema


class TestRequests:
    def test_a_round_asks_nothing(self) -> None:
        assert plan(FIXTURE_NOW, []) == ()
        assert FEED.on_demand is on_demand

    @pytest.mark.parametrize(
        ("model", "path"),
        [
            ("qwen/qwen3-max", "/api/v1/models/qwen/qwen3-max/endpoints"),
            ("qwen/qwen3-coder:free", "/api/v1/models/qwen/qwen3-coder/endpoints"),
            ("a/b?c#d e", "/api/v1/models/a/b%3Fc%23d%20e/endpoints"),
        ],
    )
    def test_one_path_per_model(self, model: str, path: str) -> None:
        assert on_demand(model).path == path

    def test_the_answer_is_read_as_of_that_model(self) -> None:
        assert on_demand(f"{MODEL}:free").parse(BODY, FIXTURE_NOW).whole == frozenset({MODEL})
        with pytest.raises(FeedError, match="asked about openai/gpt-4"):
            on_demand("openai/gpt-4").parse(BODY, FIXTURE_NOW)


class TestInTheStore:
    def test_a_host_that_vanished_is_withdrawn_and_other_models_are_not(
        self, tmp_path: Path
    ) -> None:
        store = Store(tmp_path)
        other = BODY.replace(b"qwen/qwen3-max", b"qwen/qwen3-min")
        for model, body in ((MODEL, BODY), ("qwen/qwen3-min", other)):
            answer = parse(body, FIXTURE_NOW, model)
            store.append(answer.frames, FIXTURE_NOW, whole=answer.whole)
        fewer = parse(changed(lambda endpoints: endpoints.__delitem__(1)), LATER, MODEL)
        # Of the others nothing changed: one row says that the host is gone, one that its price is.
        assert store.append(fewer.frames, LATER, whole=fewer.whole) == 2
        for table in (HOST_TABLE, PRICE_TABLE):
            gone = store.cached(table).filter(~pl.col("listed"))
            assert gone.select("model", "provider").rows() == [(MODEL, "nebius/fp8")]

    def test_a_host_that_could_not_be_read_has_not_vanished(self, tmp_path: Path) -> None:
        def more(endpoints: list[dict[str, Any]]) -> None:
            copies(endpoints, 12)

        def spoil(endpoints: list[dict[str, Any]]) -> None:
            copies(endpoints, 12)
            endpoints[1]["pricing"]["prompt"] = "-7"

        store = Store(tmp_path)
        for when, body in ((FIXTURE_NOW, changed(more)), (LATER, changed(spoil))):
            answer = parse(body, when, MODEL)
            store.append(answer.frames, when, unread=answer.unread, whole=answer.whole)
        assert store.cached(HOST_TABLE)["listed"].all()
        assert store.cached(PRICE_TABLE)["listed"].all()


class TestRecordings:
    def test_the_recorded_body(self, recordings: Path) -> None:
        body = (recordings / "prices/openrouter/endpoints/openai__gpt-4o.json").read_bytes()
        when = datetime(2026, 8, 22, 1, tzinfo=UTC)
        answer = parse(body, when, "openai/gpt-4o")
        assert (answer.rows, answer.refused) == (2, {})
        rows = hosts(answer)
        assert rows["openai"]["status"] == 0 and rows["azure"]["status"] == -2
        assert rows["azure"]["uptime_30m"] == pytest.approx(0.9112676)
        assert {row["max_output"] for row in rows.values()} == {16384}
        assert prices(answer) == {
            ("openai", 0, ""): dec("2.5", "10", "1.25"),
            ("azure", 0, ""): dec("2.5", "10", None),
        }

    def test_rows_taken_from_recorded_bodies(self, recordings: Path) -> None:
        """Every row of the public scraper, put back into the shape of the body it came from."""
        folder = recordings / "prices/openrouter/endpoints"
        compared = 0
        for path in sorted(folder.glob("*.json.gz")):
            models = defaultdict(list)
            for row in json.loads(gzip.decompress(path.read_bytes()))["rows"]:
                models[row["modelId"]].append(row)
            for model, rows in models.items():
                answer = parse(_body(model, rows), FIXTURE_NOW, model)
                assert (answer.rows, answer.refused) == (len(rows), {})
                stored = {
                    tag: (given, taken) for (tag, _, _), (given, taken, _) in prices(answer).items()
                }
                for row in rows:
                    host = hosts(answer)[row["tag"]]
                    assert stored[row["tag"]] == (
                        Decimal(repr(row["promptCostPerToken"])) * 1_000_000,
                        Decimal(repr(row["completionCostPerToken"])) * 1_000_000,
                    )
                    assert host["status"] == row["status"]
                    assert host["context_length"] == row["contextLength"]
                    assert host["quantization"] == {"unknown": None}.get(
                        row["quantization"], row["quantization"]
                    )
                    uptime = row["uptimeLast30m"]
                    assert host["uptime_30m"] == (None if uptime is None else uptime / 100)
                    compared += 1
        assert compared == 53 + 33 + 29 + 29


def _body(model: str, rows: list[dict[str, Any]]) -> bytes:
    endpoints = [
        {
            "tag": row["tag"],
            "provider_name": row["providerName"],
            "quantization": row["quantization"],
            "context_length": row["contextLength"],
            "max_completion_tokens": row["maxCompletionTokens"],
            "status": row["status"],
            "uptime_last_30m": row["uptimeLast30m"],
            "pricing": {
                "prompt": f"{Decimal(repr(row['promptCostPerToken'])):f}",
                "completion": f"{Decimal(repr(row['completionCostPerToken'])):f}",
            },
        }
        for row in rows
    ]
    return json.dumps({"data": {"id": model, "endpoints": endpoints}}).encode()
