"""Definitions side by side, worked out a second time in plain Python from the raw recordings."""

import csv
import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.side_by_side import SideBySide, side_by_side
from qwenwatch_cache.store import Store

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
ALL, STANDARD = "tokens/openrouter-rankings", "tokens_standard/openrouter-rankings"
QWENS_WEEK = date(2026, 3, 30)

Sums = dict[str, int]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The bundled baseline, which was made from the recordings by parser and store."""
    return Known(Store(tmp_path_factory.mktemp("empty") / "cache"), NOW)


def asked(known: Known, monday: date) -> SideBySide:
    return side_by_side(known, "week", monday + WEEK - timedelta(days=1))


def leader(side: SideBySide, key: str) -> dict[str, Any]:
    (row,) = side.rows.filter(pl.col("key") == key).to_dicts()
    return row


def leaders(side: SideBySide, key: str, column: str) -> dict[str, Any]:
    rows = side.leaders.filter(pl.col("key") == key)
    return dict(rows.select("id", column).iter_rows())


def countries(side: SideBySide, key: str) -> dict[str, float]:
    rows = side.countries.filter(pl.col("key") == key)
    return dict(rows.select("country", "share").iter_rows())


def table() -> list[dict[str, Any]]:
    text = files("qwenwatch_cache").joinpath("vendors.toml").read_text(encoding="utf-8")
    vendors: list[dict[str, Any]] = tomllib.loads(text)["vendor"]
    return vendors


def behind(author: str) -> tuple[str, str]:
    """Vendor and country of an author of OpenRouter's ids."""
    for vendor in table():
        if author in vendor["aliases"].get("openrouter", ()):
            return vendor["id"], vendor["country"] or "unattributed"
    return "unattributed", "unattributed"


def grouped(tokens: Mapping[str, int], place: int) -> Sums:
    """Tokens of models by vendor (0) or country (1)."""
    sums: Sums = {}
    for slug, value in tokens.items():
        name = behind(slug.partition("/")[0])[place]
        sums[name] = sums.get(name, 0) + value
    return sums


def shares_of(sums: Mapping[str, int]) -> dict[str, float]:
    total = sum(sums.values())
    return {name: float(Fraction(value, total)) for name, value in sums.items()}


def week_of_models(recordings: Path, monday: date) -> Sums:
    """The days of the Data API, added up."""
    (path,) = (recordings / "usage/openrouter-data-api").glob("casualstudy.*.json")
    sums: Sums = {}
    for day in json.loads(path.read_text(encoding="utf-8")).values():
        for row in day.values():
            if monday <= date.fromisoformat(row["date"]) < monday + WEEK:
                slug = row["model_permaslug"]
                sums[slug] = sums.get(slug, 0) + int(row["total_tokens"])
    return sums


def point(recordings: Path, name: str, monday: date) -> Sums:
    """A week of a chart on OpenRouter's rankings page."""
    path = recordings / "usage/openrouter-frontend" / name
    document = json.loads(path.read_text(encoding="utf-8"))
    points = document["data"] if "data" in document else document["payload"]["weekly_chart"]
    (week,) = (one["ys"] for one in points if one["x"] == str(monday))
    return dict(week)


def without_variants(tokens: Mapping[str, int]) -> Sums:
    return {slug: value for slug, value in tokens.items() if ":" not in slug}


@pytest.mark.parametrize("monday", ["2026-06-01", "2026-06-29", "2026-07-20", "2026-08-10"])
@pytest.mark.parametrize("key", [ALL, STANDARD])
def test_tokens_with_and_without_variants(
    known: Known, recordings: Path, monday: str, key: str
) -> None:
    first = date.fromisoformat(monday)
    tokens = week_of_models(recordings, first)
    assert any(slug.endswith(":free") for slug in tokens)
    if key == STANDARD:
        tokens = without_variants(tokens)
    side = asked(known, first)
    by_vendor, by_country = grouped(tokens, 0), grouped(tokens, 1)
    expected = shares_of(by_country)
    assert countries(side, key) == pytest.approx(expected, abs=1e-9)
    assert list(countries(side, key))[-1] == "unattributed"
    by_vendor_shares = shares_of(by_vendor)
    del by_vendor["unattributed"], by_vendor_shares["unattributed"]
    assert leaders(side, key, "value") == by_vendor
    assert leaders(side, key, "share") == pytest.approx(by_vendor_shares, abs=1e-9)
    first_of_all = max(by_vendor, key=lambda vendor: by_vendor[vendor])
    row = leader(side, key)
    assert (row["leader"], row["leader_value"]) == (first_of_all, by_vendor[first_of_all])
    assert (row["start"], row["end"], row["complete"]) == (
        first,
        first + timedelta(days=6),
        True,
    )
    assert ("standard variants only" in row["scope"]) == (key == STANDARD)


def test_the_week_in_which_qwen_led_by_one_definition_and_not_by_the_other(
    known: Known, recordings: Path
) -> None:
    models = point(recordings, "token-economy.2026-08-22.json", QWENS_WEEK)
    labs = point(recordings, "market-share.2026-08-01.raw.json", QWENS_WEEK)
    side = asked(known, QWENS_WEEK)
    # All variants, by lab: 6.90T of 27.0T.
    row = leader(side, ALL)
    assert (row["leader"], row["leader_value"]) == ("alibaba", labs["qwen"])
    assert row["leader_share"] == pytest.approx(labs["qwen"] / sum(labs.values()), abs=1e-9)
    assert f"{row['leader_share']:.1%} of {sum(labs.values()) / 1e12:.1f}T" == "25.6% of 27.0T"
    # Free variants: 6.24T of them, all of two slugs of qwen3.6-plus.
    free = {slug: value for slug, value in models.items() if slug.startswith("qwen/")}
    assert set(free) == {"qwen/qwen3.6-plus-04-02:free", "qwen/qwen3.6-plus-preview:free"}
    assert f"{sum(free.values()) / 1e12:.2f}T of {labs['qwen'] / 1e12:.2f}T" == "6.24T of 6.90T"
    # Standard variants only: what is left of the nine named models, and the rest as stated.
    standard = without_variants(models)
    by_vendor, by_country = grouped(standard, 0), grouped(standard, 1)
    row = leader(side, STANDARD)
    assert (row["leader"], row["leader_value"]) == ("xiaomi", by_vendor["xiaomi"])
    assert row["leader_share"] == pytest.approx(shares_of(by_vendor)["xiaomi"], abs=1e-9)
    assert countries(side, STANDARD) == pytest.approx(shares_of(by_country), abs=1e-9)
    assert countries(side, STANDARD)["unattributed"] > 0.5  # the rest is large that week, and said
    assert "alibaba" not in leaders(side, STANDARD, "share")
    # It leads whatever is in the rest: nobody's other variants than the named can be negative.
    variants = {slug: value for slug, value in models.items() if ":" in slug}
    most = {lab: value - grouped_by_lab(variants).get(lab, 0) for lab, value in labs.items()}
    others = {lab: value for lab, value in most.items() if lab not in {"xiaomi", "others"}}
    assert by_vendor["xiaomi"] > max(others.values())


def grouped_by_lab(tokens: Mapping[str, int]) -> Sums:
    sums: Sums = {}
    for slug, value in tokens.items():
        sums[slug.partition("/")[0]] = sums.get(slug.partition("/")[0], 0) + value
    return sums


def test_the_week_after_it_was_another_by_both(known: Known, recordings: Path) -> None:
    monday = QWENS_WEEK + WEEK
    labs = point(recordings, "market-share.2026-08-01.raw.json", monday)
    side = asked(known, monday)
    named = sorted(set(labs) - {"others"}, key=lambda lab: -labs[lab])
    assert leader(side, ALL)["leader"] == behind(named[0])[0] != "alibaba"
    assert leaders(side, ALL, "rank")["alibaba"] == named.index("qwen") + 1 == 4
    standard = grouped(
        without_variants(point(recordings, "token-economy.2026-08-22.json", monday)), 0
    )
    del standard["unattributed"]
    assert leaders(side, STANDARD, "value") == standard


@pytest.mark.parametrize("metric", ["tokens", "requests", "spend"])
@pytest.mark.parametrize("monday", ["2026-06-01", "2026-07-20", "2026-08-10"])
def test_vercel(known: Known, recordings: Path, metric: str, monday: str) -> None:
    first = date.fromisoformat(monday)
    text = files("qwenwatch_cache").joinpath("identity.csv").read_text(encoding="utf-8")
    vendor_of = {
        row["id"]: row["canonical"].partition("/")[0]
        for row in csv.DictReader(text.splitlines())
        if row["feed"] == "vercel-leaderboard"
    }
    days: dict[date, Mapping[str, float]] = {}
    for path in sorted((recordings / "usage/vercel-gateway").glob("*.json")):
        scrape = json.loads(path.read_text(encoding="utf-8"))
        captured = datetime.fromisoformat(scrape["fetched_at"]).date()
        for entry in scrape["payload"]["series"]:
            day = date.fromisoformat(entry["day"])
            named = {"cost": "spend"}.get(entry["metric"], entry["metric"])
            if named == metric and first <= day < first + WEEK and day < captured:
                days[day] = dict(entry["shares"])
    assert len(days) == 7
    sums: dict[str, float] = {}
    for shares in days.values():
        for name, percent in shares.items():
            vendor = vendor_of.get(name)
            if vendor is not None:
                sums[vendor] = sums.get(vendor, 0) + percent / 700
    key = f"{metric}/vercel-leaderboard"
    side = asked(known, first)
    assert leaders(side, key, "share") == pytest.approx(sums, abs=1e-6)
    best = max(sums, key=lambda vendor: sums[vendor])
    row = leader(side, key)
    assert (row["leader"], row["leader_value"]) == (best, None)
    place = {vendor["id"]: vendor["country"] or "unattributed" for vendor in table()}
    expected: dict[str, float] = {"unattributed": 1 - sum(sums.values())}
    for vendor, share in sums.items():
        expected[place[vendor]] = expected.get(place[vendor], 0) + share
    # Where no model of a country is named, nothing is said of it, which is not 0.
    assert countries(side, key) == pytest.approx(expected, abs=1e-5)


def recorded_apps(recordings: Path) -> list[dict[str, Any]]:
    (path,) = (recordings / "usage/openrouter-data-api").glob("*app-rankings*.json")
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["apps_raw"]
    return rows


def test_apps_and_their_tokens_per_request(known: Known, recordings: Path) -> None:
    raw = {str(row["app_id"]): row for row in recorded_apps(recordings)}
    side = side_by_side(known, "week", None)
    assert [row["id"] for row in side.apps.to_dicts()] == list(raw)  # recorded by rank
    for row in side.apps.to_dicts():
        one = raw[row["id"]]
        tokens, requests = int(one["total_tokens"]), one["total_requests"]
        assert (row["rank"], row["name"]) == (one["rank"], one["app_name"])
        assert (row["tokens"], row["requests"]) == (tokens, requests)
        assert abs(Fraction(row["tokens_per_request"]) - Fraction(tokens, requests)) < 1e-11

    def first(figure: Any) -> str:
        return max(raw, key=lambda id_: figure(int(raw[id_]["total_tokens"]), raw[id_]))

    found = {row["key"]: row for row in side.rows.to_dicts() if row["feed"] == "openrouter-apps"}
    expected = {
        "tokens": first(lambda tokens, row: tokens),
        "requests": first(lambda tokens, row: row["total_requests"]),
        "tokens_per_request": first(lambda tokens, row: Fraction(tokens, row["total_requests"])),
    }
    assert {key.partition("/")[0]: row["leader"] for key, row in found.items()} == expected
    for row in found.values():
        # 30 days that ended with the last recorded one, not the week of the others.
        assert (row["start"], row["end"], row["grain"]) == (
            date(2026, 7, 23),
            date(2026, 8, 21),
            "rolling30",
        )
        assert row["leader_share"] is None  # nobody states a total
        assert countries(side, row["key"]) == {}


def test_worked_example_of_the_documentation(known: Known, recordings: Path) -> None:
    """docs/definitions.md: tokens per request, and the week of 30 March."""
    hermes = recorded_apps(recordings)[0]
    assert (hermes["app_name"], hermes["total_tokens"], hermes["total_requests"]) == (
        "Hermes Agent",
        "38877705398677",
        402_379_468,
    )
    row = side_by_side(known, "week", None).apps.row(0, named=True)
    assert f"{row['tokens_per_request']:,.0f}" == "96,620"
    row = leader(asked(known, QWENS_WEEK), STANDARD)
    left = 27_005_556_400_914 - 4_600_778_695_301 - 1_640_268_925_383 - 1_256_799_449_929
    assert left == 19_507_709_330_301
    assert row["leader_value"] == 3_075_697_429_178
    assert f"{3_075_697_429_178 / left:.1%}" == f"{row['leader_share']:.1%}" == "15.8%"
