"""How Alibaba states prices: types, discounts, units, and what cannot be right."""

from decimal import Decimal
from string import ascii_letters, digits

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.alibaba_list import FOLDER, parse_group, parse_index
from qwenwatch_cache.feeds.money import RefusedPrice, amount_of, kept
from qwenwatch_cache.frames import CATALOG, PRICE, PRICE_TABLE
from tests.cache.alibaba import (
    UNIT,
    Json,
    accounted,
    amounts,
    cells,
    dump,
    family,
    model,
    stated,
)
from tests.feedserver import FIXTURE_NOW

PROPERTY = settings(deadline=None, database=None, max_examples=80)


class TestPriceTypes:
    def test_thinking_prices_are_a_variant(self) -> None:
        answer = family(
            model(
                "q",
                stated("input_token", "0.8"),
                stated("output_token", "2"),
                stated("thinking_input_token", "0.8"),
                stated("thinking_output_token", "8"),
                stated("thinking_output_token_batch", "4"),
            )
        )
        assert cells(answer) == {
            ("q", "", 0): amounts(input="0.8", output="2"),
            ("q", "thinking", 0): amounts(input="0.8", output="8"),
            ("q", "thinking-batch", 0): amounts(output="4"),
        }

    def test_a_model_that_always_thinks_has_its_prices_as_plain_ones(self) -> None:
        prices = [stated("thinking_input_token", "1"), stated("thinking_output_token", "10")]
        answer = family(model("q", *prices, stated("ft", "6")))
        assert cells(answer) == {("q", "", 0): amounts(input="1", output="10")}
        assert answer.refused == {"of a type that has no column": 1}

    def test_the_implicit_cache_counts_before_the_explicit_one_in_any_order(self) -> None:
        implicit, explicit = (
            stated("input_token_cache", "0.2"),
            stated("input_token_cache_read", "1"),
        )
        for both in ([implicit, explicit], [explicit, implicit]):
            answer = family(model("q", *both))
            assert cells(answer) == {("q", "", 0): amounts(cache_read="0.2")}
            assert answer.refused == {"beside a price that counts first": 1}
        assert cells(family(model("q", explicit))) == {("q", "", 0): amounts(cache_read="1")}

    def test_omni_prices_by_what_goes_in_and_comes_out(self) -> None:
        answer = family(
            model(
                "q",
                stated("text_input_token", "0.4"),
                stated("audio_input_token", "25"),
                stated("vision_input_token", "1.5"),
                stated("purein_text_output_token", "1.6"),
                stated("multiin_text_output_token", "4.5"),
                stated("multi_output_token", "50"),
                stated("audio_input_token_cache", "5"),
            )
        )
        assert cells(answer) == {
            ("q", "", 0): amounts(
                input="0.4", output="1.6", audio_input="25", audio_output="50", audio_cache_read="5"
            )
        }
        assert answer.refused == {"of a type that has no column": 2}

    @pytest.mark.parametrize("kind", ["input_token_chat", "video_ratio", "", "batch", "thinking_"])
    def test_a_type_that_is_not_known_is_not_guessed(self, kind: str) -> None:
        answer = family(model("q", stated(kind, "1", priceUnit="每秒")))
        assert answer.frames["price"].is_empty()
        assert answer.refused == {"of a type that has no column": 1}

    def test_a_range_of_something_else_than_the_input_is_left_out(self) -> None:
        prices = [stated("input_token", "1"), stated("output_token", "2")]
        one = {"rangeName": "图片生成数量<=25", "rangeStart": 0, "prices": prices}
        answer = family({"model": "q", "provider": "qwen", "multiPrices": [one]})
        assert answer.frames["price"].is_empty()
        assert (answer.rows, answer.refused) == (2, {"of a range that is not of the input": 2})


class TestDiscount:
    def test_what_is_kept_is_what_is_charged(self) -> None:
        answer = family(
            model("q", stated("input_token", "12", discount=0.5), stated("output_token", "36"))
        )
        assert cells(answer) == {("q", "", 0): amounts(input="6", output="36")}

    def test_it_is_exact(self) -> None:
        # 2.3 × 0.35 is 0.8049999999999999 in floating point.
        answer = family(model("q", stated("output_token_batch_chat", "2.3", discount=0.35)))
        assert cells(answer) == {("q", "batch", 0): amounts(output="0.805")}

    @pytest.mark.parametrize("discount", [0, -0.5, 1.2, 88, 0.001, "NaN", "-Infinity"])
    def test_what_is_no_part_of_a_price_is_refused(self, discount: float | str) -> None:
        answer = family(model("q", stated("input_token", "12", discount=discount)))
        assert answer.refused == {"not a discount": 1}
        assert answer.unread == {"q"}


class TestWrongPrices:
    @pytest.mark.parametrize(
        ("price", "rule"),
        [
            ("80000", "above the bound"),
            ("-0.8", "negative"),
            ("-1", "negative"),
            ("free", "not a number"),
            ("", "not a number"),
            ("NaN", "not a number"),
            ("1e-20", "below the bound"),
        ],
    )
    def test_the_model_is_left_out_and_has_not_vanished(self, price: str, rule: str) -> None:
        good = model("good", stated("input_token", "1"))
        bad = model("bad", stated("input_token", price), stated("output_token", "2"))
        answer = family(good, bad)
        assert set(cells(answer)) == {("good", "", 0)}
        assert answer.refused == {rule: 2}  # both prices of the model
        assert (answer.rows, answer.unread, answer.whole) == (
            3,
            frozenset({"bad"}),
            frozenset({"good"}),
        )
        assert answer.frames["catalog"]["model"].to_list() == ["good", "bad"]

    def test_a_bound_in_yuan(self) -> None:
        assert kept(Decimal(10_000), currency="CNY") == 10_000
        with pytest.raises(RefusedPrice, match="above 10000"):
            kept(Decimal("10000.01"), currency="CNY")
        assert amount_of("1000.01", "CNY") == Decimal("1000.01")
        with pytest.raises(RefusedPrice, match="above 1000 "):
            amount_of("1000.01")

    def test_another_unit_is_named(self) -> None:
        other = stated("input_token", "0.0008", priceUnit="每千tokens")
        answer = family(model("q", other), model("p", stated("input_token", "1")))
        assert answer.refused == {"priced 每千tokens": 1}
        assert set(cells(answer)) == {("p", "", 0)}

    def test_another_unit_in_all_of_a_family_is_another_format(self) -> None:
        models = [model(name, stated("input_token", "1", priceUnit="每千tokens")) for name in "abc"]
        with pytest.raises(FeedError, match=r"3 of 3 prices cannot be right.*每千tokens"):
            family(*models)

    @pytest.mark.parametrize(
        ("spoil", "complaint"),
        [
            ({"price": 2.4}, "price"),
            ({"price": None}, "price"),
            ({"priceUnit": 1}, "priceUnit"),
            ({"type": None}, "type"),
            ({"discount": "half"}, "discount"),
        ],
    )
    def test_a_retyped_field_of_the_only_model_is_named(self, spoil: Json, complaint: str) -> None:
        with pytest.raises(FeedError, match=rf"{complaint} of qwen-x\b"):
            family(model("qwen-x", {**stated("input_token", "1"), **spoil}))

    def test_one_retyped_price_among_many_models_costs_only_its_own(self) -> None:
        good = [model(f"q{n}", stated("input_token", "1")) for n in range(10)]
        answer = family(*good, model("bad", stated("input_token", 1)))
        assert len(cells(answer)) == 10
        assert answer.refused == {"another shape than documented": 1}
        assert (answer.rows, answer.unread) == (11, frozenset({"bad"}))

    def test_other_vendors_and_repeated_models_are_left_out(self) -> None:
        price = stated("input_token", "1")
        answer = family(
            model("qwen-x", price),
            model("qwen-x", stated("input_token", "2")),
            {**model("deepseek-v3", stated("input_token", 1)), "provider": "deepseek"},
        )
        assert cells(answer) == {("qwen-x", "", 0): amounts(input="1")}
        assert answer.refused == {"named twice": 1, "another vendor's model": 1}
        assert answer.rows == 3

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            (b"[]", "object"),
            (b'{"items": []}', "no models"),
            (b'{"item": []}', "items"),
            (b'{"items": [{"provider": "qwen"}]}', "model of model 1 is missing"),
            (b'{"items": [{"provider": "qwen", "model": ""}]}', "model 1"),
            (b"Not Found", "not JSON"),
        ],
    )
    def test_another_shape_is_named(self, body: bytes, complaint: str) -> None:
        with pytest.raises(FeedError, match=complaint):
            parse_group(body, FIXTURE_NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
price_like = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["input_token", "thinking_output_token_batch_chat", "multi_output_token", "ft"]
        ),
        "price": st.sampled_from(["1", "0", "-1", "99999", "1e-30", "1e999999", "x"]) | json_values,
        "priceUnit": st.sampled_from([UNIT, UNIT, "每秒"]),
    },
    optional={"discount": st.floats() | st.sampled_from([0.5, 1e-300, 0.123456789012345])},
)
range_like = st.fixed_dictionaries(
    {
        "rangeName": st.sampled_from(["输入<=32k", "数量"]),
        "rangeStart": st.integers(-1, 10**16),
        "prices": st.lists(price_like, max_size=3),
    }
)
model_like = st.fixed_dictionaries(
    {"model": st.sampled_from(["a", "b", ""]), "provider": st.sampled_from(["qwen", "zhipu-ai"])},
    optional={
        "prices": st.lists(price_like, max_size=4) | json_values,
        "multiPrices": st.lists(range_like, max_size=3) | json_values,
        "contextWindow": st.integers() | json_values,
        "offlineAt": st.text(max_size=30) | st.just("9999-12-31T23:59:59-12:00"),
        "offlineInfo": json_values,
    },
)
index_like = st.fixed_dictionaries(
    {
        "slug": st.text(max_size=10) | st.text("a_./?-", max_size=5),
        "providers": st.just(["qwen"]) | st.lists(st.text(max_size=3)),
        "capabilities": st.just(["TG"]),
    }
)


class TestAnything:
    @PROPERTY
    @given(
        st.binary()
        | json_values.map(dump)
        | st.lists(model_like | json_values, max_size=4).map(lambda rows: dump({"items": rows}))
    )
    def test_a_family_is_read_with_all_accounted_for_or_refused(self, body: bytes) -> None:
        try:
            answer = parse_group(body, FIXTURE_NOW)
        except FeedError:
            return
        assert accounted(answer) == answer.rows
        assert answer.frames["price"].schema == PRICE
        assert answer.frames["catalog"].schema == CATALOG
        key = list(PRICE_TABLE.key)
        assert answer.frames["price"].select(key).is_unique().all()

    @PROPERTY
    @given(
        json_values.map(dump)
        | st.lists(index_like | json_values, max_size=4).map(lambda rows: dump({"families": rows}))
    )
    def test_an_index_leads_nowhere_else_or_is_refused(self, body: bytes) -> None:
        try:
            answer = parse_index(body, FIXTURE_NOW)
        except FeedError:
            return
        assert answer.rows == len(answer.follow) + sum(answer.refused.values())
        for request in answer.follow:
            name = request.path.removeprefix(f"{FOLDER}groups/").removesuffix(".json")
            assert name
            assert set(name) <= {*ascii_letters, *digits, *"._-"}
            assert not name.startswith(".")
