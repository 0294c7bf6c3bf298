"""Implied spend of the recorded year against plain Python over the recorded bodies."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qwenwatch_cache.market.implied_spend import Spend, implied_spend
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.spend import leader
from qwenwatch_cache.market.spend_definition import measured_spend
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.store import Store
from tests.cache import spend_oracle as oracle

FIRST, WEEKS = date(2025, 8, 4), 54
QWENS_WEEK = date(2026, 3, 30)
STEP = Decimal("1e-12")

AUTHORS = {
    "alibaba": "qwen",
    "anthropic": "anthropic",
    "deepseek": "deepseek",
    "google": "google",
    "moonshotai": "moonshotai",
    "openai": "openai",
    "tencent": "tencent",
    "xiaomi": "xiaomi",
    "zhipuai": "z-ai",
}
"""Vendors, and how OpenRouter's slugs of their models begin."""

Sums = dict[str, list[Any]]
"""Tokens, priced tokens, low, expected and high by slug."""


@pytest.fixture(scope="module")
def recorded(recordings: Path) -> oracle.Recorded:
    return oracle.read(recordings)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The bundled baseline, which was made of the recordings."""
    store = Store(tmp_path_factory.mktemp("spend") / "cache")
    return Known(store, datetime(2026, 8, 22, 12, 30, tzinfo=UTC))


def week(start: date) -> Window:
    return Window(start, "week")


def ask(known: Known, window: Window, by: Any = "vendor", basis: Any = "route") -> Spend:
    return implied_spend(known, by, window, basis, Mix())


def days_of(window: Window) -> list[date]:
    return [window.start + timedelta(days=number) for number in range(window.days)]


def again(recorded: oracle.Recorded, window: Window) -> Sums:
    """The same sums, by slug; "other" is what is not named."""
    days = days_of(window)
    if all(day in recorded.days for day in days):
        used = [
            (slug, tokens, oracle.price(recorded, slug, day))
            for day in days
            for slug, tokens in recorded.days[day].items()
        ]
    else:
        used = [
            (slug, tokens, oracle.hull([oracle.price(recorded, slug, day) for day in days]))
            for slug, tokens in recorded.weeks[window.start].items()
        ]
    sums: Sums = {}
    for slug, tokens, price in used:
        name = "other" if slug == "Others" else slug
        of_slug = sums.setdefault(name, [0, 0, *[Decimal(0)] * 3])
        of_slug[0] += tokens
        if price is not None:
            of_slug[1] += tokens
            for at, amount in enumerate(price, start=2):
                of_slug[at] += tokens * amount
    return sums


def as_asked(sums: list[Any]) -> tuple[Any, ...]:
    tokens, priced, *amounts = sums
    return tokens, priced, *(amount.quantize(STEP) if priced else None for amount in amounts)


def row_of(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("tokens", "priced_tokens", "low", "expected", "high"))


def windows() -> Iterator[Window]:
    """Every week of the record, and each day of its last two."""
    yield from (week(FIRST + timedelta(weeks=number)) for number in range(WEEKS))
    yield from (Window(date(2026, 8, 8) + timedelta(days=number), "day") for number in range(14))


def test_every_model_of_every_week_costs_what_the_bodies_say(
    known: Known, recorded: oracle.Recorded
) -> None:
    seen: set[str] = set()
    for window in windows():
        rows = {row["id"]: row for row in ask(known, window, "model").rows.to_dicts()}
        for slug, sums in again(recorded, window).items():
            if slug == "other":
                assert row_of(rows.pop("other")) == (sums[0], 0, None, None, None)
                seen.add("not named")
                continue
            row = rows.pop(known.directory.model("openrouter-rankings", slug).id)
            assert row_of(row) == as_asked(sums), (window, slug)
            cloaked = slug.startswith(("stealth/", "openrouter/"))
            state = "priced" if sums[1] == sums[0] else "partly" if sums[1] else "unpriced"
            costs = "0" if sums[1] and not sums[4] else "some"
            seen.add(f"{'cloaked' if cloaked else 'open'} {state} {costs}")
            seen.add("free" if slug.endswith(":free") else "paid")
        assert not rows, window
    assert seen >= {
        "not named",
        "free",
        "paid",
        "cloaked priced 0",  # at 0 for long enough to be believed
        "cloaked unpriced some",
        "open unpriced some",
        "open partly some",
        "open priced some",
    }


@pytest.mark.parametrize("start", [date(2026, 6, 15), date(2026, 7, 20), date(2026, 8, 10)])
def test_vendors_are_the_sums_of_their_models_and_shares_stand_as_they_are_defined(
    known: Known, recorded: oracle.Recorded, start: date
) -> None:
    sums = again(recorded, week(start))
    rows = {row["id"]: row for row in ask(known, week(start)).rows.to_dicts()}
    lows, highs = (sum((one[at] for one in sums.values()), Decimal(0)) for at in (2, 4))
    for vendor, author in AUTHORS.items():
        mine = [one for slug, one in sums.items() if slug.startswith(f"{author}/")]
        added = [sum((one[at] for one in mine), Decimal(0)) for at in range(5)]
        assert row_of(rows[vendor]) == as_asked([int(added[0]), int(added[1]), *added[2:]])
        low, high = added[2], added[4]
        if added[1]:
            assert rows[vendor]["share_low"] == pytest.approx(
                float(low / (low + highs - high)), abs=1e-9
            )
            assert rows[vendor]["share_high"] == pytest.approx(
                float(high / (high + lows - low)), abs=1e-9
            )
    total = sum(
        recorded.days[day][slug] for day in days_of(week(start)) for slug in recorded.days[day]
    )
    assert sum(row["tokens"] for row in rows.values()) == total


def test_qwens_week_leads_by_tokens_and_not_by_spend(
    known: Known, recorded: oracle.Recorded
) -> None:
    """Week 2026-03-30: of that week the chart names nine models and nine authors."""
    spend = ask(known, week(QWENS_WEEK))
    rows = {row["id"]: row for row in spend.rows.to_dicts()}
    qwen = rows["alibaba"]
    chart, labs = recorded.weeks[QWENS_WEEK], recorded.labs[QWENS_WEEK]
    free = [tokens for slug, tokens in chart.items() if slug.startswith("qwen/")]
    assert leader(spend.rows, "tokens") == "alibaba"
    assert qwen["tokens"] == labs["qwen"] == 6_900_816_539_818
    assert sum(chart.values()) == sum(labs.values()) == 27_005_556_400_914
    assert qwen["token_share"] == pytest.approx(0.2555, abs=5e-5)
    assert qwen["free_tokens"] == sum(free) == 6_241_047_620_684
    # Its other models are not named that week: what they cost is not known, and not 0.
    assert qwen["priced_tokens"] == qwen["free_tokens"]
    assert (qwen["low"], qwen["high"], qwen["share_high"]) == (0, 0, 0.0)
    assert leader(spend.rows, "low") == leader(spend.rows, "high") == "anthropic"
    assert leader(spend.rows, "expected") == "anthropic"
    assert rows["anthropic"]["share_low"] > qwen["share_high"]
    # Authors none of whose models are named have no amount at all.
    assert rows["openai"]["tokens"] == labs["openai"]
    assert [rows["openai"][name] for name in ("low", "high", "share_expected")] == [None] * 3


def test_the_definition_has_leader_and_countries_as_intervals(known: Known) -> None:
    (told,) = measured_spend(known, week(QWENS_WEEK), Mix())
    assert not measured_spend(known, week(date(2024, 1, 1)), Mix())
    first = told.leaders.row(0, named=True)
    assert (first["rank"], first["id"], first["share"]) == (1, "anthropic", None)
    assert 0 < first["share_low"] < 0.1 < 0.9 < first["share_high"] < 1
    by_country = {row["country"]: row for row in told.countries.to_dicts()}
    assert list(by_country) == ["US", "CN", "unattributed"]
    # One's share at its lowest is the other's at its highest: these two are all that is priced.
    for one, other in (("US", "CN"), ("CN", "US")):
        both = by_country[one]["share_low"] + by_country[other]["share_high"]
        assert both == pytest.approx(1, abs=1e-8)
    assert by_country["unattributed"]["share_low"] is None
    assert "59.2 % of the tokens are priced" in told.scope


@pytest.mark.parametrize("captured", [date(2026, 7, 20), date(2026, 8, 10), date(2026, 8, 17)])
def test_the_recorded_split_of_prompt_and_completion_lies_between_low_and_high(
    known: Known, recorded: oracle.Recorded, captured: date
) -> None:
    """How many tokens were prompts and completions was recorded; how many were cached was not, so
    it is tried with none and with all of them."""
    window = week(captured - timedelta(days=captured.weekday() + 7))
    rows = {row["id"]: row for row in ask(known, window).rows.to_dicts()}
    split = recorded.splits[captured]
    for cached in (False, True):
        spent: dict[str, Decimal] = {}
        for day in days_of(window):
            for slug, tokens in recorded.days[day].items():
                kinds = kinds_of(recorded, slug, day)
                if kinds is None or slug not in split:
                    continue
                prompts, completions = split[slug]
                part = Decimal(completions) / (prompts + completions)
                fresh = kinds["cached"] if cached else kinds["prompt"]
                cost = tokens * (fresh * (1 - part) + kinds["completion"] * part)
                spent[slug.split("/")[0]] = spent.get(slug.split("/")[0], Decimal(0)) + cost
        total = sum(spent.values(), Decimal(0))
        for vendor, author in AUTHORS.items():
            row = rows[vendor]
            if not row["priced_tokens"]:
                continue
            assert row["low"] <= spent[author] <= row["high"], (vendor, cached)
            share = float(spent[author] / total)
            assert row["share_low"] <= share <= row["share_high"], (vendor, cached)


def kinds_of(recorded: oracle.Recorded, slug: str, day: date) -> dict[str, Decimal] | None:
    """The base prices of a model in force at the end of a day."""
    if slug.endswith(":free"):
        return dict.fromkeys(("prompt", "completion", "cached"), Decimal(0))
    if oracle.price(recorded, slug, day) is None:
        return None
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    found = [
        body[id_]["pricing"]
        for when, body in recorded.bodies
        for id_ in recorded.slugs[slug]
        if when < end and id_ in body
    ][-1]
    prompt = Decimal(found["prompt"])
    return {
        "prompt": prompt,
        "completion": Decimal(found["completion"]),
        "cached": Decimal(found.get("input_cache_read") or 0) or prompt,
    }


def test_what_vercel_measured_is_compared_and_may_be_more_by_what_it_does_not_name(
    known: Known,
) -> None:
    spend = ask(known, week(date(2026, 8, 10)))
    assert spend.compared is not None
    assert spend.compared.feed == "vercel-leaderboard"
    rows = {row["id"]: row for row in spend.rows.to_dicts()}
    top = rows["anthropic"]
    assert top["measured_share"] == pytest.approx(0.631, abs=5e-4)
    assert top["measured_high"] == pytest.approx(0.913, abs=5e-4)
    assert top["outside"] == 0.0
    assert top["off"] == pytest.approx(top["share_expected"] - top["measured_share"])
    assert rows["tencent"]["measured_share"] is None  # not named is not 0
    assert rows["tencent"]["off"] is None
    assert rows["unattributed"]["measured_share"] is None
    assert ask(known, week(QWENS_WEEK)).compared is None  # Vercel's figures begin later


def test_list_prices_are_of_other_amounts_and_of_fewer_models(known: Known) -> None:
    route, listed = (
        ask(known, week(date(2026, 8, 10)), basis=basis) for basis in ("route", "list")
    )
    assert {*listed.price_feeds} == {"models-dev", "litellm"}
    assert [*route.price_feeds] == ["openrouter-models"]
    assert listed.whole["priced_share"] < route.whole["priced_share"]
    assert listed.whole["tokens"] == route.whole["tokens"] == 75_340_581_084_831
    assert listed.whole["free_tokens"] == route.whole["free_tokens"]
