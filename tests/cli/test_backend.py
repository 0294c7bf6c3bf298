"""The process behind the screen, asked as the screen asks it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from qwenwatch.answers import AnswersError
from qwenwatch.client import ProcessAnswers
from qwenwatch.ready import read_ready_market
from qwenwatch_cache.feeds import FEEDS
from qwenwatch_widgets.views.claim_draft import NOBODY
from qwenwatch_widgets.views.query import MarketQuery
from tests.cli.conftest import Run

QUERY = MarketQuery()


@pytest.fixture
async def answers(tmp_path: Path) -> AsyncIterator[ProcessAnswers]:
    made = ProcessAnswers(["--cache-dir", str(tmp_path), "--offline"], tmp_path, QUERY)
    yield made
    await made.close()


async def test_answers_views_of_the_baseline(answers: ProcessAnswers) -> None:
    market = await answers.market(QUERY)
    assert market.panels[0].vendor == "deepseek"
    assert market.headline.badge.startswith("bundled baseline")
    vendor = await answers.vendor("alibaba", QUERY)
    assert vendor.panel.title == "13 Alibaba · Qwen"
    assert any("Qwen3.8 Max" in row.cells[2].text for row in vendor.models.rows)
    feeds = await answers.feeds()
    assert [row.key for row in feeds.table.rows] == list(FEEDS)
    report = await answers.refresh()
    assert not report.changed


async def test_a_row_s_claim_is_kept(
    answers: ProcessAnswers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("", encoding="utf-8")
    monkeypatch.setenv("QWENWATCH_CONFIG", str(config))
    market = await answers.market(QUERY)
    claim, why = market.leaders.rows[0].claim, market.leaders.rows[-1].claim
    assert market.panels[0].claim == claim and why == NOBODY
    assert not isinstance(claim, str)
    said = await answers.remember(claim)
    assert said.startswith("Remembered: DeepSeek had 26.2 % of tokens")
    assert "remembered already" in await answers.remember(claim)
    with pytest.raises(AnswersError, match="vendor: no vendor has the id"):
        await answers.remember({**claim, "vendor": "no-such-vendor"})


async def test_an_error_is_an_error_of_that_question_only(answers: ProcessAnswers) -> None:
    with pytest.raises(AnswersError, match="no figures"):
        await answers.market(MarketQuery(steps_back=999))
    with pytest.raises(AnswersError, match="No model is called"):
        await answers.market(MarketQuery(baseline="no-such-model"))
    assert (await answers.market(MarketQuery(baseline="claude-opus-4.6"))).prices.rows


async def test_a_process_that_was_killed_is_started_again(answers: ProcessAnswers) -> None:
    await answers.market(QUERY)
    process = answers._process
    assert process is not None
    asked = asyncio.ensure_future(answers.refresh())
    process.kill()
    with pytest.raises(AnswersError, match="has ended"):
        await asked
    assert (await answers.market(QUERY)).panels


async def test_a_process_that_hangs_is_replaced(
    answers: ProcessAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = [sys.executable, "-c", "import time; time.sleep(60)"]
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **options: real(hang, **options))
    with pytest.raises(AnswersError, match="no answer within"):
        await answers._ask("market", 0.2, query={})
    monkeypatch.undo()
    assert (await answers.market(QUERY)).panels


async def test_a_process_that_was_let_go_is_started_again(answers: ProcessAnswers) -> None:
    await answers.market(QUERY)
    first = answers._process
    assert first is not None
    answers._retire()
    assert (await answers.market(QUERY)).panels
    assert answers._process is not first
    await asyncio.to_thread(first.wait, 10)
    assert first.returncode == 0


class TestReady:
    """The view kept for the first frame: used if it is whole, else passed over."""

    async def test_is_kept_for_the_opening_query_only(
        self, answers: ProcessAnswers, tmp_path: Path
    ) -> None:
        assert answers.ready_market() is None
        view = await answers.market(QUERY)
        await answers.market(MarketQuery(grain="month"))
        assert read_ready_market(tmp_path, QUERY) == view
        assert read_ready_market(tmp_path, MarketQuery(grain="month")) is None

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda plain: plain.clear(),
            lambda plain: plain.update(program="0.0.0"),
            lambda plain: plain["view"]["leaders"]["rows"][0]["cells"].pop(),
            lambda plain: plain["view"]["leaders"]["rows"][0]["cells"][0].update(text=7),
            lambda plain: plain["view"]["leaders"]["rows"][0]["cells"][0].update(tone="loud"),
            lambda plain: plain["view"]["panels"][0].update(series=["high"]),
            lambda plain: plain["view"].update(panels="none"),
            lambda plain: plain["view"].update(unheard_of=1),
        ],
    )
    async def test_one_that_is_not_whole_is_passed_over(
        self,
        answers: ProcessAnswers,
        tmp_path: Path,
        spoil: Callable[[dict[str, Any]], object],
    ) -> None:
        await answers.market(QUERY)
        path = tmp_path / "ready" / "market.json"
        plain = json.loads(path.read_text(encoding="utf-8"))
        spoil(plain)
        path.write_text(json.dumps(plain), encoding="utf-8")
        assert read_ready_market(tmp_path, QUERY) is None


class TestOddWords:
    """Whatever is typed, a message and a code come back, never a traceback."""

    @pytest.mark.parametrize(
        "arguments",
        [
            ("snapshot", "--date", "9999-12-31"),
            ("snapshot", "--date", "0001-01-01"),
            ("snapshot", "--known-at", "9999-12-31T23:59:59-12:00"),
            ("snapshot", "--top", "-3"),
        ],
    )
    def test_out_of_range(self, run: Run, arguments: tuple[str, ...]) -> None:
        ran = run(*arguments)
        assert ran.code in {2, 4}
        assert ran.err

    def test_a_pipe_is_written_into(self, run: Run, tmp_path: Path) -> None:
        link = tmp_path / "link.json"
        target = tmp_path / "target.json"
        target.write_text("old", encoding="utf-8")
        link.symlink_to(target)
        assert run("definitions", "--format", "json", "-o", str(link)).code == 0
        assert link.is_symlink()
        assert json.loads(target.read_text(encoding="utf-8"))["schema_version"] == 1
        assert run("definitions", "-o", "/dev/null").code == 0
        assert not Path("/dev/null").is_file()
