"""The screens that answer one question with tables: Definitions and Changes."""

import asyncio

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from qwenwatch.answers import AnswersError
from qwenwatch.app import QwenwatchApp
from qwenwatch.screens.help import HelpScreen
from qwenwatch.screens.market import MarketScreen
from qwenwatch.screens.tables import TablesScreen
from qwenwatch_widgets.headline import StatusLines
from qwenwatch_widgets.views.query import TablesQuery
from qwenwatch_widgets.views.tables import TablesView
from tests.tui.conftest import Shot
from tests.tui.fakes import FakeAnswers, tables
from tests.tui.test_hosts import press
from tests.tui.test_pictures import named

SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=named)


def app(answers: FakeAnswers | None = None) -> QwenwatchApp:
    return QwenwatchApp(answers or FakeAnswers(), poll=False)


def shown(pilot: Pilot[None]) -> TablesScreen:
    screen = pilot.app.screen
    assert isinstance(screen, TablesScreen)
    return screen


def in_front(pilot: Pilot[None]) -> int:
    screen = shown(pilot)
    assert screen.focused is not None
    return [id(table) for table in screen.stack.tables].index(id(screen.focused))


def said(pilot: Pilot[None]) -> str:
    lines = pilot.app.screen.query_one(StatusLines)
    return "\n".join(lines.render_line(y).text for y in range(2))


class TestWay:
    @pytest.mark.parametrize(("key", "question"), [("4", "definitions"), ("6", "changes")])
    async def test_a_number_leads_there_and_escape_back(self, key: str, question: str) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, key)
            assert answers.tables_asked == [TablesQuery(question)]
            assert [table.view.title for table in shown(pilot).stack.tables] == [
                f"Part {part} of {question}" for part in (1, 2, 3)
            ]
            await press(pilot, "escape")
            assert isinstance(pilot.app.screen, MarketScreen)

    @SIZES
    async def test_tab_goes_through_the_tables(self, size: tuple[int, int]) -> None:
        async with app().run_test(size=size) as pilot:
            await press(pilot, "4")
            places = []
            for _ in range(4):
                places.append(in_front(pilot))
                await press(pilot, "tab")
            assert places == [0, 1, 2, 0]

    @SIZES
    async def test_the_last_row_of_every_table_can_be_reached(self, size: tuple[int, int]) -> None:
        async with app().run_test(size=size) as pilot:
            await press(pilot, "4")
            for part, last in ((1, 3), (2, 8), (3, 59)):
                await press(pilot, "end")
                text = pilot.app.export_screenshot(simplify=True).replace("&#160;", " ")
                assert f"row {last} of part {part}" in text
                await press(pilot, "tab")

    async def test_zoom_shows_one_table_and_escape_all(self) -> None:
        async with app().run_test(size=(160, 48)) as pilot:
            await press(pilot, "4", "tab", "z")
            assert [table.display for table in shown(pilot).stack.tables] == [False, True, False]
            await press(pilot, "escape")
            assert all(table.display for table in shown(pilot).stack.tables)


class TestTime:
    async def test_window_and_steps_are_asked_for(self) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "4", "<", "<", ">", "t")
            asked = TablesQuery("definitions")
            back = replace(asked, steps_back=1)
            assert answers.tables_asked == [
                asked,
                back,
                replace(asked, steps_back=2),
                back,
                replace(asked, grain="month"),
            ]

    async def test_another_length_of_windows_keeps_the_place(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = FakeAnswers()

        async def placed(query: TablesQuery) -> TablesView:
            answers.tables_asked.append(query)
            return replace(tables(query), steps={"month": 3} if query.steps_back else {})

        monkeypatch.setattr(answers, "tables", placed)
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "4", "<", "t", "t")
            asked = answers.tables_asked[2:]
            assert [(one.grain, one.steps_back) for one in asked] == [("month", 3), ("day", 0)]

    async def test_it_does_so_before_the_answer_is_there(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers, asked = FakeAnswers(), []

        async def never(query: TablesQuery) -> TablesView:
            asked.append((query.grain, query.steps_back))
            await asyncio.Event().wait()
            raise AssertionError

        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "4")
            monkeypatch.setattr(answers, "tables", never)
            for key in "<<<<<<<<<t":
                await pilot.press(key)
            assert asked[-2:] == [("week", 9), ("month", 2)]

    async def test_there_is_nothing_after_the_newest(self) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "4", ">")
            assert answers.tables_asked == [TablesQuery("definitions")]
            assert "newest complete week" in said(pilot)

    async def test_what_cannot_be_answered_leaves_the_screen_as_it_is(self) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "4")
            answers.error = AnswersError("no figures before 2026-01-05")
            await press(pilot, "<")
            assert "no figures before 2026-01-05" in said(pilot)
            assert shown(pilot).stack.tables[2].view.rows
            answers.error = None
            await press(pilot, "<")
            assert answers.tables_asked[-1].steps_back == 1


class TestAnswers:
    async def test_without_any_answer_the_reason_stands_there(self) -> None:
        answers = FakeAnswers(error=AnswersError("the cache is locked"))
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "4")
            assert "line below says why" in shown(pilot).stack.tables[0].view.empty
            assert "the cache is locked" in said(pilot)

    async def test_cursor_and_sort_survive_fewer_and_more_tables(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "4", "tab", "s", "s", "down")
            before = shown(pilot).stack.tables[1]
            row, sort = before.row, before.sort_by
            whole = tables

            async def fewer(query: TablesQuery) -> TablesView:
                return replace(whole(query), tables=whole(query).tables[:2])

            monkeypatch.setattr(answers, "tables", fewer)
            shown(pilot).reload()
            await press(pilot)
            await pilot.pause()
            assert len(shown(pilot).stack.tables) == 2
            monkeypatch.undo()
            shown(pilot).reload()
            await press(pilot)
            await pilot.pause()
            assert len(shown(pilot).stack.tables) == 3
            after = shown(pilot).stack.tables[1]
            assert row is not None and after.row is not None
            assert (after.row.key, after.sort_by) == (row.key, sort)

    async def test_the_help_names_every_source(self) -> None:
        async with app().run_test(size=(160, 48)) as pilot:
            await press(pilot, "4", "question_mark")
            assert isinstance(pilot.app.screen, HelpScreen)
            text = pilot.app.export_screenshot(simplify=True).replace("&#160;", " ")
            assert "Source: test data, first" in text and "Source: second" in text


@SIZES
async def test_picture(shot: Shot, size: tuple[int, int]) -> None:
    assert await shot(app(), "4", "down", "down", size=size)
