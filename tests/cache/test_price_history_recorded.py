"""The recorded price lists of two years, played through parser and store: the traps come out right.

What a change is, is worked out a second time in plain Python over the raw JSON.
"""

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.feeds import models_dev
from qwenwatch_cache.frames import FETCH, PRICE_FIELDS
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.marks import ALARMING
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.store import Store

DAY = timedelta(days=1)
QWEN = "alibaba/qwen3-max"
ROUTE = "openrouter-models"
STEP = Decimal("1e-12")

MILLION = {
    "prompt": "input",
    "completion": "output",
    "input_cache_read": "cache_read",
    "input_cache_write": "cache_write",
    "input_cache_write_1h": "cache_write_1h",
    "internal_reasoning": "reasoning",
    "audio": "audio_input",
    "audio_output": "audio_output",
    "input_audio_cache": "audio_cache_read",
    "image_output": "image_output",
}
ONE = {"request": "request", "image": "image", "web_search": "web_search"}

Stated = Mapping[tuple[str, str], Mapping[str, Decimal | None]]
"""Prices of a body by model and variant."""
Change = tuple[str, str, str, Decimal | None, Decimal | None, datetime]


@dataclass(frozen=True)
class Record:
    """The record as the program tells it, and the bodies themselves."""

    store: Store
    bodies: Mapping[datetime, Mapping[str, Any]]
    history: pl.DataFrame  # of route prices
    lists: pl.DataFrame  # of list prices

    def known(self, *when: int) -> Known:
        year, month, day, hour = when
        return Known(self.store, datetime(year, month, day, hour, tzinfo=UTC))

    def of(self, model: str, *fields: str, day: str = "") -> list[dict[str, Any]]:
        rows = self.history.filter(pl.col("model") == model, pl.col("field").is_in(fields))
        return [row for row in rows.to_dicts() if f"{row['at']:%Y-%m-%d}".startswith(day)]


@pytest.fixture(scope="module")
def record(recordings: Path, route_told: Path, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """All 116 bodies and what there is of models.dev, each told in the order of its capture to a
    cache without a baseline."""
    folder = tmp_path_factory.mktemp("record")
    store = Store(shutil.copytree(route_told, folder / "cache"), bundled=folder)
    bodies: dict[datetime, Mapping[str, Any]] = {}
    fetches = []
    for when, feed, path in captures(recordings):
        body = gzip.decompress(path.read_bytes())
        fetches.append({**dict.fromkeys(FETCH), "feed": feed, "url": "x", "started": when})
        if feed == ROUTE:
            bodies[when] = json.loads(body)
        else:
            parsed = models_dev.parse(body, when)
            store.append(parsed.frames, when, unread=parsed.unread)
    last = max(bodies)
    store.log(pl.DataFrame(fetches, schema=FETCH), last)
    assert len(bodies) == 116
    known = Known(store, last)
    history, lists = (known.price_history(feeds=[feed]) for feed in (ROUTE, "models-dev"))
    return Record(store, bodies, history, lists)


def captures(recordings: Path) -> list[tuple[datetime, str, Path]]:
    """Price lists with the moment in their file names, oldest first."""
    found = []
    for path in (recordings / "prices/openrouter/models").glob("*.json.gz"):
        found.append((moment(path.name.partition(".")[0][:-1]), ROUTE, path))
    for path in (recordings / "prices/models.dev/generated").glob("api_*.json.gz"):
        found.append((moment(f"{path.name[4:14]}T1300"), "models-dev", path))
    path = recordings / "prices/models.dev/api/2025-06-25.json.gz"
    return sorted([*found, (moment("2025-06-25T1300"), "models-dev", path)])


def exact(text: str | None, unit: int) -> Decimal | None:
    """A price as it stands in a body, per 1M tokens or per unit; -1 and no key are unknown."""
    if text is None or Decimal(text) < 0:
        return None
    return (Decimal(text) * unit).quantize(STEP, ROUND_HALF_EVEN)


def stated(body: Mapping[str, Any]) -> Stated:
    """What a body says of the models that have one price at all times of day."""
    found = {}
    for entry in body["data"]:
        pricing = entry["pricing"]
        tiled = any("utc_start" in one for one in pricing.get("overrides") or [])
        if entry["id"].startswith("~") or tiled:
            continue
        model, _, variant = entry["id"].partition(":")
        found[model, variant] = {
            **{name: exact(pricing.get(key), 1_000_000) for key, name in MILLION.items()},
            **{name: exact(pricing.get(key), 1) for key, name in ONE.items()},
        }
    return found


def steps(bodies: Mapping[datetime, Mapping[str, Any]]) -> Iterator[Change]:
    """Every step of every price from one capture that states it to the next within a week."""
    last: dict[tuple[str, str], Mapping[str, Decimal | None]] = {}
    missing: dict[tuple[str, str], datetime] = {}
    for when, body in bodies.items():
        now = stated(body)
        for offer in last.keys() - now.keys():
            missing.setdefault(offer, when)
        for offer, prices in now.items():
            away = missing.pop(offer, None)
            if offer in last and (away is None or when - away < 7 * DAY):
                for name, price in prices.items():
                    if price != last[offer][name]:
                        yield (*offer, name, last[offer][name], price, when)
            last[offer] = prices


def test_the_changes_are_those_of_the_raw_bodies(record: Record) -> None:
    """No float noise: each is a difference of exact amounts, and none is missing."""
    base = record.history.filter(
        pl.col("field").is_in(PRICE_FIELDS), pl.col("tier_from") == 0, pl.col("window_utc") == ""
    )
    columns = ("model", "variant", "field", "before", "after", "at")
    found = list(base.select(columns).iter_rows())
    expected = set(steps(record.bodies))
    assert len(found) == len(set(found)) > 6000
    assert set(found) == expected


def test_kimi_at_nothing_for_two_captures(record: Record) -> None:
    rows = record.of("moonshotai/kimi-k2.5", "input", "output", day="2026-04-1")
    legs = [row for row in rows if 0 in (row["before"], row["after"])]
    assert len(legs) == 4  # input and output, there and back
    assert {row["mark"] for row in legs} == {"glitch"}
    assert {f"{row['at']:%m-%d}" for row in legs} == {"04-18", "04-19"}
    for hour in (1, 13, 23):
        offers = record.known(2026, 4, 18, hour).prices(
            datetime(2026, 4, 18, hour, tzinfo=UTC), QWEN, Mix()
        )
        kimi, route = pl.col("source_id") == "moonshotai/kimi-k2.5", pl.col("basis") == "route"
        row = offers.filter(kimi, route)
        assert row.select("input", "output").rows() == [(None, None)]  # unknown, not free


def test_nineteen_ids_missing_for_a_day(record: Record) -> None:
    """Eleven of Qwen were back the next day; the other eight never came back."""
    before = {entry["id"] for entry in record.bodies[moment("2026-01-15T1215")]["data"]}
    after = {entry["id"] for entry in record.bodies[moment("2026-01-16T0032")]["data"]}
    missing = before - after
    qwen = {name for name in missing if name.startswith("qwen/")}
    assert (len(missing), len(qwen)) == (19, 11)
    listed = record.history.filter(
        pl.col("field") == "listed",
        pl.col("at") == moment("2026-01-16T0032"),
        pl.col("mark") != "added",
    )
    marks = {
        row["model"] + (f":{row['variant']}" if row["variant"] else ""): row["mark"]
        for row in listed.to_dicts()
    }
    assert marks == {name: "absence" if name in qwen else "gone" for name in missing}
    assert not ALARMING & set(marks.values())

    at = datetime(2026, 1, 16, 13, tzinfo=UTC)
    known = Known(record.store, at)
    in_force = known.prices(at, QWEN, Mix())
    names = {
        model + (f":{variant}" if variant else "")
        for model, variant in in_force.select("source_id", "variant").iter_rows()
    }
    assert missing <= names
    # On the day itself nobody knew yet which would come back.
    then = known.price_history().filter(
        pl.col("field") == "listed", pl.col("at") == moment("2026-01-16T0032")
    )
    assert then.filter(pl.col("mark") == "unconfirmed").height == 19


def test_qwens_cut_of_march(record: Record) -> None:
    cut = [
        row
        for row in record.history.filter(pl.col("model").str.starts_with("qwen/")).to_dicts()
        if f"{row['at']:%Y-%m-%d}" == "2026-03-04" and row["ratio"] == 0.65
    ]
    both = {"input", "output"}
    by_model: dict[str, set[str]] = {}
    for row in cut:
        assert row["mark"] == "confirmed"
        assert row["after"] == row["before"] * Decimal("0.65")
        by_model.setdefault(row["model"], set()).add(row["field"])
    names = ("qwen-max", "qwen-turbo", "qwen3-coder-plus", "qwen3.5-plus-02-15", "qwen-vl-plus")
    for name in names:
        assert both <= by_model[f"qwen/{name}"]
    assert "qwen/qwen3-max" not in by_model  # it followed on 17 March


def test_routers_never_have_a_price(record: Record) -> None:
    raw = [
        entry["pricing"]["prompt"]
        for body in record.bodies.values()
        for entry in body["data"]
        if entry["id"] == "openrouter/free"
    ]
    assert raw[:2] == ["-1", "-1"] and set(raw[2:]) == {"0"}
    marks = {row["mark"] for row in record.of("openrouter/free", "input", "output")}
    assert marks == {"known"}
    assert record.of("openrouter/auto", "input", "output", "listed") == []
    at = datetime(2026, 2, 2, 13, tzinfo=UTC)
    offers = record.known(2026, 2, 2, 13).prices(at, QWEN, Mix())
    router = offers.filter(pl.col("source_id") == "openrouter/free")
    assert router.select("input", "output").rows() == [(None, None)]


def test_models_with_times_of_day_do_not_flap(record: Record) -> None:
    """Their base price in the bodies flips with the clock."""
    tiled: dict[str, list[datetime]] = {}
    base: dict[str, set[str]] = {}
    for when, body in record.bodies.items():
        for entry in body["data"]:
            if any("utc_start" in one for one in entry["pricing"].get("overrides") or []):
                tiled.setdefault(entry["id"], []).append(when)
                base.setdefault(entry["id"], set()).add(entry["pricing"]["prompt"])
    assert len(tiled) == 3
    for model, captures in tiled.items():
        inside = [
            row
            for row in record.history.filter(pl.col("model") == model).to_dicts()
            if min(captures) <= row["at"] <= max(captures) and row["field"] != "listed"
        ]
        # Nothing but that the times of day began, once.
        assert [row["field"] for row in inside] in (["schedule"], [])
        assert all(row["window_utc"] == "" for row in inside)
    fields = [
        row["field"] for row in record.of("deepseek/deepseek-v4-pro", *FIELDS, day="2026-08-17")
    ]
    assert fields == ["schedule"]


FIELDS = (*PRICE_FIELDS, "schedule", "tiers", "listed")


def test_tiers_that_the_feed_began_to_state_alarm_nobody(record: Record) -> None:
    tiers = record.history.filter(pl.col("field") == "tiers")
    assert tiers.height > 20
    assert not ALARMING & set(tiers["mark"])


def test_most_changes_are_confirmed_and_flickers_are_marked(record: Record) -> None:
    """All that reverted to the last price within two captures half a day apart."""
    flickers = record.history.filter(pl.col("mark") == "flicker")
    assert flickers.height > 100
    for _, leg in flickers.group_by("model", "variant", "tier_from", "field"):
        rows = leg.sort("at").to_dicts()
        for there, back in zip(rows[::2], rows[1::2], strict=True):
            assert (there["before"], there["after"]) == (back["after"], back["before"])
            assert there["until"] == back["at"]


def test_a_list_price_that_was_entered_wrong_is_a_correction(record: Record) -> None:
    """models.dev had GPT-4 at 10/30; OpenRouter charged 30/60 in every capture there is."""
    rows = record.lists.filter(pl.col("model") == "openai/gpt-4").to_dicts()
    assert [(row["field"], row["before"], row["after"], row["mark"]) for row in rows] == [
        ("input", 10, 30, "correction"),
        ("output", 30, 60, "correction"),
    ]
    assert record.of("openai/gpt-4", "input", "output") == []


def moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y-%m-%dT%H%M").replace(tzinfo=UTC)
