"""Numbers of tokens as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch.quantities import parse_count, parse_part


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("12M", 12_000_000),
        ("12m", 12_000_000),
        ("1.5B", 1_500_000_000),
        ("40k", 40_000),
        ("2T", 2_000_000_000_000),
        ("3_000_000", 3_000_000),
        ("3,000,000", 3_000_000),
        (" 0.5 k ", 500),
        ("17", 17),
        ("0", 0),
    ],
)
def test_counts(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize(
    "text",
    ["", "M", "12 million", "-3", "1e6", "1.5", "0.0001k", "1,00", "12Mk", "٣", "2000T", "60%"],
)
def test_what_is_no_count_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number of tokens"):
        parse_count(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [("60%", 7_200_000), ("7M", 7_000_000), ("0%", 0), ("100 %", 12_000_000), ("0.5%", 60_000)],
)
def test_parts(text: str, part: int) -> None:
    assert parse_part(text, 12_000_000, "a part that is cached") == part


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("101%", "more than 100 %"),
        ("13M", "are more than the 12,000,000"),
        ("0.6", "write a percentage like 60%"),
        ("some", "is not a part that is cached"),
    ],
)
def test_what_is_no_part_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_part(text, 12_000_000, "a part that is cached")


@given(st.integers(0, 10**15))
def test_digits_are_read_back(count: int) -> None:
    assert parse_count(str(count)) == count
    assert parse_count(f"{count:,}") == count
    assert parse_count(f"{count:_}") == count


@given(st.integers(0, 10**15), st.integers(0, 100))
def test_a_percentage_is_a_part_of_the_whole(whole: int, percent: int) -> None:
    part = parse_part(f"{percent}%", whole, "a part")
    assert abs(part * 100 - whole * percent) <= 50
