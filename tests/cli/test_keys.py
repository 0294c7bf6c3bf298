"""API keys: to the host they belong to and nowhere else, whatever goes wrong."""

import gzip
import json
import traceback
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import httpx
import polars as pl
import pytest
import stamina

from qwenwatch.config import load_config
from qwenwatch.settings import feed_settings
from qwenwatch_cache import http
from qwenwatch_cache.errors import QwenwatchError
from qwenwatch_cache.feeds import FEEDS
from qwenwatch_cache.feeds.feed import Parsed
from qwenwatch_cache.http import Refused, get, open_client
from qwenwatch_cache.http_pages import get_pages
from qwenwatch_cache.refresh import refresh
from qwenwatch_cache.store import Store
from tests.cache.played import Player, requests_for, settings_for
from tests.cache.polling import KEY, NO_BASELINE, RANKINGS, Watch, settings_of, without_waits
from tests.cache.rows import files_of
from tests.cli.conftest import Run
from tests.feedserver import FAULTS, FIXTURE_NOW, FeedServer, FixtureBodies, faults_for

KEYED = tuple(name for name, feed in FEEDS.items() if feed.key_env)
BEARER = f"Bearer {KEY}"


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with without_waits(monkeypatch):
        yield


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", bundled=NO_BASELINE)


def texts_in(root: Path) -> Iterator[str]:
    """Everything that stands in a cache, unpacked."""
    for path, content in files_of(root).items():
        yield str(path)
        yield content.decode("latin-1")
        if path.suffix == ".gz":
            yield gzip.decompress(content).decode("latin-1")
        if path.suffix == ".parquet":
            yield str(pl.read_parquet(path).rows())


def assert_nowhere(texts: Iterable[str], key: str = KEY) -> None:
    seen = 0
    for text in texts:
        seen += 1
        assert key not in text
    assert seen


def test_there_are_four_feeds_with_a_key() -> None:
    assert KEYED == (
        "openrouter-rankings",
        "openrouter-apps",
        "openrouter-sessions",
        "openrouter-tasks",
    )


@pytest.mark.parametrize("fault", ["", *FAULTS])
async def test_no_fault_of_a_feed_brings_it_to_light(
    store: Store, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], fault: str
) -> None:
    watch = Watch()
    monkeypatch.setattr(http, "DEADLINE", 0.15 if fault in ("hang", "slow-drip") else 60)
    with FeedServer(FixtureBodies(), now=lambda: watch.now) as server:
        played = [name for name in KEYED if not fault or fault in faults_for(name)]
        for name in played if fault else ():
            server.fault(name, fault)
        feeds = settings_of(server, *played)
        with stamina.set_testing(True, attempts=1, cap=True):
            outcomes = await refresh(store, feeds, watch)
        assert played
        told = [one.headers.get("authorization") for one in server.requests]
        assert BEARER in told
        for request in server.requests:
            host = request.headers["host"].partition(":")[0]
            assert ("authorization" in request.headers) == (host == "127.0.0.1")
            assert KEY not in f"{request.path}{request.query}"
    out = capfd.readouterr()
    assert_nowhere([repr(outcomes), repr(feeds), *store.notices, out.out, out.err])
    assert_nowhere(texts_in(store.root))


class TestRedirects:
    @pytest.mark.parametrize(
        ("target", "told"),
        [
            ("https://feed.test/there", True),
            ("/there", True),
            ("https://other.test/0", False),
            ("//other.test/0", False),
            ("https://feed.test:8443/0", False),
            ("http://feed.test/0", False),
            ("https://api.feed.test/0", False),
            ("https://feed.test.evil.test/0", False),
            ("https://feed.test@evil.test/0", False),
            ("http://127.0.0.1:1/0", False),
        ],
    )
    async def test_only_the_same_host_port_and_scheme_is_told(
        self, monkeypatch: pytest.MonkeyPatch, store: Store, target: str, told: bool
    ) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            if len(player.asked) == 1:
                return httpx.Response(302, headers={"Location": target})
            return httpx.Response(200, content=b"x")

        player = Player(monkeypatch, answer)
        feed = settings_for(requests_for("/0"), key=KEY, base_url="https://feed.test")
        await refresh(store, [feed], Watch())
        first, second = player.asked
        assert first.headers["authorization"] == BEARER
        if told:
            assert second.headers["authorization"] == BEARER
        else:
            assert KEY not in str(second.headers.raw)
        assert_nowhere(texts_in(store.root))

    async def test_nor_after_a_second_one_back_to_it(
        self, monkeypatch: pytest.MonkeyPatch, store: Store
    ) -> None:
        targets = iter(["https://other.test/0", "https://feed.test/1"])

        def answer(request: httpx.Request) -> httpx.Response:
            target = next(targets, "")
            if target:
                return httpx.Response(307, headers={"Location": target})
            return httpx.Response(200, content=b"x")

        player = Player(monkeypatch, answer)
        feed = settings_for(requests_for("/0"), key=KEY, base_url="https://feed.test")
        await refresh(store, [feed], Watch())
        assert [KEY in str(one.headers.raw) for one in player.asked] == [True, False, False]

    async def test_a_page_of_a_list_is_asked_where_the_list_is(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            following = "https://evil.test/list?page=2"
            links = {"Link": f'<{following}>; rel="next"'} if not request.url.query else {}
            return httpx.Response(200, json=[1], headers=links)

        async with open_client() as client:
            asked: list[str] = []

            def note(request: httpx.Request) -> httpx.Response:
                asked.append(request.url.host)
                return answer(request)

            client._transport = httpx.MockTransport(note)
            await get_pages(
                client,
                "https://feed.test/list",
                clock=lambda: FIXTURE_NOW,
                headers={"Authorization": BEARER},
            )
        assert asked == ["feed.test", "feed.test"]


class TestPlainHttp:
    @pytest.mark.parametrize(
        ("url", "goes"),
        [
            ("", True),
            ("https://mirror.test", True),
            ("https://mirror.test:8443/feeds", True),
            ("http://127.0.0.1:8765", True),
            ("http://localhost:8765", True),
            ("http://[::1]:8765", True),
            ("http://mirror.test", False),
            ("HTTP://mirror.test", False),
            ("http://192.168.1.2:8765", False),
            ("http://localhost.evil.test", False),
            ("http://127.0.0.1@evil.test", False),
            ("http://0.0.0.0", False),
        ],
    )
    def test_it_goes_over_https_or_to_this_machine(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, goes: bool
    ) -> None:
        monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
        monkeypatch.delenv("QWENWATCH_FEEDS_URL", raising=False)
        path = tmp_path / "config.toml"
        path.write_text(f'[feeds]\nurl = "{url}"\n' if url else "")
        for one in feed_settings(load_config(path, None)):
            if one.feed.key_env:
                assert (one.key == KEY) == goes
                assert bool(one.key_withheld) == one.key_missing == (not goes)
            assert KEY not in repr(one)

    def test_it_is_said(self, run: Run) -> None:
        where = {"QWENWATCH_FEEDS_URL": "http://mirror.invalid", "OPENROUTER_API_KEY": KEY}
        ran = run("refresh", "--feed", RANKINGS, **where)
        assert ran.code == 0
        assert ran.out == (
            f"{RANKINGS}: no key (the key is not sent over http:// to mirror.invalid; "
            "give an https:// address)\n"
        )
        health = run("feeds", "--format", "json", **where)
        states = {one["feed"]: one["state"] for one in json.loads(health.out)["feeds"]}
        assert {states[name] for name in KEYED} == {"no key"}
        assert_nowhere([ran.out, ran.err, health.out, health.err])

    async def test_no_proxy_stands_between_this_machine_and_itself(
        self, monkeypatch: pytest.MonkeyPatch, store: Store
    ) -> None:
        with (
            FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW) as server,
            FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW) as proxy,
        ):
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url)
            [outcome] = await refresh(store, settings_of(server, RANKINGS), Watch())
            assert outcome.state == "stored"
            assert (len(server.requests), proxy.requests) == (1, [])


class TestErrors:
    @pytest.mark.parametrize("fault", sorted(faults_for(RANKINGS)))
    async def test_no_exception_quotes_it_down_to_its_causes(
        self, monkeypatch: pytest.MonkeyPatch, fault: str
    ) -> None:
        monkeypatch.setattr(http, "DEADLINE", 0.15 if fault in ("hang", "slow-drip") else 60)
        with FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW) as server:
            server.fault(RANKINGS, fault)
            [settings] = settings_of(server, RANKINGS)
            [request] = settings.feed.plan(FIXTURE_NOW, [])
            async with open_client() as client:
                try:
                    with stamina.set_testing(True, attempts=1, cap=True):
                        answer = await get(
                            client,
                            settings.url(request.path),
                            clock=lambda: FIXTURE_NOW,
                            headers={"Authorization": BEARER},
                        )
                    request.parse(answer.body, FIXTURE_NOW)
                except QwenwatchError as error:
                    text = "".join(traceback.format_exception(error)) + repr(error)
                    assert_nowhere([text, repr(error.__context__), str(error.__cause__)])

    @pytest.mark.parametrize("odd", [f"{KEY}\nX: y", f"{KEY}\x00", f"{KEY}é", f"{KEY}\r\n"])
    async def test_nor_one_about_a_key_that_cannot_be_sent(self, odd: str) -> None:
        with FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW) as server:
            async with open_client() as client:
                with pytest.raises(Refused, match="characters that no API key has") as failure:
                    await get(
                        client,
                        f"{server.url}/api/v1/datasets/rankings-daily",
                        clock=lambda: FIXTURE_NOW,
                        headers={"Authorization": f"Bearer {odd}"},
                    )
            assert server.requests == []
        assert_nowhere(["".join(traceback.format_exception(failure.value))])

    async def test_nor_a_crash_of_a_parser(
        self, monkeypatch: pytest.MonkeyPatch, store: Store
    ) -> None:
        def crash(body: bytes, fetched_at: datetime) -> Parsed:
            raise ZeroDivisionError("a mistake of ours")

        Player(monkeypatch)
        feed = settings_for(requests_for("/0", parser=crash), key=KEY)
        with pytest.raises(ZeroDivisionError) as failure:
            await refresh(store, [feed], Watch())
        assert_nowhere(["".join(traceback.format_exception(failure.value))])

    @pytest.mark.parametrize(
        ("text", "content"),
        [
            ('key_file = "{key}"', ""),
            ('key_file = "{file}"', f"{KEY}\nsecond line"),
            ('key_file = "{file}"', f"{KEY}\x01"),
            ('key = "{key}"', ""),
            ('api_key = "{key}"', ""),
        ],
    )
    def test_nor_one_about_the_configuration(
        self, run: Run, tmp_path: Path, text: str, content: str
    ) -> None:
        file, config = tmp_path / "key", tmp_path / "config.toml"
        file.write_text(content)
        stated = text.format(key=KEY, file=file)
        config.write_text(f"[feeds.{RANKINGS}]\n{stated}\n")
        ran = run("refresh", "--config", str(config))
        assert ran.code == 2
        assert RANKINGS in ran.err
        assert_nowhere([ran.out, ran.err])

    def test_nor_one_about_its_variable(self, live: Run) -> None:
        ran = live("refresh", OPENROUTER_API_KEY=f"{KEY}\x01")
        assert ran.code == 2
        assert "OPENROUTER_API_KEY holds characters that no API key has" in ran.err
        assert_nowhere([ran.out, ran.err])


@pytest.mark.parametrize("fault", ["", "401", "redirect-other-host", "html"])
def test_the_command_prints_and_stores_it_nowhere(
    live: Run, server: FeedServer, tmp_path: Path, fault: str
) -> None:
    chosen = [word for name in KEYED for word in ("--feed", name)]
    for name in KEYED if fault else ():
        server.fault(name, fault)
    ran = live("refresh", *chosen, OPENROUTER_API_KEY=KEY)
    assert ran.code == (3 if fault else 0)
    health = live("feeds", "--format", "json", OPENROUTER_API_KEY=KEY)
    plain = live("feeds", OPENROUTER_API_KEY=KEY)
    assert all(one["key"] for one in json.loads(health.out)["feeds"] if one["feed"] in KEYED)
    assert any(one.headers.get("authorization") == BEARER for one in server.requests)
    assert_nowhere([ran.out, ran.err, health.out, health.err, plain.out, plain.err])
    assert_nowhere(texts_in(tmp_path / "cache"))
