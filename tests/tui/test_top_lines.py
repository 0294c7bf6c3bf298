"""The top line: names of the screens, the time of the figures, and where they come from."""

import pytest
from msgspec.structs import replace

from qwenwatch.app import QwenwatchApp
from qwenwatch.screens.page import PLACES
from qwenwatch_widgets.headline import TopLines
from tests.tui.fakes import FakeAnswers
from tests.tui.test_hosts import press

WINDOW = "week 10–16 Aug 2026 · complete"
BADGE = "bundled baseline, to 2026-08-22"
REPLAYED = f"{BADGE} · replayed at 2026-08-22 12:00Z"


@pytest.mark.parametrize(
    ("cells", "said", "named"),
    [
        (200, REPLAYED, True),
        (160, f"{BADGE} · replayed", True),
        (150, BADGE, True),
        (120, REPLAYED, False),
    ],
)
async def test_the_text_on_the_right_goes_shorter_before_the_names(
    cells: int, said: str, named: bool
) -> None:
    app = QwenwatchApp(FakeAnswers(), poll=False)
    async with app.run_test(size=(cells, 40)) as pilot:
        await press(pilot)
        top = app.screen.query_one(TopLines)
        top.view = replace(top.view, window=WINDOW, badge=REPLAYED)
        line = top.render_line(0).text.rstrip()
        assert line.endswith(f"{WINDOW} · {said}")
        assert all(place.label in line for place in PLACES) == named
