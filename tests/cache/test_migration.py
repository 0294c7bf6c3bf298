"""Caches of earlier versions: read where they are, migrated by the next write."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch.printers.data import print_ndjson
from qwenwatch_cache.frames import TABLES, USAGE_TABLE
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.store import Store
from qwenwatch_widgets.views.snapshot import Ask, take_snapshot
from tests.cache.old_caches import CACHES, LATER, OLD, assert_holds, rows_by_plain_polars
from tests.cache.polling import NO_BASELINE
from tests.cache.rows import MANY, files_of, leftovers, usage, wrong_sums


@pytest.fixture(params=CACHES)
def old(request: pytest.FixtureRequest, root: Path) -> Path:
    """A cache that an earlier version wrote."""
    shutil.copytree(OLD / request.param, root)
    return root


WRITES: dict[str, Callable[[Store], object]] = {
    "repair": lambda store: store.repair(LATER),
    "compact": lambda store: store.compact(LATER),
    "log": lambda store: store.log(TABLES["fetch"].empty(), LATER),
    "append": lambda store: store.append({"usage": USAGE_TABLE.empty()}, LATER),
    "add": lambda store: store.add({"usage": USAGE_TABLE.empty()}, LATER),
    "keep a body": lambda store: store.keep_body("f", b"{}", "0" * 64, LATER),
}


class TestMigration:
    def test_it_is_read_where_it_is(self, old: Path) -> None:
        rows, before = rows_by_plain_polars(old), files_of(old)
        assert sum(frame.height for frame in rows.values()) > 300
        assert_holds(old, rows)
        reader = Store(old)
        times = [frame["observed_at"] for name, frame in rows.items() if name != "fetch"]
        assert reader.last_observed() == pl.concat(times).max()
        assert reader.stamp()
        assert reader.notices == []
        assert files_of(old) == before

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
    def test_the_first_write_migrates(self, old: Path, write: Callable[[Store], object]) -> None:
        rows, before = rows_by_plain_polars(old), files_of(old)
        store = Store(old)
        write(store)
        assert store.notices == []
        assert json.loads((old / "format.json").read_text()) == {"format": 2}
        assert_holds(old, rows)
        assert wrong_sums(old) == []
        Store(old).repair(LATER)
        assert leftovers(old) == []
        assert not (old / "previous").exists()
        for folder in ("bodies", "set-aside"):
            for path, content in before.items():
                if path.is_relative_to(old / folder):
                    assert path.read_bytes() == content

    def test_what_is_ready_is_kept(self, old: Path) -> None:
        (old / "ready").mkdir()
        (old / "ready" / "market.json").write_text("{}")
        Store(old).repair(LATER)
        assert (old / "ready" / "market.json").read_text() == "{}"

    def test_writing_goes_on(self, old: Path) -> None:
        rows = dict(rows_by_plain_polars(old))
        fresh = usage({"new": 1}, LATER, feed="g")
        Store(old).append({"usage": fresh}, LATER, whole=MANY)
        rows["usage"] = pl.concat([rows["usage"], fresh])
        assert_holds(old, rows)

    def test_a_reader_that_is_open_sees_it_through(self, old: Path) -> None:
        rows = rows_by_plain_polars(old)
        reader = Store(old)
        stamp = reader.stamp()
        Store(old).repair(LATER)
        for name, table in TABLES.items():
            assert reader.cached(table).height == rows[name].height
        assert reader.stamp() != stamp
        assert reader.notices == []

    def test_rows_that_were_lost_before_are_still_known_to_be(self, root: Path) -> None:
        shutil.copytree(OLD / "format-1-last", root)
        [aside] = (root / "set-aside").iterdir()
        moment = datetime(2026, 8, 18, 14, 1, 42, tzinfo=UTC)
        assert aside.name == f"price-{moment:%Y%m%dT%H%M%S}.000000Z.parquet"
        Store(root).repair(LATER)
        assert Store(root).last_damage("openrouter-models") == moment

    def test_without_losses_there_are_none(self, root: Path) -> None:
        shutil.copytree(OLD / "format-1-first", root)
        Store(root).repair(LATER)
        assert Store(root).last_damage("openrouter-models") is None


class TestAnswers:
    """A snapshot of the past is the same as the program of that time printed it."""

    @pytest.mark.parametrize("day", [18, 19])
    @pytest.mark.parametrize("migrated", [False, True])
    def test_known_at(
        self, old: Path, request: pytest.FixtureRequest, day: int, migrated: bool
    ) -> None:
        if migrated:
            Store(old).repair(LATER)
            Store(old).compact(LATER)
        ask = Ask(
            date=date(2026, 8, day - 1),
            sections=("leaderboards", "prices"),
            groups=("vendor", "model"),
            metric="",
            grain="week",
            baseline="anthropic/claude-opus-4.8",
            mix=Mix(),
        )
        known = Known(Store(old, bundled=NO_BASELINE), datetime(2026, 8, day, tzinfo=UTC))
        printed = [
            json.loads(line) for line in print_ndjson(take_snapshot(known, ask)).splitlines()
        ]
        name = request.node.callspec.params["old"]
        then = (OLD / f"{name}-known-2026-08-{day}.ndjson").read_text(encoding="utf-8")
        assert [stored_facts(one) for one in printed] == [
            stored_facts(json.loads(line)) for line in then.splitlines()
        ]


def stored_facts(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what came since: three fields of a price; and names, as maps get better."""
    new = ("up_to", "cross_check", "tier_from")
    names = ("id", "model", "name", "vendor", "country")
    return {name: value for name, value in row.items() if name not in (*new, *names)}
