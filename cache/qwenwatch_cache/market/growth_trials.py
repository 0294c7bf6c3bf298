"""A claimed growth between two times, under every definition that has figures of both."""

from msgspec.structs import replace

from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.spelled import spelled
from qwenwatch_cache.market.trials import Trial
from qwenwatch_cache.market.usage_trials import usage_trials

SPACE = (
    "counted as: each definition of the metric, all or standard variants",
    "among: the whole platform, only those named, top 5, 9, 10, 20, 50; nobody is left out",
    "when: from the one time stated to the other; both must be",
)


def growth_trials(known: Known, claim: Claim) -> list[Trial]:
    """Try a growth: the same scope at both times, and how much more it is at the later one."""
    if claim.period is None or claim.since is None:
        return []
    sides = [
        {
            (one.conditions, one.feed): one
            for one in usage_trials(known, _side(claim, later=later))
            if not one.moved and not one.less
        }
        for later in (False, True)
    ]
    before, after = sides
    return [
        grown
        for key, one in before.items()
        if key in after and (grown := _grown(one, after[key])) is not None
    ]


def _side(claim: Claim, *, later: bool) -> Claim:
    period = claim.period if later else claim.since
    return replace(claim, measure=claim.growth_of, period=period)


def _grown(before: Trial, after: Trial) -> Trial | None:
    if not before.low or before.high is None or after.high is None:
        return None
    low, high = after.low / before.high - 1, after.high / before.low - 1
    ends = spelled(low, "change"), spelled(high, "change")
    text = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    return replace(
        after,
        low=low,
        high=high,
        scope=f"{after.scope}, against {before.first}..{before.last}",
        arithmetic=f"({before.arithmetic}) → ({after.arithmetic}): {text}",
        first=before.first,
    )
