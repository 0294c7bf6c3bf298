"""The faults that leave a part of the answer as it was."""

import httpx
import pytest

from tests.feedserver import FeedServer
from tests.feedserver.support import ECB_DAILY, ECB_HIST, PATHS
from tests.feedserver.test_faults import JSON_FEEDS, VALUES, rows_of


@pytest.mark.parametrize("feed", JSON_FEEDS)
def test_half_a_list_is_its_beginning(server: FeedServer, client: httpx.Client, feed: str) -> None:
    good = rows_of(feed, client.get(PATHS[feed]).json())
    server.fault(feed, "half-list")
    kept = rows_of(feed, client.get(PATHS[feed]).json())
    assert 2 * len(kept) < len(good)
    # Of models.dev the beginning of every provider's list is kept.
    assert kept == good[: len(kept)] or feed == "models-dev"
    assert all(row in good for row in kept)


@pytest.mark.parametrize("feed", JSON_FEEDS)
def test_one_bad_row_is_the_first(server: FeedServer, client: httpx.Client, feed: str) -> None:
    key = VALUES[feed][0]
    good = rows_of(feed, client.get(PATHS[feed]).json())
    server.fault(feed, "one-bad-row")
    bad = rows_of(feed, client.get(PATHS[feed]).json())
    assert bad[0] == good[0] | {key: [good[0][key]]}
    assert bad[1:] == good[1:]


def test_an_absurd_rate(server: FeedServer, client: httpx.Client) -> None:
    good = client.get(ECB_DAILY).text
    server.fault("ecb-fx", "absurd-price")
    assert client.get(ECB_DAILY).text == good.replace("rate='1.25'", "rate='125000.000000'")
    # It is not played on the zip, and that is said.
    assert client.get(ECB_HIST).status_code == 501
