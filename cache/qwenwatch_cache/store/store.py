"""The cache on disk: what feeds said, kept for good.

Layout of the directory (format version 1)::

    format.json             {"format": 1}
    usage.parquet           one file per table of qwenwatch_cache.frames, all revisions in it
    price.parquet …
    previous/usage.parquet  each table as it was one write ago, to fall back on
    set-aside/              damaged files, under a name that says when
    bodies/FEED/            response bodies as they came, gzip
    ready/                  answers kept ready to show; may be deleted at any time
    writer.lock             held by whoever writes

Writers hold the lock; readers never do, because a table is only ever replaced as a whole.
"""

import contextlib
import gzip
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

import polars as pl
from filelock import FileLock, Timeout

from qwenwatch_cache.errors import CacheLocked, CacheTooNew, StoreError
from qwenwatch_cache.frames import FETCH_TABLE, TABLES, Table, conform
from qwenwatch_cache.store.files import (
    TEMPORARY,
    Damaged,
    read_table,
    write_atomically,
    write_table,
)
from qwenwatch_cache.store.revisions import news, withdrawn

FORMAT = 1


class Store:
    """One cache directory.

    Attributes:
        root: The directory; created by the first write.
        notices: Messages for people about damage that was met, newest last.
    """

    def __init__(self, root: Path, *, bundled: Path | None = None, patience: float = 10.0) -> None:
        """Open a cache directory, which need not exist yet.

        Args:
            root: The directory.
            bundled: Directory of the baseline that is read beneath the cache; None takes the one
                that comes with the program.
            patience: Seconds to wait for another writer.

        Raises:
            CacheTooNew: A newer version of the program wrote it.
            StoreError: `format.json` is there and makes no sense.
        """
        self.root = root
        self.notices: list[str] = []
        self._bundled = bundled or Path(str(files("qwenwatch_cache"))) / "baseline"
        self._patience = patience
        self._check_format()

    # Reading

    def cached(self, table: Table) -> pl.DataFrame:
        """All rows of a table that feeds brought into this cache, in the order they were stored.

        A damaged file is not touched: the version before it is read and a notice is left.
        """
        path = self._path(table)
        try:
            return read_table(path, table)
        except Damaged as damage:
            self._notice(f"{damage}; the version before it is shown, `qwenwatch refresh` repairs")
        try:
            return read_table(self._previous(table), table)
        except Damaged as damage:
            self._notice(str(damage))
            return table.empty()

    def bundled(self, table: Table) -> pl.DataFrame:
        """All rows of a table in the baseline that came with the program."""
        return read_table(self._bundled / f"{table.name}.parquet", table)

    def read(self, table: Table) -> pl.DataFrame:
        """Baseline and cache together; where both know a key, the later observation counts."""
        return pl.concat([self.bundled(table), self.cached(table)]).sort(
            table.time, maintain_order=True
        )

    def last_observed(self) -> datetime | None:
        """When the newest row of this cache was learned, None if it is empty."""
        times = [
            self.cached(table).get_column(table.time).max()
            for table in TABLES.values()
            if table is not FETCH_TABLE
        ]
        return max((moment for moment in times if isinstance(moment, datetime)), default=None)

    def stamp(self) -> str:
        """Changes whenever a table changes: what was computed under another stamp is stale."""
        marks = []
        for name in sorted(TABLES.keys() - {FETCH_TABLE.name}):
            with contextlib.suppress(OSError):
                state = (self.root / f"{name}.parquet").stat()
                marks.append(f"{name}:{state.st_size}:{state.st_mtime_ns}")
        return " ".join(marks)

    # Writing

    def append(self, incoming: Mapping[str, pl.DataFrame], observed_at: datetime) -> int:
        """Store what is new in some frames, by table name, and what was withdrawn since.

        Returns:
            Number of rows added.

        Raises:
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused; what was stored before is unchanged.
        """
        added = 0
        with self._writing():
            for name, frame in incoming.items():
                table = TABLES[name]
                known = self._mended(table, observed_at)
                stated = conform(frame, table.schema)
                fresh = pl.concat(
                    [news(known, stated, table), withdrawn(known, stated, table, observed_at)]
                )
                if not fresh.is_empty():
                    self._replace(table, pl.concat([known, fresh]))
                    added += fresh.height
        return added

    def log(self, fetches: pl.DataFrame, now: datetime) -> None:
        """Add rows to the fetch log.

        Raises:
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused.
        """
        with self._writing():
            known = self._mended(FETCH_TABLE, now)
            fresh = conform(fetches, FETCH_TABLE.schema)
            self._replace(FETCH_TABLE, pl.concat([known, fresh]))

    def keep_body(self, feed: str, body: bytes, sha256: str, when: datetime) -> None:
        """Keep a response body as it came, unless the same bytes are there already.

        Raises:
            StoreError: The disk refused.
        """
        folder = self.root / "bodies" / feed
        if not any(folder.glob(f"*-{sha256[:16]}.gz")):
            path = folder / f"{when:%Y%m%dT%H%M%SZ}-{sha256[:16]}.gz"
            packed = gzip.compress(body, mtime=0)
            write_atomically(path, lambda target: _write_bytes(target, packed))

    def drop_old_bodies(self, now: datetime, days: int) -> None:
        """Delete kept bodies that are older than so many days."""
        oldest = f"{now - timedelta(days=days):%Y%m%dT%H%M%SZ}"
        for path in (self.root / "bodies").glob("*/*.gz"):
            if path.name < oldest:
                with contextlib.suppress(OSError):
                    path.unlink()

    def repair(self, now: datetime) -> bool:
        """Set damaged tables aside and go back to the version before them.

        Returns:
            Whether anything was damaged. Feeds should then be asked unconditionally, because what
            the damaged file held beyond its predecessor must come again.

        Raises:
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused.
        """
        if not self.root.exists():
            return False
        before = len(self.notices)
        with self._writing():
            for left in self.root.glob(f".*{TEMPORARY}"):
                left.unlink(missing_ok=True)
            for table in TABLES.values():
                self._mended(table, now)
        return len(self.notices) > before

    def _mended(self, table: Table, now: datetime) -> pl.DataFrame:
        """All cached rows of a table, for a writer: a damaged file is set aside first."""
        path = self._path(table)
        try:
            return read_table(path, table)
        except Damaged as damage:
            aside = self.root / "set-aside" / f"{table.name}-{now:%Y%m%dT%H%M%SZ}.parquet"
            aside.parent.mkdir(parents=True, exist_ok=True)
            path.replace(aside)
            self._notice(f"{damage}; set aside as {aside}, the version before it is used")
        try:
            before = read_table(self._previous(table), table)
        except Damaged as damage:
            self._notice(str(damage))
            return table.empty()
        write_table(path, before)
        return before

    def _replace(self, table: Table, frame: pl.DataFrame) -> None:
        """Put a table in place, keeping the one before it to fall back on."""
        path, previous = self._path(table), self._previous(table)
        if path.exists():
            previous.parent.mkdir(parents=True, exist_ok=True)
            link = previous.with_suffix(".link")
            link.unlink(missing_ok=True)
            os.link(path, link)
            link.replace(previous)
        write_table(path, frame)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with FileLock(self.root / "writer.lock", timeout=self._patience):
                self._check_format()
                if not (self.root / "format.json").exists():
                    text = json.dumps({"format": FORMAT}).encode()
                    write_atomically(
                        self.root / "format.json", lambda target: _write_bytes(target, text)
                    )
                yield
        except Timeout as error:
            raise CacheLocked(
                f"another qwenwatch is writing to {self.root} and did not finish in "
                f"{self._patience:g} s; try again"
            ) from error
        except OSError as error:
            raise StoreError(f"cannot write to the cache {self.root}: {error.strerror}") from error

    def _check_format(self) -> None:
        path = self.root / "format.json"
        try:
            stated = json.loads(path.read_text(encoding="utf-8"))["format"]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{path} does not say which format the cache has; if the directory is not a "
                "qwenwatch cache choose another with --cache-dir, else delete that file"
            ) from error
        if not isinstance(stated, int) or stated > FORMAT:
            raise CacheTooNew(
                f"the cache {self.root} has format {stated}, this version knows up to {FORMAT}: "
                "upgrade qwenwatch or choose another directory with --cache-dir"
            )

    def _path(self, table: Table) -> Path:
        return self.root / f"{table.name}.parquet"

    def _previous(self, table: Table) -> Path:
        return self.root / "previous" / f"{table.name}.parquet"

    def _notice(self, text: str) -> None:
        if text not in self.notices:
            self.notices.append(text)


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
