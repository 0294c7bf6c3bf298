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
    asking/HOST.lock        held by whoever asks that host

Writers hold the lock; readers never do, because a table is only ever replaced as a whole.
"""

import contextlib
import gzip
import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import polars as pl
from filelock import FileLock, Timeout

from qwenwatch_cache.errors import CacheLocked, CacheTooNew, StoreError
from qwenwatch_cache.frames import FETCH_TABLE, TABLES, Table, conform
from qwenwatch_cache.store.files import (
    TEMPORARY,
    Damaged,
    Unreadable,
    keep_beside,
    read_table,
    write_atomically,
    write_table,
)
from qwenwatch_cache.store.revisions import news, refuse_upheaval, withdrawn

FORMAT = 1

LOCKED = ("", "previous/", "set-aside/", "bodies/*/")
"""Folders in which only the holder of the lock writes."""

MOMENT = "%Y%m%dT%H%M%S.%fZ"
"""How names in set-aside/ say when."""


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

    def stamp(self, table: Table | None = None) -> str:
        """Changes whenever a table changes: what was computed under another stamp is stale.

        Args:
            table: Which one; None for all that feeds brought, which leaves out the log.
        """
        marks = []
        for name in sorted(TABLES.keys() - {FETCH_TABLE.name}) if table is None else (table.name,):
            with contextlib.suppress(OSError):
                state = (self.root / f"{name}.parquet").stat()
                # The inode, because two writes may fall into one tick of the file system's clock.
                marks.append(f"{name}:{state.st_size}:{state.st_mtime_ns}:{state.st_ino}")
        return " ".join(marks)

    def last_damage(self) -> datetime | None:
        """When a table was last found damaged and set aside, None if none is in set-aside/.

        What the damaged file held beyond the version before it is gone until feeds state it again,
        so answers from before that moment do not count as had.
        """
        found = []
        for name in TABLES.keys() - {FETCH_TABLE.name}:
            for path in (self.root / "set-aside").glob(f"{name}-*.parquet"):
                with contextlib.suppress(ValueError):
                    moment = datetime.strptime(path.stem.removeprefix(f"{name}-"), MOMENT)
                    found.append(moment.replace(tzinfo=UTC))
        return max(found, default=None)

    # Writing

    def append(
        self,
        incoming: Mapping[str, pl.DataFrame],
        observed_at: datetime,
        *,
        unread: Collection[str] = (),
        whole: Collection[str] | None = None,
        believe: bool = False,
    ) -> int:
        """Store what is new in some frames, and what was withdrawn since.

        Args:
            incoming: Frames by table name.
            observed_at: When they were learned.
            unread: Models that the feed named and whose entry could not be used; what is known of
                them stays as it is.
            whole: Models or entities of which the feed said everything, None for all it has.
            believe: Whether an answer with far less or more than before is taken as it is.

        Returns:
            Number of rows added.

        Raises:
            Implausible: The answer holds far less or more than before; nothing of it was stored.
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused; what was stored before is unchanged.
        """
        added = 0
        with self._writing():
            changed: list[tuple[Table, pl.DataFrame, pl.DataFrame]] = []
            for name, frame in incoming.items():
                table = TABLES[name]
                known = self._mended(table, observed_at)
                stated = conform(frame, table.schema)
                # What the baseline says is withdrawn like any other figure, or it would stand on.
                bundled = self.bundled(table).filter(pl.col(table.time) <= observed_at)
                shown = pl.concat([bundled, known]).sort(table.time, maintain_order=True)
                if whole is None and not believe:
                    # Against what feeds said here: the baseline may be of another year.
                    refuse_upheaval(known, stated, table)
                gone = withdrawn(shown, stated, table, observed_at, unread, whole)
                changed.append((table, known, pl.concat([news(known, stated, table), gone])))
            for table, known, fresh in changed:
                if not fresh.is_empty():
                    path, previous = self._path(table), self._previous(table)
                    write_table(path, pl.concat([known, fresh]), previous)
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
            path, previous = self._path(FETCH_TABLE), self._previous(FETCH_TABLE)
            write_table(path, pl.concat([known, fresh]), previous)

    def keep_body(self, feed: str, body: bytes, sha256: str, when: datetime) -> None:
        """Keep a response body as it came, unless the same bytes are there already.

        Raises:
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused.
        """
        folder = self.root / "bodies" / feed
        if not any(folder.glob(f"*-{sha256[:16]}.gz")):
            path = folder / f"{when:%Y%m%dT%H%M%SZ}-{sha256[:16]}.gz"
            packed = gzip.compress(body, mtime=0)
            with self._writing():
                write_atomically(path, lambda target: _write_bytes(target, packed))

    def drop_old_bodies(self, now: datetime, days: int) -> None:
        """Delete kept bodies that are older than so many days."""
        oldest = f"{now - timedelta(days=days):%Y%m%dT%H%M%SZ}"
        for path in (self.root / "bodies").glob("*/*.gz"):
            if path.name < oldest:
                with contextlib.suppress(OSError):
                    path.unlink()

    def repair(self, now: datetime) -> None:
        """Set damaged tables aside and go back to the version before them; see `last_damage`.

        Raises:
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused.
        """
        if not self.root.exists():
            return
        with self._writing():
            for folder in LOCKED:
                for left in self.root.glob(f"{folder}*{TEMPORARY}"):
                    left.unlink(missing_ok=True)
            for table in TABLES.values():
                self._mended(table, now)

    def _mended(self, table: Table, now: datetime) -> pl.DataFrame:
        """All cached rows of a table, for a writer: a damaged file is set aside first.

        The table is not missing at any moment: a writer that is killed here, or meets a full disk,
        leaves the damage to be found again.
        """
        path, previous = self._path(table), self._previous(table)
        try:
            return read_table(path, table)
        except Unreadable:
            raise
        except Damaged as damage:
            aside = self._set_aside(path, table, now)
            self._notice(f"{damage}; set aside as {aside}, the version before it is used")
        try:
            before = read_table(previous, table)
        except Unreadable:
            raise
        except Damaged as damage:
            # Still there under this name too, until the next write puts a whole table over it.
            aside = self._set_aside(previous, table, now)
            self._notice(f"{damage}; set aside as {aside}, nothing is left of this table")
            before = table.empty()
        write_table(path, before)
        return before

    def _set_aside(self, path: Path, table: Table, now: datetime) -> Path:
        """Keep a damaged file under a name that says when, of which there is none yet."""
        moment = now
        while (aside := self._aside(table, moment)).exists():
            moment += timedelta(microseconds=1)
        keep_beside(path, aside)
        return aside

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

    def _aside(self, table: Table, when: datetime) -> Path:
        moment = when.astimezone(UTC).strftime(MOMENT)
        return self.root / "set-aside" / f"{table.name}-{moment}.parquet"

    def _notice(self, text: str) -> None:
        if text not in self.notices:
            self.notices.append(text)


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
