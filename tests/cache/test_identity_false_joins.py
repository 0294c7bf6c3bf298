"""No two ids are taken for one model that are not: the whole map, in every feed.

Names that look alike are the trap: joined loosely (dates, "-latest", "-preview" and "-instruct"
stripped) the pairs below become one model.
"""

import csv
import re
from collections import defaultdict
from importlib.resources import files

import pytest

TABLE = files("qwenwatch_cache").joinpath("identity.csv")

WORDS = frozenset(
    [
        *("base", "chat", "code", "coder", "codex", "distill", "exp", "fast", "flash", "flashx"),
        *("free", "highspeed", "image", "instruct", "large", "latest", "lite", "max", "medium"),
        *("mini", "nano", "omni", "plus", "preview", "pro", "search", "small", "thinking", "tiny"),
        *("turbo", "vision", "vl"),
    ]
)
"""Words that tell one model of a vendor from another."""

ALIKE = {
    # Spelled so by the makers themselves; each with the one who says that it is the same model.
    "alibaba/qwen3-235b-a22b-2507": {"instruct"},  # OpenRouter's hugging_face_id
    "alibaba/qwen3-coder-480b-a35b-instruct": {"instruct"},  # OpenRouter's hugging_face_id
    "deepseek/deepseek-chat": {"chat"},  # OpenRouter's hugging_face_id, three times
    "deepseek/deepseek-chat-v3-0324": {"chat"},
    "deepseek/deepseek-chat-v3.1": {"chat"},
    "google/gemini-2.5-flash-image": {"code", "nano"},  # its code name is "Nano Banana"
    "google/gemini-3-pro-image": {"nano"},
    "google/gemini-3.1-flash-image-preview": {"nano"},
    "google/gemini-3-flash-preview": {"preview"},  # reviewed: there is no other Gemini 3 Flash
    "inception/mercury-coder": {"small"},  # one canonical_slug of OpenRouter
    "meta/llama-4-maverick": {"instruct"},  # OpenRouter's canonical_slug and hugging_face_id
    "meta/llama-4-scout": {"instruct"},
    "minimax/minimax-m2.5-highspeed": {"highspeed"},  # "High Speed"
    "minimax/minimax-m2.7-highspeed": {"highspeed"},
    "mistral/devstral-2512": {"instruct"},  # OpenRouter's hugging_face_id, five times
    "mistral/ministral-14b-2512": {"instruct"},
    "mistral/ministral-3b-2512": {"instruct"},
    "mistral/ministral-8b-2512": {"instruct"},
    "mistral/mistral-nemo": {"instruct"},
    "mistral/mistral-small-2506": {"instruct"},  # reviewed
    "moonshotai/kimi-k2-0711-preview": {"instruct", "preview"},  # reviewed
    "moonshotai/kimi-k2-0905-preview": {"instruct", "preview"},  # reviewed
    "moonshotai/kimi-k2.7-code-highspeed": {"highspeed"},  # "High Speed"
    "upstage/solar-pro3": {"pro"},  # reviewed: "pro3"
}


def names_of_models() -> dict[str, list[tuple[str, str]]]:
    """Canonical id -> all its names: (feed, id), the canonical id itself among them."""
    rows = csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines())
    names: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        names[row["canonical"]].append((row["feed"], row["id"]))
    for canonical, ids in names.items():
        ids.append(("canonical", canonical))
    return names


NAMES = names_of_models()


def half(name: str) -> str:
    """The name without vendor or provider; display names as ids are written."""
    return name.rpartition("/")[2].lower().replace(" ", "-")


def models_called(*halves: str) -> dict[str, set[str]]:
    """Feeds that have an id of one of these names -> the models it stands for there."""
    found: dict[str, set[str]] = defaultdict(set)
    for canonical, ids in NAMES.items():
        for feed, name in ids:
            if half(name) in halves:
                found[feed].add(canonical)
    return found


@pytest.mark.parametrize(
    ("dated", "plain", "least"),
    [
        # The pairs of the measured false joins, under the spellings of every feed.
        (["gpt-4o-2024-05-13"], ["gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-2024-11-20"], 3),
        (
            ["mistral-large", "mistral-large-2402"],
            ["mistral-large-latest", "mistral-large-2512"],
            1,
        ),
        (["mistral-large-2407"], ["mistral-large-2411", "mistral-large-latest"], 2),
        (["gemini-2.5-flash-image", "gemini-2.5-flash-image-preview"], ["gemini-2.5-flash"], 3),
        (["gemini-3-pro-image", "gemini-3-pro-image-preview"], ["gemini-3-pro-preview"], 2),
        (
            ["gemini-3.1-flash-image", "gemini-3.1-flash-image-preview"],
            ["gemini-3.1-flash-lite", "gemini-3.1-pro-preview"],
            2,
        ),
        (["qwen3.5-plus-20260420"], ["qwen3.5-plus", "qwen3.5-plus-02-15"], 1),
        (["gpt-3.5-turbo-instruct"], ["gpt-3.5-turbo", "gpt-3.5-turbo-0613"], 3),
        # Of the same kind.
        (["qwen3-max-preview", "qwen3-max-thinking"], ["qwen3-max"], 1),
        (["qwen-plus-2025-07-28"], ["qwen-plus"], 2),
        (["deepseek-r1-0528"], ["deepseek-r1"], 1),
        (["deepseek-v4-flash-0731"], ["deepseek-v4-flash"], 1),
        (["claude-haiku-4-5-20251001"], ["claude-haiku-4-5", "claude-haiku-4.5"], 2),
        (["devstral-small-2505"], ["devstral-small", "devstral-small-2507"], 2),
        (["mistral-7b-instruct-v0.3"], ["mistral-7b-instruct", "mistral-7b-instruct-v0.1"], 2),
        (["minimax-m2.5-highspeed"], ["minimax-m2.5"], 1),
        (["kimi-k2.7-code-highspeed"], ["kimi-k2.7-code"], 1),
        (["gpt-5.2-pro"], ["gpt-5.2", "gpt-5.2-chat", "gpt-5.2-codex"], 2),
        (["text-embedding-3-small"], ["text-embedding-3-large"], 2),
    ],
)
def test_a_pair_that_is_not_one_model_shares_no_canonical_id_in_any_feed(
    dated: list[str], plain: list[str], least: int
) -> None:
    one, other = models_called(*dated), models_called(*plain)
    feeds = (one.keys() & other.keys()) - {"canonical"}
    assert len(feeds) >= least, f"{dated} and {plain} are both only in {sorted(feeds)}"
    left, right = set().union(*one.values()), set().union(*other.values())
    assert left
    assert right
    assert left & right == set()


def test_the_pairs_would_be_found_if_they_were_joined() -> None:
    NAMES["openai/gpt-4o"].append(("models-dev", "openai/gpt-4o-2024-05-13"))
    try:
        left = set().union(*models_called("gpt-4o-2024-05-13").values())
        assert left & set().union(*models_called("gpt-4o").values()) == {"openai/gpt-4o"}
    finally:
        NAMES["openai/gpt-4o"].pop()


def test_no_model_has_ids_of_two_dates() -> None:
    whole = re.compile(r"(?<!\d)(20\d\d)-?([01]\d)-?([0-3]\d)(?!\d)")
    short = re.compile(r"(?<![\w.])(\d{4})(?![\w.])")  # 2507, 0324
    dated = 0
    for canonical, ids in NAMES.items():
        days = {"".join(found.groups()) for _, name in ids for found in whole.finditer(name)}
        releases = {found.group(1) for _, name in ids for found in short.finditer(name)}
        dated += bool(days)
        assert len(days) <= 1, canonical
        # "2024-05-13" is no release called 2024.
        assert len({each for each in releases if not each.startswith("202")}) <= 1, canonical
    assert dated > 200


def test_a_date_of_the_maker_is_dropped_only_where_somebody_says_so() -> None:
    """OpenRouter's usage slugs end in the day on which it took a model up; that is no release."""
    dropped = set()
    for canonical, ids in NAMES.items():
        stated = [bool(re.search(r"20\d\d-?[01]\d-?[0-3]\d", name)) for _, name in ids]
        makers = [feed for (feed, _), is_dated in zip(ids, stated, strict=True) if is_dated]
        if makers and not all(stated) and set(makers) != {"openrouter-rankings"}:
            dropped.add(canonical)
    # Anthropic released one Claude 3.7 Sonnet and one Claude 3 Haiku; both lines are reviewed.
    assert dropped == {"anthropic/claude-3-7-sonnet-20250219", "anthropic/claude-3-haiku-20240307"}


def test_ids_of_a_model_have_the_same_telling_words() -> None:
    differing: dict[str, set[str]] = defaultdict(set)
    for canonical, ids in NAMES.items():
        own = words(canonical)
        for _, name in ids:
            differing[canonical] |= own ^ words(name)
    assert {canonical: odd for canonical, odd in differing.items() if odd} == ALIKE


def words(name: str) -> set[str]:
    return set(re.split(r"[^a-z0-9.]+", name.rpartition("/")[2].lower())) & WORDS


def test_an_image_model_is_joined_with_image_models_only() -> None:
    for canonical, ids in NAMES.items():
        is_image = {"image" in name.lower() for _, name in ids}
        assert len(is_image) == 1, canonical


class TestHuggingFace:
    """Repositories are joined by OpenRouter's word alone."""

    def test_every_repository_is_one_model(self) -> None:
        owners = defaultdict(set)
        for canonical, ids in NAMES.items():
            for feed, name in ids:
                if feed == "huggingface":
                    owners[name].add(canonical)
        assert len(owners) > 280
        assert {name: models for name, models in owners.items() if len(models) > 1} == {}

    @pytest.mark.parametrize(
        ("repository", "canonical"),
        [
            ("Qwen/Qwen3-Coder-480B-A35B-Instruct", "alibaba/qwen3-coder-480b-a35b-instruct"),
            ("zai-org/GLM-5", "zhipuai/glm-5"),
            ("moonshotai/Kimi-K2-Instruct-0905", "moonshotai/kimi-k2-0905-preview"),
            # An id of OpenRouter moved on to a later release; the newest body counts.
            ("mistralai/Devstral-Small-2505", "mistral/devstral-small-2505"),
            ("mistralai/Devstral-Small-2507", "mistral/devstral-small"),
            # Two ids of OpenRouter name it; the one that moves with every release was left out.
            ("mistralai/Mistral-7B-Instruct-v0.3", "mistral/mistral-7b-instruct-v0.3"),
        ],
    )
    def test_a_repository_is_the_model_that_openrouter_says(
        self, repository: str, canonical: str
    ) -> None:
        assert ("huggingface", repository) in NAMES[canonical]

    @pytest.mark.parametrize(
        "repository",
        [
            "MiniMaxAI/MiniMax-Text-01",  # one half of what OpenRouter sells as minimax-01
            "FuseAI/FuseO1-DeepSeekR1-QwQ-SkyT1-32B-Preview",  # what another model was made from
        ],
    )
    def test_what_is_not_the_model_itself_is_left_out(self, repository: str) -> None:
        assert all(("huggingface", repository) not in ids for ids in NAMES.values())


class TestVercel:
    @pytest.mark.parametrize(
        "name",
        [
            # Aliases that move with every release, and a name that was cut out of a longer one.
            *("Mistral Large", "Mistral Small", "Ministral 8B", "Command R", "Command R+"),
            *("GPT 5.2", "GPT 5.2 "),
            # Its id says one model, its name another.
            *("Claude 3.5 Haiku", "Claude Opus 3"),
        ],
    )
    def test_ambiguous_names_are_left_out(self, name: str) -> None:
        assert all(("vercel-leaderboard", name) not in ids for ids in NAMES.values())
