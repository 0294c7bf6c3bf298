"""What one definition says, in a form in which all of them can stand side by side.

A share is one number where it is known, and an interval where only its bounds are (implied spend):
either `share` is stated, or `share_low` and `share_high`; none of them where nothing can be told.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from qwenwatch_cache.frames import conform
from qwenwatch_cache.market.apps import AMOUNT
from qwenwatch_cache.market.definitions import STANDING, By
from qwenwatch_cache.market.directory import Directory
from qwenwatch_cache.market.leaderboard import leaderboard
from qwenwatch_cache.market.standing import CARRIED, Newest
from qwenwatch_cache.market.totals import TOTALS
from qwenwatch_cache.market.windows import Window

if TYPE_CHECKING:
    from qwenwatch_cache.market.board import Board
    from qwenwatch_cache.market.origins import Origin

_GROUPINGS: Sequence[By] = ("vendor", "country")

_SHARES = {
    "share": pl.Float64(),  # 0..1 of everything that was counted
    "share_low": pl.Float64(),
    "share_high": pl.Float64(),
}

LEADERS = pl.Schema(
    {
        "rank": pl.Int64(),
        "id": pl.String(),  # of a vendor, of an app, or of a session: app/model/turns
        "name": pl.String(),
        "country": pl.String(),  # of a vendor, null where unknown
        "value": AMOUNT,  # in units of the definition, null where only shares are published
        **_SHARES,
    }
)

COUNTRIES = pl.Schema({"country": pl.String(), **_SHARES})  # ISO 3166 alpha-2, unattributed


class Measured(msgspec.Struct, frozen=True):
    """One definition and what it says of a time.

    Attributes:
        key: "name/feed".
        feed: Who says it.
        label: For people.
        unit: What `value` is counted in.
        kind: Who is ranked: "vendor", "app" or "session".
        start: First day of the figures, None if it is not known.
        end: Last day.
        grain: "day", "week", "month"; "rolling30": the 30 days that ended then; "total": as counted
            on that day.
        complete: Whether every day of it is there.
        scope: Over what.
        caveat: What the figures are not.
        leaders: LEADERS, most first; only what is known.
        countries: COUNTRIES, most first, what is not attributed last; empty where the source does
            not tell of vendors.
        origin: Where the figures came from.
        further_origins: Where else (implied spend: its prices).
    """

    key: str
    feed: str
    label: str
    unit: str
    kind: str
    start: date | None
    end: date
    grain: str
    complete: bool
    scope: str
    caveat: str
    leaders: pl.DataFrame
    countries: pl.DataFrame
    origin: "Origin"
    further_origins: Sequence["Origin"] = ()


def of_boards(vendors: "Board", countries: "Board") -> Measured:
    """What a definition of day, week or month says of a window.

    Args:
        vendors: Its leaderboard by vendor.
        countries: The same by country.
    """
    definition, window = vendors.definition, vendors.window
    return Measured(
        key=definition.key,
        feed=definition.feed,
        label=definition.label,
        unit=definition.metric,
        kind="vendor",
        start=window.start,
        end=window.end,
        grain=window.grain,
        complete=vendors.complete,
        scope=vendors.scope,
        caveat=definition.caveat,
        leaders=_leaders(vendors.rows),
        countries=_countries(countries.rows),
        origin=vendors.origin,
    )


def of_organisations(key: str, newest: Newest, directory: Directory, origin: "Origin") -> Measured:
    """What a count of organisations says, by vendor: one may have several organisations.

    Args:
        key: Of definitions.STANDING.
        newest: Usage rows by organisation.
        directory: Who is behind an organisation.
        origin: Where they came from.
    """
    total = newest.rows.get_column("value").sum()
    # To a leaderboard they are one day's totals: it asks who is behind a lab, and adds up.
    of_a_day = newest.rows.with_columns(
        start=pl.lit(newest.end),
        kind=pl.lit("lab"),
        share=pl.col("value") / total if total else pl.lit(None),
        complete=pl.lit(True),
    )
    day = Window(newest.end, "day")
    by_vendor, by_country = (
        leaderboard(
            conform(of_a_day, TOTALS), STANDING[key], by, day, directory, history=1
        ).with_columns(
            # Of nothing at all nobody has a share.
            share=pl.when(bool(total)).then("share")
        )
        for by in _GROUPINGS
    )
    asked = sum(len(vendor.aliases.get(newest.rows["feed"][0], ())) for vendor in directory.vendors)
    scope = f"{newest.rows['scope'][0]}, {newest.rows.height} of {asked} organisations"
    if newest.carried:
        scope += f" ({newest.carried} as stated up to {CARRIED.days} days earlier)"
    return _standing(key, newest, scope, _leaders(by_vendor), _countries(by_country), origin)


def of_apps(key: str, newest: Newest, rows: pl.DataFrame, origin: "Origin") -> Measured:
    """What a figure of apps says; they are of no country, and nobody states their total.

    Args:
        key: Of definitions.STANDING; its metric is the column looked at.
        newest: Where the figures came from.
        rows: apps.APPS.
        origin: Where they came from.
    """
    column = STANDING[key].metric
    known = rows.filter(pl.col(column).is_not_null()).sort(column, "id", descending=[True, False])
    leaders = _ranked(known.select("id", "name", value=pl.col(column).cast(AMOUNT)))
    scope = f"{newest.rows['scope'][0]}, {rows.height} of them"
    return _standing(key, newest, scope, leaders, COUNTRIES.to_frame(), origin)


def of_sessions(key: str, newest: Newest, rows: pl.DataFrame, origin: "Origin") -> Measured:
    """What the dearest sessions cost.

    Args:
        key: Of definitions.STANDING.
        newest: Where the figures came from.
        rows: sessions.SESSIONS.
        origin: Where they came from.
    """
    named = rows.select(
        id=pl.format("{}/{}/{}", "app", "model", "turns"),
        name=pl.format("{} · {} · {}", "app_name", "model_name", "turns"),
        value="median_usd",
    )
    return _standing(key, newest, "", _ranked(named), COUNTRIES.to_frame(), origin)


def _standing(
    key: str,
    newest: Newest,
    scope: str,
    leaders: pl.DataFrame,
    countries: pl.DataFrame,
    origin: "Origin",
) -> Measured:
    standing = STANDING[key]
    return Measured(
        key=key,
        feed=standing.feed,
        label=standing.label,
        unit=standing.unit,
        kind=standing.kind,
        start=newest.start,
        end=newest.end,
        grain=newest.grain,
        complete=True,
        scope="; ".join(part for part in (scope, standing.scope) if part),
        caveat=standing.caveat,
        leaders=leaders,
        countries=countries,
        origin=origin,
    )


def _leaders(board: pl.DataFrame) -> pl.DataFrame:
    """LEADERS of a leaderboard by vendor."""
    ranked = board.filter(pl.col("rank").is_not_null())
    return _with_all(ranked.select("rank", "id", "name", "country", "value", "share"), LEADERS)


def _ranked(rows: pl.DataFrame) -> pl.DataFrame:
    """LEADERS of rows in their order."""
    return _with_all(rows.with_row_index("rank", offset=1), LEADERS)


def _countries(board: pl.DataFrame) -> pl.DataFrame:
    """COUNTRIES of a leaderboard by country."""
    return _with_all(board.select("share", country="id"), COUNTRIES)


def _with_all(rows: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Rows with all columns of a schema; those that they have not are unknown."""
    missing = [pl.lit(None).alias(name) for name in schema if name not in rows.columns]
    return conform(rows.with_columns(missing), schema)
