"""A claim of a row says what the screen shows, the same wherever the figure stands."""

from collections.abc import Mapping

import pytest

from qwenwatch.pages import answer_tables
from qwenwatch_widgets.views.query import TablesQuery
from tests.cli.test_claims_of_rows import NOW, Checker


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Checker:
    return Checker(tmp_path_factory.mktemp("shown"), NOW)


@pytest.mark.parametrize(("grain", "back"), [("week", 0), ("week", 13), ("month", 1)])
def test_the_same_figure_makes_the_same_claim_wherever_it_stands(
    now: Checker, grain: str, back: int
) -> None:
    view = answer_tables(now.session, TablesQuery("definitions", grain, back))
    tables = {table.title.partition(" · ")[0]: table.rows for table in view.tables}
    [lead] = [row for row in tables["Definitions"] if row.cells[0].text.startswith("implied spend")]
    assert lead.claim in [row.claim for row in tables["Implied spend"]]
    assert lead.claim in [row.claim for row in tables["Leaders"]]
    # It says what the screen shows.
    assert isinstance(lead.claim, Mapping)
    assert lead.claim["value"] in [cell.text for cell in lead.cells]


def test_a_range_that_is_not_the_one_shown_is_found_out(now: Checker) -> None:
    claims = now.tables("definitions", "week", 0)["Implied spend"]
    [shown] = [one for one in claims if not isinstance(one, str) and one["vendor"] == "anthropic"]
    low, high = shown["value"].removesuffix(" %").split("–")
    for value in (f"{float(low) + 0.1:.1f}–{high} %", f"{low}–{float(high) - 0.1:.1f} %"):
        assert now.verdict({**shown, "value": value})[0] == "no public data"
