"""The price index: by hand, over holes, and against plain Python over the recorded bodies."""

import gzip
import json
import shutil
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import prod
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.frames import FETCH
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.market.hours import minutes_of_week
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.price_index import PRICE_INDEX, index_of, price_index
from qwenwatch_cache.market.price_steps import PRICE_STEPS
from qwenwatch_cache.market.price_surveys import points_of
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.store import Store

PROPERTY = settings(deadline=None, database=None, max_examples=60)
MONTHS = [datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 7)]
MIX = Mix()

Told = tuple[str, int, str | None]
"""Model, month and price of its input, output and cached input from then on; None is unknown."""


def steps(*told: Told, **more: Any) -> pl.DataFrame:
    """Steps of list prices of feed f."""
    rows = [
        {
            **{"feed": "f", "basis": "list", "provider": "p", "region": "", "model": model},
            **{"variant": "", "currency": "USD", "tier_from": 0, "window_utc": ""},
            **dict.fromkeys(("input", "output", "cache_read"), price and Decimal(price)),
            **{"at": MONTHS[month], "edition": 0},
            **more,
        }
        for model, month, price in told
    ]
    return pl.DataFrame(rows, schema=PRICE_STEPS).sort("feed", "model", "window_utc", "at")


def answer(frame: pl.DataFrame, read: Sequence[int] = range(6)) -> pl.DataFrame:
    """The rows of vendor v; the feed was read in some of the months."""
    models = frame.get_column("model").unique().to_list()
    who = {("f", model, "p"): (f"v/{model}", "v") for model in models}
    polls = {"f": [MONTHS[number] for number in read]}
    rows = index_of(frame, who, polls, MONTHS, "list", MIX)
    assert rows.schema == PRICE_INDEX
    return rows.filter(pl.col("vendor") == "v")


def index(frame: pl.DataFrame, read: Sequence[int] = range(6)) -> list[Any]:
    """Point, index and matched models of vendor v."""
    return list(answer(frame, read).select("at", "index", "matched").iter_rows())


def medians(frame: pl.DataFrame) -> list[Decimal | None]:
    """The median blended price of vendor v by month."""
    return answer(frame).get_column("median_blended").to_list()


def levels(rows: Sequence[tuple[datetime, float | None, int | None]]) -> list[float | None]:
    return [level for _, level, _ in rows]


class TestByHand:
    def test_the_worked_example(self) -> None:
        """docs/definitions.md. January: a 1, b 2, c 4. February: a 0.5, and d comes at 10. March: a
        is gone and b is at 1. The median rises from 2 to 4; the index falls twice by a cube root of
        2, for each time one price of three was halved."""
        frame = steps(
            *(("a", 0, "1"), ("a", 1, "0.5"), ("a", 2, None), ("b", 0, "2"), ("b", 2, "1")),
            *(("c", 0, "4"), ("d", 1, "10")),
        )
        rows = index(frame)
        assert medians(frame)[:3] == [2, 3, 4]
        assert levels(rows)[:3] == [100, pytest.approx(79.370053), pytest.approx(62.996052)]
        assert [matched for _, _, matched in rows][:4] == [None, 3, 3, 3]
        assert levels(rows)[3:] == [pytest.approx(62.996052)] * 3

    def test_two_matched_models_are_a_gap_that_is_caught_up_with(self) -> None:
        rows = index(
            steps(
                *(("a", 0, "1"), ("b", 0, "1"), ("c", 0, "1"), ("c", 1, None), ("a", 1, "8")),
                *(("d", 2, "5"), ("e", 2, "5"), ("d", 3, "10")),
            )
        )
        # What a changed by in the gap counts in April, with the third model that is there again.
        assert levels(rows)[:3] == [100, None, None]
        assert [matched for _, _, matched in rows][:4] == [None, 2, 2, 4]
        assert levels(rows)[3] == pytest.approx(100 * (8 * 1 * 2 * 1) ** (1 / 4))

    def test_a_feed_that_was_not_read_says_nothing(self) -> None:
        frame = steps(*((name, 0, "1") for name in "abc"), *((name, 2, "2") for name in "abc"))
        assert levels(index(frame, read=(0, 1, 4))) == [100, 100, None, None, 200]

    def test_a_vendor_begins_where_it_has_three_models(self) -> None:
        frame = steps(("a", 0, "1"), ("b", 0, "1"), ("c", 3, "1"), ("a", 1, "2"))
        assert index(frame) == [(MONTHS[3], 100, None), (MONTHS[4], 100, 3), (MONTHS[5], 100, 3)]
        assert index(steps(("a", 0, "1"), ("b", 0, "1"))) == []

    def test_a_cached_price_that_is_stated_for_the_first_time_is_no_change(self) -> None:
        frame = steps(*((name, 0, "1") for name in "abc")).with_columns(
            cache_read=pl.lit(None, pl.Decimal(38, 12))
        )
        stated = steps(*((name, 1, "1") for name in "abc")).with_columns(
            cache_read=pl.lit(Decimal("0.1"), pl.Decimal(38, 12))
        )
        halved = stated.with_columns(
            at=pl.lit(MONTHS[2]).cast(PRICE_STEPS["at"]),
            cache_read=pl.lit(Decimal("0.05"), pl.Decimal(38, 12)),
        )
        rows = index(pl.concat([frame, stated, halved]).sort("model", "at"))
        # In March the cached price, 15 % of the tokens, is halved: 0.85 + 0.0075 of 0.85 + 0.015.
        assert levels(rows)[:3] == [100, 100, pytest.approx(100 * 0.8575 / 0.865)]

    def test_a_correction_is_no_change(self) -> None:
        before = steps(*((name, 0, "10") for name in "abcd"))
        after = steps(("a", 1, "30"), edition=1)
        assert levels(index(pl.concat([before, after]).sort("model", "at")))[1] == 100

    def test_free_and_half_known_prices_do_not_count(self) -> None:
        known = steps(*((name, 0, "1") for name in "abc"), ("d", 0, "0"), ("e", 0, None))
        half = known.filter(pl.col("model") == "a").with_columns(
            output=pl.lit(None, pl.Decimal(38, 12)), model=pl.lit("g")
        )
        rows = index(pl.concat([known, half]))
        assert [matched for _, _, matched in rows] == [None, 3, 3, 3, 3, 3]

    def test_several_offers_of_a_model_count_as_one(self) -> None:
        frame = steps(*((name, 0, "1") for name in "abc"), ("a", 1, "4"))
        other = steps(("a", 0, "7"), region="intl")
        rows = index(pl.concat([frame, other]).sort("feed", "region", "model", "at"))
        # Model a rose by the mean of ×4 and ×1, which is ×2; b and c did not.
        assert levels(rows)[1] == pytest.approx(100 * 2 ** (1 / 3))

    def test_prices_by_time_of_day_are_averaged_over_the_week(self) -> None:
        plain = steps(*((name, 0, "1") for name in "abc"), ("a", 1, None))
        peak = steps(("a", 1, "2"), window_utc="0600-1200")
        rest = steps(("a", 1, "1"), window_utc="1200-0600")
        rows = index(pl.concat([plain, peak, rest]).sort("model", "window_utc", "at"))
        assert levels(rows)[1] == pytest.approx(100 * 1.25 ** (1 / 3))
        # One half of the day alone is not the price of a day.
        assert index(pl.concat([plain, peak]).sort("model", "window_utc", "at"))[1][1:] == (None, 2)

    @pytest.mark.parametrize(
        ("window", "expected"),
        [
            ("", 10080),
            ("0100-0400", 7 * 180),
            ("2200-0100", 7 * 180),
            ("67 0000-0000", 2 * 1440),
            ("12345 0830-0900", 5 * 30),
        ],
    )
    def test_minutes_of_a_window(self, window: str, expected: int) -> None:
        assert minutes_of_week(window) == expected


def test_points_are_first_moments_and_now() -> None:
    first, last = datetime(2026, 1, 15, 8, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC)
    assert points_of(first, last, "month") == [MONTHS[1], MONTHS[2], last]
    weeks = points_of(first, last, "week")
    assert {point.isoweekday() for point in weeks[:-1]} == {1}
    assert points_of(last, first, "month") == []


@PROPERTY
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.integers(0, 5),
            st.none() | st.sampled_from(["0", "0.5", "1", "2", "8"]),
        ),
        max_size=24,
        unique_by=lambda told: told[:2],
    ),
    st.sets(st.integers(0, 5)).map(sorted),
)
def test_holes_are_gaps_and_never_a_hundred(told: list[Told], read: list[int]) -> None:
    rows = index(steps(*told), read)
    prices: dict[str, dict[int, str | None]] = defaultdict(dict)
    for model, month, price in told:
        prices[model][month] = price

    def priced(month: int) -> int:
        """Models that have a price above 0 in a month in which the feed was read."""
        if month not in read:
            return 0
        lasts = [
            of_model[max(since for since in of_model if since <= month)]
            for of_model in prices.values()
            if min(of_model) <= month
        ]
        return sum(price not in {None, "0"} for price in lasts)

    for number, (at, level, matched) in enumerate(rows):
        models = priced(MONTHS.index(at))
        assert level is None or level > 0
        assert matched is None or matched <= models
        assert (level is not None) == ((models if number == 0 else matched or 0) >= 3)


@pytest.fixture(scope="module")
def bodies(recordings: Path) -> Mapping[datetime, bytes]:
    """All recorded lists of models by the time of their capture, oldest first."""
    found = {}
    for path in sorted((recordings / "prices/openrouter/models").glob("*.json.gz")):
        stamp = path.name.partition(".")[0][:-1]
        when = datetime.strptime(stamp, "%Y-%m-%dT%H%M").replace(tzinfo=UTC)
        found[when] = gzip.decompress(path.read_bytes())
    return found


@pytest.fixture(scope="module")
def store(
    bodies: Mapping[datetime, bytes],
    route_told: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Store:
    """A cache that has read them."""
    folder = tmp_path_factory.mktemp("index")
    store = Store(shutil.copytree(route_told, folder / "cache"), bundled=folder)
    log = []
    for when in bodies:
        row = {"feed": "openrouter-models", "url": "x", "started": when}
        log.append({**dict.fromkeys(FETCH), **row})
    store.log(pl.DataFrame(log, schema=FETCH), max(bodies))
    return store


class TestRecorded:
    """Month by month over all recorded lists of models, worked out a second time."""

    @staticmethod
    def oracle(
        lists: Sequence[tuple[datetime, Any]], author: str
    ) -> list[tuple[datetime, float | None]]:
        """A chain over the last list before each point; only for authors without doubted prices."""
        baskets: list[dict[str, tuple[Decimal, Decimal, Decimal | None]]] = []
        for _, entries in lists:
            baskets.append({})
            for entry in entries:
                name, pricing = entry["id"], entry["pricing"]
                if not name.startswith(f"{author}/") or ":" in name:
                    continue
                given, taken = (Decimal(pricing[key]) for key in ("prompt", "completion"))
                cached = Decimal(pricing.get("input_cache_read") or 0)
                if given > 0 and taken > 0:
                    baskets[-1][name] = given, taken, cached if cached > 0 else None
        level = 100.0
        chain: list[tuple[datetime, float | None]] = []
        last: dict[str, tuple[Decimal, Decimal, Decimal | None]] = {}
        for (point, _), basket in zip(lists, baskets, strict=True):
            if not chain and len(basket) < 3:
                continue
            ratios = defaultdict(list)
            for name in last.keys() & basket.keys():
                one, other = last[name], basket[name]
                both = one[2] is not None and other[2] is not None
                blended = [
                    each[0] * Decimal("0.80")
                    + each[1] * Decimal("0.05")
                    + (each[2] if both and each[2] else each[0]) * Decimal("0.15")
                    for each in (one, other)
                ]
                model = load_identity().canonical("openrouter-models", name) or name
                ratios[model].append(float(blended[1] / blended[0]))
            if chain and len(ratios) < 3:
                last = basket | last
                chain.append((point, None))
                continue
            if chain:
                means = [prod(each) ** (1 / len(each)) for each in ratios.values()]
                level *= prod(means) ** (1 / len(means))
            last = last | basket
            chain.append((point, level))
        return chain

    AUTHORS: Mapping[str, str] = {
        **{"openai": "openai", "anthropic": "anthropic", "amazon": "amazon", "cohere": "cohere"},
        **{"perplexity": "perplexity", "x-ai": "xai", "ai21": "ai21", "sao10k": "sao10k"},
    }

    def test_vendors_whose_prices_were_never_doubted(
        self, store: Store, bodies: Mapping[datetime, bytes]
    ) -> None:
        known = Known(store, max(bodies))
        doubted = known.price_history().filter(
            pl.col("mark").is_in(["flicker", "glitch", "jump", "absence"])
            | (pl.col("field") == "schedule"),
            pl.col("variant") == "",
        )
        spoilt = {name.partition("/")[0] for name in doubted["model"].unique().to_list()}
        captures = sorted(bodies)
        lists = [
            (point, json.loads(bodies[captures[bisect_right(captures, point) - 1]])["data"])
            for point in points_of(captures[0], known.at, "month")
        ]
        frame = price_index(known, "route", "month", MIX)
        checked = []
        for author, vendor in self.AUTHORS.items():
            if author in spoilt:
                continue
            own = frame.filter(pl.col("vendor") == vendor)
            assert list(own.select("at", "index").iter_rows()) == [
                (at, None if level is None else pytest.approx(level, rel=1e-6))
                for at, level in self.oracle(lists, author)
            ]
            checked.append(author)
        assert len(checked) >= 4, spoilt
        assert {"anthropic"} <= set(checked)

    def test_every_point_has_enough_models_or_is_a_gap(
        self, store: Store, bodies: Mapping[datetime, bytes]
    ) -> None:
        known = Known(store, max(bodies))
        frame = price_index(known, "route", "week", MIX, date(2026, 1, 1))
        assert min(frame["at"].to_list()) >= datetime(2026, 1, 1, tzinfo=UTC)
        thin = frame.filter(pl.col("matched") < 3)
        assert thin.height > 0 and thin["index"].null_count() == thin.height
        assert frame.filter(pl.col("matched") >= 3)["index"].null_count() == 0
        bases = frame.filter(pl.col("matched").is_null())
        assert set(bases["index"]) == {100.0}
        assert bases["vendor"].n_unique() == frame["vendor"].n_unique() == bases.height

    def test_what_was_learned_later_is_not_known(
        self, store: Store, bodies: Mapping[datetime, bytes]
    ) -> None:
        early = Known(store, max(bodies) - timedelta(days=120))
        frame = price_index(early, "route", "month", MIX)
        read = early.polls.last("openrouter-models", early.at)
        assert read is not None and read <= early.at
        assert max(frame["at"].to_list()) == read
        assert price_index(early, "list", "month", MIX).is_empty()
