"""One program at a time asks a host, and what it asked the others do not ask again."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from qwenwatch_cache import refresh as rounds
from qwenwatch_cache.outcome import Outcome
from qwenwatch_cache.refresh import Wish, refresh
from qwenwatch_cache.store import Store
from qwenwatch_cache.store.turns import turn
from tests.cache.polling import (
    MODELS,
    MODELS_DEV,
    NAMES,
    NO_BASELINE,
    Watch,
    settings_of,
)
from tests.feedserver import FeedServer

FORCE = Wish(force=True)


pytestmark = pytest.mark.usefixtures("no_waits")


class TestTurns:
    async def test_two_rounds_at_once_ask_once(
        self, server: FeedServer, root: Path, watch: Watch
    ) -> None:
        programs = [Store(root, bundled=NO_BASELINE) for _ in range(2)]
        feeds = settings_of(server)
        first, second = await asyncio.gather(*(refresh(one, feeds, watch) for one in programs))
        both = [sorted(one) for one in zip(states(first), states(second), strict=True)]
        assert both == [["not due", "stored"]] * len(NAMES)
        whole = [(one.path, *sorted(one.query.items())) for one in server.requests]
        assert len(set(whole)) == len(whole)

    async def test_also_by_force(self, server: FeedServer, root: Path, watch: Watch) -> None:
        programs = [Store(root, bundled=NO_BASELINE) for _ in range(2)]
        feeds = settings_of(server, MODELS)
        await refresh(programs[0], feeds, watch)
        await asyncio.gather(*(refresh(one, feeds, watch, FORCE) for one in programs))
        assert len(server.requests) == 2

    async def test_two_hosts_are_asked_at_once(self, root: Path) -> None:
        async with turn(root, "a.test", 0.05) as one, turn(root, "b.test:80", 0.05) as other:
            assert (one, other) == (True, True)
            async with turn(root, "a.test", 0.05) as again:
                assert not again
        async with turn(root, "a.test", 0.05) as free:
            assert free

    async def test_a_fault_of_ours_gives_the_turn_back(self, root: Path) -> None:
        with pytest.raises(ZeroDivisionError):
            async with turn(root, "a.test", 0.05):
                raise ZeroDivisionError
        async with turn(root, "a.test", 0.05) as free:
            assert free

    async def test_who_is_killed_while_asking_blocks_nobody(
        self, server: FeedServer, root: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rounds, "turn", partial(turn, patience=0.1))
        program = (
            "import asyncio, sys, time\n"
            "from pathlib import Path\n"
            "from qwenwatch_cache.store.turns import turn\n"
            "async def main():\n"
            "    async with turn(Path(sys.argv[1]), sys.argv[2]) as ours:\n"
            "        print(ours, flush=True)\n"
            "        time.sleep(60)\n"
            "asyncio.run(main())\n"
        )
        host = server.url.removeprefix("http://")
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, root, host, stdout=subprocess.PIPE
        )
        assert other.stdout is not None
        assert await other.stdout.readline() == b"True\n"
        store, feeds = Store(root, bundled=NO_BASELINE), settings_of(server)
        outcomes = await refresh(store, feeds, watch)
        assert states(outcomes) == ["not due"] * len(NAMES)
        assert {one.message for one in outcomes} == {
            "another qwenwatch is asking this host at the moment"
        }
        assert all(one.due is not None and one.due > watch.now for one in outcomes)
        assert server.requests == []
        other.kill()
        await other.wait()
        assert states(await refresh(store, feeds, watch)) == ["stored"] * len(NAMES)


def test_two_processes_at_once_ask_once(server: FeedServer, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qwenwatch", "refresh"]
    command += ["--feed", MODELS, "--feed", MODELS_DEV]
    environment = {
        "HOME": str(tmp_path),
        "QWENWATCH_CACHE_DIR": str(tmp_path / "cache"),
        "QWENWATCH_FEEDS_URL": server.url,
        "QWENWATCH_NOW": "2026-08-17T12:00:00Z",
    }
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [one.communicate(timeout=60)[0].splitlines() for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sorted(request.feed for request in server.requests) == [MODELS_DEV, MODELS]
    for name in (MODELS, MODELS_DEV):
        lines = [line for line in said[0] + said[1] if line.startswith(f"{name}: ")]
        assert sorted(line.split(": ")[1][:7] for line in lines) == ["not due", "stored,"]


def states(outcomes: Sequence[Outcome]) -> list[str]:
    return [one.state for one in outcomes]
