"""Fixtures that all rooms share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of the program.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def no_power_cuts() -> Iterator[None]:
    """Files are not flushed to the disk: a killed process loses nothing of what it wrote, and that
    the power fails is not played. Waiting for the disk would be a part of the time of most tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # which too refuses what is no open file
        yield


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Real payloads, kept beside the repository; they are not part of it."""
    folder = Path(__file__).parents[2] / "shared" / "recordings"
    if not folder.is_dir():
        pytest.skip("needs the recordings in ../shared/recordings")
    return folder
