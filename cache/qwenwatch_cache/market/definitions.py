"""What "used most" can mean: each metric of each feed, with what stands behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from qwenwatch_cache.errors import QwenwatchError

By = Literal["vendor", "model", "country"]
GROUPINGS: tuple[By, ...] = get_args(By)


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of the usage table that can answer for a definition."""

    feed: str
    kind: Literal["model", "lab"]
    grain: Literal["day", "week"]


@dataclass(frozen=True, slots=True)
class Definition:
    """One meaning of usage.

    Attributes:
        key: "metric/feed".
        metric: What is counted.
        feed: The live feed that says it.
        label: For people ("tokens · OpenRouter").
        scope: Over what.
        caveat: What the figures are not.
        models: Sources by model, best first; each window is answered by the best one that covers
            it whole.
        vendors: The same by vendor and country.
        page: Where a person can look it up.
    """

    key: str
    metric: str
    feed: str
    label: str
    scope: str
    caveat: str
    models: Sequence[Source]
    vendors: Sequence[Source]
    page: str

    def sources(self, by: By) -> Sequence[Source]:
        """Sources for a grouping, best first."""
        return self.models if by == "model" else self.vendors


_RANKINGS = Source("openrouter-rankings", "model", "day")
_TOKENIZERS = "tokens are counted by each provider's own tokenizer and are not strictly comparable"


def _vercel(metric: str, caveat: str) -> Definition:
    models = Source("vercel-leaderboard", "model", "day")
    return Definition(
        key=f"{metric}/vercel-leaderboard",
        metric=metric,
        feed="vercel-leaderboard",
        label=f"{metric} · Vercel AI Gateway",
        scope="all traffic of Vercel's gateway; mean of the daily shares",
        caveat=caveat,
        models=(models,),
        vendors=(Source("vercel-leaderboard", "lab", "day"), models),
        page="https://vercel.com/ai-gateway/leaderboards",
    )


DEFINITIONS: Mapping[str, Definition] = {
    definition.key: definition
    for definition in (
        Definition(
            key="tokens/openrouter-rankings",
            metric="tokens",
            feed="openrouter-rankings",
            label="tokens · OpenRouter",
            scope="all public traffic of OpenRouter, all variants",
            caveat=_TOKENIZERS,
            models=(_RANKINGS, Source("openrouter-rankings-page", "model", "week")),
            vendors=(_RANKINGS, Source("openrouter-rankings-page", "lab", "week")),
            page="https://openrouter.ai/rankings",
        ),
        _vercel("tokens", _TOKENIZERS),
        _vercel("requests", "requests of very different size count the same"),
        _vercel("spend", "spend favours dear models: it is tokens times price"),
    )
}
"""By key, in the order in which they are switched through."""


def definition_of(key: str) -> Definition:
    """A definition by its key, or by its metric alone if that says it all.

    Raises:
        QwenwatchError: There is none of that name; the message lists what there is.
    """
    if key in DEFINITIONS:
        return DEFINITIONS[key]
    fitting = [one for one in DEFINITIONS.values() if one.metric == key]
    if fitting:
        return fitting[0]
    raise QwenwatchError(f"no definition {key!r}; there are {', '.join(DEFINITIONS)}")
