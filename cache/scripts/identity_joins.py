"""Which ids are joined with which: one function per feed, for `make_identity.py`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from identity_readers import REVIEWED, Catalogue, Entry, Row, half, vendor_of

from qwenwatch_cache.feeds import alibaba_list, litellm
from qwenwatch_cache.identity import split_variant
from qwenwatch_cache.vendors import load_vendors

# Placeholders of OpenRouter's usage feeds, not models.
REMAINDERS = frozenset({"other", "Others"})


# Who made a model that a first-party provider sells beside its own, by the start of its id.
MAKER_OF_PREFIX: Mapping[str, str] = {
    "deepseek-": "deepseek",
    "glm-": "zhipuai",
    "kimi-": "moonshotai",
    "minimax-": "minimax",
    "moonshot-": "moonshotai",
}


def openrouter_rows(
    catalogue: Catalogue, entries: Mapping[str, Entry], report: list[str]
) -> Iterator[Row]:
    """Give every catalogue id its canonical id."""
    base_models: dict[str, Entry] = {}
    for model, entry in sorted(entries.items(), reverse=True):
        # Sorted backwards, the base id comes after its variants and has the last word.
        if entry.base_model:
            base_models[split_variant(model)[0]] = entry

    decided: dict[str, tuple[str, str]] = {}
    for model in sorted(catalogue.ids):
        canonical, source = f"{vendor_of(model)}/{half(model)}".lower(), "openrouter id"
        if published := base_models.get(model):
            canonical, source = (
                published.base_model.lower(),
                f"models.dev base_model {published.tree}",
            )
            if load_vendors().get(canonical.partition("/")[0]) is None:
                raise ValueError(f"{model}: no vendor for base_model {published.base_model!r}")
        if reviewed := REVIEWED.get(("openrouter-models", model)):
            if reviewed[0] is None:
                continue
            canonical, source = reviewed[0], f"reviewed: {reviewed[1]}"
        decided[model] = (canonical, source)

    for slug, model in slug_owners(catalogue).items():
        for other in sorted(catalogue.ids_of_slug[slug] - {model}):
            if catalogue.newest_slug[other] == slug and decided[other][0] != decided[model][0]:
                report.append(f"one slug, two ids: {slug}: {other} joins {model}")
                decided[other] = (decided[model][0], "openrouter canonical_slug")
    for model, (canonical, source) in decided.items():
        yield Row(canonical, "openrouter-models", model, source)


def slug_owners(catalogue: Catalogue) -> dict[str, str]:
    """Choose the catalogue id each slug stands for.

    An id may have moved on to another slug (devstral-small did), so ids that still carry the slug
    come first; of those the one listed last, then the shortest, which has no special suffix.
    """
    return {
        slug: max(
            sorted(ids),
            key=lambda model: (
                catalogue.newest_slug[model] == slug,
                catalogue.last_seen[model],
                -len(model),
            ),
        )
        for slug, ids in sorted(catalogue.ids_of_slug.items())
    }


def openrouter_usage_rows(
    catalogue: Catalogue,
    models: Iterable[Row],
    usage: Mapping[str, Counter[str]],
    report: list[str],
) -> Iterator[Row]:
    """Give every slug of the usage feeds its canonical id."""
    canonical_of = {row.id: row.canonical for row in models}
    taken = set(canonical_of.values())
    owners = slug_owners(catalogue)
    for slug, model in owners.items():
        if model in canonical_of:
            yield Row(canonical_of[model], "openrouter-rankings", slug, "openrouter canonical_slug")
    # The catalogue states canonical_slug since 2025-06-14; of what was gone by then it has the id.
    without_slug = canonical_of.keys() - catalogue.newest_slug.keys() - owners.keys()
    for model in sorted(without_slug):
        yield Row(canonical_of[model], "openrouter-rankings", model, "openrouter id")
    used = {split_variant(slug)[0] for counter in usage.values() for slug in counter}
    for slug in sorted(used - owners.keys() - without_slug - REMAINDERS):
        if (vendor := vendor_of(slug)) is None:
            report.append(f"no vendor, unattributed: {slug}")
            continue
        canonical = f"{vendor}/{half(slug)}".lower()
        if canonical in taken:
            raise ValueError(f"{slug}: not in the catalogue, yet {canonical} is another model")
        report.append(f"slug without a recorded catalogue entry: {slug} -> {canonical}")
        yield Row(canonical, "openrouter-rankings", slug, "openrouter slug")


def models_dev_rows(
    provider: str, entries: Mapping[str, Entry], known: set[str], report: list[str]
) -> Iterator[Row]:
    """Give the models of a first-party provider their canonical ids."""
    listed = load_vendors().list_price_region("models-dev", provider)
    assert listed is not None
    seller = listed[0].id
    owners: dict[str, str] = {}
    # Ids without a slash first: "siliconflow/deepseek-v3.2" is another host's offer of the model.
    for model, entry in sorted(entries.items(), key=lambda item: ("/" in item[0], item[0])):
        own = half(model).lower()
        maker = next((v for start, v in MAKER_OF_PREFIX.items() if own.startswith(start)), seller)
        canonical, source = f"{maker}/{own}", "models.dev id"
        if entry.base_model:
            canonical, source = entry.base_model.lower(), f"models.dev base_model {entry.tree}"
        elif maker != seller and canonical not in known:
            report.append(f"left out: models-dev {provider}/{model}: {maker}'s, but which?")
            continue
        if reviewed := REVIEWED.get(("models-dev", f"{provider}/{model}")):
            if reviewed[0] is None:
                report.append(f"left out: models-dev {provider}/{model}: {reviewed[1]}")
                continue
            canonical, source = reviewed[0], f"reviewed: {reviewed[1]}"
        if canonical in owners:
            report.append(
                f"left out: models-dev {provider}/{model}: {provider} sells {canonical} "
                f"as {owners[canonical]} already"
            )
            continue
        owners[canonical] = model
        yield Row(canonical, "models-dev", f"{provider}/{model}", source)


def alibaba_rows(models: Iterable[str], rows: Iterable[Row]) -> Iterator[Row]:
    """Give Model Studio's ids their canonical ids.

    It is Alibaba's own price list: an id means what it means under Alibaba's providers of
    models.dev, or what the same id means under Alibaba elsewhere, or a model of its own.
    """
    rows = list(rows)
    listed = {row.id: row.canonical for row in rows if row.feed == "models-dev"}
    known = {row.canonical for row in rows}
    for model in models:
        same = {
            listed[f"{provider}/{model}"]
            for provider in ("alibaba", "alibaba-cn")
            if f"{provider}/{model}" in listed
        }
        if len(same) > 1:
            raise ValueError(f"{model}: models.dev takes it for {sorted(same)}")
        canonical, source = min(same, default=""), "models.dev id"
        if not same:
            canonical = f"alibaba/{model}".lower()
            source = "same id" if canonical in known else "Model Studio id"
        if reviewed := REVIEWED.get((alibaba_list.NAME, model)):
            if reviewed[0] is None:
                continue
            canonical, source = reviewed[0], f"reviewed: {reviewed[1]}"
        yield Row(canonical, alibaba_list.NAME, model, source)


def litellm_rows(keys: Mapping[str, str], rows: Iterable[Row], report: list[str]) -> Iterator[Row]:
    """Give LiteLLM's keys the canonical ids of models that are known already.

    Without the provider in front, a key must be, letter for letter, the id that the vendor's own
    provider has on models.dev; or, in lower case, the vendor's half of a canonical id.
    """
    rows = list(rows)
    listed = {row.id: row.canonical for row in rows if row.feed == "models-dev"}
    known = {row.canonical for row in rows}
    owners: dict[tuple[str, str], str] = {}
    # Keys with the provider in front first: "deepseek-v4-pro" repeats "deepseek/deepseek-v4-pro".
    for key, provider in sorted(keys.items(), key=lambda item: ("/" not in item[0], item[0])):
        first_party = load_vendors().list_price_region(litellm.NAME, provider)
        assert first_party is not None
        vendor, name = first_party[0], litellm.name_of(provider, key)
        same = {
            listed[f"{each}/{name}"]
            for each in vendor.list_prices["models-dev"]
            if f"{each}/{name}" in listed
        }
        if len(same) > 1:
            raise ValueError(f"{key}: models.dev takes it for {sorted(same)}")
        canonical, source = min(same, default=""), "models.dev id"
        if not same:
            canonical, source = f"{vendor.id}/{name}".lower(), "same id"
        if reviewed := REVIEWED.get((litellm.NAME, key)):
            if reviewed[0] is None:
                report.append(f"left out: litellm {key}: {reviewed[1]}")
                continue
            canonical, source = reviewed[0], f"reviewed: {reviewed[1]}"
        if canonical not in known or not canonical.startswith(f"{vendor.id}/"):
            continue
        owner = owners.setdefault((provider, canonical), key)
        if owner != key:
            report.append(f"left out: litellm {key}: {provider} sells {canonical} as {owner}")
            continue
        yield Row(canonical, litellm.NAME, key, source)
