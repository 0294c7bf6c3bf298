"""What the recordings say about the ids of models: read for `make_identity.py`."""

import csv
import gzip
import json
import tarfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from qwenwatch_cache.feeds import alibaba_list, litellm
from qwenwatch_cache.identity import split_variant
from qwenwatch_cache.vendors import load_vendors

REVIEW = Path(__file__).with_name("identity_reviewed.csv")
"""Decisions of people, with the reason of each; an empty canonical id leaves the feed's id out."""


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
    # What the newest body that states one says; an id may move on to another release.
    hugging_face_id: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One model of a models.dev provider, from the newest tree that has it."""

    tree: str
    base_model: str
    name: str


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
            if stated := model.get("hugging_face_id"):
                catalogue.hugging_face_id[base] = stated
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
            for name in members:
                parts = PurePosixPath(name).parts
                if len(parts) < 4 or parts[0] != "providers" or parts[2] != "models":
                    continue
                provider, model = parts[1], "/".join(parts[3:]).removesuffix(".toml")
                if provider not in found or not name.endswith(".toml"):
                    continue
                table = _toml(archive, members, name)
                if table is None:
                    # A dangling link: the provider it points to no longer lists the model.
                    continue
                base_model = table.get("base_model", "")
                if base_model and "name" not in table:
                    table = _toml(archive, members, f"models/{base_model}.toml") or {}
                found[provider][model] = Entry(tree, base_model, table.get("name", ""))
    return found


def _toml(
    archive: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo], name: str
) -> dict[str, Any] | None:
    """Read a file of a tree, None if it is not there or a link into nothing."""
    try:
        # extractfile follows symbolic links: zhipuai's models are links into zai's.
        stream = archive.extractfile(members[name])
    except KeyError:
        return None
    return None if stream is None else tomllib.loads(stream.read().decode())


def read_gateway_names(folder: Path) -> set[tuple[str, str]]:
    """Read the (id, name) pairs of every recorded list of the models of Vercel's gateway."""
    return {
        (model["id"], model["name"])
        for path in sorted(folder.glob("*.json.gz"))
        for model in json.loads(gzip.decompress(path.read_bytes()))["data"]
        if model.get("name")
    }


def read_leaderboard_names(folder: Path) -> set[str]:
    """Read the names of models on every recorded leaderboard of Vercel's."""
    return {
        name
        for path in sorted(folder.glob("*.json"))
        for series in read_json(path)["payload"]["series"]
        for name, _ in series["shares"]
    }


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
    (monthly,) = (folder / "openrouter-frontend").glob("*.rankings-monthly.*.json")
    for month in read_json(monthly)["months"]:
        usage["others"].update({row["model"]: row["tokens"] for row in month["models"]})
    return usage


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
