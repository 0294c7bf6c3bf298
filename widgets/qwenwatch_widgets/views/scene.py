"""What surrounds a question; apart from screens, so that printed answers do not load them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from qwenwatch_cache.health import FeedState
    from qwenwatch_cache.market.prices import Mix


class Scene(msgspec.Struct, frozen=True):
    """What surrounds a question: the present, the feeds and the user's settings.

    Attributes:
        now: The present moment.
        feeds: Health of every feed.
        mix: Workload behind blended prices.
        panels: Vendor ids to show as panels, empty for all in rank order.
        offline: Whether no feed may be asked.
        replayed: Whether the program was told to believe in another time.
        notices: Messages of the cache.
    """

    now: datetime
    feeds: Sequence["FeedState"]
    mix: "Mix"
    panels: Sequence[str] = ()
    offline: bool = False
    replayed: bool = False
    notices: Sequence[str] = msgspec.field(default_factory=tuple)
