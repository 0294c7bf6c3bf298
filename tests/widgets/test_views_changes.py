"""What changed, as tables and as plain values."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from qwenwatch_cache.market.between import Asked, Changes, Compared, price_counts
from qwenwatch_cache.market.changes import CHANGES, Kind, Period, in_order
from qwenwatch_cache.market.definitions import definition_of
from qwenwatch_cache.market.origins import Origin
from qwenwatch_cache.market.windows import Window
from qwenwatch_widgets.views.amounts import short_count
from qwenwatch_widgets.views.answer import Answer
from qwenwatch_widgets.views.change_lines import Order, per_cent, price_lines
from qwenwatch_widgets.views.change_log import log_table
from qwenwatch_widgets.views.changes import changes_answer
from qwenwatch_widgets.views.table import TableView

DAY = timedelta(days=1)
AT = datetime(2026, 8, 19, 12, 12, tzinfo=UTC)
NOW = datetime(2026, 8, 23, tzinfo=UTC)
PERIOD = Period(date(2026, 8, 15), date(2026, 8, 22))
ROUTE = "openrouter-models"
COMPARED = Compared(
    "vendor",
    definition_of("tokens/openrouter-rankings"),
    Window(date(2026, 8, 3), "week"),
    Window(date(2026, 8, 10), "week"),
    "top 50 a day + other",
    "",
)


def row(**values: Any) -> dict[str, Any]:
    plain = {
        **dict.fromkeys(CHANGES),
        "at": AT,
        "by": "model",
        "id": "alibaba/qwen3-max",
        "variant": "",
        "name": "Qwen3 Max",
        "vendor": "alibaba",
        "feed": ROUTE,
        "basis": "route",
        "provider": "openrouter",
        "region": "",
        "source_id": "qwen/qwen3-max",
        "mark": "confirmed",
    }
    return plain | values


def price(field: str, before: str | None, after: str | None, **values: Any) -> dict[str, Any]:
    ends = [None if one is None else Decimal(one) for one in (before, after)]
    change = None
    if ends[0] and ends[1] is not None:
        change = float((ends[1] / ends[0] - 1) * 100)
    stated = {"kind": "price", "field": field, "unit": "USD", "tier_from": 0, "window_utc": ""}
    return row(before=ends[0], after=ends[1], percent=change, **{**stated, **values})


def changes(
    *rows: dict[str, Any], compared: Compared = COMPARED, known_at: datetime = NOW, **asked: Any
) -> Changes:
    frame = in_order(pl.DataFrame(list(rows), schema=CHANGES))
    origin = Origin(ROUTE, "OpenRouter", AT, AT, "", "Prices: OpenRouter", "live")
    return Changes(
        Asked(PERIOD, **asked), known_at, frame, price_counts(frame), (compared,), (origin,)
    )


def answer(*rows: dict[str, Any], top: int = 0, order: Order = "time", **asked: Any) -> Answer:
    known_at = AT + 3 * DAY
    return changes_answer(changes(*rows, **asked), known_at, title="t", top=top, order=order)


def table(title: str, *rows: dict[str, Any], **asked: Any) -> TableView:
    (found,) = [one for one in answer(*rows, **asked).page.tables if one.title.startswith(title)]
    return found


def texts(view: TableView) -> list[list[str]]:
    return [[cell.text for cell in one.cells] for one in view.rows]


CUT = (
    price("input", "0.40", "0.26"),
    price("output", "1.20", "0.78"),
    price("cache_read", "0.04", "0.026"),
)


class TestPriceLines:
    def test_what_one_model_changes_at_once_is_one_line(self) -> None:
        (found,) = texts(table("Prices · confirmed", *CUT))
        assert found == [
            "2026-08-19 12:12Z", "Qwen3 Max", "route OpenRouter",
            "0.40 → 0.26", "1.20 → 0.78", "0.04 → 0.026", "▼ -35.0 %", "",
        ]  # fmt: skip

    def test_feeds_and_moments_are_lines_of_their_own(self) -> None:
        other = price("input", "1", "2", feed="litellm", basis="list", region="intl")
        later = price("input", "0.26", "0.30", at=AT + DAY)
        found = texts(table("Prices · confirmed", *CUT, other, later))
        assert [(line[0][:10], line[2]) for line in found] == [
            ("2026-08-20", "route OpenRouter"),
            ("2026-08-19", "list litellm intl"),
            ("2026-08-19", "route OpenRouter"),
        ]

    def test_what_differs_between_fields_and_what_else_changed(self) -> None:
        rows = (
            price("input", "1", "1.1"),
            price("output", "4", "3"),
            price("input", "2", "2.2", tier_from=128_000),
            price("cache_write", "1", "2"),
            price("web_search", "1", "2"),
        )
        (found,) = texts(table("Prices · confirmed", *rows))
        assert found[3:] == [
            "1.00 → 1.10", "4.00 → 3.00", "", "▲▼ -25.0 % … +10.0 %",
            ">128k, cache write +1",
        ]  # fmt: skip

    def test_a_change_that_is_not_of_input_says_of_which_price_it_is(self) -> None:
        """The columns of the other prices go where there is little room."""
        shown = answer(
            price("output", "0.90", "0.95", id="a/b", name="B"),
            price("cache_read", "0.50", "0.30", id="a/c", name="C"),
            price("audio_input", "1.00", "1.50", id="a/d", name="D"),
            price("image", "1.00", "1.50", id="a/d", name="D"),
            price("input", "0.40", "0.50", id="a/e", name="E"),
            price("output", "1.00", "1.30", id="a/e", name="E"),
        )
        table = shown.page.tables[0]
        at = [column.key for column in table.columns].index("change")
        assert {row.cells[1].text: row.cells[at].text for row in table.rows} == {
            "B": "▲ +5.6 % output",
            "C": "▼ -40.0 % cached",
            "D": "▲ +50.0 % audio input +1",
            "E": "▲ +25.0 % … +30.0 %",
        }

    def test_unknown_and_other_currencies(self) -> None:
        rows = (price("input", None, "2.5", unit="CNY"), price("output", "10", None, unit="CNY"))
        (found,) = texts(table("Prices · confirmed", *rows))
        assert found[3:7] == ["– → ¥2.50", "¥10.00 → –", "", "–"]

    def test_what_is_not_confirmed_stands_apart_with_its_mark(self) -> None:
        flicker = [{**one, "mark": "flicker", "at": AT + DAY} for one in CUT]
        glitch = price("input", "1", "0", mark="glitch")
        stated = price("image", None, "1", mark="known", at=AT - DAY)
        rows = (*CUT, *flicker, glitch, stated)
        assert len(table("Prices · confirmed", *rows).rows) == 1
        doubted = table("Prices · not alarmed", *rows)
        assert [line[1] for line in texts(doubted)] == ["flicker", "glitch"]
        assert doubted.caption == (
            "per 1M tokens · 1 flicker (went back at once), 1 glitch (to 0 and back), "
            "left out: 1 that began or ceased to be stated · "
            "Also: other prices, tiers and times of day that changed with it"
        )
        alone = answer(*rows, believed=True).page.tables
        assert not any("not alarmed" in one.title for one in alone)

    def test_orders(self) -> None:
        rows = (
            price("input", "1", "0.9", id="a"),
            price("output", "1", "0.2", id="b"),
            price("input", "1", "3", id="c"),
            price("image", "1", "0.1", id="d"),  # no price per token
            price("input", None, "3", id="e"),
        )
        frame = changes(*rows).rows
        named = {
            order: [line.first["id"] for line in price_lines(frame, order)]
            for order in ("time", "drop", "rise")
        }
        assert named == {"time": list("abcde"), "drop": ["b", "a"], "rise": ["c"]}
        plain = answer(*rows, order="drop").document["changes"]
        assert [one["id"] for one in plain] == ["b", "a"]

    def test_more_than_tenfold_is_a_factor(self) -> None:
        assert [per_cent(value) for value in (-35.0, 12.34, 899.0, 2718.6)] == [
            "-35.0 %", "+12.3 %", "+899.0 %", "×28.2",
        ]  # fmt: skip

    def test_lengths_of_prompts_are_said_as_people_do(self) -> None:
        assert [short_count(each) for each in (128_000, 131_072, 256_000, 272_000)] == [
            "128k", "128k", "256k", "272k",
        ]  # fmt: skip


class TestOthers:
    def test_variants_of_one_model_are_one_line(self) -> None:
        rows = [
            row(kind="added", field="listed", variant=variant, name=f"Qwen3 Max{name}")
            for variant, name in (("", ""), ("free", " (free)"), ("batch", " (batch)"))
        ]
        found = table("Models added", *rows)
        assert found.title == "Models added · 1"
        assert texts(found)[0][1:4] == [
            "confirmed",
            "Qwen3 Max, also batch, free",
            "Alibaba · Qwen",
        ]
        assert texts(table("Models added", *rows[1:]))[0][2] == "Qwen3 Max (batch, free)"

    def test_what_is_certain_comes_first(self) -> None:
        rows = [
            row(kind="removed", field="listed", mark=mark, at=AT + number * DAY, until=until)
            for number, (mark, until) in enumerate(
                [("confirmed", None), ("absent", None), ("returned", AT + 3 * DAY)]
            )
        ]
        marks = [line[1] for line in texts(table("Models removed", *rows))]
        assert marks == ["confirmed", "returned 08-22", "absent"]

    def test_expiring(self) -> None:
        ends = row(kind="expiring", field="expires", at=datetime(2026, 8, 31, tzinfo=UTC),
                   basis=None, mark="announced")  # fmt: skip
        found = table("Models expiring", ends)
        assert texts(found) == [["2026-08-31", "Qwen3 Max", "Alibaba · Qwen", "OpenRouter"]]

    def moves(self) -> list[dict[str, Any]]:
        made = []
        for id_, ranks, shares in (
            ("xiaomi", (5, 7), ("0.0855", "0.0567")),
            ("meta", (18, None), ("0.004", None)),
            ("openai", None, ("0.111", "0.117")),
        ):
            for kind, ends in (("rank", ranks), ("share", shares)):
                if ends is not None:
                    before, after = (None if end is None else Decimal(end) for end in ends)
                    made.append(
                        row(
                            kind=kind,
                            by="vendor",
                            id=id_,
                            name=id_,
                            field="tokens",
                            before=before,
                            after=after,
                            basis=None,
                            source_id=None,
                        )
                    )
        return made

    def test_movers(self) -> None:
        found = table("Movers", *self.moves())
        assert texts(found) == [
            ["xiaomi", "5 → 7", "▼2", "8.6 % → 5.7 %", "-2.9"],
            ["openai", "", "", "11.1 % → 11.7 %", "+0.6"],
            ["meta", "18 → –", "", "0.4 % → –", "–"],
        ]
        assert "week 3–9 Aug 2026 → week 10–16 Aug 2026" in found.caption

    def test_movers_that_cannot_be_compared_say_why(self) -> None:
        other = Compared("vendor", None, None, None, "", "no complete week of usage is known")
        kinds: tuple[Kind, ...] = ("rank",)
        found = table("Movers", compared=other, kinds=kinds)
        assert (found.caption, found.rows) == ("no complete week of usage is known", ())
        assert found.empty == "nothing can be compared"

    def test_the_log_holds_what_is_confirmed(self) -> None:
        rows = [*CUT, *self.moves(), row(kind="added", field="listed", mark="unconfirmed"),
                price("input", "1", "2", id="x", mark="flicker")]  # fmt: skip
        found = texts(log_table(changes(*rows)))
        assert [(line[1], line[2], line[3]) for line in found] == [
            ("price", "Qwen3 Max", "in 0.40 → 0.26, out 1.20 → 0.78, cached 0.04 → 0.026"),
            ("rank", "meta", "tokens rank 18 → –"),
            ("rank", "xiaomi", "tokens rank 5 → 7"),
        ]


class TestDocument:
    def test_rows_are_plain(self) -> None:
        plain = answer(*CUT, price("input", None, "2", id="new\x1b[2J")).document
        assert plain["schema_version"] == 1
        assert (plain["since"], plain["until"]) == ("2026-08-15", "2026-08-22")
        by_field = {one["field"]: one for one in plain["changes"] if one["id"] != "new[2J"}
        assert (by_field["input"]["before"], by_field["input"]["after"]) == (0.4, 0.26)
        assert by_field["input"]["at"] == "2026-08-19T12:12:00Z"
        (new,) = [one for one in plain["changes"] if one["id"] == "new[2J"]
        assert (new["before"], new["after"], new["percent"]) == (None, 2, None)

    def test_every_list_is_a_part(self) -> None:
        found = answer(*CUT)
        lists = {name for name, value in found.document.items() if isinstance(value, list)}
        assert lists - {"vendors", "models"} == set(found.parts)


@pytest.mark.parametrize("top", [0, 1])
def test_tables_say_how_many_they_leave_out(top: int) -> None:
    rows = (price("input", "1", "2", id="a"), price("input", "1", "2", id="b"))
    titles = [one.title for one in answer(*rows, top=top).page.tables]
    assert ("Prices · confirmed changes · 1 of 2" in titles) is bool(top)
    assert ("Prices · confirmed changes · 2" in titles) is not bool(top)


def test_long_periods_are_counted_by_month() -> None:
    made = changes(*CUT)
    assert not any("by month" in one.title for one in answer(*CUT).page.tables)
    year = Asked(Period(date(2025, 8, 22), date(2026, 8, 22)))
    long = Changes(year, NOW, made.rows, made.counts, (), made.origins)
    page = changes_answer(long, AT, title="t", top=0, order="time").page
    (counted,) = [one for one in page.tables if "by month" in one.title]
    assert texts(counted) == [["2026-08", ROUTE, "1", "0", "0", "0", "0", "0"]]
