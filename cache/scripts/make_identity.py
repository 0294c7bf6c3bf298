"""Make `identity.csv`: which ids of which feeds are the same model.

    python cache/scripts/make_identity.py --recordings ../shared/recordings

Two ids are joined only if somebody publishes that they are the same model: models.dev (`base_model`
in its TOML tree, MIT), OpenRouter (`canonical_slug` in its catalogue), the same id under the same
maker in both, or a line of `identity_reviewed.csv` with its reason. LiteLLM's keys, without the
provider in front, join models that are known from these and add none. No dates are stripped, no
names compared loosely; what stays unclear is left out and printed.
"""

import argparse
import csv
import gzip
import io
import json
import tarfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from qwenwatch_cache.feeds import alibaba_list, litellm
from qwenwatch_cache.identity import split_variant
from qwenwatch_cache.vendors import load_vendors

# Decisions of people, with the reason of each; an empty canonical id leaves the feed's id out.
REVIEW = Path(__file__).with_name("identity_reviewed.csv")
OUTPUT = Path(__file__).parents[1] / "qwenwatch_cache" / "identity.csv"

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


def read_review(path: Path) -> dict[tuple[str, str], tuple[str | None, str]]:
    """Read what was reviewed: (feed, id) -> (canonical id, None to leave it out; the reason)."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row["feed"], row["id"]): (row["canonical"] or None, row["reason"])
            for row in csv.DictReader(file)
        }


REVIEWED = read_review(REVIEW)


@dataclass(frozen=True)
class Row:
    """One line of the map."""

    canonical: str
    feed: str
    id: str
    source: str


@dataclass
class Catalogue:
    """All recorded bodies of OpenRouter's /models, oldest first; only base ids of real models."""

    ids: set[str] = field(default_factory=set)
    names: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    ids_of_slug: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    newest_slug: dict[str, str] = field(default_factory=dict)
    last_seen: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One model of a models.dev provider, from the newest tree that has it."""

    tree: str
    base_model: str
    name: str


def main() -> None:
    """Write the map and print what it covers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recordings", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="default: %(default)s")
    arguments = parser.parse_args()
    text, report = make(arguments.recordings)
    arguments.output.write_text(text, encoding="utf-8")
    print("\n".join(report))


def make(recordings: Path) -> tuple[str, list[str]]:
    """Return the map as CSV text, and a report of its coverage and of what was left out."""
    catalogue = read_catalogue(recordings / "prices" / "openrouter" / "models")
    providers = {
        provider for vendor in load_vendors() for provider in vendor.list_prices["models-dev"]
    }
    entries = read_models_dev(
        recordings / "prices" / "models.dev" / "toml", {"openrouter", *providers}
    )
    usage = read_usage(recordings / "usage")
    report: list[str] = []

    rows = list(openrouter_rows(catalogue, entries["openrouter"], report))
    rows += openrouter_usage_rows(catalogue, rows, usage, report)
    known = {row.canonical for row in rows}
    for provider in sorted(providers):
        rows += models_dev_rows(provider, entries[provider], known, report)
    rows += vercel_rows(recordings / "usage" / "vercel-gateway", catalogue, entries, rows, report)
    rows += alibaba_rows(read_model_studio(recordings / "prices" / "alibaba-model-studio"), rows)
    rows += litellm_rows(read_litellm(recordings / "prices" / "litellm"), rows, report)
    ids = {(row.feed, row.id) for row in rows}
    report += [
        f"reviewed, but in no recording: {feed} {model}"
        for (feed, model), (canonical, _) in REVIEWED.items()
        if canonical and (feed, model) not in ids
    ]
    report += coverage(rows, usage)
    return as_csv(rows), report


def read_catalogue(folder: Path) -> Catalogue:
    """Read every recorded body of OpenRouter's catalogue."""
    catalogue = Catalogue()
    for path in sorted(folder.glob("*.json.gz")):
        for model in json.loads(gzip.decompress(path.read_bytes()))["data"]:
            base, _ = split_variant(model["id"])
            if vendor_of(base) is None:
                continue
            catalogue.ids.add(base)
            catalogue.last_seen[base] = path.name
            if base == model["id"]:
                catalogue.names[base].add(model["name"])
            if slug := model.get("canonical_slug"):
                catalogue.ids_of_slug[slug].add(base)
                catalogue.newest_slug[base] = slug
    return catalogue


def read_models_dev(folder: Path, providers: Iterable[str]) -> dict[str, dict[str, Entry]]:
    """Read models.dev's TOML trees: provider -> model id -> its newest entry."""
    found: dict[str, dict[str, Entry]] = {provider: {} for provider in providers}
    for path in sorted(folder.glob("*.tar.gz")):
        tree = path.name.removesuffix(".tar.gz")
        with tarfile.open(path) as archive:
            members = {member.name: member for member in archive.getmembers()}
            for member in members.values():
                parts = PurePosixPath(member.name).parts
                if len(parts) < 4 or parts[0] != "providers" or parts[2] != "models":
                    continue
                provider, model = parts[1], "/".join(parts[3:]).removesuffix(".toml")
                if provider not in found or not member.name.endswith(".toml"):
                    continue
                try:
                    # extractfile follows symbolic links: zhipuai's models are links into zai's.
                    stream = archive.extractfile(member)
                except KeyError:
                    # A dangling link: the provider it points to no longer lists the model.
                    continue
                if stream is None:
                    continue
                table = tomllib.loads(stream.read().decode())
                found[provider][model] = Entry(
                    tree, table.get("base_model", ""), table.get("name", "")
                )
    return found


def read_model_studio(folder: Path) -> list[str]:
    """Read the ids of Alibaba's own text models, as its feed keeps them, of every archive."""
    models: set[str] = set()
    when = datetime.now(UTC)
    for path in sorted(folder.glob("groups_*.tar.gz")):
        with tarfile.open(path) as archive:
            files = {each.name: archive.extractfile(each) for each in archive.getmembers()}
            bodies = {name: file.read() for name, file in files.items() if file is not None}
        for request in alibaba_list.parse_index(bodies["index.json"], when).follow:
            body = bodies[request.path.removeprefix(alibaba_list.FOLDER)]
            models.update(alibaba_list.parse_group(body, when).frames["catalog"]["model"])
    return sorted(models)


def read_litellm(folder: Path) -> dict[str, str]:
    """Read every key of LiteLLM's files that a vendor's own provider sells: key -> provider."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*/*.json.gz"), key=lambda path: path.name):
        for key, entry in json.loads(gzip.decompress(path.read_bytes())).items():
            provider = entry.get("litellm_provider", "")
            if load_vendors().list_price_region(litellm.NAME, provider):
                found[key] = provider
    return found


def read_usage(folder: Path) -> dict[str, Counter[str]]:
    """Read every recorded slug of OpenRouter's usage feeds: recording -> slug -> tokens."""
    usage: dict[str, Counter[str]] = {"rankings-daily": Counter(), "others": Counter()}
    data_api = folder / "openrouter-data-api"
    for day in read_json(next(data_api.glob("casualstudy.rankings-daily.*.json"))).values():
        for slug, row in day.items():
            usage["rankings-daily"][slug] += int(row["total_tokens"])
    for row in read_json(next(data_api.glob("ai-tracker.*.json")))["daily"]:
        usage["others"][row["m"]] += row["t"]
    for path in sorted((folder / "openrouter-frontend").glob("token-economy.*.json")):
        for week in read_json(path)["payload"]["weekly_chart"]:
            usage["others"].update(week["ys"])
    return usage


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
            canonical, source = reviewed[0], "reviewed"
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
    used = {split_variant(slug)[0] for counter in usage.values() for slug in counter}
    for slug in sorted(used - owners.keys() - REMAINDERS):
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
            canonical, source = reviewed[0], "reviewed"
        if canonical in owners:
            report.append(
                f"left out: models-dev {provider}/{model}: {provider} sells {canonical} "
                f"as {owners[canonical]} already"
            )
            continue
        owners[canonical] = model
        yield Row(canonical, "models-dev", f"{provider}/{model}", source)


def vercel_rows(
    folder: Path,
    catalogue: Catalogue,
    entries: Mapping[str, Mapping[str, Entry]],
    rows: Iterable[Row],
    report: list[str],
) -> Iterator[Row]:
    """Map display names that are, letter for letter, the name of exactly one model."""
    canonical_of = {(row.feed, row.id): row.canonical for row in rows}
    named: dict[str, set[str]] = defaultdict(set)
    for model, names in catalogue.names.items():
        if canonical := canonical_of.get(("openrouter-models", model)):
            for name in names:
                named[name.rpartition(": ")[2].strip().casefold()].add(canonical)
    for provider, models in entries.items():
        for model, entry in models.items():
            if canonical := canonical_of.get(("models-dev", f"{provider}/{model}")):
                named[entry.name.casefold()].add(canonical)

    seen = {
        name
        for path in sorted(folder.glob("*.json"))
        for series in read_json(path)["payload"]["series"]
        for name, _ in series["shares"]
    }
    for name in sorted(seen):
        fits = named.get(name.casefold(), set())
        if reviewed := REVIEWED.get(("vercel-leaderboard", name)):
            if reviewed[0] is not None:
                yield Row(reviewed[0], "vercel-leaderboard", name, "reviewed")
        elif len(fits) == 1:
            yield Row(next(iter(fits)), "vercel-leaderboard", name, "same name")
        else:
            report.append(
                f"left out: vercel-leaderboard {name!r}: fits {sorted(fits) or 'nothing'}"
            )


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
            canonical, source = reviewed[0], "reviewed"
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
            canonical, source = reviewed[0], "reviewed"
        if canonical not in known or not canonical.startswith(f"{vendor.id}/"):
            continue
        owner = owners.setdefault((provider, canonical), key)
        if owner != key:
            report.append(f"left out: litellm {key}: {provider} sells {canonical} as {owner}")
            continue
        yield Row(canonical, litellm.NAME, key, source)


def coverage(rows: Iterable[Row], usage: Mapping[str, Counter[str]]) -> Iterator[str]:
    """Say how much the map covers."""
    rows = list(rows)
    feeds_of: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        feeds_of[row.canonical].add(row.feed)
    yield f"{len(rows)} ids of {len(feeds_of)} models: " + ", ".join(
        f"{feed} {count}" for feed, count in sorted(Counter(row.feed for row in rows).items())
    )
    both = sum({"openrouter-models", "models-dev"} <= feeds for feeds in feeds_of.values())
    yield f"{both} models have a route price and a list price"
    mapped = {row.id for row in rows if row.feed == "openrouter-rankings"}
    tokens: Counter[str] = Counter()
    for slug, value in usage["rankings-daily"].items():
        base, _ = split_variant(slug)
        if base in REMAINDERS:
            tokens["other"] += value
        elif vendor_of(base) is None:
            tokens["cloaked"] += value
        else:
            tokens["mapped" if base in mapped else "not mapped"] += value
    total = tokens.total()
    yield "recorded tokens: " + ", ".join(
        f"{kind} {tokens[kind] / total:.2%}"
        for kind in ("mapped", "not mapped", "cloaked", "other")
    )
    named = tokens["mapped"] + tokens["not mapped"]
    yield f"of tokens that name a model of a known vendor: {tokens['mapped'] / named:.2%} mapped"


def as_csv(rows: Iterable[Row]) -> str:
    """Return the map as text, sorted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["canonical", "feed", "id", "source"])
    writer.writerows(sorted((row.canonical, row.feed, row.id, row.source) for row in rows))
    return out.getvalue()


def vendor_of(model: str) -> str | None:
    """Return the vendor id of an OpenRouter id; None for aliases, routers and cloaked models."""
    vendor = load_vendors().by_alias("openrouter", model.partition("/")[0])
    return vendor.id if vendor else None


def half(model: str) -> str:
    """Return the model half of an id."""
    return model.rpartition("/")[2]


def read_json(path: Path) -> Any:
    """Read a recorded JSON file."""
    return json.loads(path.read_bytes())


if __name__ == "__main__":
    main()
