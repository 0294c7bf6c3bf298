"""Closed days: their answers stand for ever, and are kept ready without being trusted."""

import asyncio
import gc
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from qwenwatch import backend
from qwenwatch.cli import main
from qwenwatch.commands import questions
from qwenwatch.commands import snapshot as command
from qwenwatch.config import load_config
from qwenwatch.preparing import prepare
from qwenwatch.ready import market_path, opening_query, read_ready_market
from qwenwatch.ready_check import ready_faults
from qwenwatch.ready_snapshot import (
    MOST,
    Kept,
    Question,
    kept_paths,
    path_of,
    read_kept,
    read_ready_snapshot,
    write_kept,
)
from qwenwatch.session import Session
from qwenwatch_cache.clock import system_clock
from qwenwatch_cache.frames import TABLES
from qwenwatch_cache.outcome import Outcome, State
from qwenwatch_cache.store import Store
from tests.cache.rows import fetches, prices
from tests.cache.test_closing import stated
from tests.cli import little
from tests.cli.conftest import Run

DAY = "2026-08-21"
CLOSED = "2026-08-23T00:00:00Z"
"""When that day closed: the baseline learned its figures on 2026-08-22, five minutes after it."""

LEARNED = datetime(2026, 8, 24, 6, tzinfo=UTC)
NOW = "2026-08-25T12:00:00Z"
FORMATS = ("text", "json", "ndjson", "csv", "md")
SNAPSHOT = ("snapshot", "--date", DAY)
Ask = Callable[..., str]


@pytest.fixture(autouse=True, scope="module")
def little_baseline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        little.use(little.make_little(tmp_path_factory.mktemp("little") / "package"), patch)
        yield


@pytest.fixture(autouse=True)
def two_days_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two days after the day closed, with a configuration of the test's own."""
    begin_in(tmp_path, monkeypatch)
    yield
    gc.enable()  # which the command line switches off for its short life


def begin_in(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "config.toml").write_text("", encoding="utf-8")
    patch.setenv("QWENWATCH_CONFIG", str(folder / "config.toml"))
    patch.setenv("QWENWATCH_CACHE_DIR", str(folder / "cache"))
    patch.setenv("QWENWATCH_NOW", NOW)
    for name in ("QWENWATCH_OFFLINE", "QWENWATCH_FEEDS_URL", "OPENROUTER_API_KEY", "NO_COLOR"):
        patch.delenv(name, raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A cache over the baseline, in which a feed was asked the day after the day closed."""
    return store_in(tmp_path)


def store_in(folder: Path) -> Store:
    store = Store(folder / "cache")
    store.log(fetches([LEARNED], "openrouter-rankings"), LEARNED)
    return store


@pytest.fixture(scope="module")
def answered_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, after a day's answer was kept; only to be copied."""
    folder = tmp_path_factory.mktemp("answered")
    with pytest.MonkeyPatch.context() as patch:
        begin_in(folder, patch)
        store = store_in(folder)
        assert main([*SNAPSHOT, "-o", str(folder / "answer.txt")]) == 0
        assert kept_now(store)
    return folder / "cache"


@pytest.fixture(scope="module")
def prepared_once(answered_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with another answer, the newest closed day and the opening view."""
    folder = tmp_path_factory.mktemp("prepared")
    shutil.copytree(answered_once, folder / "cache")
    with pytest.MonkeyPatch.context() as patch:
        begin_in(folder, patch)
        other = (*SNAPSHOT, "--top", "3", "--window", "day")
        assert main([*other, "-o", str(folder / "answer.txt")]) == 0
        prepare(session())
    return folder / "cache"


@pytest.fixture
def answered(answered_once: Path, tmp_path: Path) -> Store:
    """A cache that has a day's answer ready."""
    return Store(shutil.copytree(answered_once, tmp_path / "cache"))


@pytest.fixture
def ask(capsysbinary: pytest.CaptureFixture[bytes]) -> Ask:
    """Run a command in this process; gives what it printed."""

    def run(*arguments: str) -> str:
        capsysbinary.readouterr()
        assert main(arguments) == 0
        return capsysbinary.readouterr().out.decode()

    return run


@pytest.fixture
def no_tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Makes every question that is put to the tables fail."""

    def refuse(*arguments: object) -> int:
        raise AssertionError("the tables were asked")

    yield lambda: monkeypatch.setattr(questions, "ask_the_tables", refuse)


def forget(store: Store) -> None:
    shutil.rmtree(store.root / "ready", ignore_errors=True)


def default_question() -> Question:
    return Question.default(load_config(), date.fromisoformat(DAY))


def session() -> Session:
    return Session.open(load_config(), system_clock(), offline=False)


def kept_now(store: Store) -> bool:
    return read_ready_snapshot(store.root, default_question(), system_clock()()) is not None


class TestClosedDays:
    """What is asked of a named day that has closed is answered as known when it closed."""

    COMMANDS = (
        SNAPSHOT,
        ("leaders", "--date", DAY, "--by", "model"),
        ("leaders", "--date", DAY, "--window", "day", "--metric", "spend"),
        ("definitions", "--date", DAY),
        ("prices", "--date", DAY),
        ("prices", "qwen3-max", "claude-opus-4.6", "--date", DAY),
    )

    @pytest.mark.parametrize("format", ["text", "json"])
    def test_stands_whatever_is_learned_later(self, store: Store, ask: Ask, format: str) -> None:
        asks = [(*command, "--format", format) for command in self.COMMANDS]
        before = [ask(*words) for words in asks]
        later = LEARNED + timedelta(hours=1)
        week = [date(2026, 8, 10) + timedelta(days=number) for number in range(12)]
        for day in week:
            store.append({"usage": stated(day, later, 10**12)}, later)
        dearer = prices({"qwen/qwen3-max": Decimal(99)}, later, feed="openrouter-models")
        store.append({"price": dearer}, later, whole=frozenset({"qwen/qwen3-max"}))
        forget(store)
        assert [ask(*words) for words in asks] == before
        store.compact(later)
        forget(store)
        assert [ask(*words) for words in asks] == before
        # What is asked of now has changed, so there was something to be kept out.
        assert ask("leaders", "--format", "json") != before[1]

    def test_stands_on_another_machine(
        self, store: Store, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        learned = datetime(2026, 8, 22, 6, tzinfo=UTC)
        store.append({"usage": stated(date(2026, 8, 16), learned, 10**12)}, learned)
        here = [ask(*words, "--format", "json") for words in self.COMMANDS]
        rows = {name: store.cached(table) for name, table in TABLES.items()}
        Store(tmp_path / "there").add(rows, LEARNED)
        monkeypatch.setenv("QWENWATCH_CACHE_DIR", str(tmp_path / "there"))
        assert [ask(*words, "--format", "json") for words in self.COMMANDS] == here
        monkeypatch.setenv("QWENWATCH_CACHE_DIR", str(tmp_path / "nowhere"))
        assert [ask(*words, "--format", "json") for words in self.COMMANDS] != here

    def test_says_as_of_when_it_is_known(self, store: Store, ask: Ask) -> None:
        for words in self.COMMANDS:
            assert json.loads(ask(*words, "--format", "json"))["known_at"] == CLOSED
        named = json.loads(ask(*SNAPSHOT, "--known-at", CLOSED, "--format", "json"))
        assert named == json.loads(ask(*SNAPSHOT, "--format", "json"))
        stated_by_hand = ask(*SNAPSHOT, "--known-at", "2026-08-22T12:00:00Z", "--format", "json")
        assert json.loads(stated_by_hand)["known_at"] == "2026-08-22T12:00:00Z"

    def test_is_open_until_rounds_of_that_midnight_are_over(
        self, store: Store, ask: Ask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("QWENWATCH_NOW", "2026-08-22T20:00:00Z")
        assert json.loads(ask(*SNAPSHOT, "--format", "json"))["known_at"] > "2026-08-22T20"
        monkeypatch.setenv("QWENWATCH_NOW", "2026-08-23T00:59:00Z")
        assert json.loads(ask(*SNAPSHOT, "--format", "json"))["known_at"] > CLOSED
        monkeypatch.setenv("QWENWATCH_NOW", "2026-08-23T01:00:00Z")
        assert json.loads(ask(*SNAPSHOT, "--format", "json"))["known_at"] == CLOSED

    def test_nothing_of_the_present_is_in_its_text(
        self, store: Store, capsysbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        failed = fetches([LEARNED], "models-dev").with_columns(error=pl.lit("it is broken"))
        store.log(failed, LEARNED)
        told = []
        for offline in ([], ["--offline"]):
            capsysbinary.readouterr()
            assert main(["leaders", "--date", DAY, *offline]) == 0
            told.append(capsysbinary.readouterr())
        assert told[0] == told[1]
        assert b"it is broken" not in told[0].out
        assert b"1 feed failing (models-dev: it is broken" in told[0].err


class TestKeptReady:
    """The second time it is printed without the tables, byte for byte the same."""

    @pytest.mark.parametrize("coloured", [False, True])
    def test_every_format(
        self,
        store: Store,
        ask: Ask,
        no_tables: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
        coloured: bool,
    ) -> None:
        for module in (command, questions):
            monkeypatch.setattr(module, "wants_colour", lambda options: coloured)
        computed = {}
        for format in FORMATS:
            forget(store)
            computed[format] = ask(*SNAPSHOT, "--format", format)
        assert ("\x1b[" in computed["text"]) == coloured
        no_tables()
        for format in FORMATS:
            assert ask(*SNAPSHOT, "--format", format) == computed[format]
            assert ask("snapshot", "--date", "20260821", "--format", format) == computed[format]

    def test_into_a_file(
        self, store: Store, ask: Ask, no_tables: Callable[[], None], tmp_path: Path
    ) -> None:
        computed = ask(*SNAPSHOT)
        no_tables()
        assert ask(*SNAPSHOT, "-o", str(tmp_path / "out.txt")) == ""
        assert (tmp_path / "out.txt").read_bytes().decode() == computed

    def test_the_file_is_the_plain_document(self, store: Store, ask: Ask) -> None:
        printed = ask(*SNAPSHOT, "--format", "json")
        (path,) = kept_paths(store.root)
        assert path.read_bytes().decode() == printed
        assert path.parent == store.root / "ready" / "snapshots"
        assert path.name.startswith(f"{DAY}-")

    OTHERS = (
        ("--top", "5"),
        ("--window", "day"),
        ("--metric", "spend"),
        ("--baseline", "claude-opus-4.6"),
        ("--section", "leaderboards"),
        ("--by", "vendor"),
        ("--known-at", "2026-08-24T00:00:00Z"),
    )

    @pytest.mark.parametrize("other", OTHERS)
    def test_only_for_what_was_asked(
        self, answered: Store, ask: Ask, other: tuple[str, str]
    ) -> None:
        default = ask(*SNAPSHOT)
        beside = ask(*SNAPSHOT, *other)
        forget(answered)
        assert ask(*SNAPSHOT, *other) == beside != default

    @pytest.mark.parametrize(
        "config",
        [
            "[mix]\ninput = 0.5\noutput = 0.5\ncached = 0.0\n",
            "[view]\ntop = 3\n",
            '[view]\nwindow = "month"\n',
            '[view]\nmetric = "requests"\n',
            '[view]\nbaseline = "claude-opus-4.6"\n',
        ],
    )
    def test_only_for_the_same_configuration(
        self, answered: Store, ask: Ask, tmp_path: Path, config: str
    ) -> None:
        default = ask(*SNAPSHOT)
        (tmp_path / "config.toml").write_text(config, encoding="utf-8")
        beside = ask(*SNAPSHOT)
        forget(answered)
        assert ask(*SNAPSHOT) == beside != default

    def test_not_for_another_clock(
        self, store: Store, ask: Ask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        replayed = ask(*SNAPSHOT, "--format", "json")
        monkeypatch.delenv("QWENWATCH_NOW")
        real = ask(*SNAPSHOT, "--format", "json")
        assert json.loads(replayed) == {**json.loads(real), "replayed": True}
        monkeypatch.setenv("QWENWATCH_NOW", "2026-08-22T12:00:00Z")
        earlier = json.loads(ask(*SNAPSHOT, "--format", "json"))
        assert earlier["known_at"] == "2026-08-22T12:00:01Z"

    def test_not_before_rows_of_that_time_can_be_told(self, tmp_path: Path, ask: Ask) -> None:
        ask(*SNAPSHOT)
        assert not (tmp_path / "cache").exists()
        store = Store(tmp_path / "cache")
        just_after = datetime(2026, 8, 23, 1, tzinfo=UTC)
        store.log(fetches([just_after]), just_after)
        ask(*SNAPSHOT)
        assert kept_paths(store.root) == []
        store.log(fetches([LEARNED]), LEARNED)
        ask(*SNAPSHOT)
        assert len(kept_paths(store.root)) == 1

    def test_not_by_somebody_to_whom_the_cache_is_of_the_future(
        self, store: Store, ask: Ask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later = LEARNED + timedelta(days=30)
        store.log(fetches([later]), later)
        ask(*SNAPSHOT)
        assert kept_paths(store.root) == []

    def test_where_nothing_can_be_kept_it_is_printed_all_the_same(
        self, store: Store, ask: Ask
    ) -> None:
        (store.root / "ready").write_text("no folder", encoding="utf-8")
        assert ask(*SNAPSHOT) == ask(*SNAPSHOT)
        assert (store.root / "ready").read_text(encoding="utf-8") == "no folder"

    def test_a_bounded_number_is_kept(self, store: Store, ask: Ask) -> None:
        ask(*SNAPSHOT)
        (path,) = kept_paths(store.root)
        one = read_kept(path)
        assert one is not None
        for number in range(MOST + 5):
            question = Question.default(load_config(), date(2026, 1, 1) + timedelta(days=number))
            write_kept(store.root, Kept(
                question, one.answer, one.known_at, one.made_at, one.basis, one.checksum
            ))  # fmt: skip
        kept = kept_paths(store.root)
        assert len(kept) == MOST
        assert path not in kept
        assert path_of(store.root, question) in kept
        assert len(list((store.root / "ready" / "snapshots").iterdir())) == 2 * MOST


class TestHoldsNoLonger:
    """What may have changed the answer makes it be computed anew."""

    @pytest.fixture
    def store(self, answered: Store) -> Store:
        return answered

    @pytest.fixture
    def before(self, store: Store, ask: Ask) -> str:
        printed = ask(*SNAPSHOT, "--format", "json")
        assert kept_now(store)
        return printed

    def test_rows_that_are_of_another_time_change_nothing(self, store: Store, before: str) -> None:
        later = LEARNED + timedelta(hours=3)
        store.append({"price": prices({"m": Decimal(1)}, later)}, later)
        store.log(fetches([later]), later)
        store.compact(later)
        assert kept_now(store)

    def test_a_late_row(self, store: Store, ask: Ask, before: str) -> None:
        late = LEARNED + timedelta(hours=3)
        frame = stated(date(2026, 8, 12), late, 10**12)
        store.append({"usage": frame}, late, whole=frozenset())
        assert not kept_now(store)
        assert ask(*SNAPSHOT, "--format", "json") == before  # but the answer is the same
        assert kept_now(store)

    def test_rows_from_elsewhere(self, store: Store, ask: Ask, before: str) -> None:
        learned = datetime(2026, 8, 22, 12, tzinfo=UTC)
        store.add({"usage": stated(date(2026, 8, 12), learned, 10**15)}, LEARNED)
        assert not kept_now(store)
        after = ask(*SNAPSHOT, "--format", "json")
        assert after != before
        forget(store)
        assert ask(*SNAPSHOT, "--format", "json") == after

    def test_a_clock_that_was_wrong(self, store: Store, ask: Ask, before: str) -> None:
        learned = datetime(2026, 8, 20, 12, tzinfo=UTC)
        frame = prices({"qwen/qwen3-max": Decimal(99)}, learned, feed="openrouter-models")
        store.append({"price": frame}, learned, whole=frozenset({"qwen/qwen3-max"}))
        assert not kept_now(store)
        assert ask(*SNAPSHOT, "--format", "json") != before

    def test_damage(self, store: Store, ask: Ask) -> None:
        learned = LEARNED + timedelta(hours=1)
        store.append({"price": prices({"m": Decimal(1)}, learned)}, learned)
        before = ask(*SNAPSHOT, "--format", "json")
        part = next((store.root / "price").glob("*.parquet"))
        content = bytearray(part.read_bytes())
        content[len(content) // 2] ^= 1
        part.write_bytes(content)
        store.repair(learned)
        assert not kept_now(store)
        assert ask(*SNAPSHOT, "--format", "json") == before

    def test_a_cache_that_was_begun_anew(self, store: Store, before: str) -> None:
        for path in store.root.iterdir():
            if path.name not in {"ready", "writer.lock"}:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        later = LEARNED + timedelta(hours=5)
        Store(store.root).log(fetches([later]), later)
        assert not kept_now(store)

    def test_other_data_or_another_program(
        self, store: Store, before: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("qwenwatch.ready_snapshot.data_state", lambda: {"identity.csv": "1 1"})
            assert not kept_now(store)
        assert kept_now(store)
        monkeypatch.setattr("qwenwatch.ready_snapshot.__version__", "9.9.9")
        assert not kept_now(store)

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda text: "",
            lambda text: "nonsense",
            lambda text: "[]",
            lambda text: "{}",
            lambda text: "[" * 100_000,
            lambda text: text.replace('"checksum"', '"sum"'),
            lambda text: text.replace('"made_at": "2026', '"made_at": "x'),
            lambda text: text.replace('"text": "', '"text": "other '),
            lambda text: text[: len(text) // 2],
        ],
    )
    def test_odd_files_are_passed_over(
        self, store: Store, ask: Ask, before: str, spoil: Callable[[str], str]
    ) -> None:
        (path,) = kept_paths(store.root)
        beside = path.with_suffix(".about.json")
        beside.write_text(spoil(beside.read_text(encoding="utf-8")), encoding="utf-8")
        assert not kept_now(store)
        assert ask(*SNAPSHOT, "--format", "json") == before
        assert kept_now(store)


class TestProof:
    """What is kept is computed again by whoever checks the cache."""

    @pytest.fixture
    def store(self, prepared_once: Path, tmp_path: Path) -> Store:
        return Store(shutil.copytree(prepared_once, tmp_path / "cache"))

    def test_a_healthy_cache(self, store: Store) -> None:
        assert len(kept_paths(store.root)) == 3
        assert market_path(store.root).exists()
        assert ready_faults(session()) == []

    @pytest.mark.parametrize(
        ("form", "cleverly"),
        [("json", False), *((form, True) for form in ("json", "text", "coloured", "markdown"))],
    )
    def test_a_changed_figure_is_named(self, answered: Store, form: str, cleverly: bool) -> None:
        question = default_question()
        path = path_of(answered.root, question)
        kept = read_kept(path)
        assert kept is not None
        forms = kept.answer._asdict()
        changed = forms[form].replace("DeepSeek", "DeepFake", 1)
        assert changed != forms[form]
        answer = type(kept.answer)(**{**forms, form: changed})
        checksum = answer.checksum if cleverly else kept.checksum
        write_kept(answered.root, Kept(
            question, answer, kept.known_at, kept.made_at, kept.basis, checksum
        ))  # fmt: skip
        name = f"ready/snapshots/{path.name}"
        assert ready_faults(session()) == [f"{name} differs from what the tables say; delete it"]

    def test_what_cannot_be_read_is_named(self, store: Store) -> None:
        paths = kept_paths(store.root)
        paths[0].unlink()
        paths[1].with_suffix(".about.json").write_text("{", encoding="utf-8")
        market_path(store.root).write_text('{"program": "', encoding="utf-8")
        faults = ready_faults(session())
        names = [f"ready/snapshots/{path.name}" for path in paths[:2]] + ["ready/market.json"]
        assert [fault.partition(" ")[0] for fault in faults] == names
        assert all(fault.endswith("; delete it") for fault in faults)

    def test_a_changed_view_is_named(self, store: Store) -> None:
        path = market_path(store.root)
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("DeepSeek", "DeepFake", 1), encoding="utf-8")
        assert ready_faults(session()) == [
            "ready/market.json differs from what the tables say; delete it"
        ]

    def test_what_nobody_uses_any_more_is_no_fault(self, store: Store, tmp_path: Path) -> None:
        path = market_path(store.root)
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("DeepSeek", "DeepFake", 1), encoding="utf-8")
        first = kept_paths(store.root)[0]
        first.write_text("{}", encoding="utf-8")
        late = LEARNED + timedelta(hours=3)
        frame = stated(date(2026, 8, 12), late, 10**12)
        store.append({"usage": frame}, late, whole=frozenset())
        assert ready_faults(session()) == []

    def test_keys_that_another_has_are_no_fault(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENROUTER_API_KEY", "sk-some-key")
        assert ready_faults(session()) == []


class TestPrepared:
    """After a round the newest closed day and the opening view are ready."""

    def test_the_newest_closed_day(
        self, store: Store, ask: Ask, no_tables: Callable[[], None]
    ) -> None:
        prepare(session())
        # The figures of 22 and 23 August have not come; their week is that of the 21st.
        newest = max(path.name for path in kept_paths(store.root))
        assert newest.startswith("2026-08-22-")
        prepared = {path: path.stat().st_mtime_ns for path in kept_paths(store.root)}
        prepare(session())
        assert {path: path.stat().st_mtime_ns for path in kept_paths(store.root)} == prepared
        no_tables()
        assert json.loads(ask("snapshot", "--date", "2026-08-22", "--format", "json"))

    def test_the_opening_view(self, store: Store) -> None:
        query = opening_query(load_config())
        assert read_ready_market(store.root, query) is None
        prepare(session())
        view = read_ready_market(store.root, query)
        assert view is not None
        assert view.panels[0].vendor == "deepseek"
        written = market_path(store.root).read_bytes()
        prepare(session())  # a moment later, and nothing has changed
        assert market_path(store.root).read_bytes() == written
        later = LEARNED + timedelta(hours=2)
        store.append({"price": prices({"m": Decimal(1)}, later)}, later)
        prepare(session())
        assert market_path(store.root).read_bytes() != written

    def test_an_empty_cache_and_a_refusing_disk_are_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / "ready").write_text("no folder", encoding="utf-8")
        prepare(session())
        assert [path.name for path in (tmp_path / "cache").iterdir()] == ["ready"]

    @pytest.mark.parametrize("state", ["stored", "unchanged", "failed", "not due"])
    async def test_by_a_round_of_the_screen(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, state: State
    ) -> None:
        async def refresh(self: Session, **how: object) -> list[Outcome]:
            return [Outcome("openrouter-rankings", state)]

        monkeypatch.setattr(Session, "refresh", refresh)
        monkeypatch.setattr(backend, "CALM", 0)
        told: list[dict[str, object]] = []
        answered = await backend.Backend(session(), told.append).answer(
            b'{"id": 1, "ask": "refresh"}'
        )
        assert "view" in json.loads(answered)
        assert kept_paths(store.root) == []  # the answer comes first
        await asyncio.sleep(0.05)
        assert bool(kept_paths(store.root)) == (state != "not due")

    def test_by_a_round_from_the_command_line(self, live: Run, tmp_path: Path) -> None:
        """The feed server's world, six days later: its figures restate the baseline's."""
        when = {"QWENWATCH_NOW": NOW}
        asked = ("snapshot", "--date", "2026-08-16", "--format", "json")
        before = live(*asked, **when)
        feeds = ("openrouter-rankings", "vercel-leaderboard", "openrouter-models", "models-dev")
        chosen = [word for name in feeds for word in ("--feed", name)]
        assert live("refresh", *chosen, **when).code == 0
        root = tmp_path / "cache"
        assert [path.name[:11] for path in kept_paths(root)] == ["2026-08-22-"]
        view = read_ready_market(root, opening_query(load_config()))
        assert view is not None
        assert view.headline.badge.startswith("live")
        # The day had closed before they came, so it is answered as it was known then.
        assert live(*asked, **when) == before
        assert json.loads(before.out)["known_at"] == CLOSED
        assert live(*asked, **when) == before  # kept ready by now
        newest = live("snapshot", "--format", "json", **when).out
        assert json.loads(newest)["leaderboards"] != json.loads(before.out)["leaderboards"]
