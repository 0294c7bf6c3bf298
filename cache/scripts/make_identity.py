"""Make `identity.csv`: which ids of which feeds are the same model.

    python cache/scripts/make_identity.py --recordings ../shared/recordings

Two ids are joined only if somebody publishes that they are the same model: models.dev (`base_model`
in its TOML tree, MIT), OpenRouter (`canonical_slug` and `hugging_face_id` in its catalogue), the
same id under the same maker in both, or a line of `identity_reviewed.csv` with its reason.
LiteLLM's keys, without the provider in front, join models that are known from these and add none;
so do Vercel's display names, where they are the name of exactly one model (`identity_names.py`).
No dates are stripped, no names compared loosely; what stays unclear is left out and printed.
"""

import argparse
import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from identity_joins import (
    REMAINDERS,
    alibaba_rows,
    litellm_rows,
    models_dev_rows,
    openrouter_rows,
    openrouter_usage_rows,
)
from identity_names import hugging_face_rows, vercel_rows
from identity_readers import (
    REVIEWED,
    Row,
    read_catalogue,
    read_gateway_names,
    read_leaderboard_names,
    read_litellm,
    read_model_studio,
    read_models_dev,
    read_usage,
    vendor_of,
)

from qwenwatch_cache.identity import split_variant
from qwenwatch_cache.vendors import load_vendors

OUTPUT = Path(__file__).parents[1] / "qwenwatch_cache" / "identity.csv"


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
        recordings / "prices" / "models.dev" / "toml", {"openrouter", "vercel", *providers}
    )
    usage = read_usage(recordings / "usage")
    report: list[str] = []

    rows = list(openrouter_rows(catalogue, entries["openrouter"], report))
    rows += openrouter_usage_rows(catalogue, rows, usage, report)
    known = {row.canonical for row in rows}
    for provider in sorted(providers):
        rows += models_dev_rows(provider, entries[provider], known, report)
    rows += vercel_rows(
        read_leaderboard_names(recordings / "usage" / "vercel-gateway"),
        read_gateway_names(recordings / "prices" / "vercel-ai-gateway" / "models"),
        catalogue,
        entries,
        rows,
        report,
    )
    rows += alibaba_rows(read_model_studio(recordings / "prices" / "alibaba-model-studio"), rows)
    rows += litellm_rows(read_litellm(recordings / "prices" / "litellm"), rows, report)
    rows += hugging_face_rows(catalogue, rows, report)
    ids = {(row.feed, row.id) for row in rows}
    report += [
        f"reviewed, but in no recording: {feed} {model}"
        for (feed, model), (canonical, _) in REVIEWED.items()
        if canonical and (feed, model) not in ids
    ]
    report += coverage(rows, usage)
    return as_csv(rows), report


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


if __name__ == "__main__":
    main()
