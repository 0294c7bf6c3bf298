"""Without a fault the feed server answers as the feeds do."""

import csv
import gzip
import io
import os
import signal
import subprocess
import sys
import zipfile
from collections import defaultdict
from datetime import UTC, datetime

import httpx
import pytest

from tests.feedserver import FIXTURE_NOW, FeedServer, FixtureBodies
from tests.feedserver.support import (
    APPS,
    ECB_DAILY,
    ECB_HIST,
    LITELLM,
    MODELS,
    MODELS_DEV,
    RANKINGS,
    ROOT,
    SESSIONS,
    TASKS,
    VERCEL,
    client_of,
)


def test_rankings_have_the_documented_shape_and_order(client: httpx.Client) -> None:
    body = client.get(RANKINGS, params={"start_date": "2026-07-13"}).json()
    assert body["meta"] == {
        "as_of": "2026-08-17T12:00:00Z",
        "version": "v1",
        "start_date": "2026-07-13",
        "end_date": "2026-08-16",
    }
    days: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in body["data"]:
        assert set(row) == {"date", "model_permaslug", "total_tokens"}
        assert isinstance(row["total_tokens"], str)
        days[row["date"]].append(row)
    assert list(days) == sorted(days)
    assert len(days) == 35
    for rows in days.values():
        assert rows[-1]["model_permaslug"] == "other"
        order = [(-int(row["total_tokens"]), row["model_permaslug"]) for row in rows[:-1]]
        assert order == sorted(order)
    # Five weeks of 100, 100, 100, 200 and 200 billion a day.
    totals = [sum(int(row["total_tokens"]) for row in rows) // 10**9 for rows in days.values()]
    assert totals == [100] * 21 + [200] * 14


def test_rankings_default_to_the_last_thirty_complete_days(client: httpx.Client) -> None:
    body = client.get(RANKINGS).json()
    assert body["meta"]["start_date"] == "2026-07-18"
    assert body["meta"]["end_date"] == "2026-08-16"
    assert len({row["date"] for row in body["data"]}) == 30


def test_rankings_stop_before_the_servers_today() -> None:
    now = datetime(2026, 8, 1, 0, 10, tzinfo=UTC)
    with FeedServer(FixtureBodies(), now=lambda: now) as server, client_of(server) as client:
        body = client.get(RANKINGS, params={"end_date": "2026-08-05"}).json()
        assert body["meta"]["end_date"] == "2026-07-31"
        assert max(row["date"] for row in body["data"]) == "2026-07-31"


def test_rankings_clamp_an_early_start(client: httpx.Client) -> None:
    query = {"start_date": "2020-01-01", "end_date": "2025-12-31"}
    answer = client.get(RANKINGS, params=query)
    assert answer.status_code == 200
    assert answer.json()["meta"]["start_date"] == "2025-01-01"


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "2026-08-10", "end_date": "2026-08-09"},
        {"start_date": "2026-02-30"},
        {"start_date": "20260801"},
        {"end_date": "2024-12-31"},
        {"start_date": "2026-08-17", "end_date": "2026-08-17"},
        {"start_date": "2025-08-15", "end_date": "2026-08-16"},
        {"period": "day", "category": "programming"},
        {"category": "programming"},
        {"period": "hour"},
        {"period": "week"},
        {"modality": "text"},
    ],
    ids=str,
)
def test_rankings_refuse_bad_parameters(client: httpx.Client, query: dict[str, str]) -> None:
    answer = client.get(RANKINGS, params=query)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 400


def test_rankings_take_a_span_of_366_days(client: httpx.Client) -> None:
    query = {"start_date": "2025-08-16", "end_date": "2026-08-16"}
    assert client.get(RANKINGS, params=query).status_code == 200


@pytest.mark.parametrize("path", [RANKINGS, APPS, SESSIONS, TASKS])
@pytest.mark.parametrize("header", [None, "Bearer", "Basic abc", "Bearer sk-bad"])
def test_data_api_wants_a_key(server: FeedServer, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = httpx.get(server.url + path, headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 401
    if header is None:
        assert answer.json()["error"]["message"] == "Missing Authentication header"


def test_app_rankings(client: httpx.Client) -> None:
    body = client.get(APPS, params={"limit": 2, "offset": 1}).json()
    assert [row["rank"] for row in body["data"]] == [2, 3]
    row = body["data"][0]
    assert set(row) == {"rank", "app_id", "app_name", "total_tokens", "total_requests"}
    assert isinstance(row["total_tokens"], str)
    assert body["meta"]["end_date"] == "2026-08-16"
    for query in ({"limit": "0"}, {"limit": "101"}, {"offset": "-1"}, {"sort": "trending"}):
        assert client.get(APPS, params=query).status_code == 400
    earlier = client.get(APPS, params={"start_date": "2026-06-01", "end_date": "2026-06-30"}).json()
    assert (earlier["meta"]["start_date"], earlier["meta"]["end_date"]) == (
        "2026-06-01",
        "2026-06-30",
    )


def test_session_cost_comes_in_pages(client: httpx.Client) -> None:
    whole = client.get(SESSIONS).json()
    assert len(whole["data"]) == 14
    fields = {"app_slug", "app_name", "turn_range", "model_permaslug", "median_session_cost_usd"}
    assert all(set(row) == fields for row in whole["data"])
    page = client.get(SESSIONS, params={"limit": 5, "offset": 10}).json()["data"]
    assert page == whole["data"][10:]
    for query in ({"limit": "0"}, {"limit": "501"}, {"offset": "5001"}, {"app_slug": "code-crab"}):
        assert client.get(SESSIONS, params=query).status_code == 400


@pytest.mark.parametrize(
    ("day", "sunday"), [(15, "2026-08-09"), (16, "2026-08-09"), (17, "2026-08-16")]
)
def test_session_cost_is_renewed_weekly(day: int, sunday: str) -> None:
    now = datetime(2026, 8, day, 23, 59, tzinfo=UTC)
    with FeedServer(FixtureBodies(), now=lambda: now) as server, client_of(server) as client:
        assert client.get(SESSIONS).json()["meta"] == {
            "as_of": f"2026-08-{day}T23:59:00Z",
            "version": "v1",
            "window_days": 30,
            "window_end_date": sunday,
        }


def test_task_shares_add_up(client: httpx.Client) -> None:
    data = client.get(TASKS, params={"window": "7d"}).json()["data"]
    assert (data["as_of"], data["window_days"]) == ("2026-08-16", 7)
    tasks = data["classifications"]
    for share in ("usage_share", "token_share"):
        assert sum(task[share] for task in tasks) == pytest.approx(1)
        for category in data["macro_categories"]:
            own = [task for task in tasks if task["macro_category"] == category["key"]]
            assert sum(task[share] for task in own) == pytest.approx(category[share])
            within = sum(task[f"category_{share}"] for task in own)
            assert within == pytest.approx(1 if own else 0)
        for task in tasks:
            assert sum(model[f"tag_{share}"] for model in task["models"]) < 1.01
    assert client.get(TASKS, params={"window": "30d"}).status_code == 400


def test_every_ranked_model_is_in_the_catalogue(client: httpx.Client) -> None:
    catalogue = client.get(MODELS).json()["data"]
    known = {
        (row.get("canonical_slug", row["id"]), row["id"].partition(":")[2]) for row in catalogue
    }
    ranked = {row["model_permaslug"] for row in client.get(RANKINGS).json()["data"]} - {"other"}
    assert len(ranked) == 8
    for slug in ranked:
        base, _, variant = slug.partition(":")
        assert (base, variant) in known


@pytest.mark.parametrize("path", [MODELS, MODELS_DEV, VERCEL, LITELLM, ECB_DAILY, ECB_HIST])
def test_an_unchanged_body_is_a_304(client: httpx.Client, path: str) -> None:
    tag = client.get(path).headers["ETag"]
    again = client.get(path, headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == tag
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_gzip_only_when_it_is_accepted(server: FeedServer, client: httpx.Client) -> None:
    plain = client.get(MODELS, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert int(plain.headers["Content-Length"]) == len(plain.content)
    with client.stream("GET", MODELS, headers={"Accept-Encoding": "gzip, br"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(raw)
    assert gzip.decompress(raw) == plain.content
    assert packed.headers["ETag"] == plain.headers["ETag"]


def test_the_date_header_is_the_servers_clock(client: httpx.Client) -> None:
    assert client.get(MODELS).headers["Date"] == "Mon, 17 Aug 2026 12:00:00 GMT"


@pytest.mark.parametrize("dataset", ["models", "labs"])
def test_vercel_shares_add_up(client: httpx.Client, dataset: str) -> None:
    query = {"dataset": dataset, "from": "2026-08-03", "to": "2026-08-16"}
    body = client.get(VERCEL, params=query).json()
    assert body["license"] == "CC-BY-4.0"
    assert (body["from"], body["to"]) == ("2026-08-03", "2026-08-16")
    assert body["earliest_available_date"] == "2025-10-01"
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for row in body["rows"]:
        assert row["group"] == dataset.removesuffix("s")
        sums[row["date"], row["metric"]] += row["share_percent"]
    assert len(sums) == 14 * 3
    assert set(sums.values()) == {100}


def test_vercel_shows_the_running_day_and_echoes_no_range_unasked(client: httpx.Client) -> None:
    body = client.get(VERCEL).json()
    assert max(row["date"] for row in body["rows"]) == "2026-08-17"
    assert set(body) == {"dataset", "modality", "license", "license_url", "rows"}


def test_vercel_csv_ends_with_its_attribution(client: httpx.Client) -> None:
    answer = client.get(VERCEL, params={"format": "csv"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    head, *rows, last = csv.reader(io.StringIO(answer.text))
    assert head[-1] == "share_percent"
    assert len(rows) == len(client.get(VERCEL).json()["rows"])
    assert len(last) == 1
    assert "Vercel" in last[0]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2025-09-30"},
        {"to": "2026-08-01"},
        {"from": "2026-08-02", "to": "2026-08-01"},
        {"from": "2026-02-30"},
        {"dataset": "apps", "from": "2026-08-01"},
        {"dataset": "nothing"},
        {"format": "xml"},
    ],
    ids=str,
)
def test_vercel_refuses_bad_parameters(client: httpx.Client, query: dict[str, str]) -> None:
    assert client.get(VERCEL, params=query).status_code == 400


def test_what_is_not_held_is_a_404(client: httpx.Client) -> None:
    assert client.get(VERCEL, params={"dataset": "apps"}).status_code == 404
    assert client.get(VERCEL, params={"modality": "image"}).status_code == 404
    assert client.get("/api/v1/nothing").status_code == 404


@pytest.mark.parametrize(
    ("hour", "day", "yuan"), [(14, "2026-08-07", "8.4000"), (15, "2026-08-10", "9.0000")]
)
def test_ecb_rates_of_the_day_appear_in_the_afternoon(hour: int, day: str, yuan: str) -> None:
    now = datetime(2026, 8, 10, hour, tzinfo=UTC)
    with FeedServer(FixtureBodies(), now=lambda: now) as server, client_of(server) as client:
        daily = client.get(ECB_DAILY).text
        packed = client.get(ECB_HIST).content
    assert f"time='{day}'" in daily
    assert f"<Cube currency='CNY' rate='{yuan}'/>" in daily
    assert "CYP" not in daily
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        lines = archive.read("eurofxref-hist.csv").decode().splitlines()
    assert lines[0].startswith("Date,USD,")
    assert lines[1].startswith(day)


def test_requests_are_recorded(server: FeedServer, client: httpx.Client) -> None:
    client.get(RANKINGS, params={"start_date": "2026-08-01"})
    client.get("/nowhere")
    first, second = server.requests
    assert (first.feed, first.method, first.path) == ("openrouter-rankings", "GET", RANKINGS)
    assert first.query == {"start_date": "2026-08-01"}
    assert first.headers["authorization"] == "Bearer sk-test"
    assert first.time == FIXTURE_NOW
    assert (second.feed, second.path) == ("", "/nowhere")


def run(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.feedserver", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_command_serves_until_it_is_interrupted(how: signal.Signals) -> None:
    with run("--port", "0", "--fault", "models-dev:503@1;retry-after=3", "-v") as process:
        assert process.stdout is not None
        url, feeds_url, now = process.stdout.readline().split()
        assert feeds_url == f"QWENWATCH_FEEDS_URL={url}"
        assert now == "QWENWATCH_NOW=2026-08-17T12:00:00Z"
        with httpx.Client(trust_env=False) as client:
            answer = client.get(url + MODELS_DEV)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
            assert client.get(url + MODELS_DEV).status_code == 200
        process.send_signal(how)
        out, err = process.communicate(timeout=5)
        assert (process.returncode, out) == (0, "")
        assert err.count("GET /api.json") == 2


@pytest.mark.parametrize(
    "arguments",
    [["--fault", "nothing:500"], ["--at", "noon"], ["--recordings", "/nowhere"]],
    ids=lambda arguments: arguments[0],
)
def test_command_refuses_bad_arguments(arguments: list[str]) -> None:
    with run(*arguments) as process:
        _, err = process.communicate(timeout=5)
    assert process.returncode == 2
    assert arguments[0] in err
    assert "Traceback" not in err
