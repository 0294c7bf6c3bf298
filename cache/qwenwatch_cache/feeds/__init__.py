"""The feeds, each in a file of its own. Adding one takes its file, its tests and a line here."""

import msgspec

from qwenwatch_cache.feeds import (
    alibaba_list,
    ecb_fx,
    huggingface,
    litellm,
    models_dev,
    openrouter_apps,
    openrouter_endpoints,
    openrouter_models,
    openrouter_rankings,
    openrouter_sessions,
    openrouter_tasks,
    vercel_leaderboard,
)

FEEDS = {
    feed.name: feed
    for feed in (
        openrouter_rankings.FEED,
        openrouter_apps.FEED,
        openrouter_sessions.FEED,
        openrouter_tasks.FEED,
        vercel_leaderboard.FEED,
        openrouter_models.FEED,
        openrouter_endpoints.FEED,
        models_dev.FEED,
        litellm.FEED,
        alibaba_list.FEED,
        ecb_fx.FEED,
        huggingface.FEED,
    )
}
"""All feeds by name, in the order in which they are shown."""


class Credit(msgspec.Struct, frozen=True):
    """What must stand beside figures of a source.

    Attributes:
        publisher: Who publishes them, in a word.
        licence: Licence of the figures.
        citation: How to cite them; ``{as_of}`` is filled in.
        page: Where a person can look them up.
    """

    publisher: str
    licence: str
    citation: str
    page: str


CREDITS = {
    # Not polled: weekly totals of past weeks in the bundled baseline, as published on that page.
    "openrouter-rankings-page": Credit(
        openrouter_rankings.FEED.publisher,
        openrouter_rankings.FEED.licence,
        openrouter_rankings.FEED.citation,
        openrouter_rankings.FEED.page,
    ),
    **{
        feed.name: Credit(feed.publisher, feed.licence, feed.citation, feed.page)
        for feed in FEEDS.values()
    },
}
"""By the `feed` column of the frames."""

__all__ = ["CREDITS", "FEEDS", "Credit"]
