"""Where the figures of an arithmetic came from: every feed in it, and no other."""

from collections.abc import Iterable
from datetime import datetime

from qwenwatch_cache.claims.claim import PRICES, Claim
from qwenwatch_cache.feeds import ecb_fx
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.origins import Origin, origin_of
from qwenwatch_cache.market.trials import Source


def origins_of(known: Known, claim: Claim, sources: Iterable[Source]) -> list[Origin]:
    """One origin per feed, by name; each as of the newest of its figures that was used."""
    newest: dict[str, datetime | None] = {}
    for feed, as_of in sources:
        before = newest.get(feed)
        newest[feed] = as_of if before is None else max(before, as_of or before)
    return [_origin(known, claim, feed, newest[feed]) for feed in sorted(newest)]


def _origin(known: Known, claim: Claim, feed: str, as_of: datetime | None) -> Origin:
    if feed == ecb_fx.NAME and as_of is not None:
        return known.rate_origin(feed, as_of.date())
    if claim.measure in PRICES:
        return known.price_origin(feed, known.at)
    own = known.polls.last_own(feed, known.at)
    last = known.polls.last(feed, known.at)
    return origin_of(feed, as_of, last, "bundled" if own is None else "live")
