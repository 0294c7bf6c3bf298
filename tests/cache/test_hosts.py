"""The hosts of one model at a time, and what the log says of the requests about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.feeds import openrouter_endpoints
from qwenwatch_cache.feeds.openrouter_endpoints import NAME
from qwenwatch_cache.frames import FETCH, HOST, HOST_TABLE, PRICE, PRICE_FIELDS, PRICE_TABLE
from qwenwatch_cache.identity import AmbiguousModel, Identity, UnknownModel
from qwenwatch_cache.market.hosts import (
    HOSTS,
    Asked,
    NotHosted,
    asked_about,
    hosts,
    hosts_of,
    openrouter_ids,
)
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.store import Store
from tests.cache.rows import NOW, at
from tests.feedserver.bodies import FIXTURES

MODEL = "a/b"


def host(tag: str, when: datetime = NOW, **values: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(HOST),
        "feed": NAME,
        "model": MODEL,
        "provider": tag,
        "provider_name": tag.title(),
        "listed": True,
        "observed_at": when,
        **values,
    }


def price(
    tag: str, given: str | None, taken: str | None, when: datetime = NOW, **values: Any
) -> dict[str, Any]:
    return {
        "feed": NAME,
        "basis": "route",
        "provider": tag,
        "region": "",
        "model": MODEL,
        "variant": "",
        "tier_from": 0,
        "window_utc": "",
        "currency": "USD",
        **dict.fromkeys(PRICE_FIELDS),
        "input": None if given is None else Decimal(given),
        "output": None if taken is None else Decimal(taken),
        "listed": True,
        "observed_at": when,
        **values,
    }


def asked(
    host_rows: Sequence[Mapping[str, Any]],
    price_rows: Sequence[Mapping[str, Any]] = (),
    when: datetime = NOW,
) -> list[tuple[str, Decimal | None, Decimal | None]]:
    """Tag, input and output price in the order of the answer."""
    answer = hosts(
        pl.DataFrame(list(host_rows), schema=HOST),
        pl.DataFrame(list(price_rows), schema=PRICE),
        MODEL,
        when,
    )
    assert answer.schema == HOSTS
    return answer.select("provider", "input", "output").rows()


class TestHosts:
    def test_cheapest_first_then_by_output_and_tag_unknown_last(self) -> None:
        rows = [host(tag) for tag in ("u", "a", "b", "c", "d", "n")]
        prices = [
            price("u", None, "1"),
            price("a", "2", "4"),
            price("b", "2", "3"),
            price("c", "1", None),
            price("d", "1", "9"),
        ]
        assert [tag for tag, _, _ in asked(rows, prices)] == ["d", "c", "b", "a", "u", "n"]
        assert asked(rows, prices)[-1] == ("n", None, None)

    def test_a_share_has_the_digits_that_were_stated(self) -> None:
        """99.9 % is kept as what a computer divides it to, 99.90331057473855 % loses nothing."""
        rows = [host("a", uptime_1d=99.9 / 100, uptime_30m=99.90331057473855 / 100), host("b")]
        frame = hosts(pl.DataFrame(rows, schema=HOST), pl.DataFrame(schema=PRICE), MODEL, NOW)
        assert frame.get_column("uptime_1d").to_list() == [0.999, None]
        assert frame.get_column("uptime_30m")[0] == pytest.approx(0.9990331057473855, abs=1e-15)

    def test_one_named_no_longer_is_left_out_and_may_come_back(self) -> None:
        rows = [
            host("a"),
            host("a", at(10), listed=False),
            host("a", at(20), status=-2),
        ]
        assert [asked(rows, (), at(minute)) for minute in (0, 10, 20)] == [
            [("a", None, None)],
            [],
            [("a", None, None)],
        ]

    def test_nothing_learned_later_is_used(self) -> None:
        assert asked([host("a", at(1))]) == []
        before = [price("a", "1", "2"), price("a", "7", "8", at(5))]
        assert asked([host("a")], before, at(4)) == [("a", Decimal(1), Decimal(2))]
        assert asked([host("a")], before, at(5)) == [("a", Decimal(7), Decimal(8))]

    def test_other_models_feeds_variants_and_tiers_are_no_price_of_it(self) -> None:
        others = [
            price("a", "1", "1", model="a/c"),
            price("a", "1", "1", feed="openrouter-models"),
            price("a", "1", "1", variant="free"),
            price("a", "1", "1", tier_from=32000),
            price("a", "1", "1", listed=False),
        ]
        rows = [host("a"), host("z", model="a/c"), host("y", feed="another")]
        assert asked(rows, others) == [("a", None, None)]

    @pytest.mark.parametrize(
        ("hour", "minute", "expected"),
        [(0, 59, "1"), (1, 0, "2"), (9, 59, "2"), (10, 0, "1"), (23, 0, "1")],
    )
    def test_the_time_of_day_decides(self, hour: int, minute: int, expected: str) -> None:
        prices = [
            price("a", "2", "2", window_utc="0100-1000"),
            price("a", "1", "1", window_utc="1000-0100"),
        ]
        moment = (NOW + timedelta(days=1)).replace(hour=hour, minute=minute)
        assert asked([host("a")], prices, moment) == [("a", Decimal(expected), Decimal(expected))]

    @settings(deadline=None, database=None, max_examples=60)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from("abcd"),
                st.sampled_from([None, "0", "0.5", "2"]),
                st.integers(0, 3),
                st.booleans(),
            ),
            max_size=12,
        )
    )
    def test_each_host_that_was_last_listed_is_there_once_and_in_order(
        self, stated: list[tuple[str, str | None, int, bool]]
    ) -> None:
        stated = sorted(stated, key=lambda one: one[2])
        rows = [host(tag, at(when), listed=listed) for tag, _, when, listed in stated]
        prices = [price(tag, text, text, at(when)) for tag, text, when, _ in stated]
        last = {tag: (text, listed) for tag, text, _, listed in stated}
        expected = sorted(
            (
                (tag, None if text is None else Decimal(text))
                for tag, (text, listed) in last.items()
                if listed
            ),
            key=lambda one: (one[1] is None, one[1] or 0, one[0]),
        )
        assert [(tag, given) for tag, given, _ in asked(rows, prices, at(9))] == expected


IDS = Identity(
    [
        ("alibaba/qwen3-max", "openrouter-models", "qwen/qwen3-max"),
        ("alibaba/qwen3-max", "models-dev", "alibaba/qwen3-max"),
        ("mistral/ministral-8b", "openrouter-models", "mistral/ministral-8b"),
        ("mistral/ministral-8b", "openrouter-models", "mistralai/ministral-8b"),
        ("mistral/large", "models-dev", "mistral/large"),
    ]
)


class TestIds:
    @pytest.mark.parametrize(
        "text", ["alibaba/qwen3-max", "qwen/qwen3-max", "qwen/qwen3-max:free", "en3-ma"]
    )
    def test_by_any_name(self, text: str) -> None:
        assert openrouter_ids(IDS, text) == ("qwen/qwen3-max",)

    def test_of_several_the_first_is_asked_about(self) -> None:
        assert openrouter_ids(IDS, "ministral-8b") == (
            "mistral/ministral-8b",
            "mistralai/ministral-8b",
        )

    @pytest.mark.parametrize("text", ["new/one@openrouter", "new/one@openrouter:free"])
    def test_one_that_is_not_mapped(self, text: str) -> None:
        assert openrouter_ids(IDS, text) == ("new/one",)

    @pytest.mark.parametrize(
        "text",
        [
            "mistral/large",
            "new/one@models-dev",
            "Some Name@vercel-leaderboard",
            "../../x@openrouter",
            "a/../b@openrouter",
            "a/b?c=d@openrouter",
            "@openrouter",
        ],
    )
    def test_one_that_nobody_can_be_asked_about(self, text: str) -> None:
        with pytest.raises(NotHosted, match="OpenRouter has no id for"):
            openrouter_ids(IDS, text)

    def test_what_fits_none_or_several_is_an_error(self) -> None:
        with pytest.raises(UnknownModel):
            openrouter_ids(IDS, "no-such-model")
        with pytest.raises(AmbiguousModel):
            openrouter_ids(IDS, "m")


def request(when: datetime, error: str | None = None, model: str = MODEL) -> dict[str, Any]:
    return {
        **dict.fromkeys(FETCH),
        "feed": NAME,
        "url": f"http://127.0.0.1:1/mirror/api/v1/models/{model}/endpoints",
        "started": when,
        "error": error,
    }


class TestAsked:
    def test_the_requests_about_this_model_count(self) -> None:
        rows = [
            request(at(0)),
            request(at(1), "503"),
            request(at(2), model="a/bc"),
            request(at(3), model="x/a/b"),
        ]
        log = pl.DataFrame(rows, schema=FETCH)
        assert asked_about(log, MODEL) == Asked(at(0), at(1), "503")
        assert asked_about(log, "a/bc") == Asked(at(2), at(2), "")
        assert asked_about(log, "a/d") == Asked(None, None, "")

    def test_one_that_never_went_well(self) -> None:
        log = pl.DataFrame([request(at(1), "404")], schema=FETCH)
        assert asked_about(log, MODEL) == Asked(None, at(1), "404")


def test_from_the_body_to_the_answer(tmp_path: Path) -> None:
    body = (FIXTURES / "endpoints-qwen__qwen3-max.json").read_bytes()
    store = Store(tmp_path)
    answer = openrouter_endpoints.parse(body, NOW, "qwen/qwen3-max")
    store.append(answer.frames, NOW, whole=answer.whole)
    known = Known(store, NOW)
    found = hosts_of(known, store, "qwen3-max")
    assert (found.model, found.source_id) == ("alibaba/qwen3-max", "qwen/qwen3-max")
    assert found.rows.select("provider", "input", "status", "uptime_1d").rows() == [
        ("deepinfra/fp4", Decimal("0.6"), 0, None),
        ("novita", Decimal("0.8"), 0, pytest.approx(0.999)),
        ("alibaba", Decimal(1), 0, 0.9925),
        ("nebius/fp8", Decimal("1.2"), -2, 0.9),
    ]
    assert {HOST_TABLE.name, PRICE_TABLE.name} == set(answer.frames)
