"""Fixtures for the tests of the feed server."""

from collections.abc import Iterator

import httpx
import pytest

from tests.feedserver import FIXTURE_NOW, FeedServer, FixtureBodies
from tests.feedserver.support import client_of


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW, bad_keys=["sk-bad"]) as server:
        yield server


@pytest.fixture
def client(server: FeedServer) -> Iterator[httpx.Client]:
    with client_of(server) as client:
        yield client
