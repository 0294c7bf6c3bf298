"""Keys can be remapped by id, and an id that does not exist is refused."""

from pathlib import Path

import pytest

from qwenwatch.app import QwenwatchApp
from qwenwatch.config import Config, ConfigError, load_config
from qwenwatch.keys import keymap
from qwenwatch.screens.help import HelpScreen
from tests.tui.fakes import FakeAnswers


async def test_a_remapped_key_takes_the_place_of_the_old_one() -> None:
    app = QwenwatchApp(FakeAnswers(), poll=False)
    app.set_keymap(keymap(Config(Path("x.toml"), Path("cache"), keys={"app.help": "f1"})))
    async with app.run_test() as pilot:
        await pilot.press("question_mark")
        assert not isinstance(app.screen, HelpScreen)
        await pilot.press("f1")
        assert isinstance(app.screen, HelpScreen)


def test_ids_are_written_with_dots(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[keys]\napp.help = "f1"\n"app.quit" = "x"\n', encoding="utf-8")
    assert keymap(load_config(path)) == {"app.help": "f1", "app.quit": "x"}


def test_an_unknown_id_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"x\.toml: keys\.app\.hlep is not known"):
        keymap(Config(Path("x.toml"), Path("cache"), keys={"app.hlep": "f1"}))
