"""An answer of rankings-daily that ends too early is no news of a model that fell out."""

import json
from datetime import UTC, datetime

import pytest

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.openrouter_rankings import parse

NOW = datetime(2026, 8, 17, 12, tzinfo=UTC)


def body(*rows: tuple[str, str]) -> bytes:
    return json.dumps(
        {
            "data": [
                {"date": day, "model_permaslug": name, "total_tokens": "5"} for day, name in rows
            ]
        }
    ).encode()


def test_cut_within_the_last_day() -> None:
    cut = body(("2026-08-14", "a/x"), ("2026-08-14", "other"), ("2026-08-15", "a/x"))
    with pytest.raises(FeedError, match="ends in the middle of 2026-08-15, before 'other'"):
        parse(cut, NOW)


@pytest.mark.parametrize(
    "rows",
    [
        # The tail of a day may be empty: without `other` anywhere there is nothing to go by …
        [("2026-08-14", "a/x"), ("2026-08-15", "a/x")],
        # … and a day before the last one is not where an answer is cut.
        [("2026-08-14", "a/x"), ("2026-08-15", "a/x"), ("2026-08-15", "other")],
    ],
)
def test_whole(rows: list[tuple[str, str]]) -> None:
    assert parse(body(*rows), NOW).rows == len(rows)
