"""The table of LLM vendors: who stands behind an author, an organisation or a lab name."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

UNKNOWN = "unknown"
"""Bucket of everything that no vendor of the table stands behind, cloaked models included."""

_PRICE_TABLES = (
    ("models-dev", "models_dev"),
    ("litellm", "litellm"),
    ("alibaba-list", "alibaba_list"),
)
"""Feeds of list prices, and the key of their providers in vendors.toml."""

Key = TypeVar("Key")


class Vendor(msgspec.Struct, frozen=True):
    """One company that makes models.

    Attributes:
        id: Plain lower-case company name, the first half of canonical model ids.
        name: Name of the company.
        label: What screens show.
        name_zh: Chinese name, "" where there is none.
        country: ISO 3166 alpha-2 of the parent company's headquarters, "" if unknown.
        aliases: The feed's own names of the vendor, per namespace ("openrouter", "huggingface",
            "vercel").
        list_prices: Providers that carry the vendor's list prices, by feed ("models-dev",
            "litellm", "alibaba-list"), with the region they hold for ("global", "intl", "cn").
        model_prefixes: How the names of its own models begin, where its providers sell those of
            other makers too; empty where they sell nothing else.
    """

    id: str
    name: str
    label: str
    name_zh: str
    country: str
    aliases: Mapping[str, tuple[str, ...]]
    list_prices: Mapping[str, Mapping[str, str]]
    model_prefixes: tuple[str, ...] = ()

    def makes(self, name: str) -> bool:
        """Whether a model that one of its providers sells is its own, going by the name."""
        return not self.model_prefixes or name.startswith(self.model_prefixes)


class Vendors:
    """All vendors, and exact lookups into them."""

    def __init__(self, vendors: Iterable[Vendor]) -> None:
        """Index the vendors.

        Raises:
            ValueError: Two vendors share an id, an alias or a provider.
        """
        self._by_id: dict[str, Vendor] = {}
        self._by_alias: dict[tuple[str, str], Vendor] = {}
        self._by_provider: dict[tuple[str, str], Vendor] = {}
        for vendor in vendors:
            _claim(self._by_id, vendor.id, vendor, "id")
            for namespace, aliases in vendor.aliases.items():
                for alias in aliases:
                    _claim(self._by_alias, (namespace, alias), vendor, f"{namespace} alias")
            for feed, providers in vendor.list_prices.items():
                for provider in providers:
                    _claim(self._by_provider, (feed, provider), vendor, f"{feed} provider")

    def __iter__(self) -> Iterator[Vendor]:
        """Walk the vendors in the order of the table."""
        return iter(self._by_id.values())

    def __len__(self) -> int:
        """Count the vendors."""
        return len(self._by_id)

    def get(self, vendor_id: str) -> Vendor | None:
        """Return the vendor with this id, if there is one."""
        return self._by_id.get(vendor_id)

    def by_alias(self, namespace: str, alias: str) -> Vendor | None:
        """Return the vendor a feed calls by this name.

        Args:
            namespace: "openrouter", "huggingface" or "vercel".
            alias: The feed's name, verbatim; case counts.
        """
        return self._by_alias.get((namespace, alias))

    def list_price_region(self, feed: str, provider: str) -> tuple[Vendor, str] | None:
        """Return whose list prices a provider of a feed carries, and for which region.

        The vendor is the seller. A provider may also sell models of other makers; those prices
        are list prices of a host, so compare with the vendor of the model's canonical id.

        Args:
            feed: "models-dev", "litellm" or "alibaba-list".
            provider: The feed's own name of the provider, verbatim.
        """
        vendor = self._by_provider.get((feed, provider))
        return None if vendor is None else (vendor, vendor.list_prices[feed][provider])


@cache
def load_vendors() -> Vendors:
    """Read the table that comes with the program."""
    # The copy of vendors.toml that cache/scripts/make_vendors.py makes: it is read much sooner.
    text = files("qwenwatch_cache").joinpath("vendors.json").read_text(encoding="utf-8")
    return Vendors(map(_vendor, json.loads(text)))


def _vendor(table: Mapping[str, Any]) -> Vendor:
    return Vendor(
        id=table["id"],
        name=table["name"],
        label=table["label"],
        name_zh=table.get("name_zh", ""),
        country=table["country"],
        aliases=MappingProxyType({space: tuple(ids) for space, ids in table["aliases"].items()}),
        list_prices=MappingProxyType(
            {feed: MappingProxyType(dict(table.get(key, {}))) for feed, key in _PRICE_TABLES}
        ),
        model_prefixes=tuple(table.get("model_prefixes", ())),
    )


def _claim(index: dict[Key, Vendor], key: Key, vendor: Vendor, what: str) -> None:
    """Enter a vendor under a key that nobody else may hold."""
    holder = index.setdefault(key, vendor)
    if holder is not vendor:
        name = key[-1] if isinstance(key, tuple) else key
        raise ValueError(f"{what} {name!r} is claimed by both {holder.name!r} and {vendor.name!r}")
