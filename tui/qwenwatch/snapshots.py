"""Snapshots out of the tables: of a closed day as it was known when it closed, else as known now.

Imports Polars; what is kept of them for later is read without it (`qwenwatch.ready_snapshot`).
"""

from datetime import date, datetime
from decimal import Decimal
from typing import cast

import msgspec

from qwenwatch.printers.tables import page
from qwenwatch.printers.text import print_markdown, print_text
from qwenwatch.ready_snapshot import Answer, Kept, Question, basis_of, is_settled, write_kept
from qwenwatch.session import Session
from qwenwatch_cache.clock import CLOCK_SKEW, SETTLED
from qwenwatch_cache.frames import USAGE_TABLE
from qwenwatch_cache.identity import load_identity
from qwenwatch_cache.manifest import Manifest
from qwenwatch_cache.market.closing import closing, earliest_closing
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.windows import Grain
from qwenwatch_cache.vendors import load_vendors
from qwenwatch_widgets.views.snapshot import GROUPS, OF_USE, SECTIONS, Ask, Snapshot, take_snapshot


class Taken(msgspec.Struct, frozen=True):
    """A snapshot, and what it is the answer of.

    Attributes:
        snapshot: The answers.
        closed: Whether the day has closed, and this is its answer for ever.
        at: The moment at which it was asked for.
        manifest: The state of the cache before it was asked.
    """

    snapshot: Snapshot
    closed: bool
    at: datetime
    manifest: Manifest


def take(session: Session, ask: Ask, known_at: datetime | None = None) -> Taken:
    """Take a snapshot.

    Args:
        session: The cache.
        ask: What is wanted.
        known_at: Use nothing learned later. None: of a named day that has closed nothing that was
            learned after it closed, else all that is known now.

    Raises:
        NothingToShow: There are no figures for the day asked.
    """
    manifest, now = session.store.manifest(), session.clock()
    closed = closed_at(session, ask) if known_at is None else None
    snapshot = take_snapshot(session.known(known_at or closed), ask)
    return Taken(snapshot, closed is not None, now, manifest)


def closed_at(session: Session, ask: Ask) -> datetime | None:
    """When the day asked about closed, None if it has not, or none was named.

    Raises:
        QwenwatchError: There is no such definition.
    """
    if ask.date is None or ask.date >= session.clock().date():
        return None
    moment: datetime | None = earliest_closing(ask.date)
    counted = OF_USE & set(ask.sections)
    if counted or not ask.models:  # which prices are shown is decided by use, unless they are named
        known = session.known()
        learned = closing(known, session.store, ask.date, ask.grain, ask.metric)
        moment = learned or (None if counted else moment)
    return moment if moment and session.clock() >= moment + SETTLED else None


def ask_of(question: Question) -> Ask:
    """A question with all names looked up.

    Raises:
        QwenwatchError: There is no such model, or several fit.
    """
    return Ask(
        date=date.fromisoformat(question.day),
        sections=SECTIONS,
        groups=GROUPS,
        metric=question.metric,
        grain=cast(Grain, question.window),
        baseline=load_identity().resolve(question.baseline),
        mix=Mix(*(Decimal(part) for part in question.mix)),
    )


def answer_of(snapshot: Snapshot, top: int) -> Answer:
    """The snapshot of a closed day in every form: nothing of the present is in it."""
    from qwenwatch.printers.data import print_json  # takes a while to load, with all its sections

    laid_out = page(snapshot, load_vendors(), top)
    return Answer(
        json=print_json(snapshot),
        text=print_text(laid_out, colour=False),
        coloured=print_text(laid_out, colour=True),
        markdown=print_markdown(laid_out),
    )


def keep(session: Session, question: Question, taken: Taken) -> None:
    """Keep the snapshot of a closed day ready to print, if it is one that will stand."""
    root, manifest, known_at = session.store.address, taken.manifest, taken.snapshot.known_at
    if isinstance(root, str) or not taken.closed or session.store.notices:
        return
    if will_stand(session, manifest, known_at):
        answer, basis = answer_of(taken.snapshot, question.top), basis_of(manifest)
        write_kept(root, Kept(question, answer, known_at, taken.at, basis, answer.checksum))


def will_stand(session: Session, manifest: Manifest, closed: datetime) -> bool:
    """Whether an answer for a day can be kept: nothing may come unnoticed that changes it.

    Nor may there be something already that who asks, in the past, does not know of.

    Args:
        session: The cache.
        manifest: Its state before the answer is computed.
        closed: When the day closed.
    """
    if not is_settled(manifest, closed):
        return False
    learned = session.store.bundled(USAGE_TABLE, columns=[USAGE_TABLE.time])
    newest = learned.get_column(USAGE_TABLE.time).max()
    times = [moment for moment in (newest, manifest.newest) if isinstance(moment, datetime)]
    return max(times) <= session.clock() + CLOCK_SKEW
