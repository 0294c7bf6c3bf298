"""What "used most" can mean: each metric of each feed, with what stands behind it."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import msgspec

from qwenwatch_cache.errors import QwenwatchError

By = Literal["vendor", "model", "country"]
GROUPINGS: tuple[By, ...] = get_args(By)


class Source(msgspec.Struct, frozen=True):
    """Rows of the usage table that can answer for a definition."""

    feed: str
    kind: Literal["model", "lab"]
    grain: Literal["day", "week"]


class Definition(msgspec.Struct, frozen=True):
    """One meaning of usage.

    Attributes:
        key: "name/feed".
        metric: What is counted, as the usage table calls it.
        feed: The live feed that says it.
        label: For people ("tokens · OpenRouter").
        scope: Over what.
        caveat: What the figures are not.
        models: Sources by model, best first; each window is answered by the best one that covers
            it whole.
        vendors: The same by vendor and country.
        page: Where a person can look it up.
        standard_only: Whether rows of a ":variant" are left out; `other` stays, whatever is in it.
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
    standard_only: bool = False

    @property
    def name(self) -> str:
        """What is counted, told apart from the feed's other definitions ("tokens_standard")."""
        return self.key.partition("/")[0]

    def sources(self, by: By) -> Sequence[Source]:
        """Sources for a grouping, best first."""
        return self.models if by == "model" else self.vendors


class Standing(msgspec.Struct, frozen=True):
    """One meaning of usage whose figures come with a span of their own, in no day, week or month.

    Attributes:
        key: "name/feed".
        feed: The feed that says it.
        label: For people.
        unit: What values are counted in.
        kind: Who is ranked; only vendors have a country.
        scope: Over what, in addition to what the feed states.
        caveat: What the figures are not.
        page: Where a person can look it up.
    """

    key: str
    feed: str
    label: str
    unit: str
    kind: Literal["vendor", "app", "session"]
    scope: str
    caveat: str
    page: str

    @property
    def metric(self) -> str:
        """What is counted ("downloads")."""
        return self.key.partition("/")[0]


_RANKINGS = Source("openrouter-rankings", "model", "day")
_PAGE = Source("openrouter-rankings-page", "model", "week")
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
            models=(_RANKINGS, _PAGE),
            vendors=(_RANKINGS, Source("openrouter-rankings-page", "lab", "week")),
            page="https://openrouter.ai/rankings",
        ),
        Definition(
            key="tokens_standard/openrouter-rankings",
            metric="tokens",
            feed="openrouter-rankings",
            label="tokens, standard only · OpenRouter",
            scope="public traffic of OpenRouter without free and other variants of models",
            caveat="variants that the source does not name stay in its rest; " + _TOKENIZERS,
            models=(_RANKINGS, _PAGE),
            # Only rows per model tell a variant: the totals per lab hold all of them.
            vendors=(_RANKINGS, _PAGE),
            page="https://openrouter.ai/rankings",
            standard_only=True,
        ),
        _vercel("tokens", _TOKENIZERS),
        _vercel("requests", "requests of very different size count the same"),
        _vercel("spend", "spend favours dear models: it is tokens times price"),
    )
}
"""By key, in the order in which they are switched through: by vendor, model or country, in a day,
a week or a month."""

_APPS = "apps are no vendors: whose models they ask is not told, nor what share of all they have"


def _app(name: str, label: str, unit: str, caveat: str) -> Standing:
    return Standing(
        key=f"{name}/openrouter-apps",
        feed="openrouter-apps",
        label=f"{label} · OpenRouter apps",
        unit=unit,
        kind="app",
        scope="",
        caveat=caveat,
        page="https://openrouter.ai/apps",
    )


def _hub(name: str, label: str, caveat: str) -> Standing:
    return Standing(
        key=f"{name}/huggingface",
        feed="huggingface",
        label=f"{label} · Hugging Face",
        unit=label,
        kind="vendor",
        scope="shares of their sum, not of the whole Hub",
        caveat=caveat,
        page="https://huggingface.co/models",
    )


STANDING: Mapping[str, Standing] = {
    standing.key: standing
    for standing in (
        _app("tokens", "tokens", "tokens", _APPS),
        _app("requests", "requests", "requests", _APPS),
        _app("tokens_per_request", "tokens per request", "tokens per request", _APPS),
        Standing(
            key="session_cost/openrouter-sessions",
            feed="openrouter-sessions",
            label="dearest sessions · OpenRouter",
            unit="USD",
            kind="session",
            scope="median of sampled sessions of one app, model and number of turns",
            caveat="medians can be neither added nor averaged: nobody has a share of them",
            page="https://openrouter.ai/docs/cookbook/administration/data-api",
        ),
        _hub("downloads", "downloads", "weights fetched to run them oneself, no calls of an API"),
        _hub("likes", "likes", "likes ever given say nothing of use"),
        _hub("open_models", "open models", "a small model counts as much as a large one"),
        _hub("derivatives", "derivatives", "made directly of their models, as the makers declare"),
    )
}
"""By key, in the order in which they are shown, behind `DEFINITIONS`."""


def definition_of(key: str) -> Definition:
    """A definition by its key, or by its name alone if that says it all.

    Raises:
        QwenwatchError: There is none of that name; the message lists what there is.
    """
    if key in DEFINITIONS:
        return DEFINITIONS[key]
    fitting = [one for one in DEFINITIONS.values() if one.name == key]
    if fitting:
        return fitting[0]
    raise QwenwatchError(f"no definition {key!r}; there are {', '.join(DEFINITIONS)}")
