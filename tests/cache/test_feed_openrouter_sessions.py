"""openrouter-sessions, on hand-written bodies in the documented shape: none is recorded."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds import openrouter_sessions
from tests.cache.openrouter_data import asked, parse, parsed, playing
from tests.feedserver import FIXTURE_NOW, FixtureBodies
from tests.feedserver.bodies import Row

SHAPE = "another shape than documented"


class ManySessions(FixtureBodies):
    """As many medians as wished, all of one app, each of a model of its own."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def sessions(self) -> list[Row]:
        return [session(number) for number in range(self._count)]


def session(number: int, **fields: Any) -> Row:
    return {
        "app_slug": "code-crab",
        "app_name": "Code Crab",
        "turn_range": "1-turn",
        "model_permaslug": f"a/m{number}",
        "median_session_cost_usd": number / 1000,
        **fields,
    }


def sessions(*bad: Row, **meta: Any) -> Any:
    """Forty good rows and then the bad ones."""
    return {"data": [*(session(number) for number in range(40)), *bad], "meta": meta}


class TestSessions:
    def test_every_median_is_kept_as_written(self) -> None:
        answer = parsed("openrouter-sessions")
        frame = answer.frames["session"]
        assert answer.rows == frame.height == 14
        assert not any(answer.refused.values())
        assert answer.whole == frozenset()
        assert not answer.follow
        columns = ["app", "app_name", "turns", "model", "median_usd"]
        sonnet = "anthropic/claude-4.6-sonnet-20260217"
        crab = ("code-crab", "Code Crab")
        assert frame.select(columns).rows()[:4] == [
            (*crab, "1-turn", sonnet, Decimal("0.03219995")),
            (*crab, "2-9-turns", sonnet, Decimal("0.21")),
            (*crab, "10-49-turns", sonnet, Decimal("1.74")),
            (*crab, "50-plus-turns", sonnet, Decimal(12)),
        ]
        assert frame["median_usd"].to_list()[9] == Decimal("0.3")  # stated as 0.30000000000000004
        assert frame["median_usd"].to_list()[13] == 0  # stated: a free model

    def test_every_row_says_what_it_is(self) -> None:
        frame = parsed("openrouter-sessions").frames["session"]
        columns = ["feed", "period", "window_days", "as_of", "observed_at"]
        assert frame.select(columns).unique().rows() == [
            ("openrouter-sessions", date(2026, 8, 16), 30, FIXTURE_NOW, FIXTURE_NOW)
        ]

    @pytest.mark.parametrize(
        ("meta", "last", "as_of"),
        [
            (
                {"as_of": "2026-08-12T00:30:00+02:00", "window_end_date": None},
                date(2026, 8, 10),
                datetime(2026, 8, 11, 22, 30, tzinfo=UTC),
            ),
            ({}, date(2026, 8, 16), FIXTURE_NOW),
        ],
    )
    def test_a_window_that_is_not_stated(
        self, meta: dict[str, Any], last: date, as_of: datetime
    ) -> None:
        frame = parse("openrouter-sessions", sessions(**meta)).frames["session"]
        assert frame.select("period", "window_days", "as_of").unique().rows() == [
            (last, None, as_of)
        ]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("as_of", "yesterday"),
            ("as_of", "0001-01-01T00:00:00Z"),  # a time, but without a day before
            ("as_of", "0001-01-01T00:00+23:00"),
            ("window_end_date", "2026-02-30"),
            ("window_days", "30"),
        ],
    )
    def test_an_impossible_window_names_the_field(self, field: str, value: str) -> None:
        with pytest.raises(FeedError, match=rf"meta\.{field}"):
            parse("openrouter-sessions", sessions(**{field: value}))

    @pytest.mark.parametrize(
        ("median", "rule"),
        [
            (1000.01, "above the bound"),
            (-0.01, "negative"),
            ("NaN", "not a number"),
            (1e-13, "below the bound"),
            (None, SHAPE),
            ("dear", SHAPE),
        ],
    )
    def test_an_impossible_median_costs_its_row_only(self, median: Any, rule: str) -> None:
        answer = parse("openrouter-sessions", sessions(session(99, median_session_cost_usd=median)))
        assert answer.rows == 41
        assert dict(answer.refused) == {rule: 1}
        frame = answer.frames["session"]
        assert frame["model"].to_list() == [f"a/m{number}" for number in range(40)]

    def test_a_thousand_dollars_are_within_the_bound(self) -> None:
        answer = parse("openrouter-sessions", sessions(session(99, median_session_cost_usd=1000)))
        assert answer.frames["session"]["median_usd"].max() == 1000

    def test_many_impossible_medians_refuse_the_answer(self) -> None:
        dear = [session(50 + n, median_session_cost_usd=2000) for n in range(5)]
        with pytest.raises(FeedError, match=r"5 of 45 prices cannot be right.* row 41"):
            parse("openrouter-sessions", sessions(*dear))

    @pytest.mark.parametrize("field", list(session(0)))
    def test_a_field_missing_in_one_row_costs_that_row(self, field: str) -> None:
        row = session(99)
        del row[field]
        answer = parse("openrouter-sessions", sessions(row))
        assert dict(answer.refused) == {SHAPE: 1}
        assert answer.frames["session"].height == 40

    @pytest.mark.parametrize("field", list(session(0)))
    def test_a_field_missing_in_many_rows_is_named(self, field: str) -> None:
        payload = sessions()
        for row in payload["data"][::5]:
            del row[field]
        with pytest.raises(FeedError, match=f"8 of 40 rows .* {field} of row 1 is missing"):
            parse("openrouter-sessions", payload)

    def test_a_cell_twice_is_a_fault(self) -> None:
        with pytest.raises(FeedError, match="code-crab / 1-turn / a/m3' stands twice"):
            parse("openrouter-sessions", sessions(session(3, median_session_cost_usd=7)))

    def test_a_later_page_may_be_empty_the_first_may_not(self) -> None:
        body = json.dumps({"data": [], "meta": {}}).encode()
        answer = openrouter_sessions.parse(body, FIXTURE_NOW, offset=500)
        assert (answer.rows, answer.frames["session"].height) == (0, 0)
        assert not answer.follow
        with pytest.raises(FeedError, match="no rows"):
            openrouter_sessions.parse(body, FIXTURE_NOW)

    def test_bad_rows_of_a_later_page_are_counted_from_the_first(self) -> None:
        body = json.dumps({"data": [{}]}).encode()
        with pytest.raises(FeedError, match="the first: app_slug of row 1001 is missing"):
            openrouter_sessions.parse(body, FIXTURE_NOW, offset=1000)

    @pytest.mark.parametrize(
        ("stated", "reached", "offsets"),
        [
            (499, 499, [0]),
            (500, 500, [0, 500]),  # a full page: only the next one tells that it was the last
            (1203, 1203, [0, 500, 1000]),
            (6000, 5500, list(range(0, 5001, 500))),  # no more can be reached
        ],
    )
    def test_pages_are_followed_over_http(
        self, stated: int, reached: int, offsets: list[int]
    ) -> None:
        waiting = list(openrouter_sessions.FEED.plan(FIXTURE_NOW, []))
        answers = []
        with playing(ManySessions(stated)) as (server, client):
            while waiting:
                request = waiting.pop(0)
                # "Unchanged" would say nothing of the pages behind it.
                assert not request.conditional
                answers.append(asked(client, request))
                waiting.extend(answers[-1].follow)
        assert [one.query for one in server.requests] == [
            {"limit": "500", "offset": str(offset)} for offset in offsets
        ]
        frame = pl.concat(answer.frames["session"] for answer in answers)
        assert frame["model"].to_list() == [f"a/m{number}" for number in range(reached)]
        assert frame["median_usd"].to_list() == [Decimal(n) / 1000 for n in range(reached)]
        assert sum(answer.rows for answer in answers) == reached

    def test_the_fixture_over_http(self) -> None:
        (request,) = openrouter_sessions.FEED.plan(FIXTURE_NOW, [])
        frame = parsed("openrouter-sessions").frames["session"]
        with playing() as (_, client):
            assert asked(client, request).frames["session"].equals(frame)
