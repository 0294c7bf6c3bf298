"""The scope that a claim states, and what chance must not decide."""

from datetime import UTC, datetime

import pytest

from qwenwatch_cache.claims.reading import read_claims
from qwenwatch_cache.market.check import Checked, check
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.store import Store

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


def checked(known: Known, *lines: str) -> Checked:
    (claim,) = read_claims(HEAD + "\n".join(lines), "file")
    return check(known, claim)


def test_the_scope_that_a_claim_states_is_its_plain_reading(known: Known) -> None:
    """US models of the nine named without Arcee: 2.705T (FEEDS.md)."""
    week = ('measure = "total"', 'country = "US"', 'window = "2026-W08"')
    scope = 'scope = { among = "named", without = "arcee-ai" }'
    one = checked(known, *week, scope, 'value = "2.70T"')
    assert (one.verdict, one.found) == ("reproduced", "2.705T")
    assert checked(known, *week, scope, 'value = "3.15T"').reason == "with arcee-ai"
    assert checked(known, *week, 'value = "2.70T"').verdict == "reproduced only if"


def test_of_two_countries(known: Known) -> None:
    week = ('measure = "share"', 'country = "CN"', 'window = "2026-W08"')
    scope = 'scope = { among = "CN+US", without = "arcee-ai" }'
    assert checked(known, *week, scope, 'value = "65.6 %"').verdict == "reproduced"


def test_bounds_are_not_decided_by_a_fit_on_other_days(known: Known) -> None:
    """Qwen's part of July lies anywhere from what is named of it to that and all the rest."""
    july = ('measure = "share"', 'vendor = "alibaba"', 'window = "2026-07"')
    one = checked(known, *july, 'value = "2 %"')
    assert one.matched > 0
    assert one.verdict == "no public data"
    assert one.plain is not None and one.plain.fit(one.figure) == "possible"
    assert checked(known, *july, 'value = "20 %"').verdict == "not reproduced"


def test_growth_is_of_one_scope_at_both_times(known: Known) -> None:
    """6.901T of 2026-03-30 against 2.559T the week after: a fall by 62.9 %."""
    lines = ('measure = "growth"', 'vendor = "alibaba"', 'from = "2026-W14"')
    one = checked(known, *lines, 'window = "2026-W15"', 'value = "-62.9 %"')
    assert one.verdict == "reproduced"
    assert checked(known, *lines, 'value = "-62.9 %"').verdict == "no public data"


def test_a_count_that_is_false_everywhere_is_contradicted(known: Known) -> None:
    """Four of the first five were Chinese in that week and before it, three in the week after."""
    lines = ('measure = "count"', 'country = "CN"', "top = 5", 'window = "2026-W08"')
    verdicts = {value: checked(known, *lines, f'value = "{value}"').verdict for value in (1, 3, 4)}
    assert verdicts == {1: "contradicted", 3: "contradicted", 4: "reproduced"}
