"""`qwenwatch refresh --backfill`: lines on standard output, a bar only for who watches."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date

import pytest

from qwenwatch_cache.feeds import FEEDS
from tests.cache.long_ago import LongAgo
from tests.cli.conftest import Run
from tests.feedserver import FIXTURE_NOW, FeedServer

VERCEL, RANKINGS, FX = "vercel-leaderboard", "openrouter-rankings", "ecb-fx"
WITH_PAST = (RANKINGS, VERCEL, FX)
ESCAPE = "\x1b"
ONLY = ("refresh", "--backfill", *(word for name in WITH_PAST for word in ("--feed", name)))


@pytest.fixture
def server() -> Iterator[FeedServer]:
    """Like the usual one, with figures of all days."""
    with FeedServer(LongAgo(date(2026, 8, 17)), now=lambda: FIXTURE_NOW) as server:
        yield server


def test_one_line_per_feed_and_no_bar(live: Run, server: FeedServer) -> None:
    ran = live(*ONLY)
    lines = {line.partition(":")[0]: line for line in ran.out.splitlines()}
    assert sorted(lines) == sorted(WITH_PAST)
    assert all(": stored, " in line for line in lines.values())
    assert ran.code == 0
    assert ESCAPE not in ran.out + ran.err
    assert ran.err == ""
    asked = [one.query for one in server.requests if one.feed == VERCEL]
    assert [one["from"] for one in asked[::2]] == [
        *(f"2026-0{month}-01" for month in range(8, 0, -1)),
        *(f"2025-{month}-01" for month in (12, 11, 10)),
    ]


def test_a_second_time_asks_only_for_what_is_missing(live: Run, server: FeedServer) -> None:
    first = live("refresh", "--backfill", "--feed", FX)
    asked = len(server.requests)
    second = live("refresh", "--backfill", "--feed", FX)
    assert (first.code, second.code) == (0, 0)
    assert second.out == f"{FX}: unchanged, 0 rows read, 0 new (its whole past is there)\n"
    assert len(server.requests) == asked


def test_a_feed_without_a_past_says_so(live: Run, server: FeedServer) -> None:
    ran = live("refresh", "--backfill", "--feed", "openrouter-models")
    assert ran.code == 0
    assert "it has no past to ask for" in ran.out
    assert server.requests == []
    assert FEEDS["openrouter-models"].backfill is None


def on_a_terminal(
    environment: dict[str, str], *arguments: str, quiet_after: float = 60
) -> tuple[int, str, str]:
    """Run with standard error on a terminal and standard output in a pipe."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "qwenwatch", *arguments],
        env={**environment, "TERM": "xterm-256color", "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        drawn = b""
        end = time.monotonic() + quiet_after
        while time.monotonic() < end:
            ready, _, _ = select.select([ours], [], [], 1)
            if not ready:
                continue
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            drawn += part
        assert running.stdout is not None
        out = running.stdout.read().decode()
        code = running.wait(timeout=30)
    os.close(ours)
    return code, out, drawn.decode(errors="replace")


def live_environment(environment: dict[str, str], server: FeedServer) -> dict[str, str]:
    return {
        **environment,
        "QWENWATCH_FEEDS_URL": server.url,
        "QWENWATCH_NOW": "2026-08-17T12:00:00Z",
        "OPENROUTER_API_KEY": "sk-any",
    }


def test_a_bar_on_a_terminal_leaves_data_alone(
    environment: dict[str, str], server: FeedServer
) -> None:
    _, out, drawn = on_a_terminal(live_environment(environment, server), *ONLY)
    assert VERCEL in drawn
    assert ESCAPE in drawn
    assert "/22" in drawn  # of eleven months of two data sets
    assert ESCAPE not in out
    assert "\r" not in out
    assert sorted(line.partition(":")[0] for line in out.splitlines()) == sorted(WITH_PAST)


def test_quiet_is_quiet_on_a_terminal(environment: dict[str, str], server: FeedServer) -> None:
    where = live_environment(environment, server)
    code, out, drawn = on_a_terminal(where, "-q", "refresh", "--backfill", "--feed", FX)
    assert (code, drawn) == (0, "")
    assert out.startswith(f"{FX}: stored, ")


def test_what_was_broken_off_goes_on(
    environment: dict[str, str], live: Run, server: FeedServer
) -> None:
    server.fault(VERCEL, "hang", first=19, last=19)
    command = [sys.executable, "-m", "qwenwatch", "refresh", "--backfill", "--feed", VERCEL]
    where = live_environment(environment, server)
    with subprocess.Popen(command, env=where, stdout=subprocess.DEVNULL) as running:
        end = time.monotonic() + 30
        while len(server.requests) < 19 and time.monotonic() < end:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=30) == 130
    asked = [(one.query["dataset"], one.query["from"]) for one in server.requests]
    assert len(asked) == 19
    ran = live("refresh", "--backfill", "--feed", VERCEL)
    assert (ran.code, ran.out.count(": stored, ")) == (0, 1)
    again = [(one.query["dataset"], one.query["from"]) for one in server.requests[19:]]
    assert again == [
        (dataset, f"2025-{month}-01") for month in (11, 10) for dataset in ("models", "labs")
    ]
