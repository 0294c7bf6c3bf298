"""The Hosts screen: how one gets there and back, and what it shows when a request fails."""

import pytest
from textual.pilot import Pilot

from qwenwatch.answers import AnswersError
from qwenwatch.app import QwenwatchApp
from qwenwatch.screens.hosts import HostsScreen
from qwenwatch.screens.market import MarketScreen
from qwenwatch.screens.vendor import VendorScreen
from qwenwatch_widgets.headline import StatusLines
from tests.tui.conftest import Shot
from tests.tui.fakes import FakeAnswers
from tests.tui.test_pictures import named

SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=named)

TO_PRICES = {(160, 48): "tab", (80, 24): "shift+tab"}
"""From the pane that has the keys at first to the prices of the Market screen."""


def app(answers: FakeAnswers | None = None) -> QwenwatchApp:
    return QwenwatchApp(answers or FakeAnswers(), poll=False)


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.app.workers.wait_for_complete()
    for key in keys:
        await pilot.press(key)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


def hosts_screen(pilot: Pilot[None]) -> HostsScreen:
    screen = pilot.app.screen
    assert isinstance(screen, HostsScreen)
    return screen


def tags(pilot: Pilot[None]) -> list[str]:
    return [row.key for row in hosts_screen(pilot).table.rows]


def status(pilot: Pilot[None]) -> str:
    lines = pilot.app.screen.query_one(StatusLines)
    return "\n".join(lines.render_line(y).text for y in range(2))


class TestWay:
    async def test_enter_on_a_model_of_the_vendor_and_back(self) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "enter", "enter")
            assert answers.hosts_asked[0] == ("deepseek/flagship", False)
            await press(pilot, "escape")
            assert isinstance(pilot.app.screen, VendorScreen)
            await press(pilot, "escape")
            assert isinstance(pilot.app.screen, MarketScreen)

    async def test_enter_on_a_price_of_the_vendor(self) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "enter", "tab", "enter")
            assert answers.hosts_asked[0] == ("deepseek/v4-flash-0731", False)

    @SIZES
    async def test_enter_on_a_price_of_the_market(self, size: tuple[int, int]) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=size) as pilot:
            await press(pilot, TO_PRICES[size], "down", "down", "down", "down", "enter")
            assert answers.hosts_asked[0] == ("tencent/hy3-0706", False)
            await press(pilot, "backspace")
            assert isinstance(pilot.app.screen, MarketScreen)
            assert pilot.app.screen.prices.has_focus


class TestAsking:
    async def test_what_is_known_comes_first_then_the_feed_is_asked_once(self) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "tab", "enter")
            assert [ask for _, ask in answers.hosts_asked] == [False, True]
            assert tags(pilot)[-1] == "novita"
            assert "read 0 min ago" in status(pilot)
            hosts_screen(pilot).reload()  # as after a round over the other feeds
            await press(pilot)
            assert [ask for _, ask in answers.hosts_asked] == [False, True, False]

    async def test_r_asks_this_feed_and_no_other(self) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "tab", "enter", "r")
            assert [ask for _, ask in answers.hosts_asked] == [False, True, True]
            assert answers.refreshes == []
            assert "openrouter-endpoints: stored" in status(pilot)

    async def test_a_failed_request_leaves_the_old_rows_and_says_why(self) -> None:
        answers = FakeAnswers(feed_problem="503 Service Unavailable [b]x[/b]")
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "tab", "enter")
            assert tags(pilot) == ["deepinfra/fp4", "alibaba", "nebius/fp8"]
            assert (
                "read 3 h ago · the request 0 min ago failed: 503 Service Unavailable [b]x[/b]"
                in status(pilot)
            )

    async def test_without_any_row_the_reason_stands_in_their_place(self) -> None:
        answers = FakeAnswers(feed_problem="404 Not Found", no_hosts=True)
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "tab", "enter")
            shown = pilot.app.export_screenshot(simplify=True).replace("&#160;", " ")
            assert "no host is known: read 3 h ago · the request 0 min ago failed: 404" in shown

    async def test_no_answer_at_all_leaves_the_old_rows_too(self) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "tab", "enter", "down")
            answers.error = AnswersError("the process that reads the cache has ended")
            await press(pilot, "r")
            hosts_screen(pilot).status.note = ""
            assert "! the process that reads the cache has ended" in status(pilot)
            assert len(tags(pilot)) == 4 and hosts_screen(pilot).table.cursor == 1

    async def test_a_model_nobody_can_be_asked_about_is_said_in_place_of_figures(self) -> None:
        answers = FakeAnswers()
        async with app(answers).run_test(size=(160, 48)) as pilot:
            await press(pilot, "tab")
            answers.error = AnswersError("OpenRouter has no id for x/y")
            await press(pilot, "enter")
            assert hosts_screen(pilot).table.view.empty == (
                "Nothing to show: the line below says why."
            )
            assert "! OpenRouter has no id for x/y" in status(pilot)
            assert [ask for _, ask in answers.hosts_asked] == [False]


class TestPictures:
    @SIZES
    async def test_hosts(self, shot: Shot, size: tuple[int, int]) -> None:
        assert await shot(app(), TO_PRICES[size], "enter", size=size)

    @SIZES
    async def test_failed(self, shot: Shot, size: tuple[int, int]) -> None:
        answers = FakeAnswers(feed_problem="503 Service Unavailable")
        assert await shot(app(answers), TO_PRICES[size], "enter", size=size)
