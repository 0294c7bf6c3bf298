"""The examples of docs/definitions.md that are of prices, or made of them, worked out again."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch.quantities import parse_count
from qwenwatch_cache.market.between import Asked, changes_between, price_counts
from qwenwatch_cache.market.changes import Period, in_order, offer_changes
from qwenwatch_cache.market.cost import Wanted, cost
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.offers import offers
from qwenwatch_cache.market.price_history import price_history
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.unmapped import coverage, status_of
from qwenwatch_cache.market.workload import Workload
from qwenwatch_cache.store import Store
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.change_lines import change, price_lines
from tests.cache import test_price_index as index_cases
from tests.cache import test_rates as rate_cases
from tests.cache.test_changes import MONTH
from tests.cache.test_disagreement import compared, stated
from tests.cache.test_price_history import Told
from tests.cache.test_unmapped import DIRECTORY, window_of
from tests.definitions_page import example

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
QWEN3_MAX, ROUTE = "alibaba/qwen3-max", "openrouter-models"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The bundled baseline."""
    return Known(Store(tmp_path_factory.mktemp("none") / "cache"), NOW)


def offer(known: Known, model: str, prompt_tokens: int = 0, **which: str) -> dict[str, Any]:
    """One price of a model now, by default OpenRouter's, with the ratios to Qwen3 Max."""
    found = known.prices(NOW, QWEN3_MAX, Mix(), prompt_tokens)
    (row,) = found.filter(model=model, variant="", **(which or {"feed": ROUTE})).to_dicts()
    return row


def price(amount: Decimal | None, digits: int = 2) -> str:
    """An amount with all of its digits, and at least so many behind the point."""
    if not amount:
        return "–" if amount is None else "0"
    exact = amount.normalize()
    return f"{exact:.{max(digits, -int(exact.as_tuple().exponent))}f}"


class TestPrices:
    def test_a_price_in_doubt(self, known: Known) -> None:
        noon = datetime(2026, 4, 18, 12, tzinfo=UTC)
        days = [noon + timedelta(days=number) for number in (-1, 0, 1)]
        believed = [
            known.prices(day, QWEN3_MAX, Mix())
            .filter(source_id="moonshotai/kimi-k2.5", feed=ROUTE, variant="")
            .select("input", "output")
            .row(0)
            for day in days
        ]
        said = known.price.filter(
            (pl.col("model") == "moonshotai/kimi-k2.5")
            & (pl.col("feed") == ROUTE)
            & pl.col("observed_at").is_between(days[0], days[2])
        ).sort("observed_at")
        assert said.select("input", "output").rows() == [(0, 0), believed[2]]
        before, doubted, after = ([price(one) for one in pair] for pair in believed)
        assert before == after
        first, second = (when.date() for when in said.get_column("observed_at").to_list())
        assert example("a price in doubt").text == (
            f"Kimi K2.5 on OpenRouter costs {before[0]} in and {before[1]} out, and is listed at 0 "
            f"for both on {first}, and as before from {second}. Asked for noon of the "
            f"{first.day}th its price is {' and '.join(sorted(set(doubted)))}, for noon of the "
            f"{second.day}th {after[0]} and {after[1]}."
        )

    def test_size_of_a_request(self, known: Known) -> None:
        asked_for = {text: parse_count(text) for text in ("32k", "40k", "200k")}
        rows = {text: offer(known, QWEN3_MAX, size) for text, size in asked_for.items()}
        base, above, top = rows.values()
        assert base == offer(known, QWEN3_MAX)
        at = {text: price(row["input"]) for text, row in rows.items()}
        assert (above["tier_from"], top["tier_from"]) == (base["up_to"], above["up_to"])
        assert example("size of a request").text == (
            f"Qwen3 Max on OpenRouter, {NOW.date()}: {price(base['input'])} for prompts of up to "
            f"{base['up_to']:,} tokens, {price(above['input'])} above that, {price(top['input'])} "
            f"above {above['up_to']:,}. So `--request-size 32k` gives {at['32k']}, `40k` "
            f"{at['40k']}, `200k` {at['200k']}."
        )

    def test_blended(self, known: Known) -> None:
        def sum_of(row: dict[str, Any]) -> str:
            parts = (row["input"], row["output"], row["cache_read"] or row["input"])
            shares = (Mix().input, Mix().output, Mix().cached)
            added = zip(parts, shares, strict=True)
            terms = " + ".join(f"{price(part)} × {share}" for part, share in added)
            return f"{terms} = {price(row['blended'])}"

        listed = offer(known, QWEN3_MAX, feed="models-dev", region="intl")
        assert listed["cache_read"] is None
        assert example("blended").text == (
            f"Qwen3 Max on OpenRouter, {NOW.date()}: {sum_of(offer(known, QWEN3_MAX))}. Listed by "
            "models.dev for everywhere but mainland China, without a cached price: "
            f"{sum_of(listed)}."
        )

    def test_another_currency(self, known: Known) -> None:
        day = date(2026, 2, 18)
        yuan, dollars, both = (
            known.rates.rate(*pair, day)
            for pair in (("EUR", "CNY"), ("EUR", "USD"), ("USD", "CNY"))
        )
        assert yuan and dollars and both and {yuan.date, dollars.date, both.date} == {day}
        (row,) = rate_cases.convert(
            known.rates, QWEN3_MAX, rate_cases.offer(rate_cases.QWEN, "CNY", "0.8")
        )
        assert example("another currency").text == (
            f"{day}: {price(yuan.value)} ÷ {price(dollars.value)} = {both.value:.4f} CNY for a "
            f"dollar; so ¥0.8 are ${row['converted_input']:.4f}."
        )

    def test_ratio(self, known: Known) -> None:
        base, row = offer(known, QWEN3_MAX), offer(known, "deepseek/deepseek-v4-flash-0731")
        assert example("ratio").text == (
            f"On OpenRouter, {NOW.date()}, input: {row['name']} at {price(row['input'])} against "
            f"{base['name']} at {price(base['input'])} is {amounts.ratio(row['ratio_input'])}."
        )

    def test_ratio_across_currencies(self, known: Known) -> None:
        yuan = rate_cases.offer(rate_cases.QWEN, "CNY", "0.8")
        dollars = rate_cases.offer(rate_cases.GEMINI, "USD", "2")
        row, _ = rate_cases.convert(known.rates, rate_cases.GEMINI, yuan, dollars)
        times = f"{1 / row['ratio_input']:.1f}"
        days = (date(2026, 1, 1) + timedelta(days=n) for n in range(365))
        of_2026 = [
            rate.value
            for day in days
            if day <= NOW.date()
            and (rate := known.rates.rate("USD", "CNY", day)) is not None
            and rate.date.year == day.year
        ]
        assert Decimal(18) * Decimal("0.8") / 2 == Decimal("7.2") > max(of_2026)
        assert example("ratio across currencies").text == (
            "qwen3.5-plus at ¥0.8 against Gemini 3 Pro at $2 on 2026-02-18: 2 ÷ "
            f'{row["converted_input"]:.4f} = {times}, shown as 1/{times}. The published "1/18" '
            f"takes 7.2 CNY for a dollar; the highest rate of 2026 by {NOW.date()} was "
            f"{max(of_2026):.4f}."
        )


class TestPriceIndex:
    def test_price_index(self) -> None:
        shown = example("price index")
        *models, index, median = shown.rows
        told: list[index_cases.Told] = [
            (row["model"], month, None if row[name] == "gone" else row[name])
            for row in models
            for month, name in enumerate(("Jan", "Feb", "Mar"))
            if row[name] != "–"
        ]
        points = index_cases.answer(index_cases.steps(*told)).head(3)
        levels = [f"{level:.1f}" for level in points.get_column("index").to_list()]
        assert [index[name] for name in ("Jan", "Feb", "Mar")] == ["100", *levels[1:]]
        medians = [price(one, 0) for one in points.get_column("median_blended").to_list()]
        assert [median[name] for name in ("Jan", "Feb", "Mar")] == medians
        assert points.get_column("matched").to_list() == [None, 3, 3]
        first, second = points.get_column("index").to_list()[1:]
        step, again = first / 100, second / first
        assert shown.text == (
            "Blended prices of four models: February: a, b, c match; the third root of 0.5 × 1 × 1 "
            f"is {step:.3f}. March: b, c, d match; again {again:.3f}, and {step:.3f} × "
            f"{levels[1]} = {levels[2]}. The median price doubled in the same time, for dear "
            "models came and a cheap one went: that is why the index is not made of averages."
        )
        assert float(medians[2]) == 2 * float(medians[0])


class TestCost:
    def test_cost_of_a_workload(self, known: Known) -> None:
        work = Workload(12_000_000, 3_000_000, cached=7_200_000, request_size=40_000)
        at_size = offers(known, NOW, work.size or 0)
        ranked = cost(
            at_size,
            work,
            Wanted(),
            currency="USD",
            rate=lambda currency: known.rates.rate(currency, "USD", NOW.date()),
            baseline=QWEN3_MAX,
        )
        (row,) = ranked.filter(model=QWEN3_MAX, basis="route").to_dicts()
        cheapest = ranked.row(0, named=True)
        parts = {name: price(row[f"{name}_cost"]) for name in ("fresh", "cached", "output")}
        million = Decimal(10**6)
        counts = [
            price(Decimal(count) / million, 0) for count in (work.fresh, work.cached, work.output)
        ]
        stated_ = [price(row[name]) for name in ("input", "cache_read", "output")]
        terms = " + ".join(f"{n} × {p}" for n, p in zip(counts, stated_, strict=True))
        assert example("cost of a workload").text == (
            f"{work.input // 10**6}M tokens in, {100 * work.cached // work.input} % of them "
            f"cached, {work.output // 10**6}M out, requests of "
            f"{amounts.short_count(work.size or 0)}; {row['name']} on OpenRouter on {NOW.date()} "
            "for prompts of more than "
            f"{row['tier_from']:,} tokens: {stated_[0]} in, {stated_[1]} cached, {stated_[2]} out. "
            f"{terms} = {' + '.join(parts.values())} = {price(row['total'])} USD. "
            f"{cheapest['name']} does it for {price(cheapest['total'])}, the least of all: "
            f"{row['name']} costs {amounts.ratio(row['times_cheapest'])} as much."
        )


class TestDisagreement:
    def test_disagreement(self, known: Known) -> None:
        frame = offers(known, NOW).filter(model="alibaba/qwen3.7-plus", region="intl")
        by_feed = {row["feed"]: row for row in frame.to_dicts()}
        fields = ("input", "output", "cache_read")
        one, other = (
            [price(by_feed[feed][name]) for name in fields] for feed in ("litellm", "models-dev")
        )
        row = compared(
            stated("alibaba/qwen3.7-plus", "litellm", *one),
            stated("alibaba/qwen3.7-plus", "models-dev", *other),
        )[0]
        sums = []
        for name, *pair in zip(fields, one, other, strict=True):
            low, high = sorted(pair, key=Decimal)
            sums.append(f"{high} ÷ {low} − 1 = {100 * row[f'spread_{name}']:g} %")
        assert example("disagreement").text == (
            f"qwen3.7-plus, international list price on {NOW.date()}: LiteLLM {one[0]} in, "
            f"{one[1]} out, {one[2]} cached; models.dev {', '.join(other)}. Spreads "
            f"{', '.join(sums)}: the model's is {100 * row['spread']:g} %."
        )

    def test_order_of_disagreements(self) -> None:
        shares = {"v/far": 0.01, "v/used": 0.10}
        rows = compared(
            *(stated("v/far", "litellm", "1.60"), stated("v/far", "models-dev", "3.00")),
            *(stated("v/used", "litellm", "0.40"), stated("v/used", "models-dev", "0.50")),
            shares=shares,
        )
        first, second = rows[::2]
        assert (first["model"], second["model"]) == ("v/used", "v/far")
        weights = [row["spread"] * row["share"] for row in (first, second)]
        assert example("order of disagreements").text == (
            f"A model with a spread of {100 * first['spread']:g} % and {100 * first['share']:g} % "
            f"of the tokens ({weights[0]:.4f}) comes before one with {100 * second['spread']:g} % "
            f"and {100 * second['share']:g} % ({weights[1]:.4f})."
        )


def told_of(prices: Sequence[Any]) -> Told:
    told = Told()
    told.series(prices)
    return told


class TestChanges:
    def test_a_price_change(self) -> None:
        told = told_of([("0.40", "1.20"), ("0.26", "0.78"), ("0.26", "0.78")])
        history = price_history(told.frame, told.polls, DIRECTORY)
        changes = in_order(offer_changes(history, told.polls, DIRECTORY, MONTH))
        (line,) = price_lines(changes)
        (count,) = price_counts(changes).get_column("count").to_list()
        assert (line.first["mark"], count) == ("confirmed", 1)
        given, taken = (line.price(name) for name in ("input", "output"))
        assert given and taken
        sums = [
            f"({price(row['after'])} ÷ {price(row['before'])} − 1) × 100 = −{-row['percent']:g} %"
            for row in (given, taken)
        ]
        assert example("a price change").text == (
            f"A route price of {price(given['before'])} in and {price(taken['before'])} out is "
            f"{price(given['after'])} and {price(taken['after'])} in the next two polls. Input: "
            f"{sums[0]}; output: {sums[1]}; the second poll confirms both: one line, "
            f"`{change(line).text}`, and one change in the counts by month."
        )

    def test_marks(self) -> None:
        shown = example("marks")
        assert shown.text == "One price, polled every 12 hours:"
        for row in shown.rows:
            prices = [None if one == "–" else one for one in row["stated"].split(", ")]
            marks = [mark for _, _, mark in Told().marks(*prices)]
            assert ", ".join(marks) == row["marks of its changes"], row["stated"]
        assert len(shown.rows) >= 7

    def test_the_largest_drops_of_a_year(self, known: Known) -> None:
        year = Period(date(2025, 8, 22), date(2026, 8, 22))
        found = changes_between(known, Asked(year, ["price"], basis="route", believed=True))
        lines = price_lines(found.rows, "drop")
        shown = example("the largest drops of a year")

        def step(line: Any, field: str) -> str:
            row = line.price(field)
            return "–" if row is None else f"{price(row['before'])} → {price(row['after'])}"

        assert list(shown.rows) == [
            {
                "model": line.first["name"],
                "first seen": str(line.first["at"].date()),
                "input": step(line, "input"),
                "output": step(line, "output"),
                "drop": f"{-min(line.steps):.1f} %",
            }
            for line in lines[:10]
        ]
        others = [line for line in lines[10:] if f"{-min(line.steps):.1f}" == "80.0"]
        named = [f"{line.first['name']} ({line.first['at'].date()})" for line in others]
        at = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
        for line in lines[:3]:
            paid = known.prices(at, QWEN3_MAX, Mix()).filter(
                source_id=line.first["source_id"], feed=ROUTE, variant=""
            )
            assert paid.get_column("input").to_list()[0] > 0
        assert shown.text == (
            "The ten largest confirmed drops of a route price (the larger one of input and output) "
            f"from {year.first} to {year.last}; `qwenwatch changes --since {year.first} --until "
            f"{year.last} --kind price --basis route --marks confirmed --sort drop --top 10` "
            "prints them. The first three stood at 0 for weeks and were paid for again by "
            f"{at.date()}. "
            f'{" and ".join(named)} fell by 80.0 % as well. "First seen" is the first recorded '
            "body that says so."
        )


class TestIdentity:
    def test_coverage(self, tmp_path: Path) -> None:
        shown = example("coverage")
        tokens = {row["id"]: int(row["tokens"]) for row in shown.rows}
        for row in shown.rows:
            assert status_of("openrouter-rankings", row["id"], DIRECTORY) == row["status"]
        sums = {row["status"]: row for row in coverage(window_of(tokens), DIRECTORY).to_dicts()}
        mapped, *others = (f"{100 * row['share']:g} % {status}" for status, row in sums.items())
        assert shown.text == (
            f"A week of OpenRouter's tokens: {sums['mapped']['value']} ÷ {sum(tokens.values())} = "
            f"{mapped}, {', '.join(others)}."
        )
