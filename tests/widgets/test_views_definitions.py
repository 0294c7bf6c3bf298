"""Definitions as text and as plain values: unknown is a dash, names are clean."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenwatch_cache.market.apps import APPS
from qwenwatch_cache.market.origins import Origin
from qwenwatch_cache.market.sessions import SESSIONS
from qwenwatch_cache.market.side_by_side import (
    DEFINITION_COUNTRIES,
    DEFINITION_LEADERS,
    DEFINITION_ROWS,
    SideBySide,
)
from qwenwatch_cache.market.windows import Window
from qwenwatch_widgets.views.answer import Answer
from qwenwatch_widgets.views.deep_usage import apps_table, sessions_table
from qwenwatch_widgets.views.definition_tables import (
    amount,
    definitions_table,
    figures_of,
    other_countries_table,
    share_text,
)
from qwenwatch_widgets.views.definitions import definitions_answer
from qwenwatch_widgets.views.table import TableView

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
ROW = {
    "key": "tokens/f",
    "metric": "tokens",
    "feed": "f",
    "label": "tokens · F",
    "kind": "vendor",
    "unit": "tokens",
    "start": date(2026, 8, 10),
    "end": date(2026, 8, 16),
    "grain": "week",
    "complete": True,
    "leader": "alibaba",
    "leader_name": "Alibaba · Qwen",
    "leader_value": Decimal(2 * 10**12),
    "leader_share": 0.25,
    "scope": "all",
    "caveat": "it is not all",
    "as_of": NOW,
}

Rows = Sequence[Mapping[str, Any]]


def frame(rows: Rows, schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(schema) | dict(row) for row in rows], schema=schema)


def side_of(
    rows: Rows = (ROW,),
    countries: Rows = (),
    leaders: Rows = (),
    apps: Rows = (),
    sessions: Rows = (),
) -> SideBySide:
    return SideBySide(
        window=Window(date(2026, 8, 10), "week"),
        rows=frame(rows, DEFINITION_ROWS),
        countries=frame(countries, DEFINITION_COUNTRIES),
        leaders=frame(leaders, DEFINITION_LEADERS),
        apps=frame(apps, APPS),
        sessions=frame(sessions, SESSIONS),
        missing=("downloads · G",),
        origins=(Origin("f", "F", NOW, NOW, "free", "Source: F", "live"),),
    )


def texts(table: TableView) -> list[dict[str, str]]:
    """The cells of every row by column."""
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, (cell.text for cell in row.cells), strict=True)) for row in table.rows]


def share(country: str, *figures: float | None, key: str = "tokens/f") -> dict[str, Any]:
    names = ("share", "share_low", "share_high")
    return {"key": key, "country": country, **dict(zip(names, figures, strict=False))}


def test_one_row_per_definition() -> None:
    countries = [
        *(share("CN", 0.4), share("US", 0.3), share("FR", 0.15), share("KR", 0.05)),
        share("unattributed", 0.1),
    ]
    side = side_of(countries=countries)
    (row,) = texts(definitions_table(side))
    assert row == {
        "definition": "tokens · F",
        "window": "week to 2026-08-16",
        "leader": "Alibaba · Qwen",
        "value": "2.00T",
        "share": "25.0 %",
        "CN": "40.0 %",
        "US": "30.0 %",
        "others": "20.0 %",
        "unattributed": "10.0 %",
        "bar": "█████▓▓▓▒▒▒░",  # of 12 cells the parts end at 4.8, 8.4 and 10.8
    }
    assert texts(other_countries_table(side)) == [
        {"definition": "tokens · F", "FR": "15.0 %", "KR": "5.0 %"}
    ]
    cite = definitions_table(side).rows[0].cite
    assert cite == (
        "Alibaba · Qwen: 2.00T, 25.0 % of tokens · F (all), week to 2026-08-16. Source: F"
    )


def test_bounds_stand_where_only_bounds_are_known() -> None:
    row = {**ROW, "leader_share": None, "leader_share_low": 0.2, "leader_share_high": 0.413}
    side = side_of(
        [row],
        [share("CN", None, 0.1, 0.5), share("FR", None, 0.1, 0.7), share("KR", None, 0.1, 0.6)],
    )
    (cells,) = texts(definitions_table(side))
    assert (cells["share"], cells["CN"]) == ("20.0–41.3 %", "10.0–50.0 %")
    assert cells["others"] == "20.0–100.0 %"  # the sum of the bounds, and no more than all
    document = answer(side).document
    assert document["definitions"][0]["shares"] == {}
    assert [one["share_high"] for one in document["countries"]] == [0.5, 0.7, 0.6]


def answer(side: SideBySide, top: int = 0) -> Answer:
    return definitions_answer(side, NOW, top=top)


def test_what_is_not_known_is_a_dash() -> None:
    row = {**ROW, "leader": None, "leader_name": None, "leader_value": None, "leader_share": None}
    (cells,) = texts(definitions_table(side_of([row])))
    figures = ("leader", "value", "share", "CN", "US", "others", "unattributed")
    assert {cells[name] for name in figures} == {"–"}
    (plain,) = answer(side_of([row])).document["definitions"]
    assert (plain["leader"], plain["leader_value"], plain["leader_share"]) == (None, None, None)
    assert plain["shares"] == {}


@settings(deadline=None, database=None)
@given(figures=st.tuples(*[st.none() | st.floats(0, 1)] * 3))
def test_a_hole_in_a_share_is_never_0(figures: tuple[float | None, ...]) -> None:
    exact, low, high = figures
    text = share_text(share("CN", *figures))
    assert (text == "–") == (exact is None and (low is None or high is None))


def test_of_which_days_figures_are() -> None:
    end = date(2026, 8, 16)
    assert [figures_of(grain, end) for grain in ("day", "week", "month", "total")] == [
        "day 2026-08-16",
        "week to 2026-08-16",
        "month to 2026-08-16",
        "on 2026-08-16",
    ]
    assert figures_of("rolling30", end) == "30 d to 2026-08-16"
    assert figures_of("rolling", end) == "to 2026-08-16"  # how long is not stated


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (Decimal("12"), "USD", "12.00 USD"),
        (Decimal("0.000815"), "USD", "0.000815 USD"),
        (Decimal("1234567.8"), "USD", "1.23M USD"),
        (Decimal("96619.505940290671"), "tokens per request", "96.62k"),
        (Decimal(0), "likes", "0"),
        (None, "tokens", "–"),
    ],
)
def test_amounts(value: Decimal | None, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_the_document_has_all_of_it_in_rows() -> None:
    leader = {"key": "tokens/f", "rank": 1, "id": "alibaba", "name": "A", "share": 0.25}
    found = answer(side_of(countries=[share("CN", 0.4)], leaders=[leader]))
    document = found.document
    assert (document["schema_version"], document["known_at"]) == (1, "2026-08-22T12:00:00Z")
    assert document["missing"] == ["downloads · G"]
    (row,) = document["definitions"]
    assert row["window"] == {
        "grain": "week",
        "start": "2026-08-10",
        "end": "2026-08-16",
        "complete": True,
    }
    assert (row["metric"], row["feed"], row["scope"], row["leader"]) == (
        *("tokens", "f", "all"),
        "alibaba",
    )
    assert (row["leader_share"], row["shares"], row["leader_value"]) == (0.25, {"CN": 0.4}, 2e12)
    assert isinstance(row["leader_value"], int)
    assert all(document[part] is not None for part in found.parts)
    assert document["leaders"] == [
        {
            **dict.fromkeys(("country", "value", "share_low", "share_high")),
            **leader,
        }
    ]
    assert "tokens · F: all. It is not all." in found.page.sources
    assert "No figures of that time: downloads · G." in found.page.sources


APP = {"rank": 1, "id": "7", "name": "An\x1b[31mApp", "tokens": 3 * 10**12, "requests": 10**7}


def test_apps() -> None:
    apps = [
        {**APP, "tokens_per_request": Decimal(300_000)},
        {**APP, "rank": None, "id": "8", "tokens": None},
    ]
    side = side_of(apps=apps)
    first, second = texts(apps_table(side.apps, "c"))
    assert first == {
        "rank": "1",
        "app": "An[31mApp",
        "tokens": "3.00T",
        "requests": "10.00M",
        "tokens_per_request": "300,000",
    }
    assert (second["rank"], second["tokens"], second["tokens_per_request"]) == ("–", "–", "–")
    plain = answer(side).document["apps"]
    assert [row["tokens_per_request"] for row in plain] == [300_000, None]
    assert plain[0]["name"] == "An[31mApp"
    assert len(texts(apps_table(side.apps, "c", top=1))) == 1


def test_sessions_by_number_of_turns() -> None:
    def session(app: str, turns: str, median: str) -> dict[str, Any]:
        return {
            **dict.fromkeys(("app", "app_name"), app),
            **dict.fromkeys(("model", "source_id", "model_name"), "m"),
            "turns": turns,
            "median_usd": Decimal(median),
        }

    rows = [session("b", "50-plus-turns", "9.5"), session("a", "1-turn", "0.02")]
    rows += [session("b", "1-turn", "0"), session("b", "a new range", "0")]
    side = side_of(sessions=rows)
    table = sessions_table(side.sessions, "c")
    assert [column.title for column in table.columns] == [
        *("App", "Model"),
        *("1 turn", "50+", "a new range"),
    ]
    found = [[cell.text.strip() for cell in row.cells] for row in table.rows]
    assert found == [["b", "m", "0.00", "9.50", "0.00"], ["a", "m", "0.02", "–", "–"]]
    assert len(sessions_table(side.sessions, "c", top=1).rows) == 1
    plain = answer(side).document["sessions"]
    assert [row["median_usd"] for row in plain] == [9.5, 0.02, 0, 0]


def test_tables_without_rows_are_left_out() -> None:
    titles = [table.title for table in answer(side_of()).page.tables]
    assert titles == ["Definitions · who leads, by what"]
