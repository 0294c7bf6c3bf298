"""Fixtures that all rooms share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of the program.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# To share out frames of a few rows costs more than it brings; their order is by chance with one
# thread too. The commands that tests run in processes of their own have as many as ever.
os.environ.setdefault("POLARS_MAX_THREADS", "1")


SLOW = (
    "tests/cli/test_ready.py",
    "tests/faults/test_matrix.py",
    "tests/cache/test_verify.py",
    "tests/cli/test_cache.py",
    "tests/cli/test_remote.py",
    "tests/cache/test_verify_spoilt.py",
    "tests/cache/test_crash.py",
    "tests/cache/test_day.py",
    "tests/cache/test_price_claims_recorded.py",
    "tests/cache/test_baseline.py",
    "tests/test_imports.py",
)
"""The slowest files: the longest first, so that at the end no process has one left alone."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: many tests wait for another one, or for a screen."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is slow."""
    places = {name: place for place, name in enumerate(SLOW)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(SLOW)))


@pytest.fixture(scope="session", autouse=True)
def without_waste() -> Iterator[None]:
    """What takes much of the time of many tests, and is not what any of them is about."""
    with pytest.MonkeyPatch.context() as patch:
        # A killed process loses nothing of what it wrote, and that the power fails is not played.
        patch.setattr(os, "fsync", os.fstat)  # which too refuses what is no open file
        # The processes that tests start compile the program once, rather than at every start.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Real payloads, kept beside the repository; they are not part of it."""
    folder = Path(__file__).parents[2] / "shared" / "recordings"
    if not folder.is_dir():
        pytest.skip("needs the recordings in ../shared/recordings")
    return folder
