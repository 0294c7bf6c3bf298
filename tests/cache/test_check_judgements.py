"""What decides a claim, and what does not. Figures of the weekly charts, worked out by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal

import pytest
from msgspec.structs import replace

from qwenwatch_cache.claims.reading import read_claims
from qwenwatch_cache.market.check import Checked, check
from qwenwatch_cache.market.evidence import Evidence
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.trials import DIGITS, trials_frame
from qwenwatch_cache.store import Store

HEAD = """\
[[claim]]
id = "one"
says = "x"
source = { outlet = "nobody" }
"""
OPENROUTER = 'feed = "openrouter-rankings"'


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """The bundled figures."""
    store = Store(tmp_path_factory.mktemp("check") / "cache")
    return Evidence(Known(store, datetime(2026, 8, 22, 12, tzinfo=UTC)))


def checked(evidence: Evidence, *lines: str) -> Checked:
    (claim,) = read_claims(HEAD + "\n".join(lines), "file")
    return check(evidence.known, claim, evidence)


@pytest.mark.parametrize(
    "lines",
    [
        ('measure = "total"', 'vendor = "alibaba"', 'window = "2026-W33"', 'value = "1000000T"'),
        ('measure = "share"', 'vendor = "alibaba"', 'window = "2026-W33"', f'value = "{10**20} %"'),
        ('measure = "rank"', 'vendor = "alibaba"', f'value = "{10**18}"'),
        ('measure = "price"', 'model = "alibaba/qwen3-max"', f'value = "${10**18}"'),
        ('measure = "price"', 'model = "alibaba/qwen3-max"', f'value = "$0.{1:030}"'),
    ],
)
def test_the_largest_and_smallest_values_are_checked_like_others(
    evidence: Evidence, lines: Sequence[str]
) -> None:
    one = checked(evidence, *lines)
    assert one.verdict in {"not reproduced", "contradicted"}
    far = one.figure.distance(one.trials[-1].low)
    assert one.rows(len(one.trials))[-1]["distance"] == far.quantize(DIGITS, context=Context(38))


def test_all_tokens_of_a_year_fit_in_the_table_of_trials(evidence: Evidence) -> None:
    one = checked(evidence, 'measure = "total"', 'window = "2026-W33"', 'value = "75T"')
    year = Decimal("123_456_789_012_345_678.5")
    trial = replace(one.trials[0], low=year, high=year)
    row = trials_frame("one", [trial], one.figure).row(0, named=True)
    assert (row["low"], row["high"]) == (year, year)


class TestTotals:
    """Everything in the week 2026-02-16 is 13,947,727,802,612 tokens: 13.948T, 13.95T, 13.9T."""

    TOTAL = Decimal("13947727802612")

    @staticmethod
    def total(evidence: Evidence, value: str) -> Checked:
        lines = ('measure = "total"', OPENROUTER, 'window = "2026-W08"')
        return checked(evidence, *lines, f'value = "{value}"')

    @pytest.mark.parametrize(
        ("step", "right"), [("1", "14"), ("0.1", "13.9"), ("0.01", "13.95"), ("0.001", "13.948")]
    )
    def test_one_printed_value_of_each_precision_is_reproduced(
        self, evidence: Evidence, step: str, right: str
    ) -> None:
        middle = Decimal(right)
        printed = [middle + number * Decimal(step) for number in range(-3, 4)]
        verdicts = {f"{one}": self.total(evidence, f"{one}T").verdict for one in printed}
        assert [one for one, verdict in verdicts.items() if verdict == "reproduced"] == [right]

    def test_what_sources_restate_is_a_condition(self, evidence: Evidence) -> None:
        """13.95T begins at 13.945T; 13.94T ends there, 0.0196 % below what was found."""
        one = self.total(evidence, "13.94T")
        assert one.verdict == "reproduced only if"
        assert one.reason == "the source restated it since by 0.020 %"
        assert one.found == "13.948T"
        assert self.TOTAL - Decimal("13945000000000") == Decimal("2727802612")
        # 0.088 % is more than any source ever restated.
        assert self.total(evidence, "13.935T").verdict == "not reproduced"


class TestWhoIsNamed:
    """Vendors of the week 2026-02-16: Google 2,307,954,806,270, nine are named, the rest 1.263T."""

    @pytest.mark.parametrize("among", ["top 10", "top 20", "top 50"])
    def test_has_no_part_in_the_rest(self, evidence: Evidence, among: str) -> None:
        lines = ('measure = "total"', 'vendor = "google"', OPENROUTER, 'window = "2026-W08"')
        one = checked(evidence, *lines, 'value = "2.308T"')
        (found,) = [
            each for each in one.trials if each.conditions == (f"only the {among} vendors",)
        ]
        assert found.low == found.high == 2307954806270

    def test_of_those_its_share_has_the_bounds_of_the_others(self, evidence: Evidence) -> None:
        """The tenth has no more than the ninth, 454,555,053,182."""
        lines = ('measure = "share"', 'vendor = "google"', OPENROUTER, 'window = "2026-W08"')
        one = checked(evidence, *lines, 'value = "18 %"')
        (found,) = [each for each in one.trials if each.conditions == ("only the top 10 vendors",)]
        others = (2631525718303, 1892797907007, 1444682299863, 1084798415350, 1065200509251)
        tenth = Decimal(454555053182)
        own = Decimal(2307954806270)
        nine = own + sum(others) + 981058905563 + 821672747429 + tenth
        assert (found.low, found.high) == (own / (nine + tenth), own / nine)


class TestStandardVariants:
    """Of the week 2026-02-16 the chart of vendors has Zhipu at 1.065T, that of models MiniMax M2.5
    at 2.570T, so that Zhipu without its variants is behind MiniMax, whatever is in the rest."""

    def test_are_no_more_than_all(self, evidence: Evidence) -> None:
        lines = ('measure = "rank"', 'vendor = "zhipuai"', OPENROUTER, 'window = "2026-W08"')
        one = checked(evidence, *lines, 'scope = { variants = "standard" }', 'value = "1"')
        assert one.verdict == "contradicted"
        assert one.plain is not None and one.plain.low > 1

    def test_have_the_bounds_of_their_vendor(self, evidence: Evidence) -> None:
        """Of Zhipu's GLM-5 is named: 803,177,700,976; the whole vendor has 1,065,200,509,251."""
        lines = ('measure = "total"', 'vendor = "zhipuai"', OPENROUTER, 'window = "2026-W08"')
        one = checked(evidence, *lines, 'scope = { variants = "standard" }', 'value = "2T"')
        assert one.plain is not None
        assert one.plain.low == 803177700976
        assert one.plain.high == 1065200509251
        assert one.verdict == "not reproduced"


class TestOtherDays:
    """By vendor Qwen led in the week 2026-03-30 (25.6 %), and was fourth in the next (12.2 %)."""

    ALIBABA = ('vendor = "alibaba"', OPENROUTER)

    def test_of_a_place_decide_nothing(self, evidence: Evidence) -> None:
        lines = (*self.ALIBABA, 'measure = "rank"', 'value = "1"')
        one = checked(evidence, *lines, 'window = "2026-W15"')
        assert one.verdict in {"not reproduced", "contradicted"}
        assert "on other days it was so: in the week before (2026-03-30..2026-04-05)" in one.notes
        assert one.plain is not None and one.plain.low == 4

    def test_of_a_count_decide_nothing(self, evidence: Evidence) -> None:
        """Four of the first five models were Chinese, three in the week after."""
        lines = ('measure = "count"', 'country = "CN"', "top = 5", 'window = "2026-W08"')
        one = checked(evidence, *lines, 'value = "3"')
        assert (one.verdict, one.found) == ("contradicted", "4")
        assert one.notes == [
            "on other days it was so: in the week after (2026-02-23..2026-03-01)",
        ]

    def test_of_a_share_are_a_condition_by_themselves(self, evidence: Evidence) -> None:
        lines = (*self.ALIBABA, 'measure = "share"', 'window = "2026-W15"')
        one = checked(evidence, *lines, 'value = "25.6 %"')
        assert (one.verdict, one.reason) == (
            "reproduced only if",
            "in the week before (2026-03-30..2026-04-05)",
        )

    def test_with_other_conditions_besides_they_decide_nothing(self, evidence: Evidence) -> None:
        """Of the five first vendors of the week before, say."""
        lines = (*self.ALIBABA, 'measure = "share"', 'window = "2026-W15"')
        fits = [
            each
            for each in checked(evidence, *lines, 'value = "25.6 %"').trials
            if each.first == date(2026, 3, 30) and len(each.conditions) > 1 and each.exact
        ]
        value = next(
            f"{each.low * 100:.3f} %"
            for each in fits
            if each.conditions[1:] == ("only the top 5 vendors",)
        )
        one = checked(evidence, *lines, f'value = "{value}"')
        assert one.matched >= 1
        assert one.verdict == "not reproduced"
        assert any(
            note.startswith("on other days it was so: in the week before") for note in one.notes
        )


class TestOfALeaderboard:
    """Of the week 2026-08-10 rows per model are known only; the rest is 7.0 % of everything."""

    WEEK = ('measure = "share"', OPENROUTER, 'window = "2026-W33"')

    @pytest.mark.parametrize(
        ("subject", "value"),
        [('vendor = "deepseek"', "26.2 %"), ('country = "CN"', "57.3 %")],
    )
    def test_its_share_is_reproduced_under_its_scope(
        self, evidence: Evidence, subject: str, value: str
    ) -> None:
        lines = (*self.WEEK, subject, f'value = "{value}"')
        assert checked(evidence, *lines).verdict == "reproduced only if"
        one = checked(evidence, *lines, 'scope = { among = "attributed" }')
        assert one.verdict == "reproduced"
        assert "of the whole platform" in one.reason

    def test_a_row_is_of_one_variant(self, evidence: Evidence) -> None:
        lines = (*self.WEEK, 'scope = { among = "attributed" }', 'value = "13.2 %"')
        assert checked(evidence, *lines, 'model = "tencent/hy3:standard"').verdict == "reproduced"
        assert checked(evidence, *lines, 'model = "tencent/hy3:free"').verdict == "not reproduced"


class TestSources:
    """Exactly those of the arithmetic."""

    RATIO = (
        'measure = "price_ratio"',
        'model = "anthropic/claude-sonnet-4-5"',
        'to = "alibaba/qwen3-coder-flash"',
        'field = "input"',
        'basis = "list"',
        'region = "cn"',
        'value = "20-21x"',
    )

    def test_of_a_ratio_are_both_lists_and_the_rates(self, evidence: Evidence) -> None:
        one = checked(evidence, *self.RATIO)
        named = {
            feed
            for feed in ("litellm", "alibaba-list", "models-dev", "openrouter-models")
            if any(f"({feed})" in each.scope for each in one.telling)
        }
        assert {"litellm", "alibaba-list"} <= named
        assert any("¥" in each.arithmetic for each in one.telling)
        assert {origin.feed for origin in one.origins} == {*named, "ecb-fx"}
        assert all(origin.citation for origin in one.origins)

    def test_of_one_trial_are_its_own(self, evidence: Evidence) -> None:
        one = checked(evidence, *self.RATIO)
        for each in one.trials:
            feeds = {source.feed for source in each.sources}
            lists = {
                feed for feed in ("litellm", "alibaba-list", "models-dev") if feed in each.scope
            }
            rates = {"ecb-fx"} if "¥" in each.arithmetic else set()
            assert feeds == lists | rates

    def test_of_a_converted_price_are_the_list_and_the_rate_of_its_day(
        self, evidence: Evidence
    ) -> None:
        lines = ('measure = "price"', 'model = "alibaba/qwen3-coder-flash"', 'field = "input"')
        one = checked(evidence, *lines, 'basis = "list"', 'region = "cn"', 'value = "$0.15"')
        assert one.basis is not None
        # CNY 1 at 7.8624 ÷ 1.1699 CNY for a dollar.
        assert one.basis.conditions == ("converted from CNY at the rate of 2026-08-21",)
        assert round(one.basis.low, 6) == Decimal("0.148797")
        found = {source.feed: source.as_of for source in one.sources}
        assert found == {
            "alibaba-list": datetime(2026, 5, 27, 6, 44, tzinfo=UTC),
            "ecb-fx": datetime(2026, 8, 21, tzinfo=UTC),
        }
        # That list is read plainly besides: $0.144 of models.dev.
        assert one.plain is not None and one.plain.low == Decimal("0.144")
        assert {origin.feed for origin in one.brief_origins} == {*found, "models-dev"}

    def test_of_a_proxy_are_told(self, evidence: Evidence) -> None:
        lines = ('measure = "ratio"', 'vendor = "alibaba"', 'to = "openai"', 'window = "2026-W15"')
        one = checked(evidence, *lines, 'metric = "calls"', 'proxies = ["tokens"]', 'value = ">1x"')
        assert (one.verdict, one.trials) == ("no public data", [])
        assert [origin.feed for origin in one.origins] == ["openrouter-rankings-page"]


class TestRatesOfARatio:
    """Qwen3.5 Plus in mainland China is known since 2026-05-27; the model since February."""

    LINES = (
        'measure = "price_ratio"',
        'model = "google/gemini-3-pro-preview"',
        'to = "alibaba/qwen3.5-plus"',
        'field = "input"',
        'basis = "list"',
        'region = "cn"',
    )

    def conditions(self, one: Checked) -> Sequence[str]:
        return [text for each in one.trials for text in each.conditions if "rate" in text]

    def test_of_days_before_a_price_is_known_say_so(self, evidence: Evidence) -> None:
        one = checked(evidence, *self.LINES, 'value = "18x"')
        said = self.conditions(one)
        assert said
        for text in said:
            day = date.fromisoformat(text.rpartition(" of ")[2])
            early = "before both are known (2026-05-27), if they were the same then" in text
            assert early == (day < date(2026, 5, 27))
            assert early or "while both prices stood" in text

    def test_the_rate_that_it_takes_is_told_with_the_days(self, evidence: Evidence) -> None:
        """At $2 and ¥0.8 eighteen times (17.5 to 18.5) take 7.00 to 7.40 yuan for a dollar."""
        one = checked(evidence, *self.LINES, 'value = "18x"')
        assert (
            "18x of the input price takes 7.00 to 7.40 CNY for one USD: the ECB's rate was "
            "never so while both prices stood (2026-05-27 to 2026-08-22); last so on 2025-12-31"
        ) in one.notes
