"""Fixtures that all rooms share."""

from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of the program.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Real payloads, kept beside the repository; they are not part of it."""
    folder = Path(__file__).parents[2] / "shared" / "recordings"
    if not folder.is_dir():
        pytest.skip("needs the recordings in ../shared/recordings")
    return folder
