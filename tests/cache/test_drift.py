"""What is wrong with a body is said by field and row; where that is fair the rest is kept."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.feeds.feed import Parsed, decode, decode_each
from qwenwatch_cache.feeds.shape import LONGEST_NAME, describe
from tests.feedserver import FIXTURE_NOW, FixtureBodies


class _Pricing(msgspec.Struct):
    prompt: Decimal
    image: str | None = None


class _Model(msgspec.Struct):
    id: str
    pricing: _Pricing
    context: int | None = None
    tags: list[str] = []
    prices: dict[str, _Pricing] = {}
    days: dict[int, int] = {}
    open: bool = False


ROW = "qwen/qwen3-max"
GOOD: dict[str, Any] = {"id": ROW, "pricing": {"prompt": "0.1"}}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"pricing": {"prompt": [1]}}, f"pricing.prompt of {ROW} is a list, expected a number"),
    ({"pricing": {"prompt": {}}}, f"pricing.prompt of {ROW} is an object, expected a number"),
    ({"pricing": {"prompt": True}}, f"pricing.prompt of {ROW} is true or false, expected a number"),
    ({"pricing": {}}, f"pricing.prompt of {ROW} is missing"),
    ({"pricing": None}, f"pricing of {ROW} is null, expected an object"),
    ({"pricing": [1]}, f"pricing of {ROW} is a list, expected an object"),
    (
        {"pricing": {"prompt": "1", "image": 3}},
        f"pricing.image of {ROW} is a whole number, expected a text or null",
    ),
    ({"context": "long"}, f"context of {ROW} is a text, expected a whole number or null"),
    ({"context": 1.5}, f"context of {ROW} is a number, expected a whole number or null"),
    ({"tags": "a"}, f"tags of {ROW} is a text, expected a list"),
    ({"tags": ["a", 2]}, f"tags[1] of {ROW} is a whole number, expected a text"),
    ({"prices": {"us": {}}}, f"prices[...].prompt of {ROW} is missing"),
    ({"days": {"x": 1}}, f"a key of days of {ROW} is a text, expected a whole number"),
    ({"open": 1}, f"open of {ROW} is a whole number, expected true or false"),
]


def wrong(change: dict[str, Any]) -> msgspec.ValidationError:
    with pytest.raises(msgspec.ValidationError) as failure:
        msgspec.json.decode(json.dumps(GOOD | change), type=_Model)
    return failure.value


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_the_field_the_row_and_both_types(change: dict[str, Any], said: str) -> None:
    assert describe(wrong(change), ROW) == said


def test_without_a_row_the_field_alone() -> None:
    assert describe(wrong({"pricing": {}})) == "pricing.prompt is missing"


@pytest.mark.parametrize(
    ("body", "found"), [(b"[]", "a list"), (b'"x"', "a text"), (b"null", "null"), (b"true", "true")]
)
def test_the_whole_answer(body: bytes, found: str) -> None:
    with pytest.raises(FeedError) as failure:
        decode("f", body, _Model)
    said = str(failure.value)
    assert said.startswith(
        f"f: the answer has another shape than documented: the answer is {found}"
    )
    assert said.endswith(", expected an object")


def test_a_row_that_is_none_at_all() -> None:
    with pytest.raises(msgspec.ValidationError) as failure:
        msgspec.json.decode(b"3", type=_Model)
    assert describe(failure.value, "row 7") == "row 7 is a whole number, expected an object"


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_described_within_bounds(text: str, row: str) -> None:
    said = describe(ValueError(text), row)
    assert 0 < len(said) <= len(text) + LONGEST_NAME + 30


def test_a_row_with_a_huge_name_is_cut() -> None:
    said = describe(wrong({"pricing": {}}), "x" * 10_000)
    assert said == f"pricing.prompt of {'x' * LONGEST_NAME} is missing"


def test_one_bad_row_is_named_and_the_others_kept() -> None:
    rows = [(f"m{one}", msgspec.Raw(json.dumps(GOOD).encode())) for one in range(20)]
    rows[7] = ("m7", msgspec.Raw(b'{"id": "m7", "pricing": {"prompt": {}}}'))
    good, bad = decode_each("f", rows, _Model)
    assert [name for name, _ in good] == [f"m{one}" for one in range(20) if one != 7]
    assert bad == [("m7", "pricing.prompt of m7 is an object, expected a number")]


def test_more_than_a_tenth_is_another_format() -> None:
    rows = [(f"m{one}", msgspec.Raw(json.dumps(GOOD).encode())) for one in range(20)]
    rows[:3] = [(f"m{one}", msgspec.Raw(b'{"id": "x"}')) for one in range(3)]
    with pytest.raises(FeedError, match=r"f: 3 of 20 rows .* the first: pricing of m0 is missing"):
        decode_each("f", rows, _Model)


MODELS = "openrouter-models"


def models() -> list[dict[str, Any]]:
    """The fixture's models several times over: one bad row is less than a tenth."""
    body = FixtureBodies().document(MODELS)
    assert body is not None
    rows: list[dict[str, Any]] = json.loads(body)["data"]
    extra = [row | {"id": f"{row['id']}-{copy}"} for copy in range(5) for row in rows]
    return [*rows, *extra]


def parsed(rows: list[dict[str, Any]]) -> Parsed:
    [request] = FEEDS[MODELS].plan(FIXTURE_NOW, [])
    return request.parse(json.dumps({"data": rows}).encode(), FIXTURE_NOW)


def test_the_documented_example() -> None:
    rows = models()
    model, good = rows[0]["id"], parsed(rows)
    rows[0]["pricing"] = rows[0]["pricing"] | {"prompt": ["0.1"]}
    answer = parsed(rows)
    assert answer.notes == (f"pricing.prompt of {model} is a list, expected a text",)
    assert sum(answer.refused.values()) == sum(good.refused.values()) + 1
    assert set(answer.frames["price"]["model"]) == set(good.frames["price"]["model"]) - {model}
    assert model in answer.unread


def test_where_too_many_are_wrong_the_answer_is_refused_by_name() -> None:
    rows = models()
    for row in rows:
        row["pricing"] = row["pricing"] | {"prompt": ["0.1"]}
    with pytest.raises(FeedError) as failure:
        parsed(rows)
    assert str(failure.value) == (
        f"openrouter-models: {len(rows)} of {len(rows)} rows have another shape than documented, "
        f"the first: pricing.prompt of {rows[0]['id']} is a list, expected a text"
    )


def test_extra_fields_are_ignored() -> None:
    rows = [row | {"never_seen": {"deep": [1]}} for row in models()]
    assert parsed(rows).frames["price"].equals(parsed(models()).frames["price"])
