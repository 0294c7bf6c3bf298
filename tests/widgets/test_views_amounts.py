"""Numbers, dates and ages as people read them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_widgets.views import amounts

T, B = 10**12, 10**9
PROPERTY = settings(deadline=None, database=None, max_examples=100)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, 0, "–"),
        (0, 0, "0"),
        (0, T, "0"),
        (7, 0, "7"),
        (999, 0, "999"),
        (1_000, 0, "1.00k"),
        (1_234_567, 0, "1.23M"),
        (530_310_000_000, 0, "530.31B"),
        (530_310_000_000, T, "0.53T"),  # stays in its column's unit
        (9_999_999_999, T, "10.00B"),  # below a hundredth of it: its own
        (19_774_000_000_000, T, "19.77T"),
        (1_500 * T, 0, "1500.00T"),
        (999_994, 0, "999.99k"),
        (999_999, 0, "1.00M"),  # not 1000.00k
        (999_999_999_999, 0, "1.00T"),
    ],
)
def test_tokens(value: int | None, unit: int, text: str) -> None:
    assert amounts.tokens(value, unit) == text


@pytest.mark.parametrize(
    ("values", "unit"),
    [([], 0), ([None], 0), ([5, None], 0), ([2 * T, 5, None], T), ([3 * B, 7], B), ([1000], 1000)],
)
def test_unit_of_a_column(values: list[int | None], unit: int) -> None:
    assert amounts.unit_of(values) == unit


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "–"),
        (0.0, "0.0 %"),
        (0.0004, "<0.1 %"),
        (0.0005, "0.1 %"),
        (0.2617, "26.2 %"),
        (1.0, "100.0 %"),
    ],
)
def test_percent(share: float | None, text: str) -> None:
    assert amounts.percent(share) == text


@pytest.mark.parametrize(
    ("change", "text"),
    [(None, "–"), (0.0, "0.0"), (-0.0001, "0.0"), (0.0064, "+0.6"), (-0.15, "-15.0")],
)
def test_points(change: float | None, text: str) -> None:
    assert amounts.points(change) == text


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (None, 5, ""),
        (5, None, ""),
        (5, 0, ""),  # no growth from nothing
        (1091, 1000, "+9.1 %"),
        (500, 1000, "-50.0 %"),
        (0, 1000, "-100.0 %"),
    ],
)
def test_growth(now: int | None, before: int | None, text: str) -> None:
    assert amounts.growth(now, before) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "–"),
        ("0", "0.00"),  # a price of 0 is not an unknown one
        ("0.000000000000", "0.00"),
        ("30", "30.00"),
        ("1.6", "1.60"),
        ("4.16", "4.16"),
        ("2.936", "2.94"),
        ("0.26", "0.26"),
        ("0.0345", "0.0345"),
        ("0.02", "0.02"),
        ("0.083333333333", "0.0833"),
        ("0.000001", "0.000001"),
        ("0.9999", "1.00"),
        ("0.0000000001", "0.0000000001"),  # not in the E notation, and not 1.00E-1
        ("600", "600.00"),
    ],
)
def test_money(amount: str | None, text: str) -> None:
    assert amounts.money(None if amount is None else Decimal(amount)) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0"),
        ("0.26", "0.26"),
        ("0.0345", "0.035"),
        ("1", "1"),
        ("1.04", "1"),
        ("4.16", "4.2"),
        ("12.5", "13"),
        ("30", "30"),
        ("600", "600"),
    ],
)
def test_short_money(amount: str, text: str) -> None:
    assert amounts.short_money(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0.00×"),
        (0.65, "0.65×"),
        (0.97, "0.97×"),  # 3 % cheaper is not "1.0×"
        (0.999, "1.0×"),
        (1.0, "1.0×"),
        (16.6667, "16.7×"),
        (22.727, "22.7×"),
        (1234.5, "1,234×"),
    ],
)
def test_ratio(value: float | None, text: str) -> None:
    assert amounts.ratio(value) == text


def test_decimal_points_line_up() -> None:
    assert amounts.on_point(["1.00", "0.0345", "–", "30.00"]) == [
        "1.00  ",
        "0.0345",
        "–     ",
        "30.00  ",
    ]
    assert amounts.on_point(["–", "–"]) == ["–", "–"]
    assert amounts.on_point([]) == []


@pytest.mark.parametrize(
    ("grain", "start", "end", "text"),
    [
        ("day", "2026-08-21", "2026-08-21", "day Fri 21 Aug 2026"),
        ("week", "2026-08-10", "2026-08-16", "week 10–16 Aug 2026"),
        ("week", "2026-07-27", "2026-08-02", "week 27 Jul–2 Aug 2026"),
        ("week", "2025-12-29", "2026-01-04", "week 29 Dec 2025–4 Jan 2026"),
        ("month", "2026-08-01", "2026-08-31", "month Aug 2026"),
    ],
)
def test_windows(grain: str, start: str, end: str, text: str) -> None:
    assert amounts.window(grain, date.fromisoformat(start), date.fromisoformat(end)) == text


def test_instants() -> None:
    assert amounts.instant(datetime(2026, 8, 22, 0, 5, 59, tzinfo=UTC)) == "2026-08-22 00:05Z"
    assert amounts.instant(None) == "–"


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (None, "–"),
        (-5, "0 min"),  # a clock that went back
        (0, "0 min"),
        (59.9, "59 min"),
        (60, "1 h"),
        (24 * 60 - 1, "23 h"),
        (24 * 60, "1 d"),
        (24 * 60 * 24 * 60, "48 mo"),
    ],
)
def test_ages(minutes: float | None, text: str) -> None:
    assert amounts.age(None if minutes is None else timedelta(minutes=minutes)) == text


def test_nothing_that_a_terminal_could_obey_is_left() -> None:
    hostile = "a\x1b[31mb\x07c\r\nd\u202ee\u200bf\x9b2Jg"
    assert amounts.clean(hostile) == "a[31mbcdef2Jg"
    assert amounts.clean("通义千问 · Qwen (é)") == "通义千问 · Qwen (é)"


@PROPERTY
@given(st.text())
def test_clean_text_is_printable_and_stays_as_it_is(text: str) -> None:
    cleaned = amounts.clean(text)
    assert cleaned.isprintable()
    assert amounts.clean(cleaned) == cleaned
    assert cleaned == text or not text.isprintable()


@PROPERTY
@given(st.decimals(0, 1000, places=12))
def test_money_is_never_rounded_to_nothing(amount: Decimal) -> None:
    shown = Decimal(amounts.money(amount))
    assert (shown == 0) == (amount == 0)
    assert abs(shown - amount) <= (Decimal("0.005") if amount >= 1 else amount / 100)


@PROPERTY
@given(st.integers(0, 10**16), st.sampled_from([0, 10**3, 10**6, B, T]))
def test_tokens_are_within_half_of_the_last_digit(value: int, unit: int) -> None:
    text = amounts.tokens(value, unit)
    size = {"k": 10**3, "M": 10**6, "B": B, "T": T}.get(text[-1], 1)
    number = Decimal(text.rstrip("kMBT"))
    assert abs(number * size - value) <= Decimal(size) / 200 + Decimal(size) / 10**9
    assert size == 1 or size == T or number < 1000
