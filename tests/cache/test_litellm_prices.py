"""The prices of one entry of LiteLLM's file: exact, tiered, by variant and by hour, or refused."""

import re
from decimal import Decimal
from typing import Any

import pytest

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds import litellm
from tests.cache.litellm_entries import FLAT, WHEN, answer, prices_of, refused, sold


class TestAmounts:
    def test_every_field_has_its_column(self) -> None:
        stated = {
            "input_cost_per_token": ("input", 1),
            "output_cost_per_token": ("output", 2),
            "cache_read_input_token_cost": ("cache_read", 3),
            "cache_creation_input_token_cost": ("cache_write", 4),
            "cache_creation_input_token_cost_above_1hr": ("cache_write_1h", 5),
            "output_cost_per_reasoning_token": ("reasoning", 6),
            "input_cost_per_audio_token": ("audio_input", 7),
            "output_cost_per_audio_token": ("audio_output", 8),
            "cache_read_input_audio_token_cost": ("audio_cache_read", 9),
            "output_cost_per_image_token": ("image_output", 10),
        }
        fields: dict[str, float] = {key: n / 1_000_000 for key, (_, n) in stated.items()}
        parsed = answer(x=sold(**fields, input_cost_per_request=0.005))
        columns = [column for column, _ in stated.values()]
        assert prices_of(parsed, "x", *columns, "request") == [
            (*(Decimal(n) for _, n in stated.values()), Decimal("0.005"))
        ]

    def test_an_older_name_counts_where_the_newer_is_missing(self) -> None:
        flat = sold(input_cost_per_token=1e-6, output_cost_per_token=2e-6)
        parsed = answer(
            old={**flat, "input_cost_per_token_cache_hit": 1e-7},
            both={
                **flat,
                "input_cost_per_token_cache_hit": 1e-7,
                "cache_read_input_token_cost": 2e-7,
            },
        )
        assert prices_of(parsed, "old", "cache_read") == [(Decimal("0.1"),)]
        assert prices_of(parsed, "both", "cache_read") == [(Decimal("0.2"),)]

    def test_no_float_comes_near(self) -> None:
        body = (
            b'{"a": {"litellm_provider": "openai", "input_cost_per_token": 1.6e-06,'
            b' "output_cost_per_token": 0.00000110}}'
        )
        parsed = litellm.parse(body, WHEN)
        assert prices_of(parsed, "a", "input", "output") == [(Decimal("1.6"), Decimal("1.1"))]

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"input_cost_per_character": 1.5e-05},
            {"output_cost_per_image": 0.04},
            # Of an image put in, of one made, or of a token of one: the field states all three.
            {"input_cost_per_image": 0.04},
            {"input_cost_per_token": 0.0, "output_cost_per_token": 0},
            {"input_cost_per_token": None, "output_cost_per_token": None},
            {"input_cost_per_query": 0.002, "input_cost_per_token": 0.0},
            {"input_cost_per_token_ultrafast": 6e-05, "output_cost_per_token_ultrafast": 3e-04},
        ],
    )
    def test_no_price_per_token_is_no_price(self, fields: dict[str, Any]) -> None:
        parsed = answer(x=sold(**fields))
        assert refused(parsed) == {"no price per token stated": 1}
        assert parsed.frames["price"]["model"].to_list() == ["gpt-4"]
        # It is what the feed says: such an entry has been read.
        assert parsed.unread == frozenset()

    def test_a_missing_price_is_unknown_and_a_stated_0_stays(self) -> None:
        parsed = answer(
            image=sold(input_cost_per_token=5e-06),
            embedding=sold(input_cost_per_token=1e-07, output_cost_per_token=0.0),
        )
        assert prices_of(parsed, "image", "input", "output") == [(Decimal(5), None)]
        assert prices_of(parsed, "embedding", "input", "output") == [(Decimal("0.1"), Decimal(0))]

    @pytest.mark.parametrize(
        ("amount", "rule"),
        [
            (-1e-06, "negative"),
            (2.16e-03, "above the bound"),
            ("NaN", "not a number"),
            ("cheap", "another shape than documented"),
            (True, "another shape than documented"),
            ([1e-06], "another shape than documented"),
            (1e-30, "below the bound"),
        ],
    )
    @pytest.mark.parametrize(
        "key",
        [
            "input_cost_per_token",
            "cache_read_input_token_cost",
            "output_cost_per_token_above_200k_tokens",
            "input_cost_per_token_batches",
        ],
    )
    def test_a_wrong_amount_refuses_its_model_only(self, key: str, amount: Any, rule: str) -> None:
        parsed = answer(x={**FLAT, key: amount})
        assert refused(parsed) == {rule: 1}
        assert parsed.unread == {"x"}
        assert parsed.frames["price"]["model"].to_list() == ["gpt-4"]
        assert parsed.frames["catalog"]["model"].to_list() == ["gpt-4"]

    def test_the_bound_is_1000_dollars_and_belongs_to_what_may_be(self) -> None:
        parsed = answer(
            most=sold(input_cost_per_token=1e-03, output_cost_per_token=1e-03),
            more=sold(input_cost_per_token=1.000001e-03, output_cost_per_token=1e-03),
        )
        assert prices_of(parsed, "most", "input") == [(Decimal(1000),)]
        assert parsed.unread == {"more"}

    def test_many_wrong_prices_are_another_unit(self) -> None:
        wrong = {f"m{n}": sold(input_cost_per_token=1.0, output_cost_per_token=2) for n in range(3)}
        with pytest.raises(FeedError, match="3 of 4 prices cannot be right, the first: m0: "):
            answer(**wrong)


class TestTiers:
    @pytest.mark.parametrize(
        ("steps", "detail"),
        [
            ([], "no steps"),
            ([{"range": [0, 1]}], "the step from 0 states no price of input and output"),
            ([(32, 64)], "a step from 32 to 64 after 0"),
            ([(0, 32), (64, 128)], "a step from 64 to 128 after 32"),
            ([(0, 32), (16, 128)], "a step from 16 to 128 after 32"),
            ([(0, 32), (0, 32)], "a step from 0 to 32 after 32"),
            ([(0, 32), (32, 32)], "a step from 32 to 32 after 32"),
            ([(0, 32.5), (32.5, 64)], "a step from 32 to 64 after 32"),
        ],
    )
    def test_a_ladder_with_gaps_or_overlaps_refuses_its_model(
        self, steps: list[Any], detail: str
    ) -> None:
        ladder = [
            {"range": list(step), "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
            if isinstance(step, tuple)
            else step
            for step in steps
        ]
        parsed = answer(x=sold(tiered_pricing=ladder))
        assert refused(parsed) == {"unclear ladder of tiers": 1}
        assert parsed.unread == {"x"}
        # Named where several of them refuse the whole answer.
        many = {f"x{n}": sold(tiered_pricing=ladder) for n in range(3)}
        with pytest.raises(FeedError, match=re.escape(f"x0: {detail}")):
            answer(**many)

    @pytest.mark.parametrize(
        "ladder",
        [
            {},
            "0-32",
            [1],
            [{}],
            [{"range": [0]}],
            [{"range": [0, 1, 2]}],
            [{"range": ["0", "1"]}],
            [{"range": [-1, 1]}],
        ],
    )
    def test_a_ladder_of_another_shape_refuses_its_model(self, ladder: Any) -> None:
        parsed = answer(x={**FLAT, "tiered_pricing": ladder})
        assert refused(parsed) == {"another shape than documented": 1}
        assert parsed.unread == {"x"}

    def test_steps_inherit_nothing_and_replace_the_flat_price(self) -> None:
        ladder = [
            {
                "range": [0, 256000.0],
                "input_cost_per_token": 1e-6,
                "output_cost_per_token": 2e-6,
                "cache_read_input_token_cost": 1e-7,
            },
            {
                "range": [256000.0, 1e6],
                "input_cost_per_token": 3e-6,
                "output_cost_per_token": 4e-6,
                "output_cost_per_reasoning_token": 5e-6,
            },
        ]
        parsed = answer(x={**FLAT, "tiered_pricing": ladder})
        columns = ("tier_from", "input", "output", "cache_read", "reasoning")
        assert prices_of(parsed, "x", *columns) == [
            (0, Decimal(1), Decimal(2), Decimal("0.1"), None),
            (256_000, Decimal(3), Decimal(4), None, Decimal(5)),
        ]

    def test_variants_have_tiers_of_their_own(self) -> None:
        parsed = answer(
            x={
                **FLAT,
                "input_cost_per_token_above_100k_tokens": 4e-05,
                "input_cost_per_token_batches": 1e-05,
                "output_cost_per_token_batches": 2e-05,
                "output_cost_per_token_above_100k_tokens_batches": 3e-05,
                "input_cost_per_token_flex": 1e-05,
                "input_cost_per_token_above_100k_tokens_priority": 1e-05,
            }
        )
        assert prices_of(parsed, "x", "variant", "tier_from", "input", "output") == [
            ("", 0, Decimal(30), Decimal(60)),
            ("", 100_000, Decimal(40), Decimal(60)),
            ("batch", 0, Decimal(10), Decimal(20)),
            ("batch", 100_000, Decimal(10), Decimal(30)),
            # Flex and priority do not state both prices.
        ]


EVENING = {"hours_utc": "16:00-00:00", "input_cost_per_token": 1e-05}


class TestOffPeak:
    def test_it_replaces_what_it_states_in_every_tier_of_the_standard_price(self) -> None:
        parsed = answer(
            x={
                **FLAT,
                "input_cost_per_token_above_200k_tokens": 4e-05,
                "input_cost_per_token_batches": 2e-05,
                "output_cost_per_token_batches": 3e-05,
                "off_peak_pricing": EVENING,
            }
        )
        columns = ("variant", "tier_from", "window_utc", "input", "output")
        assert prices_of(parsed, "x", *columns) == [
            ("", 0, "0000-1600", Decimal(30), Decimal(60)),
            ("", 0, "1600-0000", Decimal(10), Decimal(60)),
            ("", 200_000, "0000-1600", Decimal(40), Decimal(60)),
            ("", 200_000, "1600-0000", Decimal(10), Decimal(60)),
            ("batch", 0, "", Decimal(20), Decimal(30)),
        ]

    @pytest.mark.parametrize(
        ("block", "rule"),
        [
            ("16:00-00:00", "another shape than documented"),
            ({"hours_utc": 16}, "another shape than documented"),
            ({"hours_utc": "16-00"}, "unclear off-peak hours"),
            ({"input_cost_per_token": 1e-05}, "unclear off-peak hours"),
            ({**EVENING, "output_cost_per_token": -1}, "negative"),
            ({**EVENING, "output_cost_per_token": 1}, "above the bound"),
        ],
    )
    def test_a_malformed_block_refuses_its_model(self, block: Any, rule: str) -> None:
        parsed = answer(x={**FLAT, "off_peak_pricing": block})
        assert refused(parsed) == {rule: 1}
        assert parsed.unread == {"x"}
