"""From the layout of an older version to the present one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from qwenwatch_cache.frames import FETCH_TABLE, TABLES
from qwenwatch_cache.manifest import FORMAT, FORMAT_1, Manifest, Read
from qwenwatch_cache.store.care import rows_found
from qwenwatch_cache.store.files import Unreadable
from qwenwatch_cache.store.reading import as_one, rows_of
from qwenwatch_cache.store.writing import (
    MOMENT,
    SET_ASIDE,
    by_feed,
    generation_of,
    parts_on_disk,
    save,
    set_aside,
    with_series,
)


def has_old_tables(root: Path) -> bool:
    """Whether files of format 1 lie there: a migration was killed before it deleted them."""
    return any((root / part.file).exists() for part in (*FORMAT_1.parts, *FORMAT_1.retired))


def migrated(
    root: Path, read: Read, before: Manifest, now: datetime
) -> tuple[Manifest, Sequence[str]]:
    """Bring a cache of format 1 (one file a table) to the present format, and make it count.

    All is written before `format.json` is replaced, and only then the old files are deleted: until
    that moment the cache is one of format 1. Parts that lie there already count too: of a migration
    that was killed, or of a newer cache over which an old one was copied.

    Returns:
        The new state, and what is to be told of damage that was met.

    Raises:
        StoreError: The disk refused; the cache is as it was.
    """
    there = parts_on_disk(root)
    frames, losses, told = rows_found(root, read, there, now)
    losses |= before.losses if before.format == FORMAT else losses_of_format_1(root)
    for table in TABLES.values():
        rows, damaged = rows_of(read, FORMAT_1, table)
        for part, damage in damaged:
            if isinstance(damage, Unreadable):
                raise Unreadable(root / part.file, damage.reason)
            aside = set_aside(root, part.file, part.table, now)
            told.append(
                f"{root / part.file} is damaged ({damage.reason}); set aside as {aside}, "
                + ("the version before it is used" if rows.height else "nothing is left of it")
            )
            if table is not FETCH_TABLE:
                losses[""] = now
        for feed, of_feed in by_feed(rows):
            frames[table.name, feed].append(of_feed)
    newest = max((generation_of(part) for part in there), default=before.generation)
    # Parts beside an old layout: two caches become one.
    merged = now if there else None
    count = Manifest(
        generation=newest, past=newest + 1 if there else 0, losses=losses, merged=merged
    )
    series = {key: as_one(rows, TABLES[key[0]]) for key, rows in frames.items()}
    new = with_series(root, count, series.items())
    # A table goes after what was before it, so that it is never missing with that still there.
    old = (*FORMAT_1.retired, *FORMAT_1.parts, *there)
    save(root, before._replace(parts=old, retired=()), new)
    return new, told


def losses_of_format_1(root: Path) -> dict[str, datetime]:
    """When rows were last lost, under "": format 1 told it by the names of what it set aside."""
    moments = []
    for path in (root / SET_ASIDE).glob("*.parquet"):
        name, _, moment = path.stem.partition("-")
        if name != FETCH_TABLE.name:
            try:
                moments.append(datetime.strptime(moment, MOMENT).replace(tzinfo=UTC))
            except ValueError:
                continue
    return {"": max(moments)} if moments else {}
