"""The reading half of the cache: takes no lock, waits for nobody, touches nothing."""

import contextlib
from collections.abc import Collection
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import polars as pl

from qwenwatch_cache.errors import StoreError
from qwenwatch_cache.frames import FETCH_TABLE, TABLES, Table
from qwenwatch_cache.manifest import MANIFEST_FILE, Manifest, ManifestLost, read_manifest
from qwenwatch_cache.places import place_of, read_only
from qwenwatch_cache.store.files import read_table
from qwenwatch_cache.store.reading import Moved, rows_of
from qwenwatch_cache.store.writing import parts_on_disk


class Reader:
    """One cache, to read from.

    Attributes:
        address: Its directory, or its address in an object store.
        notices: Messages for people about damage that was met, newest last.
    """

    def __init__(self, root: Path | str, *, bundled: Path | None = None) -> None:
        """Open a cache; a directory need not exist yet.

        Args:
            root: Its directory, or its address in an object store.
            bundled: Directory of the baseline that is read beneath the cache; None takes the one
                that comes with the program.

        Raises:
            CacheTooNew: A newer version of the program wrote it.
            StoreError: `format.json` is there and makes no sense; or the address is of no cache.
        """
        self.address = root
        self._read = place_of(root).read
        self.notices: list[str] = []
        self._bundled = bundled or Path(str(files("qwenwatch_cache"))) / "baseline"
        self.manifest()

    @property
    def root(self) -> Path:
        """The directory, for whoever needs one.

        Raises:
            StoreError: The cache is in an object store, where nothing can be written.
        """
        if isinstance(self.address, str):
            raise read_only(self.address)
        return self.address

    def manifest(self) -> Manifest:
        """The state that the last write left.

        If nothing says which state that is, all parts that lie there count.

        Raises:
            CacheTooNew: A newer version of the program wrote it.
            StoreError: It cannot be read.
        """
        try:
            return self._stated()
        except ManifestLost as lost:
            if isinstance(self.address, str):
                raise StoreError(f"{self.address}: {lost}; copy it there again") from lost
            self._notice(
                f"{lost}: all that lies in {self.address} is shown, the next write repairs"
            )
            return Manifest(parts=tuple(parts_on_disk(self.address)))

    def _stated(self) -> Manifest:
        """What `manifest.json` and `format.json` say; see `read_manifest`."""
        try:
            manifest = read_manifest(self._read)
        except ManifestLost:
            raise
        except StoreError as error:
            raise type(error)(f"{self.address}: {error}") from error
        if isinstance(self.address, str):
            if manifest.format == 1 or not manifest.generation:
                raise StoreError(
                    f"there is no cache of this version at {self.address}: its format.json, "
                    "manifest.json and parts must have been copied there"
                )
            return manifest
        # The first write of all makes a manifest before any part.
        lies = manifest == Manifest() and parts_on_disk(self.address)
        if lies and not (self.address / MANIFEST_FILE).exists():
            raise ManifestLost(f"{MANIFEST_FILE} of the cache is missing")
        return manifest

    def cached(
        self,
        table: Table,
        *,
        feeds: Collection[str] | None = None,
        since: datetime | None = None,
        columns: Collection[str] | None = None,
        where: pl.Expr | None = None,
    ) -> pl.DataFrame:
        """Rows of a table that feeds brought into this cache, by feed and as they were stored.

        A damaged part is not touched: what the last write had replaced is read and a notice left.

        Args:
            table: What to read.
            feeds: Only rows of these; None for all.
            since: Only rows as new as this, by the table's time; None for all.
            columns: Only these; None for all.
            where: Only rows of which this is true; None for all.
        """
        manifest = self.manifest()
        missing: str | None = None
        while True:
            try:
                rows, damaged = rows_of(
                    self._read,
                    manifest,
                    table,
                    feeds=feeds,
                    since=since,
                    columns=columns,
                    where=where,
                    missing_is_damage=missing is not None,
                )
            except Moved as moved:
                newer = self.manifest()
                # The same state names it still: nobody moved it, it is missing.
                missing = moved.part.file if newer.generation == manifest.generation else None
                manifest = newer
                continue
            if damaged or manifest.format == 1:
                newer = self.manifest()
                if newer.generation != manifest.generation:
                    manifest = newer  # it was repaired or migrated while it was read
                    continue
            for part, damage in damaged:
                self._notice(
                    f"{self.address}/{part.file} is damaged ({damage.reason}); what is left of "
                    f"{part.feed or part.table} is shown, `qwenwatch refresh` repairs"
                )
            return rows

    def bundled(
        self,
        table: Table,
        *,
        feeds: Collection[str] | None = None,
        columns: Collection[str] | None = None,
        where: pl.Expr | None = None,
    ) -> pl.DataFrame:
        """Rows of a table in the baseline that came with the program; see `cached`."""
        if feeds is not None:
            of_these = pl.col("feed").is_in(sorted(feeds))
            where = of_these if where is None else of_these & where
        return read_table(self._bundled / f"{table.name}.parquet", table, columns, where)

    def read(
        self,
        table: Table,
        *,
        feeds: Collection[str] | None = None,
        columns: Collection[str] | None = None,
        where: pl.Expr | None = None,
    ) -> pl.DataFrame:
        """Baseline and cache together, in order of time; of one key the later observation counts.

        Args:
            table: What to read.
            feeds: Only rows of these; None for all.
            columns: Only these, of which the table's time must be one; None for all.
            where: Only rows of which this is true; None for all.
        """
        both = [
            self.bundled(table, feeds=feeds, columns=columns, where=where),
            self.cached(table, feeds=feeds, columns=columns, where=where),
        ]
        rows = pl.concat(both)
        # The baseline is mostly older than the cache, and to copy all columns takes long.
        in_order = rows.get_column(table.time).is_sorted()
        return rows if in_order else rows.sort(table.time, maintain_order=True)

    def last_observed(self) -> datetime | None:
        """When the newest row of this cache was learned, None if it is empty."""
        parts = [part for part in self.manifest().parts if part.table != FETCH_TABLE.name]
        times: list[object] = [part.last for part in parts]
        # A manifest of an older layout, or one that was lost, does not tell.
        for name in sorted({part.table for part in parts if not part.sha256}):
            table = TABLES[name]
            times.append(self.cached(table, columns={table.time}).get_column(table.time).max())
        return max((moment for moment in times if isinstance(moment, datetime)), default=None)

    def stamp(self, table: Table | None = None) -> str:
        """Changes whenever a table changes: what was computed under another stamp is stale.

        Args:
            table: Which one; None for all that feeds brought, which leaves out the log.
        """
        manifest = self.manifest()
        if manifest.format == 1 and isinstance(self.address, Path):
            return _stamp_of_files(self.address, manifest, table)
        return " ".join(
            part.file
            for part in manifest.parts
            if (part.table != FETCH_TABLE.name if table is None else part.table == table.name)
        )

    def last_damage(self, feed: str) -> datetime | None:
        """When rows of a feed were last lost to damage, None if never.

        They are gone until the feed states them again, so answers from before do not count as had.
        """
        losses = self.manifest().losses
        return max((losses[one] for one in (feed, "") if one in losses), default=None)

    def _notice(self, text: str) -> None:
        if text not in self.notices:
            self.notices.append(text)


def _stamp_of_files(root: Path, manifest: Manifest, table: Table | None) -> str:
    """Of a cache of format 1, whose files are replaced under one name."""
    marks = []
    for part in manifest.parts:
        if part.table == table.name if table else part.table != FETCH_TABLE.name:
            with contextlib.suppress(OSError):
                state = (root / part.file).stat()
                # The inode, because two writes may fall into one tick of the clock.
                marks.append(f"{part.file}:{state.st_size}:{state.st_mtime_ns}:{state.st_ino}")
    return " ".join(marks)
