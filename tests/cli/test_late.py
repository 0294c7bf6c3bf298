"""Long after the last reading: nothing that was read then is said to be of today."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from qwenwatch.config import Config
from qwenwatch.pages import answer_tables
from qwenwatch.remembering import claim_of
from qwenwatch.session import Session
from qwenwatch_widgets.views.query import PriceWish, TablesQuery
from tests.cli.conftest import Run
from tests.cli.test_claims_of_rows import Checker, claims_of, some

LATER = datetime(2026, 11, 22, 10, tzinfo=UTC)
"""Months after the last bundled figures of usage and prices of the router, days after LiteLLM's."""

READ = {
    "openrouter-models": "2026-08-22",
    "alibaba-list": "2026-05-27",
    "models-dev": "2026-07-02",
    "litellm": "2026-11-17",
}
"""When each feed of prices was last read."""

ENV = {"QWENWATCH_NOW": "2026-11-22T10:00:00Z"}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A session that knows the bundled figures."""
    folder: Path = tmp_path_factory.mktemp("late")
    config = Config(folder / "etc/config.toml", cache_dir=folder / "cache")
    return Session.open(config, lambda: LATER, offline=True)


@pytest.mark.parametrize(
    ("grain", "window"),
    [
        ("day", "2026-11-17"),
        ("week", "2026-11-11 to 2026-11-17"),
        ("month", "2026-10-19 to 2026-11-17"),
    ],
)
def test_the_screens_changes_end_with_what_is_known(
    session: Session, grain: str, window: str
) -> None:
    view = answer_tables(session, TablesQuery("changes", grain=grain))
    assert view.headline.window == window


@pytest.mark.parametrize(
    "query",
    [
        TablesQuery("prices"),
        TablesQuery("prices", prices=PriceWish(basis="list")),
        TablesQuery("model", subject="alibaba/qwen3-max"),
        TablesQuery("compare", models=("alibaba/qwen3-max", "anthropic/claude-sonnet-5")),
    ],
    ids=["prices", "list", "model", "compare"],
)
def test_a_price_is_claimed_of_the_day_up_to_which_it_is_known(
    session: Session, query: TablesQuery
) -> None:
    found: dict[str, set[str]] = {}
    for table in answer_tables(session, query).tables:
        for row in table.rows:
            if not isinstance(row.claim, str) and row.claim["measure"] != "price_change":
                found.setdefault(row.claim["feed"], set()).add(row.claim["window"])
    assert len(found) > 1
    assert found == {feed: {READ[feed]} for feed in found}


@pytest.mark.parametrize(
    "query",
    [
        TablesQuery("prices"),
        TablesQuery("model", subject="alibaba/qwen3-max"),
        TablesQuery("compare", models=("alibaba/qwen3-max", "anthropic/claude-sonnet-5")),
    ],
    ids=["prices", "model", "compare"],
)
def test_what_is_claimed_so_is_borne_out(tmp_path: Path, query: TablesQuery) -> None:
    checker = Checker(tmp_path, LATER)
    for table in answer_tables(checker.session, query).tables:
        checker.bears_out(some(claims_of(table), 12))


def test_the_route_price_of_the_baseline_is_of_its_last_reading(session: Session) -> None:
    rows = answer_tables(session, TablesQuery("prices")).tables[0].rows
    (route,) = (row for row in rows if row.key.startswith("alibaba/qwen3-max route"))
    assert not isinstance(route.claim, str)
    sentence = claim_of(route.claim, session)["says"]
    assert "$0.78" in sentence and "Sat 22 Aug 2026" in sentence


@pytest.mark.parametrize(("basis", "last"), [("route", "2026-08-22"), ("list", "2026-11-17")])
def test_the_index_ends_with_the_last_reading(run: Run, basis: str, last: str) -> None:
    ran = run("index", "--basis", basis, "--format", "json", **ENV)
    assert max(row["at"] for row in json.loads(ran.out)["index"])[:10] == last
    title = next(line for line in run("index", "--basis", basis, **ENV).out.splitlines()[3:])
    assert title.startswith("Price index · ") and title.endswith(f" · up to {last}")


def test_the_index_of_the_screen_ends_at_the_time_that_it_shows(session: Session) -> None:
    prices = TablesQuery("prices", grain="month", steps_back=8)
    (table,) = answer_tables(session, replace(prices, question="index")).tables
    assert answer_tables(session, prices).headline.window == "end of month Mar 2026"
    assert table.title.endswith(" · up to 2026-03-31")
    dates = [column.title for column in table.columns if column.key.startswith("at")]
    assert dates == ["1 Nov", "1 Dec", "1 Jan", "1 Feb", "1 Mar", "31 Mar"]
    (newest,) = answer_tables(session, TablesQuery("index")).tables
    assert newest.title.endswith(" · up to 2026-08-22")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--basis", "route"), "standard prices last read 2026-08-22 12:08Z, basis route · known"),
        ((), "standard prices last read 2026-05-27 to 2026-11-17 · known"),
    ],
    ids=["one", "several"],
)
def test_a_cost_says_when_its_prices_were_read(run: Run, asked: tuple[str, ...], said: str) -> None:
    ran = run("cost", "--input", "12M", *asked, **ENV)
    assert ran.code == 0, ran.err
    assert f" · {said}" in ran.out
