"""The arithmetic of the bundled claims, again in plain Python from the recordings themselves."""

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from qwenwatch_cache.claims.reading import bundled_claims
from qwenwatch_cache.market.check import Checked, check
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.store import Store

CHINESE = ("minimax/", "moonshotai/", "z-ai/", "deepseek/", "stepfun/", "qwen/", "xiaomi/")
AMERICAN = ("google/", "x-ai/", "anthropic/", "openai/", "arcee-ai/")
WEEK = "2026-02-16"

Chart = dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The bundled figures."""
    store = Store(tmp_path_factory.mktemp("check") / "cache")
    return Known(store, datetime(2026, 8, 22, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def chart(recordings: Path) -> Chart:
    """Models by week, the latest recording of each."""
    weeks: Chart = {}
    for path in sorted((recordings / "usage/openrouter-frontend").glob("token-economy.*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        weeks |= {point["x"]: point["ys"] for point in document["payload"]["weekly_chart"]}
    return weeks


@pytest.fixture(scope="module")
def labs(recordings: Path) -> Chart:
    """Vendors by week."""
    path = recordings / "usage/openrouter-frontend/market-share.2026-08-01.raw.json"
    return {point["x"]: point["ys"] for point in json.loads(path.read_text())["data"]}


def checked(known: Known, id_: str) -> Checked:
    (claim,) = [one for one in bundled_claims() if one.id == id_]
    return check(known, claim)


def values(one: Checked, *conditions: str) -> set[Decimal]:
    return {
        trial.low
        for trial in one.trials
        if trial.low == trial.high
        and len(trial.conditions) == len(conditions)
        and all(a.startswith(b) for a, b in zip(trial.conditions, conditions, strict=True))
    }


def test_the_shares_of_the_week(known: Known, chart: Chart, labs: Chart) -> None:
    named = {model: value for model, value in chart[WEEK].items() if model != "Others"}
    chinese = sum(value for model, value in named.items() if model.startswith(CHINESE))
    american = sum(value for model, value in named.items() if model.startswith(AMERICAN))
    assert chinese + american == sum(named.values())
    arcee = named["arcee-ai/trinity-large-preview:free"]
    one = checked(known, "week-cn-share")
    nine = "only the 9 models that are named"
    assert values(one, nine) == {Decimal(chinese) / sum(named.values())}
    assert values(one, nine, "without Trinity") == {Decimal(chinese) / (chinese + american - arcee)}
    total = sum(chart[WEEK].values())
    assert values(one, nine, "as a share of the whole") == {Decimal(chinese) / total}
    vendors = {name: value for name, value in labs[WEEK].items() if name != "others"}
    own = sum(vendors[name] for name in ("minimax", "moonshotai", "z-ai", "deepseek"))
    assert one.plain is not None
    assert one.plain.low == Decimal(own) / total
    assert one.plain.high == Decimal(own + labs[WEEK]["others"]) / total
    # Leaving out each of the nine in turn, by hand.
    by_hand = set()
    for model, value in named.items():
        less = chinese - value if model.startswith(CHINESE) else chinese
        by_hand.add(Decimal(less) / (sum(named.values()) - value))
    without_one = {
        trial.low
        for trial in one.trials
        if trial.conditions[:1] == (nine,)
        and len(trial.conditions) == 2
        and trial.conditions[1].startswith("without ")
        and not trial.conditions[1].startswith("without all")
    }
    assert without_one == by_hand


def test_the_totals_of_the_week(known: Known, chart: Chart) -> None:
    named = {model: value for model, value in chart[WEEK].items() if model != "Others"}
    american = sum(value for model, value in named.items() if model.startswith(AMERICAN))
    one = checked(known, "week-us-tokens")
    nine = "only the 9 models that are named"
    assert values(one, nine) == {Decimal(american)}
    arcee = named["arcee-ai/trinity-large-preview:free"]
    assert values(one, nine, "without Trinity") == {Decimal(american - arcee)}


def test_the_ten_of_four_weeks(known: Known, chart: Chart) -> None:
    sums: dict[str, int] = {}
    smallest = 0
    for week in ("2026-02-02", "2026-02-09", "2026-02-16", "2026-02-23"):
        named = {model: value for model, value in chart[week].items() if model != "Others"}
        smallest += min(named.values())
        for model, value in named.items():
            sums[model] = sums.get(model, 0) + value
    first = sorted(sums.values(), reverse=True)[:10]
    (weeks,) = [
        trial
        for trial in checked(known, "february-top-ten").trials
        if trial.conditions == ("in the nearest whole weeks (2026-02-02..2026-03-01)",)
    ]
    assert weeks.low == sum(first)
    assert weeks.high is not None
    assert sum(first) < weeks.high <= sum(first) + 10 * smallest


def test_who_led_in_each_week(known: Known, labs: Chart) -> None:
    led = {
        date.fromisoformat(week)
        for week, values in labs.items()
        if max((name for name in values if name != "others"), key=values.__getitem__) == "qwen"
        and week <= "2026-07-20"
    }
    one = checked(known, "qwen-tops")
    assert led == {trial.first for trial in one.trials if trial.fit(one.figure) == "yes"}
    assert led == {date(2026, 3, 30)}


@pytest.mark.parametrize("id_", ["glm-5-input", "m2.5-output", "gpt-4-output", "qwen-max-input"])
def test_route_prices_are_those_of_the_recorded_lists(
    known: Known, recordings: Path, id_: str
) -> None:
    one = checked(known, id_)
    names = {
        "zhipuai/glm-5": "z-ai/glm-5",
        "minimax/minimax-m2.5": "minimax/minimax-m2.5",
        "openai/gpt-4": "openai/gpt-4",
        "alibaba/qwen-max": "qwen/qwen-max",
    }
    field = {"input": "prompt", "output": "completion"}[one.claim.field]
    fitting = set()
    for path in (recordings / "prices/openrouter/models").glob("*.json.gz"):
        day = date.fromisoformat(path.name[:10])
        body = json.loads(gzip.decompress(path.read_bytes()))
        prices = {entry["id"]: entry["pricing"] for entry in body["data"]}
        if names[one.claim.of] in prices and day <= date(2026, 8, 21):
            price = Decimal(prices[names[one.claim.of]][field]) * 10**6
            if one.figure.admits(price):
                fitting.add(day)
    spans = [
        (trial.first, trial.last)
        for trial in one.trials
        if trial.feed == "openrouter-models" and trial.fit(one.figure) == "yes"
    ]
    assert all(any(first <= day <= last for first, last in spans) for day in fitting)
    assert all(first in fitting for first, _ in spans)
    assert bool(spans) == bool(fitting)
