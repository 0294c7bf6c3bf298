"""A claim against figures that come with a span of their own: downloads, open models, likes."""

from datetime import datetime, timedelta
from decimal import Decimal

from qwenwatch_cache.claims.claim import Claim
from qwenwatch_cache.market.definitions import STANDING, Standing
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.spelled import amount, spelled
from qwenwatch_cache.market.standing import ROLLING_DAYS, Reach
from qwenwatch_cache.market.trials import Trial

LATELY = timedelta(days=30)
"""A figure that old is still one of now."""


def standing_of(claim: Claim) -> list[Standing]:
    """Those that count what the claim is about, per vendor."""
    return [
        one
        for one in STANDING.values()
        if one.metric == claim.metric and one.kind == "vendor" and claim.feed in {"any", one.feed}
    ]


def standing_trials(known: Known, claim: Claim) -> list[Trial]:
    """Try a total or a share of a vendor or a country under each such figure."""
    if claim.measure not in {"total", "share"} or claim.kind not in {"vendor", "country"}:
        return []
    reach = Reach((known.at - LATELY).date(), known.at.date())
    if claim.period is not None:
        reach = Reach(claim.period.first, claim.period.last)
        if claim.period.days < ROLLING_DAYS:
            reach = Reach(claim.period.last - timedelta(days=ROLLING_DAYS), claim.period.last)
    trials = []
    for one in standing_of(claim):
        newest = known.standing.usage(one.feed, "org", one.metric, reach)
        if newest is None:
            continue
        amounts: dict[str, int] = {}
        for entity, value in newest.rows.select("entity", "value").sort("entity").iter_rows():
            vendor = known.directory.lab(one.feed, entity)
            of = vendor if claim.kind == "vendor" else known.directory.country(vendor)
            amounts[of] = amounts.get(of, 0) + int(value)
        if claim.of in amounts:
            trials.append(_trial(claim, one, amounts, newest.as_of, newest.start, newest.end))
    return trials


def _trial(
    claim: Claim,
    one: Standing,
    amounts: dict[str, int],
    as_of: datetime,
    start: object,
    end: object,
) -> Trial:
    own, everything = Decimal(amounts[claim.of]), Decimal(sum(amounts.values()))
    value, text = own, f"{amount(own)} {one.unit}"
    if claim.measure == "share":
        value = own / everything if everything else Decimal(0)
        text = f"{amount(own)} ÷ {amount(everything)} = {spelled(value, 'share')}"
    last = as_of.date()
    return Trial(
        conditions=(),
        scope=f"{one.label}, {start or end} to {end}; {one.scope}",
        low=value,
        high=value,
        arithmetic=text,
        feed=one.feed,
        as_of=as_of,
        first=last,
        last=last,
    )
