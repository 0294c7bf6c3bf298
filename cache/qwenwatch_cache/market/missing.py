"""Which feed could decide a claim that the cache cannot: whether it gives those days when asked."""

from collections.abc import Sequence
from datetime import date

import msgspec

from qwenwatch_cache.claims.claim import PRICES, Claim
from qwenwatch_cache.feeds.openrouter_rankings import EARLIEST as RANKINGS_SINCE
from qwenwatch_cache.feeds.vercel_leaderboard import EARLIEST as VERCEL_SINCE
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.standing_trials import standing_of
from qwenwatch_cache.market.trials import Trial
from qwenwatch_cache.market.usage_scopes import definitions_of

SINCE = {"openrouter-rankings": RANKINGS_SINCE, "vercel-leaderboard": VERCEL_SINCE}
"""First day that a feed gives when it is asked for the past."""

KEYED = frozenset({"openrouter-rankings"})
"""Feeds that need a key."""


class Missing(msgspec.Struct, frozen=True):
    """What is not in the cache and would decide, or narrow the bounds.

    Attributes:
        feed: Who could state it, "" for nobody.
        first: First day needed, None for the present.
        last: Last day.
        fetchable: Whether asking that feed brings it.
        needs_key: Whether it takes an API key.
        reason: In words.
    """

    feed: str
    first: date | None
    last: date | None
    fetchable: bool
    needs_key: bool
    reason: str


def missing_for(known: Known, claim: Claim, trials: Sequence[Trial]) -> list[Missing]:
    """What could decide a claim, or narrow its bounds, of what did not answer.

    Args:
        known: What is known.
        claim: The claim.
        trials: What was found.
    """
    if claim.measure in PRICES:
        if trials:
            return []
        return [Missing("", None, None, False, False, "price feeds state only the present")]
    missing = []
    answered = {trial.feed for trial in trials if not _is_neighbour(trial, claim)}
    for feed in dict.fromkeys(one.feed for one in definitions_of(claim)):
        if feed in answered or claim.period is None or feed not in SINCE:
            continue
        begin, end = claim.period.first, claim.period.last
        begin = begin if claim.since is None else min(begin, claim.since.first)
        can = begin >= SINCE[feed] and end < known.at.date()
        key = feed in KEYED
        how = "`qwenwatch check --fetch` asks for them" + (", with a key" if key else "")
        reason = f"{feed} gives those days: {how}" if can else f"{feed} does not give those days"
        missing.append(Missing(feed, begin, end, can, key, reason))
    for one in standing_of(claim):
        if one.feed in answered:
            continue
        can = claim.period is None
        reason = f"{one.feed} states only the present" + (
            ": `qwenwatch check --fetch` asks for it" if can else ""
        )
        first = None if can or claim.period is None else claim.period.first
        last = None if can or claim.period is None else claim.period.last
        missing.append(Missing(one.feed, first, last, can, False, reason))
    if not definitions_of(claim) and not standing_of(claim):
        reason = f"no feed that is known here counts {claim.metric}"
        missing.append(Missing("", None, None, False, False, reason))
    return missing


def _is_neighbour(trial: Trial, claim: Claim) -> bool:
    period = claim.period
    return period is not None and (trial.first, trial.last) != (period.first, period.last)
