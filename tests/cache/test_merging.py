"""Two caches put together: the union, the same from either side; and the schedule afterwards."""

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from qwenwatch_cache.frames import FETCH_TABLE, PRICE_TABLE, TABLES, USAGE_TABLE, Table
from qwenwatch_cache.refresh import refresh
from qwenwatch_cache.store import Store, as_of
from qwenwatch_cache.store.archive import export_archive, import_archive
from qwenwatch_cache.store.merging import together
from tests.cache.archives import asked, store_at
from tests.cache.played import Player, requests_for, settings_for
from tests.cache.polling import Watch
from tests.cache.rows import MANY, NOW, at, fetches, prices, usage, values_of

LATER = at(60)
MINUTES = 6

names = st.sampled_from("ab")
values = st.dictionaries(names, st.none() | st.integers(0, 3), min_size=1)
amounts = st.dictionaries(names, st.integers(0, 3).map(Decimal), min_size=1)
stated = st.one_of(
    values.map(lambda one: ("usage", one)),
    amounts.map(lambda one: ("price", one)),
    st.lists(st.integers(0, MINUTES), min_size=1, max_size=3).map(lambda one: ("fetch", one)),
)
lives = st.lists(st.tuples(stated, st.sampled_from("fg")), max_size=MINUTES)
"""What a cache heard, one thing a minute."""


def live(root: Path, life: Sequence[tuple[tuple[str, object], str]]) -> Store:
    store = store_at(root)
    for minute, ((what, said), feed) in enumerate(life):
        if what == "usage":
            frame = usage(said, at(minute), feed=feed)  # type: ignore[arg-type]
            store.append({what: frame}, at(minute), whole=MANY, believe=True)
        elif what == "price":
            frame = prices(said, at(minute), feed=feed)  # type: ignore[arg-type]
            store.append({what: frame}, at(minute), believe=True)
        else:
            # As they were logged, which is not the order in which they were made.
            store.log(fetches([at(one) for one in said], feed), at(minute))  # type: ignore[attr-defined]
    return store


def rows_of(store: Store, table: Table) -> set[tuple[object, ...]]:
    return set(store.cached(table).iter_rows())


def put_into(folder: Path, name: str, source: Store, target: Store) -> None:
    export_archive(source, folder / f"{name}.zip")
    import_archive(target, folder / f"{name}.zip", LATER)


@settings(max_examples=20)
@given(lives)
def test_into_an_empty_cache_all_answers_are_the_same(
    life: Sequence[tuple[tuple[str, object], str]],
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source, target = live(folder / "a", life), store_at(folder / "b")
        put_into(folder, "a", source, target)
        for table in (USAGE_TABLE, PRICE_TABLE):
            for minute in range(MINUTES):
                assert_frame_equal(
                    as_of(target.cached(table), table, at(minute)),
                    as_of(source.cached(table), table, at(minute)),
                )
        # The log in its order: the last row of a feed says when it is due.
        assert_frame_equal(target.cached(FETCH_TABLE), source.cached(FETCH_TABLE))
        put_into(folder, "b", target, store_at(folder / "c"))
        assert (folder / "a.zip").read_bytes() == (folder / "b.zip").read_bytes()


@settings(max_examples=15)
@given(lives, lives, lives)
def test_union_from_either_side(
    both: Sequence[tuple[tuple[str, object], str]],
    mine: Sequence[tuple[tuple[str, object], str]],
    yours: Sequence[tuple[tuple[str, object], str]],
) -> None:
    """Two caches with a past in common."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        one, other = live(folder / "a", [*both, *mine]), live(folder / "b", [*both, *yours])
        union = {
            name: rows_of(one, table) | rows_of(other, table) for name, table in TABLES.items()
        }
        export_archive(one, folder / "one.zip")
        put_into(folder, "other", other, one)
        import_archive(other, folder / "one.zip", LATER)
        for name, table in TABLES.items():
            assert rows_of(one, table) == rows_of(other, table) == union[name]
        for table in (USAGE_TABLE, PRICE_TABLE):
            for minute in range(2 * MINUTES):
                assert_frame_equal(
                    as_of(one.cached(table), table, at(minute)),
                    as_of(other.cached(table), table, at(minute)),
                )
        # Nothing is new any more, to either.
        put_into(folder, "again", one, other)
        put_into(folder, "back", other, one)
        for name, table in TABLES.items():
            assert rows_of(one, table) == rows_of(other, table) == union[name]


logged = st.lists(st.integers(0, 9), max_size=8, unique=True)
"""Minutes in which requests were made, in the order in which they were logged."""


@given(logged, logged, logged)
def test_log_of_both_keeps_the_order_of_each(
    shared: Sequence[int], mine: Sequence[int], yours: Sequence[int]
) -> None:
    """Two caches with a past in common."""

    def log(name: str, minutes: Sequence[int]) -> pl.DataFrame:
        made = [asked(at(minute), url="shared") for minute in shared]
        made += [asked(at(minute), url=name) for minute in minutes]
        return pl.concat([FETCH_TABLE.empty(), *made])

    own, other = log("mine", mine), log("yours", yours)
    merged = together(own, other, FETCH_TABLE)
    assert_frame_equal(merged, together(other, own, FETCH_TABLE))
    assert merged.height == len(shared) + len(mine) + len(yours)
    assert_frame_equal(merged.filter(pl.col("url") != "yours"), own)
    assert_frame_equal(merged.filter(pl.col("url") != "mine"), other)


class TestTheLog:
    def test_a_failure_stays_at_the_end_of_its_round(self) -> None:
        """Two caches share a round; one saw its end, at which the failure is logged."""
        shared = pl.concat([asked(at(0), role="part"), asked(at(2), role="part")])
        failure = asked(at(1), error="HTTP 500", status=500, retry_at=at(4))
        other = pl.concat([shared, failure])
        merged = together(shared, other, FETCH_TABLE)
        assert merged.get_column("started").to_list() == [at(0), at(2), at(1)]

    def test_rounds_of_both_lie_in_order_of_time(self) -> None:
        own = pl.concat([asked(at(0)), asked(at(10)), asked(at(9), error="x"), asked(at(30))])
        other = pl.concat([asked(at(5)), asked(at(20)), asked(at(19), error="y")])
        for merged in (together(own, other, FETCH_TABLE), together(other, own, FETCH_TABLE)):
            minutes = [(one - NOW) / timedelta(minutes=1) for one in merged.get_column("started")]
            assert minutes == [0, 5, 10, 9, 20, 19, 30]

    def test_own_rows_that_are_there_twice_hide_no_new_ones(self, tmp_path: Path) -> None:
        store = store_at(tmp_path / "cache")
        store.log(fetches([NOW, NOW, NOW]), NOW)
        assert store.add({"fetch": fetches([NOW, at(1)])}, LATER).rows == 1
        assert at(1) in store.cached(FETCH_TABLE).get_column("started").to_list()


def test_of_one_key_and_one_instant_the_same_row_counts_in_both() -> None:
    one, other = usage({"a": 1, "b": 2}), usage({"a": 2, "b": 2})
    merged = together(one, other, USAGE_TABLE)
    assert_frame_equal(merged, together(other, one, USAGE_TABLE))
    assert sorted(values_of(merged)) == [("a", 1), ("a", 2), ("b", 2)]


def test_what_either_holds_last_stays_last() -> None:
    """Both caches end with 1, one of them had heard 2 at the same instant before."""
    own, other = usage({"a": 1}), pl.concat([usage({"a": 2}), usage({"a": 1})])
    for merged in (together(own, other, USAGE_TABLE), together(other, own, USAGE_TABLE)):
        assert values_of(as_of(merged, USAGE_TABLE)) == [("a", 1)]


@pytest.mark.usefixtures("no_waits")
class TestTheSchedule:
    """A feed that is asked every hour for one thing; two machines, then one cache."""

    async def asks(self, store: Store, player: Player, when: Watch) -> int:
        before = len(player.asked)
        await refresh(store, [settings_for(requests_for("/a"))], when)
        return len(player.asked) - before

    async def test_imported_polls_count_as_made(
        self, tmp_path: Path, player: Player, watch: Watch
    ) -> None:
        mine, yours = store_at(tmp_path / "a"), store_at(tmp_path / "b")
        assert await self.asks(mine, player, watch) == 1
        watch.on(minutes=50)
        assert await self.asks(yours, player, watch) == 1
        export_archive(yours, tmp_path / "x.zip")
        import_archive(mine, tmp_path / "x.zip", watch())
        watch.on(minutes=20)  # alone it would ask again now
        assert await self.asks(mine, player, watch) == 0
        watch.on(minutes=50)
        assert await self.asks(mine, player, watch) == 1

    async def test_older_polls_bring_nothing_forward(
        self, tmp_path: Path, player: Player, watch: Watch
    ) -> None:
        mine, yours = store_at(tmp_path / "a"), store_at(tmp_path / "b")
        player.answers["/a"] = 500
        assert await self.asks(yours, player, watch) > 0
        export_archive(yours, tmp_path / "x.zip")
        del player.answers["/a"]
        watch.on(minutes=10)
        assert await self.asks(mine, player, watch) == 1
        import_archive(mine, tmp_path / "x.zip", watch())
        watch.on(minutes=40)
        assert await self.asks(mine, player, watch) == 0
        watch.on(minutes=30)
        assert await self.asks(mine, player, watch) == 1

    async def test_budget_counts_both(self, tmp_path: Path, player: Player, watch: Watch) -> None:
        feed = settings_for(requests_for("/a", "/b"), budget=5)
        mine, yours = store_at(tmp_path / "a"), store_at(tmp_path / "b")
        for store in (mine, yours):
            await refresh(store, [feed], watch)
            watch.on(minutes=5)
        export_archive(yours, tmp_path / "x.zip")
        import_archive(mine, tmp_path / "x.zip", watch())
        asked_before = len(player.asked)
        watch.on(hours=2)
        await refresh(mine, [feed], watch)
        assert len(player.asked) == asked_before + 1  # of five requests a day four were made

    async def test_the_same_log_gives_the_same_schedule(
        self, tmp_path: Path, player: Player, watch: Watch
    ) -> None:
        """Moved to another machine, a cache asks when it would have asked."""
        mine = store_at(tmp_path / "a")
        player.answers["/a"] = 503
        await self.asks(mine, player, watch)
        export_archive(mine, tmp_path / "x.zip")
        yours = store_at(tmp_path / "b")
        import_archive(yours, tmp_path / "x.zip", watch())
        feed = [settings_for(requests_for("/a"))]
        frozen = Watch(watch(), step=0)
        [here], [there] = await refresh(mine, feed, frozen), await refresh(yours, feed, frozen)
        assert (here.due, here.state) == (there.due, there.state)
        assert here.due is not None and here.due > frozen.now
