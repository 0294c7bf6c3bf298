"""Names of models that are not ids: Vercel's display names and repositories on Hugging Face."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from identity_readers import REVIEWED, Catalogue, Entry, Row

VERCEL = "vercel-leaderboard"
HUGGING_FACE = "huggingface"
BASE_MODEL = "models.dev base_model"


def vercel_rows(
    seen: Collection[str],
    gateway: Collection[tuple[str, str]],
    catalogue: Catalogue,
    entries: Mapping[str, Mapping[str, Entry]],
    rows: Iterable[Row],
    report: list[str],
) -> Iterator[Row]:
    """Map the display names of Vercel's gateway.

    One that was seen on the leaderboard must be, letter for letter, the name of exactly one model.
    One that Vercel may show some day is mapped if its id in Vercel's gateway says the same.

    Args:
        seen: Names on the leaderboard.
        gateway: Vercel's own list: (id in the gateway, name).
        catalogue: OpenRouter's models with their names.
        entries: Providers of models.dev, first-party ones and "vercel".
        rows: What is joined so far.
        report: Gets what is left out.
    """
    canonical_of = {(row.feed, row.id): row.canonical for row in rows}
    named = _names_of_models(catalogue, entries, canonical_of)
    decided: dict[str, str] = {}
    for name in sorted(seen):
        fits = named.get(name.casefold(), set())
        if (VERCEL, name) in REVIEWED:
            continue
        if len(fits) == 1:
            decided[name] = next(iter(fits))
            yield Row(decided[name], VERCEL, name, "same name")
        else:
            report.append(f"left out: {VERCEL} {name!r}: fits {sorted(fits) or 'nothing'}")

    offered: dict[str, dict[str, str]] = defaultdict(dict)
    pairs = {*gateway, *((model, entry.name) for model, entry in entries["vercel"].items())}
    for model, name in sorted(pairs):
        # A name with a space at its end was cut out of a longer one ("GPT 5.2 " is GPT-5.2 pro's).
        if name and name == name.strip():
            for canonical, source in _of_gateway(model, entries["vercel"], canonical_of):
                offered[name].setdefault(canonical, source)
    for name, found in sorted(offered.items()):
        if name in decided or (VERCEL, name) in REVIEWED:
            continue
        fits = named.get(name.casefold(), set())
        canonical, source = min(found.items())
        if len(found) == 1 and (canonical in fits or (source.startswith(BASE_MODEL) and not fits)):
            yield Row(canonical, VERCEL, name, source)
            continue
        report.append(
            f"left out: {VERCEL} {name!r}: {sorted(found)} by id, "
            f"{sorted(fits) or 'nothing'} by name"
        )
    for (feed, name), (reviewed, reason) in REVIEWED.items():
        if feed == VERCEL and reviewed and name in {*seen, *(name for _, name in gateway)}:
            yield Row(reviewed, VERCEL, name, f"reviewed: {reason}")


def _names_of_models(
    catalogue: Catalogue,
    entries: Mapping[str, Mapping[str, Entry]],
    canonical_of: Mapping[tuple[str, str], str],
) -> Mapping[str, set[str]]:
    """Every published name in lower case -> the models that have it."""
    named: dict[str, set[str]] = defaultdict(set)
    for model, names in catalogue.names.items():
        if canonical := canonical_of.get(("openrouter-models", model)):
            for name in names:
                named[name.rpartition(": ")[2].strip().casefold()].add(canonical)
    for provider, models in entries.items():
        for model, entry in models.items():
            if canonical := canonical_of.get(("models-dev", f"{provider}/{model}")):
                named[entry.name.casefold()].add(canonical)
    return named


def _of_gateway(
    model: str, entries: Mapping[str, Entry], canonical_of: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, str]]:
    """The model behind an id of Vercel's gateway, and who says so; nothing if nobody does."""
    entry = entries.get(model)
    base = entry.base_model.lower() if entry else ""
    if entry is not None and base in canonical_of.values():
        yield base, f"{BASE_MODEL} {entry.tree} of vercel/{model}"
    elif canonical := canonical_of.get(("openrouter-models", model)):
        # An id may be a moving alias: the name must say the same.
        yield canonical, f"same id and name as openrouter {model}"


def hugging_face_rows(
    catalogue: Catalogue, rows: Iterable[Row], report: list[str]
) -> Iterator[Row]:
    """Map the repositories that OpenRouter's catalogue names as those of a model, exactly.

    A repository that two models name is left out, unless it was reviewed.
    """
    canonical_of = {row.id: row.canonical for row in rows if row.feed == "openrouter-models"}
    models_of: dict[str, set[str]] = defaultdict(set)
    for model, repository in catalogue.hugging_face_id.items():
        if canonical := canonical_of.get(model):
            models_of[repository].add(canonical)
    for repository, models in sorted(models_of.items()):
        canonical, source = min(models), "openrouter hugging_face_id"
        if reviewed := REVIEWED.get((HUGGING_FACE, repository)):
            if reviewed[0] is None:
                report.append(f"left out: {HUGGING_FACE} {repository}: {reviewed[1]}")
                continue
            canonical, source = reviewed[0], f"reviewed: {reviewed[1]}"
        elif len(models) > 1:
            report.append(f"left out: {HUGGING_FACE} {repository}: is {sorted(models)}")
            continue
        yield Row(canonical, HUGGING_FACE, repository, source)
