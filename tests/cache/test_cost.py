"""What a workload costs: worked out by hand, and what must hold of every offer."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_cache.market.cost import COST, PARTS, Wanted, cost
from qwenwatch_cache.market.offers import OFFERS
from qwenwatch_cache.market.rates import Rate
from qwenwatch_cache.market.workload import FREE, Workload

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
LARGE = Workload(12_000_000, 3_000_000, cached=7_200_000, request_size=40_000)


def offer(model: str, **stated: Any) -> dict[str, Any]:
    """An offer with prices of 1 in and 4 out, but for what is stated."""
    plain: dict[str, Any] = {
        **dict.fromkeys(OFFERS),
        **{"model": model, "name": model, "vendor": "v", "basis": "route", "feed": "f"},
        **{"source_id": model, "provider": "p", "region": "", "variant": "", "window_utc": ""},
        **{"tier_from": 0, "currency": "USD", "input": "1", "output": "4"},
        **{"observed_at": NOW, "cross_check": False, **stated},
    }
    prices = ("input", "output", "cache_read", "cache_write", "request")
    return plain | {name: None if plain[name] is None else Decimal(plain[name]) for name in prices}


def dollars(currency: str) -> Rate | None:
    known = {"USD": Rate(Decimal(1), date(2026, 8, 22), "")}
    known["CNY"] = Rate(Decimal("0.125"), date(2026, 8, 21), "ecb-fx")
    return known.get(currency)


def priced(
    *offers: Mapping[str, Any],
    workload: Workload = LARGE,
    wanted: Wanted | None = None,
    baseline: str = "a/base",
) -> list[dict[str, Any]]:
    frame = pl.DataFrame(list(offers), schema=OFFERS)
    found = cost(
        frame, workload, wanted or Wanted(), currency="USD", rate=dollars, baseline=baseline
    )
    assert found.schema == COST
    return found.to_dicts()


def of(rows: list[dict[str, Any]], model: str) -> dict[str, Any]:
    (row,) = (row for row in rows if row["model"] == model)
    return row


class TestByHand:
    def test_the_worked_example_of_the_definitions(self) -> None:
        """docs/definitions.md: 12M in, 60 % of them cached, 3M out; 1.56, 0.312 and 7.80 per 1M."""
        row = of(
            priced(offer("a/b", input="1.56", output="7.80", cache_read="0.312", tier_from=32_000)),
            "a/b",
        )
        assert row["fresh_cost"] == Decimal("7.488")  # 4.8M × 1.56
        assert row["cached_cost"] == Decimal("2.2464")  # 7.2M × 0.312
        assert row["output_cost"] == Decimal("23.4")  # 3M × 7.80
        assert row["total"] == Decimal("33.1344")
        assert not row["cached_at_input"]

    def test_without_a_cached_price_cached_tokens_are_at_the_input_price_and_it_says_so(
        self,
    ) -> None:
        row = of(priced(offer("a/b")), "a/b")
        assert (row["cached_cost"], row["total"]) == (Decimal("7.2"), Decimal(24))
        assert row["cached_at_input"]
        assert row["cache_read"] is None

    def test_tokens_written_to_the_cache(self) -> None:
        workload = Workload(10_000_000, 0, cached=4_000_000, written=1_000_000)
        rows = priced(
            offer("a/both", cache_read="0.1", cache_write="1.25"),
            offer("a/none"),
            workload=workload,
        )
        assert of(rows, "a/both")["total"] == Decimal("6.65")  # 5 × 1 + 4 × 0.1 + 1 × 1.25
        assert not of(rows, "a/both")["written_at_input"]
        assert of(rows, "a/none")["total"] == Decimal(10)
        assert of(rows, "a/none")["written_at_input"]

    def test_a_fee_per_request(self) -> None:
        thousand = Workload(1_000_000, 1_000_000, requests=1000)
        row = of(priced(offer("a/b", request="0.005"), workload=thousand), "a/b")
        assert (row["request_cost"], row["total"]) == (Decimal(5), Decimal(10))
        unknown = Workload(1_000_000, 1_000_000)
        row = of(priced(offer("a/b", request="0.005"), workload=unknown), "a/b")
        assert (row["total"], row["rank"]) == (None, None)
        assert "fee per request" in row["left_out"]
        # The size of a request says how many there are.
        sized = Workload(1_000_000, 1_000_000, request_size=3_000)
        row = of(priced(offer("a/b", request="0.005"), workload=sized), "a/b")
        assert row["request_cost"] == Decimal("1.67")  # 334 requests

    def test_another_currency_with_the_rate_and_its_day(self) -> None:
        rows = priced(
            offer("a/yuan", currency="CNY", input="2", output="8", region="cn"),
            offer("a/won", currency="KRW"),
        )
        row = of(rows, "a/yuan")
        assert row["native_total"] == Decimal(48)
        assert row["total"] == Decimal(6)
        assert row["rate_date"] == date(2026, 8, 21)
        row = of(rows, "a/won")
        assert (row["total"], row["left_out"]) == (None, "no exchange rate from KRW to USD")

    def test_cheapest_first_with_ratios_to_the_cheapest_and_the_baseline(self) -> None:
        rows = priced(
            offer("a/base"),
            offer("a/base", basis="list", input="2", output="8"),
            offer("a/dear", input="10", output="40"),
            offer("a/cheap", input="0.5", output="2"),
            offer("a/dear", basis="list", input="20", output="80"),
            offer("a/same", input="0.5", output="2"),
        )
        assert [(row["rank"], row["model"], row["basis"]) for row in rows] == [
            (1, "a/cheap", "route"),
            (1, "a/same", "route"),
            (3, "a/base", "route"),
            (4, "a/base", "list"),
            (5, "a/dear", "route"),
            (6, "a/dear", "list"),
        ]
        assert [row["times_cheapest"] for row in rows] == [1, 1, 2, 4, 20, 40]
        assert [row["times_baseline"] for row in rows] == [0.5, 0.5, 1, 1, 10, 10]

    def test_the_baseline_need_not_be_a_candidate(self) -> None:
        wanted = Wanted(models=frozenset({"a/dear"}))
        rows = priced(offer("a/base"), offer("a/dear", input="10", output="40"), wanted=wanted)
        assert [row["model"] for row in rows] == ["a/dear"]
        assert (rows[0]["times_cheapest"], rows[0]["times_baseline"]) == (1, 10)

    def test_times_of_day_with_one_price_are_one_row(self) -> None:
        peak = {"input": "2", "output": "8"}
        rows = priced(
            offer("a/b", window_utc="0000-0100"),
            offer("a/b", window_utc="0100-0400", **peak),
            offer("a/b", window_utc="0400-0600"),
            offer("a/b", window_utc="0600-0000", **peak),
        )
        assert [(row["window_utc"], row["total"]) for row in rows] == [
            ("0000-0100, 0400-0600", Decimal(24)),
            ("0100-0400, 0600-0000", Decimal(48)),
        ]

    def test_a_price_without_the_tiers_that_another_feed_states_is_marked(self) -> None:
        rows = priced(
            offer("a/b", basis="list", feed="f"),
            offer("a/b", basis="list", feed="g", tier_from=32_000, cross_check=True),
            offer("a/c", basis="list", feed="f"),
        )
        ranked = [(row["model"], row["tiers_elsewhere"]) for row in rows if row["rank"]]
        assert ranked == [("a/b", True), ("a/c", False)]


class TestLeftOut:
    @pytest.mark.parametrize(
        ("stated", "reason"),
        [
            ({"input": None, "output": None}, "no price is known"),
            ({"input": None}, "no input price"),
            ({"output": None}, "no output price"),
            ({"output": "0"}, "no chat model"),
            ({"context_length": 32_768}, "shorter than one request"),
            ({"cross_check": True}, "what another feed lists"),
            ({"input": "0", "output": "0"}, FREE),
            ({"input": "0", "output": "0", "variant": "free"}, FREE),
        ],
    )
    def test_what_cannot_be_compared_says_why(self, stated: dict[str, Any], reason: str) -> None:
        rows = priced(offer("a/good"), offer("a/odd", **stated))
        assert of(rows, "a/good")["rank"] == 1
        odd = of(rows, "a/odd")
        assert odd["rank"] is None
        assert odd["times_cheapest"] is None
        assert reason in odd["left_out"]
        assert odd["total"] in ({Decimal(0)} if reason == FREE else {None})

    def test_only_the_prices_that_are_needed_must_be_known(self) -> None:
        """An embedding workload has no answers."""
        rows = priced(offer("a/embed", output=None), workload=Workload(1_000_000, 0))
        assert (rows[0]["rank"], rows[0]["total"]) == (1, Decimal(1))

    def test_batch_prices_on_their_own(self) -> None:
        rows = priced(
            offer("a/b"),
            offer("a/b", variant="batch", input="0.5", output="2"),
            offer("a/c"),
            offer("a/d", variant="flex"),
            wanted=Wanted(batch=True),
        )
        assert [(row["model"], row["variant"], row["total"]) for row in rows if row["rank"]] == [
            ("a/b", "batch", Decimal(12))
        ]
        assert of(rows, "a/c")["left_out"] == "no batch price is stated"
        assert {row["variant"] for row in priced(offer("a/d", variant="flex"))} == set()

    def test_filters(self) -> None:
        offers = (
            offer("a/b", vendor="one"),
            offer("a/c", vendor="two", basis="list", region="cn"),
            offer("a/d", vendor="two", basis="list", region="global"),
        )
        for wanted, models in (
            (Wanted(basis="list"), ["a/c", "a/d"]),
            (Wanted(region="cn"), ["a/b", "a/c", "a/d"]),  # two of them hold everywhere
            (Wanted(region="intl"), ["a/b", "a/d"]),
            (Wanted(vendor="one"), ["a/b"]),
            (Wanted(models=frozenset({"a/d"})), ["a/d"]),
        ):
            assert [row["model"] for row in priced(*offers, wanted=wanted)] == models


class TestWorkload:
    @pytest.mark.parametrize(
        ("stated", "complaint"),
        [
            ({"input": 0, "output": 0}, "no tokens"),
            ({"input": -1, "output": 5}, "below 0"),
            ({"input": 10, "output": 5, "cached": 8, "written": 3}, "are more than the 10"),
            ({"input": 10, "output": 5, "requests": 0}, "above 0"),
            ({"input": 10, "output": 5, "request_size": 0}, "above 0"),
        ],
    )
    def test_what_is_none_is_refused(self, stated: dict[str, int], complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint):
            Workload(**stated)

    def test_size_and_number_of_requests_follow_from_each_other(self) -> None:
        assert Workload(100, 1, requests=3).size == 34
        assert Workload(100, 1, request_size=34).count == 3
        assert Workload(100, 1, requests=3, request_size=50).size == 50
        assert (Workload(100, 1).size, Workload(100, 1).count) == (None, None)


PRICE = st.none() | st.decimals(0, 1000, places=6)
OFFER = st.builds(
    lambda number, **stated: offer(f"a/{number}", **stated),
    st.integers(0, 5),
    input=PRICE,
    output=PRICE,
    cache_read=PRICE,
    cache_write=PRICE,
    request=st.none() | st.decimals(0, 1, places=4),
    variant=st.sampled_from(["", "free", "batch", "flex"]),
    basis=st.sampled_from(["route", "list"]),
    currency=st.sampled_from(["USD", "CNY", "KRW"]),
    context_length=st.none() | st.integers(1, 10**6),
    cross_check=st.booleans(),
)
TOKENS = st.integers(0, 10**12)


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    cached, written, fresh = draw(TOKENS), draw(TOKENS), draw(TOKENS)
    return Workload(
        cached + written + fresh,
        draw(st.integers(1, 10**12)),
        cached,
        written,
        requests=draw(st.none() | st.integers(1, 10**6)),
        request_size=draw(st.none() | st.integers(1, 10**6)),
    )


class TestWhatMustHold:
    @given(st.lists(OFFER, max_size=8), workloads(), st.booleans())
    def test_nothing_unknown_is_counted_and_the_cheapest_is_first(
        self, offers: list[dict[str, Any]], workload: Workload, batch: bool
    ) -> None:
        rows = priced(*offers, workload=workload, wanted=Wanted(batch=batch))
        ranked = [row for row in rows if row["rank"] is not None]
        totals = [row["total"] for row in ranked]
        assert totals == sorted(totals)
        for row in rows:
            assert (row["rank"] is None) == bool(row["left_out"])
            if row["total"] is None:
                assert row["left_out"] not in {"", FREE}
                continue
            assert row["total"] == sum(row[name] for name in PARTS)
            assert (row["total"] == 0) == (row["left_out"] == FREE)
            assert row["output"] is not None
            assert row["input"] is not None or not workload.input
            assert row["currency"] != "KRW"

    @given(OFFER, workloads(), TOKENS, st.sampled_from(["input", "output"]))
    def test_more_tokens_never_cost_less(
        self, one: dict[str, Any], workload: Workload, more: int, where: str
    ) -> None:
        whole = {"input": workload.input, "output": workload.output}
        parts = {"cached": workload.cached, "written": workload.written, "requests": 1}
        smaller = Workload(**whole, **parts)
        larger = Workload(**(whole | {where: whole[where] + more}), **parts)
        one = one | {"context_length": None, "cross_check": False, "variant": ""}
        before, after = (priced(one, workload=each)[0]["total"] for each in (smaller, larger))
        if before is not None and after is not None:
            assert after >= before
