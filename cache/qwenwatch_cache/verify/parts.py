"""Whether the Parquet files are those that were written, and hold what such files may hold."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import polars as pl

from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.frames import FETCH_TABLE, TABLES, Table
from qwenwatch_cache.manifest import Manifest, Part
from qwenwatch_cache.store.files import Damaged, decode
from qwenwatch_cache.verify.findings import Findings, row_name
from qwenwatch_cache.verify.state import State, look_for_others, read_state

SIGNED = frozenset({"status"})
"""Columns of numbers that may be below 0."""


class Parts(msgspec.Struct, frozen=True):
    """What the Parquet files hold.

    Attributes:
        manifest: The state that was looked at.
        tables: Rows by table, as far as they can be read.
        incomplete: Feeds with rows that cannot be read.
    """

    manifest: Manifest
    tables: Mapping[str, pl.DataFrame]
    incomplete: frozenset[str]


def look_at_parts(root: Path, findings: Findings) -> Parts:
    """Look at every Parquet file of the cache.

    Args:
        root: The cache directory.
        findings: Gets what is wrong.

    Raises:
        CacheTooNew: A newer version of the program wrote the cache.
        StoreError: `format.json` makes no sense, or the manifest cannot be read.
    """
    state = read_state(root, findings)
    manifest = state.manifest
    frames = {name: [table.empty()] for name, table in TABLES.items()}
    incomplete: set[str] = set()
    for part in manifest.parts:
        frame = _look_at_part(state, part, findings)
        if frame is not None:
            frames[part.table].append(frame)
        elif part.table != FETCH_TABLE.name and not _is_needless(state, part):
            incomplete |= {part.feed} if part.feed else set(FEEDS)
    for part in manifest.retired:
        _sound_content(state, part, findings)
    tables = {name: pl.concat(rows) for name, rows in frames.items()}
    if state.lost:  # also what had been replaced counts, until the next write
        tables = {name: rows.unique(maintain_order=True) for name, rows in tables.items()}
    for name, rows in tables.items():
        findings.rows += rows.height
        _name_duplicates(rows, TABLES[name], findings)
    if manifest.format != 1:
        look_for_others(root, state, findings)
    return Parts(manifest, tables, frozenset(incomplete))


def _is_needless(state: State, part: Part) -> bool:
    """Whether it is all right that a file is not there: format 1 had none for an empty table."""
    return state.manifest.format == 1 and isinstance(state.contents[part.file], FileNotFoundError)


def _sound_content(state: State, part: Part, findings: Findings) -> bytes | None:
    """The bytes of a part, if they are those that were written."""
    content = state.contents[part.file]
    if _is_needless(state, part):
        return None
    if isinstance(content, FileNotFoundError):
        findings.add(part.file, f"it is missing, with {part.rows:,} rows")
        return None
    if isinstance(content, OSError):
        findings.add(part.file, f"it cannot be read ({content.strerror})")
        return None
    findings.parts += 1
    if not part.sha256:
        return content
    digest = hashlib.sha256(content).hexdigest()
    if len(content) != part.bytes:
        findings.add(part.file, f"it has {len(content):,} bytes, {part.bytes:,} were written")
        return None
    if digest != part.sha256:
        findings.add(part.file, "its content is not what was written (sha256)")
        return None
    if not part.file.endswith(f"-{digest[:8]}.parquet"):
        findings.add(part.file, "its name tells of another content")
    return content


def _look_at_part(state: State, part: Part, findings: Findings) -> pl.DataFrame | None:
    """The rows of a part, if they can be read."""
    content = _sound_content(state, part, findings)
    if content is None:
        return None
    table = TABLES[part.table]
    try:
        frame = decode(content, part.file, table)
        present = pl.read_parquet_schema(io.BytesIO(content))
    except Damaged as damage:
        findings.add(part.file, damage.reason)
        return None
    for what in (
        *_strange_columns(present, table),
        *(_strange_extent(frame, part, table) if part.sha256 else ()),
        *_strange_values(frame, table),
    ):
        findings.add(part.file, what)
    return frame


def _strange_columns(present: Mapping[str, pl.DataType], table: Table) -> Iterator[str]:
    declared = {
        name: kind
        for name, kind in table.schema.items()
        if name in present or name not in table.later
    }
    for name, kind in declared.items():
        if present[name] != kind:
            yield f"column {name} is of type {present[name]}, documented is {kind}"
    if list(present) != list(declared):
        yield f"its columns are {', '.join(present)}; documented are {', '.join(declared)}"


def _strange_extent(frame: pl.DataFrame, part: Part, table: Table) -> Iterator[str]:
    """What does not agree with the manifest, or with the order of a part."""
    if frame.height != part.rows:
        yield f"it has {frame.height:,} rows, {part.rows:,} were written"
    times = frame.get_column(table.time)
    for name, found, written in (
        ("oldest", times.min(), part.first),
        ("newest", times.max(), part.last),
    ):
        if found != written:
            yield f"its {name} row is of {found!s}, the manifest says {written!s}"
    others = sorted(set(frame.get_column("feed").unique().to_list()) - {part.feed}, key=str)
    if part.feed and others:
        yield f"it has rows of {others[0]}, and is of {part.feed}"
    if table is not FETCH_TABLE and not times.is_sorted():
        yield f"its rows are not in order of {table.time}"


def _strange_values(frame: pl.DataFrame, table: Table) -> Iterator[str]:
    """Rows that no parser makes: without a part of the key, or with a number below 0."""
    needed = [*table.key, table.time, *(("listed",) if "listed" in table.schema else ())]
    numbers = [
        name for name, kind in table.schema.items() if kind.is_numeric() and name not in SIGNED
    ]
    for name, wrong, what in (
        *((name, pl.col(name).is_null(), "is missing") for name in dict.fromkeys(needed)),
        *((name, pl.col(name) < 0, "is below 0") for name in numbers),
    ):
        for row in frame.filter(wrong).iter_rows(named=True):
            yield f"{name} {what} in {row_name(table, row)}"


def _name_duplicates(rows: pl.DataFrame, table: Table, findings: Findings) -> None:
    for row in rows.filter(rows.is_duplicated()).unique(maintain_order=True).iter_rows(named=True):
        findings.add(row_name(table, row), "it stands there more than once")
