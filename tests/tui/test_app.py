"""What the keys do, and what a refresh leaves alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace
from textual.binding import Binding
from textual.dom import DOMNode
from textual.pilot import Pilot

from qwenwatch.answers import AnswersError
from qwenwatch.app import QwenwatchApp
from qwenwatch.screens.feeds import FeedsScreen
from qwenwatch.screens.market import MarketScreen
from qwenwatch.screens.page import Page
from qwenwatch.screens.vendor import VendorScreen
from qwenwatch_widgets.headline import StatusLines, TopLines
from qwenwatch_widgets.keybar import KeyBar
from qwenwatch_widgets.panels import PanelGrid
from qwenwatch_widgets.row_table import RowTable
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.market import MarketView
from qwenwatch_widgets.views.query import MarketQuery
from qwenwatch_widgets.views.table import Cell, Row
from tests.tui.fakes import DEFINITIONS, FakeAnswers, failing, market


@asynccontextmanager
async def running(
    answers: FakeAnswers, *, size: tuple[int, int] = (160, 48), poll: bool = False
) -> AsyncIterator[tuple[Pilot[None], MarketScreen]]:
    app = QwenwatchApp(answers, poll=poll)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, MarketScreen)
        yield pilot, app.screen


async def settle(pilot: Pilot[None]) -> None:
    # The poller never completes, so only the questions are awaited.
    asked = [worker for worker in pilot.app.workers if worker.group == "ask"]
    await pilot.app.workers.wait_for_complete(asked)
    await pilot.pause()


def line(app: QwenwatchApp | object, y: int) -> str:
    assert isinstance(app, QwenwatchApp)
    return app.screen.query_one(StatusLines).render_line(y).text


def picture(pilot: Pilot[None]) -> str:
    return pilot.app.export_screenshot(simplify=True).replace("&#160;", " ")


def reversed_market() -> MarketView:
    view = market()
    leaders = replace(view.leaders, rows=tuple(reversed(view.leaders.rows)))
    prices = replace(view.prices, rows=tuple(reversed(view.prices.rows)))
    return replace(view, leaders=leaders, panels=tuple(reversed(view.panels)), prices=prices)


class TestStart:
    async def test_first_frame_has_figures_before_any_answer(self) -> None:
        answers = FakeAnswers(hold=asyncio.Event())
        app = QwenwatchApp(answers, poll=False)
        async with app.run_test(size=(160, 48)) as pilot:
            await pilot.pause()
            assert "DeepSeek" in picture(pilot)
            assert answers.hold is not None
            answers.hold.set()

    async def test_q_quits_and_lets_go_of_the_answers(self) -> None:
        answers = FakeAnswers()
        async with running(answers) as (pilot, _):
            await pilot.press("q")
        assert pilot.app.return_code == 0
        assert answers.closed

    @pytest.mark.parametrize("theme", ["dark", "light", "ansi", "nord", "no such theme"])
    async def test_any_theme(self, theme: str) -> None:
        app = QwenwatchApp(FakeAnswers(), poll=False, theme=theme)
        async with app.run_test(size=(160, 48)) as pilot:
            await pilot.pause()
            assert "DeepSeek" in picture(pilot)


class TestPanels:
    async def test_keys_move_between_panels(self) -> None:
        async with running(FakeAnswers()) as (pilot, screen):
            assert screen.panels.has_focus
            for key, vendor in (
                ("right", "tencent"),
                ("down", "anthropic"),
                ("j", "nvidia"),
                ("h", "xiaomi"),
                ("k", "google"),
                ("l", "anthropic"),
                ("G", "amazon"),
                ("g", "deepseek"),
            ):
                await pilot.press(key)
                assert screen.panels.panel is not None
                assert screen.panels.panel.vendor == vendor, key

    async def test_left_of_the_first_column_are_the_leaders(self) -> None:
        async with running(FakeAnswers()) as (pilot, screen):
            await pilot.press("left")
            assert screen.leaders.has_focus
            await pilot.press("right")
            assert screen.panels.has_focus

    async def test_panel_and_leader_go_together(self) -> None:
        async with running(FakeAnswers()) as (pilot, screen):
            await pilot.press("down")
            assert screen.leaders.row is not None and screen.leaders.row.key == "google"
            await pilot.press("left", "down")
            assert screen.panels.panel is not None
            assert screen.panels.panel.vendor == "anthropic"

    async def test_enter_opens_the_vendor_and_escape_returns(self) -> None:
        async with running(FakeAnswers()) as (pilot, screen):
            await pilot.press("right", "enter")
            await settle(pilot)
            assert "Prices of Tencent" in picture(pilot)
            await pilot.press("escape")
            assert pilot.app.screen is screen
            assert screen.panels.selected == 1

    async def test_a_click_selects_and_another_opens(self) -> None:
        async with running(FakeAnswers()) as (pilot, screen):
            await pilot.click(screen.panels, offset=(40, 9))
            assert screen.panels.panel is not None
            assert screen.panels.panel.vendor == "anthropic"
            await pilot.click(screen.panels, offset=(40, 9))
            await settle(pilot)
            assert pilot.app.screen is not screen


class TestRefresh:
    async def test_cursor_scroll_sort_and_selection_follow_their_keys(self) -> None:
        answers = FakeAnswers()
        async with running(answers) as (pilot, screen):
            await pilot.press("down", "tab", *["down"] * 15, "s")
            prices, vendor = screen.prices, screen.panels.panel
            assert prices.row is not None and vendor is not None
            key, top, order = prices.row.key, prices.scroll_offset.y, [r.key for r in prices.rows]
            assert top > 0
            answers.current = reversed_market()
            screen.reload()
            await settle(pilot)
            assert prices.row.key == key
            assert prices.scroll_offset.y == top
            assert sorted(r.key for r in prices.rows) == sorted(order)
            assert prices.sort_by is not None and prices.sort_by.column == "model"
            assert screen.panels.panel is not None
            assert screen.panels.panel.vendor == vendor.vendor

    async def test_a_removed_row_leaves_the_cursor_nearby(self) -> None:
        answers = FakeAnswers()
        async with running(answers) as (pilot, screen):
            await pilot.press("tab", "end")
            view = market()
            answers.current = replace(view, prices=replace(view.prices, rows=view.prices.rows[:5]))
            screen.reload()
            await settle(pilot)
            assert screen.prices.cursor == 4

    async def test_find_survives_and_n_goes_on(self) -> None:
        answers = FakeAnswers()
        async with running(answers) as (pilot, screen):
            await pilot.press("tab", "slash", *"qwen", "enter")
            answers.current = reversed_market()
            screen.reload()
            await settle(pilot)
            assert screen.prices.found == "qwen"
            before = screen.prices.cursor
            await pilot.press("n")
            assert screen.prices.cursor != before

    async def test_only_rows_that_differ_are_drawn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = FakeAnswers()
        async with running(answers) as (pilot, screen):
            view = market()
            rows = list(view.prices.rows)
            rows[2] = replace(
                rows[2], cells=(*rows[2].cells[:3], Cell("0.15  "), *rows[2].cells[4:])
            )
            answers.current = replace(view, prices=replace(view.prices, rows=tuple(rows)))
            drawn: list[int] = []
            draw = ViewTable.render_line

            def spy(table: ViewTable, y: int) -> object:
                drawn.append(y)
                return draw(table, y)

            monkeypatch.setattr(ViewTable, "render_line", spy)
            screen.reload()
            await settle(pilot)
            assert drawn == [3]

    async def test_polling_applies_what_is_new(self) -> None:
        answers = FakeAnswers()
        async with running(answers, poll=True) as (pilot, _):
            await pilot.pause()
            assert answers.refreshes == [False]
            assert len(answers.asked) >= 2
            await pilot.press("r")
            await pilot.pause()
            assert answers.refreshes == [False, True]
            assert "openrouter-models: 3 new rows" in line(pilot.app, 0)

    async def test_p_pauses(self) -> None:
        async with running(FakeAnswers(), poll=True) as (pilot, screen):
            await pilot.press("p")
            await pilot.pause()
            assert screen.status.paused
            assert "paused" in line(pilot.app, 1)


class TestQuery:
    @pytest.mark.parametrize(
        ("keys", "wanted"),
        [
            (("d",), {"definition": DEFINITIONS[1].key}),
            (("D",), {"definition": DEFINITIONS[2].key}),
            (("t",), {"grain": "month"}),
            (("m",), {"by": "model"}),
            (("<", "<", ">"), {"steps_back": 1}),
            (("tab", "end", "b"), {"baseline": "poolside/laguna-m.1"}),
        ],
    )
    async def test_keys_change_the_query(
        self, keys: tuple[str, ...], wanted: dict[str, object]
    ) -> None:
        answers = FakeAnswers()
        async with running(answers) as (pilot, _):
            for key in keys:
                await pilot.press(key)
                await settle(pilot)
            asked = answers.asked[-1]
            assert {name: getattr(asked, name) for name in wanted} == wanted

    async def test_another_length_of_windows_keeps_the_place(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = FakeAnswers()

        async def placed(query: MarketQuery) -> MarketView:
            answers.asked.append(query)
            return replace(market(query), steps={"month": 3} if query.steps_back else {})

        monkeypatch.setattr(answers, "market", placed)
        async with running(answers) as (pilot, _):
            for key in ("<", "t", "t"):
                await pilot.press(key)
                await settle(pilot)
            asked = [(one.grain, one.steps_back) for one in answers.asked[-2:]]
            assert asked == [("month", 3), ("day", 0)]

    async def test_the_future_is_refused(self) -> None:
        answers = FakeAnswers()
        async with running(answers) as (pilot, _):
            await pilot.press(">")
            assert "newest complete week" in line(pilot.app, 0)
            assert len(answers.asked) == 1

    async def test_a_model_opens_its_vendor(self) -> None:
        async with running(FakeAnswers()) as (pilot, screen):
            await pilot.press("m")
            await settle(pilot)
            await pilot.press("left", "enter")
            await settle(pilot)
            assert pilot.app.screen is not screen

    async def test_a_row_without_a_vendor_says_so(self) -> None:
        async with running(FakeAnswers()) as (pilot, screen):
            await pilot.press("left", "G", "enter")
            await pilot.pause()
            assert pilot.app.screen is screen
            assert "no panel" in line(pilot.app, 0)


class TestErrors:
    async def test_an_error_is_a_line_and_the_figures_stay(self) -> None:
        answers = FakeAnswers()
        async with running(answers) as (pilot, screen):
            answers.error = AnswersError("models-dev: no route to host")
            await pilot.press("t")
            await settle(pilot)
            assert "! models-dev: no route to host" in line(pilot.app, 0)
            assert "DeepSeek" in picture(pilot)
            assert screen.query_wanted.grain == "week"
            answers.error = None
            await pilot.press("t")
            await settle(pilot)
            assert "!" not in line(pilot.app, 0)

    async def test_even_a_fault_is_a_line(self) -> None:
        async with running(FakeAnswers(error=ZeroDivisionError("oops"))) as (pilot, _):
            assert "ZeroDivisionError: oops" in line(pilot.app, 0)

    async def test_a_failed_round_is_a_line(self) -> None:
        answers = FakeAnswers(refresh_error=AnswersError("the disk is full"))
        async with running(answers, poll=True) as (pilot, _):
            await pilot.pause()
            assert "! the disk is full" in line(pilot.app, 0)

    async def test_feeds_and_vendor_fail_alike(self) -> None:
        answers = failing("locked")
        async with running(answers) as (pilot, _):
            for key in ("enter", "F"):
                await pilot.press(key)
                await settle(pilot)
                assert "! locked" in line(pilot.app, 0), key


class TestUntrustedText:
    async def test_markup_and_escapes_are_text(self) -> None:
        evil = "[bold]x[/] [@click=app.quit]y[/] \x1b[31mz\x1b]52;c;AA\x07\u202e"
        view = market()
        row = Row(evil, tuple(Cell(evil, series=None) for _ in view.prices.columns), cite=evil)
        answers = FakeAnswers()
        answers.current = replace(
            view,
            headline=replace(view.headline, summary=evil, source=evil, health=evil, window=evil),
            prices=replace(view.prices, title=evil, caption=evil, rows=(row,)),
            leaders=replace(view.leaders, rows=view.leaders.rows[:1], title=evil),
            panels=(replace(view.panels[0], title=evil, route=evil, scale=evil),),
        )
        async with running(answers) as (pilot, screen):
            shown = picture(pilot)
            assert "[bold]x[/]" in shown
            assert not {"\x1b", "\x07", "\u202e"} & set(shown)
            for widget in (screen.prices, screen.leaders, screen.panels, screen.status):
                for y in range(widget.size.height):
                    text = widget.render_line(y).text
                    assert all(char.isprintable() for char in text)
            await pilot.press("question_mark")
            await pilot.pause()
            assert "[@click=app.quit]y[/]" in picture(pilot)


class TestOtherKeys:
    async def test_y_copies_and_Y_cites(self) -> None:
        async with running(FakeAnswers()) as (pilot, _):
            await pilot.press("y")
            assert pilot.app.clipboard == "1 DeepSeek\t19.74T\t26.2 %\t▲ +0.6 pp"
            await pilot.press("Y")
            assert pilot.app.clipboard == "DeepSeek: 26.2 % of made-up tokens, test data"
            await pilot.press("left", "Y")
            assert pilot.app.clipboard == "DeepSeek: 26.2 % of made-up tokens, test data"

    async def test_o_opens_the_source(self, monkeypatch: pytest.MonkeyPatch) -> None:
        opened: list[str] = []
        monkeypatch.setattr(QwenwatchApp, "open_url", lambda _, url: opened.append(url))
        async with running(FakeAnswers()) as (pilot, _):
            await pilot.press("o")
        assert opened == ["https://openrouter.ai/rankings"]

    async def test_zoom_and_back(self) -> None:
        async with running(FakeAnswers()) as (pilot, screen):
            await pilot.press("z")
            await pilot.pause()
            assert not screen.prices.display
            assert screen.panels.size.height > 40
            await pilot.press("escape")
            await pilot.pause()
            assert screen.prices.display

    async def test_tab_goes_round_also_where_prices_have_no_room(self) -> None:
        async with running(FakeAnswers(), size=(80, 24)) as (pilot, screen):
            assert screen.leaders.has_focus
            await pilot.press("tab", "tab")
            await pilot.pause()
            assert screen.prices.has_focus
            assert screen.prices.display and not screen.leaders.display
            await pilot.press("escape")
            await pilot.pause()
            assert screen.leaders.has_focus
            assert not screen.prices.display

    @pytest.mark.parametrize(
        "owner",
        [
            QwenwatchApp,
            Page,
            MarketScreen,
            VendorScreen,
            FeedsScreen,
            RowTable,
            ViewTable,
            PanelGrid,
        ],
    )
    def test_every_binding_can_be_remapped_and_is_explained(self, owner: type[DOMNode]) -> None:
        for binding in owner.BINDINGS:
            assert isinstance(binding, Binding)
            assert binding.id and binding.tooltip, binding

    async def test_a_key_of_the_footer_can_be_clicked(self) -> None:
        async with running(FakeAnswers()) as (pilot, screen):
            bar = screen.query_one(KeyBar)
            text = bar.render_line(0).text
            await pilot.click(KeyBar, offset=(text.index("zoom"), 0))
            await pilot.pause()
            assert screen.has_class("-zoomed")

    async def test_places_can_be_clicked(self) -> None:
        async with running(FakeAnswers()) as (pilot, screen):
            text = screen.top.render_line(0).text
            await pilot.click(TopLines, offset=(text.index("Feeds"), 0))
            await pilot.pause()
            assert pilot.app.current_mode == "feeds"
