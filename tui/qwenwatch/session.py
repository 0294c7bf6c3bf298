"""One run's cache, clock and feeds, and the questions put to them. Imports Polars."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from qwenwatch.config import Config
from qwenwatch.ready_health import tails_now
from qwenwatch.settings import feed_settings
from qwenwatch_cache.clock import CLOCK_SKEW, Clock, is_replayed
from qwenwatch_cache.frames import FETCH_TABLE
from qwenwatch_cache.health import FeedState, feed_states, holdings_of, states_of
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.schedule import FeedSettings
from qwenwatch_cache.store import Store
from qwenwatch_widgets.views.scene import Scene

if TYPE_CHECKING:
    from qwenwatch_cache.outcome import Outcome
    from qwenwatch_cache.refresh import Progress

ONLY_READ = "only read here: poll on the machine that owns the cache"
"""Said of a cache in an object store."""

FRESH = timedelta(minutes=1)
"""How long an answer about "now" may be reused while nothing was stored."""


class Session(msgspec.Struct):
    """What every command and the screen work with.

    Attributes:
        config: The configuration.
        clock: The one clock.
        store: The cache.
        feeds: What is to be asked, and how.
        offline: Whether no feed may be asked; so it is where nothing can be stored.
    """

    config: Config
    clock: Clock
    store: Store
    feeds: Sequence[FeedSettings]
    offline: bool
    _known: Known | None = None
    _stamp: str = ""

    @classmethod
    def open(cls, config: Config, clock: Clock, *, offline: bool) -> "Session":
        """Open the cache that the configuration names.

        Raises:
            ConfigError: The configuration of the feeds is wrong.
            StoreError: The cache cannot be used.
        """
        offline = offline or isinstance(config.cache_dir, str)
        return cls(config, clock, Store(config.cache_dir), feed_settings(config), offline)

    def known(self, at: datetime | None = None) -> Known:
        """What was known at a time, by default now."""
        if at is not None:
            return Known(self.store, at)
        # The log too: when prices were last confirmed is part of what is known.
        now, stamp = self.clock(), self.store.stamp() + self.store.stamp(FETCH_TABLE)
        if self._known is None or stamp != self._stamp or now - self._known.at > FRESH:
            newest = self.store.last_observed()
            ahead = newest is not None and now < newest <= now + CLOCK_SKEW
            at = newest if newest and ahead else now
            # Whole seconds are what is printed, and what --known-at must bring back.
            self._known = Known(self.store, at.replace(microsecond=0) + timedelta(seconds=1))
            self._stamp = stamp
        return self._known

    @property
    def mix(self) -> Mix:
        """The workload behind blended prices."""
        return Mix(*self.config.mix)

    def scene(self) -> Scene:
        """The present, the feeds and the settings around a question."""
        now = self.clock()
        return Scene(
            now=now,
            feeds=states_of(tails_now(self.store, self.feeds, now), self.feeds, now),
            mix=self.mix,
            panels=self.config.panels,
            offline=self.offline,
            replayed=is_replayed(),
            notices=tuple(self.store.notices),
        )

    def health(self) -> Sequence[FeedState]:
        """Health of the feeds, and what the cache holds of each; reads all of the cache."""
        log = self.store.cached(FETCH_TABLE)
        return feed_states(log, self.feeds, self.clock(), holdings_of(self.store))

    def remarks(self) -> Sequence[str]:
        """What there is to say about the cache itself, though nothing is wrong with it."""
        return [ONLY_READ] if isinstance(self.store.address, str) else []

    async def refresh(
        self,
        *,
        only: Sequence[str] = (),
        force: bool = False,
        gap: timedelta = timedelta(0),
        backfill: bool = False,
        days: tuple[date, date] | None = None,
        report: Callable[["Outcome"], None] = lambda outcome: None,
        progress: "Progress" = lambda feed, made, all_of_them: None,
    ) -> Sequence["Outcome"]:
        """Ask the feeds that are due (see `qwenwatch_cache.refresh`).

        Raises:
            StoreError: The cache cannot be written.
        """
        # Only a round over the feeds needs the network's libraries; a question must not load them.
        from qwenwatch_cache.refresh import Wish, refresh

        feeds = [one for one in self.feeds if not only or one.feed.name in only]
        if backfill and not only:
            feeds = [one for one in feeds if one.feed.backfill is not None]
        kept = self.config.raw_days
        wish = Wish(force=force, gap=gap, backfill=backfill, days=days, body_days=kept)
        return await refresh(self.store, feeds, self.clock, wish, report=report, progress=progress)

    async def ask_about(self, model: str) -> "Outcome":
        """Ask which hosts serve a model (see `qwenwatch_cache.refresh.ask_about`).

        Args:
            model: OpenRouter's id of the model.

        Raises:
            StoreError: The cache cannot be written.
        """
        from qwenwatch_cache.refresh import ask_about

        settings = next(one for one in self.feeds if one.feed.on_demand is not None)
        days = self.config.raw_days
        return await ask_about(self.store, settings, model, self.clock, body_days=days)
