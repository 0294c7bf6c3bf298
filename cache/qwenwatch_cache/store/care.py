"""Care of the cache as a whole: compaction, a lost manifest, what kills left. Under the lock."""

import contextlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from qwenwatch_cache.frames import FETCH_TABLE, TABLES
from qwenwatch_cache.manifest import Manifest, Part, Read
from qwenwatch_cache.store.files import TEMPORARY, Damaged, Unreadable
from qwenwatch_cache.store.parts import is_whole, read_part
from qwenwatch_cache.store.reading import as_one
from qwenwatch_cache.store.writing import (
    Series,
    generation_of,
    parts_on_disk,
    save,
    set_aside,
    with_series,
)

WRITTEN = ("", "previous/", "set-aside/", "bodies/*/", *(f"{name}/" for name in TABLES))
"""Folders in which only the holder of the lock writes."""


def compacted(root: Path, read: Read, manifest: Manifest) -> Manifest:
    """The state in which every table of every feed has as few parts as can be; no row changes.

    Raises:
        StoreError: The disk refused; nothing has changed.
    """
    series: dict[Series, pl.DataFrame] = {}
    for key in dict.fromkeys((part.table, part.feed) for part in manifest.parts):
        parts = manifest.series(*key)
        if not is_whole(parts):
            series[key] = pl.concat([read_part(read, part, TABLES[key[0]]) for part in parts])
    return with_series(root, manifest, series.items())


def rebuilt(
    root: Path, read: Read, now: datetime, known: Manifest | None = None
) -> tuple[Manifest, Sequence[str]]:
    """A state made of all parts that lie there, and made to count; for a manifest that was lost.

    Args:
        root: The directory.
        read: Gives the content of a file.
        now: The present moment.
        known: The manifest that was found if it is only too old; None if there is none.

    Returns:
        The new state, and what is to be told of damage that was met.

    Raises:
        StoreError: The disk refused.
    """
    found = parts_on_disk(root)
    frames, losses, told = rows_found(root, read, found, now)
    series = {key: as_one(rows, TABLES[key[0]]) for key, rows in frames.items()}
    newest = max((generation_of(part) for part in found), default=0)
    # Nobody knows what was lost or merged before: so nothing counts as unchanged since.
    merged = now if known is None else known.merged
    losses = {**(known.losses if known else {}), **losses}
    lost = Manifest(generation=newest, past=newest + 1, losses=losses, merged=merged)
    new = with_series(root, lost, series.items())
    save(root, Manifest(parts=tuple(found)), new)
    return new, told


def rows_found(
    root: Path, read: Read, found: Sequence[Part], now: datetime
) -> tuple[dict[Series, list[pl.DataFrame]], dict[str, datetime], list[str]]:
    """What parts hold of which no manifest speaks; those that are damaged are set aside.

    Returns:
        Their rows, when rows of which feeds were lost, and what is to be told of damage.

    Raises:
        Unreadable: The system does not give one out.
        StoreError: The disk refused.
    """
    frames: dict[Series, list[pl.DataFrame]] = defaultdict(list)
    losses: dict[str, datetime] = {}
    told: list[str] = []
    for part in found:
        table = TABLES[part.table]
        try:
            frames[part.table, part.feed].append(read_part(read, part, table))
        except Unreadable as withheld:
            raise Unreadable(root / part.file, withheld.reason) from withheld
        except Damaged as damage:
            aside = set_aside(root, part.file, f"{part.table}-{part.feed}", now)
            told.append(f"{root / part.file} is damaged ({damage.reason}); set aside as {aside}")
            if table is not FETCH_TABLE:
                losses[part.feed] = now
    return frames, losses, told


def is_outdated(root: Path, manifest: Manifest) -> bool:
    """Whether parts lie there that a later state must have named: the manifest was put back."""
    return any(generation_of(part) > manifest.generation + 1 for part in parts_on_disk(root))


def swept(root: Path, manifest: Manifest) -> None:
    """Delete what writers that were killed left half done, and parts that nothing names."""
    for folder in WRITTEN:
        for left in root.glob(f"{folder}*{TEMPORARY}"):
            with contextlib.suppress(OSError):
                left.unlink()
    named = {part.file for part in (*manifest.parts, *manifest.retired)}
    for part in parts_on_disk(root):
        if part.file not in named:
            with contextlib.suppress(OSError):
                (root / part.file).unlink()
    with contextlib.suppress(OSError):
        (root / "previous").rmdir()  # a folder of format 1
