"""LiteLLM's price file: only first-party list prices, and nothing lost unseen."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds import litellm
from qwenwatch_cache.frames import CATALOG, PRICE, PRICE_FIELDS
from tests.cache.litellm_entries import FLAT, WHEN, answer, prices_of, refused

FIXTURE = Path(__file__).parents[1] / "fixtures" / "feeds" / "litellm.json"


class TestFixture:
    def test_rows_in_are_rows_accounted_for(self) -> None:
        parsed = litellm.parse(FIXTURE.read_bytes(), WHEN)
        assert parsed.rows == len(json.loads(FIXTURE.read_bytes())) == 11
        assert sorted(parsed.frames["catalog"]["model"]) == [
            "claude-sonnet-4-6",
            "dashscope/qwen3-max",
            "deepseek/deepseek-v4-pro",
            "gemini/gemini-2.5-pro",
            "gpt-4",
            "gpt-4o",
            "gpt-5.4",
        ]
        assert refused(parsed) == {
            "documentation, not a model": 1,
            "not a vendor's own provider": 1,  # openrouter/qwen/qwen3-coder
            "another vendor's model": 1,  # dashscope/glm-5.1
            "the same model under two keys": 1,  # deepseek-v4-pro
        }
        assert parsed.unread == frozenset()
        assert parsed.whole is None
        assert parsed.frames["price"].schema == PRICE
        assert parsed.frames["catalog"].schema == CATALOG

    def test_a_row_says_whose_list_price_it_is(self) -> None:
        parsed = litellm.parse(FIXTURE.read_bytes(), WHEN)
        row = parsed.frames["price"].row(
            by_predicate=pl.col("model") == "claude-sonnet-4-6", named=True
        )
        assert row == {
            "feed": "litellm",
            "basis": "list",
            "provider": "anthropic",
            "region": "global",
            "model": "claude-sonnet-4-6",
            "variant": "",
            "tier_from": 0,
            "window_utc": "",
            "currency": "USD",
            **dict.fromkeys(PRICE_FIELDS),
            "input": Decimal(3),
            "output": Decimal(15),
            "cache_read": Decimal("0.3"),
            "cache_write": Decimal("3.75"),
            "listed": True,
            "observed_at": WHEN,
        }
        assert set(prices_of(parsed, "dashscope/qwen3-max", "provider", "region")) == {
            ("dashscope", "intl")
        }

    def test_catalogue(self) -> None:
        catalog = litellm.parse(FIXTURE.read_bytes(), WHEN).frames["catalog"]
        columns = ("name", "context_length", "expires", "created", "open_weights", "usage_slug")
        by_model = {row["model"]: row for row in catalog.to_dicts()}
        assert tuple(by_model["dashscope/qwen3-max"][name] for name in columns) == (
            *("qwen3-max", 258_048, None),
            *(None, None, None),
        )
        assert by_model["gpt-4"]["expires"] == date(2026, 10, 23)

    def test_tiers_of_thresholds_and_of_ladders(self) -> None:
        parsed = litellm.parse(FIXTURE.read_bytes(), WHEN)
        columns = ("tier_from", "input", "output", "cache_read")
        assert prices_of(parsed, "gpt-5.4", *columns) == [
            (0, Decimal("2.5"), Decimal(15), Decimal("0.25")),
            # The cached price has no tier of its own: it stays.
            (272_000, Decimal(5), Decimal("22.5"), Decimal("0.25")),
        ]
        assert prices_of(parsed, "gemini/gemini-2.5-pro", *columns) == [
            (0, Decimal("1.25"), Decimal(10), Decimal("0.125")),
            (200_000, Decimal("2.5"), Decimal(15), Decimal("0.25")),
        ]
        assert prices_of(parsed, "dashscope/qwen3-max", *columns) == [
            (0, Decimal("1.2"), Decimal(6), None),
            (32_000, Decimal("2.4"), Decimal(12), None),
            (128_000, Decimal(3), Decimal(15), None),
        ]

    def test_variants(self) -> None:
        parsed = litellm.parse(FIXTURE.read_bytes(), WHEN)
        assert prices_of(parsed, "gpt-4o", "variant", "input", "output", "cache_read") == [
            ("", Decimal("2.5"), Decimal(10), Decimal("1.25")),
            # What a variant does not state is unknown, not the standard price.
            ("batch", Decimal("1.25"), Decimal(5), None),
            ("priority", Decimal("4.25"), Decimal(17), None),
        ]

    def test_off_peak_hours(self) -> None:
        parsed = litellm.parse(FIXTURE.read_bytes(), WHEN)
        peak = (Decimal("1.32"), Decimal("3.96"), Decimal("0.044"))
        cheap = (Decimal("0.66"), Decimal("1.98"), Decimal("0.022"))
        columns = ("window_utc", "input", "output", "cache_read")
        assert prices_of(parsed, "deepseek/deepseek-v4-pro", *columns) == [
            ("12345 0100-0400", *peak),
            ("12345 0600-1000", *peak),
            ("12345 0000-0100", *cheap),
            ("12345 0400-0600", *cheap),
            ("12345 1000-0000", *cheap),
            ("67 0000-0000", *cheap),
        ]


class TestWhoseModels:
    @pytest.mark.parametrize(
        "provider",
        ["azure", "bedrock", "vertex_ai", "openrouter", "qwencloud", "novita", "OpenAI", None],
    )
    def test_resellers_and_twins_are_refused(self, provider: str | None) -> None:
        parsed = answer(x={**FLAT, "litellm_provider": provider})
        assert refused(parsed) == {"not a vendor's own provider": 1}

    @pytest.mark.parametrize(
        ("key", "provider"),
        [
            ("dashscope/glm-5.1", "dashscope"),
            ("dashscope/deepseek-v4-pro", "dashscope"),
            ("mistral/zai-glm-5", "mistral"),
            ("perplexity/openai/gpt-5.2", "perplexity"),
            ("perplexity/llama-3.1-70b-instruct", "perplexity"),
        ],
    )
    def test_other_makers_models_have_no_list_price(self, key: str, provider: str) -> None:
        parsed = answer(**{key: {**FLAT, "litellm_provider": provider}})
        assert refused(parsed) == {"another vendor's model": 1}

    def test_of_two_keys_the_one_that_names_the_provider_counts(self) -> None:
        entry = {**FLAT, "litellm_provider": "deepseek"}
        parsed = answer(
            **{"deepseek-x": entry, "deepseek/deepseek-x": entry, "deepseek-y": entry},
            **{"perplexity/sonar": {**FLAT, "litellm_provider": "perplexity"}},
            **{"perplexity/perplexity/sonar": {**FLAT, "litellm_provider": "perplexity"}},
        )
        assert set(parsed.frames["price"]["model"]) == {
            *("gpt-4", "deepseek/deepseek-x", "deepseek-y", "perplexity/sonar")
        }
        assert refused(parsed) == {
            "the same model under two keys": 1,
            "another vendor's model": 1,
        }

    @pytest.mark.parametrize(
        ("provider", "key", "name"),
        [
            ("openai", "gpt-4", "gpt-4"),
            ("dashscope", "dashscope/qwen3-max", "qwen3-max"),
            ("gemini", "gemini/gemini-2.5-pro", "gemini-2.5-pro"),
            ("amazon_nova", "amazon-nova/nova-pro-v1", "nova-pro-v1"),
            ("xiaomi_mimo", "xiaomi_mimo/mimo-v2.6-pro", "mimo-v2.6-pro"),
            ("perplexity", "perplexity/perplexity/sonar", "perplexity/sonar"),
        ],
    )
    def test_a_name_is_the_key_without_the_provider(
        self, provider: str, key: str, name: str
    ) -> None:
        assert litellm.name_of(provider, key) == name


class TestDrift:
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"{}", "holds no models; that is a fault"),
            (b"[]", "another shape than documented"),
            (b"<!DOCTYPE html>", "a web page instead of JSON"),
            (b"", "an empty body"),
            (b'{"gpt-4": {"litellm_prov', "is cut off"),
            (b'{"x": {"litellm_provider": "novita"}}', "names no vendor that this program knows"),
            (b'{"x": {"provider": "openai"}}', "names no vendor that this program knows"),
            (b'{"x": 1}', "1 of 1 rows have another shape"),
        ],
    )
    def test_another_answer_is_an_error_that_says_so(self, body: bytes, message: str) -> None:
        with pytest.raises(FeedError, match=message):
            litellm.parse(body, WHEN)

    @pytest.mark.parametrize("field", ["input_cost_per_token", "output_cost_per_token"])
    def test_a_renamed_price_field_is_named(self, field: str) -> None:
        body = FIXTURE.read_text(encoding="utf-8").replace(f'"{field}"', '"cost"')
        with pytest.raises(FeedError, match=f"no entry has the field {field};"):
            litellm.parse(body.encode(), WHEN)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("max_input_tokens", "many"), ("deprecation_date", 20261023), ("max_tokens", -1)],
    )
    def test_one_bad_row_costs_itself_only(self, field: str, value: Any) -> None:
        good = {f"m{n}": FLAT for n in range(10)}
        parsed = answer(**good, x={**FLAT, field: value})
        assert refused(parsed) == {"another shape than documented": 1}
        assert parsed.unread == {"x"}
        assert parsed.frames["price"].height == 11
        assert [note.partition(" is ")[0] for note in parsed.notes] == [f"{field} of x"]
        several = {f"x{n}": {**FLAT, field: value} for n in range(3)}
        with pytest.raises(FeedError, match=f"rows have another shape.*{field} of x0"):
            answer(**good, **several)

    def test_a_row_that_names_no_provider_rightly_may_be_anyones(self) -> None:
        good = {f"m{n}": FLAT for n in range(10)}
        parsed = answer(**good, x={"litellm_provider": 7})
        assert refused(parsed) == {"another shape than documented": 1}
        assert parsed.unread == {"x"}

    def test_fields_of_no_use_may_be_anything(self) -> None:
        parsed = answer(x={**FLAT, "mode": 7, "supports_vision": "yes", "metadata": [None]})
        assert refused(parsed) == {}

    @pytest.mark.parametrize(
        ("fields", "context", "expires"),
        [
            ({"max_input_tokens": 200000.0, "max_tokens": 8192}, 200_000, None),
            ({"max_tokens": 8192}, 8192, None),
            ({"max_input_tokens": 0}, None, None),
            ({"deprecation_date": "soon"}, None, None),
            ({"deprecation_date": "2026-12-31"}, None, date(2026, 12, 31)),
        ],
    )
    def test_context_and_last_day(self, fields: Any, context: int | None, expires: Any) -> None:
        catalog = answer(x={**FLAT, **fields}).frames["catalog"].filter(pl.col("model") == "x")
        assert catalog.select("context_length", "expires").rows() == [(context, expires)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
PRICED = [
    "input_cost_per_token",
    "output_cost_per_token",
    "input_cost_per_token_above_200k_tokens",
    "output_cost_per_token_batches",
    "tiered_pricing",
    "off_peak_pricing",
    "max_input_tokens",
    "max_tokens",
    "deprecation_date",
]
ENTRIES = st.builds(
    lambda fields, provider: {**fields, "litellm_provider": provider},
    st.dictionaries(
        st.sampled_from(PRICED), JSON | st.floats(0, 1e-3) | st.sampled_from(["1e-6", "NaN"])
    ),
    st.sampled_from(["openai", "dashscope", "novita", None]),
)


@given(body=JSON | st.dictionaries(st.sampled_from(["sample_spec", "a", "b/c"]), ENTRIES | JSON))
@example(body={"a": {**FLAT, "input_cost_per_token": 10**400}})
def test_any_json_is_read_or_refused(body: Any) -> None:
    try:
        parsed = litellm.parse(json.dumps(body).encode(), WHEN)
    except FeedError:
        return
    assert parsed.rows == parsed.frames["catalog"].height + sum(parsed.refused.values())


@given(entries=st.dictionaries(st.text(max_size=8), ENTRIES, max_size=8))
def test_any_entries_beside_a_sound_one_are_accounted_for(entries: dict[str, Any]) -> None:
    try:
        parsed = litellm.parse(json.dumps({**entries, "gpt-4": FLAT}).encode(), WHEN)
    except FeedError:
        return
    assert parsed.rows == parsed.frames["catalog"].height + sum(parsed.refused.values())
    assert set(parsed.frames["price"]["model"]) == set(parsed.frames["catalog"]["model"])
    assert not parsed.unread & set(parsed.frames["price"]["model"])


def test_the_feed_asks_one_address_once_a_day() -> None:
    assert litellm.FEED.floor == timedelta(days=1)
    assert [one.path for one in litellm.FEED.plan(WHEN, [])] == [
        "/BerriAI/litellm/main/model_prices_and_context_window.json"
    ]
    assert litellm.FEED.citation.format(as_of="2026-11-18") == (
        "Prices: LiteLLM, MIT, as of 2026-11-18"
    )
