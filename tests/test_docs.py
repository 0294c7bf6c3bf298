"""The documents say what the program does."""

import importlib.util
import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from qwenwatch.command_line import EXAMPLES, build_parser
from qwenwatch.commands.places import TEMPLATE
from qwenwatch.config import Config, load_config
from qwenwatch.exit_codes import ExitCode
from qwenwatch.keys import bindings
from qwenwatch.settings import feed_settings
from qwenwatch_cache import schedule
from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds import FEEDS, money, openrouter_data
from qwenwatch_cache.feeds.feed import Feed, Request
from qwenwatch_cache.frames import TABLES, USAGE_TABLE
from qwenwatch_cache.market import doubts, in_force
from qwenwatch_cache.store import Store, revisions

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEFINITIONS = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
FEEDS_PAGE = (ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")
FEED_FILES = sorted((ROOT / "cache/qwenwatch_cache/feeds").glob("*.py"))
LONGEST_FEED_FILE = 300
NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)


def section(feed: str) -> str:
    """What docs/feeds.md says of a feed."""
    return FEEDS_PAGE.partition(f"\n## {feed}\n")[2].partition("\n## ")[0]


def blocks(text: str, language: str) -> Sequence[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def configuration(text: str, folder: Path) -> Config:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def span(length: timedelta) -> str:
    """A time as the configuration writes it."""
    minutes = int(length.total_seconds()) // 60
    if minutes % (24 * 60) == 0:
        return f"{minutes // (24 * 60)}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def requests_of(feed: Feed) -> Sequence[Request]:
    """Every request that a feed may begin with."""
    asked = [*feed.plan(NOW, [])]
    if feed.backfill is not None:
        asked.extend(feed.backfill(NOW))
    if feed.on_demand is not None:
        asked.append(feed.on_demand("author/slug"))
    return asked


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_documented(name: str) -> None:
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    named = {column for row in rows for column in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(TABLES[name].schema)


def test_every_feed_and_its_licence_is_in_the_readme() -> None:
    for feed in FEEDS.values():
        (row,) = [line for line in README.splitlines() if line.startswith(f"| `{feed.name}` |")]
        if "no licence" not in feed.licence:
            assert feed.licence in row


def test_every_exit_code_is_in_the_readme() -> None:
    listed = set(re.findall(r"^\| (\d+) \|", README, flags=re.MULTILINE))
    assert listed == {str(int(code)) for code in ExitCode}


def test_every_command_of_the_documents_is_understood() -> None:
    texts = [*blocks(README, "sh"), *blocks(README, "console"), EXAMPLES]
    lines = [line.strip().removeprefix("$ ") for text in texts for line in text.splitlines()]
    commands = [
        re.split("#|  +", line)[0].split() for line in lines if line.startswith("qwenwatch ")
    ]
    commands += [code.split() for code in re.findall(r"`(qwenwatch \S+ --[^`]+)`", DEFINITIONS)]
    assert len(commands) >= 30
    for command in commands:
        named = command[1] if len(command) > 1 else None
        assert build_parser().parse_args(command[1:]).command == named


def test_every_key_is_documented_as_it_is() -> None:
    rows = re.findall(
        r"^\| `([\w.-]+)` \| `(\S+)` \|", (ROOT / "docs/keys.md").read_text(), re.MULTILINE
    )
    assert dict(rows) == {name: binding.key for name, binding in bindings().items()}


PAGES = ["README.md", *(f"docs/{name}.md" for name in ("data", "feeds", "design", "definitions"))]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)", text)
    assert links
    for target, anchor in links:
        file = path.parent / target if target else path
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, anchor


def test_feeds_page_has_a_section_per_feed_in_the_order_shown() -> None:
    sections = re.findall(r"^## (.+)$", FEEDS_PAGE, re.MULTILINE)
    assert [name for name in sections if "| licence |" in section(name)] == list(FEEDS)


@pytest.mark.parametrize("feed", FEEDS.values(), ids=lambda feed: feed.name)
def test_feeds_page_says_of_each_feed_what_the_code_does(feed: Feed) -> None:
    facts = dict(re.findall(r"^\| ([a-z ]+) \| (.+) \|$", section(feed.name), re.MULTILINE))
    assert facts["address"].startswith(f"`{feed.host}` ")
    for request in requests_of(feed):
        assert f"`{request.path.partition('?')[0]}`" in facts["address"]
    assert facts["key"] == (f"`{feed.key_env}`" if feed.key_env else "none")
    assert facts["not more often than"] == span(feed.floor)
    assert facts["requests a day"] == str(feed.budget)
    assert facts["licence"] == feed.licence
    assert facts["cite as"] == feed.citation
    assert set(re.findall(r"data\.md#(\w+)", facts["rows"])) <= set(TABLES)
    own = {"enabled", "url", "every"} | ({"key_env", "key_file"} if feed.key_env else set())
    assert set(re.findall(r"`(\w+)`", facts["configure"])) == own
    assert f"`[feeds.{feed.name}]`" in facts["configure"]


def test_feeds_page_names_every_host_that_is_contacted() -> None:
    paragraph = FEEDS_PAGE.partition("**Who is contacted.**")[2].partition("They\nsee")[0]
    named = set(re.findall(r"`([\w.]+)`", paragraph))
    assert named == {feed.host.removeprefix("https://") for feed in FEEDS.values()}


def test_feeds_page_says_what_can_be_backfilled() -> None:
    paragraph = FEEDS_PAGE.partition("**Backfill.**")[2].partition("\n\n")[0]
    named = {name for name in FEEDS if f"`{name}`" in paragraph}
    assert named == {feed.name for feed in FEEDS.values() if feed.backfill is not None}


def test_feeds_page_adds_up_the_budgets_of_the_data_api() -> None:
    asked = [feed for feed in FEEDS.values() if feed.key_env == openrouter_data.KEY_ENV]
    total = sum(feed.budget for feed in asked)
    assert (len(asked), total <= 500) == (4, True)
    text = " ".join(section("openrouter-rankings").split())
    assert f"The budgets of the four that are asked here add up to {total}." in text


def test_feeds_page_states_the_bounds_of_the_code() -> None:
    text = " ".join(FEEDS_PAGE.partition("## What happens to bad answers")[2].split())
    dollars, yuan = (f"{money.HIGHEST_IN[currency]:,} {currency}" for currency in ("USD", "CNY"))
    assert f"Above {dollars} or {yuan} per 1M tokens" in text
    assert f"more than {revisions.MOST} times the sum of the counts" in text
    assert f"If it is still given after {schedule.STANDS.days} days" in text
    assert f"**A jump** of {doubts.JUMP} times or more" in text
    assert f"has stood for {doubts.JUMP_STANDS.days} days" in text
    assert f"stays in force for {in_force.GRACE.days} days" in text


def test_configuration_of_the_feeds_page_is_accepted(tmp_path: Path) -> None:
    (text,) = blocks(FEEDS_PAGE, "toml")
    by_name = {one.feed.name: one for one in feed_settings(configuration(text, tmp_path))}
    assert not by_name["huggingface"].enabled
    assert by_name["models-dev"].every == timedelta(hours=12)
    assert by_name["models-dev"].url("/api.json") == "https://models.example/api.json"
    assert by_name["litellm"].base_url == "https://mirror.example/feeds"


def test_watch_list_of_the_readme_is_accepted(tmp_path: Path) -> None:
    (text,) = blocks(README, "toml")
    config = configuration(text, tmp_path)
    assert config.watch_vendors == ("alibaba", "deepseek")
    assert config.watch_models == ("claude-opus-4.6", "glm-5")


def test_modules_that_answer_questions_are_there() -> None:
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    table = design.partition("| question | answered by")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+\.py)`", table))
    assert len(named) > 20
    there = {path.name for path in (ROOT / "cache/qwenwatch_cache/market").glob("*.py")}
    assert named <= there


def test_sections_of_a_snapshot_are_documented() -> None:
    schema = json.loads((ROOT / "docs" / "snapshot.schema.json").read_text(encoding="utf-8"))
    sections = set(schema["properties"]) - set(schema["required"])
    data = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    told = data.partition("\n## Answers as data\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)) == sections
    assert sections <= set(re.findall(r"`(\w+)`", README))


def test_commented_configuration_states_the_defaults(tmp_path: Path) -> None:
    stated = re.sub(r"^# (?=\w+ =)", "", TEMPLATE, flags=re.MULTILINE)
    assert stated.count("\nevery = ") == len(FEEDS)
    full = configuration(stated, tmp_path)
    assert set(full.feeds) == set(FEEDS)
    assert feed_settings(full) == feed_settings(configuration("", tmp_path))


@pytest.mark.parametrize("path", FEED_FILES, ids=lambda path: path.name)
def test_feed_files_are_as_small_as_the_feeds_page_says(path: Path) -> None:
    assert f"every file there at {LONGEST_FEED_FILE} lines or fewer" in FEEDS_PAGE
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FEED_FILE


class TestExampleFeed:
    """The feed that docs/feeds.md shows in full."""

    @pytest.fixture
    def example(self, tmp_path: Path) -> ModuleType:
        (text,) = blocks(FEEDS_PAGE, "python")
        path = tmp_path / "example.py"
        path.write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("example", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def test_its_answers_come_into_the_cache(self, example: ModuleType, tmp_path: Path) -> None:
        body = b'{"data": [{"date": "2026-08-21", "model": "a/b", "tokens": 7, "new": 0}]}'
        (request,) = example.FEED.plan(NOW, [])
        store = Store(tmp_path / "cache")
        for moment, value in ((NOW, b"7"), (NOW + timedelta(hours=6), b"8")):
            parsed = request.parse(body.replace(b"7,", value + b","), moment)
            assert (parsed.rows, dict(parsed.refused)) == (1, {})
            assert store.append(parsed.frames, moment, whole=parsed.whole) == 1
        columns = ["feed", "metric", "entity", "period", "value", "observed_at"]
        assert store.cached(USAGE_TABLE).select(columns).rows() == [
            ("example", "tokens", "a/b", date(2026, 8, 21), 7, NOW),
            ("example", "tokens", "a/b", date(2026, 8, 21), 8, NOW + timedelta(hours=6)),
        ]

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            (b'{"data": []}', "no rows"),
            (b'{"data": [{"date": "2026-08-21", "model": "a/b"}]}', r"tokens.* is missing"),
            (b'{"data": [{"date": "2026-08-21", "model": 1, "tokens": 7}]}', r"model.* is a"),
            (b"<html>", "web page"),
        ],
    )
    def test_its_faults_are_named(self, example: ModuleType, body: bytes, says: str) -> None:
        with pytest.raises(FeedError, match=f"example: .*{says}"):
            example.parse(body, NOW)
