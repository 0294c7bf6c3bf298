"""From one state of the cache to the next, for whoever holds the lock.

New parts are written first; then the manifest is replaced, and only then goes what neither it nor
the state before it names. So a kill at any moment leaves one of the two states.
"""

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from qwenwatch_cache.frames import FETCH_TABLE, TABLES
from qwenwatch_cache.manifest import (
    FORMAT,
    FORMAT_FILE,
    MANIFEST_FILE,
    Manifest,
    Part,
    Read,
    to_json,
)
from qwenwatch_cache.store.files import Damaged, keep_beside, write_bytes
from qwenwatch_cache.store.parts import read_part, to_merge, write_parts
from qwenwatch_cache.store.past import reaches_back
from qwenwatch_cache.store.reading import Damage, as_one, fallback

SET_ASIDE = "set-aside"
MOMENT = "%Y%m%dT%H%M%S.%fZ"
"""How names in set-aside/ say when."""

SET_BACK = timedelta(days=1)
"""By how much a clock may have been set back; what is dated later was dated by one gone wrong."""

_PART_NAME = re.compile(r"(?P<feed>.+)-(?P<generation>\d{7,})-[0-9a-f]{8}\.parquet")

Series = tuple[str, str]
"""Table and feed."""


def with_rows(
    root: Path, read: Read, manifest: Manifest, fresh: Mapping[str, pl.DataFrame]
) -> Manifest:
    """The state with more rows; small last parts are merged with them.

    Raises:
        StoreError: The disk refused; nothing has changed.
    """
    generation = manifest.generation + 1
    changed: dict[Series, Sequence[Part]] = {}
    newest = manifest.newest
    behind = any(reaches_back(frame, TABLES[name], newest) for name, frame in fresh.items())
    with _undone_if_it_fails(root) as written:
        for name, frame in fresh.items():
            table = TABLES[name]
            for feed, rows in by_feed(frame):
                series = manifest.series(name, feed)
                merged: list[pl.DataFrame] = []
                for part in reversed(series[len(series) - to_merge(series, rows.height) :]):
                    try:
                        merged.insert(0, read_part(read, part, table))
                    except (FileNotFoundError, Damaged):
                        break  # left to be found by whoever repairs
                kept = series[: len(series) - len(merged)]
                rows = pl.concat([*merged, rows])
                begin = len(written)
                for part in write_parts(root, table, feed, rows, generation):
                    written.append(part)  # one by one: should the next fail, this one goes too
                changed[name, feed] = [*kept, *written[begin:]]
    return replaced(manifest._replace(past=manifest.past + behind), changed)


def with_series(
    root: Path, manifest: Manifest, series: Iterable[tuple[Series, pl.DataFrame]]
) -> Manifest:
    """The state in which some tables of some feeds hold just these rows, in as few parts as can be.

    Raises:
        StoreError: The disk refused; nothing has changed.
    """
    generation = manifest.generation + 1
    changed: dict[Series, Sequence[Part]] = {}
    with _undone_if_it_fails(root) as written:
        for (name, feed), rows in series:
            begin = len(written)
            if not rows.is_empty():
                for part in write_parts(root, TABLES[name], feed, rows, generation):
                    written.append(part)  # one by one, as above
            changed[name, feed] = written[begin:]
    return replaced(manifest, changed)


def replaced(manifest: Manifest, changed: Mapping[Series, Sequence[Part]]) -> Manifest:
    """The next state, in which some series consist of these parts; what they had is retired."""
    stay = {part.file for parts in changed.values() for part in parts}
    order = list(TABLES)

    def place(part: Part) -> tuple[int, str]:
        return order.index(part.table), part.feed

    untouched = [one for one in manifest.parts if (one.table, one.feed) not in changed]
    parts = [*untouched, *(part for parts in changed.values() for part in parts)]
    retired = [one for one in manifest.retired if (one.table, one.feed) not in changed]
    retired += [
        part
        for part in manifest.parts
        if (part.table, part.feed) in changed and part.file not in stay
    ]
    return manifest._replace(
        format=FORMAT,
        generation=manifest.generation + 1,
        parts=tuple(sorted(parts, key=place)),
        retired=tuple(sorted(retired, key=place)),
    )


def save(root: Path, before: Manifest, after: Manifest) -> None:
    """Make a state the one that counts, and delete what only the state before named.

    Raises:
        StoreError: The disk refused; the state before counts.
    """
    path, text = root / MANIFEST_FILE, to_json(after)
    with _undone_if_it_fails(root) as written:
        try:
            write_bytes(path, text)
        except BaseException:
            # Unless only what follows the replacement failed: then these parts count.
            if not (path.exists() and path.read_bytes() == text):
                written += [part for part in after.parts if part not in before.parts]
            raise
    if before.format != FORMAT or not (root / FORMAT_FILE).exists():
        write_bytes(root / FORMAT_FILE, json.dumps({"format": FORMAT}).encode())
    stay = {part.file for part in (*after.parts, *after.retired)}
    for part in (*before.parts, *before.retired):
        if part.file not in stay:
            with contextlib.suppress(OSError):
                (root / part.file).unlink()


def mended(
    root: Path, read: Read, manifest: Manifest, damaged: Sequence[Damage], now: datetime
) -> tuple[Manifest, Sequence[str]]:
    """The state without damaged parts, which are set aside, and what is to be told of them.

    What the last write had replaced comes back, as far as it is still there.

    Raises:
        StoreError: The disk refused.
    """
    told: list[str] = []
    changed: dict[Series, pl.DataFrame] = {}
    good: dict[Series, Sequence[Part]] = {}
    losses = dict(manifest.losses)
    bad = {part.file for part, _ in damaged}
    for part, damage in damaged:
        table, series = TABLES[part.table], (part.table, part.feed)
        aside = set_aside(root, part.file, f"{part.table}-{part.feed or 'all'}", now)
        before, _ = fallback(read, manifest, table, {part.feed})
        gone = f"{part.rows:,} {'row is' if part.rows == 1 else 'rows are'} gone"
        what = "the version before it is used" if before.height else gone
        where = f"set aside as {aside}" if aside else "there is nothing to set aside"
        told.append(f"{root / part.file} is damaged ({damage.reason}); {where}, {what}")
        if part in manifest.retired:
            continue  # no row that counts was in it
        if table is not FETCH_TABLE:
            losses[part.feed] = _moment_of_loss(manifest, now)
        left = [one for one in manifest.series(*series) if one.file not in bad]
        if before.is_empty():
            good[series] = left
        else:
            frames = [before, *(read_part(read, one, table) for one in left)]
            changed[series] = as_one(frames, table)
    mending = manifest._replace(losses=losses, past=manifest.past + 1)
    without = replaced(mending, good)._replace(generation=manifest.generation)
    sound = with_series(root, without, changed.items())
    retired = tuple(part for part in sound.retired if part.file not in bad)
    return sound._replace(retired=retired), told


def _moment_of_loss(manifest: Manifest, now: datetime) -> datetime:
    """Before it no answer counts as had: not even one that a clock, set back since, dated later."""
    newest = manifest.newest
    return newest if newest is not None and now < newest <= now + SET_BACK else now


def set_aside(root: Path, file: str, name: str, now: datetime) -> Path | None:
    """Keep a damaged file under a name that says when, of which there is none yet.

    Returns:
        Its new name; None if there is no such file.
    """
    if not (root / file).exists():
        return None
    moment = now.astimezone(UTC)
    while (aside := root / SET_ASIDE / f"{name}-{moment:{MOMENT}}.parquet").exists():
        moment += timedelta(microseconds=1)
    keep_beside(root / file, aside)
    return aside


def parts_on_disk(root: Path) -> list[Part]:
    """All parts that lie in the folders of the tables, oldest first, whatever the manifest says."""
    found: list[tuple[int, Part]] = []
    for name in TABLES:
        for path in (root / name).glob("*.parquet"):
            if match := _PART_NAME.fullmatch(path.name):
                part = Part(name, unquote(match["feed"]), f"{name}/{path.name}")
                found.append((int(match["generation"]), part))
    return [part for _, part in sorted(found, key=lambda one: (one[0], one[1].file))]


def generation_of(part: Part) -> int:
    """The write that made a part."""
    match = _PART_NAME.fullmatch(part.file.rpartition("/")[2])
    return int(match["generation"]) if match else 0


def by_feed(frame: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """The rows of each feed, by its name."""
    groups = frame.group_by("feed", maintain_order=True)
    return sorted(((str(name), rows) for (name,), rows in groups), key=lambda one: one[0])


@contextlib.contextmanager
def _undone_if_it_fails(root: Path) -> Iterator[list[Part]]:
    """Takes the parts that are written; should not all of them come about, none stays."""
    written: list[Part] = []
    try:
        yield written
    except BaseException:
        for part in written:
            with contextlib.suppress(OSError):
                (root / part.file).unlink()
        raise
