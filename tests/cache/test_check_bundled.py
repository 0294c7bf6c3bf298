"""The bundled claims on the bundled figures: verdicts as FEEDS.md has them, computed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from qwenwatch_cache.claims.reading import bundled_claims
from qwenwatch_cache.market.check import Checked
from qwenwatch_cache.market.check_all import Sentence, check_all
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.trials import TRIALS, Trial, trials_frame
from qwenwatch_cache.store import Store

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
T = Decimal(10**12)

VERDICTS = {
    "week-cn-tokens": "reproduced only if",
    "week-us-tokens": "reproduced only if",
    "week-cn-share": "not reproduced",
    "week-top-ten": "no public data",
    "week-top-five": "reproduced",
    "february-top-ten": "no public data",
    "february-cn-tokens": "no public data",
    "qwen-max-input": "not reproduced",
    "qwen-max-output": "not reproduced",
    "gpt-4-input": "reproduced",
    "gpt-4-output": "reproduced",
    "gpt-4-cut": "contradicted",
    "gpt-4-over-qwen-max": "reproduced only if",
    "openai-over-qwen": "reproduced only if",
    "m2.5-input": "reproduced only if",
    "m2.5-output": "reproduced only if",
    "glm-5-input": "reproduced only if",
    "glm-5-output": "reproduced only if",
    "opus-4.6-input": "reproduced",
    "opus-4.6-output": "reproduced",
    "opus-over-m2.5-input": "reproduced only if",
    "opus-over-glm-5-input": "reproduced only if",
    "opus-over-m2.5-output": "reproduced only if",
    "opus-over-glm-5-output": "reproduced only if",
    "qwen3.5-yuan": "reproduced",
    "gemini-over-qwen3.5": "not reproduced",
    "qwen-calls-over-openai": "no public data",
    "qwen-tops": "reproduced only if",
    "qwen-overseas-under-15": "no public data",
    "qwen-overseas-40": "no public data",
    "qwen-customers": "no public data",
    "qwen-calls-growth": "no public data",
    "qwen-open-models": "no public data",
    "cn-tokens-growth": "no public data",
    "hugging-face-cn": "no public data",
    "hugging-face-us": "no public data",
}

Answers = tuple[Mapping[str, Checked], Mapping[str, Sentence]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """All bundled claims, checked in an empty cache."""
    known = Known(Store(tmp_path_factory.mktemp("check") / "cache"), NOW)
    checked, sentences = check_all(known, bundled_claims())
    return {one.claim.id: one for one in checked}, {one.name: one for one in sentences}


@pytest.fixture(scope="module")
def checked(answers: Answers) -> Mapping[str, Checked]:
    return answers[0]


@pytest.fixture(scope="module")
def sentences(answers: Answers) -> Mapping[str, Sentence]:
    return answers[1]


def under(one: Checked, *conditions: str) -> Trial:
    """The only trial under exactly these conditions, each given by how it begins."""
    (trial,) = [
        trial
        for trial in one.trials
        if len(trial.conditions) == len(conditions)
        and all(
            stated.startswith(wanted)
            for stated, wanted in zip(trial.conditions, conditions, strict=True)
        )
    ]
    return trial


def test_the_verdicts(checked: Mapping[str, Checked]) -> None:
    assert {id_: one.verdict for id_, one in checked.items()} == VERDICTS


def test_every_answer_says_how_many_scopes_were_tried(checked: Mapping[str, Checked]) -> None:
    for one in checked.values():
        assert one.space
        assert 0 <= one.matched + one.possible <= len(one.trials)
        frame = trials_frame(one.claim.id, one.trials[:50], one.figure)
        assert frame.schema == TRIALS
        if one.verdict.startswith("reproduced"):
            assert one.matched >= 1
        if one.verdict in {"not reproduced", "contradicted"}:
            assert one.matched == 0
            assert one.trials


class TestTheWeek:
    """2026-02-16 to 2026-02-22. Numbers of FEEDS.md and feeds/usage.md, in T tokens."""

    CN = Decimal("2.570426") + Decimal("1.036388") + Decimal("0.803178") + Decimal("0.744867")
    US = Decimal("0.858773") + Decimal("0.668806") + Decimal("0.642879") + Decimal("0.534086")
    ARCEE = Decimal("0.449291")

    def test_chinese_tokens_are_those_of_the_nine_named(
        self, checked: Mapping[str, Checked]
    ) -> None:
        one = checked["week-cn-tokens"]
        # 5.15486T would be printed 5.15T, unless the source has restated those days since.
        restated = "the source restated it since by 0.003 %"
        assert one.reason == f"only the 9 models that are named; {restated}"
        named = under(one, "only the 9 models that are named")
        assert named.low == named.high == pytest.approx(self.CN * T, rel=Decimal("1e-6"))

    def test_us_tokens_leave_arcee_out(self, checked: Mapping[str, Checked]) -> None:
        one = checked["week-us-tokens"]
        without = under(one, "only the 9 models that are named", "without Trinity Large Preview")
        assert without.low == pytest.approx(self.US * T, rel=Decimal("1e-6"))
        whole = under(one, "only the 9 models that are named")
        assert whole.low == pytest.approx((self.US + self.ARCEE) * T, rel=Decimal("1e-6"))
        assert one.matched == 2  # Arcee's was the only free variant among the nine
        assert under(one, "standard variants only", "only the 8 models").low == without.low

    def test_the_share_under_its_scopes(self, checked: Mapping[str, Checked]) -> None:
        one = checked["week-cn-share"]
        assert one.matched == 0
        plain = one.plain
        assert plain is not None and plain.high is not None
        assert (round(plain.low, 3), round(plain.high, 3)) == (Decimal("0.413"), Decimal("0.504"))
        nine = under(one, "only the 9 models that are named")
        everything = self.CN + self.US + self.ARCEE
        assert nine.low == pytest.approx(self.CN / everything, rel=Decimal("1e-6"))
        assert round(nine.low, 3) == Decimal("0.620")
        assert one.closest == nine
        less = under(one, "only the 9 models that are named", "without Trinity Large Preview")
        assert round(less.low, 3) == Decimal("0.656")
        named = under(one, "only the 9 models that are named", "as a share of the whole platform")
        assert round(named.low, 3) == Decimal("0.370")

    def test_the_top_ten_has_only_bounds(self, checked: Mapping[str, Checked]) -> None:
        plain = checked["week-top-ten"].plain
        assert plain is not None and plain.high is not None
        nine = self.CN + self.US + self.ARCEE
        assert plain.low == pytest.approx(nine * T, rel=Decimal("1e-6"))
        # The tenth has no more than the ninth, which is Arcee's.
        assert plain.high == pytest.approx((nine + self.ARCEE) * T, rel=Decimal("1e-6"))
        (missing,) = checked["week-top-ten"].missing
        assert (missing.feed, missing.fetchable, missing.needs_key) == (
            "openrouter-rankings",
            True,
            True,
        )

    def test_both_totals_hold_under_one_scope(self, sentences: Mapping[str, Sentence]) -> None:
        first, second = sentences["week-2026-w08"].notes
        assert first.startswith("2 of 4 hold under one scope (week-cn-tokens, week-us-tokens)")
        assert "without Trinity Large Preview (free) (arcee-ai, US)" in first
        assert "week-cn-share is 65.6 % or 37.0 %, not 61 %" in first
        assert "standard only" in second

    def test_four_of_the_top_five(self, checked: Mapping[str, Checked]) -> None:
        plain = checked["week-top-five"].plain
        assert plain is not None
        assert plain.arithmetic == "4 of 5: MiniMax M2.5, Kimi K2.5, GLM 5, DeepSeek V3.2"


def test_february_has_bounds_that_both_figures_lie_within(checked: Mapping[str, Checked]) -> None:
    """25.87T are named of the ten in the four whole weeks nearest to the month (FEEDS.md)."""
    one = checked["february-top-ten"]
    weeks = under(one, "in the nearest whole weeks (2026-02-02..2026-03-01)")
    assert weeks.high is not None
    assert round(weeks.low / T, 2) == Decimal("25.87")
    assert weeks.low <= Decimal("28.7") * T <= weeks.high
    plain = one.plain
    assert plain is not None and plain.high is not None
    assert plain.low < weeks.low and weeks.high < plain.high
    chinese = checked["february-cn-tokens"].plain
    assert chinese is not None and chinese.fit(checked["february-cn-tokens"].figure) == "possible"


class TestPrices:
    """Worked out in feeds/prices.md, section 12."""

    def test_qwen_max_at_that_price_is_qwq_plus(self, sentences: Mapping[str, Sentence]) -> None:
        (note,) = sentences["qwen-max-price"].notes
        assert note.startswith("these are prices of alibaba/qwq-plus (")
        assert ";" not in note  # of no other model

    def test_no_cut_of_gpt_4_and_whose_it_was(self, checked: Mapping[str, Checked]) -> None:
        one = checked["gpt-4-cut"]
        assert {trial.low for trial in one.trials} == {Decimal(0)}
        assert any("models of alibaba by -35.0 % on 2026-03-04" in note for note in one.notes)

    def test_gpt_4_against_qwen_max(self, checked: Mapping[str, Checked]) -> None:
        found = {
            (trial.scope.partition(",")[0], trial.low)
            for trial in checked["gpt-4-over-qwen-max"].trials
            if "route" in trial.scope
        }
        expected = [(30, "1.6"), (60, "6.4"), (30, "1.04"), (60, "4.16")]
        assert {value for _, value in found} == {Decimal(a) / Decimal(b) for a, b in expected}
        assert checked["gpt-4-over-qwen-max"].reason == "the input price"

    def test_the_research_report_holds_on_four_days(
        self, sentences: Mapping[str, Sentence]
    ) -> None:
        assert sentences["research-report"].notes == [
            "all 10 figures hold together as route prices on these days: 2026-02-18 to 2026-02-21"
        ]

    def test_its_list_prices(self, checked: Mapping[str, Checked]) -> None:
        ratios = {
            id_: {round(trial.low, 1) for trial in checked[id_].trials if "list" in trial.scope}
            for id_ in ("opus-over-glm-5-input", "opus-over-glm-5-output", "opus-over-m2.5-output")
        }
        assert [sorted(each) for each in ratios.values()] == [
            [Decimal("5.0")],
            [Decimal("7.8")],
            [Decimal("20.8")],
        ]

    def test_the_eighteenth_takes_a_rate_that_there_was_not(
        self, checked: Mapping[str, Checked]
    ) -> None:
        one = checked["gemini-over-qwen3.5"]
        assert one.closest is not None
        # 17.3 at the highest rate since the model is known; FEEDS.md has 17.3 for 2026-02-18.
        assert round(one.closest.low, 1) == Decimal("17.3")
        needed = (Decimal("17.5") * Decimal("0.8") / 2, Decimal("18.5") * Decimal("0.8") / 2)
        assert any(f"takes {needed[0]:.2f} to {needed[1]:.2f} CNY" in note for note in one.notes)
        assert any("last so on 2025-12-31" in note for note in one.notes)
        assert Decimal(5) in {trial.low for trial in one.trials}

    def test_eight_tenths_of_a_yuan_is_for_short_prompts(
        self, checked: Mapping[str, Checked]
    ) -> None:
        assert "prompts up to 128k tokens" in checked["qwen3.5-yuan"].reason
        assert "for mainland China" in checked["qwen3.5-yuan"].reason


class TestWhoIsCalledMost:
    def test_qwen_led_in_one_week_with_free_variants(self, checked: Mapping[str, Checked]) -> None:
        one = checked["qwen-tops"]
        (fits,) = [trial for trial in one.trials if trial.fit(one.figure) == "yes"]
        assert fits.first == date(2026, 3, 30)
        assert fits.arithmetic.startswith("6.901T, 25.6 % of everything")
        assert any("4.601T" in note and "1.640T" in note for note in one.notes)
        after = under(one, "in the week 2026-04-06")
        assert after.low == 4 and "12.2 %" in after.arithmetic

    def test_calls_are_counted_by_no_feed_and_tokens_say_otherwise(
        self, checked: Mapping[str, Checked]
    ) -> None:
        one = checked["qwen-calls-over-openai"]
        assert one.reason == "no public feed counts calls"
        assert any(note.startswith("instead by tokens: not reproduced") for note in one.notes)

    def test_claims_that_exclude_each_other_are_shown(self, checked: Mapping[str, Checked]) -> None:
        for id_, other in (("under-15", "40"), ("40", "under-15")):
            (note,) = checked[f"qwen-overseas-{id_}"].notes
            assert note.startswith(f"qwen-overseas-{other} says ")
            assert note.endswith("both cannot be true of one thing")
