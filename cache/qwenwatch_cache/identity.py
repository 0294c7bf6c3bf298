"""Which ids of which feeds are the same model.

The map is written, never guessed: `identity.csv` is made by `cache/scripts/make_identity.py` from
what models.dev and OpenRouter publish about their own ids, plus a short reviewed list.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType

import msgspec

from qwenwatch_cache.errors import QwenwatchError

OPENROUTER_FEEDS = frozenset({"openrouter-models", "openrouter-rankings"})
"""Feeds whose ids may end in a ":variant"."""

_SHOWN = 8


class UnknownModel(QwenwatchError, LookupError):
    """No model goes by what was asked for."""

    def __init__(self, text: str) -> None:
        """Say what was asked for."""
        super().__init__(f"No model is called {text!r}, in full or in part.")


class AmbiguousModel(QwenwatchError, LookupError):
    """Several models go by what was asked for.

    Attributes:
        candidates: The canonical ids of all of them, sorted.
    """

    def __init__(self, text: str, candidates: Iterable[str]) -> None:
        """Say what was asked for and what it may mean."""
        self.candidates = tuple(sorted(candidates))
        shown = ", ".join(self.candidates[:_SHOWN])
        more = len(self.candidates) - _SHOWN
        rest = f" and {more} more" if more > 0 else ""
        super().__init__(
            f"{text!r} fits {len(self.candidates)} models: {shown}{rest}. Give one of these ids."
        )


class Identity:
    """The map between canonical model ids (`vendor/model`) and the feeds' own ids."""

    def __init__(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Index the map.

        Args:
            rows: (canonical id, feed, the feed's own id).

        Raises:
            ValueError: An id of a feed stands for two models.
        """
        self._rows = list(rows)
        self._canonical = {(feed, model): canonical for canonical, feed, model in self._rows}
        if len(self._canonical) < len(self._rows):
            for canonical, feed, model in self._rows:
                holder = self._canonical[feed, model]
                if holder != canonical:
                    raise ValueError(f"{feed} id {model!r} is both {canonical!r} and {holder!r}")

    def __len__(self) -> int:
        """Count the models."""
        return len(self._ids)

    def canonical(self, feed: str, model: str) -> str | None:
        """Return the canonical id of a feed's own id, matched exactly.

        Args:
            feed: "openrouter-models", "openrouter-rankings", "models-dev", "litellm",
                "alibaba-list", "vercel-leaderboard" or "huggingface".
            model: The feed's own id; a ":variant" of an OpenRouter id belongs to its base id.
        """
        if feed in OPENROUTER_FEEDS:
            model, _ = split_variant(model)
        return self._canonical.get((feed, model))

    def ids(self, canonical: str) -> Mapping[str, tuple[str, ...]]:
        """Return the feeds' own ids of a model: feed -> ids, empty if it is not in the map."""
        return MappingProxyType(self._ids.get(canonical, {}))

    def resolve(self, text: str) -> str:
        """Find the model that somebody typed.

        Tried in this order, upper and lower case alike: a canonical id; an id of any feed; the
        model half of either; a part of either. The first that fits anything decides.

        Raises:
            AmbiguousModel: Several models fit.
            UnknownModel: None fits.
        """
        wanted = text.strip().casefold()
        if not wanted:
            raise UnknownModel(text)
        if wanted in self._canonical.values():
            return wanted
        base, _ = split_variant(wanted)
        found = (
            self._called(lambda name: name == wanted)
            or self._called(lambda name: name == base)
            or self._called(lambda name: name.rpartition("/")[2] == wanted)
            or self._called(lambda name: name.rpartition("/")[2] == base)
            or self._called(lambda name: wanted in name)
        )
        if not found:
            raise UnknownModel(text)
        if len(found) > 1:
            raise AmbiguousModel(text, found)
        return next(iter(found))

    @cached_property
    def _ids(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """The feeds' own ids of every model; few questions need it."""
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for canonical, feed, model in self._rows:
            ids = found.setdefault(canonical, {})
            ids[feed] = (*ids.get(feed, ()), model)
        return found

    def _called(self, fits: Callable[[str], bool]) -> set[str]:
        """Canonical ids of the models of which a name fits, in lower case."""
        return {canonical for name, canonical in self._names if fits(name)}

    @cached_property
    def _names(self) -> Sequence[tuple[str, str]]:
        """Every name of a model in lower case, with the canonical id it stands for."""
        own = [(canonical, canonical) for canonical in set(self._canonical.values())]
        return own + [(model.casefold(), canonical) for canonical, _, model in self._rows]


class Relation(msgspec.Struct, frozen=True):
    """One line of the map.

    Attributes:
        canonical: Canonical id of the model.
        feed: The feed.
        id: Its own id of the model.
        source: Who publishes that it is that model, or the reason of the person who reviewed it.
    """

    canonical: str
    feed: str
    id: str
    source: str


@cache
def load_identity() -> Identity:
    """Read the map that comes with the program."""
    return Identity((canonical, feed, model) for canonical, feed, model, _ in _lines())


def relations(canonical: str) -> Sequence[Relation]:
    """The lines of the map about a model, by feed and id; none if it is not in the map."""
    return [Relation(*line) for line in _lines() if line[0] == canonical]


def _lines() -> Iterator[list[str]]:
    text = files("qwenwatch_cache").joinpath("identity.csv").read_text(encoding="utf-8")
    rows = csv.reader(text.splitlines())
    next(rows)
    return rows


def split_variant(model: str) -> tuple[str, str]:
    """Split an OpenRouter id: "x/y:free" -> ("x/y", "free"), "x/y" -> ("x/y", "")."""
    base, _, variant = model.partition(":")
    return base, variant


def split_model(id_: str) -> tuple[str, str]:
    """Split the id of a model as this program writes it into model and variant.

    "x/y:free" is ("x/y", "free"), "a:b@litellm" is no variant: a feed's own id may have a colon.
    """
    own, at, feed = id_.rpartition("@")
    base, variant = split_variant(feed)
    return f"{own}{at}{base}", variant
