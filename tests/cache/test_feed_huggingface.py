"""Hugging Face: sums per organisation, the models at the top, paging, and what is refused."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qwenwatch_cache.errors import FeedError
from qwenwatch_cache.feeds import huggingface
from qwenwatch_cache.feeds.feed import Done, Parsed, Request
from qwenwatch_cache.frames import USAGE
from qwenwatch_cache.vendors import load_vendors
from tests.feedserver import FIXTURE_NOW, FeedServer, FixtureBodies, RecordedBodies
from tests.feedserver.mutations import (
    absurd_price,
    duplicate_rows,
    empty_list,
    negative_price,
    other_type,
    renamed_field,
    truncated,
)
from tests.feedserver.support import client_of

NAME = huggingface.NAME
WHEN = datetime(2026, 8, 17, 23, 59, tzinfo=UTC)
PROPERTY = settings(deadline=None, database=None, max_examples=80)
Figures = dict[tuple[str, str, str], int]


def model(number: int, **fields: Any) -> dict[str, Any]:
    """The model of this number; a field of None is left out."""
    stated = {"id": f"acme/m{number:03d}", "downloads": 100 + number, "likes": number}
    return {key: value for key, value in (stated | fields).items() if value is not None}


def parse(rows: Sequence[Any], org: str = "acme") -> Parsed:
    return huggingface.parse(json.dumps(rows).encode(), WHEN, org)


def figures_of(answer: Parsed) -> Figures:
    """Values by kind, metric and entity."""
    frame = answer.frames["usage"]
    assert frame.schema == USAGE
    figures = {
        (row["kind"], row["metric"], row["entity"]): row["value"] for row in frame.to_dicts()
    }
    assert len(figures) == frame.height
    return figures


def org_figures(answer: Parsed, org: str = "acme") -> dict[str, int]:
    return {
        metric: value
        for (kind, metric, entity), value in figures_of(answer).items()
        if kind == "org" and entity == org
    }


def top_of(answer: Parsed, metric: str = "downloads") -> list[str]:
    """The models with rows of their own, in the order of the frame."""
    return [key[2] for key in figures_of(answer) if key[:2] == ("model", metric)]


def children(row: Mapping[str, Any]) -> int | None:
    """Number of derivatives, worked out apart from the program."""
    stated = row.get("childrenModelCount")
    return sum(stated.values()) if isinstance(stated, dict) else stated


class TestFigures:
    def test_what_each_row_says(self) -> None:
        answer = parse([model(1, childrenModelCount={"adapter": 2, "quantized": 3})])
        same = {
            "feed": "huggingface",
            "share": None,
            "scope": "models listed by organisation",
            "as_of": WHEN,
            "observed_at": WHEN,
        }
        today = {"grain": "total", "period": date(2026, 8, 17)} | same
        # 30 days that end yesterday: 2026-07-18 to 2026-08-16.
        rolling = {"grain": "rolling30", "period": date(2026, 7, 18)} | same
        one, all_ = ("model", "acme/m001"), ("org", "acme")
        expected = [
            (rolling, "downloads", one, 101),
            (today, "likes", one, 1),
            (today, "open_models", all_, 1),
            (rolling, "downloads", all_, 101),
            (today, "likes", all_, 1),
            (today, "derivatives", all_, 5),
        ]
        assert answer.frames["usage"].to_dicts() == [
            {"metric": metric, "kind": kind, "entity": entity, "value": value} | rest
            for rest, metric, (kind, entity), value in expected
        ]

    def test_the_ten_most_downloaded_have_rows_and_the_rest_is_in_the_sums(self) -> None:
        rows = [model(number) for number in range(25)]
        answer = parse(rows)
        assert top_of(answer) == [f"acme/m{number:03d}" for number in range(24, 14, -1)]
        assert top_of(answer, "likes") == top_of(answer)
        assert org_figures(answer) == {
            "open_models": 25,
            "downloads": sum(row["downloads"] for row in rows),
            "likes": sum(range(25)),
        }

    def test_ties_go_by_id(self) -> None:
        rows = [model(number, downloads=7) for number in range(11, -1, -1)]
        assert top_of(parse(rows)) == [f"acme/m{number:03d}" for number in range(10)]

    def test_an_answer_withdraws_nothing(self) -> None:
        assert parse([model(1)]).whole == frozenset()

    def test_fields_that_are_not_known_are_ignored(self) -> None:
        assert figures_of(parse([model(1, author="other", gated="auto")])) == figures_of(
            parse([model(1)])
        )


class TestDerivatives:
    @pytest.mark.parametrize(
        ("stated", "expected"),
        [
            ({"adapter": 716, "merge": 19, "quantized": 190, "finetune": 328}, 1_253),
            ({"brand-new-kind": 4}, 4),
            ({}, 0),
            (17, 17),
            (0, 0),
            (None, None),
        ],
    )
    def test_of_one_model(self, stated: Any, expected: int | None) -> None:
        answer = parse([model(1, childrenModelCount=stated)])
        assert org_figures(answer).get("derivatives") == expected

    def test_null_is_not_zero(self) -> None:
        rows = [{**model(1), "childrenModelCount": None}]
        assert "derivatives" not in org_figures(parse(rows))

    @pytest.mark.parametrize(("missing", "expected"), [(1, 18), (2, 18), (3, None), (20, None)])
    def test_known_where_nine_tenths_state_them(self, missing: int, expected: int | None) -> None:
        rows = [
            model(n, childrenModelCount=None if n < missing else {"merge": 1}) for n in range(20)
        ]
        if expected is not None:
            expected = 20 - missing
        answer = parse(rows)
        assert org_figures(answer).get("derivatives") == expected
        assert org_figures(answer)["open_models"] == 20

    @pytest.mark.parametrize("stated", ["5", 1.5, -1, [1], {"merge": "1"}, {"merge": -1}])
    def test_another_type_is_named(self, stated: Any) -> None:
        with pytest.raises(FeedError, match=r"childrenModelCount\S* of acme/m001 is "):
            parse([model(1, childrenModelCount=stated)])


class TestRefused:
    def test_models_of_another_author(self) -> None:
        answer = parse(
            [model(1), model(2, id="ACME/m2"), model(3, id="other/m3"), model(4, id="m4")]
        )
        assert answer.refused == {"another author's model": 3}
        assert org_figures(answer) == {"open_models": 1, "downloads": 101, "likes": 1}

    def test_only_models_of_another_author_are_no_figures_at_all(self) -> None:
        answer = parse([model(1, id="other/m1")])
        assert (answer.rows, answer.frames["usage"].height) == (1, 0)

    def test_a_model_that_moved_to_the_next_page_counts_once(self) -> None:
        answer = parse([model(1), model(2), model(1, downloads=999)])
        assert answer.refused == {"listed twice": 1}
        assert org_figures(answer) == {"open_models": 2, "downloads": 203, "likes": 3}

    def test_an_organisation_without_models_is_counted_and_no_error(self) -> None:
        answer = parse([])
        assert (answer.rows, answer.frames["usage"].height) == (0, 0)
        assert answer.refused == {"organisation without models": 1}

    @pytest.mark.parametrize(
        "field",
        [
            {"downloads": "101"},
            {"downloads": None},
            {"downloads": -1},
            {"downloads": 10**10 + 1},
            {"likes": 1.5},
            {"childrenModelCount": {"merge": 2**62}},
            {"id": 7},
        ],
        ids=str,
    )
    def test_a_sum_without_one_model_would_be_false(self, field: dict[str, Any]) -> None:
        answer = parse([model(0, **field), *(model(number) for number in range(1, 20))])
        assert answer.refused == {"another shape than documented": 1}
        assert org_figures(answer) == {}
        assert top_of(answer) == [f"acme/m{number:03d}" for number in range(19, 9, -1)]

    def test_where_many_models_are_bad_the_first_is_named(self) -> None:
        rows = [model(n, likes=None if n < 3 else 1) for n in range(20)]
        with pytest.raises(FeedError, match=r"3 of 20 rows .*likes of acme/m000 is missing"):
            parse(rows)

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            (b"", "empty body"),
            (b"<!doctype html><html>", "web page"),
            (b'[{"id": "acme/m1", "down', "cut off"),
            (b'{"error": "Invalid username"}', "the answer is an object, expected a list"),
            (b"[1]", "a row without id is a whole number, expected an object"),
            (b'[{"id": "%s"}]' % (b"x" * 9_000), r"huggingface: .{,200}$"),
            (b"[" * 5_000, "huggingface: "),
        ],
    )
    def test_another_body(self, body: bytes, complaint: str) -> None:
        with pytest.raises(FeedError, match=complaint):
            huggingface.parse(body, WHEN, "acme")


class TestFaults:
    """What the feed server's faults do, on one organisation with five models."""

    def body(self) -> bytes:
        return json.dumps(FixtureBodies().hub_models("Qwen")).encode()

    @pytest.mark.parametrize(
        ("fault", "complaint"),
        [
            (truncated, "cut off"),
            (renamed_field, "5 of 5 rows .*downloads of Qwen/Qwen3-8B is missing"),
            (
                other_type,
                "5 of 5 rows .*downloads of Qwen/Qwen3-8B is a text, expected a whole number",
            ),
        ],
    )
    def test_refused_with_the_field_named(self, fault: Any, complaint: str) -> None:
        with pytest.raises(FeedError, match=complaint):
            huggingface.parse(fault(NAME, self.body()), WHEN, "Qwen")

    @pytest.mark.parametrize("fault", [negative_price, absurd_price])
    def test_one_bad_model_of_few_costs_the_sums_and_itself(self, fault: Any) -> None:
        answer = huggingface.parse(fault(NAME, self.body()), WHEN, "Qwen")
        [note] = answer.notes
        assert note.startswith("downloads of Qwen/Qwen3-8B is out of bounds")
        assert answer.refused == {"another shape than documented": 1}
        usage = answer.frames["usage"]
        assert set(usage["kind"]) == {"model"}
        assert "Qwen/Qwen3-8B" not in usage["entity"].to_list()

    def test_an_empty_list_brings_nothing(self) -> None:
        answer = huggingface.parse(empty_list(NAME, self.body()), WHEN, "Qwen")
        assert answer.refused == {"organisation without models": 1}

    def test_every_row_twice_changes_no_figure(self) -> None:
        answer = huggingface.parse(duplicate_rows(NAME, self.body()), WHEN, "Qwen")
        assert answer.refused == {"listed twice": 5}
        assert figures_of(answer) == figures_of(huggingface.parse(self.body(), WHEN, "Qwen"))


def assert_sums(answer: Parsed, org: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """The figures of an organisation against plain sums."""
    own = [row for row in rows if row["id"].startswith(f"{org}/")]
    expected = {
        "open_models": len(own),
        "downloads": sum(row["downloads"] for row in own),
        "likes": sum(row["likes"] for row in own),
    }
    stated = [count for row in own if (count := children(row)) is not None]
    if stated and len(stated) / len(own) >= 0.9:
        expected["derivatives"] = sum(stated)
    assert (org, org_figures(answer, org)) == (org, expected)
    first = sorted(own, key=lambda row: (-row["downloads"], row["id"]))[:10]
    assert top_of(answer) == [row["id"] for row in first]
    figures = figures_of(answer)
    for row in first:
        assert figures["model", "downloads", row["id"]] == row["downloads"]
        assert figures["model", "likes", row["id"]] == row["likes"]
    assert answer.rows == len(rows) == len(own) + sum(answer.refused.values())


class TestRecordings:
    def test_a_raw_body(self, recordings: Path) -> None:
        """Three trending models, as the API sent them without `expand`."""
        body = (recordings / "usage/huggingface/api-models.trending-3rows.raw.json").read_bytes()
        for org, entity, downloads, likes in (
            ("deepseek-ai", "deepseek-ai/DeepSeek-V4-Pro", 78_864, 2_656),
            ("moonshotai", "moonshotai/Kimi-K2.6", 291_840, 1_014),
            ("Qwen", "Qwen/Qwen3.6-27B", 257_685, 796),
        ):
            answer = huggingface.parse(body, WHEN, org)
            assert answer.rows == 3
            assert answer.refused == {"another author's model": 2}
            assert figures_of(answer) == {
                ("model", "downloads", entity): downloads,
                ("model", "likes", entity): likes,
                ("org", "open_models", org): 1,
                ("org", "downloads", org): downloads,
                ("org", "likes", org): likes,
            }

    def test_every_trending_model_is_in_the_sums_of_its_organisation(
        self, recordings: Path
    ) -> None:
        """A recorder renamed two fields; under their own names that is the API's shape."""
        path = recordings / "usage/huggingface/starscreener.trending-1000.2026-05-04.json"
        renamed = {"pipelineTag": "pipeline_tag", "libraryName": "library_name"}
        by_org: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in json.loads(path.read_text(encoding="utf-8"))["models"]:
            by_org[row["author"]].append({renamed.get(key, key): row[key] for key in row})
        assert (len(by_org), sum(map(len, by_org.values()))) == (375, 1_000)
        assert len(by_org["Qwen"]) == 58
        everything = [row for rows in by_org.values() for row in rows]
        for org, rows in by_org.items():
            assert_sums(parse(rows, org), org, rows)
        for org in ("Qwen", "unsloth"):
            assert_sums(parse(everything, org), org, everything)

    def test_the_feed_server_does_not_pass_trending_models_off_as_a_list(
        self, recordings: Path
    ) -> None:
        with (
            FeedServer(RecordedBodies(recordings, lambda: WHEN), now=lambda: WHEN) as server,
            client_of(server) as client,
        ):
            assert client.get(request_of("Qwen").path).status_code == 404


def request_of(org: str, *done: Done) -> Request:
    [request] = [one for one in huggingface.plan(WHEN, done) if org in authors([one])]
    return request


def authors(requests: Sequence[Request]) -> list[str]:
    return [parse_qs(urlsplit(one.path).query)["author"][0] for one in requests]


class TestPlan:
    def aliases(self) -> list[str]:
        return [org for vendor in load_vendors() for org in vendor.aliases.get("huggingface", ())]

    def test_every_organisation_of_the_table_once(self) -> None:
        requests = huggingface.plan(WHEN, [])
        assert authors(requests) == self.aliases()
        assert len(set(authors(requests))) == len(requests) > 90
        assert {"Qwen", "deepseek-ai", "moonshotai", "openai"} <= set(authors(requests))
        # Documented: 500 requests in five minutes; a round that fails once may be made again.
        assert 2 * len(requests) <= huggingface.FEED.budget <= 500

    def test_what_is_asked_for(self) -> None:
        request = request_of("Qwen")
        assert request.path == (
            "/api/models?author=Qwen&limit=1000&expand%5B%5D=downloads&expand%5B%5D=likes"
            "&expand%5B%5D=childrenModelCount"
        )
        assert request.paged
        assert not request.conditional


def follow(client: httpx.Client, request: Request) -> tuple[list[list[Any]], list[httpx.Response]]:
    """All pages of a list, by the Link header's query."""
    answers = [client.get(request.path)]
    while "next" in answers[-1].links:
        target = urlsplit(answers[-1].links["next"]["url"])
        answers.append(client.get(f"{target.path}?{target.query}"))
    return [answer.json() for answer in answers], answers


class TestPages:
    def test_the_pages_of_an_organisation_add_up(
        self, server: FeedServer, client: httpx.Client
    ) -> None:
        pages, answers = follow(client, request_of("Qwen"))
        assert [len(page) for page in pages] == [2, 2, 1]
        joined = [row for page in pages for row in page]
        answer = parse(joined, "Qwen")
        assert org_figures(answer, "Qwen") == {
            "open_models": 5,
            "downloads": 28_000_000,
            "likes": 2_700,
            "derivatives": 600 + 400 + 100 + 0 + 10,
        }
        assert_sums(answer, "Qwen", joined)
        assert {one.headers["RateLimit"] for one in answers} == {'"api";r=499;t=300'}
        assert "q=500;w=300" in answers[0].headers["RateLimit-Policy"]
        assert [one.query["author"] for one in server.requests] == ["Qwen"] * 3
        assert {one.feed for one in server.requests} == {"huggingface"}

    def test_the_next_page_stands_under_the_feeds_own_host(self, client: httpx.Client) -> None:
        """As in the real header; behind a mirror that is elsewhere: only the query is of use."""
        link = client.get(request_of("Qwen").path).links["next"]["url"]
        assert link.startswith("https://huggingface.co/api/models?author=Qwen&limit=1000&expand")

    def test_one_page_has_no_next(self, client: httpx.Client) -> None:
        pages, _ = follow(client, request_of("deepseek-ai"))
        assert [len(page) for page in pages] == [2]
        # One of the two does not state its derivatives.
        assert org_figures(parse(pages[0], "deepseek-ai"), "deepseek-ai") == {
            "open_models": 2,
            "downloads": 2_000_000,
            "likes": 16_500,
        }

    def test_an_organisation_that_has_no_models_there(self, client: httpx.Client) -> None:
        assert client.get(request_of("openai").path).json() == []

    def test_only_what_is_asked_for_comes_back(self, client: httpx.Client) -> None:
        row = client.get(request_of("Qwen").path).json()[0]
        assert {"id", "downloads", "likes", "childrenModelCount"} <= set(row)
        assert "tags" not in row
        plain = client.get("/api/models?author=Qwen").json()[0]
        assert plain["modelId"] == plain["id"]
        assert "childrenModelCount" not in plain

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ("author=Qwen&limit=0", 400),
            ("author=Qwen&limit=many", 400),
            ("author=Qwen&expand%5B%5D=nothing", 400),
            ("author=Qwen&cursor=abc", 400),
            ("sort=downloads", 404),
        ],
    )
    def test_what_the_server_does_not_play(
        self, client: httpx.Client, query: str, status: int
    ) -> None:
        assert client.get(f"/api/models?{query}").status_code == status

    def test_a_limit_below_the_pages_size(self, client: httpx.Client) -> None:
        assert len(client.get("/api/models?author=Qwen&limit=1").json()) == 1


@pytest.fixture
def server() -> Any:
    with FeedServer(FixtureBodies(), now=lambda: FIXTURE_NOW) as server:
        yield server


@pytest.fixture
def client(server: FeedServer) -> Any:
    with client_of(server) as client:
        yield client


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
COUNTS = st.integers(0, 10**10)
MODELS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["acme/a", "acme/b", "acme/c", "acme/A", "other/a", "acme", ""]),
            "downloads": COUNTS,
            "likes": COUNTS,
        },
        optional={
            "childrenModelCount": st.none()
            | COUNTS
            | st.dictionaries(st.sampled_from(["adapter", "merge", "quantized"]), COUNTS)
        },
    ),
    max_size=30,
)


class TestProperties:
    @PROPERTY
    @given(MODELS)
    def test_every_model_is_counted_once(self, rows: list[dict[str, Any]]) -> None:
        answer = parse(rows)
        own = {row["id"] for row in rows if row["id"].startswith("acme/")}
        refused = Counter(answer.refused)
        refused.pop("organisation without models", None)
        assert answer.rows == len(rows) == len(own) + sum(refused.values())
        assert org_figures(answer).get("open_models", 0) == len(own)
        firsts = {row["id"]: row for row in reversed(rows)}
        expected = sum(firsts[name]["downloads"] for name in own)
        assert org_figures(answer).get("downloads", 0) == expected

    @PROPERTY
    @given(JSON | st.lists(JSON))
    @example([{"id": "acme/a", "downloads": True, "likes": 0}])
    @example([{"id": "acme/\ud800", "downloads": 1, "likes": 0}])
    def test_any_json_gives_figures_or_a_feed_error(self, payload: Any) -> None:
        try:
            answer = parse(payload)
        except FeedError as error:
            assert str(error).startswith("huggingface: ")
        else:
            assert answer.rows == len(payload)

    @PROPERTY
    @given(st.binary())
    def test_any_bytes_give_figures_or_a_feed_error(self, body: bytes) -> None:
        try:
            huggingface.parse(body, WHEN, "acme")
        except FeedError as error:
            assert str(error).startswith("huggingface: ")
