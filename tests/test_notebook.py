"""What docs/data.md shows works on a cache, and gives what the program itself says."""

import asyncio
import csv
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.frames import INSTANT, MONEY, PRICE_TABLE, TABLES, USAGE_TABLE
from qwenwatch_cache.manifest import FORMAT, MANIFEST_FILE, Part
from qwenwatch_cache.market.definitions import DEFINITIONS
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.refresh import Wish, refresh
from qwenwatch_cache.store import Store, as_of
from tests.cache.polling import NAMES, NO_BASELINE, Watch, settings_of, without_waits
from tests.feedserver import FIXTURE_NOW, FeedServer, FixtureBodies

PAGE = (Path(__file__).parents[1] / "docs" / "data.md").read_text(encoding="utf-8")
PAGE_TYPES = {
    pl.String(): "text",
    pl.Int64(): "int64",
    pl.Float64(): "float64",
    pl.Boolean(): "bool",
    pl.Date(): "date",
    INSTANT: "time",
    MONEY: "decimal(38,12)",
}
LATER = FIXTURE_NOW + timedelta(days=1)


def blocks(language: str, cache: Path) -> Sequence[str]:
    """What the page shows in a language, with a real cache in the place of the dots."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return [text.replace("…", cache.as_posix()) for text in found]


def block(language: str, saying: str, cache: Path) -> str:
    """The only one that says something."""
    (text,) = [text for text in blocks(language, cache) if saying in text]
    return text


def run(text: str) -> dict[str, Any]:
    """Run it, as a notebook would; returns the names that it made."""
    made: dict[str, Any] = {}
    exec(compile(text, "docs/data.md", "exec"), made)
    return made


def section(name: str) -> str:
    return PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def cells(text: str) -> list[list[str]]:
    """Rows of the tables of a text whose first cell is code."""
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def restated(store: Store) -> None:
    """What the feeds said a day later: one day's Qwen tokens doubled, one price fell."""
    day = date(2026, 8, 12)
    rows = as_of(store.cached(USAGE_TABLE, feeds={"openrouter-rankings"}), USAGE_TABLE)
    doubled = pl.when(entity="qwen/qwen3-max").then(2 * pl.col("value")).otherwise("value")
    store.append(
        {"usage": rows.filter(period=day).with_columns(value=doubled, observed_at=LATER)}, LATER
    )
    prices = as_of(store.cached(PRICE_TABLE, feeds={"openrouter-models"}), PRICE_TABLE)
    halved = pl.when(model="qwen/qwen3-max").then(pl.col("input") / 2).otherwise("input")
    store.append({"price": prices.with_columns(input=halved.cast(MONEY), observed_at=LATER)}, LATER)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A cache that was polled, and learned a day later that some figures are others."""
    store = Store(tmp_path_factory.mktemp("notebook") / "cache", bundled=NO_BASELINE)
    with (
        pytest.MonkeyPatch.context() as patch,
        without_waits(patch),
        FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW) as server,
    ):
        outcomes = asyncio.run(refresh(store, settings_of(server), Watch(), Wish()))
    assert [outcome.state for outcome in outcomes] == ["stored"] * len(NAMES)
    restated(store)
    assert {part.table for part in store.manifest().retired} >= {"usage", "price"}
    return store


@pytest.fixture(scope="module")
def cache(store: Store) -> Path:
    assert isinstance(store.root, Path)
    return store.root


@pytest.fixture(scope="module")
def last_prices(store: Store) -> pl.DataFrame:
    """The last known row of each price, as the program itself takes it."""
    return as_of(store.cached(PRICE_TABLE), PRICE_TABLE)


def test_weekly_share_of_qwen(store: Store, cache: Path) -> None:
    text = block("python", "starts_with", cache)
    assert len([line for line in text.splitlines() if "import" not in line and line]) <= 10
    shares = run(text)["shares"]
    board = Known(store, LATER).board(
        DEFINITIONS["tokens/openrouter-rankings"], "vendor", Window(date(2026, 8, 10), "week")
    )
    (own,) = board.rows.filter(id="alibaba")["history"].to_list()
    assert [(row["week"], row["share"]) for row in shares.to_dicts()] == [
        (point["start"], pytest.approx(point["share"], abs=1e-9)) for point in own
    ]
    # 210B of 1,400B, and one day's 24B of Qwen3 Max twice.
    assert shares.row(-1) == (date(2026, 8, 10), pytest.approx(234 / 1424))
    assert len(own) == 5


@pytest.mark.parametrize("name", ["usage", "price"])
def test_a_whole_folder_gives_the_same_last_rows(store: Store, cache: Path, name: str) -> None:
    table = TABLES[name]
    folder = pl.read_parquet(cache / name / "*.parquet")
    rows = store.cached(table)
    assert folder.height > rows.height
    assert as_of(folder, table).equals(as_of(rows, table))


def test_parts_are_named_as_the_page_says(cache: Path) -> None:
    stated = json.loads((cache / MANIFEST_FILE).read_text(encoding="utf-8"))
    for part in (*stated["parts"], *stated["retired"]):
        name = re.fullmatch(r"(\w+)/(.+)-(\d+)-([0-9a-f]{8})\.parquet", part["file"])
        assert name is not None
        assert (name[1], name[2], name[4]) == (part["table"], part["feed"], part["sha256"][:8])
        assert int(name[3]) <= stated["generation"]


class TestDuckDB:
    @pytest.fixture
    def answers(self, cache: Path) -> list[Any]:
        """What DuckDB answers to each of the page's questions."""
        duckdb = pytest.importorskip("duckdb", reason="needs DuckDB: pip install duckdb")
        (text,) = blocks("sql", cache)
        return [duckdb.sql(question) for question in text.split(";") if question.strip()]

    def test_a_price_that_fell(self, answers: list[Any]) -> None:
        assert answers[0].project("input, output, listed").fetchall() == [
            (Decimal("1"), Decimal("4"), True),
            (Decimal("0.5"), Decimal("4"), True),
        ]

    def test_last_prices(self, answers: list[Any], last_prices: pl.DataFrame) -> None:
        columns = ["model", "variant", "input", "output", "currency"]
        rows = answers[1].project(", ".join(columns)).fetchall()
        own = last_prices.filter(basis="route", provider="openrouter").select(columns).rows()
        assert sorted(rows, key=str) == sorted(own, key=str)
        assert len(rows) > 10


def test_pandas(cache: Path, last_prices: pl.DataFrame) -> None:
    # In a process of its own: what these libraries warn of is not ours.
    for name in ("pandas", "pyarrow"):
        pytest.importorskip(name, reason=f"needs {name}: pip install pandas pyarrow")
    text = block("python", "import pandas", cache)
    columns = ["feed", "model", "variant", "currency", "input", "output"]
    table = cache.parent / "last.csv"
    text += f"\nlast[last['listed']][{columns}].to_csv({str(table)!r}, index=False)\n"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    with table.open(encoding="utf-8", newline="") as file:
        rows = [
            (*row[:4], *(Decimal(amount) if amount else None for amount in row[4:]))
            for row in list(csv.reader(file))[1:]
        ]
    own = last_prices.filter("listed").select(columns).rows()
    assert sorted(rows, key=lambda row: row[:4]) == sorted(own, key=lambda row: row[:4])


def test_with_the_program_installed(store: Store, cache: Path) -> None:
    made = run(block("python", "import Store", cache))
    assert made["usage"].equals(as_of(store.cached(USAGE_TABLE), USAGE_TABLE))


@pytest.mark.parametrize("name", TABLES)
def test_every_column_has_its_type_and_origin(name: str) -> None:
    table = TABLES[name]
    stated = {
        column: (kind, origin)
        for columns, kind, _, origin in cells(section(name))
        for column in re.findall(r"`(\w+)`", columns)
    }
    assert {column: kind for column, (kind, _) in stated.items()} == {
        column: PAGE_TYPES[kind] for column, kind in table.schema.items()
    }
    assert {origin for _, origin in stated.values()} <= {"source", "converted", "qwenwatch"}
    assert f"Key: `{', '.join(table.key)}`." in section(name)


def test_the_layout_is_that_of_the_code(cache: Path) -> None:
    layout = section("Layout")
    stated = json.loads((cache / MANIFEST_FILE).read_text(encoding="utf-8"))
    named = [re.findall(r"`(\w+)`", row[0]) for row in cells(layout)]
    keys = {key for row in named for key in row}
    assert set(stated) <= keys
    assert set(Part._fields) <= keys
    assert f"This is format {FORMAT}." in layout
    folders = set(re.findall(r"`([\w-]+)/[^`]*`", layout))
    assert folders >= {path.name for path in cache.iterdir() if path.is_dir()}
    assert folders >= set(TABLES)


def test_every_feed_with_usage_or_prices_is_named() -> None:
    for feed in FEEDS.values():
        assert f"`{feed.name}`" in PAGE
