"""Snapshots for programs: JSON (the contract), NDJSON and CSV (the same rows, one by one)."""

import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qwenwatch_widgets.views.snapshot_document import document

if TYPE_CHECKING:
    from qwenwatch_widgets.views.snapshot import Snapshot

CSV_COLUMNS = (
    "section",
    "date",
    "window_start",
    "window_end",
    "by",
    "rank",
    "previous_rank",
    "id",
    "source_id",
    "name",
    "vendor",
    "country",
    "metric",
    "value",
    "share",
    "share_change",
    "basis",
    "feed",
    "provider",
    "region",
    "variant",
    "window_utc",
    "currency",
    "input",
    "output",
    "cache_read",
    "blended",
    "ratio_input",
    "ratio_output",
    "ratio_blended",
    "changed_at",
    "observed_at",
    "tier_from",
    "up_to",
    "converted_input",
    "converted_output",
    "converted_cache_read",
    "converted_blended",
    "rate_date",
    "low",
    "high",
    "share_low",
    "share_high",
    "priced_share",
    "at",
    "kind",
    "field",
    "before",
    "after",
    "percent",
    "mark",
    "tokens",
    "token_share",
    "free_tokens",
    "priced_tokens",
    "expected",
    "share_expected",
    "measured_share",
    "measured_high",
    "outside",
    "off",
    "unit",
    "until",
)
"""Columns of the CSV, the same whatever sections it holds; empty where a section has no such."""


def print_json(snapshot: "Snapshot") -> str:
    """The document of docs/snapshot.schema.json."""
    return json.dumps(document(snapshot), ensure_ascii=False, indent=2) + "\n"


def print_ndjson(snapshot: "Snapshot") -> str:
    """One object per line: first what the snapshot is of, then a line per source and row."""
    return ndjson_of(document(snapshot))


def print_csv(snapshot: "Snapshot") -> str:
    """A line per row of every section, with the columns of CSV_COLUMNS."""
    return csv_of(document(snapshot))


def ndjson_of(plain: dict[str, Any]) -> str:
    """See `print_ndjson`; from the document."""
    lines = [json.dumps(row, ensure_ascii=False) for row in _rows(plain)]
    return "\n".join(lines) + "\n"


def csv_of(plain: dict[str, Any]) -> str:
    """See `print_csv`; from the document."""
    import csv  # which few want

    target = io.StringIO()
    writer = csv.DictWriter(target, CSV_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    window = plain["window"] or {"start": "", "end": ""}
    when = {
        "date": plain["date"],
        "window_start": window["start"],
        "window_end": window["end"],
    }
    for row in _rows(plain):
        row |= {"date": plain["date"]} if row["section"] in {"prices", "changes"} else when
        if row["section"] == "definitions":
            for country, share in row["shares"].items():
                writer.writerow({**row, "id": country, "share": share})
        elif row["section"] not in {"snapshot", "sources"}:
            writer.writerow(row)
    return target.getvalue()


def _rows(plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    parts = {"sources", "leaderboards", "definitions", "spend", "changes", "prices"}
    yield {"section": "snapshot", **{key: plain[key] for key in plain if key not in parts}}
    for source in plain["sources"]:
        yield {"section": "sources", **source}
    for by, rows in plain.get("leaderboards", {}).items():
        for row in rows:
            yield {"section": "leaderboards", "by": by, **row}
    for part in ("definitions", "spend", "changes"):
        for row in plain.get(part, []):
            yield {"section": part, **row}
    prices = plain.get("prices", {})
    for row in prices.get("rows", []):
        yield {"section": "prices", "id": row["model"], **row}
