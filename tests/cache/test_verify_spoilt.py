"""Proof of the cache: whatever was changed is named."""

import random
import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from qwenwatch_cache.errors import CacheTooNew
from qwenwatch_cache.frames import TABLES
from qwenwatch_cache.manifest import to_json
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.bodies import kept
from qwenwatch_cache.verify import Findings, verify
from qwenwatch_cache.verify.bodies import content_of
from qwenwatch_cache.verify.parts import look_at_parts
from tests.cache.polling import NO_BASELINE
from tests.cache.proved import (
    Change,
    MovingWorld,
    alone,
    changed_bit,
    largest,
    later,
    lines,
    poll,
    proof,
    rewrite,
    state_of,
)

SYSTEM = 9
"""Byte of a body that says on which system it was packed: of no meaning, and not the same there."""

BYTES = 20
"""Places in a Parquet file that are spoiled in turn."""

EDITED = (
    ("usage", "openrouter-rankings", {"value": pl.lit(5)}),
    ("usage", "vercel-leaderboard", {"share": pl.lit(0.5)}),
    ("usage", "huggingface", {"scope": pl.lit("all of them")}),
    ("price", "openrouter-models", {"input": pl.lit(7)}),
    ("price", "models-dev", {"output": pl.lit(None)}),
    ("price", "alibaba-list", {"variant": pl.lit("batch of mine")}),
    ("catalog", "litellm", {"context_length": pl.lit(1)}),
    ("fx", "ecb-fx", {"rate": pl.lit(2)}),
    ("session", "openrouter-sessions", {"median_usd": pl.lit(1)}),
    ("task", "openrouter-tasks", {"share": pl.lit(0.25)}),
    ("host", "openrouter-endpoints", {"uptime_1d": pl.lit(1.0)}),
    ("usage", "openrouter-apps", {"as_of": pl.col("as_of") - timedelta(days=1)}),
)


@pytest.fixture
def root(well: Path) -> Path:
    """A cache of all feeds after some days, to be spoilt."""
    return well


def one_row(change: dict[str, pl.Expr], which: int = 0) -> Change:
    """Change the row at a place, of its type."""

    def changed(frame: pl.DataFrame) -> pl.DataFrame:
        there = pl.int_range(pl.len()) == which % frame.height
        return frame.with_columns(
            pl.when(there).then(new.cast(frame.schema[name])).otherwise(pl.col(name)).alias(name)
            for name, new in change.items()
        )

    return changed


def without(which: int) -> Change:
    return lambda frame: frame.filter(pl.int_range(pl.len()) != which % frame.height)


def twice(which: int, change: dict[str, pl.Expr]) -> Change:
    """Add a row like another, with some columns changed."""

    def added(frame: pl.DataFrame) -> pl.DataFrame:
        row = frame.slice(which % frame.height, 1)
        new = row.with_columns(
            value.cast(frame.schema[name]).alias(name) for name, value in change.items()
        )
        return pl.concat([frame, new])

    return added


class TestFiles:
    def test_any_changed_byte_of_a_parquet_file(self, polled: Path, tmp_path: Path) -> None:
        chance = random.Random(4)
        feeds = {largest(polled, "usage").feed, state_of(polled).retired[0].feed}
        root = alone(polled, tmp_path / "cache", *feeds)
        for path in (root / largest(root, "usage").file, root / state_of(root).retired[0].file):
            file = path.relative_to(root).as_posix()
            size = path.stat().st_size
            for place in [0, size - 1, *chance.sample(range(size), BYTES)]:
                with changed_bit(path, place, place % 8):
                    found = Findings()
                    look_at_parts(root, found)
                [line] = map(str, found.differences)
                assert line == f"{file}: its content is not what was written (sha256)"
        assert lines(root) == []

    def test_a_missing_one(self, root: Path) -> None:
        part, retired = largest(root, "price"), state_of(root).retired[0]
        (root / part.file).unlink()
        (root / retired.file).unlink()
        assert lines(root) == [
            f"{part.file}: it is missing, with {part.rows:,} rows",
            f"{retired.file}: it is missing, with {retired.rows:,} rows",
        ]

    def test_a_shorter_one(self, root: Path) -> None:
        part = largest(root, "price")
        path = root / part.file
        path.write_bytes(path.read_bytes()[:-1])
        [line] = lines(root)
        assert line == f"{part.file}: it has {part.bytes - 1:,} bytes, {part.bytes:,} were written"

    def test_one_that_is_edited_and_nothing_else(self, root: Path) -> None:
        part = largest(root, "usage")
        rewrite(root, part, one_row({"value": pl.lit(1)}), agree=False)
        [line] = lines(root)
        assert line.startswith(f"{part.file}: it")

    def test_one_that_nobody_wrote(self, root: Path) -> None:
        (root / "usage" / "mine.parquet").write_bytes(b"x")
        part = largest(root, "usage")
        stem = (root / part.file).stem
        for number in (1, state_of(root).generation + 2):
            name = f"{stem[:-16]}{number:07}-{stem[-8:]}.parquet"
            shutil.copy(root / part.file, root / "usage" / name)
        shutil.copy(root / part.file, root / "usage" / f"{stem[:-8]}00000000.parquet")
        found = proof(root)
        said = [one.what for one in found.differences]
        assert sorted(said) == [
            "it was written later than the state that manifest.json tells of",
            *["no write made it; whoever reads the whole folder reads it too"] * 2,
        ]
        assert found.left_over == 1

    def test_no_manifest(self, root: Path) -> None:
        (root / "manifest.json").unlink()
        [line] = lines(root)
        assert line.startswith("manifest.json: ")
        assert "`qwenwatch refresh` makes it anew" in line

    def test_no_format(self, root: Path) -> None:
        (root / "format.json").unlink()
        assert lines(root) == ["format.json: it is missing; the next write makes it anew"]

    def test_a_newer_format_is_refused(self, root: Path) -> None:
        store = Store(root, bundled=NO_BASELINE)
        (root / "format.json").write_text('{"format": 99}')
        with pytest.raises(CacheTooNew):
            verify(store)


class TestBodies:
    def test_any_changed_bit_of_a_body(self, root: Path) -> None:
        path = min((root / "bodies").glob("ecb-fx/*"), key=lambda one: one.stat().st_size)
        [body] = [one for one in kept(root) if one.path == path]
        for place in range(path.stat().st_size):
            if place == SYSTEM:
                continue
            for bit in range(8):
                found = Findings()
                with changed_bit(path, place, bit):
                    content_of(root, body, found)
                assert found.differences, (place, bit)

    @pytest.mark.parametrize("feed", ["openrouter-models", "huggingface"])
    def test_a_changed_byte_is_named(self, root: Path, feed: str) -> None:
        path = max((root / "bodies").glob(f"{feed}/*"), key=lambda one: one.stat().st_size)
        with changed_bit(path, path.stat().st_size // 2, 3):
            [line] = lines(root)
        assert line.startswith(f"{path.relative_to(root).as_posix()}: ")

    def test_another_answer_under_its_name(self, root: Path) -> None:
        first, second = sorted((root / "bodies").glob("openrouter-rankings/*"))[:2]
        shutil.copy(first, second)
        assert lines(root) == [
            f"{second.relative_to(root).as_posix()}: its content is not what came"
        ]

    def test_one_that_is_missing_though_older_ones_are_there(self, root: Path) -> None:
        path = sorted((root / "bodies").glob("openrouter-rankings/*"))[2]
        path.unlink()
        [line] = lines(root)
        assert line.startswith(f"bodies/openrouter-rankings/*-{path.stem[-16:]}.gz: ")

    def test_a_file_that_is_no_body(self, root: Path) -> None:
        (root / "bodies" / "litellm" / "notes.txt").write_text("x")
        assert lines(root) == ["bodies/litellm/notes.txt: it has not the name of a kept body"]


@pytest.mark.parametrize(
    ("table", "feed", "change"), EDITED, ids=[f"{table}-{feed}" for table, feed, _ in EDITED]
)
class TestRows:
    """Rows edited by somebody who made the manifest, and the file's name, agree."""

    @pytest.fixture
    def root(self, polled: Path, tmp_path: Path, feed: str) -> Path:
        """A cache of that feed."""
        return alone(polled, tmp_path / "alone", feed)

    def test_an_edited_one(
        self, root: Path, table: str, feed: str, change: dict[str, pl.Expr]
    ) -> None:
        part = largest(root, table, feed)
        for which in {0, part.rows // 2, part.rows - 1}:
            spoilt = shutil.copytree(root, root.with_name(f"spoilt-{which}"))
            rewrite(spoilt, part, one_row(change, which))
            said = lines(spoilt)
            assert said
            assert all(line.startswith(f"{table} {feed} ") for line in said)

    def test_a_removed_one(
        self, root: Path, table: str, feed: str, change: dict[str, pl.Expr]
    ) -> None:
        part = largest(root, table, feed)
        for which in {0, part.rows // 2, part.rows - 1}:
            spoilt = shutil.copytree(root, root.with_name(f"spoilt-{which}"))
            rewrite(spoilt, part, without(which))
            said = lines(spoilt)
            assert said
            assert all(line.startswith(f"{table} {feed} ") for line in said)

    def test_one_that_was_added(
        self, root: Path, table: str, feed: str, change: dict[str, pl.Expr]
    ) -> None:
        part = largest(root, table, feed)
        name = next(
            one for one in reversed(TABLES[table].key) if TABLES[table].schema[one] == pl.String
        )
        rewrite(root, part, twice(1, {name: pl.lit("made up")}))
        [line] = lines(root)
        assert line.startswith(f"{table} {feed} ")
        assert "made up" in line


class TestOtherRows:
    def test_one_whose_own_body_is_gone(self, root: Path) -> None:
        """A price is stated for long, and a body for some days only."""
        for path in sorted((root / "bodies").glob("*/*")):
            if path.stem[:8] < "20260818":
                path.unlink()
        part = largest(root, "price", "openrouter-models")
        first = pl.col("observed_at") == pl.col("observed_at").min()
        rewrite(
            root,
            part,
            lambda rows: rows.with_columns(
                output=pl.when(first).then(pl.col("output") + 1).otherwise("output")
            ),
        )
        said = lines(root, "openrouter-models")
        assert said
        assert all(line.startswith("price openrouter-models ") for line in said)
        assert any("learned 2026-08-17" in line and "output is" in line for line in said)

    def test_withdrawals(self, polled: Path, tmp_path: Path) -> None:
        silent = ("price", "openrouter-models", ~pl.col("listed"), {"input": pl.lit(8)})
        gone = ("usage", "openrouter-rankings", pl.col("value").is_null(), {"scope": pl.lit("x")})
        host = ("host", "openrouter-endpoints", ~pl.col("listed"), {"provider_name": pl.lit("x")})
        root = alone(polled, tmp_path / "alone", *(feed for _, feed, *_ in (silent, gone, host)))
        for number, (table, feed, which, change) in enumerate((silent, gone, host)):
            spoilt = shutil.copytree(root, root.with_name(f"spoilt-{number}"))
            rows = pl.read_parquet(root / largest(root, table, feed).file)
            place = rows.with_row_index().filter(which)["index"][0]
            rewrite(spoilt, largest(root, table, feed), one_row(change, place))
            [line] = lines(spoilt, feed)
            assert line.startswith(f"{table} {feed} ")
            rewrite(root, largest(root, table, feed), without(place))
        said = lines(root)
        assert {line.split()[0] for line in said} == {"price", "usage", "host"}
        assert any("states it no longer, and no row says so" in line for line in said)

    def test_a_withdrawal_of_what_is_still_stated(self, root: Path) -> None:
        part = largest(root, "price", "litellm")
        later_on = pl.col("observed_at") + timedelta(minutes=1)
        rewrite(root, part, twice(3, {"listed": pl.lit(False), "observed_at": later_on}))
        world = MovingWorld()
        poll(root, rounds=1, faults=False, names=("litellm",), world=world, watch=later())
        [line] = lines(root, "litellm")
        assert "listed is" in line

    def test_what_no_parser_makes(self, root: Path) -> None:
        part = largest(root, "price", "models-dev")
        rewrite(root, part, one_row({"model": pl.lit(None), "input": pl.lit(-1)}, 2))
        said = [line for line in lines(root, "openrouter-tasks") if "/" in line.split(":")[0]]
        assert [line.partition(": ")[2].partition(" in ")[0] for line in said] == [
            "model is missing",
            "input is below 0",
        ]

    def test_one_that_stands_there_twice(self, polled: Path, tmp_path: Path) -> None:
        root = alone(polled, tmp_path / "alone", "ecb-fx")
        rewrite(root, largest(root, "fx"), twice(0, {}))
        assert [line.partition(": ")[2] for line in lines(root)][:1] == [
            "it stands there more than once"
        ]

    def test_another_column_and_another_type(self, polled: Path, tmp_path: Path) -> None:
        root = alone(polled, tmp_path / "alone", "openrouter-tasks")
        part = largest(root, "task")
        rewrite(
            root,
            part,
            lambda rows: rows.with_columns(pl.col("window_days").cast(pl.Int32), mine=pl.lit(1)),
        )
        said = [line.partition(": ")[2] for line in lines(root)]
        assert said[0] == "column window_days is of type Int32, documented is Int64"
        assert said[1].startswith("its columns are feed, metric, ")

    def test_a_manifest_that_says_something_else(self, polled: Path, tmp_path: Path) -> None:
        root = alone(polled, tmp_path / "alone", "openrouter-tasks")
        part, state = largest(root, "task"), state_of(root)
        assert part.first is not None
        other = part._replace(rows=1, first=part.first - timedelta(days=1))
        parts = tuple(other if one == part else one for one in state.parts)
        (root / "manifest.json").write_bytes(to_json(state._replace(parts=parts)))
        said = lines(root)
        assert [line.partition(": ")[0] for line in said] == [part.file] * 2
        assert said[0].endswith(f"it has {part.rows} rows, 1 were written")

    def test_rows_out_of_order(self, polled: Path, tmp_path: Path) -> None:
        root = alone(polled, tmp_path / "alone", "openrouter-models")
        part = largest(root, "price", "openrouter-models")
        rewrite(root, part, lambda rows: rows.reverse(), sort=False)
        assert [line.partition(": ")[2] for line in lines(root)] == [
            "its rows are not in order of observed_at"
        ]
