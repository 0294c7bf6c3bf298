"""The map of model ids: exact joins, no false ones, and an answer to what people type."""

import csv
import importlib
import json
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.identity import (
    AmbiguousModel,
    Identity,
    UnknownModel,
    load_identity,
    split_variant,
)
from qwenwatch_cache.vendors import load_vendors

SCRIPT = Path(__file__).parents[2] / "cache" / "scripts" / "make_identity.py"
TABLE = files("qwenwatch_cache").joinpath("identity.csv")

SMALL = Identity(
    [
        ("anthropic/claude-opus-4-6", "openrouter-models", "anthropic/claude-opus-4.6"),
        ("anthropic/claude-opus-4-6", "openrouter-rankings", "anthropic/claude-4.6-opus-20260205"),
        ("anthropic/claude-opus-4-6", "vercel-leaderboard", "Claude Opus 4.6"),
        ("alibaba/qwen3-max", "openrouter-models", "qwen/qwen3-max"),
        ("alibaba/qwen3-max", "models-dev", "alibaba/qwen3-max"),
        ("alibaba/qwen3-max", "models-dev", "alibaba-cn/qwen3-max"),
        ("alibaba/qwen3-max-thinking", "openrouter-models", "qwen/qwen3-max-thinking"),
    ]
)


class TestTable:
    def test_columns_order_and_no_duplicates(self) -> None:
        header, *rows = csv.reader(TABLE.read_text(encoding="utf-8").splitlines())
        assert header == ["canonical", "feed", "id", "source"]
        assert rows == sorted(rows)
        assert [key for key, n in Counter((r[1], r[2]) for r in rows).items() if n > 1] == []
        assert {r[1] for r in rows} == {
            "alibaba-list",
            "huggingface",
            "litellm",
            "openrouter-models",
            "openrouter-rankings",
            "models-dev",
            "vercel-leaderboard",
        }

    def test_canonical_ids_are_lower_case_and_of_a_vendor(self) -> None:
        _, *rows = csv.reader(TABLE.read_text(encoding="utf-8").splitlines())
        wrong = {
            canonical
            for canonical, *_ in rows
            if canonical != canonical.lower()
            or canonical.count("/") != 1
            or load_vendors().get(canonical.partition("/")[0]) is None
        }
        assert wrong == set()

    def test_no_variants_aliases_routers_or_cloaked_models(self) -> None:
        _, *rows = csv.reader(TABLE.read_text(encoding="utf-8").splitlines())
        ids = [model for _, feed, model, _ in rows if feed.startswith("openrouter")]
        assert [i for i in ids if ":" in i or i.startswith(("~", "openrouter/", "stealth/"))] == []


class TestJoins:
    @pytest.mark.parametrize(
        ("canonical", "feed", "model"),
        [
            ("alibaba/qwen3-max", "openrouter-models", "qwen/qwen3-max"),
            ("alibaba/qwen3-max", "models-dev", "alibaba-cn/qwen3-max"),
            ("zhipuai/glm-5", "openrouter-models", "z-ai/glm-5"),
            ("zhipuai/glm-5", "openrouter-rankings", "z-ai/glm-5-20260211"),
            ("zhipuai/glm-5", "models-dev", "zai/glm-5"),
            ("zhipuai/glm-5", "models-dev", "zhipuai/glm-5"),
            ("minimax/minimax-m2.5", "openrouter-models", "minimax/minimax-m2.5"),
            ("minimax/minimax-m2.5", "models-dev", "minimax/MiniMax-M2.5"),
            ("anthropic/claude-opus-4-6", "openrouter-models", "anthropic/claude-opus-4.6"),
            ("anthropic/claude-opus-4-6", "models-dev", "anthropic/claude-opus-4-6"),
            ("anthropic/claude-opus-4-6", "vercel-leaderboard", "Claude Opus 4.6"),
            (
                "anthropic/claude-sonnet-4-6",
                "openrouter-rankings",
                "anthropic/claude-4.6-sonnet-20260217",
            ),
            ("moonshotai/kimi-k2.5", "openrouter-rankings", "moonshotai/kimi-k2.5-0127"),
            ("openai/gpt-4", "models-dev", "openai/gpt-4"),
            ("deepseek/deepseek-v4-flash", "models-dev", "deepseek/deepseek-v4-flash"),
            ("google/gemini-2.5-pro", "models-dev", "google/gemini-2.5-pro"),
            ("xai/grok-4.3", "openrouter-models", "x-ai/grok-4.3"),
            ("alibaba/qwen3-max", "litellm", "dashscope/qwen3-max"),
            ("zhipuai/glm-5", "litellm", "zai/glm-5"),
            ("minimax/minimax-m2.5", "litellm", "minimax/MiniMax-M2.5"),
            ("anthropic/claude-opus-4-6", "litellm", "claude-opus-4-6"),
            ("openai/gpt-4", "litellm", "gpt-4"),
            ("deepseek/deepseek-v4-pro", "litellm", "deepseek/deepseek-v4-pro"),
            ("google/gemini-2.5-pro", "litellm", "gemini/gemini-2.5-pro"),
            ("moonshotai/kimi-k2.5", "litellm", "moonshot/kimi-k2.5"),
            ("amazon/nova-pro-v1", "litellm", "amazon-nova/nova-pro-v1"),
            ("anthropic/claude-opus-5", "litellm", "claude-opus-5"),
        ],
    )
    def test_same_model(self, canonical: str, feed: str, model: str) -> None:
        assert load_identity().canonical(feed, model) == canonical
        assert model in load_identity().ids(canonical)[feed]

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (("openrouter-models", "openai/gpt-4o-2024-05-13"), ("models-dev", "openai/gpt-4o")),
            (
                ("openrouter-models", "mistralai/mistral-large"),
                ("models-dev", "mistral/mistral-large-latest"),
            ),
            (
                ("openrouter-models", "google/gemini-2.5-flash-image"),
                ("models-dev", "google/gemini-2.5-flash"),
            ),
            (
                ("openrouter-models", "qwen/qwen3.5-plus-20260420"),
                ("models-dev", "alibaba/qwen3.5-plus"),
            ),
            (
                ("openrouter-models", "qwen/qwen3.5-plus-02-15"),
                ("openrouter-models", "qwen/qwen3.5-plus-20260420"),
            ),
            (
                ("openrouter-models", "openai/gpt-3.5-turbo-instruct"),
                ("models-dev", "openai/gpt-3.5-turbo"),
            ),
            (
                ("openrouter-rankings", "deepseek/deepseek-v4-flash-20260731"),
                ("openrouter-rankings", "deepseek/deepseek-v4-flash-20260423"),
            ),
            (
                ("models-dev", "moonshotai/kimi-k2.7-code-highspeed"),
                ("models-dev", "moonshotai/kimi-k2.7-code"),
            ),
            (("litellm", "gpt-4o-2024-05-13"), ("litellm", "gpt-4o")),
            (
                ("litellm", "mistral/mistral-large-latest"),
                ("litellm", "mistral/mistral-large-2512"),
            ),
            (("litellm", "gemini/gemini-2.5-flash-image"), ("litellm", "gemini/gemini-2.5-flash")),
            (("litellm", "gpt-3.5-turbo-instruct"), ("litellm", "gpt-3.5-turbo")),
            (("litellm", "dashscope/qwen-plus-2025-07-28"), ("litellm", "dashscope/qwen-plus")),
            (("litellm", "claude-haiku-4-5-20251001"), ("litellm", "claude-haiku-4-5")),
            (
                ("litellm", "mistral/mistral-large-latest"),
                ("openrouter-models", "mistralai/mistral-large"),
            ),
        ],
    )
    def test_not_the_same_model(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        first, second = load_identity().canonical(*one), load_identity().canonical(*other)
        assert first is not None
        assert second is not None
        assert first != second

    def test_an_alias_that_moves_is_not_the_model_it_once_was(self) -> None:
        assert load_identity().canonical("models-dev", "deepseek/deepseek-chat") is None
        assert load_identity().canonical("openrouter-models", "deepseek/deepseek-chat") is not None

    def test_a_host_does_not_make_a_model_its_own(self) -> None:
        assert load_identity().canonical("models-dev", "alibaba-cn/glm-5") == "zhipuai/glm-5"
        assert load_identity().canonical("models-dev", "alibaba-cn/deepseek-v3") is None

    def test_no_provider_sells_a_model_under_two_ids(self) -> None:
        _, *rows = csv.reader(TABLE.read_text(encoding="utf-8").splitlines())
        sold = Counter(
            (canonical, model.partition("/")[0])
            for canonical, feed, model, _ in rows
            if feed == "models-dev"
        )
        assert [key for key, n in sold.items() if n > 1] == []


class TestLiteLLM:
    def test_it_joins_models_by_an_exact_id_and_adds_none(self) -> None:
        _, *rows = csv.reader(TABLE.read_text(encoding="utf-8").splitlines())
        ids_of: dict[str, set[str]] = {}
        for canonical, feed, model, _ in rows:
            if feed != "litellm":
                ids_of.setdefault(canonical, {canonical}).add(model)
        keys = [(canonical, model) for canonical, feed, model, _ in rows if feed == "litellm"]
        assert len(keys) > 300
        for canonical, key in keys:
            halves = {each.rpartition("/")[2].lower() for each in ids_of[canonical]}
            assert key.rpartition("/")[2].lower() in halves, key

    def test_no_model_has_two_keys_of_one_provider(self) -> None:
        for canonical in {r[0] for r in csv.reader(TABLE.read_text("utf-8").splitlines()[1:])}:
            keys = load_identity().ids(canonical).get("litellm", ())
            assert len(keys) <= 1, canonical

    @pytest.mark.parametrize(
        "key",
        [
            "mistral/mistral-medium",
            "mistral/mistral-small",
            "command-r",
            "command-r-plus",
            "deepseek/deepseek-chat",
        ],
    )
    def test_an_alias_that_moves_is_not_the_model_it_once_was(self, key: str) -> None:
        """OpenRouter's id of that name stands for one model, at another price."""
        assert load_identity().canonical("litellm", key) is None

    @pytest.mark.parametrize(
        "key",
        [
            "claude-opus-4-6-20260205",
            "dashscope/glm-5.1",
            "deepseek-v4-pro",
            "ft:gpt-4o-2024-08-06",
            "azure/gpt-4",
            "openrouter/openai/gpt-4",
        ],
    )
    def test_dates_makers_and_routes_are_not_stripped(self, key: str) -> None:
        assert load_identity().canonical("litellm", key) is None


class TestCanonical:
    def test_a_variant_belongs_to_its_base(self) -> None:
        assert SMALL.canonical("openrouter-models", "qwen/qwen3-max:free") == "alibaba/qwen3-max"

    @pytest.mark.parametrize(
        ("feed", "model"),
        [
            ("openrouter-models", "Qwen/Qwen3-Max"),
            ("models-dev", "qwen/qwen3-max"),
            ("openrouter-rankings", "qwen/qwen3-max"),
            ("models-dev", "alibaba/qwen3-max:free"),
            ("no-such-feed", "qwen/qwen3-max"),
            ("openrouter-rankings", "other"),
        ],
    )
    def test_nothing_but_an_exact_id_matches(self, feed: str, model: str) -> None:
        assert SMALL.canonical(feed, model) is None

    def test_an_id_that_stands_for_two_models_is_refused(self) -> None:
        with pytest.raises(ValueError, match="'a/x' and 'a/y'"):
            Identity([("a/x", "models-dev", "p/x"), ("a/y", "models-dev", "p/x")])

    def test_ids_of_a_model_and_of_none(self) -> None:
        assert SMALL.ids("alibaba/qwen3-max") == {
            "openrouter-models": ("qwen/qwen3-max",),
            "models-dev": ("alibaba/qwen3-max", "alibaba-cn/qwen3-max"),
        }
        assert SMALL.ids("nobody/nothing") == {}


class TestResolve:
    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("alibaba/qwen3-max", "alibaba/qwen3-max"),
            ("qwen/qwen3-max", "alibaba/qwen3-max"),
            ("alibaba-cn/qwen3-max", "alibaba/qwen3-max"),
            ("qwen/qwen3-max:free", "alibaba/qwen3-max"),
            ("qwen3-max", "alibaba/qwen3-max"),
            (" Qwen3-Max ", "alibaba/qwen3-max"),
            ("claude-opus-4.6", "anthropic/claude-opus-4-6"),
            ("anthropic/claude-4.6-opus-20260205", "anthropic/claude-opus-4-6"),
            ("Claude Opus 4.6", "anthropic/claude-opus-4-6"),
            ("opus", "anthropic/claude-opus-4-6"),
            ("max-thinking", "alibaba/qwen3-max-thinking"),
        ],
    )
    def test_finds_what_people_type(self, text: str, canonical: str) -> None:
        assert SMALL.resolve(text) == canonical

    def test_several_matches_are_listed(self) -> None:
        with pytest.raises(AmbiguousModel) as caught:
            SMALL.resolve("qwen")
        assert caught.value.candidates == ("alibaba/qwen3-max", "alibaba/qwen3-max-thinking")
        assert str(caught.value) == (
            "'qwen' fits 2 models: alibaba/qwen3-max, alibaba/qwen3-max-thinking. "
            "Give one of these ids."
        )

    def test_a_long_list_is_cut_in_the_message_only(self) -> None:
        with pytest.raises(AmbiguousModel, match=r" and \d+ more\.") as caught:
            load_identity().resolve("gpt")
        assert len(caught.value.candidates) > 50

    @pytest.mark.parametrize("text", ["no-such-model", "", "  "])
    def test_no_match_says_so(self, text: str) -> None:
        with pytest.raises(UnknownModel, match="No model is called"):
            SMALL.resolve(text)

    @pytest.mark.parametrize("error", [AmbiguousModel, UnknownModel])
    def test_errors_are_lookup_errors_for_people(self, error: type[Exception]) -> None:
        assert issubclass(error, LookupError)
        assert issubclass(error, QwenwatchError)

    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("qwen3-max", "alibaba/qwen3-max"),
            ("glm-5", "zhipuai/glm-5"),
            ("minimax-m2.5", "minimax/minimax-m2.5"),
            ("claude-opus-4.6", "anthropic/claude-opus-4-6"),
            ("gpt-4", "openai/gpt-4"),
        ],
    )
    def test_models_people_compare(self, text: str, canonical: str) -> None:
        assert load_identity().resolve(text) == canonical


def test_split_variant() -> None:
    assert split_variant("x/y:free") == ("x/y", "free")
    assert split_variant("x/y") == ("x/y", "")


class TestRecordings:
    def test_the_script_makes_the_table_that_is_committed(
        self, recordings: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.syspath_prepend(SCRIPT.parent)
        text, _ = importlib.import_module(SCRIPT.stem).make(recordings)
        assert text == TABLE.read_text(encoding="utf-8")

    def test_every_token_of_a_known_vendor_is_mapped(self, recordings: Path) -> None:
        folder = recordings / "usage/openrouter-data-api"
        days = json.loads(next(folder.glob("casualstudy.*.json")).read_bytes())
        slugs = {slug for day in days.values() for slug in day}
        unmapped = {s for s in slugs if load_identity().canonical("openrouter-rankings", s) is None}
        assert unmapped == {"other", "openrouter/owl-alpha", "stealth/ox-alpha"}

    def test_a_mapped_slug_keeps_its_vendor(self, recordings: Path) -> None:
        folder = recordings / "usage/openrouter-data-api"
        days = json.loads(next(folder.glob("casualstudy.*.json")).read_bytes())
        for slug in {slug for day in days.values() for slug in day}:
            if canonical := load_identity().canonical("openrouter-rankings", slug):
                vendor = load_vendors().by_alias("openrouter", slug.partition("/")[0])
                assert vendor is not None
                assert canonical.partition("/")[0] == vendor.id
