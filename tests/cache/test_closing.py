"""When a day closes: rows made up by hand, and by chance against plain Python."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.frames import USAGE
from qwenwatch_cache.market.closing import closing, earliest_closing
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.store import Store

SUNDAY = date(2026, 8, 16)
WEEK = [SUNDAY - timedelta(days=back) for back in range(6, -1, -1)]
NOW = datetime(2026, 9, 20, 12, tzinfo=UTC)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def stated(
    day: date, when: datetime, value: int = 100, *, feed: str = "openrouter-rankings"
) -> pl.DataFrame:
    """Tokens of two models on a day, as a feed of values stated them."""
    return rows(day, when, feed, values={"qwen/qwen3-max": value, "other": 900})


def share_of(day: date, when: datetime, share: float = 0.1, kind: str = "lab") -> pl.DataFrame:
    """The share of a name on a day, as Vercel's export states it."""
    return rows(day, when, "vercel-leaderboard", kind=kind, shares={"Alibaba": share, "Rest": 0.5})


def rows(
    day: date,
    when: datetime,
    feed: str,
    *,
    kind: str = "model",
    values: Mapping[str, int | None] | None = None,
    shares: Mapping[str, float] | None = None,
) -> pl.DataFrame:
    entities = [*(values or {}), *(shares or {})]
    return pl.DataFrame(
        [
            {
                "feed": feed,
                "metric": "tokens",
                "kind": kind,
                "entity": entity,
                "grain": "day",
                "period": day,
                "value": (values or {}).get(entity),
                "share": (shares or {}).get(entity),
                "scope": "all",
                "as_of": when,
                "observed_at": when,
            }
            for entity in entities
        ],
        schema=USAGE,
    )


def cache(root: Path, frames: Sequence[pl.DataFrame], bundled: Path | None = None) -> Store:
    """A cache that learned some rows, in order of time."""
    store = Store(root / "cache", bundled=bundled or root / "none")
    for frame in sorted(frames, key=lambda one: one["observed_at"][0]):
        store.append({"usage": frame}, frame["observed_at"][0], believe=True)
    return store


def closes(store: Store, day: date = SUNDAY, at: datetime = NOW) -> datetime | None:
    return closing(Known(store, at), store, day, "week")


def next_morning(day: date) -> datetime:
    return midnight(day + timedelta(days=1)) + timedelta(minutes=5)


class TestOneSource:
    def test_a_day_after_the_day_ended_at_the_earliest(self, tmp_path: Path) -> None:
        store = cache(tmp_path, [stated(day, next_morning(day)) for day in WEEK])
        assert closes(store) == datetime(2026, 8, 18, tzinfo=UTC)
        # The window of a day in the middle of a week is the week before.
        assert closes(store, date(2026, 8, 19)) == datetime(2026, 8, 21, tzinfo=UTC)

    def test_the_midnight_after_the_last_of_its_days_was_learned(self, tmp_path: Path) -> None:
        late = datetime(2026, 8, 20, 9, 30, tzinfo=UTC)
        frames = [stated(day, next_morning(day)) for day in WEEK if day != WEEK[2]]
        store = cache(tmp_path, [*frames, stated(WEEK[2], late)])
        assert closes(store) == datetime(2026, 8, 21, tzinfo=UTC)

    def test_what_was_learned_at_midnight_was_learned_by_then(self, tmp_path: Path) -> None:
        late = datetime(2026, 8, 21, tzinfo=UTC)
        store = cache(tmp_path, [stated(day, late) for day in WEEK])
        assert closes(store) == late

    def test_a_restatement_does_not_move_it(self, tmp_path: Path) -> None:
        store = cache(tmp_path, [stated(day, next_morning(day)) for day in WEEK])
        later = datetime(2026, 9, 1, 8, tzinfo=UTC)
        for day in WEEK:
            store.append({"usage": stated(day, later, 200)}, later)
        assert closes(store) == datetime(2026, 8, 18, tzinfo=UTC)

    def test_the_baseline_counts(self, tmp_path: Path) -> None:
        bundled = tmp_path / "bundled"
        bundled.mkdir()
        known = [stated(day, datetime(2026, 8, 19, 1, tzinfo=UTC)) for day in WEEK[:6]]
        pl.concat(known).write_parquet(bundled / "usage.parquet")
        late = datetime(2026, 8, 25, 1, tzinfo=UTC)
        store = cache(tmp_path, [stated(day, late, 200) for day in WEEK[:6]], bundled)
        assert closes(store) is None
        late = datetime(2026, 8, 27, 1, tzinfo=UTC)
        store.append({"usage": stated(WEEK[6], late)}, late)
        assert closes(store) == datetime(2026, 8, 28, tzinfo=UTC)

    def test_what_is_not_known_yet_does_not_count(self, tmp_path: Path) -> None:
        store = cache(tmp_path, [stated(day, next_morning(day)) for day in WEEK])
        sunday_evening = datetime(2026, 8, 16, 22, tzinfo=UTC)
        assert closes(store, at=sunday_evening) is None
        monday_morning = datetime(2026, 8, 17, 0, 4, tzinfo=UTC)
        assert closes(store, at=monday_morning) is None
        a_minute_later = datetime(2026, 8, 17, 0, 5, tzinfo=UTC)
        assert closes(store, at=a_minute_later) == datetime(2026, 8, 18, tzinfo=UTC)

    def test_no_figures_no_closing(self, tmp_path: Path) -> None:
        assert closes(cache(tmp_path, [])) is None
        store = cache(tmp_path, [stated(day, next_morning(day)) for day in WEEK])
        assert closes(store, SUNDAY + timedelta(days=7)) is None
        with pytest.raises(QwenwatchError, match="no definition"):
            closing(Known(store, NOW), store, SUNDAY, "week", "no-such-metric")


class TestSeveralSources:
    def test_a_better_source_moves_it_to_the_midnight_after_it_came(self, tmp_path: Path) -> None:
        frames = [share_of(day, next_morning(day), kind=kind) for day in WEEK for kind in LABS]
        store = cache(tmp_path, frames)
        assert closes(store) == datetime(2026, 8, 18, tzinfo=UTC)
        backfilled = datetime(2026, 9, 3, 14, tzinfo=UTC)
        for day in WEEK:
            store.append({"usage": stated(day, backfilled)}, backfilled, whole=frozenset())
        assert closes(store) == datetime(2026, 9, 4, tzinfo=UTC)

    def test_a_source_that_does_not_answer_does_not_hold_it_up(self, tmp_path: Path) -> None:
        late = datetime(2026, 8, 30, 3, tzinfo=UTC)
        frames = [stated(day, next_morning(day)) for day in WEEK]
        frames += [share_of(day, late, kind=kind) for day in WEEK for kind in LABS]
        assert closes(cache(tmp_path, frames)) == datetime(2026, 8, 18, tzinfo=UTC)

    def test_models_and_labs_of_one_source_both_count(self, tmp_path: Path) -> None:
        late = datetime(2026, 8, 22, 3, tzinfo=UTC)
        frames = [share_of(day, next_morning(day), kind="lab") for day in WEEK]
        frames += [share_of(day, late, kind="model") for day in WEEK]
        assert closes(cache(tmp_path, frames)) == datetime(2026, 8, 23, tzinfo=UTC)


LABS = ("lab", "model")
MINUTES = st.integers(min_value=1, max_value=20 * 24 * 60)


@given(st.lists(st.tuples(MINUTES, MINUTES), min_size=7, max_size=7))
@settings(max_examples=40, deadline=None)
def test_the_answer_of_a_closed_day_is_whole_and_stands(
    offsets: Sequence[tuple[int, int]],
) -> None:
    """Each day is stated some minutes after it ended, and stated anew some minutes after that."""
    first, again = {}, {}
    for day, (minutes, more) in zip(WEEK, offsets, strict=True):
        first[day] = midnight(day + timedelta(days=1)) + timedelta(minutes=minutes)
        again[day] = first[day] + timedelta(minutes=more)
    frames = [stated(day, when) for day, when in first.items()]
    frames += [stated(day, when, 200) for day, when in again.items()]
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "cache", bundled=Path(folder))
        store.add({"usage": pl.concat(frames)}, NOW)
        moment = closes(store, at=datetime(2026, 12, 1, tzinfo=UTC))
        # By hand: the first midnight that is not before any of these.
        wanted = [*first.values(), midnight(SUNDAY + timedelta(days=2))]
        candidates = [midnight(SUNDAY) + timedelta(days=days) for days in range(60)]
        assert moment == min(one for one in candidates if one >= max(wanted))
        # And at every time from then on it is the same moment, with the same whole window.
        for later in (moment, moment + timedelta(hours=1), datetime(2026, 12, 1, tzinfo=UTC)):
            assert closes(store, at=later) == moment
        known = Known(store, moment)
        definition = known.choose_definition("week", "", SUNDAY)
        window = known.choose_window(definition, "week", SUNDAY)
        assert window.start == WEEK[0]
        assert known.board(definition, "model", window).complete


def test_prices_close_a_day_after_the_day() -> None:
    assert earliest_closing(date(2026, 2, 28)) == datetime(2026, 3, 2, tzinfo=UTC)
