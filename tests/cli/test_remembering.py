"""Figures of the screen remembered as claims, in a file that people may edit too."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qwenwatch.config import Config
from qwenwatch.own_claims import all_claims, own_claims, own_claims_path, remember
from qwenwatch.remembering import remember_figure
from qwenwatch.session import Session
from qwenwatch_cache.claims.reading import bundled_claims
from qwenwatch_cache.claims.tables import ClaimError
from qwenwatch_cache.errors import QwenwatchError, StoreError
from qwenwatch_cache.market.check_all import check_all
from qwenwatch_widgets.views.build import offers_of
from qwenwatch_widgets.views.prices import offer_key
from qwenwatch_widgets.views.query import MarketQuery, RememberQuery

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
MARKET = MarketQuery()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path / "etc/config.toml", cache_dir=tmp_path / "cache")


@pytest.fixture
def session(config: Config) -> Session:
    """On the bundled figures, offline."""
    return Session.open(config, lambda: NOW, offline=True)


def verdict_of(session: Session, id_: str) -> str:
    claims = [claim for claim in own_claims(session.config) if claim.id == id_]
    [[checked], _] = check_all(session.known(), claims)
    return checked.verdict


@pytest.mark.parametrize(
    ("by", "row", "value"),
    [
        ("vendor", "deepseek", "26.2 %"),
        ("country", "CN", "57.3 %"),
        ("model", "tencent/hy3", "13.2 %"),
    ],
)
def test_a_share_becomes_a_claim_that_the_data_bear_out(
    session: Session, by: str, row: str, value: str
) -> None:
    query = RememberQuery("leaders", row, replace(MARKET, by=by))
    said = remember_figure(session, session.known(), query)
    [claim] = own_claims(session.config)
    assert (claim.of, claim.kind, claim.figure.text) == (row, by, value)
    assert value in said and claim.id in said
    assert str(claim.period) == "2026-08-10..2026-08-16"
    # What the source does not name might be anybody's, so the scope is told.
    assert verdict_of(session, claim.id) in {"reproduced", "reproduced only if"}


@pytest.mark.parametrize(
    ("definition", "leader", "value"),
    [
        ("tokens/openrouter-rankings", "deepseek", "26.2 %"),
        ("tokens_standard/openrouter-rankings", "deepseek", "28.1 %"),
        ("requests/vercel-leaderboard", "openai", "26.5 %"),
        ("spend/vercel-leaderboard", "anthropic", "63.1 %"),
    ],
)
def test_a_definition_stands_for_its_leader(
    session: Session, definition: str, leader: str, value: str
) -> None:
    market = replace(MARKET, definition=definition)
    query = RememberQuery("definitions", definition, market)
    remember_figure(session, session.known(), query)
    [claim] = own_claims(session.config)
    assert (claim.of, claim.figure.text) == (leader, value)
    assert verdict_of(session, claim.id) in {"reproduced", "reproduced only if"}


def test_each_definition_is_a_claim_of_its_own(session: Session) -> None:
    for definition in ("tokens", "requests", "spend"):
        key = f"{definition}/vercel-leaderboard"
        query = RememberQuery("definitions", key, replace(MARKET, definition=key))
        remember_figure(session, session.known(), query)
    assert len(own_claims(session.config)) == 3


def test_a_definition_of_no_vendors_is_none(session: Session) -> None:
    key = "tokens/openrouter-apps"
    query = RememberQuery("definitions", key, replace(MARKET, definition=key))
    with pytest.raises(QwenwatchError, match="no share of a vendor is known by tokens"):
        remember_figure(session, session.known(), query)


def test_a_price_becomes_a_claim_that_the_data_bear_out(session: Session) -> None:
    known = session.known()
    _, offers = offers_of(known, MARKET, session.mix)
    row = offers.filter(model="anthropic/claude-opus-4-6", basis="route").to_dicts()
    key = offer_key(row[0]) if row else ""
    assert key
    remember_figure(session, known, RememberQuery("prices", key, MARKET))
    [claim] = own_claims(session.config)
    assert (claim.measure, claim.field, claim.basis, claim.figure.text) == (
        "price",
        "input",
        "route",
        "$5",
    )
    assert verdict_of(session, claim.id) == "reproduced"


def test_the_same_figure_is_remembered_once(session: Session) -> None:
    query = RememberQuery("leaders", "deepseek", MARKET)
    remember_figure(session, session.known(), query)
    before = own_claims_path(session.config).read_bytes()
    assert "already" in remember_figure(session, session.known(), query)
    assert own_claims_path(session.config).read_bytes() == before


@pytest.mark.parametrize(
    ("table", "row"),
    [("leaders", "unattributed"), ("leaders", "nobody"), ("prices", "no such offer")],
)
def test_what_is_no_figure_is_no_claim(session: Session, table: str, row: str) -> None:
    with pytest.raises(QwenwatchError, match="nothing to claim"):
        remember_figure(session, session.known(), RememberQuery(table, row, MARKET))
    assert own_claims(session.config) == ()


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
    assert remember(config, claim)
    assert path.read_text(encoding="utf-8").startswith(own)
    assert [one.id for one in own_claims(config)] == ["mine", "other"]
    assert own_claims(config)[1].says == 'quotes " and \\ and ü'
    assert [one.id for one in all_claims(config)][-2:] == ["mine", "other"]


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
