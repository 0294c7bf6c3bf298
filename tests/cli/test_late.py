"""Long after the last reading: nothing that was read then is said to be of today."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from qwenwatch.config import Config
from qwenwatch.pages import answer_tables
from qwenwatch.session import Session
from qwenwatch_widgets.views.query import TablesQuery

LATER = datetime(2026, 11, 22, 10, tzinfo=UTC)
"""Months after the last bundled figures of usage and prices of the router, days after LiteLLM's."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A session that knows the bundled figures."""
    folder: Path = tmp_path_factory.mktemp("late")
    config = Config(folder / "etc/config.toml", cache_dir=folder / "cache")
    return Session.open(config, lambda: LATER, offline=True)


@pytest.mark.parametrize(
    ("grain", "window"),
    [
        ("day", "2026-11-17"),
        ("week", "2026-11-11 to 2026-11-17"),
        ("month", "2026-10-19 to 2026-11-17"),
    ],
)
def test_the_screens_changes_end_with_what_is_known(
    session: Session, grain: str, window: str
) -> None:
    view = answer_tables(session, TablesQuery("changes", grain=grain))
    assert view.headline.window == window
