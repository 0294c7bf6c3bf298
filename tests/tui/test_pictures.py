"""Pictures of every screen at the sizes that the design names."""

import pytest

from qwenwatch.app import QwenwatchApp
from tests.tui.conftest import Shot
from tests.tui.fakes import FakeAnswers, failing


def named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24), (200, 60)], ids=named)


def app(answers: FakeAnswers | None = None, theme: str = "dark") -> QwenwatchApp:
    return QwenwatchApp(answers or FakeAnswers(), poll=False, theme=theme)


class TestPictures:
    @SIZES
    async def test_market(self, shot: Shot, size: tuple[int, int]) -> None:
        assert await shot(app(), size=size)

    @pytest.mark.parametrize("theme", ["light", "ansi"])
    async def test_themes(self, shot: Shot, theme: str) -> None:
        assert await shot(app(theme=theme), "right", size=(160, 48))

    async def test_prices_sorted_and_searched(self, shot: Shot) -> None:
        keys = ("tab", "s", "s", "s", "s", "slash", "q", "w", "e", "n", "enter")
        assert await shot(app(), *keys, size=(160, 48))

    async def test_prices_where_there_is_little_room(self, shot: Shot) -> None:
        assert await shot(app(), "shift+tab", "down", "f", "q", "w")

    async def test_zoomed_panels(self, shot: Shot) -> None:
        assert await shot(app(), "z", size=(160, 48))

    @SIZES
    async def test_vendor(self, shot: Shot, size: tuple[int, int]) -> None:
        assert await shot(app(), "enter", size=size)

    async def test_feeds(self, shot: Shot) -> None:
        assert await shot(app(), "F", size=(160, 48))

    @pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=named)
    async def test_help(self, shot: Shot, size: tuple[int, int]) -> None:
        assert await shot(app(), "question_mark", size=size)

    async def test_error_beside_the_last_good_figures(self, shot: Shot) -> None:
        assert await shot(app(failing("The cache is locked by process 4711.")), size=(160, 48))

    async def test_nothing_known_yet(self, shot: Shot) -> None:
        answers = failing("No figures yet: run `qwenwatch refresh`.")
        answers.ready = None
        assert await shot(app(answers), size=(160, 48))
