"""The Prices screen and the models side by side that it leads to."""

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from qwenwatch.answers import AnswersError
from qwenwatch.app import QwenwatchApp
from qwenwatch.screens.compare import CompareScreen
from qwenwatch.screens.hosts import HostsScreen
from qwenwatch.screens.market import MarketScreen
from qwenwatch.screens.prices import PricesScreen
from qwenwatch_widgets.order import Sort
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.query import MarketQuery, PriceWish, TablesQuery
from qwenwatch_widgets.views.tables import TablesView
from tests.tui.conftest import Shot
from tests.tui.fake_prices import DISAGREEING, PAGES
from tests.tui.fakes import FakeAnswers
from tests.tui.test_hosts import press
from tests.tui.test_pictures import named
from tests.tui.test_tables_screen import said

SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=named)
WIDE = (160, 48)

ASKED = TablesQuery("prices")
INDEX = TablesQuery("index")


def answering(error: Exception | None = None) -> FakeAnswers:
    return FakeAnswers(pages=PAGES, error=error)


def app(answers: FakeAnswers | None = None, query: MarketQuery | None = None) -> QwenwatchApp:
    return QwenwatchApp(answers or answering(), poll=False, query=query or MarketQuery())


def shown(pilot: Pilot[None]) -> PricesScreen:
    screen = pilot.app.screen
    assert isinstance(screen, PricesScreen)
    return screen


def table(pilot: Pilot[None]) -> ViewTable:
    return shown(pilot).stack.tables[0]


def titles(pilot: Pilot[None]) -> list[str]:
    return [each.view.title for each in shown(pilot).stack.tables]


def side_by_side(pilot: Pilot[None]) -> list[str]:
    """The models compared, from the left."""
    screen = pilot.app.screen
    assert isinstance(screen, CompareScreen)
    return [column.key for column in screen.table.view.columns[2:]]


class TestWay:
    @SIZES
    async def test_a_number_leads_there_and_escape_back(self, size: tuple[int, int]) -> None:
        answers = answering()
        async with app(answers).run_test(size=size) as pilot:
            await press(pilot, "3")
            assert titles(pilot) == ["Prices · per 1M tokens", "Disagreement", "Price index"]
            assert answers.tables_asked == [ASKED, INDEX]
            await press(pilot, "escape")
            assert isinstance(pilot.app.screen, MarketScreen)

    @pytest.mark.parametrize("way", [("enter",), ("4",), ("F",), ("tab", "enter")])
    async def test_it_does_so_from_everywhere(self, way: tuple[str, ...]) -> None:
        async with app().run_test(size=WIDE) as pilot:
            await press(pilot, *way)
            assert not isinstance(pilot.app.screen, MarketScreen)
            await press(pilot, "3")
            assert table(pilot).has_focus

    async def test_it_closes_what_lies_over_it(self) -> None:
        async with app().run_test(size=WIDE) as pilot:
            await press(pilot, "3", "down", "enter")
            assert isinstance(pilot.app.screen, HostsScreen)
            await press(pilot, "3")
            assert table(pilot).cursor == 1

    @pytest.mark.parametrize(
        ("keys", "model"),
        [
            (("down", "down"), DISAGREEING),
            (("tab", "down"), DISAGREEING),
            ((), "alibaba/qwen3-max"),
        ],
    )
    async def test_enter_opens_the_model(self, keys: tuple[str, ...], model: str) -> None:
        answers = answering()
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3", *keys, "enter")
            assert answers.hosts_asked[0] == (model, False)
            await press(pilot, "escape")
            assert isinstance(pilot.app.screen, PricesScreen)

    async def test_a_vendor_of_the_index_is_no_model(self) -> None:
        answers = answering()
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3", "tab", "tab", "enter", "b")
            assert isinstance(pilot.app.screen, PricesScreen)
            assert "no model under the cursor" in said(pilot)
            assert answers.tables_asked == [ASKED, INDEX]


class TestTerms:
    async def test_every_switch_is_asked_for_and_comes_round(self) -> None:
        answers = answering()
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3", *"$$$$###")
            wishes = [
                *(PriceWish(currency=currency) for currency in ("", "USD", "CNY", "EUR", "")),
                *(PriceWish(prompt_tokens=tokens) for tokens in (40_000, 200_000, 0)),
            ]
            asked = [query for query in answers.tables_asked if query.question == "prices"]
            assert asked == [replace(ASKED, prices=wish) for wish in wishes]

    async def test_switches_add_up(self) -> None:
        answers = answering()
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3", "B", "$", "#", "down", "b", "t", "<")
            row = table(pilot).row
            assert row is not None
            wish = PriceWish("route", "USD", 40_000, row.key.partition(" ")[0])
            assert wish.baseline == DISAGREEING
            asked = [query for query in answers.tables_asked if query.question == "prices"]
            assert asked[-1] == replace(ASKED, grain="month", steps_back=1, prices=wish)

    async def test_the_index_is_asked_for_where_it_can_differ_and_no_oftener(self) -> None:
        answers = answering()
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3", "$", "#", "t", "<", "B", "B")
            asked = [query for query in answers.tables_asked if query.question == "index"]
            assert [(query.steps_back, query.prices.basis) for query in asked] == [
                (0, ""),
                (1, ""),
                (1, "route"),
                (1, "list"),
            ]
            assert asked[-1].grain == "month"
            shown(pilot).reload()
            await press(pilot)
            assert answers.tables_asked[-1].question == "index"

    async def test_the_baseline_of_the_configuration_is_asked_for(self) -> None:
        answers = answering()
        async with app(answers, MarketQuery(baseline="glm-5")).run_test(size=WIDE) as pilot:
            await press(pilot, "3")
            assert answers.tables_asked[0].prices == PriceWish(baseline="glm-5")

    async def test_there_is_nothing_after_now(self) -> None:
        answers = answering()
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3", ">")
            assert "prices of now" in said(pilot)
            assert answers.tables_asked == [ASKED, INDEX]

    async def test_what_cannot_be_answered_leaves_the_screen_as_it_is(self) -> None:
        answers = answering()
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3")
            answers.error = AnswersError("no prices are known for 2024-08-31")
            await press(pilot, "<", "B")
            assert "no prices are known for 2024-08-31" in said(pilot)
            assert len(table(pilot).rows) == 20
            answers.error = None
            await press(pilot, "$")
            assert answers.tables_asked[-1] == replace(ASKED, prices=PriceWish(currency="USD"))

    async def test_an_index_that_fails_leaves_the_prices(self) -> None:
        def none(query: TablesQuery) -> TablesView:
            raise AnswersError("no index")

        answers = FakeAnswers(pages={**PAGES, "index": none})
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3", "$")
            assert titles(pilot) == ["Prices · per 1M tokens", "Disagreement"]
            assert table(pilot).view.caption.startswith("USD")
            assert "no index" in said(pilot)


class TestMarks:
    async def test_the_mark_stands_apart_from_that_of_the_baseline(self) -> None:
        async with app().run_test(size=WIDE) as pilot:
            await press(pilot, "3")
            assert table(pilot).render_line(1).text.startswith("  ◆ qwen3-max")
            await press(pilot, "space")
            assert table(pilot).render_line(1).text.startswith("• ◆ qwen3-max")


class TestRefresh:
    async def test_cursor_sort_filter_and_marks_follow_their_keys(self) -> None:
        answers = answering()
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3", "s", "s", "f", *"list", "enter", "down", "space", "down")
            before = table(pilot)
            row, marked, sort = before.row, before.marked, before.sort_by
            assert row is not None and len(marked) == 1 and sort == Sort("vendor", False)
            answers.pages = {**PAGES, "prices": _reversed}
            shown(pilot).reload()
            await press(pilot)
            after = table(pilot)
            assert after is before and after.row is not None
            assert after.view.rows[0].key.startswith("poolside")
            assert (after.row.key, after.marked, after.sort_by) == (row.key, marked, sort)
            assert after.filter_text == "list"
            # The same offers in another currency are the same rows.
            await press(pilot, "$")
            assert (after.row.key, after.marked, after.sort_by) == (row.key, marked, sort)

    async def test_every_column_sorts(self) -> None:
        async with app().run_test(size=WIDE) as pilot:
            await press(pilot, "3")
            sorted_by = []
            for _ in table(pilot).view.columns:
                await press(pilot, "s")
                sort = table(pilot).sort_by
                assert sort is not None
                sorted_by.append(sort.column)
            assert sorted_by == [column.key for column in table(pilot).view.columns]


class TestCompare:
    async def test_the_marked_models_in_the_order_shown(self) -> None:
        answers = answering()
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3", "#", *["down"] * 6, "space", "up", "up", "space", "v")
            models = ("tencent/hy3-0706", "openai/gpt-5.6-luna")
            assert side_by_side(pilot) == list(models)
            wish = PriceWish(prompt_tokens=40_000)
            assert answers.tables_asked[-1] == TablesQuery("compare", models=models, prices=wish)
            await press(pilot, "escape")
            assert len(table(pilot).marked) == 2 and table(pilot).cursor == 4

    async def test_two_offers_of_one_model_are_one_model(self) -> None:
        async with app().run_test(size=WIDE) as pilot:
            await press(pilot, "3", "space", "down", "space", "v")
            assert "Mark two models or more" in said(pilot)
            assert isinstance(pilot.app.screen, PricesScreen)

    async def test_a_filter_hides_no_mark_and_another_table_adds_some(self) -> None:
        async with app().run_test(size=WIDE) as pilot:
            await press(pilot, "3", "space", "f", *"grok", "enter", "tab", "space", "v")
            assert side_by_side(pilot) == ["alibaba/qwen3-max", DISAGREEING]

    async def test_models_without_room_are_gone_through(self) -> None:
        async with app().run_test(size=(80, 24)) as pilot:
            await press(pilot, "3", "B")
            for _ in range(6):
                await press(pilot, "space", "down")
            await press(pilot, "v")
            screen = pilot.app.screen
            assert isinstance(screen, CompareScreen)
            models = side_by_side(pilot)
            assert len(models) == 6
            seen = set()
            for _ in range(8):
                seen |= {
                    name
                    for name in (model.partition("/")[2] for model in models)
                    if f" {name} " in screen.table.render_line(0).text
                }
                await press(pilot, "right")
            assert seen == {model.partition("/")[2] for model in models}
            assert side_by_side(pilot) == models[-1:]
            await press(pilot, *["left"] * 8)
            assert side_by_side(pilot) == models

    async def test_it_goes_through_time_as_its_heading_says(self) -> None:
        answers = answering()
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3", "space", *["down"] * 4, "space", "v")
            now = answers.tables_asked[-1]
            await press(pilot, "<", "<")
            assert answers.tables_asked[-1] == replace(now, steps_back=2)
            answers.error = AnswersError("no prices are known for 2024-08-31")
            await press(pilot, "<")
            assert "no prices are known for 2024-08-31" in said(pilot)
            answers.error = None
            await press(pilot, ">")
            assert answers.tables_asked[-1] == replace(now, steps_back=1)
            await press(pilot, ">", ">")
            assert answers.tables_asked[-1] == now
            assert "prices of now" in said(pilot)
            await press(pilot, "question_mark")
            text = pilot.app.export_screenshot(simplify=True).replace("&#160;", " ")
            assert "One window back in time" in text

    async def test_a_refresh_keeps_the_place(self) -> None:
        async with app().run_test(size=WIDE) as pilot:
            await press(pilot, "3", "space", *["down"] * 4, "space", "v", "down", "right")
            screen = pilot.app.screen
            assert isinstance(screen, CompareScreen)
            screen.reload()
            await press(pilot)
            assert side_by_side(pilot) == ["tencent/hy3-0706"]
            assert screen.table.cursor == 1

    async def test_without_any_answer_the_reason_stands_there(self) -> None:
        answers = answering()
        async with app(answers).run_test(size=WIDE) as pilot:
            await press(pilot, "3", "space", *["down"] * 4, "space")
            answers.error = AnswersError("the cache is locked")
            await press(pilot, "v")
            assert "line below says why" in pilot.app.screen.query_one(ViewTable).view.empty
            assert "the cache is locked" in said(pilot)
            await press(pilot, "right")


class TestPictures:
    @SIZES
    async def test_prices(self, shot: Shot, size: tuple[int, int]) -> None:
        assert await shot(app(), "3", "down", "down", "space", size=size)

    @SIZES
    async def test_compare(self, shot: Shot, size: tuple[int, int]) -> None:
        marks = ["down", "down", "space"] * 3
        assert await shot(app(), "3", "space", *marks, "v", size=size)


def _reversed(query: TablesQuery) -> TablesView:
    view = PAGES["prices"](query)
    first, *others = view.tables
    return replace(view, tables=(replace(first, rows=first.rows[::-1]), *others))
