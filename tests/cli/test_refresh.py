"""`qwenwatch refresh` and `feeds`: one line per feed, clear words for every fault, nothing lost."""

import json
import shutil
from pathlib import Path

import pytest

from qwenwatch_cache.feeds import FEEDS
from tests.cache.rows import files_of, last_part
from tests.cli.conftest import AGAIN, KEY, Run
from tests.feedserver import FeedServer

RESTING = {"openrouter-endpoints": "on demand", "huggingface": "off"}
POLLED = [name for name in FEEDS if name not in RESTING]


def test_one_line_per_feed(live: Run) -> None:
    lines = live("refresh").out.splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == sorted(FEEDS)
    for line in lines:
        name = line.partition(":")[0]
        assert line.startswith(f"{name}: {RESTING.get(name, 'stored, ')}")


def test_a_second_round_asks_nothing_that_is_not_due(live: Run, server: FeedServer) -> None:
    live("refresh")
    asked = len(server.requests)
    second = live("refresh")
    assert len(server.requests) == asked > 0
    assert second.out.count(": not due") == len(POLLED)


def test_force_stores_no_row_again(live: Run, server: FeedServer, polled: Path) -> None:
    before = files_of(polled / "usage")
    asked = len(server.requests)
    forced = live("refresh", "--force", **AGAIN)
    assert len(server.requests) > asked
    assert forced.out.count(" 0 new") == len(POLLED)
    assert files_of(polled / "usage") == before


def test_without_a_key_the_keyless_feeds_go_on(live: Run, server: FeedServer) -> None:
    ran = live("refresh", OPENROUTER_API_KEY="")
    assert ran.code == 0
    assert "openrouter-rankings: no key (set OPENROUTER_API_KEY" in ran.out
    assert ran.out.count(": no key") == 4
    assert ran.out.count(": stored, ") == len(POLLED) - 4
    assert "openrouter-rankings" not in {request.feed for request in server.requests}


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("html", "answered with a web page instead of JSON"),
        ("renamed-field", "total_tokens"),
        ("truncated", "cut off"),
        ("empty-list", "not an empty market"),
        ("404", "nothing at this address (HTTP 404)"),
    ],
)
def test_a_fault_is_named_and_the_last_good_data_stays(
    live: Run, server: FeedServer, polled: Path, fault: str, says: str
) -> None:
    good = json.loads(live("leaders", "--format", "json").out)["leaderboards"]
    server.fault("openrouter-rankings", fault)
    ran = live("refresh", "--force", **AGAIN)
    assert ran.code == 3
    assert says in ran.out
    assert json.loads(live("leaders", "--format", "json", **AGAIN).out)["leaderboards"] == good
    health = live("feeds", **AGAIN).out
    assert "failing" in health
    assert says in health


def test_a_key_that_is_not_accepted(live: Run) -> None:
    ran = live("refresh", OPENROUTER_API_KEY="sk-bad")
    assert ran.code == 3
    assert "the key is missing or not accepted (HTTP 401)" in ran.out
    assert "sk-bad" not in ran.out + ran.err


def test_the_key_is_never_printed_or_stored(live: Run, tmp_path: Path) -> None:
    ran = live("refresh")
    health = live("feeds", "--format", "json")
    assert KEY not in ran.out + ran.err + health.out
    stored = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert stored
    assert not [path for path in stored if KEY.encode() in path.read_bytes()]


def test_a_damaged_file_is_named_and_repaired(live: Run, polled: Path) -> None:
    live("refresh", "--force", **AGAIN)
    good = json.loads(live("leaders", "--format", "json", **AGAIN).out)["leaderboards"]
    usage = last_part(polled, feed="openrouter-rankings")
    usage.write_bytes(usage.read_bytes()[:1000])
    ran = live("leaders", "--format", "json", **AGAIN)
    assert ran.code == 5
    assert str(usage) in ran.err
    assert json.loads(ran.out)["schema_version"] == 1
    mended = live("refresh", "--force", **AGAIN)
    assert "set aside as" in mended.err
    assert list((polled / "set-aside").glob("usage-*.parquet"))
    again = live("leaders", "--format", "json", **AGAIN)
    assert again.code == 0
    assert json.loads(again.out)["leaderboards"] == good


def test_a_newer_cache_is_refused_untouched(run: Run, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "format.json").write_text('{"format": 99}', encoding="utf-8")
    ran = run("snapshot")
    assert ran.code == 5
    assert "upgrade qwenwatch" in ran.err
    assert [path.name for path in cache.iterdir()] == ["format.json"]


def test_offline_asks_nothing(live: Run, server: FeedServer) -> None:
    assert live("refresh", "--offline").code == 0
    assert live("refresh", QWENWATCH_OFFLINE="1").code == 0
    assert server.requests == []


def test_feeds_say_what_they_know(live: Run, polled: Path) -> None:
    plain = json.loads(live("feeds", "--format", "json").out)
    states = {feed["feed"]: feed["state"] for feed in plain["feeds"]}
    assert states == dict.fromkeys(FEEDS, "ok") | RESTING
    assert all(feed["licence"] for feed in plain["feeds"])


def test_a_moved_cache_is_the_same_cache(live: Run, polled: Path, tmp_path: Path) -> None:
    arguments = ("leaders", "--format", "json", "--known-at", "2026-08-17T13:00:00Z")
    before = live(*arguments).out
    shutil.move(polled, tmp_path / "elsewhere")
    assert live(*arguments, "--cache-dir", str(tmp_path / "elsewhere")).out == before
