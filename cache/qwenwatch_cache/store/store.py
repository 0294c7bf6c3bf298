"""The cache on disk: what feeds said, kept for good.

Layout of the directory (format version 2)::

    format.json             {"format": 2}
    manifest.json           which parts there are; see qwenwatch_cache.manifest
    usage/FEED-NUMBER-SHA8.parquet   parts: one folder per table of qwenwatch_cache.frames
    price/ …
    set-aside/              damaged files, under a name that says when
    bodies/FEED/            response bodies as they came, gzip
    ready/                  answers kept ready to show; may be deleted at any time
    writer.lock             held by whoever writes
    asking/HOST.lock        held by whoever asks that host

Writers hold the lock; readers never do: a part never changes, and the manifest is replaced as a
whole.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType

import polars as pl
from msgspec.structs import replace

from qwenwatch_cache.errors import CacheLocked, StoreError
from qwenwatch_cache.frames import FETCH_TABLE, TABLES, Table, conform
from qwenwatch_cache.manifest import MANIFEST_FILE, Manifest, ManifestLost
from qwenwatch_cache.store import bodies
from qwenwatch_cache.store.care import compacted, is_outdated, rebuilt, swept
from qwenwatch_cache.store.files import Unreadable
from qwenwatch_cache.store.merging import Added, missing_in, together
from qwenwatch_cache.store.migrate import has_old_tables, migrated
from qwenwatch_cache.store.reader import Reader
from qwenwatch_cache.store.reading import Damage, damage_in, rows_of
from qwenwatch_cache.store.revisions import news, refuse_upheaval, withdrawn
from qwenwatch_cache.store.writing import by_feed, mended, save, with_rows, with_series

EARLIER = timedelta(days=45)
"""How much older than a period the figures may be that it is compared with (`refuse_upheaval`),
and by how much a clock that was wrong may have learned a figure before its day."""


class Store(Reader):
    """One cache directory, to read from and to write to; created by the first write."""

    def __init__(
        self, root: Path | str, *, bundled: Path | None = None, patience: float = 10.0
    ) -> None:
        """Open a cache; see `Reader`.

        Args:
            root: Its directory, or its address in an object store, where nothing can be written.
            bundled: Directory of the baseline.
            patience: Seconds to wait for another writer.

        Raises:
            CacheTooNew: A newer version of the program wrote it.
            StoreError: `format.json` is there and makes no sense.
        """
        super().__init__(root, bundled=bundled)
        self._patience = patience

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
        with self._writing(observed_at) as manifest:
            fresh: dict[str, pl.DataFrame] = {}
            for name, frame in incoming.items():
                table = TABLES[name]
                stated = conform(frame, table.schema)
                feeds = stated.get_column("feed").unique().to_list()
                since = _horizon(stated)
                known, manifest = self._sound(manifest, table, observed_at, feeds, since)
                # What the baseline says is withdrawn like any other figure, or it would stand on.
                bundled = self.bundled(table, feeds=feeds)
                shown = pl.concat([bundled, known]).sort(table.time, maintain_order=True)
                # What a clock that was wrong learned later was not known yet.
                shown = shown.filter(pl.col(table.time) <= observed_at)
                before = known.filter(pl.col(table.time) <= observed_at)
                if whole is None and not believe:
                    # Against what feeds said here: the baseline may be of another year.
                    refuse_upheaval(known, stated, table)
                gone = withdrawn(shown, stated, table, observed_at, unread, whole)
                rows = pl.concat([news(before, stated, table), gone])
                if not rows.is_empty():
                    fresh[name] = rows
            if fresh:
                save(self.root, manifest, with_rows(self.root, self._read, manifest, fresh))
        return sum(rows.height for rows in fresh.values())

    def log(self, fetches: pl.DataFrame, now: datetime) -> None:
        """Add rows to the fetch log.

        Raises:
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused.
        """
        with self._writing(now) as manifest:
            fresh = {FETCH_TABLE.name: conform(fetches, FETCH_TABLE.schema)}
            save(self.root, manifest, with_rows(self.root, self._read, manifest, fresh))

    def add(self, frames: Mapping[str, pl.DataFrame], now: datetime) -> Added:
        """Put rows of another cache beside those that are there, as they are.

        Rows that are there already, equal in all columns, are not stored again.

        Args:
            frames: Frames by table name, whole revisions and log included.
            now: The present moment.

        Raises:
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused; nothing of it was stored.
        """
        return self.merge(frames.items(), now)

    def merge(
        self,
        frames: Iterable[tuple[str, pl.DataFrame]],
        now: datetime,
        *,
        losses: Mapping[str, datetime] = MappingProxyType({}),
        kept: Iterable[bodies.Packed] = (),
    ) -> Added:
        """Put a whole other cache beside what is there; see `add`.

        Args:
            frames: Rows with the name of their table, piece by piece: those of one table and feed
                are in one piece. No more than one is held at a time.
            now: The present moment.
            losses: When the other cache last lost rows of a feed (see `Manifest.losses`): its log
                tells of answers whose rows are not among these.
            kept: Response bodies that it kept.

        Raises:
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused; nothing of it was stored.
        """
        added = Added()

        def changed_series() -> Iterator[tuple[tuple[str, str], pl.DataFrame]]:
            nonlocal added
            for name, frame in frames:
                table = TABLES[name]
                for feed, rows in by_feed(conform(frame, table.schema)):
                    own, damaged = rows_of(
                        self._read, manifest, table, feeds={feed}, missing_is_damage=True
                    )
                    for _, damage in damaged:
                        raise damage
                    new = missing_in(own, rows, table)
                    if not new.is_empty():
                        added = added.and_also(new.get_column(table.time))
                        yield (name, feed), together(own, rows, table)

        with self._writing(now) as manifest, bodies.beside(self.root, kept) as put_bodies:
            manifest = self._all_sound(manifest, now)
            later = {
                feed: max(moment, manifest.losses.get(feed, moment))
                for feed, moment in losses.items()
            }
            changed = manifest._replace(
                past=manifest.past + 1,
                losses={**manifest.losses, **later},
                merged=now,
            )
            after = with_series(self.root, changed, changed_series())
            if added.rows:
                save(self.root, manifest, after)
            return replace(added, bodies=put_bodies())

    def keep_body(self, feed: str, body: bytes, sha256: str, when: datetime) -> None:
        """Keep a response body as it came, unless the same bytes are there already.

        Raises:
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused.
        """
        if not bodies.is_kept(self.root, feed, sha256):
            with self._writing(when):
                bodies.keep(self.root, feed, body, sha256, when)

    def drop_old_bodies(self, now: datetime, days: int) -> None:
        """Delete kept bodies that are older than so many days.

        Raises:
            CacheTooNew: A newer version of the program has taken the cache over.
        """
        self.manifest()
        bodies.drop_old(self.root, now, days)

    def repair(self, now: datetime) -> None:
        """Set damaged parts aside, go back to what was before them, and sweep up after kills.

        Raises:
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused.
        """
        if not self.root.exists():
            return
        with self._writing(now) as manifest:
            damaged = damage_in(self._read, manifest)
            for part, damage in damaged:
                if isinstance(damage, Unreadable):  # only a write that needs it is refused
                    self._notice(str(Unreadable(self.root / part.file, damage.reason)))
            # Nor is anything mended of what may be whole in a moment.
            withheld = {
                (part.table, part.feed) for part, why in damaged if isinstance(why, Unreadable)
            }
            lost = [one for one in damaged if (one[0].table, one[0].feed) not in withheld]
            swept(self.root, self._mended(manifest, lost, now) if lost else manifest)

    def compact(self, now: datetime) -> None:
        """Make as few parts as can be of what is there; no row changes.

        Raises:
            CacheLocked: Another writer did not finish in time.
            StoreError: The disk refused; the cache is as it was.
        """
        with self._writing(now) as manifest:
            manifest = self._all_sound(manifest, now)
            compact = compacted(self.root, self._read, manifest)
            save(self.root, manifest, compact)
            swept(self.root, compact)

    def _sound(
        self,
        manifest: Manifest,
        table: Table,
        now: datetime,
        feeds: Collection[str] | None = None,
        since: datetime | None = None,
    ) -> tuple[pl.DataFrame, Manifest]:
        """Rows of a table for a writer, and the state they are of: damage is mended first."""
        while True:
            rows, damaged = rows_of(
                self._read, manifest, table, feeds=feeds, since=since, missing_is_damage=True
            )
            if not damaged:
                return rows, manifest
            if since is not None:
                since = None  # to mend takes all of it
                continue
            manifest = self._mended(manifest, damaged, now)

    def _all_sound(self, manifest: Manifest, now: datetime) -> Manifest:
        """The state to go on from when all of it is needed: damage is mended first."""
        damaged = damage_in(self._read, manifest)
        return self._mended(manifest, damaged, now) if damaged else manifest

    def _mended(self, manifest: Manifest, damaged: Sequence[Damage], now: datetime) -> Manifest:
        for part, damage in damaged:
            if isinstance(damage, Unreadable):
                raise Unreadable(self.root / part.file, damage.reason)
        sound, told = mended(self.root, self._read, manifest, damaged, now)
        save(self.root, manifest, sound)
        for text in told:
            self._notice(text)
        return sound

    @contextlib.contextmanager
    def _writing(self, now: datetime) -> Iterator[Manifest]:
        # Only writers need it, and it takes longer to load than a small answer takes.
        from filelock import FileLock, Timeout

        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with FileLock(self.root / "writer.lock", timeout=self._patience):
                yield self._present_format(now)
        except Timeout as error:
            raise CacheLocked(
                f"another qwenwatch is writing to {self.root} and did not finish in "
                f"{self._patience:g} s; try again"
            ) from error
        except OSError as error:
            raise StoreError(f"cannot write to the cache {self.root}: {error.strerror}") from error

    def _present_format(self, now: datetime) -> Manifest:
        """The state to go on from: an old layout is migrated, a lost manifest made anew."""
        known: Manifest | None = None
        try:
            manifest = self._stated()
            if manifest.format == 1 or has_old_tables(self.root):
                manifest, told = migrated(self.root, self._read, manifest, now)
            elif is_outdated(self.root, manifest):
                known = manifest
                raise ManifestLost(f"{MANIFEST_FILE} is older than what lies beside it")
            else:
                if not (self.root / MANIFEST_FILE).exists():
                    save(self.root, manifest, manifest)  # from now on its absence is a loss
                return manifest
        except ManifestLost as lost:
            manifest, told = rebuilt(self.root, self._read, now, known)
            self._notice(f"{lost}: made anew from the parts in {self.root}")
        for text in told:
            self._notice(text)
        return manifest


def _horizon(stated: pl.DataFrame) -> datetime | None:
    """Rows learned before this say nothing of what is stated now; None if any may.

    Nobody can state a figure before its period.
    """
    column = next((name for name in ("period", "date") if name in stated.columns), None)
    oldest = stated.get_column(column).min() if column else None
    if not isinstance(oldest, date):
        return None
    return datetime.combine(oldest, time.min, UTC) - EARLIER
