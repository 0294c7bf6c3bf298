"""The snapshot of a day: the document's numbers, and that a day's answer stays the same."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.frames import TABLES
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.store import Store
from qwenwatch_widgets.views.snapshot import GROUPS, SECTIONS, Ask, take_snapshot
from qwenwatch_widgets.views.snapshot_document import document

NOW = datetime(2026, 8, 22, 12, 30, tzinfo=UTC)
ASK = Ask(
    date=date(2026, 8, 21),
    sections=SECTIONS,
    groups=GROUPS,
    metric="",
    grain="week",
    baseline="alibaba/qwen3-max",
    mix=Mix(),
)
PRICES = ("input", "output", "cache_read", "blended")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An empty cache over the bundled baseline."""
    return Store(tmp_path_factory.mktemp("snapshot") / "cache")


@pytest.fixture(scope="module")
def plain(store: Store) -> dict[str, Any]:
    return document(take_snapshot(Known(store, NOW), ASK))


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner, path)
    elif isinstance(value, float):
        yield path, value


def test_no_number_carries_float_noise(plain: dict[str, Any]) -> None:
    found = list(numbers(plain))
    digits: dict[str, int] = {}
    for path, value in found:
        exponent = Decimal(repr(value)).normalize().as_tuple().exponent
        assert isinstance(exponent, int)
        digits[path] = max(digits.get(path, 0), -exponent)
    assert len(found) > 1000
    shares = {path: most for path, most in digits.items() if "share" in path}
    assert shares and max(shares.values()) <= 9
    assert max(digits.values()) <= 12


def test_prices_are_the_exact_amounts(store: Store) -> None:
    snapshot = take_snapshot(Known(store, NOW), ASK)
    assert snapshot.prices is not None
    rows = json.loads(json.dumps(document(snapshot)), parse_float=Decimal)["prices"]["rows"]
    assert len(rows) == snapshot.prices.height > 400
    for row, stored in zip(rows, snapshot.prices.to_dicts(), strict=True):
        assert {name: row[name] for name in PRICES} == {name: stored[name] for name in PRICES}


def test_unknown_prices_are_null(plain: dict[str, Any]) -> None:
    rows = {(row["source_id"], row["variant"]): row for row in plain["prices"]["rows"]}
    router = rows["openrouter/auto", ""]
    assert {router[name] for name in (*PRICES, "ratio_input", "ratio_output")} == {None}
    assert rows["openai/gpt-4", ""]["input"] == 30


def test_the_frame_of_the_document(plain: dict[str, Any]) -> None:
    assert plain["schema_version"] == 1
    assert (plain["date"], plain["known_at"]) == ("2026-08-21", "2026-08-22T12:30:00Z")
    assert plain["baseline"] is True
    assert plain["window"] == {
        "grain": "week",
        "start": "2026-08-10",
        "end": "2026-08-16",
        "complete": True,
    }
    assert plain["prices"]["mix"] == {"input": 0.8, "output": 0.05, "cached": 0.15}
    assert plain["prices"]["at"] == "2026-08-21T23:59:59Z"
    sources = {source["feed"]: source for source in plain["sources"]}
    assert set(sources) == {
        *("openrouter-rankings", "vercel-leaderboard", "openrouter-models", "models-dev"),
        *("litellm", "alibaba-list", "openrouter-apps"),
        "openrouter-rankings-page",  # the weeks of the history before the recorded days
    }
    rankings = sources["openrouter-rankings"]
    assert rankings["as_of"] == "2026-08-22T00:05:00Z"
    assert rankings["age_seconds"] == 12 * 3600 + 25 * 60
    assert (rankings["status"], rankings["licence"]) == ("bundled", "CC BY 4.0")
    assert all(source["citation"] for source in sources.values())


def test_shares_of_every_grouping_add_up(plain: dict[str, Any]) -> None:
    for rows in plain["leaderboards"].values():
        assert sum(row["share"] for row in rows) == pytest.approx(1, abs=1e-6)
        ranks = [row["rank"] for row in rows if row["rank"] is not None]
        assert ranks == list(range(1, len(ranks) + 1))
        assert rows[-1]["id"] in {"other", "unattributed"}
    told = [one for one in plain["definitions"] if one["kind"] == "vendor"]
    assert [one["key"] for one in told] == [
        "tokens/openrouter-rankings",
        "tokens_standard/openrouter-rankings",
        "tokens/vercel-leaderboard",
        "requests/vercel-leaderboard",
        "spend/vercel-leaderboard",
        "implied_spend/openrouter-rankings",
    ]
    assert told.pop()["shares"] == {}  # of implied spend only the bounds are known
    for definition in told:
        assert sum(definition["shares"].values()) == pytest.approx(1, abs=2e-4)
        assert "unattributed" in definition["shares"]


def test_a_row_repeats_its_share_at_the_end_of_its_history(plain: dict[str, Any]) -> None:
    for row in plain["leaderboards"]["vendor"]:
        starts = [point["start"] for point in row["history"]]
        assert starts == sorted(set(starts))
        assert row["history"][-1] == {"start": "2026-08-10", "share": row["share"]}


def test_a_day_that_was_closed_gives_the_same_bytes_for_ever(store: Store, tmp_path: Any) -> None:
    """A later restatement and later prices change nothing of what was known before."""
    before = take_snapshot(Known(store, NOW), ASK)
    copy = Store(tmp_path / "cache")
    later = NOW + timedelta(days=3)
    usage = TABLES["usage"]
    known = copy.read(usage)
    restated = known.filter(known["feed"] == "openrouter-rankings").with_columns(
        value=known.filter(known["feed"] == "openrouter-rankings")["value"] + 1,
    )
    restated = restated.with_columns(observed_at=restated["observed_at"].dt.offset_by("3d"))
    assert copy.append({"usage": restated}, later) == restated.height
    again = take_snapshot(Known(copy, NOW), ASK)
    assert json.dumps(document(again)) == json.dumps(document(before))
    now = take_snapshot(Known(copy, later), ASK)
    assert document(now)["leaderboards"] != document(before)["leaderboards"]


def test_the_same_question_twice_gives_the_same_bytes(store: Store, plain: dict[str, Any]) -> None:
    again = document(take_snapshot(Known(store, NOW), ASK))
    assert json.dumps(again).encode() == json.dumps(plain).encode()


def test_only_what_was_asked_for(store: Store) -> None:
    known = Known(store, NOW)
    prices = document(
        take_snapshot(known, replace(ASK, sections=("prices",), models=("openai/gpt-4",)))
    )
    assert prices["window"] is None
    assert "leaderboards" not in prices and "definitions" not in prices
    assert {row["model"] for row in prices["prices"]["rows"]} == {
        "openai/gpt-4",
        "alibaba/qwen3-max",
    }
    boards = document(
        take_snapshot(known, replace(ASK, sections=("leaderboards",), groups=("country",)))
    )
    assert set(boards["leaderboards"]) == {"country"}
    assert "prices" not in boards


def test_the_newest_day_is_the_default(store: Store) -> None:
    newest = document(take_snapshot(Known(store, NOW), replace(ASK, date=None)))
    assert newest["date"] == "2026-08-21"
    assert newest["prices"]["at"] == "2026-08-22T12:30:00Z"


def test_a_day_without_figures_says_which_there_are(store: Store) -> None:
    with pytest.raises(NothingToShow, match=r"no figures|no complete|no usage"):
        take_snapshot(Known(store, NOW), replace(ASK, date=date(2020, 1, 1)))
    with pytest.raises(NothingToShow, match="2026-08-10 to 2026-08-16"):
        take_snapshot(Known(store, NOW), replace(ASK, date=date(2026, 9, 6), metric="tokens"))
