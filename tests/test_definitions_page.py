"""docs/definitions.md says what the program answers: every example is worked out and compared.

Each test writes its example anew, word by word, from what the program's own functions make of the
bundled baseline, or of the small table that the page shows. Here is what is of usage and spend;
prices and all that is made of them are in test_definitions_page_prices.py.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.frames import SESSION
from qwenwatch_cache.market.board import Board
from qwenwatch_cache.market.definitions import definition_of
from qwenwatch_cache.market.directory import UNATTRIBUTED
from qwenwatch_cache.market.implied_spend import Spend, implied_spend
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.prices import Mix
from qwenwatch_cache.market.sessions import sessions
from qwenwatch_cache.market.side_by_side import side_by_side
from qwenwatch_cache.market.spend import leader
from qwenwatch_cache.market.windows import Window
from qwenwatch_cache.store import Store
from qwenwatch_widgets.views import amounts
from tests.cache.spend_cases import asked, price
from tests.cache.test_side_by_side import countries, hub, known_of, leaders
from tests.cache.test_unmapped import DIRECTORY
from tests.definitions_page import example, names, sections

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
QWENS_WEEK, LAST_WEEK = Window(date(2026, 3, 30), "week"), Window(date(2026, 8, 10), "week")
T = 10**12


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The bundled baseline."""
    return Known(Store(tmp_path_factory.mktemp("none") / "cache"), NOW)


def board(known: Known, key: str, by: Any, window: Window) -> tuple[Board, dict[str, Any]]:
    """A leaderboard, and its rows by id."""
    found = known.board(definition_of(key), by, window)
    return found, {row["id"]: row for row in found.rows.to_dicts()}


def pct(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}"


def money(amount: Decimal | None, digits: int = 2) -> str:
    """A price with at least so many digits behind the point."""
    assert amount is not None
    exact = amount.normalize()
    return f"{exact:.{max(digits, -int(exact.as_tuple().exponent))}f}"


def test_every_example_is_worked_out_here() -> None:
    files = sorted(Path(__file__).parent.glob("test_definitions_page*.py"))
    tests = "".join(path.read_text(encoding="utf-8") for path in files)
    asked_for = re.findall(r'example\("([^"]+)"\)', tests)
    assert sorted(asked_for) == sorted(names())
    assert len(names()) > 20


def test_every_part_of_the_page_has_an_example() -> None:
    parts = sections()
    # What a heading only introduces is worked out in the parts below it.
    introduced = {"Who is used most", "Prices"}
    without = {heading for heading, text in parts.items() if not names(text)}
    assert without == introduced


class TestShares:
    def test_change_of_a_share(self, known: Known) -> None:
        now, row = board(known, "tokens", "vendor", LAST_WEEK)
        before, old = board(known, "tokens", "vendor", LAST_WEEK.shifted(-1))
        here, then = row["deepseek"], old["deepseek"]
        change = here["share_change"]
        assert here["previous_share"] == then["share"]
        assert example("change of a share").text == (
            f"DeepSeek's tokens on OpenRouter in the week of {now.window.start}: "
            f"{here['value']:,} of {now.total:,}, or {pct(here['share'], 4)} %. The week before: "
            f"{then['value']:,} of {before.total:,}, or {pct(then['share'], 4)} %. The change is "
            f"{100 * change:+.4f} points, shown as {amounts.points(change)}. (By "
            f"{100 * change / then['share']:+.1f} % it grew, which is another figure and not "
            "shown.)"
        )

    def test_tokens(self, known: Known) -> None:
        week, vendors = board(known, "tokens", "vendor", QWENS_WEEK)
        qwen = vendors["alibaba"]
        assert qwen["rank"] == 1
        _, of = board(known, "tokens", "country", QWENS_WEEK)
        assert example("tokens").text == (
            f"In the week of {week.window.start} models of Qwen took {qwen['value']:,} of "
            f"{week.total:,} tokens: {pct(qwen['share'])} %, the most of all. Those of vendors "
            f"from CN took {pct(of['CN']['share'])} %, from the US {pct(of['US']['share'])} %; "
            f"{pct(of[UNATTRIBUTED]['share'])} % is unattributed."
        )

    def test_tokens_of_standard_variants(self, known: Known) -> None:
        _, every = board(known, "tokens", "vendor", QWENS_WEEK)
        _, models = board(known, "tokens", "model", QWENS_WEEK)
        week, vendors = board(known, "tokens_standard", "vendor", QWENS_WEEK)
        variants = [row for row in models.values() if ":" in row["id"]]
        *qwen, step = (row["value"] for row in variants)
        assert [row["vendor"] for row in variants] == ["alibaba", "alibaba", "stepfun"]
        assert "alibaba" not in vendors and vendors["xiaomi"]["rank"] == 1
        left = {id_: row["value"] for id_, row in every.items() if id_ != UNATTRIBUTED}
        for row in variants:
            left[row["vendor"]] -= row["value"]
        del left["xiaomi"]
        most = max(left, key=left.__getitem__)
        assert most == "google" and left[most] < vendors["xiaomi"]["value"]
        assert example("tokens of standard variants").text == (
            f"The same week without its named variants, qwen3.6-plus {qwen[0]:,} and {qwen[1]:,} "
            f"(two ids) and step-3.5-flash {step:,}, is {week.total:,} tokens. Xiaomi's "
            f"{vendors['xiaomi']['value']:,} of that are {pct(vendors['xiaomi']['share'])} % and "
            f"lead; no other model of Qwen's is named. {pct(vendors[UNATTRIBUTED]['share'])} % is "
            "unattributed, yet nobody can be ahead of Xiaomi: of all variants but the named ones, "
            f"no other vendor has more than Google's {left[most]:,}."
        )

    def test_mean_of_daily_shares(self, known: Known) -> None:
        key = "spend/vercel-leaderboard"
        days = [Window(LAST_WEEK.start + timedelta(days=n), "day") for n in range(7)]
        daily = [board(known, key, "vendor", day)[1]["anthropic"]["share"] for day in days]
        week = board(known, key, "vendor", LAST_WEEK)[1]["anthropic"]["share"]
        assert week == pytest.approx(sum(daily) / 7)
        *first, last = (pct(share, 4) for share in daily)
        assert example("mean of daily shares").text == (
            "Anthropic's share of the spend on Vercel's gateway, day by day from "
            f"{days[0].start}: {', '.join(first)} and {last} %. The week: {pct(sum(daily), 4)} ÷ 7 "
            f"= {pct(week, 4)} %, shown as {pct(week)} %."
        )

    def test_tokens_per_request(self, known: Known) -> None:
        side = side_by_side(known, "week", None)
        (row,) = side.rows.filter(key="tokens/openrouter-apps").to_dicts()
        app = side.apps.row(0, named=True)
        assert (app["name"], row["grain"]) == ("Hermes Agent", "rolling30")
        assert example("tokens per request").text == (
            f"{app['name']}, 30 days to {row['end']}: {app['tokens']:,} ÷ {app['requests']:,} = "
            f"{app['tokens_per_request']:,.0f}."
        )

    def test_medians_of_sessions(self) -> None:
        shown = example("medians of sessions")
        rows = [
            {
                **dict.fromkeys(SESSION),
                **{name: row[name] for name in ("app", "model", "turns")},
                "median_usd": Decimal(row["median USD"]),
            }
            for row in reversed(shown.rows)
        ]
        found = sessions(pl.DataFrame(rows, schema=SESSION), DIRECTORY).to_dicts()
        assert [
            (row["app"], row["source_id"], row["turns"], str(row["rank"])) for row in found
        ] == [(row["app"], row["model"], row["turns"], row["rank"]) for row in shown.rows]
        assert shown.text == (
            "Three that are stated; the dearest leads, and no figure of app a or model x is made "
            "of two of them."
        )

    def test_sums_of_hugging_face(self, tmp_path: Path) -> None:
        shown = example("sums of Hugging Face")
        stated_ = {
            row["organisation"]: int(row["downloads"].replace(",", "")) for row in shown.rows
        }
        day = date(2026, 8, 16)
        rows = [hub("downloads", org, value, day) for org, value in stated_.items()]
        side = side_by_side(known_of(tmp_path, rows), "week", day)
        found = {
            id_: (value, share) for id_, value, share in leaders(side, "downloads/huggingface")
        }
        for row in shown.rows:
            vendor = DIRECTORY.vendor(DIRECTORY.lab("huggingface", row["organisation"]))
            assert vendor is not None
            assert row["vendor"] == vendor.label
            assert row["share"] == f"{pct(found[vendor.id][1])} %"
        assert shown.text == (
            f"Zhipu has two organisations, {stated_['zai-org']:,} + {stated_['THUDM']:,} of "
            f"{sum(stated_.values()):,} downloads. CN has "
            f"{pct(countries(side, 'downloads/huggingface')['CN'])} %."
        )
        assert found["zhipuai"][0] == stated_["zai-org"] + stated_["THUDM"]


def shares_of(spend: Spend) -> dict[str, list[str]]:
    """Low, high and expected share of each row, in per cent."""
    ends = ("share_low", "share_high", "share_expected")
    return {
        row["id"]: ["–" if row[end] is None else pct(row[end]) for end in ends]
        for row in spend.rows.to_dicts()
    }


class TestSpend:
    def test_a_day(self, tmp_path: Path) -> None:
        shown = example("implied spend")
        tokens, prices = {}, []
        for row in shown.rows:
            model = row["vendor, model"]
            tokens[model] = int(row["tokens"].removesuffix("T")) * T
            if row["input"] not in {"free", "–"}:
                cached = None if row["cached"] == "–" else row["cached"]
                prices.append(price(model, row["input"], row["output"], cached))
        by_model = asked(tmp_path / "model", prices, tokens)
        found = {row["id"].replace("@openrouter", ""): row for row in by_model.rows.to_dicts()}
        for row in shown.rows:
            for end in ("low", "expected", "high"):
                amount = found[row["vendor, model"]][end]
                assert row[end] == ("–" if amount is None else f"${amount:,.0f}"), row
        spend = asked(tmp_path / "vendor", prices, tokens, by="vendor")
        rows = {row["id"]: row for row in spend.rows.to_dicts()}
        x, y = rows["anthropic"], rows["zhipuai"]
        low, high, expected = (
            {id_: row[end] and row[end] / 10**6 for id_, row in rows.items()}
            for end in ("low", "high", "expected")
        )
        shares = shares_of(spend)
        ends = ("tokens", "low", "expected", "high")
        assert [leader(spend.rows, end) for end in ends] == ["zhipuai"] * 2 + ["anthropic"] * 2
        assert shares["mistral"] == ["–"] * 3
        one = x["expected"] * 10**6 / x["tokens"]
        assert shown.text == (
            "One day, prices per 1M tokens: "
            f"Expected of x: 0.80 × 1 + 0.05 × 5 + 0.15 × 0.10 = ${money(one)} per 1M. "
            f"{spend.whole['priced_tokens'] // T} of {spend.whole['tokens'] // T}T have a price: "
            f"`priced_share` {pct(spend.whole['priced_share'])} %. Anthropic's share: low "
            f"{money(low['anthropic'], 1)} ÷ ({money(low['anthropic'], 1)} + "
            f"{money(high['zhipuai'], 1)}) = {shares['anthropic'][0]} %, high "
            f"{money(high['anthropic'], 0)} ÷ ({money(high['anthropic'], 0)} + "
            f"{money(low['zhipuai'], 1)}) = {shares['anthropic'][1]} %, expected "
            f"{money(expected['anthropic'])} ÷ "
            f"{money(expected['anthropic'] + expected['zhipuai'])} = {shares['anthropic'][2]} %. "
            f"Zhipu's: {', '.join(f'{one} %' for one in shares['zhipuai'])}. Mistral's: unknown. "
            f"By tokens Zhipu leads with {pct(y['token_share'])} %, and so it does if all tokens "
            "are of the cheapest kind; under the mix, and if all are of the dearest, Anthropic "
            "leads."
        )

    def test_the_week_in_which_qwen_led(self, known: Known) -> None:
        spend = implied_spend(known, "vendor", QWENS_WEEK, "route", Mix())
        rows = {row["id"]: row for row in spend.rows.to_dicts()}
        qwen = rows["alibaba"]
        rest = [row for row in spend.unpriced.to_dicts() if row["vendor"] == "alibaba"]
        assert [row["tokens"] for row in rest] == [qwen["tokens"] - qwen["free_tokens"]]
        assert (qwen["low"], qwen["high"]) == (0, 0)
        low, high, expected = shares_of(spend)["anthropic"]
        assert example("implied spend of the week in which Qwen led").text == (
            f"Week of {QWENS_WEEK.start}: Qwen has {pct(qwen['token_share'])} % of "
            f"{spend.whole['tokens'] / T:.2f}T tokens, {qwen['free_tokens'] / T:.2f}T of its "
            f"{qwen['tokens'] / T:.2f}T free. The free part cost nothing; what the other "
            f"{rest[0]['tokens'] / T:.2f}T cost cannot be told, for the source does not name those "
            f"models. Of the {pct(spend.whole['priced_share'])} % of that week's tokens that have "
            f"a price ({pct(rows['google']['priced_share'])} % of Google's), Anthropic has "
            f"{expected} % of the implied spend ({low}–{high} %)."
        )

    def test_comparison_with_measured_spend(self, known: Known) -> None:
        spend = implied_spend(known, "vendor", LAST_WEEK, "route", Mix())
        rows = {row["id"]: row for row in spend.rows.to_dicts()}
        one, two = rows["anthropic"], rows["openai"]
        low, high, expected = shares_of(spend)["anthropic"]
        assert (one["outside"], two["off"]) == (0, 0)
        assert example("comparison with measured spend").text == (
            f"Week of {LAST_WEEK.start}: Anthropic has {expected} % ({low}–{high} %) of the "
            f"implied spend; on Vercel's gateway {pct(one['measured_share'])} % were measured, "
            f"with what is not attributed there at most {pct(one['measured_high'])} %. `outside` "
            f"is 0, `off` is {expected} − {pct(one['measured_share'])} = −{pct(-one['off'])} "
            f"points. OpenAI's {pct(two['share_expected'])} % lie between Vercel's "
            f"{pct(two['measured_share'])} and {pct(two['measured_high'])} %: `off` is 0."
        )
