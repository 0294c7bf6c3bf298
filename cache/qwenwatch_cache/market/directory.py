"""Who is behind an id: model, vendor and country, by written tables only, never by likeness."""

from collections.abc import Collection, Mapping
from functools import cached_property

import msgspec
import polars as pl
from msgspec.structs import replace

from qwenwatch_cache.frames import CATALOG_TABLE
from qwenwatch_cache.identity import Identity, load_identity, split_variant
from qwenwatch_cache.store import as_of
from qwenwatch_cache.vendors import UNKNOWN, Vendor, Vendors, load_vendors

OTHER = frozenset({"other", "others", "Others"})
"""How sources call the rest that they do not name."""

FREE = "free"
"""The only variant that rankings ever named besides the standard one."""

LONGEST_NAME = 80
"""Letters of a name that are shown; a longer one is a fault or an attack."""

UNATTRIBUTED = "unattributed"
"""The bucket of everything whose vendor or country is not known, `other` included."""


class Model(msgspec.Struct, frozen=True):
    """A model as one feed knows it.

    Attributes:
        id: Canonical id with variant ("alibaba/qwen3-max:free"); for a model that is not mapped
            the feed's own id and the feed ("qwen/new@openrouter"), so that it meets no other.
        name: For people.
        vendor: Vendor id, or "unknown".
        mapped: Whether the id is canonical.
    """

    id: str
    name: str
    vendor: str
    mapped: bool

    @property
    def known_vendor(self) -> str | None:
        """Vendor id, None if it is not known."""
        return None if self.vendor == UNKNOWN else self.vendor


WITHOUT_NAMES = frozenset({"litellm", "alibaba-list"})
"""Feeds that have ids of models, and no names for people."""


class Directory:
    """Looks up models and vendors in the written tables and the catalogues of the feeds."""

    COLUMNS = ("feed", "model", "usage_slug", "name", "observed_at")
    """Columns of the catalogue that it looks at."""

    def __init__(
        self,
        catalog: pl.DataFrame,
        identity: Identity | None = None,
        vendors: Vendors | None = None,
    ) -> None:
        """Take the catalogue rows (frames.CATALOG, all revisions) known at the time asked about.

        Of their columns only `COLUMNS` are needed.
        """
        self.identity = identity or load_identity()
        self.vendors = vendors or load_vendors()
        self._by_name = {vendor.name: vendor for vendor in self.vendors}
        rows = as_of(catalog, CATALOG_TABLE).select("feed", "model", "usage_slug", "name")
        self._names: dict[tuple[str, str], str] = {}
        self._catalogue_id: dict[str, str] = {}
        for feed, model, slug, name in rows.iter_rows():
            self._names[feed, model] = name
            if slug:
                # A catalogue row without suffix is the better namesake of a slug that two share.
                base = split_variant(slug)[0]
                known = self._catalogue_id.get(base)
                if known is None or len(model) < len(known):
                    self._catalogue_id[base] = split_variant(model)[0]

    def model(self, feed: str, entity: str, provider: str = "") -> Model:
        """What is known of a model id of a feed.

        Args:
            feed: The feed.
            entity: Its own id of the model.
            provider: Who sells it, where the feed lists vendors' own models by provider.
        """
        if feed.startswith("openrouter-rankings"):
            base, variant = split_variant(entity)
            catalogue_id = self._catalogue_id.get(base, "")
            canonical = self.identity.canonical("openrouter-rankings", base)
            if canonical is None and catalogue_id:
                canonical = self.identity.canonical("openrouter-models", catalogue_id)
            name = self._names.get(("openrouter-models", catalogue_id))
            own = f"{catalogue_id or base}@openrouter"
            return self._model(canonical, own, variant, name, _author(base))
        if feed == "openrouter-models":
            base, variant = split_variant(entity)
            name = self._names.get((feed, base)) or self._names.get((feed, entity))
            canonical = self.identity.canonical(feed, base)
            return self._model(canonical, f"{base}@openrouter", variant, name, _author(base))
        canonical = self.identity.canonical(feed, entity)
        name = self._names.get((feed, entity), entity)
        if feed in WITHOUT_NAMES and canonical is not None:
            name = self._shown.get(canonical, name)
        model = self._model(canonical, f"{entity}@{feed}", "", name, None)
        seller = self.vendors.list_price_region(feed, provider) if canonical is None else None
        return model if seller is None else replace(model, vendor=seller[0].id)

    @cached_property
    def with_free_variant(self) -> frozenset[str]:
        """Ids of the models, without variant, that OpenRouter has, or had, a free variant of."""
        catalogue = (entity for feed, entity in self._names if feed == "openrouter-models")
        return frozenset(
            self.model("openrouter-models", base).id
            for base, variant in map(split_variant, catalogue)
            if variant == FREE
        )

    @cached_property
    def _shown(self) -> Mapping[str, str]:
        """Names by canonical id, OpenRouter's before those of models.dev."""
        shown: dict[str, str] = {}
        for source in ("openrouter-models", "models-dev"):
            for (feed, entity), name in self._names.items():
                canonical = self.identity.canonical(feed, entity) if feed == source else None
                if canonical is not None and ":" not in entity:
                    shown.setdefault(canonical, name)
        return shown

    def named(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Say whose prices rows of the price table are.

        Args:
            rows: With columns `feed`, `model` and `provider`.

        Returns:
            The rows, the feed's own id called `source_id`, with `model` (canonical id, or the
            feed's own id and the feed), `name` and `vendor` (null if unknown).
        """
        ids = ("feed", "source_id", "provider")
        rows = rows.rename({"model": "source_id"})
        found = []
        for key in rows.select(ids).unique().sort(ids).iter_rows():
            model = self.model(*key)
            found.append((*key, model.id, model.name, model.known_vendor))
        schema = dict.fromkeys((*ids, "model", "name", "vendor"), pl.String())
        return rows.join(pl.DataFrame(found, schema=schema, orient="row"), on=ids, how="left")

    def ids_of(self, models: Collection[str]) -> frozenset[str]:
        """Every id, of whatever feed, under which prices of some models may stand.

        Args:
            models: Ids of the models without variant: canonical, or as `Model.id` has them.
        """
        known = (self.identity.ids(model).values() for model in models)
        own = (model.rpartition("@")[0] for model in models)
        return frozenset(id_ for feeds in known for ids in feeds for id_ in ids) | frozenset(own)

    def of_models(self, rows: pl.DataFrame, models: Collection[str]) -> pl.DataFrame:
        """The rows of the price table that are of some models, given by canonical ids."""
        ids = rows.select("feed", "model").unique()
        wanted = [self.model(*each).id in models for each in ids.iter_rows()]
        named = ids.filter(pl.Series(wanted, dtype=pl.Boolean))
        return rows.join(named, on=["feed", "model"], how="semi", maintain_order="left")

    def shown_name(self, model: str) -> str:
        """Name of a canonical id without variant; of what is not mapped the feed's own id."""
        name = self._shown.get(model, "")
        own_id = model.rpartition("@")[0] or model
        return (name.partition(": ")[2] or name or own_id).strip()[:LONGEST_NAME]

    def lab(self, feed: str, entity: str) -> str:
        """Vendor id behind a lab or author name of a feed, or "unknown"."""
        namespace = "openrouter" if feed.startswith("openrouter") else feed.partition("-")[0]
        vendor = self.vendors.by_alias(namespace, entity) or self._by_name.get(entity)
        return vendor.id if vendor else UNKNOWN

    def app(self, entity: str) -> str:
        """Name of an app that OpenRouter knows by number, the number if it has none."""
        return (self._names.get(("openrouter-apps", entity)) or entity)[:LONGEST_NAME]

    def vendor(self, vendor_id: str) -> Vendor | None:
        """A vendor of the table."""
        return self.vendors.get(vendor_id)

    def country(self, vendor_id: str) -> str:
        """Country of a vendor's headquarters, "" if not known."""
        vendor = self.vendors.get(vendor_id)
        return vendor.country if vendor else ""

    def _model(
        self, canonical: str | None, own_id: str, variant: str, name: str | None, author: str | None
    ) -> Model:
        vendor = canonical.partition("/")[0] if canonical else UNKNOWN
        if author is not None:
            known = self.vendors.by_alias("openrouter", author)
            vendor = known.id if known else UNKNOWN
        suffix = f":{variant}" if variant else ""
        plain_id = own_id.rpartition("@")[0].rpartition("/")[2]
        shown = ((name or "").partition(": ")[2] or name or plain_id)[:LONGEST_NAME]
        if variant and not shown.lower().endswith(f"({variant})"):
            shown = f"{shown} ({variant})"
        return Model(f"{canonical or own_id}{suffix}", shown, vendor, canonical is not None)


def _author(model: str) -> str:
    return model.partition("/")[0]
