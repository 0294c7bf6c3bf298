"""Health of the feeds: one row each, and what there is to say about one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.codec import View
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone

if TYPE_CHECKING:
    from qwenwatch_cache.health import FeedState

_TONES: Mapping[str, Tone] = {"ok": "up", "failing": "bad", "stale": "warn"}
_RESTING = frozenset({"off", "no key", "on demand"})


class FeedDetail(View, frozen=True):
    """What there is to say about one feed.

    Attributes:
        feed: Its name, as in the key of its row.
        lines: What it is, how to cite it, what its limits are and what went wrong last.
    """

    feed: str
    lines: tuple[str, ...]


class FeedsView(View, frozen=True):
    """Health of every feed.

    Attributes:
        table: One row per feed.
        notices: Messages about the cache itself (a file set aside, say).
        details: As many as the table has rows.
    """

    table: TableView
    notices: tuple[str, ...]
    details: tuple[FeedDetail, ...] = ()


_COLUMNS = (
    Column("feed", "Feed"),
    Column("state", "State"),
    Column("key", "Key", drop=6),
    Column("last_good", "Last good", drop=4),
    Column("as_of", "As of", drop=5),
    Column("age", "Age", "right"),
    Column("due", "Next", drop=1),
    Column("left", "Left today", "right", drop=3),
    Column("new", "New", "right", drop=7),
    Column("rows", "Rows", "right", drop=7),
    Column("licence", "Licence", drop=8),
    Column("detail", "What, or what is wrong", grow=True),
)


def feeds_view(feeds: Sequence["FeedState"], now: datetime, notices: Sequence[str]) -> FeedsView:
    """Health of every feed."""
    rows = tuple(_row(state, now) for state in feeds)
    return FeedsView(
        table=TableView("Feeds", "public sources and how they are doing", _COLUMNS, rows),
        notices=tuple(amounts.clean(notice) for notice in notices),
        details=tuple(FeedDetail(one.settings.feed.name, _lines(one)) for one in feeds),
    )


def _row(state: "FeedState", now: datetime) -> Row:
    feed = state.settings.feed
    span = now - state.last_good if state.last_good else None
    due = "now" if state.due is None or state.due <= now else _moment(state.due)
    left = f"{state.left_today:,} of {feed.budget:,}"
    cells = (
        Cell(feed.name, sort=feed.name),
        Cell(state.state, _TONES.get(state.state, "dim"), state.state),
        Cell(_key(state), "dim"),
        Cell(_moment(state.last_good), sort=_seconds(state.last_good)),
        Cell(_moment(state.holding.as_of), sort=_seconds(state.holding.as_of)),
        Cell(amounts.age(span), sort=span.total_seconds() if span else None),
        Cell(amounts.UNKNOWN if state.state in _RESTING else due, "dim"),
        Cell(left, "" if state.left_today else "warn", state.left_today),
        Cell(f"{state.rows_new:,}", sort=state.rows_new),
        Cell(f"{state.holding.rows:,}", sort=state.holding.rows),
        Cell(feed.licence, "dim", feed.licence),
        Cell(_detail(state), "bad" if state.error else "dim"),
    )
    return Row(feed.name, cells, cite=_citation(state))


def _detail(state: "FeedState") -> str:
    """The last error, what is missing, or what the feed is."""
    if state.state == "no key":
        feed = state.settings.feed
        needed = f"set {feed.key_env}; any {feed.publisher} API key will do"
        return state.settings.key_withheld or needed
    return amounts.clean(state.error or state.settings.feed.title)


def _lines(state: "FeedState") -> tuple[str, ...]:
    settings, feed = state.settings, state.settings.feed
    every = f"asked every {amounts.age(settings.every)} at most"
    if feed.on_demand is not None:
        every += ", about the model on screen only"
    lines = [
        f"{feed.title} · {feed.page}",
        f"{_citation(state)} · licence: {feed.licence}",
        f"{every} · {state.left_today:,} of {feed.budget:,} requests left today",
        f"last good {amounts.instant(state.last_good)} · as of "
        f"{amounts.instant(state.holding.as_of)} · {state.rows_new:,} rows new in the last round "
        f"with news · {state.holding.rows:,} in the cache",
    ]
    if state.error or state.state == "no key":
        lines.append(f"{state.state}: {_detail(state)}")
    return tuple(lines)


def _citation(state: "FeedState") -> str:
    as_of = state.holding.as_of or state.last_good
    return state.settings.feed.citation.format(as_of=amounts.instant(as_of))


def _key(state: "FeedState") -> str:
    if not state.settings.feed.key_env:
        return "not needed"
    if state.settings.key_withheld:
        return "withheld"
    return "missing" if state.settings.key_missing else "present"


def _moment(moment: datetime | None) -> str:
    return f"{moment:%d %b %H:%MZ}" if moment else amounts.UNKNOWN


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
