"""What is said on standard error and in the screen's log about work on the feeds."""

from datetime import datetime
from typing import TYPE_CHECKING

from qwenwatch_widgets.views.amounts import clean

if TYPE_CHECKING:
    from qwenwatch_cache.outcome import Outcome


def outcome_line(outcome: "Outcome", now: datetime) -> str:
    """One feed's outcome in one line."""
    text = f"{outcome.feed}: {outcome.state}"
    if outcome.state in {"stored", "unchanged"}:
        text += f", {outcome.rows:,} rows read, {outcome.rows_new:,} new"
    elif outcome.rows_new:
        text += f", {outcome.rows_new:,} new rows stored"
    if outcome.message:
        text += f" ({outcome.message})"
    if outcome.refused:
        rules = ", ".join(f"{count:,} {rule}" for rule, count in sorted(outcome.refused.items()))
        text += f"; left out: {rules}"
    if outcome.notes:
        text += f" (the first: {outcome.notes[0]})"  # a line must stay one that is read
    if outcome.doubted:
        first, count = outcome.doubted[0], len(outcome.doubted)
        text += f"; jumped, and not shown until it has stood for a week: {count:,} ({first})"
    if outcome.due and outcome.state in {"not due", "failed"}:
        text += f"; next {outcome.due:%Y-%m-%d %H:%MZ}"
    return clean(text)  # messages quote what feeds sent
