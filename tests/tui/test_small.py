"""Low terminals: the Market's leaders have rows, and the panels their place when asked for."""

import pytest
from textual.pilot import Pilot

from qwenwatch.app import QwenwatchApp
from qwenwatch.screens.market import MarketScreen
from tests.tui.fakes import FakeAnswers

SIZES = pytest.mark.parametrize("size", [(40, 12), (40, 15), (80, 12), (160, 17), (40, 18)])


def lines(pilot: Pilot[None]) -> list[str]:
    screen = pilot.app.screen
    return [
        "".join(segment.text for segment in line) for line in screen._compositor.render_strips()
    ]


@SIZES
async def test_leaders_have_rows(size: tuple[int, int]) -> None:
    app = QwenwatchApp(FakeAnswers(), poll=False)
    async with app.run_test(size=size) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(app.screen, MarketScreen)
        assert app.screen.leaders.has_focus
        for name in ("DeepSeek", "Tencent"):
            assert any(name in line and " % " in line for line in lines(pilot)), name
        if size[1] < 18:
            assert not app.screen.panels.display
            await pilot.press("right")
            await pilot.pause()
            assert app.screen.panels.has_focus
            assert app.screen.panels.display and not app.screen.leaders.display
            await pilot.press("escape")
            await pilot.pause()
            assert app.screen.leaders.has_focus and app.screen.leaders.display


async def test_where_there_is_room_escape_leaves_the_panels_alone() -> None:
    app = QwenwatchApp(FakeAnswers(), poll=False)
    async with app.run_test(size=(160, 48)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.press("left", "right", "escape")
        assert isinstance(app.screen, MarketScreen)
        assert app.screen.panels.has_focus
