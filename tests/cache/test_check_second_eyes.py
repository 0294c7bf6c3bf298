"""Claims whose verdicts were worked out from the recordings before anything was checked."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qwenwatch_cache.claims.reading import read_claims
from qwenwatch_cache.market.check import Checked, check
from qwenwatch_cache.market.check_all import check_all
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.price_book import Offer
from qwenwatch_cache.market.price_trials import described
from qwenwatch_cache.store import Store

FOLDER = Path(__file__).parents[1] / "fixtures" / "claims"
EXPECTED = tomllib.loads((FOLDER / "second-eyes-expected.toml").read_text("utf-8"))["expected"]

HEAD = """\
[[claim]]
id = "one"
says = "x"
source = { outlet = "nobody" }
"""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The bundled figures."""
    store = Store(tmp_path_factory.mktemp("check") / "cache")
    return Known(store, datetime(2026, 8, 22, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def answers(known: Known) -> Mapping[str, Checked]:
    claims = read_claims((FOLDER / "second-eyes.toml").read_text("utf-8"), "second-eyes.toml")
    checked, _ = check_all(known, claims)
    return {one.claim.id: one for one in checked}


def checked(known: Known, *lines: str) -> Checked:
    (claim,) = read_claims(HEAD + "\n".join(lines), "file")
    return check(known, claim)


def test_none_is_forgotten(answers: Mapping[str, Checked]) -> None:
    assert answers.keys() == EXPECTED.keys()
    assert len(EXPECTED) == 10


@pytest.mark.parametrize("id_", EXPECTED)
def test_the_verdict(answers: Mapping[str, Checked], id_: str) -> None:
    assert answers[id_].verdict == EXPECTED[id_]["verdict"]


def test_a_subject_that_is_not_named_did_not_fall_to_nothing(
    answers: Mapping[str, Checked],
) -> None:
    """At most 454,555,053,182 against 234,489,507,951: 1.94 times, +93.8 %; 3x is +200 %."""
    one = answers["qwen-tripled"]
    assert one.closest is not None
    assert one.closest == one.plain
    assert one.found == "-100.0 to +93.8 %"
    assert one.reason.startswith("closest, off by 106.2 points")
    assert all(trial.high != -1 for trial in one.trials)


def test_the_day_of_a_change_is_no_condition_where_a_month_is_stated(known: Known) -> None:
    lines = ('measure = "price_change"', 'model = "alibaba/qwen3.5-plus-02-15"')
    assert checked(known, *lines, 'value = "-35 %"').reason.endswith("on 2026-03-04")
    month = (*lines, 'basis = "route"', 'window = "2026-03"')
    assert checked(known, *month, 'value = "-30 %"').verdict == "not reproduced"


class TestPlaces:
    """2026-W28: market share has Tencent 6,585.5B third and Xiaomi 6,553.1B fourth.

    Models named of a day make 6,542.6B and 6,553.1B of that.
    """

    @staticmethod
    def rank(known: Known, vendor: str, window: str, place: int) -> Checked:
        lines = ('measure = "rank"', f'vendor = "{vendor}"', 'feed = "openrouter-rankings"')
        return checked(known, *lines, f'window = "{window}"', f'value = "{place}"')

    def test_where_vendors_are_stated_they_are_not_added_up(self, known: Known) -> None:
        for vendor, place, amount in (("tencent", 3, "6.585T"), ("xiaomi", 4, "6.553T")):
            one = self.rank(known, vendor, "2026-W28", place)
            assert one.verdict == "reproduced"
            assert one.plain is not None and one.plain.arithmetic.startswith(amount)

    def test_sums_of_models_have_bounds(self, known: Known) -> None:
        """The same week but a day: nobody states vendors of those days."""
        days = "2026-07-06..2026-07-11"
        for place in (3, 4):
            one = self.rank(known, "tencent", days, place)
            assert one.plain is not None and one.plain.fit(one.figure) == "possible"
            assert one.plain.high is not None and one.plain.low < one.plain.high
            assert one.verdict == "no public data"
        assert self.rank(known, "tencent", days, 300).verdict != "reproduced"


@pytest.mark.parametrize(
    ("count", "words"),
    [(125_000, "125k"), (128_000, "128k"), (131_072, "128k"), (256_000, "256k"), (262_144, "256k")],
)
def test_sizes_of_prompts_as_the_source_says_them(count: int, words: str) -> None:
    offer = Offer("x/y", "y", "x", "list", "z", "", "", "USD", count, None, "")
    assert f"prompts above {words} tokens" in described(offer)
