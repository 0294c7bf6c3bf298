"""Exchange rates against the ECB's own file, read a second time; prices converted at them."""

import csv
import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.feeds.ecb_fx import EARLIEST, parse_history
from qwenwatch_cache.frames import FX
from qwenwatch_cache.market.conversion import AMOUNTS, CONVERTED, converted
from qwenwatch_cache.market.prices import PRICES
from qwenwatch_cache.market.rates import Rates

WHEN = datetime(2026, 10, 30, 18, tzinfo=UTC)
PROPERTY = settings(deadline=None, database=None, max_examples=60)
GEMINI, QWEN = "google/gemini-3-pro-preview", "alibaba/qwen3.5-plus"
Table = Mapping[date, Mapping[str, Decimal]]


@pytest.fixture(scope="module")
def packed(recordings: Path) -> bytes:
    return (recordings / "prices/fx/eurofxref-hist_2026-10-30.zip").read_bytes()


@pytest.fixture(scope="module")
def table(packed: bytes) -> Table:
    """The file in plain Python: units for a euro by day and currency."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        text = archive.read("eurofxref-hist.csv").decode()
    return {
        date.fromisoformat(row["Date"]): {
            name: Decimal(row[name]) for name in ("USD", "CNY") if row[name] != "N/A"
        }
        for row in csv.DictReader(io.StringIO(text))
        if row["Date"] >= EARLIEST.isoformat()
    }


@pytest.fixture(scope="module")
def rates(packed: bytes) -> Rates:
    return Rates(parse_history(packed, WHEN).frames["fx"])


def stated(rows: Mapping[tuple[date, str], str | Decimal]) -> Rates:
    """Rates of some days and currencies, for a euro."""
    frame = [
        {
            **{"feed": "ecb-fx", "date": day, "base": "EUR", "quote": quote},
            **{"rate": Decimal(rate), "observed_at": WHEN},
        }
        for (day, quote), rate in rows.items()
    ]
    return Rates(pl.DataFrame(frame, schema=FX))


def value(rates: Rates, base: str, quote: str, day: date) -> Decimal:
    rate = rates.rate(base, quote, day)
    assert rate is not None
    return rate.value


class TestRates:
    def test_every_banking_day_of_the_file(self, rates: Rates, table: Table) -> None:
        assert len(table) > 900
        for day, of_day in table.items():
            rate = rates.rate("USD", "CNY", day)
            assert rate is not None
            assert (rate.value, rate.date) == (of_day["CNY"] / of_day["USD"], day)
            assert rate.feed == "ecb-fx"
            assert value(rates, "EUR", "CNY", day) == of_day["CNY"]
            assert value(rates, "CNY", "EUR", day) == 1 / of_day["CNY"]

    @pytest.mark.parametrize(
        ("day", "expected"),
        [("2026-02-18", "6.9087"), ("2026-10-30", "6.6529"), ("2025-12-31", "7.0010")],
    )
    def test_the_rates_that_claims_are_judged_by(
        self, rates: Rates, day: str, expected: str
    ) -> None:
        rate = value(rates, "USD", "CNY", date.fromisoformat(day))
        assert round(rate, 4) == Decimal(expected)

    def test_other_days_have_the_rate_of_the_last_banking_day(
        self, rates: Rates, table: Table
    ) -> None:
        last = None
        for number in range((date(2026, 10, 30) - min(table)).days):
            day = min(table) + timedelta(days=number)
            last = day if day in table else last
            rate = rates.rate("USD", "CNY", day)
            assert rate is not None and rate.date == last
        saturday = rates.rate("USD", "CNY", date(2026, 2, 21))
        assert saturday is not None and saturday.date == date(2026, 2, 20)

    def test_before_the_first_day_there_is_none(self, rates: Rates, table: Table) -> None:
        for pair in (("USD", "CNY"), ("EUR", "USD"), ("CNY", "EUR")):
            assert rates.rate(*pair, min(table) - timedelta(days=1)) is None

    def test_a_currency_that_nobody_states_has_none(self, rates: Rates) -> None:
        assert rates.rate("USD", "XTS", date(2026, 2, 18)) is None

    def test_both_rates_are_of_one_day(self) -> None:
        monday, tuesday = date(2026, 2, 16), date(2026, 2, 17)
        rates = stated({(monday, "USD"): "1.25", (monday, "CNY"): "8", (tuesday, "USD"): "1.6"})
        rate = rates.rate("USD", "CNY", tuesday)
        assert rate is not None
        assert (rate.value, rate.date) == (Decimal("6.4"), monday)

    @PROPERTY
    @given(
        rows=st.dictionaries(
            st.tuples(
                st.dates(date(2026, 1, 1), date(2026, 1, 12)), st.sampled_from(["USD", "CNY"])
            ),
            st.decimals("0.5", "9", places=4),
            max_size=12,
        ),
        day=st.dates(date(2025, 12, 30), date(2026, 1, 14)),
    )
    def test_holes_give_no_rate_or_an_older_one(
        self, rows: dict[tuple[date, str], Decimal], day: date
    ) -> None:
        both = [one for one, _ in rows if one <= day and {(one, "USD"), (one, "CNY")} <= set(rows)]
        rate = stated(rows).rate("USD", "CNY", day)
        if not both:
            assert rate is None
        else:
            newest = max(both)
            assert rate is not None and rate.date == newest
            assert rate.value == rows[newest, "CNY"] / rows[newest, "USD"]


def offer(model: str, currency: str, price: str | None, **more: Any) -> Mapping[str, Any]:
    """A list price whose four amounts are the same."""
    amount = None if price is None else Decimal(price)
    return {
        **dict.fromkeys(PRICES),
        **{"model": model, "basis": "list", "feed": "f", "region": "global", "variant": ""},
        **{"currency": currency, "cross_check": False, "provider": "p"},
        **dict.fromkeys(AMOUNTS, amount),
        **more,
    }


def convert(rates: Rates, baseline: str, *rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    frame = converted(pl.DataFrame(rows, schema=PRICES), baseline, "USD", rates, date(2026, 2, 18))
    assert frame.schema == CONVERTED
    return frame.to_dicts()


class TestConversion:
    RATES = stated({(date(2026, 2, 18), "USD"): "1.25", (date(2026, 2, 18), "CNY"): "8.75"})

    def test_amounts_stand_beside_the_stated_ones_with_their_rate(self) -> None:
        yuan, dollars = convert(
            self.RATES,
            GEMINI,
            offer(QWEN, "CNY", "14", region="cn"),
            offer(GEMINI, "USD", "4", ratio_input=1.0),
        )
        assert (yuan["input"], yuan["currency"]) == (14, "CNY")
        # 7 yuan are a dollar; the rate itself is kept to 12 decimals.
        assert yuan["converted_input"] == pytest.approx(Decimal(2), abs=Decimal("1e-10"))
        assert yuan["ratio_input"] == pytest.approx(0.5, abs=1e-8)
        assert (yuan["rate_date"], yuan["rate_feed"]) == (date(2026, 2, 18), "ecb-fx")
        assert (dollars["converted_input"], dollars["ratio_input"]) == (4, 1)
        assert dollars["rate_feed"] == ""

    def test_the_published_eighteenth_at_the_rate_of_that_day(self, rates: Rates) -> None:
        """docs/definitions.md: ¥0.8 against $2 at 6.9087 yuan a dollar is 17.3, not 18."""
        qwen, _ = convert(rates, GEMINI, offer(QWEN, "CNY", "0.8"), offer(GEMINI, "USD", "2"))
        assert 1 / qwen["ratio_input"] == pytest.approx(17.27, abs=0.005)
        assert qwen["converted_input"] == pytest.approx(Decimal("0.1158"), abs=Decimal("0.00005"))

    def test_what_has_a_ratio_without_conversion_keeps_it(self) -> None:
        rows = convert(
            self.RATES,
            QWEN,
            offer(QWEN, "CNY", "14", region="cn"),
            offer(QWEN, "USD", "4", region="intl", ratio_input=1.0),
            offer(GEMINI, "USD", "8", ratio_input=2.0),
            offer("zhipuai/glm", "CNY", "7", region="cn", ratio_input=0.5),
        )
        assert [row["ratio_input"] for row in rows[1:]] == [1.0, 2.0, 0.5]

    def test_unknown_stays_unknown(self) -> None:
        rows = convert(
            self.RATES, GEMINI, offer(QWEN, "CNY", None), offer("x/y", "XTS", "3"),
            offer(GEMINI, "USD", "4"),
        )  # fmt: skip
        for row in rows[:2]:
            assert [row[f"converted_{name}"] for name in AMOUNTS] == [None] * 4
            assert row["ratio_input"] is None
        assert rows[1]["rate_date"] is None

    @PROPERTY
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([GEMINI, QWEN]),
                st.sampled_from(["USD", "CNY", "XTS"]),
                st.none() | st.decimals("0.01", "90", places=2).map(str),
                st.sampled_from(["cn", "intl", "global"]),
            ),
            max_size=6,
        )
    )
    def test_holes_become_nothing_else(self, rows: list[tuple[str, str, str | None, str]]) -> None:
        given = [offer(model, money, price, region=where) for model, money, price, where in rows]
        for row, before in zip(convert(self.RATES, GEMINI, *given), given, strict=True):
            known = before["input"] is not None and before["currency"] != "XTS"
            assert (row["converted_input"] is not None) == known
            assert row["input"] == before["input"]
            assert row["ratio_input"] is None or (known and row["ratio_input"] > 0)
