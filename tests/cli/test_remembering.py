"""Figures of the screen remembered as claims, in a file that people may edit too."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from qwenwatch.config import Config
from qwenwatch.own_claims import all_claims, own_claims, own_claims_path, remember
from qwenwatch.remembering import claim_of, remember_draft
from qwenwatch.session import Session
from qwenwatch_cache.claims.reading import bundled_claims
from qwenwatch_cache.claims.tables import ClaimError
from qwenwatch_cache.errors import StoreError

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
SHARE = {
    "measure": "share",
    "vendor": "deepseek",
    "value": "26.2 %",
    "metric": "tokens",
    "feed": "openrouter-rankings",
    "window": "2026-08-10..2026-08-16",
    "scope.among": "attributed",
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path / "etc/config.toml", cache_dir=tmp_path / "cache")


@pytest.fixture
def session(config: Config) -> Session:
    """On the bundled figures, offline."""
    return Session.open(config, lambda: NOW, offline=True)


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (
            {
                "measure": "share",
                "vendor": "deepseek",
                "value": "26.2 %",
                "metric": "tokens",
                "feed": "openrouter-rankings",
                "window": "2026-08-10..2026-08-16",
                "scope.among": "attributed",
            },
            "DeepSeek had 26.2 % of tokens · OpenRouter, week 10–16 Aug 2026",
        ),
        (
            {
                "measure": "share",
                "country": "CN",
                "value": "61.4 %",
                "metric": "tokens",
                "feed": "openrouter-rankings",
                "window": "2026-07-01..2026-07-31",
                "scope.among": "attributed",
                "scope.variants": "standard",
            },
            "Models from CN had 61.4 % of tokens, standard only · OpenRouter, month Jul 2026",
        ),
        (
            {
                "measure": "price",
                "model": "alibaba/qwen3.5-plus:batch",
                "value": "¥0.4",
                "field": "input",
                "basis": "list",
                "feed": "alibaba-list",
                "region": "cn",
                "prompts": "128001",
                "window": "2026-08-22",
            },
            "Qwen3.5 Plus (batch) costs ¥0.4 per 1M tokens of input (list price of "
            "alibaba-list, region cn, prompts of 128,001 tokens), day Sat 22 Aug 2026",
        ),
        (
            {
                "measure": "price_change",
                "model": "new/model@litellm",
                "value": "-35.0 %",
                "field": "output",
                "basis": "list",
                "feed": "litellm",
                "region": "global",
                "window": "2026-08-10",
            },
            "The output price of new/model changed by -35.0 % (list price of litellm), "
            "day Mon 10 Aug 2026",
        ),
        (
            {
                "measure": "growth",
                "growth_of": "share",
                "vendor": "xai",
                "value": "+3.1 %",
                "metric": "tokens",
                "feed": "openrouter-rankings",
                "from": "2026-08-03..2026-08-09",
                "window": "2026-08-10..2026-08-16",
                "scope.among": "attributed",
            },
            "xAI's share of tokens · OpenRouter changed by +3.1 % from week 3–9 Aug 2026 to "
            "week 10–16 Aug 2026",
        ),
    ],
)
def test_a_draft_becomes_a_sentence_and_a_claim_that_is_kept(
    session: Session, draft: dict[str, str], sentence: str
) -> None:
    said = remember_draft(session, draft)
    [claim] = own_claims(session.config)
    assert claim.says == sentence
    assert sentence in said and claim.id in said
    assert claim.figure.text == draft["value"]
    assert (claim.said.outlet, claim.said.date) == ("qwenwatch", "2026-08-22")


def test_the_same_figure_is_remembered_once(session: Session) -> None:
    assert remember_draft(session, SHARE).startswith("Remembered: ")
    before = own_claims_path(session.config).read_bytes()
    said = remember_draft(session, SHARE)
    assert said.startswith("It is remembered already: DeepSeek had 26.2 % of tokens · OpenRouter")
    assert own_claims_path(session.config).read_bytes() == before


def test_a_figure_is_known_again_by_another_name(session: Session) -> None:
    remember_draft(session, SHARE)
    path = own_claims_path(session.config)
    [claim] = own_claims(session.config)
    own = path.read_text(encoding="utf-8").replace(claim.id, "own-share-of-old")
    path.write_text(own.replace("DeepSeek had", "Mine: DeepSeek had"), encoding="utf-8")
    said = remember_draft(session, SHARE)
    assert "remembered already: Mine: DeepSeek had" in said and "own-share-of-old" in said
    assert len(own_claims(session.config)) == 1


@pytest.mark.parametrize(
    ("of", "begins"),
    [
        ({"vendor": "deepseek"}, "own-deepseek-"),
        ({"country": "CN"}, "own-cn-"),
        ({"model": "alibaba/qwen3-max-thinking-2026-01-23:batch"}, "own-qwen3-max-thi-"),
        ({"model": "stealth/ox-alpha@openrouter"}, "own-ox-alpha-open-"),
    ],
    ids=str,
)
def test_names_are_short(session: Session, of: dict[str, str], begins: str) -> None:
    draft = {key: value for key, value in SHARE.items() if key != "vendor"} | of
    name = claim_of(draft, session)["id"]
    assert name.startswith(begins) and len(name) <= 24
    assert name == claim_of(draft, session)["id"]


def test_figures_that_differ_in_one_thing_have_names_of_their_own(session: Session) -> None:
    others = (
        {"value": "26.3 %"},
        {"window": "2026-08-10..2026-08-12"},
        {"metric": "requests", "feed": "vercel-leaderboard"},
        {"vendor": "xai"},
        {"scope.variants": "standard"},
    )
    for other in ({}, *others):
        remember_draft(session, SHARE | other)
    assert len({claim.id for claim in own_claims(session.config)}) == 1 + len(others)


def test_no_more_claims_are_kept_than_are_read(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qwenwatch.own_claims.MOST_CLAIMS", 1)
    remember_draft(session, SHARE)
    with pytest.raises(ClaimError, match="holds 1 claims"):
        remember_draft(session, SHARE | {"vendor": "xai"})
    assert len(own_claims(session.config)) == 1


def test_what_the_user_wrote_stays_as_it_is(config: Config) -> None:
    path = own_claims_path(config)
    path.parent.mkdir(parents=True)
    own = (
        "# mine\n[[claim]]\nid = 'mine'\nsays = 'x'\nsource = { outlet = 'y' }\n"
        "measure = 'share'\ncountry = 'CN'\nvalue = '50 %'\nwindow = '2026-W08'\n"
    )
    path.write_text(own, encoding="utf-8")
    claim = {
        "id": "other",
        "says": 'quotes " and \\ and ü',
        "source": {"outlet": "qwenwatch"},
        "measure": "share",
        "vendor": "alibaba",
        "value": "1 %",
        "window": "2026-W08",
    }
    assert remember(config, claim) is None
    assert path.read_text(encoding="utf-8").startswith(own)
    assert [one.id for one in own_claims(config)] == ["mine", "other"]
    assert own_claims(config)[1].says == 'quotes " and \\ and ü'
    assert [one.id for one in all_claims(config)][-2:] == ["mine", "other"]


@pytest.mark.parametrize("left", ["", "# none is left\n", "claim = []\n"])
def test_where_all_were_deleted_there_are_the_bundled_ones(session: Session, left: str) -> None:
    remember_draft(session, SHARE)
    own_claims_path(session.config).write_text(left, encoding="utf-8")
    assert not own_claims(session.config)
    assert list(all_claims(session.config)) == list(bundled_claims())


def test_after_the_last_was_deleted_another_can_be_remembered(session: Session) -> None:
    own_claims_path(session.config).parent.mkdir(parents=True)
    own_claims_path(session.config).write_text("# none is left\n", encoding="utf-8")
    assert remember_draft(session, SHARE).startswith("Remembered: ")
    assert len(own_claims(session.config)) == 1


def test_claims_in_a_list_that_is_closed_are_not_spoilt(config: Config, session: Session) -> None:
    path = own_claims_path(config)
    path.parent.mkdir(parents=True)
    own = (
        "claim = [{id = 'mine', says = 'x', source = {outlet = 'y'}, measure = 'share', "
        "country = 'CN', value = '50 %', window = '2026-W08'}]\n"
    )
    path.write_text(own, encoding="utf-8")
    with pytest.raises(ClaimError, match=r"cannot be added to: begin each .* with \[\[claim\]\]"):
        remember_draft(session, SHARE)
    assert path.read_text(encoding="utf-8") == own
    assert [one.id for one in own_claims(config)] == ["mine"]


def test_a_file_that_cannot_be_used_is_not_written(config: Config) -> None:
    path = own_claims_path(config)
    path.parent.mkdir(parents=True)
    path.write_text("[[claim]\n", encoding="utf-8")
    with pytest.raises(ClaimError, match=r"claims\.toml"):
        remember(config, {"id": "x"})
    assert path.read_text(encoding="utf-8") == "[[claim]\n"


def test_a_place_that_cannot_be_written_is_named(config: Config) -> None:
    config.path.parent.parent.joinpath("etc").write_text("a file in the way", encoding="utf-8")
    claim = {
        "id": "other",
        "says": "x",
        "source": {"outlet": "qwenwatch"},
        "measure": "share",
        "vendor": "alibaba",
        "value": "1 %",
        "window": "2026-W08",
    }
    with pytest.raises(StoreError, match=r"cannot write .*claims\.toml"):
        remember(config, claim)


def test_the_name_of_a_bundled_claim_is_taken(config: Config) -> None:
    taken = bundled_claims()[0].id
    path = own_claims_path(config)
    path.parent.mkdir(parents=True)
    path.write_text(
        f"[[claim]]\nid = '{taken}'\nsays = 'x'\nsource = {{ outlet = 'y' }}\n"
        "measure = 'share'\ncountry = 'CN'\nvalue = '50 %'\nwindow = '2026-W08'\n",
        encoding="utf-8",
    )
    with pytest.raises(ClaimError, match=taken):
        all_claims(config)
