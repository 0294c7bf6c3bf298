"""openrouter-tasks, on hand-written bodies in the documented shape: none is recorded."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds import openrouter_tasks
from tests.cache.openrouter_data import asked, fixture, parse, parsed, playing
from tests.feedserver import FIXTURE_NOW

CATEGORIES = "category totals, sums of their tasks"


class TestTasks:
    def test_every_entry_is_kept_or_a_category(self) -> None:
        answer = parsed("openrouter-tasks")
        frame = answer.frames["task"]
        # Four tasks, 3 + 0 + 2 + 1 models, four categories.
        assert answer.rows == 4 + 6 + 4
        assert frame.height == 2 * (4 + 6)
        assert dict(answer.refused) == {CATEGORIES: 4}

    def test_shares_of_tasks_are_of_everything(self) -> None:
        frame = parsed("openrouter-tasks").frames["task"]
        tasks = frame.filter(pl.col("model") == "")
        assert tasks.select("task", "metric", "share").rows() == [
            ("code:general_impl", "requests", 0.4),
            ("code:general_impl", "tokens", 0.5),
            ("general:chat", "requests", 0.3),
            ("general:chat", "tokens", 0.1),
            ("agent:web_search", "requests", 0.2),
            ("agent:web_search", "tokens", 0.1),
            ("code:debugging", "requests", 0.1),
            ("code:debugging", "tokens", 0.3),
        ]
        named = set(tasks.select("task", "task_name", "category").iter_rows())
        assert ("agent:web_search", "Web Search", "agent") in named

    def test_shares_of_models_are_of_their_task(self) -> None:
        frame = parsed("openrouter-tasks").frames["task"]
        models = frame.filter((pl.col("task") == "code:general_impl") & (pl.col("model") != ""))
        assert models.select("model", "metric", "share").rows() == [
            ("anthropic/claude-4.6-sonnet-20260217", "requests", 0.3),
            ("anthropic/claude-4.6-sonnet-20260217", "tokens", 0.35),
            ("deepseek/deepseek-v4-flash-20260423", "requests", 0.25),
            ("deepseek/deepseek-v4-flash-20260423", "tokens", 0.4),
            ("qwen/qwen3-max", "requests", 0.2),
            ("qwen/qwen3-max", "tokens", 0.05),
        ]

    def test_every_row_says_what_it_is(self) -> None:
        frame = parsed("openrouter-tasks").frames["task"]
        columns = ["feed", "period", "window_days", "as_of", "observed_at"]
        assert frame.select(columns).unique().rows() == [
            (
                "openrouter-tasks",
                date(2026, 8, 16),
                7,
                datetime(2026, 8, 16, tzinfo=UTC),
                FIXTURE_NOW,
            )
        ]

    def test_noise_of_floats_above_one_is_one(self) -> None:
        frame = parsed("openrouter-tasks").frames["task"]
        assert fixture("openrouter-tasks")["data"]["classifications"][3]["models"][0][
            "tag_token_share"
        ] == pytest.approx(1, abs=1e-15)
        assert frame["share"].max() == 1

    @pytest.mark.parametrize("share", [-0.01, 1.01, 55, 1e300])
    @pytest.mark.parametrize("field", ["usage_share", "token_share"])
    def test_a_share_that_cannot_be_refuses_the_answer(self, field: str, share: float) -> None:
        metric = "requests" if field == "usage_share" else "tokens"
        payload = fixture("openrouter-tasks")
        payload["data"]["classifications"][2][field] = share
        with pytest.raises(FeedError, match=f"share of {metric} of 'agent:web_search' is"):
            parse("openrouter-tasks", payload)
        payload = fixture("openrouter-tasks")
        payload["data"]["classifications"][2]["models"][1][f"tag_{field}"] = share
        with pytest.raises(FeedError, match=f"share of {metric} of 'qwen/qwen3-max' is"):
            parse("openrouter-tasks", payload)

    def test_shares_above_their_total_refuse_the_answer(self) -> None:
        payload = fixture("openrouter-tasks")
        payload["data"]["classifications"][0]["token_share"] = 0.55
        with pytest.raises(FeedError, match=r"shares of tokens of 'all tasks' add up to 1\.050"):
            parse("openrouter-tasks", payload)
        payload = fixture("openrouter-tasks")
        payload["data"]["classifications"][2]["models"][1]["tag_usage_share"] = 0.425
        with pytest.raises(FeedError, match=r"requests of 'agent:web_search' add up to 1\.050"):
            parse("openrouter-tasks", payload)

    def test_a_task_or_a_model_twice_is_a_fault(self) -> None:
        payload = fixture("openrouter-tasks")
        payload["data"]["classifications"].append(payload["data"]["classifications"][1])
        with pytest.raises(FeedError, match="'general:chat' stands twice"):
            parse("openrouter-tasks", payload)
        payload = fixture("openrouter-tasks")
        models = payload["data"]["classifications"][2]["models"]
        models.append(models[1])
        with pytest.raises(FeedError, match="'qwen/qwen3-max' stands twice"):
            parse("openrouter-tasks", payload)

    def test_no_tasks_are_a_fault(self) -> None:
        payload = fixture("openrouter-tasks")
        payload["data"]["classifications"] = []
        with pytest.raises(FeedError, match="no tasks"):
            parse("openrouter-tasks", payload)

    @pytest.mark.parametrize("as_of", ["", "last week", "2026-02-30"])
    def test_an_impossible_day_names_the_field(self, as_of: str) -> None:
        payload = fixture("openrouter-tasks")
        payload["data"]["as_of"] = as_of
        with pytest.raises(FeedError, match=r"data\.as_of"):
            parse("openrouter-tasks", payload)

    @pytest.mark.parametrize(
        "field",
        ["tag", "display_name", "macro_category", "usage_share", "token_share", "models"],
    )
    def test_a_missing_or_retyped_field_is_named(self, field: str) -> None:
        payload = fixture("openrouter-tasks")
        payload["data"]["classifications"][2][field] = None
        with pytest.raises(FeedError, match=field):
            parse("openrouter-tasks", payload)
        del payload["data"]["classifications"][2][field]
        with pytest.raises(FeedError, match=field):
            parse("openrouter-tasks", payload)

    def test_what_is_not_read_may_be_missing_or_new(self) -> None:
        payload = fixture("openrouter-tasks")
        del payload["data"]["macro_categories"]
        del payload["data"]["window_days"]
        for task in payload["data"]["classifications"]:
            del task["category_usage_share"]
            task["trend"] = [1, 2]
        answer = parse("openrouter-tasks", payload)
        assert answer.rows == 10
        assert not any(answer.refused.values())
        assert answer.frames["task"]["window_days"].unique().to_list() == [None]

    def test_over_http(self) -> None:
        (request,) = openrouter_tasks.FEED.plan(FIXTURE_NOW, [])
        frame = parsed("openrouter-tasks").frames["task"]
        with playing() as (_, client):
            assert asked(client, request).frames["task"].equals(frame)
