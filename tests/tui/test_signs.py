"""Signs that a key had an effect: a search without a hit, an answer that takes long, marks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from qwenwatch.app import QwenwatchApp
from qwenwatch.screens import page
from qwenwatch.screens.compare import CompareScreen
from qwenwatch.screens.market import MarketScreen
from qwenwatch.screens.page import COMPUTING, Page
from qwenwatch.screens.tables import TablesScreen
from qwenwatch_widgets.order import matches
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.query import PriceWish, TablesQuery
from qwenwatch_widgets.views.table import Row
from qwenwatch_widgets.views.tables import TablesView
from tests.tui.fakes import FakeAnswers


@dataclass
class HeldAnswers(FakeAnswers):
    """Holds back the answers of all screens."""

    async def tables(self, query: TablesQuery) -> TablesView:
        if self.hold is not None:
            await self.hold.wait()
        return await super().tables(query)


@asynccontextmanager
async def running(answers: FakeAnswers) -> AsyncIterator[Pilot[None]]:
    app = QwenwatchApp(answers, poll=False)
    async with app.run_test(size=(160, 48)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        yield pilot


def table(pilot: Pilot[None]) -> ViewTable:
    assert isinstance(pilot.app.focused, ViewTable)
    return pilot.app.focused


def said(pilot: Pilot[None]) -> str:
    assert isinstance(pilot.app.screen, Page)
    status = pilot.app.screen.status
    return "\n".join(status.render_line(y).text for y in range(2))


class TestNoHit:
    async def test_a_search_without_a_hit_says_so(self) -> None:
        async with running(FakeAnswers()) as pilot:
            await pilot.press("tab", "slash", *"zzz")
            assert table(pilot).subtitle() == "find: zzz▏ · No row matches 'zzz'"
            await pilot.press("enter")
            assert str(table(pilot).border_subtitle) == "find: zzz · No row matches 'zzz'"
            await pilot.press("slash", *"qwen", "enter")
            assert str(table(pilot).border_subtitle) == "find: qwen · n N"

    async def test_so_it_does_where_a_refresh_takes_the_last_hit(self) -> None:
        async with running(FakeAnswers()) as pilot:
            await pilot.press("tab", "slash", *"qwen", "enter")
            prices = table(pilot)
            others = tuple(row for row in prices.view.rows if not matches(row, "qwen"))
            assert 0 < len(others) < len(prices.view.rows)
            prices.view = replace(prices.view, rows=others)
            assert str(prices.border_subtitle) == "find: qwen · No row matches 'qwen'"

    async def test_a_filter_without_a_hit_says_so_in_place_of_the_rows(self) -> None:
        async with running(FakeAnswers()) as pilot:
            await pilot.press("tab", "f", *"zzz", "enter")
            assert table(pilot).render_line(1).text.strip() == "No row matches 'zzz'"
            await pilot.press("escape")
            assert "No row" not in table(pilot).render_line(1).text


class TestWaiting:
    """Figures that are still those of before are said to be, once that lasts."""

    @pytest.fixture(autouse=True)
    def soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(page, "SOON_SECONDS", 0.001)

    @pytest.mark.parametrize("place", ["market", "definitions"])
    @pytest.mark.parametrize("key", ["t", "less_than_sign"])
    async def test_a_switch_says_that_it_computes(self, place: str, key: str) -> None:
        answers = HeldAnswers()
        async with running(answers) as pilot:
            pilot.app.switch_mode(place)
            await pilot.app.workers.wait_for_complete()
            answers.hold = asyncio.Event()
            await pilot.press(key)
            await pilot.pause(0.05)
            assert COMPUTING in said(pilot)
            await pilot.press(key)  # the sign stays while one question follows another
            await pilot.pause()
            assert COMPUTING in said(pilot)
            answers.hold.set()
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            assert COMPUTING not in said(pilot)

    async def test_a_refresh_says_nothing(self) -> None:
        answers = HeldAnswers()
        async with running(answers) as pilot:
            answers.hold = asyncio.Event()
            assert isinstance(pilot.app.screen, MarketScreen)
            pilot.app.screen.reload()
            await pilot.pause(0.05)
            assert COMPUTING not in said(pilot)
            answers.hold.set()

    async def test_an_answer_at_once_leaves_no_sign(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(page, "SOON_SECONDS", 3600.0)
        async with running(HeldAnswers()) as pilot:
            await pilot.press("t")
            await pilot.app.workers.wait_for_complete()
            assert COMPUTING not in said(pilot)


class TestMarks:
    """Space marks where that leads to something, and only there."""

    async def test_marked_prices_of_the_market_are_compared(self) -> None:
        answers = FakeAnswers()
        async with running(answers) as pilot:
            screen = pilot.app.screen
            assert isinstance(screen, MarketScreen)
            await pilot.press("tab", "space")
            await pilot.press("v")
            assert "Mark two models or more" in said(pilot)
            prices, baseline = screen.prices, screen.query_wanted.baseline
            first = _model_of(prices.row)
            while _model_of(prices.row) == first:
                await pilot.press("down")
            second = _model_of(prices.row)
            await pilot.press("space", "v")
            await pilot.app.workers.wait_for_complete()
            compared: object = pilot.app.screen
            assert isinstance(compared, CompareScreen)
            query = answers.tables_asked[-1]
            assert (query.question, query.models) == ("compare", (first, second))
            assert query.prices == PriceWish(baseline=baseline)

    async def test_where_nothing_comes_of_it_the_key_is_not_offered(self) -> None:
        async with running(FakeAnswers()) as pilot:
            screen = pilot.app.screen
            assert isinstance(screen, MarketScreen)
            await pilot.press("left", "space")
            assert screen.leaders.has_focus and not screen.leaders.marked
            assert "space" not in screen.active_bindings
            await pilot.press("tab", "tab")
            assert screen.prices.has_focus and "space" in screen.active_bindings
            pilot.app.switch_mode("definitions")
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            assert isinstance(pilot.app.screen, TablesScreen)
            assert "space" not in pilot.app.screen.active_bindings


def _model_of(row: Row | None) -> str:
    assert row is not None
    return row.key.partition(" ")[0]
