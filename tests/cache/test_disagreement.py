"""Where sources state different prices: by hand, and over the recorded lists in plain Python."""

import csv
import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from qwenwatch_cache.feeds import litellm, models_dev
from qwenwatch_cache.frames import FETCH
from qwenwatch_cache.market.disagreement import COMPARED, DISAGREEMENT, disagreement
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.offers import OFFERS, offers
from qwenwatch_cache.store import Store
from qwenwatch_cache.vendors import load_vendors

NOW = datetime(2026, 7, 12, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def stated(model: str, feed: str, *prices: str | None, **other: Any) -> dict[str, Any]:
    """What a feed lists: in, out and, if given, cached."""
    amounts = [None if price is None else Decimal(price) for price in prices]
    return {
        **dict.fromkeys(OFFERS),
        **{"model": model, "name": model, "basis": "list", "feed": feed, "source_id": model},
        **{"provider": feed, "region": "global", "variant": "", "window_utc": ""},
        **{"tier_from": 0, "currency": "USD", "observed_at": NOW - 3 * DAY, "cross_check": False},
        **dict(zip(COMPARED, [*amounts, None], strict=False)),
        **other,
    }


def compared(
    *rows: Mapping[str, Any], shares: Mapping[str, float] | None = None, **query: Any
) -> list[dict[str, Any]]:
    frame = disagreement(
        pl.DataFrame(list(rows), schema=OFFERS),
        NOW,
        read_at=lambda feed: NOW - DAY,
        shares=shares or {},
        **query,
    )
    assert frame.schema == DISAGREEMENT
    return frame.to_dicts()


class TestByHand:
    def test_the_worked_example_of_the_definitions(self) -> None:
        """docs/definitions.md: 0.40 against 0.50 in, 1.60 against 3.00 out."""
        rows = compared(
            stated("alibaba/qwen3.7-plus", "litellm", "0.40", "1.60", "0.08"),
            stated("alibaba/qwen3.7-plus", "models-dev", "0.50", "3.00", "0.05"),
        )
        assert [row["feed"] for row in rows] == ["litellm", "models-dev"]
        for row in rows:
            assert row["differs"] == ["input", "output", "cache_read"]
            assert (row["spread_input"], row["spread_output"]) == (0.25, 0.875)
            assert (row["spread_cache_read"], row["spread"]) == (0.6, 0.875)
            assert row["since"] == NOW - 3 * DAY
            assert row["read_at"] == NOW - DAY
            assert row["hand_kept"]

    def test_sources_that_agree_are_shown_only_when_asked_about(self) -> None:
        same = (stated("a/b", "litellm", "1", "4"), stated("a/b", "models-dev", "1.00", "4"))
        assert compared(*same) == []
        rows = compared(*same, models=["a/b"])
        assert [(row["differs"], row["spread"], row["feeds"]) for row in rows] == [([], 0.0, 2)] * 2

    def test_another_region_currency_variant_or_basis_is_another_price(self) -> None:
        apart = {"currency": "CNY"}, {"region": "cn"}, {"variant": "batch"}, {"basis": "route"}
        for other in apart:
            rows = (stated("a/b", "one", "1", "4"), stated("a/b", "two", "9", "9", **other))
            assert compared(*rows) == []
            asked = compared(*rows, models=["a/b"])
            assert [(row["feeds"], row["spread"]) for row in asked] == [(1, None)] * 2

    def test_one_feed_alone_contradicts_nobody(self) -> None:
        rows = (
            stated("a/b", "one", "1", "4"),
            stated("a/b", "one", "2", "8", provider="elsewhere"),
        )
        assert compared(*rows) == []
        # Another feed agrees with one of its two prices.
        assert compared(*rows, stated("a/b", "two", "2", "8")) == []
        assert len(compared(*rows, stated("a/b", "two", "3", "8"))) == 3

    def test_an_unknown_price_is_no_contradiction_and_0_is_one(self) -> None:
        assert compared(stated("a/b", "one", "1", None), stated("a/b", "two", "1", "4")) == []
        rows = compared(stated("a/b", "one", "0", "0"), stated("a/b", "two", "1", "4"))
        assert rows[0]["differs"] == ["input", "output"]
        assert (rows[0]["spread"], rows[0]["spread_input"]) == (None, None)

    def test_order_and_threshold(self) -> None:
        rows = [
            *(stated("a/wide", "one", "1", "4"), stated("a/wide", "two", "3", "4")),
            *(stated("a/used", "one", "1", "4"), stated("a/used", "two", "1.5", "4")),
            *(stated("a/most", "one", "1", "4"), stated("a/most", "two", "1.25", "4")),
            *(stated("a/zero", "one", "1", "4"), stated("a/zero", "two", "0", "0")),
        ]
        shares = {"a/used": 0.1, "a/most": 0.3}
        found = [row["model"] for row in compared(*rows, shares=shares)][::2]
        # 0.25 × 0.3 is more than 0.5 × 0.1; models without a share come after.
        assert found == ["a/zero", "a/most", "a/used", "a/wide"]
        found = [row["model"] for row in compared(*rows, shares=shares, min_spread=0.5)][::2]
        assert found == ["a/zero", "a/used", "a/wide"]

    def test_the_price_of_other_tokens_explains_a_difference(self) -> None:
        rows = compared(
            stated("a/draw", "litellm", "0.30", "2.50", image_output=Decimal(30)),
            stated("a/draw", "models-dev", "0.30", "30"),
            stated("a/z", "litellm", "1", "4"),
            stated("a/z", "models-dev", "1", "5"),
        )
        assert [row["model"] for row in rows] == ["a/z"] * 2 + ["a/draw"] * 2  # explained: last
        assert rows[2]["note"] == "models-dev gives the output price of image tokens"
        assert rows[0]["note"] == ""

    def test_only_the_time_of_day_in_force_is_compared(self) -> None:
        tiles = {"1100-1300": "1", "1300-1100": "2"}
        rows = [
            stated("a/b", "one", price, "4", window_utc=window) for window, price in tiles.items()
        ]
        assert compared(*rows, stated("a/b", "two", "1", "4")) == []
        assert len(compared(*rows, stated("a/b", "two", "2", "4"))) == 2


PRICE = st.none() | st.decimals(0, 100, places=2)
ROW = st.builds(
    lambda number, feed, region, inward, outward: stated(
        f"a/{number}",
        feed,
        None if inward is None else str(inward),
        None if outward is None else str(outward),
        region=region,
    ),
    st.integers(0, 3),
    st.sampled_from(["litellm", "models-dev", "alibaba-list"]),
    st.sampled_from(["global", "cn"]),
    PRICE,
    PRICE,
)


@given(st.lists(ROW, max_size=10))
def test_what_is_unknown_contradicts_nothing(rows: list[dict[str, Any]]) -> None:
    for row in compared(*rows):
        same = [
            one for one in rows if (one["model"], one["region"]) == (row["model"], row["region"])
        ]
        assert row["differs"]
        for name in COMPARED:
            known = {one[name] for one in same if one[name] is not None}
            if name in row["differs"]:
                assert len(known) > 1
            if row[f"spread_{name}"] is not None:
                assert (row[f"spread_{name}"] > 0) == (name in row["differs"])
                assert 0 not in known or known == {0} or name not in row["differs"]


class TestRecorded:
    """models.dev of 2026-07-02 against LiteLLM of 2026-07-12."""

    def test_every_model_that_both_list(self, recordings: Path, tmp_path: Path) -> None:
        folder = recordings / "prices"
        bodies = {
            "models-dev": (folder / "models.dev/generated/api_2026-07-02.json.gz", models_dev),
            "litellm": (folder / "litellm/main/2026-07-12.json.gz", litellm),
        }
        store = Store(tmp_path / "cache", bundled=tmp_path)
        raw: dict[str, Any] = {}
        for feed, (path, module) in bodies.items():
            body = gzip.decompress(path.read_bytes())
            raw[feed] = json.loads(body, parse_float=Decimal, parse_int=Decimal)
            # Two polls, a month apart: a price of 0 is believed when it has stood.
            for when in (NOW - 30 * DAY, NOW - DAY):
                store.append(module.parse(body, when).frames, when)
                row = {**dict.fromkeys(FETCH), "feed": feed, "url": "x", "started": when}
                store.log(pl.DataFrame([row], schema=FETCH), when)
        known = Known(store, NOW)
        found = offers(known, NOW)
        frame = disagreement(
            found, NOW, read_at=lambda feed: known.polls.last(feed, NOW), shares={}
        )

        differing: dict[str, tuple[str, ...]] = {}
        agreeing = set()
        for model, one, other in listed_by_both(raw):
            pairs = zip(COMPARED, of_models_dev(one), of_litellm(other), strict=True)
            apart = tuple(name for name, a, b in pairs if None not in (a, b) and a != b)
            if apart:
                differing[model] = apart
            else:
                agreeing.add(model)
        rows = frame.filter(variant="").unique("model").select("model", "differs").iter_rows()
        shown = {model: tuple(names) for model, names in rows}
        both = differing.keys() | agreeing
        assert {model: names for model, names in shown.items() if model in both} == differing
        assert len(differing) > 8 and len(agreeing) > 100
        assert set(frame["read_at"].to_list()) == {NOW - DAY}


def listed_by_both(raw: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Models with one id in either feed, which vendors' own providers sell in the same region."""
    text = files("qwenwatch_cache").joinpath("identity.csv").read_text(encoding="utf-8")
    ids: dict[str, dict[str, list[str]]] = {}
    for canonical, feed, model, *_ in csv.reader(text.splitlines()[1:]):
        ids.setdefault(canonical, {}).setdefault(feed, []).append(model)
    region = load_vendors().list_price_region
    found = []
    for canonical, by_feed in ids.items():
        ours = [one for one in by_feed.get("models-dev", ()) if first_party(one)]
        theirs = [one for one in by_feed.get("litellm", ()) if one in raw["litellm"]]
        if len(ours) != 1 or len(theirs) != 1:
            continue
        provider, _, name = ours[0].partition("/")
        one = raw["models-dev"][provider]["models"].get(name)
        other = raw["litellm"][theirs[0]]
        places = (
            region("models-dev", provider),
            region("litellm", other.get("litellm_provider", "")),
        )
        if one is None or None in places or "off_peak_pricing" in other:
            continue
        if places[0] is not None and places[1] is not None and places[0][1] == places[1][1]:
            found.append((canonical, one, other))
    return found


def first_party(model: str) -> bool:
    return load_vendors().list_price_region("models-dev", model.partition("/")[0]) is not None


def of_models_dev(entry: Mapping[str, Any]) -> tuple[Decimal | None, ...]:
    cost = entry.get("cost") or {}
    return tuple(cost.get(name) for name in COMPARED)


def of_litellm(entry: Mapping[str, Any]) -> tuple[Decimal | None, ...]:
    if "tiered_pricing" in entry:
        entry = min(entry["tiered_pricing"], key=lambda each: each["range"][0])
    cached = entry.get("cache_read_input_token_cost", entry.get("input_cost_per_token_cache_hit"))
    prices = (entry.get("input_cost_per_token"), entry.get("output_cost_per_token"), cached)
    return tuple(None if price is None else price * 1_000_000 for price in prices)
