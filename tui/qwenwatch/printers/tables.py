"""The tables of a snapshot for people, before they are laid out as text or Markdown."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from qwenwatch_cache.clock import is_replayed
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Page
from qwenwatch_widgets.views.headline import badge
from qwenwatch_widgets.views.sources import source_line

if TYPE_CHECKING:
    from qwenwatch_cache.vendors import Vendors
    from qwenwatch_widgets.views.snapshot import Snapshot
    from qwenwatch_widgets.views.table import TableView


def page(
    snapshot: "Snapshot", vendors: "Vendors", top: int, *, offline: bool = False, health: str = ""
) -> Page:
    """Lay a snapshot out for people.

    Args:
        snapshot: The answers.
        vendors: For the vendors' names.
        top: Rows of a leaderboard, and models compared by price unless they were named; 0 for all.
        offline: Whether no feed may be asked.
        health: One line about the feeds, "" if it is not wanted.
    """
    lines = [f"known at {amounts.instant(snapshot.known_at)}"]
    if snapshot.window is not None:
        span = snapshot.window
        lines.insert(0, amounts.window(span.grain, span.start, span.end))
    if snapshot.ask.at is not None:
        lines.insert(0, f"prices at {amounts.instant(snapshot.priced_at)}")
    elif snapshot.prices is not None and snapshot.priced_at.date() > snapshot.date:
        lines.append(f"prices of now, {amounts.instant(snapshot.priced_at)}")
    if is_replayed():
        lines.append("replayed")
    if health:
        lines.append(health)
    boards = list(snapshot.boards.values())
    if boards:
        text, _ = badge(boards[0], offline=offline)
        lines[1:1] = [boards[0].definition.label, f"figures: {text}"]
        lines.append(boards[0].definition.caveat)
    return Page(
        title=f"qwenwatch {_name(snapshot)} {snapshot.date}",
        lines=lines,
        tables=list(_tables(snapshot, vendors, top)),
        sources=[source_line(origin, snapshot.known_at) for origin in snapshot.origins],
    )


def _tables(snapshot: "Snapshot", vendors: "Vendors", top: int) -> Iterator["TableView"]:
    """The tables of what was asked for; what makes the others is not even loaded."""
    if snapshot.boards:
        from qwenwatch_widgets.views.leaders import leaders_table

        for board in snapshot.boards.values():
            yield leaders_table(board, top=top)
    if snapshot.definitions is not None:
        from qwenwatch_widgets.views.definition_tables import definitions_table

        yield definitions_table(snapshot.definitions)
    if snapshot.spend is not None:
        from qwenwatch_widgets.views.spend import spend_table

        yield spend_table(snapshot.spend, top=top)
    if snapshot.changes is not None:
        from qwenwatch_widgets.views.change_log import log_table

        yield log_table(snapshot.changes, top)
    if snapshot.prices is not None:
        yield _prices(snapshot, vendors, top)


def _name(snapshot: "Snapshot") -> str:
    """The command that answers just this."""
    sections = tuple(snapshot.ask.sections)
    if len(sections) > 1:
        return "snapshot"
    return {"leaderboards": "leaders"}.get(sections[0], sections[0])


def _prices(snapshot: "Snapshot", vendors: "Vendors", top: int) -> "TableView":
    from qwenwatch_widgets.views.price_extras import with_extras
    from qwenwatch_widgets.views.prices import prices_table

    assert snapshot.prices is not None
    only = {*snapshot.ask.models, snapshot.ask.baseline}
    if not snapshot.ask.models:
        there = set(snapshot.prices["model"])
        used = [model for model in snapshot.order if model in there]
        only |= set(used[:top]) if top and used else there
    ask, origins = snapshot.ask, {origin.feed: origin for origin in snapshot.origins}
    table = prices_table(
        snapshot.prices,
        baseline=snapshot.ask.baseline,
        mix=snapshot.ask.mix,
        at=snapshot.priced_at,
        names={vendor.id: vendor.label for vendor in vendors},
        origins=origins,
        order=snapshot.order,
        only=only,
        variant=ask.terms.variant or "",
    )
    return with_extras(table, snapshot.prices, ask.terms, origins, batch=bool(ask.models))
