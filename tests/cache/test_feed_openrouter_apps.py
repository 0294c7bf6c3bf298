"""openrouter-apps: from the fixture and from the recording, also over HTTP."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds import openrouter_apps
from tests.cache.openrouter_data import asked, fixture, parse, parsed, playing
from tests.feedserver import FIXTURE_NOW, RecordedBodies


class TestApps:
    def test_tokens_and_requests_of_every_app(self) -> None:
        answer = parsed("openrouter-apps")
        usage = answer.frames["usage"]
        stored = {(row["entity"], row["metric"]): row["value"] for row in usage.to_dicts()}
        assert stored == {
            ("101", "tokens"): 2_000_000_000_000,
            ("101", "requests"): 20_000_000,
            ("102", "tokens"): 1_000_000_000_000,
            ("102", "requests"): 8_000_000,
            ("103", "tokens"): 400_000_000_000,
            ("103", "requests"): 10_000_000,
            ("104", "tokens"): 100_000_000_000,
            ("104", "requests"): 1_000_000,
        }
        assert answer.rows == usage["entity"].n_unique() == 4
        assert not any(answer.refused.values())
        assert answer.whole is None  # an app that is not listed any more is withdrawn

    def test_every_row_says_what_it_is(self) -> None:
        usage = parsed("openrouter-apps").frames["usage"]
        columns = ["feed", "kind", "grain", "period", "share", "scope", "as_of", "observed_at"]
        assert usage.select(columns).unique().rows() == [
            (
                "openrouter-apps",
                "app",
                "rolling30",
                date(2026, 7, 18),
                None,
                "top 100 apps",
                FIXTURE_NOW,
                FIXTURE_NOW,
            )
        ]

    def test_names_go_to_the_catalogue_verbatim(self) -> None:
        catalog = parsed("openrouter-apps").frames["catalog"]
        assert catalog.select("feed", "model", "name").rows() == [
            ("openrouter-apps", "101", "Code Crab"),
            ("openrouter-apps", "102", "Hermes Agent"),
            ("openrouter-apps", "103", "聊天 Chat"),
            ("openrouter-apps", "104", 'IDE "Quoted" [beta]'),
        ]
        unknown = ["usage_slug", "created", "context_length", "open_weights", "expires"]
        assert catalog.select(unknown).unique().rows() == [(None,) * len(unknown)]

    def test_the_period_is_what_the_answer_states(self) -> None:
        answer = parse("openrouter-apps", apps(start_date="2026-07-17", end_date="2026-08-15"))
        assert answer.frames["usage"]["period"].unique().to_list() == [date(2026, 7, 17)]

    def test_without_a_meta_block_it_is_what_was_asked(self) -> None:
        payload = apps()
        del payload["meta"]
        usage = parse("openrouter-apps", payload).frames["usage"]
        assert usage.select("period", "as_of").unique().rows() == [(date(2026, 7, 18), FIXTURE_NOW)]

    @pytest.mark.parametrize("first", ["2026-07-17", "2026-07-19", "2026-09-01"])
    def test_another_window_is_refused(self, first: str) -> None:
        with pytest.raises(FeedError, match=f"about {first} to 2026-08-16, expected 30 days"):
            parse("openrouter-apps", apps(start_date=first, end_date="2026-08-16"))

    @pytest.mark.parametrize("tokens", ["", "1.5", "-3", "1e9", "1_000", " 7", "٣", "1" * 19])
    def test_what_is_no_count_refuses_the_answer(self, tokens: str) -> None:
        payload = apps()
        payload["data"][0]["total_tokens"] = tokens
        with pytest.raises(FeedError, match=r"total_tokens of app 7 is .*expected a whole number"):
            parse("openrouter-apps", payload)

    def test_tokens_are_exact_beyond_what_a_float_holds(self) -> None:
        payload = apps()
        payload["data"][0]["total_tokens"] = "9007199254740993"
        payload["data"][0]["total_requests"] = 10**9
        usage = parse("openrouter-apps", payload).frames["usage"]
        assert 9_007_199_254_740_993 in usage["value"].to_list()

    @pytest.mark.parametrize(
        ("tokens", "requests", "good"),
        [
            (3 * 10**8, 3, True),
            (3 * 10**8 + 1, 3, False),
            (10**12, 0, True),  # nothing to hold it against
        ],
    )
    def test_more_tokens_than_the_requests_can_hold_refuse_the_answer(
        self, tokens: int, requests: int, good: bool
    ) -> None:
        payload = apps()
        payload["data"][0] |= {"total_tokens": str(tokens), "total_requests": requests}
        if good:
            assert parse("openrouter-apps", payload).rows == 1
        else:
            with pytest.raises(FeedError, match="total_tokens of app 7 is 300000001"):
                parse("openrouter-apps", payload)

    @pytest.mark.parametrize("field", ["app_id", "app_name", "total_tokens", "total_requests"])
    def test_a_missing_or_retyped_field_is_named(self, field: str) -> None:
        payload = fixture("openrouter-apps")
        payload["data"][2][field] = None
        with pytest.raises(FeedError, match=field):
            parse("openrouter-apps", payload)
        del payload["data"][2][field]
        with pytest.raises(FeedError, match=field):
            parse("openrouter-apps", payload)

    def test_an_app_twice_is_a_fault(self) -> None:
        payload = apps()
        payload["data"] *= 2
        with pytest.raises(FeedError, match="app 7 stands twice"):
            parse("openrouter-apps", payload)

    @pytest.mark.parametrize(
        ("now", "first", "last"),
        [
            (datetime(2026, 8, 17, 0, 0, tzinfo=UTC), "2026-07-18", "2026-08-16"),
            (datetime(2026, 8, 17, 23, 59, tzinfo=UTC), "2026-07-18", "2026-08-16"),
            (  # still the 16th by UTC
                datetime(2026, 8, 17, 7, 59, tzinfo=timezone(timedelta(hours=8))),
                "2026-07-17",
                "2026-08-15",
            ),
            (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-01-30", "2026-02-28"),
        ],
    )
    def test_it_asks_for_the_last_thirty_complete_days(
        self, now: datetime, first: str, last: str
    ) -> None:
        (request,) = openrouter_apps.FEED.plan(now, [])
        query = dict(httpx.URL(request.path).params)
        assert query == {"limit": "100", "start_date": first, "end_date": last}

    def test_over_http(self) -> None:
        (request,) = openrouter_apps.FEED.plan(FIXTURE_NOW, [])
        with playing() as (_, client):
            answer = asked(client, request)
        assert not answer.follow
        for name, frame in parsed("openrouter-apps").frames.items():
            assert answer.frames[name].equals(frame)

    def test_the_recording_over_http_to_the_token(self, recordings: Path) -> None:
        now = datetime(2026, 8, 22, 2, 5, tzinfo=UTC)
        (path,) = (recordings / "usage/openrouter-data-api").glob("*app-rankings.*.json")
        raw = json.loads(path.read_text(encoding="utf-8"))["apps_raw"]
        (request,) = openrouter_apps.FEED.plan(now, [])
        with playing(RecordedBodies(recordings, lambda: now), now) as (_, client):
            answer = asked(client, request)
        usage = answer.frames["usage"]
        assert answer.rows == len(raw) == usage["entity"].n_unique() == 50
        assert not any(answer.refused.values())
        assert set(usage.select("period", "as_of").iter_rows()) == {(date(2026, 7, 23), now)}
        stored = {(row["entity"], row["metric"]): row["value"] for row in usage.to_dicts()}
        expected = {(str(row["app_id"]), "tokens"): int(row["total_tokens"]) for row in raw}
        expected |= {(str(row["app_id"]), "requests"): row["total_requests"] for row in raw}
        assert stored == expected
        names = dict(answer.frames["catalog"].select("model", "name").iter_rows())
        assert names == {str(row["app_id"]): row["app_name"] for row in raw}


def apps(**meta: Any) -> Any:
    """One app."""
    row = {
        "rank": 1,
        "app_id": 7,
        "app_name": "Seven",
        "total_tokens": "500",
        "total_requests": 5,
    }
    return {"data": [row], "meta": meta}
