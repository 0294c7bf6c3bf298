"""A cache that was really polled from a world that moves, and people who spoil it."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from qwenwatch_cache.feeds import FEEDS, huggingface
from qwenwatch_cache.frames import TABLES
from qwenwatch_cache.manifest import Manifest, Part, from_json, to_json
from qwenwatch_cache.refresh import AS_DUE, Wish, ask_about, refresh
from qwenwatch_cache.store import Store
from qwenwatch_cache.vendors import load_vendors
from qwenwatch_cache.verify import Findings, verify
from tests.cache.polling import NO_BASELINE, Watch, settings_of, without_waits
from tests.feedserver import Bodies, FeedServer, FixtureBodies, faults_for
from tests.feedserver.bodies import Row

MODEL = "qwen/qwen3-max"
POLLED = tuple(name for name, feed in FEEDS.items() if feed.on_demand is None)
FAULTS = {
    1: ("truncated", "half-list", "html", "one-bad-row"),
    3: ("429-bare", "one-bad-row", "reset", "half-list", "404"),
}
"""What goes wrong in which round, feed by feed in turn, as far as it can be played on the feed."""

Change = Callable[[pl.DataFrame], pl.DataFrame]


class MovingWorld(FixtureBodies):
    """The small world, in which figures are restated, prices change, models and hosts go.

    Attributes:
        turn: How often it has moved on.
    """

    turn = 0

    def rankings(self) -> list[Row]:
        return [
            {**row, "total_tokens": str(int(row["total_tokens"]) + self.turn * 1000)}
            if row["date"] >= "2026-08-14"
            else row
            for row in super().rankings()
            if self.turn < 2 or (row["date"], row["model_permaslug"]) != self._gone
        ]

    @property
    def _gone(self) -> tuple[str, str]:
        last = [row for row in super().rankings() if row["date"] == "2026-08-16"]
        return last[0]["date"], last[0]["model_permaslug"]

    def apps(self, first: Any, last: Any) -> list[Row] | None:
        rows = super().apps(first, last)
        assert rows is not None
        return [{**row, "total_requests": row["total_requests"] + self.turn} for row in rows]

    def document(self, feed: str) -> bytes | None:
        body = super().document(feed)
        assert body is not None
        plain = json.loads(body)
        if feed == "openrouter-models":
            for model in plain["data"][:3]:
                model["pricing"]["prompt"] = f"0.00000{self.turn + 1}"
            plain["data"] = plain["data"][: len(plain["data"]) - (self.turn >= 2)]
        if feed == "models-dev":
            priced = [one for one in plain["alibaba"]["models"].values() if "cost" in one]
            priced[0]["cost"]["input"] = 1 + self.turn
        return json.dumps(plain).encode()

    def endpoints(self, model: str) -> bytes | None:
        body = super().endpoints(model)
        if body is None:
            return None
        plain = json.loads(body)
        hosts = plain["data"]["endpoints"]
        hosts[0]["uptime_last_30m"] = 90 + self.turn
        plain["data"]["endpoints"] = hosts[: len(hosts) - (self.turn >= 2)]
        return json.dumps(plain).encode()

    def hub_models(self, org: str) -> list[Row] | None:
        rows = super().hub_models(org)
        assert rows is not None
        return [{**row, "downloads": row["downloads"] + self.turn} for row in rows]


def poll(
    root: Path,
    *,
    rounds: int = 5,
    faults: bool = True,
    names: tuple[str, ...] = POLLED,
    world: Bodies | None = None,
    watch: Watch | None = None,
    wish: Wish = AS_DUE,
) -> None:
    """Ask all feeds again and again for some days; things go wrong, and are made up for."""
    watch, world = watch or Watch(step=0.05), world or MovingWorld()
    few = [one for one in load_vendors() if one.id in ("alibaba", "deepseek", "meta")]
    with pytest.MonkeyPatch.context() as patch, without_waits(patch):
        patch.setattr(huggingface, "load_vendors", lambda: few)
        with FeedServer(world, now=lambda: watch.now) as server:
            asyncio.run(_poll(root, server, world, watch, rounds, faults, names, wish))


async def _poll(
    root: Path,
    server: FeedServer,
    world: Bodies,
    watch: Watch,
    rounds: int,
    faults: bool,
    names: tuple[str, ...],
    wish: Wish,
) -> None:
    store = Store(root, bundled=NO_BASELINE)
    (hosts,) = settings_of(server, "openrouter-endpoints")
    for number in range(rounds):
        server.clear_faults()
        if faults and number in FAULTS:
            for name, fault in zip(names, cycle(FAULTS[number]), strict=False):
                if fault in faults_for(name):
                    server.fault(name, fault, first=1, last=2)
        await refresh(store, settings_of(server, *names), watch, wish)
        server.clear_faults()
        if "openrouter-models" in names:
            await ask_about(store, hosts, MODEL, watch)
        watch.on(minutes=3)
        await refresh(store, settings_of(server, *names), watch)  # what failed
        watch.on(hours=13)
        if isinstance(world, MovingWorld):
            world.turn += 1


def state_of(root: Path) -> Manifest:
    """The manifest of a cache."""
    return from_json((root / "manifest.json").read_bytes())


def largest(root: Path, table: str, feed: str = "") -> Part:
    """The largest part of a table."""
    parts = [one for one in state_of(root).parts if one.table == table and feed in ("", one.feed)]
    return max(parts, key=lambda part: part.rows)


def rewrite(
    root: Path, part: Part, change: Change, *, agree: bool = True, sort: bool = True
) -> None:
    """Edit rows with Polars; who wants to hide it makes the manifest and the name agree."""
    path, table = root / part.file, TABLES[part.table]
    changed = change(pl.read_parquet(path))
    if sort:
        changed = changed.sort(table.time, maintain_order=True)
    changed.write_parquet(path)
    if not agree:
        return
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    renamed = path.rename(path.with_name(f"{path.stem[:-8]}{digest[:8]}.parquet"))
    times = changed.get_column(table.time)
    new = part._replace(
        file=f"{part.table}/{renamed.name}",
        rows=changed.height,
        bytes=len(content),
        sha256=digest,
        first=cast(datetime, times.min()),
        last=cast(datetime, times.max()),
    )
    state = state_of(root)
    parts = tuple(new if one == part else one for one in state.parts)
    (root / "manifest.json").write_bytes(to_json(state._replace(parts=parts)))


def alone(root: Path, target: Path, *feeds: str) -> Path:
    """Copy what a cache has of some feeds: as if only they had been asked."""
    state = state_of(root)
    parts, retired = (
        tuple(one for one in some if one.feed in feeds) for some in (state.parts, state.retired)
    )
    for file in ("format.json", *(part.file for part in (*parts, *retired))):
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / file, target / file)
    for feed in feeds:
        shutil.copytree(root / "bodies" / feed, target / "bodies" / feed)
    (target / "manifest.json").write_bytes(to_json(state._replace(parts=parts, retired=retired)))
    return target


@contextmanager
def changed_bit(path: Path, place: int, bit: int) -> Iterator[None]:
    """A file of which one bit is wrong, while the context lasts."""
    _flip(path, place, bit)
    yield
    _flip(path, place, bit)


def _flip(path: Path, place: int, bit: int) -> None:
    # In its place: many file systems wait for the disk when a file is written anew.
    with path.open("r+b") as file:
        file.seek(place)
        [byte] = file.read(1)
        file.seek(place)
        file.write(bytes((byte ^ 1 << bit,)))


def later(**span: float) -> Watch:
    """A clock for rounds after those of `poll`."""
    watch = Watch(step=0.05)
    watch.now += timedelta(days=5)
    watch.on(**span)
    return watch


def proof(root: Path) -> Findings:
    return verify(Store(root, bundled=NO_BASELINE))


def lines(root: Path, *only: str) -> list[str]:
    """What is said of a cache; with `only`, answers of these feeds alone are read again."""
    feeds = {name: FEEDS[name] for name in only} if only else FEEDS
    store = Store(root, bundled=NO_BASELINE)
    return [str(one) for one in verify(store, feeds=feeds).differences]
