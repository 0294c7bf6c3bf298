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


async def test_c_remembers_who_leads_by_a_definition() -> None:
    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot, "4", "<", "down", "c")
        market = MarketQuery("1-1", "week", "vendor", 1)
        assert answers.remembered == [RememberQuery("definitions", "1-1", market)]
        await press(pilot, "tab", "c")
        assert len(answers.remembered) == 1
        assert "no figure here" in said(pilot)


async def test_c_remembers_what_is_on_the_screen_of_a_vendor() -> None:
    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot, "enter", "c", "tab", "c")
        [share, price] = answers.remembered
        assert (share.table, share.row, share.market.by) == (
            "leaders",
            "deepseek/flagship",
            "model",
        )
        assert price.table == "prices"


async def test_c_remembers_a_price_of_now_on_the_prices_screen() -> None:
    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot, "3", "down", "c")
        [query] = answers.remembered
        assert query.table == "prices" and query.row
        await press(pilot, "<", "c")
        assert len(answers.remembered) == 1


async def test_what_cannot_be_claimed_is_said_and_nothing_else_happens() -> None:
    answers = FakeAnswers()
    async with app(answers).run_test(size=(160, 48)) as pilot:
        await press(pilot)
        answers.error = AnswersError("this row is nobody's share")
        await press(pilot, "c")
        assert "Not a claim: this row is nobody's share" in said(pilot)
        assert isinstance(pilot.app.screen, MarketScreen)
