"""One state of the cache with all of its files, which a writer may replace at any time."""

import hashlib
from pathlib import Path

import msgspec

from qwenwatch_cache.frames import TABLES
from qwenwatch_cache.manifest import (
    FORMAT_FILE,
    MANIFEST_FILE,
    Manifest,
    ManifestLost,
    read_manifest,
)
from qwenwatch_cache.store.writing import generation_of, parts_on_disk
from qwenwatch_cache.verify.findings import Findings

TRIES = 100
"""Somebody who writes without a pause cannot keep a look from ending."""


class State(msgspec.Struct, frozen=True):
    """One state of the cache.

    Attributes:
        manifest: Which files it consists of.
        lost: Whether nothing says so, and all that lies there counts.
        contents: Of each file what it holds, or why that cannot be told.
    """

    manifest: Manifest
    lost: bool
    contents: dict[str, bytes | OSError]


def read_state(root: Path, findings: Findings) -> State:
    """Read all files of the present state.

    Raises:
        CacheTooNew: A newer version of the program wrote the cache.
        StoreError: `format.json` makes no sense, or the manifest cannot be read.
    """
    contents: dict[str, bytes | OSError] = {}
    for _ in range(TRIES):
        told = Findings()
        manifest, lost = _manifest(root, told)
        named = [part.file for part in (*manifest.parts, *manifest.retired)]
        # A part never changes: what was read for another state holds for this one too.
        for file in named:
            if not isinstance(contents.get(file), bytes):
                contents[file] = _content(root / file)
        if all(isinstance(contents[file], bytes) for file in named):
            break
        if _manifest(root, Findings())[0].generation == manifest.generation:
            break
    findings.differences += told.differences
    return State(manifest, lost, {file: contents[file] for file in named})


def look_for_others(root: Path, state: State, findings: Findings) -> None:
    """Name the Parquet files beside the parts: whoever reads a whole folder reads them too."""
    found = [path for name in TABLES for path in sorted((root / name).glob("*.parquet"))]
    own = {part.file: part for part in parts_on_disk(root)}
    now, _ = _manifest(root, Findings())  # somebody may have written meanwhile
    named = {part.file for one in (state.manifest, now) for part in (*one.parts, *one.retired)}
    for path in found:
        file = f"{path.parent.name}/{path.name}"
        if file in named or not path.exists():
            continue
        part = own.get(file)
        if part is None or not _is_whole(path):
            findings.add(file, "no write made it; whoever reads the whole folder reads it too")
        elif generation_of(part) > now.generation + 1:
            findings.add(file, "it was written later than the state that manifest.json tells of")
        else:
            findings.left_over += 1


def _manifest(root: Path, findings: Findings) -> tuple[Manifest, bool]:
    """The state of the cache, and whether nothing says which that is."""
    try:
        manifest = read_manifest(lambda name: (root / name).read_bytes())
    except ManifestLost as lost:
        findings.add(MANIFEST_FILE, f"{lost}; `qwenwatch refresh` makes it anew")
        return Manifest(parts=tuple(parts_on_disk(root))), True
    # The first write of all makes the manifest, and format.json right after it.
    if manifest.generation > 1 and not (root / FORMAT_FILE).exists():
        findings.add(FORMAT_FILE, "it is missing; the next write makes it anew")
    files = [part.file for part in (*manifest.parts, *manifest.retired)]
    for file in sorted({file for file in files if files.count(file) > 1}):
        findings.add(MANIFEST_FILE, f"it names {file} more than once")
    return manifest, False


def _content(path: Path) -> bytes | OSError:
    try:
        return path.read_bytes()
    except OSError as error:
        return error


def _is_whole(path: Path) -> bool:
    """Whether a part has the content that its name tells of; one that is gone by now has."""
    content = _content(path)
    if isinstance(content, OSError):
        return isinstance(content, FileNotFoundError)
    return path.stem.endswith(f"-{hashlib.sha256(content).hexdigest()[:8]}")
