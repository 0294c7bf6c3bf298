"""Parts that have grown large are left alone: what a question and a write touch stays bounded."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from qwenwatch_cache.frames import FETCH_TABLE, PRICE_TABLE, Table
from qwenwatch_cache.manifest import Part
from qwenwatch_cache.store import Store, parts
from qwenwatch_cache.store.files import write_bytes
from tests.cache.rows import NOW, at, fetches, prices, stored

SEALED = 8_000
"""Bytes from which on a part stays as it is, in these tests."""

ROUNDS = 12
A_ROUND = 200


def told_apart(moments: Sequence[datetime]) -> pl.DataFrame:
    """Requests of which each was answered with another body, as real ones are."""
    digests = [hashlib.sha256(moment.isoformat().encode()).hexdigest() for moment in moments]
    return fetches(moments).with_columns(sha256=pl.Series(digests))


@pytest.fixture
def logged(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache whose log grew by many small writes."""
    monkeypatch.setattr(parts, "SEALED", SEALED)
    store = Store(root)
    for number in range(ROUNDS):
        moments = [at(number * A_ROUND + minute) for minute in range(A_ROUND)]
        store.log(told_apart(moments), moments[-1])
    return root


def log_parts(root: Path) -> list[Part]:
    return Store(root).manifest().series(FETCH_TABLE.name, "f")


def test_a_large_part_is_never_written_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "SEALED", SEALED)
    store, sealed = Store(root), set[str]()
    for number in range(ROUNDS):
        moments = [at(number * A_ROUND + minute) for minute in range(A_ROUND)]
        store.log(told_apart(moments), moments[-1])
        now = log_parts(root)
        assert sealed <= {part.file for part in now}
        sealed |= {part.file for part in now if part.bytes >= SEALED}
    assert len(sealed) >= 3
    assert len(log_parts(root)) <= len(sealed) + 3


def test_every_row_is_there_in_its_order(logged: Path) -> None:
    moments = [at(minute) for minute in range(ROUNDS * A_ROUND)]
    assert stored(logged, FETCH_TABLE).get_column("started").to_list() == moments


def test_the_last_days_are_read_without_the_years_before(
    logged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, opened = Store(logged), list[str]()
    read = store._read  # the one door to the files

    def counted(file: str) -> bytes:
        opened.append(file)
        return read(file)

    monkeypatch.setattr(store, "_read", counted)
    last = at(ROUNDS * A_ROUND - 1)
    rows = store.cached(FETCH_TABLE, since=last - timedelta(minutes=5))
    assert rows.height == 6
    size = sum(part.bytes for part in log_parts(logged) if part.file in opened)
    assert size < 2 * SEALED
    assert sum(part.bytes for part in log_parts(logged)) > 4 * SEALED


def test_to_compact_twice_changes_nothing_the_second_time(logged: Path) -> None:
    before = stored(logged, FETCH_TABLE)
    store = Store(logged)
    store.compact(NOW)
    once = log_parts(logged)
    store.compact(NOW)
    assert log_parts(logged) == once
    assert_frame_equal(stored(logged, FETCH_TABLE), before)
    assert parts.is_whole(once)


@pytest.mark.parametrize("table", [FETCH_TABLE, PRICE_TABLE], ids=lambda table: table.name)
def test_what_comes_at_once_is_cut_into_parts_of_a_size(
    table: Table, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "SEALED", SEALED)
    many = 4_000
    if table is FETCH_TABLE:
        rows = told_apart([at(minute) for minute in range(many)])
    else:
        rows = prices({f"m{one}": Decimal(one * one) for one in range(many)})
    Store(root).add({table.name: rows}, NOW)
    made = Store(root).manifest().series(table.name, "f")
    assert len(made) > 1
    assert all(part.bytes < 3 * SEALED for part in made)
    assert parts.is_whole(made)
    assert [part.first for part in made] == sorted(part.first for part in made if part.first)
    assert_frame_equal(stored(root, table), rows)


@pytest.mark.parametrize("large_first", [True, False])
def test_rows_of_unlike_size_are_cut_so_that_nothing_is_left_to_compact(
    root: Path, monkeypatch: pytest.MonkeyPatch, large_first: bool
) -> None:
    monkeypatch.setattr(parts, "SEALED", SEALED)
    many, more = 1_000, 4_000
    moments = [at(minute) for minute in range(more)]
    if large_first:
        halves = [told_apart(moments[:many]), fetches(moments[many:])]
    else:
        halves = [fetches(moments[:-many]), told_apart(moments[-many:])]
    store = Store(root)
    store.add({FETCH_TABLE.name: pl.concat(halves)}, NOW)
    made = log_parts(root)
    assert all(part.bytes >= SEALED for part in made[:-1])
    assert len(made) > 3
    store.compact(NOW)
    assert log_parts(root) == made
    assert_frame_equal(stored(root, FETCH_TABLE), pl.concat(halves))


def test_where_writing_breaks_off_between_two_parts_none_of_them_counts(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(root)
    store.log(fetches([NOW]), NOW)
    monkeypatch.setattr(parts, "SEALED", SEALED)
    written: list[Path] = []

    def fails_at_the_second(path: Path, content: bytes) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write_bytes(path, content)

    monkeypatch.setattr(parts, "write_bytes", fails_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        store.log(told_apart([at(minute) for minute in range(1, 4_000)]), NOW)
    assert written
    assert not written[0].exists()
    assert stored(root, FETCH_TABLE).height == 1
