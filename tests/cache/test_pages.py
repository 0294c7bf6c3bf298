"""Lists in pages, wishes to be left alone, "unchanged since": what headers say is kept to."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from qwenwatch_cache import http_pages
from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds.feed import Parsed, Request
from qwenwatch_cache.frames import USAGE_TABLE
from qwenwatch_cache.http import Refused, be_patient, open_client
from qwenwatch_cache.http_headers import LONGEST_WAIT, condition, rest_of
from qwenwatch_cache.http_pages import MOST_PAGES, get_pages
from qwenwatch_cache.refresh import Wish, refresh
from qwenwatch_cache.store import Store
from tests.cache.played import Play, Player, log_of, parse, requests_for, settings_for
from tests.cache.polling import NO_BASELINE, Watch, settings_of, without_waits
from tests.feedserver import FIXTURE_NOW, FeedServer, FixtureBodies

URL = "https://feed.test/api/models?author=Qwen"


def clock() -> datetime:
    return FIXTURE_NOW


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with without_waits(monkeypatch):
        yield


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as client:
        yield client


def play(client: httpx.AsyncClient, answer: Play) -> list[str]:
    """Let a function answer; gives the list of what was asked."""
    asked: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return answer(request)

    client._transport, client._mounts = httpx.MockTransport(note), {}
    return asked


def page_of(request: httpx.Request) -> int:
    return int(request.url.params.get("page", "1"))


def linked(number: int, content: bytes, following: str = "") -> httpx.Response:
    following = following or f"https://feed.test/api/models?author=Qwen&page={number + 1}"
    headers = {"Link": f'<{following}>; rel="next"'}
    return httpx.Response(200, content=content, headers=headers)


class TestPages:
    async def test_all_pages_are_one_list(self, client: httpx.AsyncClient) -> None:
        bodies = {1: b' [1, {"a": [2]}] \n', 2: b"[]", 3: b"[3]", 4: b"[4]"}

        def answer(request: httpx.Request) -> httpx.Response:
            page = page_of(request)
            return linked(page, bodies[page]) if page < 4 else httpx.Response(200, content=b"[4]")

        asked = play(client, answer)
        got = await get_pages(client, URL, clock=clock)
        assert msgspec.json.decode(got.body) == [1, {"a": [2]}, 3, 4]
        assert asked == [URL, *got.pages]
        assert [one[-7:] for one in got.pages] == ["&page=2", "&page=3", "&page=4"]

    async def test_a_list_without_a_link_is_whole(self, client: httpx.AsyncClient) -> None:
        play(client, lambda request: httpx.Response(200, content=b"[1, 2]"))
        got = await get_pages(client, URL, clock=clock)
        assert (got.body, got.pages) == (b"[1, 2]", ())

    async def test_what_is_no_list_is_left_to_the_parser(self, client: httpx.AsyncClient) -> None:
        play(client, lambda request: linked(1, b"<html>no</html>"))
        assert (await get_pages(client, URL, clock=clock)).body == b"<html>no</html>"

    async def test_a_mirror_is_not_left(self, client: httpx.AsyncClient) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            page = page_of(request)
            if page == 2:
                return httpx.Response(200, content=b"[2]")
            # As the real feed writes it, though it is asked through a mirror.
            return linked(1, b"[1]", "https://real.test/api/models?author=Qwen&page=2")

        asked = play(client, answer)
        await get_pages(client, "https://mirror.test/hf/api/models?author=Qwen", clock=clock)
        assert asked[1] == "https://mirror.test/hf/api/models?author=Qwen&page=2"

    @pytest.mark.parametrize(
        "following",
        ["https://feed.test/elsewhere?page=2", URL, "https://evil.test/other?author=Qwen&page=2"],
    )
    async def test_a_link_leads_nowhere_else(
        self, client: httpx.AsyncClient, following: str
    ) -> None:
        asked = play(client, lambda request: linked(1, b"[1]", following))
        with pytest.raises(Refused, match="not its own"):
            await get_pages(client, URL, clock=clock)
        assert asked == [URL]

    async def test_an_endless_list_ends(self, client: httpx.AsyncClient) -> None:
        asked = play(client, lambda request: linked(page_of(request), b"[1]"))
        with pytest.raises(Refused, match=f"more than {MOST_PAGES} pages"):
            await get_pages(client, URL, clock=clock)
        assert len(asked) == MOST_PAGES

    async def test_pages_together_have_a_limit(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http_pages, "LARGEST_BODY", 1000)
        asked = play(client, lambda request: linked(page_of(request), b"[" + b"1" * 400 + b"]"))
        with pytest.raises(Refused, match="the pages hold more than"):
            await get_pages(client, URL, clock=clock)
        assert len(asked) == 3

    async def test_a_page_that_is_no_list(self, client: httpx.AsyncClient) -> None:
        play(client, lambda one: linked(page_of(one), b"[1]" if page_of(one) < 3 else b"{}"))
        with pytest.raises(Refused, match="page 3 of the answer is not a list") as failure:
            await get_pages(client, URL, clock=clock)
        assert len(failure.value.pages) == 2

    async def test_one_that_passes_is_asked_again(self, client: httpx.AsyncClient) -> None:
        failing = iter([503])

        def answer(request: httpx.Request) -> httpx.Response:
            if page_of(request) == 1:
                return linked(1, b"[1]")
            return httpx.Response(next(failing, 200), content=b"[2]")

        play(client, answer)
        got = await get_pages(client, URL, clock=clock)
        assert got.body == b"[1,2]"
        assert [error.status for error in got.earlier] == [503]

    async def test_every_request_for_a_list_that_fails_is_logged(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            page = page_of(request)
            if page == 3:
                return httpx.Response(503)
            following = f"https://feed.test/list?page={page + 1}"
            return httpx.Response(200, json=[1], headers={"Link": f'<{following}>; rel="next"'})

        player = Player(monkeypatch, answer)
        store, watch = Store(tmp_path, bundled=NO_BASELINE), Watch()
        feed = settings_for([Request("/list", parse, paged=True)])
        [outcome] = await refresh(store, [feed], watch)
        assert outcome.state == "failed"
        # Two pages that came, and three attempts at the third.
        assert len(player.asked) == len(log_of(tmp_path)) == 5
        assert log_of(tmp_path)[-1]["error"] == outcome.message
        assert all(row["error"] for row in log_of(tmp_path))
        assert store.cached(USAGE_TABLE).is_empty()

    async def test_every_request_for_a_list_that_is_refused_is_logged(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            page = page_of(request)
            link = {"Link": f'<https://feed.test/list?page={page + 1}>; rel="next"'}
            return httpx.Response(200, json=[1], headers=link if page < 3 else {})

        def refuse(body: bytes, fetched_at: datetime) -> Parsed:
            raise FeedError("not a list of models")

        player = Player(monkeypatch, answer)
        feed = settings_for([Request("/list", refuse, paged=True)])
        [outcome] = await refresh(Store(tmp_path, bundled=NO_BASELINE), [feed], Watch())
        assert outcome.state == "failed"
        assert len(player.asked) == len(log_of(tmp_path)) == 3  # or the budget would not hold
        assert all(row["error"] for row in log_of(tmp_path))

    async def test_of_the_real_feed(self, tmp_path: Path) -> None:
        watch, store = Watch(), Store(tmp_path, bundled=NO_BASELINE)
        with FeedServer(FixtureBodies(), now=lambda: watch.now) as server:
            [outcome] = await refresh(store, settings_of(server, "huggingface"), watch)
            asked = [one.query for one in server.requests if one.query.get("author") == "Qwen"]
        assert outcome.state == "stored"
        # Five models, two on a page.
        assert [("cursor" in query) for query in asked] == [False, True, True]
        usage = store.cached(USAGE_TABLE).filter(kind="org", entity="Qwen", metric="open_models")
        assert usage["value"].to_list() == [5]


class TestRest:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ('"api";r=499;t=300', 0),
            ('"api";r=1;t=300', 0),
            ('"api";r=0;t=300', 300),
            ('"api"; r=0; t=17', 17),
            ("", 0),
            ("nonsense", 0),
            ('"api";t=300', 0),
            ('"api";r=0;t=999999999', LONGEST_WAIT.total_seconds()),
        ],
    )
    def test_how_it_is_read(self, text: str, seconds: float) -> None:
        assert rest_of(text) == timedelta(seconds=seconds)

    async def test_a_short_one_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        waited: list[float] = []

        async def sleep(seconds: float) -> None:
            waited.append(seconds)

        monkeypatch.setattr(asyncio, "sleep", sleep)
        await be_patient(timedelta(seconds=20))
        await be_patient(timedelta(0))
        assert waited == [20]

    async def test_a_long_one_ends_the_round_and_binds(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            headers = {"RateLimit": '"api";r=0;t=300'}
            return httpx.Response(200, content=request.url.path.encode(), headers=headers)

        player, watch = Player(monkeypatch, answer), Watch()
        store, feed = Store(tmp_path, bundled=NO_BASELINE), settings_for(requests_for("/a", "/b"))
        [outcome] = await refresh(store, [feed], watch)
        assert player.paths == ["/a"]
        assert (outcome.state, outcome.rows_new) == ("failed", 1)
        assert outcome.due is not None
        assert outcome.due >= watch.now + timedelta(seconds=290)
        [waiting] = await refresh(store, [feed], watch, Wish(force=True))
        assert (waiting.state, player.paths) == ("not due", ["/a"])
        watch.now = outcome.due
        await refresh(store, [feed], watch)
        assert player.paths == ["/a", "/b"]

    async def test_too_many_requests_takes_it_for_a_retry_after(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        headers = {"RateLimit": '"api";r=0;t=120'}
        player = Player(monkeypatch, lambda request: httpx.Response(429, headers=headers))
        watch, feed = Watch(), settings_for(requests_for("/a"))
        [outcome] = await refresh(Store(tmp_path, bundled=NO_BASELINE), [feed], watch)
        assert len(player.asked) == 1
        assert outcome.due is not None
        assert outcome.due >= watch.now + timedelta(seconds=110)


DATE = "Mon, 17 Aug 2026 10:00:00 GMT"


class TestUnchanged:
    def test_what_is_sent(self) -> None:
        assert condition("") == {}
        assert condition('"tag"') == {"If-None-Match": '"tag"'}
        assert condition('W/"tag"') == {"If-None-Match": 'W/"tag"'}
        assert condition(DATE) == {"If-Modified-Since": DATE}

    @pytest.mark.parametrize("odd", ['"é"', '"a\nb"', '"\x00"'])
    def test_a_tag_that_no_header_carries_costs_no_request(self, odd: str) -> None:
        assert condition(odd) == {}

    @pytest.mark.parametrize(
        ("gives", "wants"),
        [
            ({"ETag": 'W/"1"', "Last-Modified": DATE}, {"if-none-match": 'W/"1"'}),
            ({"ETag": '"1"'}, {"if-none-match": '"1"'}),
            ({"Last-Modified": DATE}, {"if-modified-since": DATE}),
        ],
    )
    async def test_rows_are_kept(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        gives: dict[str, str],
        wants: dict[str, str],
    ) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            known = all(request.headers.get(name) == value for name, value in wants.items())
            return (
                httpx.Response(304) if known else httpx.Response(200, content=b"a", headers=gives)
            )

        player, watch = Player(monkeypatch, answer), Watch()
        store, feed = Store(tmp_path, bundled=NO_BASELINE), settings_for(requests_for("/a"))
        await refresh(store, [feed], watch)
        before = store.cached(USAGE_TABLE)
        # Also the third time: an answer without a body does not make it forget the mark.
        for _ in range(2):
            watch.on(hours=2)
            [outcome] = await refresh(store, [feed], watch)
            assert (outcome.state, outcome.rows, outcome.rows_new) == ("unchanged", 0, 0)
        assert store.cached(USAGE_TABLE).equals(before)
        assert [row["status"] for row in log_of(tmp_path)] == [200, 304, 304]
        first, *others = player.asked
        assert not {"if-none-match", "if-modified-since"} & first.headers.keys()
        for request in others:
            sent = {"if-none-match", "if-modified-since"} & request.headers.keys()
            assert {name: request.headers[name] for name in sent} == wants

    @pytest.mark.parametrize(
        "request_", [Request("/a", parse, conditional=False), Request("/a", parse, paged=True)]
    )
    async def test_nothing_is_sent_where_it_is_of_no_use(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request_: Request
    ) -> None:
        player = Player(
            monkeypatch, lambda one: httpx.Response(200, content=b"a", headers={"ETag": '"1"'})
        )
        watch, feed = Watch(), settings_for([request_])
        store = Store(tmp_path, bundled=NO_BASELINE)
        for _ in range(2):
            await refresh(store, [feed], watch)
            watch.on(hours=2)
        assert len(player.asked) == 2
        assert not any("if-none-match" in one.headers for one in player.asked)

    async def test_an_answer_that_was_not_understood_is_asked_for_again(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def fails(body: bytes, fetched_at: datetime) -> Parsed:
            raise Refused("no")

        player = Player(
            monkeypatch, lambda one: httpx.Response(200, content=b"a", headers={"ETag": '"1"'})
        )
        watch, store = Watch(), Store(tmp_path, bundled=NO_BASELINE)
        await refresh(store, [settings_for(requests_for("/a", parser=fails))], watch)
        watch.on(hours=2)
        [outcome] = await refresh(store, [settings_for(requests_for("/a"))], watch)
        assert outcome.state == "stored"
        assert "if-none-match" not in player.asked[1].headers
