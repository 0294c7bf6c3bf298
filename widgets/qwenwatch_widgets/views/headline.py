"""The lines around the panels: window, definition, totals, freshness, sources."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.market import Headline
from qwenwatch_widgets.views.table import Tone

if TYPE_CHECKING:
    from qwenwatch_cache.health import FeedState
    from qwenwatch_cache.market.board import Board


def headline(
    board: "Board",
    countries: "Board",
    feeds: Sequence["FeedState"],
    now: datetime,
    *,
    offline: bool,
    replayed: bool,
    notices: Sequence[str] = (),
) -> Headline:
    """Put the lines together.

    Args:
        board: The leaderboard shown.
        countries: The same by country.
        feeds: Health of the feeds.
        now: The present moment.
        offline: Whether no feed may be asked.
        replayed: Whether the program was told to believe in another time.
        notices: Messages of the cache, shown before the health of the feeds.
    """
    span = board.window
    state = "complete"
    if not board.complete:
        state = "running" if span.end >= now.date() else "incomplete"
    text, tone = badge(board, offline=offline)
    health, health_tone = health_line(feeds, now)
    if notices:
        health, health_tone = amounts.clean(notices[-1]), "bad"
    if replayed:
        text = f"{text} · replayed at {amounts.instant(now)}"
    return Headline(
        window=f"{amounts.window(span.grain, span.start, span.end)} · {state}",
        badge=text,
        badge_tone=tone,
        summary=summary(board, countries),
        caveat=board.definition.caveat,
        source=board.origin.citation,
        health=health,
        health_tone=health_tone,
    )


def badge(board: "Board", *, offline: bool) -> tuple[str, Tone]:
    """Where the figures come from, in a word."""
    if board.origin.status == "bundled":
        until = f"{board.origin.as_of:%Y-%m-%d}" if board.origin.as_of else amounts.UNKNOWN
        return f"bundled baseline, to {until}", "warn"
    partly = ["partly bundled baseline"] if board.origin.status == "mixed" else []
    if offline:
        return ", ".join(["offline", *partly]), "warn"
    return (partly[0], "warn") if partly else ("live", "up")


def summary(board: "Board", countries: "Board") -> str:
    """Definition, total, and the shares of CN, US, all other countries and what is unattributed."""
    shares = dict(countries.rows.select("id", "share").iter_rows())
    others = [share for id_, share in shares.items() if id_ not in {"CN", "US", "unattributed"}]
    parts = [board.definition.label]
    if board.total is not None:
        change = amounts.growth(board.total, board.previous_total)
        parts.append(amounts.tokens(board.total) + (f" ({change})" if change else ""))
    parts.append(
        "  ".join(
            (
                f"CN {amounts.percent(shares.get('CN'))}",
                f"US {amounts.percent(shares.get('US'))}",
                f"other countries {amounts.percent(sum(others) if others else None)}",
                f"unattributed {amounts.percent(shares.get('unattributed'))}",
            )
        )
    )
    return " · ".join(parts)


def health_line(feeds: Sequence["FeedState"], now: datetime) -> tuple[str, Tone]:
    """How the feeds are doing: ``2 feeds ok · 1 failing (models-dev: …, next 14:20Z)``."""
    parts: list[str] = []
    tone: Tone = "dim"
    for state in ("ok", "stale", "failing", "never asked", "no key"):
        those = [feed for feed in feeds if feed.state == state]
        if not those:
            continue
        noun = f"{len(those)} feed{'s' if len(those) > 1 else ''} {state}"
        if state in {"ok", "never asked"}:
            parts.append(noun)
            continue
        first = those[0]
        detail = first.settings.feed.name
        if state == "stale" and first.last_good:
            detail += f", {amounts.age(now - first.last_good)} old"
        if state == "failing":
            tone = "warn"
            detail += f": {first.error}"
            if first.due:
                detail += f", next {first.due:%H:%MZ}"
        if state == "no key":
            detail += f": set {first.settings.feed.key_env}"
        parts.append(f"{noun} ({amounts.clean(detail)})")
    return " · ".join(parts), tone
