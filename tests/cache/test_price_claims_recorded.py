"""Published figures about prices, against the recordings: as FEEDS.md and feeds/prices.md say.

What the program answers is asked of a cache that has read all recorded price lists in the order of
their capture; a claim about every capture is checked in the raw bodies too.
"""

import gzip
import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.feeds import litellm, models_dev
from qwenwatch_cache.feeds.alibaba_list import parse_group
from qwenwatch_cache.feeds.ecb_fx import parse_history
from qwenwatch_cache.frames import FETCH
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.market.conversion import converted
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.model_history import model_history
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.rates import Rates
from qwenwatch_cache.market.terms import Terms
from qwenwatch_cache.store import Store

ROUTE = "openrouter-models"
GPT_4, QWEN_MAX, QWQ_PLUS = "openai/gpt-4", "alibaba/qwen-max", "alibaba/qwq-plus"
OPUS, M2_5, GLM_5 = "anthropic/claude-opus-4-6", "minimax/minimax-m2.5", "zhipuai/glm-5"
GEMINI, QWEN_3_5 = "google/gemini-3-pro-preview", "alibaba/qwen3.5-plus"

Raw = Mapping[datetime, Mapping[str, Mapping[str, Any]]]
"""Prices of every list of OpenRouter, by capture and id, per token as stated."""


@dataclass(frozen=True)
class Record:
    """The program's memory of all recorded price lists, and the route prices as they stand there.

    Attributes:
        store: A cache that has read them, with no baseline beneath.
        raw: OpenRouter's lists.
        litellm: LiteLLM's files by moment.
        rates: The ECB's rates.
    """

    store: Store
    raw: Raw
    litellm: Mapping[datetime, Mapping[str, Any]]
    rates: Rates

    def known(self, day: str = "2026-08-22") -> Known:
        """What was known at the end of a day."""
        return Known(self.store, datetime.combine(date.fromisoformat(day), time.max, UTC))

    def prices(self, day: str, baseline: str = QWEN_MAX, **where: str) -> pl.DataFrame:
        """Standard prices at the end of a day, in dollars unless another currency is named."""
        known = self.known(day)
        rows = known.prices(known.at, baseline, Mix())
        where = {"variant": "", "currency": "USD", **where}
        return rows.filter(*(pl.col(name) == value for name, value in where.items()))

    def ratios(self, day: str, model: str, to: str, **where: str) -> list[tuple[float, float]]:
        """Input and output ratio of one model to another, each pair once."""
        rows = self.prices(day, to, **where).filter(
            pl.col("model") == model, pl.col("ratio_input").is_not_null()
        )
        return sorted(set(rows.select("ratio_input", "ratio_output").iter_rows()))

    def changes(self, model: str) -> list[dict[str, Any]]:
        """Changes of input and output of the standard price."""
        terms = Terms(variant="")
        changes = model_history(self.known("2026-11-20"), [model], terms, None).changes
        rows = changes.filter(pl.col("field").is_in(["input", "output"]), pl.col("tier_from") == 0)
        return rows.to_dicts()


def moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y-%m-%dT%H%M").replace(tzinfo=UTC)


def captures(folder: Path) -> Iterator[tuple[datetime, str, Path]]:
    """Price lists of whole feeds, in any order."""
    for path in folder.glob("openrouter/models/*.json.gz"):
        yield moment(path.name.partition(".")[0][:-1]), ROUTE, path
    for path in folder.glob("models.dev/generated/api_*.json.gz"):
        yield moment(f"{path.name[4:14]}T1300"), "models-dev", path
    for path in folder.glob("litellm/*/*.json.gz"):
        yield moment(f"{path.name[:10]}T0000"), "litellm", path


@pytest.fixture(scope="module")
def record(recordings: Path, route_told: Path, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """All recorded price lists."""
    folder = tmp_path_factory.mktemp("claims")
    store = Store(shutil.copytree(route_told, folder / "cache"), bundled=folder)
    raw: dict[datetime, Mapping[str, Mapping[str, Any]]] = {}
    files: dict[datetime, Mapping[str, Any]] = {}
    fetches = []
    parsers = {"models-dev": models_dev, "litellm": litellm}
    for when, feed, path in sorted(captures(recordings / "prices")):
        body = gzip.decompress(path.read_bytes())
        if feed in parsers:
            parsed = parsers[feed].parse(body, when)
            store.append(parsed.frames, when, unread=parsed.unread, believe=True)
        fetches.append({**dict.fromkeys(FETCH), "feed": feed, "url": "x", "started": when})
        if feed == ROUTE:
            raw[when] = {one["id"]: one["pricing"] for one in json.loads(body)["data"]}
        elif feed == "litellm":
            files[when] = json.loads(body, parse_float=Decimal)
    when = moment("2026-05-27T0644")
    with tarfile.open(
        recordings / "prices/alibaba-model-studio/groups_2026-05-27.tar.gz"
    ) as archive:
        groups = [
            parse_group(group.read(), when).frames["price"]
            for member in archive.getmembers()
            if member.name.startswith("groups/") and member.name.endswith(".json")
            if (group := archive.extractfile(member)) is not None
        ]
    store.append({"price": pl.concat(groups)}, when)
    store.log(pl.DataFrame(fetches, schema=FETCH), max(raw))
    packed = (recordings / "prices/fx/eurofxref-hist_2026-10-30.zip").read_bytes()
    rates = Rates(parse_history(packed, datetime(2026, 10, 30, 18, tzinfo=UTC)).frames["fx"])
    assert (len(raw), len(files)) == (116, 35)
    return Record(store, raw, files, rates)


def about(*pair: float) -> Any:
    """A pair of ratios as published: to as many digits as it has."""
    return pytest.approx(pair, abs=0.051)


class TestQwenMax:
    """ "Qwen-Max $0.8 in / $2.4 out per 1M": that is QwQ-Plus."""

    def test_no_feed_ever_had_it_at_that_price(self, record: Record) -> None:
        cheap = record.known("2026-11-20").price.filter(
            pl.col("input") == Decimal("0.8"),
            pl.col("output") == Decimal("2.4"),
            pl.col("currency") == "USD",
            pl.col("model").str.contains("qwen-max|qwq-plus"),
        )
        directory = record.known().directory
        found = {
            directory.model(*row).id for row in cheap.select("feed", "model").unique().iter_rows()
        }
        assert found == {QWQ_PLUS}
        for when, prices in record.raw.items():
            for name in ("qwen/qwen-max", "qwen/qwen3-max"):
                assert prices.get(name, {}).get("prompt") != "0.0000008", when

    @pytest.mark.parametrize("feed", ["litellm", "models-dev"])
    def test_qwq_plus_is_listed_so(self, record: Record, feed: str) -> None:
        rows = record.prices("2026-02-20", feed=feed, region="intl").filter(
            pl.col("model") == QWQ_PLUS
        )
        assert rows.select("input", "output").rows() == [(Decimal("0.8"), Decimal("2.4"))]

    def test_qwen_max_is_dearer_on_every_basis(self, record: Record) -> None:
        listed = record.prices("2026-02-20", basis="list", region="intl").filter(
            pl.col("model") == QWEN_MAX
        )
        assert set(listed.select("input", "output").iter_rows()) == {
            (Decimal("1.6"), Decimal("6.4"))
        }
        assert set(listed["feed"]) == {"litellm", "models-dev"}
        mainland = record.prices("2026-06-01", currency="CNY").filter(pl.col("model") == QWEN_MAX)
        assert mainland.select("input", "output").rows() == [(Decimal("2.4"), Decimal("9.6"))]
        route = [
            (row["field"], row["before"], row["after"], f"{row['at']:%Y-%m-%d}", row["percent"])
            for row in record.changes(QWEN_MAX)
            if row["feed"] == ROUTE
        ]
        assert route == [
            ("input", Decimal("1.6"), Decimal("1.04"), "2026-03-04", -35.0),
            ("output", Decimal("6.4"), Decimal("4.16"), "2026-03-04", -35.0),
        ]

    def test_it_has_left_the_router(self, record: Record) -> None:
        """The scrape between had it gone on 2026-05-13; of the recorded bodies 05-31 is the first
        without."""
        with_it = [when for when, prices in record.raw.items() if "qwen/qwen-max" in prices]
        assert max(with_it) == moment("2026-04-30T1244")
        rows = record.prices("2026-08-22", basis="route").filter(pl.col("model") == QWEN_MAX)
        assert rows.is_empty()


class TestGpt4:
    """ "GPT-4 $30/$60", "recently cut by 30 %", "over 10×" against Qwen-Max."""

    def test_thirty_and_sixty_in_every_capture(self, record: Record) -> None:
        assert {
            (prices["openai/gpt-4"]["prompt"], prices["openai/gpt-4"]["completion"])
            for prices in record.raw.values()
        } == {("0.00003", "0.00006")}
        for file in record.litellm.values():
            entry = file["gpt-4"]
            both = entry["input_cost_per_token"], entry["output_cost_per_token"]
            assert [Decimal(one) * 10**6 for one in both] == [30, 60]
        for day in ("2024-12-31", "2026-02-20", "2026-08-22"):
            route = record.prices(day, basis="route").filter(pl.col("model") == GPT_4)
            assert route.select("input", "output").rows() == [(30, 60)]

    def test_no_cut(self, record: Record) -> None:
        """Neither of GPT-4 nor of GPT-4 Turbo; GPT-4o was last cut on 2024-10-03."""
        changes = record.changes(GPT_4)
        assert {row["mark"] for row in changes} <= {"correction"}
        assert {row["feed"] for row in changes} <= {"models-dev"}
        for name in ("openai/gpt-4", "openai/gpt-4-turbo"):
            assert len({prices[name]["prompt"] for prices in record.raw.values()}) == 1
        since = [
            prices["openai/gpt-4o"]["prompt"]
            for when, prices in record.raw.items()
            if when >= datetime(2024, 10, 31, tzinfo=UTC)
        ]
        assert set(since) == {"0.0000025"}

    def test_the_cut_of_that_size_was_qwens(self, record: Record) -> None:
        before, after = (record.raw[moment(at)] for at in ("2026-03-03T1220", "2026-03-04T0037"))
        cut = {
            name
            for name in before.keys() & after.keys()
            if name.startswith("qwen/") and Decimal(before[name]["prompt"]) > 0
            if Decimal(after[name]["prompt"]) / Decimal(before[name]["prompt"]) == Decimal("0.65")
        }
        assert {"qwen/qwen-max", "qwen/qwen3.5-plus-02-15", "qwen/qwen-plus-2025-07-28"} <= cut
        # feeds/prices.md names qwen-plus for that day as well; it followed later in the month.
        assert "qwen/qwen-plus" not in cut
        later = record.raw[moment("2026-03-31T1230")]
        assert [Decimal(each["qwen/qwen-plus"]["prompt"]) * 10**6 for each in (after, later)] == [
            Decimal("0.4"),
            Decimal("0.26"),
        ]

    @pytest.mark.parametrize(
        ("day", "expected"),
        [("2026-02-20", (18.75, 9.375)), ("2026-03-06", (28.8462, 14.4231))],
    )
    def test_against_qwen_max(
        self, record: Record, day: str, expected: tuple[float, float]
    ) -> None:
        found = record.ratios(day, GPT_4, QWEN_MAX, basis="route")
        assert found == [pytest.approx(expected, abs=5e-5)]

    def test_the_arithmetic_of_the_published_pair(self, record: Record) -> None:
        """30/0.8 and 60/2.4, the price of QwQ-Plus, would be 37.5× and 25×."""
        found = record.ratios("2026-02-20", GPT_4, QWQ_PLUS, basis="list")
        assert (37.5, 25.0) in found


PUBLISHED = {
    "minimax/minimax-m2.5": ("0.3", "1.1"),
    "z-ai/glm-5": ("0.3", "2.55"),
    "anthropic/claude-opus-4.6": ("5", "25"),
}


class TestTheThreeRatios:
    """MiniMax M2.5 0.3/1.1, GLM-5 0.3/2.55, Claude Opus 4.6 5/25: 16.7×, 22.7×, 9.8×."""

    def test_all_together_in_six_captures_only(self, record: Record) -> None:
        def so(prices: Mapping[str, Mapping[str, Any]]) -> bool:
            return all(
                name in prices
                and Decimal(prices[name]["prompt"]) * 10**6 == Decimal(given)
                and Decimal(prices[name]["completion"]) * 10**6 == Decimal(taken)
                for name, (given, taken) in PUBLISHED.items()
            )

        true = [when for when, prices in record.raw.items() if so(prices)]
        assert [f"{when:%m-%dT%H}" for when in true] == [
            *("02-18T00", "02-18T12", "02-19T00", "02-19T12", "02-20T00", "02-21T00")
        ]
        assert {when.year for when in true} == {2026}

    @pytest.mark.parametrize("day", ["2026-02-18", "2026-02-19", "2026-02-20", "2026-02-21"])
    def test_as_route_prices_of_those_days(self, record: Record, day: str) -> None:
        assert record.ratios(day, OPUS, M2_5, basis="route") == [
            pytest.approx((5 / 0.3, 25 / 1.1), rel=1e-8)
        ]
        assert record.ratios(day, OPUS, GLM_5, basis="route") == [
            pytest.approx((5 / 0.3, 25 / 2.55), rel=1e-8)
        ]
        assert (round(5 / 0.3, 1), round(25 / 1.1, 1), round(25 / 2.55, 1)) == (16.7, 22.7, 9.8)

    @pytest.mark.parametrize("day", ["2026-02-17", "2026-02-22", "2026-08-22"])
    def test_not_on_other_days(self, record: Record, day: str) -> None:
        pairs = [
            record.ratios(day, OPUS, M2_5, basis="route"),
            record.ratios(day, OPUS, GLM_5, basis="route"),
        ]
        assert pairs != [
            [pytest.approx((5 / 0.3, 25 / 1.1), rel=1e-8)],
            [pytest.approx((5 / 0.3, 25 / 2.55), rel=1e-8)],
        ]

    def test_on_the_last_recorded_day(self, record: Record) -> None:
        assert record.ratios("2026-08-22", OPUS, M2_5, basis="route") == [about(18.5, 23.1)]
        assert record.ratios("2026-08-22", OPUS, GLM_5, basis="route") == [about(8.3, 13.0)]

    def test_at_list_prices(self, record: Record) -> None:
        listed = record.ratios("2026-02-20", OPUS, M2_5, basis="list")
        assert listed == [pytest.approx((5 / 0.3, 25 / 1.2), rel=1e-8)]
        assert record.ratios("2026-02-20", OPUS, GLM_5, basis="list") == [(5.0, 7.8125)]


class TestTheEighteenth:
    """ "Qwen 3.5 at ¥0.8 per 1M is 1/18 of Gemini"."""

    def priced(self, record: Record, day: date) -> list[dict[str, Any]]:
        """Both models as listed, in dollars at the rate of a day."""
        known = record.known("2026-05-31")
        rows = known.prices(known.at, GEMINI, Mix()).filter(
            pl.col("variant") == "", pl.col("basis") == "list"
        )
        return converted(rows, GEMINI, "USD", record.rates, day).to_dicts()

    def test_eight_tenths_of_a_yuan_is_the_mainland_price(self, record: Record) -> None:
        rows = record.prices("2026-05-31", currency="CNY").filter(pl.col("model") == QWEN_3_5)
        assert rows.select("input", "output", "region", "up_to").rows() == [
            (Decimal("0.8"), Decimal("4.8"), "cn", 131_072)
        ]

    def test_seventeen_times_at_the_rate_of_that_day(self, record: Record) -> None:
        (yuan,) = (
            row
            for row in self.priced(record, date(2026, 2, 18))
            if row["model"] == QWEN_3_5 and row["currency"] == "CNY"
        )
        assert 1 / yuan["ratio_input"] == pytest.approx(17.3, abs=0.05)
        assert yuan["rate_date"] == date(2026, 2, 18)
        # 18.0 takes 7.2 yuan to the dollar, which it was on no day of the year.
        assert Decimal(2) * Decimal("7.2") / Decimal("0.8") == 18
        year = [date.fromordinal(date(2026, 1, 1).toordinal() + number) for number in range(303)]
        found = [record.rates.rate("USD", "CNY", day) for day in year]
        assert max(rate.value for rate in found if rate is not None) < Decimal("7.1")

    def test_five_times_at_the_international_list_price(self, record: Record) -> None:
        for day in ("2026-02-20", "2026-05-31"):
            found = record.ratios(day, GEMINI, QWEN_3_5, basis="list", region="global")
            assert {ratio for ratio, _ in found} == {5.0}

    def test_since_september_at_two_yuan(self, record: Record) -> None:
        """That price is stated in models.dev's request 6723, of which no list is recorded; what is
        checked is what it comes to at the rate of 2026-10-30."""
        rate = record.rates.rate("USD", "CNY", date(2026, 10, 30))
        assert rate is not None
        assert float(Decimal(2) * rate.value / Decimal(2)) == pytest.approx(6.65, abs=0.005)


class TestThreeToFive:
    """ "OpenAI is 3–5× Qwen": it depends on the pair, from 1.4 to 18 times."""

    @pytest.mark.parametrize(
        ("day", "openai", "qwen", "expected"),
        [
            ("2026-02-20", "gpt-5.2", "qwen3-max", (1.46, 2.33)),
            ("2026-02-20", "gpt-5.2", "qwen3.5-plus-02-15", (4.38, 5.83)),
            ("2026-02-20", "gpt-4o", "qwen-max", (1.56, 1.56)),
            ("2026-08-22", "gpt-5.5", "qwen3.7-max", (3.39, 6.78)),
            ("2026-08-22", "gpt-5.6-terra", "qwen3.7-plus", (6.25, 9.38)),
            ("2026-02-20", "gpt-4", "qwen-max", (18.75, 9.38)),
        ],
    )
    def test_pairs(
        self, record: Record, day: str, openai: str, qwen: str, expected: tuple[float, float]
    ) -> None:
        resolve = load_identity().resolve
        model, to = resolve(f"openai/{openai}"), resolve(f"qwen/{qwen}")
        found = record.ratios(day, model, to, basis="route")
        assert found == [pytest.approx(expected, abs=0.0051)]

    @pytest.mark.parametrize(
        ("at", "expected"), [("2026-02-20T0036", 11.7), ("2026-08-22T1208", 7.9)]
    )
    def test_medians_of_all_ids(self, record: Record, at: str, expected: float) -> None:
        prices = record.raw[moment(at)]

        def middle(author: str) -> Decimal:
            return median(
                Decimal(pricing["prompt"])
                for name, pricing in prices.items()
                if name.startswith(f"{author}/")
                and ":" not in name
                and Decimal(pricing["prompt"]) > 0
            )

        assert float(middle("openai") / middle("qwen")) == pytest.approx(expected, abs=0.06)
