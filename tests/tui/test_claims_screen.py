"""The Claims screen, and figures remembered as claims."""

from collections.abc import Callable

import pytest

from qwenwatch.answers import AnswersError
from qwenwatch.app import QwenwatchApp
from qwenwatch.screens.claims import ClaimScreen, ClaimsScreen
from qwenwatch.screens.market import MarketScreen
from qwenwatch.screens.page import NO_FIGURE
from qwenwatch_widgets.views.claim_draft import NOBODY
from qwenwatch_widgets.views.query import TablesQuery
from tests.tui.fake_prices import PAGES
from tests.tui.fakes import FakeAnswers
from tests.tui.test_hosts import press
from tests.tui.test_tables_screen import said


def app(answers: FakeAnswers) -> QwenwatchApp:
    return QwenwatchApp(answers, poll=False)


async def test_a_row_opens_its_arithmetic_and_escape_leads_back() -> None:
    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot, "5")
        assert isinstance(pilot.app.screen, ClaimsScreen)
        assert answers.tables_asked == [TablesQuery("claims")]
        await press(pilot, "down", "enter")
        assert isinstance(pilot.app.screen, ClaimScreen)
        assert answers.tables_asked[-1] == TablesQuery("claim", subject="1-1")
        await press(pilot, "z", "escape")
        assert isinstance(pilot.app.screen, ClaimScreen)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ClaimsScreen)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, MarketScreen)


async def test_claims_have_times_of_their_own() -> None:
    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot, "5", "<", "t")
        assert answers.tables_asked == [TablesQuery("claims")]
        await press(pilot, "enter", "<", "t")
        assert len(answers.tables_asked) == 2


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        ((), "panel deepseek"),
        (("/", "escape", "home"), "deepseek"),
        (("/", "escape", "tab", "tab", "down"), "alibaba/qwen3-max list · intl"),
        (("enter",), "deepseek/flagship"),
        (("enter", "tab"), "deepseek/v4-flash-0731 route"),
        (("enter", "tab", "tab"), "vendor 1-0"),
        (("enter", "enter"), "deepinfra/fp4"),
        (("enter", "enter", "tab", "down"), "model 1-1"),
        (("3", "down"), "alibaba/qwen3-max list · intl"),
        (("3", "<", "down"), "alibaba/qwen3-max list · intl"),
        (("3", "tab"), "LiteLLM ✎"),
        (("4", "<", "down"), "definitions 1-1"),
        (("4", "tab", "tab", "down"), "definitions 3-1"),
        (("6", "tab"), "changes 2-0"),
    ],
    ids=lambda value: " ".join(value) or "panels" if isinstance(value, tuple) else "",
)
async def test_c_remembers_the_figure_under_the_cursor(keys: tuple[str, ...], row: str) -> None:
    answers = FakeAnswers(pages=PAGES)
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot, *keys, "c")
        assert [claim["of"] for claim in answers.remembered] == [row]
        assert f"Remembered: {row}" in said(pilot)


async def test_c_remembers_a_line_of_models_side_by_side() -> None:
    answers = FakeAnswers(pages=PAGES)
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot, "3", "space", "down", "down", "space", "v", "right", "c")
        [claim] = answers.remembered
        assert claim["of"].startswith("input of alibaba/qwen3-max and ")


async def test_a_row_that_claims_nothing_says_why() -> None:
    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot, "/", "escape", "end", "c")
        assert answers.remembered == []
        assert NOBODY in said(pilot)
        await press(pilot, "7", "c")
        assert NO_FIGURE in said(pilot)


async def test_what_is_said_again_stays_as_long_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[Callable[[], None]] = []
    stopped: list[bool] = []

    class Held:
        def stop(self) -> None:
            stopped.append(True)

    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot, "/", "escape", "end")
        screen = pilot.app.screen

        def held(seconds: float, end: Callable[[], None]) -> Held:
            ends.append(end)
            return Held()

        monkeypatch.setattr(screen, "set_timer", held)
        await press(pilot, "c")
        assert (len(ends), len(stopped)) == (1, 0)
        await press(pilot, "c")
        assert (len(ends), len(stopped)) == (2, 1)
        assert NOBODY in said(pilot)
        ends[-1]()
        await pilot.pause()
        assert NOBODY not in said(pilot)


async def test_what_cannot_be_claimed_is_said_and_nothing_else_happens() -> None:
    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot)
        answers.error = AnswersError("this row is nobody's share")
        await press(pilot, "c")
        assert "Not a claim: this row is nobody's share" in said(pilot)
        assert isinstance(pilot.app.screen, MarketScreen)
