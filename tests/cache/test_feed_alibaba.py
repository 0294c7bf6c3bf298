"""Alibaba's own list prices: the index, the families' files, later versions, faults, HTTP."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.alibaba_list import FEED, FOLDER, parse_group, parse_index, plan
from qwenwatch_cache.feeds.feed import Parsed
from qwenwatch_cache.frames import PRICE_TABLE
from qwenwatch_cache.store.revisions import withdrawn
from tests.cache.alibaba import (
    LATER,
    accounted,
    amounts,
    body_of,
    cells,
    dump,
    family,
    followed,
    group,
    model,
    stated,
)
from tests.feedserver import FIXTURE_NOW, FeedServer, FixtureBodies, faults_for
from tests.feedserver.mutations import (
    absurd_price,
    duplicate_rows,
    empty_list,
    negative_price,
    other_type,
    renamed_field,
    truncated,
)
from tests.feedserver.support import client_of


class TestIndex:
    def test_it_leads_to_the_families_of_own_text_models(self) -> None:
        answer = parse_index(body_of("index"), FIXTURE_NOW)
        assert [request.path for request in answer.follow] == [
            f"{FOLDER}groups/qwen-max.json",
            f"{FOLDER}groups/qwen3-max.json",
            f"{FOLDER}groups/qwen3.5-plus.json",
        ]
        assert all(request.conditional for request in answer.follow)
        assert {request.parse for request in answer.follow} == {parse_group}
        assert answer.refused == {"another vendor's models": 1, "writes no text": 1}
        assert (answer.rows, answer.frames, answer.whole) == (5, {}, frozenset())

    def test_it_is_asked_for_without_conditions_and_alone(self) -> None:
        (request,) = plan(FIXTURE_NOW, [])
        assert request.path == f"{FOLDER}index.json"
        assert not request.conditional
        assert request.parse is parse_index

    def test_a_slug_is_a_file_name_and_counts_once(self) -> None:
        slugs = ["a", "../../x", "b/c", "", ".git", "d?e", "a", "ü", "a b", "a.b-c_d"]
        rows = [{"slug": slug, "providers": ["qwen"], "capabilities": ["TG"]} for slug in slugs]
        answer = parse_index(dump({"families": rows}), FIXTURE_NOW)
        assert [request.path for request in answer.follow] == [
            f"{FOLDER}groups/a.json",
            f"{FOLDER}groups/a.b-c_d.json",
        ]
        assert answer.refused == {"not a file's name": 7, "named twice": 1}

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            (b"", "empty body"),
            (b"<!DOCTYPE html>", "web page"),
            (b'{"families": [', "cut off"),
            (b'{"families": {}}', "families"),
            (b'{"groups": []}', "families"),
            (b'{"families": []}', "no family"),
            (
                b'{"families": [{"slug": "x", "providers": "qwen"}]}',
                "providers of family 1 is a text, expected a list",
            ),
        ],
    )
    def test_another_shape_is_named(self, body: bytes, complaint: str) -> None:
        with pytest.raises(FeedError, match=complaint):
            parse_index(body, FIXTURE_NOW)


class TestFixtures:
    def test_flat_prices(self) -> None:
        answer = group("qwen-max")
        assert cells(answer) == {
            ("qwen-max", "", 0): amounts(input="2.4", output="9.6", cache_read="0.48"),
            ("qwen-max", "batch", 0): amounts(input="1.2", output="4.8"),
        }
        row = answer.frames["price"].row(0, named=True)
        assert {key: row[key] for key in ("feed", "basis", "provider", "region", "currency")} == {
            "feed": "alibaba-list",
            "basis": "list",
            "provider": "alibaba-model-studio",
            "region": "cn",
            "currency": "CNY",
        }
        assert (row["listed"], row["window_utc"], row["observed_at"]) == (True, "", FIXTURE_NOW)
        assert (answer.rows, dict(answer.refused)) == (5, {})
        assert answer.whole == frozenset({"qwen-max"})

    def test_tiers_begin_above_their_start_and_batch_chat_comes_second(self) -> None:
        answer = group("qwen3.5-plus")
        plain = {tier: known for (_, variant, tier), known in cells(answer).items() if not variant}
        assert plain == {
            0: amounts(input="0.8", output="4.8", cache_read="0.08", cache_write="1"),
            131_072: amounts(input="2", output="12", cache_read="0.2", cache_write="2.5"),
            262_144: amounts(input="4", output="24", cache_read="0.4", cache_write="5"),
        }
        assert cells(answer)["qwen3.5-plus", "batch", 131_072] == amounts(input="1", output="6")
        assert answer.rows == 24 == accounted(answer)
        assert answer.refused == {"beside a price that counts first": 6}

    def test_a_model_without_a_price_is_counted_and_withdraws_nothing(self) -> None:
        answer = group("qwen3-max")
        assert answer.frames["price"].is_empty()
        assert (answer.rows, answer.refused) == (1, {"no price stated": 1})
        assert answer.whole == frozenset()

    def test_catalogue(self) -> None:
        rows = {
            name: group(name).frames["catalog"].row(0, named=True)
            for name in ("qwen-max", "qwen3-max")
        }
        assert rows["qwen-max"] == {
            "feed": "alibaba-list",
            "model": "qwen-max",
            "usage_slug": None,
            "name": "Qwen-Max",
            "created": None,
            "context_length": 32_768,
            "open_weights": False,
            "expires": date(2026, 7, 13),
            "observed_at": FIXTURE_NOW,
        }
        # Midnight in Beijing is still the day before in UTC.
        assert rows["qwen3-max"]["expires"] == date(2026, 9, 7)
        assert rows["qwen3-max"]["open_weights"] is None


class TestLaterVersions:
    """What a later version of a family's file does to what is known."""

    def gone(self, later: Parsed) -> list[tuple[str, int]]:
        known = pl.concat(
            [group("qwen3.5-plus").frames["price"], group("qwen-max").frames["price"]]
        )
        rows = withdrawn(
            known, later.frames["price"], PRICE_TABLE, LATER, later.unread, later.whole
        )
        return rows.filter(pl.col("variant") == "").select("model", "tier_from").rows()

    def test_without_prices_nothing_is_withdrawn(self) -> None:
        payload = json.loads(body_of("groups/qwen3.5-plus"))
        del payload["items"][0]["multiPrices"]
        assert self.gone(parse_group(dump(payload), LATER)) == []

    def test_other_models_are_never_withdrawn(self) -> None:
        assert self.gone(parse_group(body_of("groups/qwen3.5-plus"), LATER)) == []
        assert self.gone(family(model("new", stated("input_token", "1")))) == []

    def test_a_tier_that_is_gone_is_withdrawn(self) -> None:
        payload = json.loads(body_of("groups/qwen3.5-plus"))
        del payload["items"][0]["multiPrices"][1]
        assert self.gone(parse_group(dump(payload), LATER)) == [("qwen3.5-plus", 131_072)]


class TestFaults:
    def test_every_fault_of_a_json_body_can_be_played(self) -> None:
        assert {"renamed-field", "number-for-string", "empty-list"} < set(faults_for(FEED.name))

    @pytest.mark.parametrize("name", ["qwen-max", "qwen3.5-plus"])
    @pytest.mark.parametrize("fault", [truncated, empty_list, renamed_field, other_type])
    def test_a_family_of_another_shape_is_refused(self, name: str, fault: Any) -> None:
        with pytest.raises(FeedError):
            parse_group(fault(FEED.name, body_of(f"groups/{name}")), FIXTURE_NOW)

    @pytest.mark.parametrize(
        ("fault", "rule"), [(negative_price, "negative"), (absurd_price, "above the bound")]
    )
    @pytest.mark.parametrize("name", ["qwen-max", "qwen3.5-plus"])
    def test_a_wrong_price_is_not_kept(self, name: str, fault: Any, rule: str) -> None:
        answer = parse_group(fault(FEED.name, body_of(f"groups/{name}")), FIXTURE_NOW)
        assert answer.frames["price"].is_empty()
        # With the wrong price go all that the model states, as many entries as before.
        stated = group(name).rows
        assert (answer.rows, answer.refused) == (stated, {rule: stated})
        assert answer.unread == frozenset({name})

    def test_models_and_families_that_come_twice_count_once(self) -> None:
        twice = parse_group(duplicate_rows(FEED.name, body_of("groups/qwen-max")), FIXTURE_NOW)
        assert cells(twice) == cells(group("qwen-max"))
        assert twice.refused == {"named twice": 1}
        index = parse_index(duplicate_rows(FEED.name, body_of("index")), FIXTURE_NOW)
        assert len(index.follow) == 3
        assert index.refused["named twice"] == 3

    def test_an_index_without_families_is_a_fault(self) -> None:
        with pytest.raises(FeedError, match="no family"):
            parse_index(empty_list(FEED.name, body_of("index")), FIXTURE_NOW)


class TestOverHttp:
    @pytest.fixture
    def server(self) -> Iterator[FeedServer]:
        with FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW) as server:
            yield server

    def test_the_index_leads_to_all_prices(self, server: FeedServer) -> None:
        with client_of(server) as client:
            answers = dict(followed(client))
        models = {name for answer in answers.values() for name, _, _ in cells(answer)}
        assert models == {"qwen-max", "qwen3.5-plus"}
        assert {request.feed for request in server.requests} == {"alibaba-list"}
        assert len(server.requests) == 4

    def test_a_family_that_did_not_change_is_not_sent_again(self, server: FeedServer) -> None:
        path = f"{FOLDER}groups/qwen-max.json"
        with client_of(server) as client:
            tag = client.get(path).headers["ETag"]
            assert client.get(path, headers={"If-None-Match": tag}).status_code == 304

    @pytest.mark.parametrize(
        "name",
        ["groups/no-such.json", "groups/deepseek.json", "meta.json", "groups/..%2Findex.json"],
    )
    def test_what_is_not_held_is_a_404(self, server: FeedServer, name: str) -> None:
        with client_of(server) as client:
            assert client.get(f"{FOLDER}{name}").status_code == 404

    def test_a_fault_hits_the_index_first(self, server: FeedServer) -> None:
        server.fault("alibaba-list", "empty-list", last=1)
        with client_of(server) as client, pytest.raises(FeedError, match="no family"):
            list(followed(client))
