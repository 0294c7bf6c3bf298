"""The Prices screen's answers hold what the commands print, on the bundled baseline."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace

from qwenwatch.config import Config
from qwenwatch.pages import answer_tables
from qwenwatch.price_pages import ask_index
from qwenwatch.session import Session
from qwenwatch_cache.errors import NothingToShow
from qwenwatch_cache.frames import FX_TABLE
from qwenwatch_cache.market.rates import Rates
from qwenwatch_widgets.views.disagreement import SAME
from qwenwatch_widgets.views.prices import SIGNS, offer_key
from qwenwatch_widgets.views.query import PriceWish, TablesQuery
from qwenwatch_widgets.views.table import Cell, TableView
from qwenwatch_widgets.views.tables import TablesView
from tests.cli.conftest import Run

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
ASKED = TablesQuery("prices")
COLUMNS = {"input": "input", "output": "output", "cached": "cache_read", "blended": "blended"}
RATIOS = ("ratio_input", "ratio_output", "ratio_blended")
COMPARED = ("alibaba/qwen3-max", "deepseek/deepseek-v4-flash", "openai/gpt-5.2")

Told = Callable[..., dict[str, Any]]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """The baseline alone, on a day within it."""
    config = Config(tmp_path / "config.toml", cache_dir=tmp_path / "cache")
    return Session.open(config, lambda: NOW, offline=True)


@pytest.fixture
def told(run: Run) -> Told:
    """What a command prints as JSON, on the same day."""

    def tell(*arguments: str) -> dict[str, Any]:
        ran = run(*arguments, "--format", "json", "--offline", QWENWATCH_NOW="2026-08-22T12:00:00Z")
        assert ran.code == 0, ran.err
        found: dict[str, Any] = json.loads(ran.out)
        return found

    return tell


def standard(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Standard prices by the key of the row, without what only repeats another source."""
    rows = document["prices"]["rows"]
    return {offer_key(row): row for row in rows if not row["variant"] and not row["cross_check"]}


def columns(table: TableView) -> dict[str, dict[str, Cell]]:
    """The cells of each row by the key of their column."""
    keys = [column.key for column in table.columns]
    return {row.key: dict(zip(keys, row.cells, strict=True)) for row in table.rows}


def stated(cell: Cell) -> float | None:
    """The amount that is written in a cell."""
    text = cell.text.strip().lstrip("".join(SIGNS.values()))
    return None if text == "–" else float(text)


def fit(cell: Cell, amount: float | None) -> bool:
    """Whether a cell says an amount, to the three digits or two decimals that it is shown with."""
    said = stated(cell)
    if said is None or amount is None:
        return said is None and amount is None
    return abs(said - amount) <= 0.0051 * min(amount, 1.0)


class TestPrices:
    @pytest.mark.parametrize(
        ("query", "options"),
        [
            (ASKED, ()),
            (replace(ASKED, prices=PriceWish(basis="list")), ("--basis", "list")),
            (
                replace(ASKED, prices=PriceWish(prompt_tokens=200_000)),
                ("--request-size", "200k"),
            ),
            (
                replace(ASKED, prices=PriceWish(baseline="openai/gpt-5.2")),
                ("--baseline", "openai/gpt-5.2"),
            ),
            (
                replace(ASKED, steps_back=1),
                ("--date", "2026-08-16", "--known-at", "2026-08-22T12:00:01Z"),
            ),
            (
                replace(ASKED, grain="month", steps_back=5),
                ("--date", "2026-03-31", "--known-at", "2026-08-22T12:00:01Z"),
            ),
        ],
        ids=["now", "list", "size", "baseline", "week", "month"],
    )
    def test_are_those_of_the_command(
        self, session: Session, told: Told, query: TablesQuery, options: tuple[str, ...]
    ) -> None:
        wanted = standard(told("prices", *options))
        found = columns(answer_tables(session, query).tables[0])
        assert found.keys() == wanted.keys()
        assert len(found) > 100
        for key, row in wanted.items():
            cells = found[key]
            for column, name in COLUMNS.items():
                assert fit(cells[column], row[name]), (key, name)
                if row["currency"] == "USD":
                    assert cells[column].sort == row[name]
            assert [cells[name].sort for name in RATIOS] == [row[name] for name in RATIOS]
            assert cells["bar"].sort == row["ratio_blended"]

    def test_converted_are_those_of_the_command(self, session: Session, told: Told) -> None:
        document = told("prices", "--currency", "CNY")
        wanted = standard(document)
        view = answer_tables(session, replace(ASKED, prices=PriceWish(currency="CNY")))
        found = columns(view.tables[0])
        assert found.keys() == wanted.keys()
        for key, row in wanted.items():
            for column, name in COLUMNS.items():
                cell = found[key][column]
                assert fit(cell, row[f"converted_{name}"]), (key, name)
                assert cell.sort == row[f"converted_{name}"]
                assert cell.text.startswith("¥") or row[name] is None
            assert [found[key][name].sort for name in RATIOS] == [row[name] for name in RATIOS]
        (rate,) = [one for one in document["prices"]["rates"] if one["base"] == "USD"]
        said = f"1 USD = {rate['rate']:.2f} CNY (ECB, {rate['date']})"
        assert said in view.tables[0].caption
        assert any("European Central Bank" in source for source in view.sources)

    def test_a_price_without_a_rate_is_unknown(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known = session.known()
        own = known.prices(NOW, "alibaba/qwen3-max", session.mix)
        stated_in = {offer_key(row): row["currency"] for row in own.to_dicts()}
        monkeypatch.setattr(known, "rates", Rates(pl.DataFrame(schema=FX_TABLE.schema)))
        view = answer_tables(session, replace(ASKED, prices=PriceWish(currency="CNY")))
        assert "no rate of USD is known" in view.tables[0].caption
        found = columns(view.tables[0])
        dollars = [cells for key, cells in found.items() if stated_in[key] == "USD"]
        assert 0 < len(dollars) < len(found)
        for cells in dollars:
            assert {(cells[name].text.strip(), cells[name].sort) for name in COLUMNS} == {
                ("–", None)
            }

    def test_the_flag_stands_where_the_command_says_that_sources_differ(
        self, session: Session, told: Told
    ) -> None:
        apart = told("disagreement", "--top", "0")["prices"]
        differing = {tuple(row[name] for name in SAME) for row in apart}
        view = answer_tables(session, ASKED)
        found = columns(view.tables[0])
        flagged = {key for key, cells in found.items() if cells["differs"].text}
        wanted = {
            key
            for key, row in standard(told("prices")).items()
            if tuple(row[name] for name in SAME) in differing
        }
        assert flagged == wanted
        assert len(flagged) >= 10
        assert len(view.tables[1].rows) == len(apart)

    def test_what_they_are_of_is_said(self, session: Session) -> None:
        wish = PriceWish(basis="route", prompt_tokens=40_000)
        view = answer_tables(session, replace(ASKED, prices=wish))
        assert "route prices as stated for prompts of 40k" in view.headline.summary
        assert "× to alibaba/qwen3-max" in view.headline.summary
        assert "mix 80:5:15" in view.headline.summary


class TestTime:
    @pytest.mark.parametrize(
        ("grain", "steps", "said"),
        [
            ("week", 0, "now · < goes back by the week"),
            ("day", 1, "end of day Fri 21 Aug 2026"),
            ("day", 3, "end of day Wed 19 Aug 2026"),
            ("week", 1, "end of week 10–16 Aug 2026"),
            ("month", 2, "end of month Jun 2026"),
        ],
    )
    def test_steps_lead_to_the_ends_of_windows(
        self, session: Session, grain: str, steps: int, said: str
    ) -> None:
        view = answer_tables(session, replace(ASKED, grain=grain, steps_back=steps))
        assert view.headline.window == said

    def test_another_length_of_windows_keeps_the_place(self, session: Session) -> None:
        query, places = replace(ASKED, grain="month", steps_back=6), []
        for grain in ("day", "week", "month", "day"):
            view = answer_tables(session, query)
            places.append(view.headline.window)
            query = replace(query, grain=grain, steps_back=view.steps[grain])
        assert places == [
            "end of month Feb 2026",
            "end of day Sat 28 Feb 2026",
            "end of week 23 Feb–1 Mar 2026",
            "end of month Feb 2026",
        ]
        assert answer_tables(session, ASKED).steps == {}

    @pytest.mark.parametrize("question", ["definitions", "changes"])
    def test_so_it_does_on_other_screens(self, session: Session, question: str) -> None:
        first = answer_tables(session, TablesQuery(question, steps_back=8))
        month = TablesQuery(question, "month", first.steps["month"])
        assert (
            answer_tables(session, month).headline.window
            == {
                "definitions": "month Jun 2026",
                "changes": "2026-05-25 to 2026-06-23",
            }[question]
        )

    def test_before_the_first_price_there_is_nothing(self, session: Session) -> None:
        with pytest.raises(NothingToShow, match="no prices are known"):
            answer_tables(session, replace(ASKED, grain="month", steps_back=60))

    def test_prices_of_then_are_shown(self, session: Session) -> None:
        """OpenRouter's price of Qwen3 Max was 1.20 / 6.00 until 2026-03-31."""
        key = "alibaba/qwen3-max route openrouter-models qwen/qwen3-max  USD"
        view = answer_tables(session, replace(ASKED, grain="month", steps_back=6))
        cells = columns(view.tables[0])[key]
        assert (stated(cells["input"]), stated(cells["output"])) == (1.2, 6.0)
        cells = columns(answer_tables(session, ASKED).tables[0])[key]
        assert (stated(cells["input"]), stated(cells["output"])) == (0.78, 3.9)


class TestCompare:
    def test_every_offer_of_the_command_has_its_lines(self, session: Session, told: Told) -> None:
        document = told("prices", *COMPARED)
        view = answer_tables(session, TablesQuery("compare", models=COMPARED))
        (table,) = view.tables
        assert [column.key for column in table.columns[2:]] == list(COMPARED)
        lines = [
            (row.cells[1].text, cell.text.strip(), model)
            for row in table.rows
            for model, cell in zip(COMPARED, row.cells[2:], strict=True)
        ]
        offers = [row for row in document["prices"]["rows"] if not row["cross_check"]]
        for model in COMPARED:
            for field, name in (("input", "input"), ("output", "output")):
                wanted = sorted({row[name] for row in offers if row["model"] == model})
                found = sorted(  # what holds everywhere stands in the line of every region
                    {
                        float(text.lstrip("¥"))
                        for label, text, of in lines
                        if (label, of) == (field, model) and text != "–"
                    }
                )
                assert found == pytest.approx(wanted, rel=0.0051)
        assert len({row.key for row in table.rows}) == len(table.rows)

    def test_a_price_that_holds_everywhere_stands_beside_that_of_a_region(
        self, session: Session
    ) -> None:
        """Anthropic has one list price, Alibaba one for each region; models.dev states both."""
        models = ("alibaba/qwen3-max", "anthropic/claude-opus-4-6")
        (table,) = answer_tables(session, TablesQuery("compare", models=models)).tables
        rows = {row.key: row for row in table.rows}
        qwen, opus = map(stated, rows["list · intl · models.dev input"].cells[2:])
        assert (qwen, opus) == (1.2, 5.0)
        qwen, opus = map(stated, rows["list · cn · models.dev input"].cells[2:])
        assert (qwen, opus) == (0.861, 5.0)
        assert not any(key.startswith("list · models.dev") for key in rows)
        claim = rows["list · intl · models.dev input"].claim
        assert isinstance(claim, Mapping)
        assert (claim["measure"], claim["region"]) == ("price_ratio", "intl")

    def test_where_no_region_has_a_price_none_is_named(self, session: Session) -> None:
        models = ("anthropic/claude-opus-4-6", "openai/gpt-5.2")
        (table,) = answer_tables(session, TablesQuery("compare", models=models)).tables
        keys = {row.key for row in table.rows}
        assert "list · models.dev input" in keys
        assert not any("intl" in key or " cn " in key for key in keys)

    def test_a_line_in_which_nobody_states_anything_is_left_out(self, session: Session) -> None:
        view = answer_tables(session, TablesQuery("compare", models=COMPARED))
        for row in view.tables[0].rows:
            assert any(cell.series or cell.text.strip() not in {"", "–"} for cell in row.cells[2:])

    def test_the_picture_ends_with_the_price_of_now(self, session: Session) -> None:
        view = answer_tables(session, TablesQuery("compare", models=COMPARED))
        rows = {row.key: row.cells[2:] for row in view.tables[0].rows}
        prices = rows["route · OpenRouter input"]
        pictures = rows["route · OpenRouter history"]
        for price, picture in zip(prices, pictures, strict=True):
            assert picture.series is not None
            assert picture.series[-1] == pytest.approx(stated(price), rel=0.0051)
        assert rows["route · OpenRouter context"][0].text == "262,144"

    def test_prices_and_pictures_are_of_the_time_asked_about(self, session: Session) -> None:
        query = TablesQuery("compare", grain="month", steps_back=6, models=COMPARED)
        view = answer_tables(session, query)
        rows = {row.key: row.cells[2:] for row in view.tables[0].rows}
        assert view.headline.window == "end of month Feb 2026"
        assert stated(rows["route · OpenRouter input"][0]) == 1.2
        series = rows["route · OpenRouter history"][0].series
        assert series is not None and set(series) <= {None, 1.2}

    def test_models_without_offers_are_said_to_have_none(self, session: Session) -> None:
        query = TablesQuery("compare", models=("x/y", "x/z"))
        with pytest.raises(NothingToShow, match="no prices of x/y, x/z"):
            answer_tables(session, query)


class TestIndex:
    def test_is_of_the_basis(self, session: Session) -> None:
        for basis, said in (("", "OpenRouter"), ("route", "OpenRouter"), ("list", "list prices")):
            view: TablesView = answer_tables(
                session, TablesQuery("index", prices=PriceWish(basis=basis))
            )
            assert said in view.tables[0].title
            assert view.tables[0].rows[-1].key == "all"

    def test_that_there_is_none_is_said_in_its_place(self, session: Session) -> None:
        known = session.known(datetime(2024, 1, 1, tzinfo=UTC))
        _, page = ask_index(session, known, TablesQuery("index"))
        assert page.tables[0].rows == ()
        assert "no vendor has three models" in page.tables[0].empty
