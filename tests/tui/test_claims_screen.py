"""The Claims screen, and figures remembered as claims."""

import pytest

from qwenwatch.answers import AnswersError
from qwenwatch.app import QwenwatchApp
from qwenwatch.screens.claims import ClaimScreen, ClaimsScreen
from qwenwatch.screens.market import MarketScreen
from qwenwatch_widgets.views.query import MarketQuery, RememberQuery, TablesQuery
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
    ("keys", "query"),
    [
        ((), RememberQuery("leaders", "deepseek", MarketQuery(by="vendor"))),
        (("/", "escape", "home"), RememberQuery("leaders", "deepseek", MarketQuery(by="vendor"))),
    ],
    ids=["panel", "leaders"],
)
async def test_c_remembers_the_figure_under_the_cursor(
    keys: tuple[str, ...], query: RememberQuery
) -> None:
    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot, *keys, "c")
        assert answers.remembered == [query]
        assert "Remembered: deepseek" in said(pilot)


async def test_c_remembers_a_price() -> None:
    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, MarketScreen)
        screen.prices.focus()
        await press(pilot, "down", "c")
        [query] = answers.remembered
        assert screen.prices.row is not None
        assert (query.table, query.row) == ("prices", screen.prices.row.key)


async def test_what_cannot_be_claimed_is_said_and_nothing_else_happens() -> None:
    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot)
        answers.error = AnswersError("this row is nobody's share")
        await press(pilot, "c")
        assert "Not a claim: this row is nobody's share" in said(pilot)
        assert isinstance(pilot.app.screen, MarketScreen)
