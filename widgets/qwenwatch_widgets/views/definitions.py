"""Every definition of "used most" side by side: for people, and as plain values for programs."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.clock import iso
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Answer, Page, framed, known_lines
from qwenwatch_widgets.views.deep_usage import apps_table, caption, sessions_table
from qwenwatch_widgets.views.definition_tables import (
    definitions_table,
    leaders_table,
    other_countries_table,
    shares_by_key,
)
from qwenwatch_widgets.views.plain import plain_row, plain_window
from qwenwatch_widgets.views.sources import source_lines

if TYPE_CHECKING:
    from qwenwatch_cache.market.side_by_side import SideBySide


def definitions_answer(side: "SideBySide", known_at: datetime, *, top: int) -> Answer:
    """The answer to "who is used most, by what".

    Args:
        side: The definitions.
        known_at: Nothing learned later was used.
        top: Rows of the lists of apps and sessions, 0 for all.
    """
    window = side.window
    lines = [amounts.window(window.grain, window.start, window.end), *known_lines(known_at)]
    tables = [definitions_table(side), other_countries_table(side), leaders_table(side)]
    tables += [
        apps_table(side.apps, _caption(side, "openrouter-apps"), top),
        sessions_table(side.sessions, _caption(side, "openrouter-sessions"), top),
    ]
    notes = _notes(side)
    page = Page(
        title="qwenwatch definitions",
        lines=lines,
        tables=[table for table in tables if table.rows],
        sources=[*notes, *source_lines(side.origins, known_at)],
    )
    of_window = side.rows.filter(side.rows["grain"] == window.grain)

    def document() -> dict[str, Any]:
        return framed(
            known_at,
            side.origins,
            window=plain_window(window, complete=all(of_window["complete"])),
            baseline=any(origin.status != "live" for origin in side.origins),
            missing=list(side.missing),
        ) | {
            "definitions": definition_rows(side),
            "countries": [plain_row(row) for row in side.countries.to_dicts()],
            "leaders": [plain_row(row) for row in side.leaders.to_dicts()],
            "apps": [plain_row(row) for row in side.apps.to_dicts()],
            "sessions": [plain_row(row) for row in side.sessions.to_dicts()],
        }

    parts = ("sources", "definitions", "countries", "leaders", "apps", "sessions")
    return Answer(page, document, parts)


def definition_rows(side: "SideBySide") -> list[dict[str, Any]]:
    """The definitions as plain values, as the section `definitions` of a document holds them."""
    countries = shares_by_key(side)
    return [
        {
            "key": row["key"],
            "metric": row["metric"],
            "feed": row["feed"],
            "label": row["label"],
            "kind": row["kind"],
            "window": {
                "grain": row["grain"],
                "start": row["start"].isoformat() if row["start"] else None,
                "end": row["end"].isoformat(),
                "complete": row["complete"],
            },
            "scope": row["scope"],
            "caveat": row["caveat"],
            "as_of": iso(row["as_of"]) if row["as_of"] else None,
            "leader": amounts.clean(row["leader"]) if row["leader"] else None,
            "leader_name": amounts.clean(row["leader_name"]) if row["leader_name"] else None,
            "leader_value": amounts.number(row["leader_value"]),
            "unit": row["unit"],
            "leader_share": row["leader_share"],
            "leader_share_low": row["leader_share_low"],
            "leader_share_high": row["leader_share_high"],
            "shares": {
                country: one["share"]
                for country, one in countries.get(row["key"], {}).items()
                if one["share"] is not None
            },
        }
        for row in side.rows.to_dicts()
    ]


def _notes(side: "SideBySide") -> list[str]:
    """Over what each definition counts, and what it is not; then which have no figures."""
    alike: dict[tuple[str, str], list[str]] = {}
    for row in side.rows.to_dicts():
        alike.setdefault((row["scope"], row["caveat"]), []).append(row["label"])
    notes = [
        amounts.clean(f"{', '.join(labels)}: {scope}. {caveat[:1].upper()}{caveat[1:]}.")
        for (scope, caveat), labels in alike.items()
    ]
    if side.missing:
        notes.append(f"No figures of that time: {', '.join(side.missing)}.")
    return notes


def _caption(side: "SideBySide", feed: str) -> str:
    """Scope and days of the newest figures of a feed, "" if there are none."""
    rows = side.rows.to_dicts()
    found = (caption(one["scope"], one["start"], one["end"]) for one in rows if one["feed"] == feed)
    return next(found, "")
