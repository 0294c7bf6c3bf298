"""The hosts of one model: as a table for people, and as plain values for programs."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qwenwatch_cache.clock import is_replayed, iso
from qwenwatch_cache.market.hours import hours_text
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import SCHEMA_VERSION
from qwenwatch_widgets.views.drafts import UNREAD, price_claim
from qwenwatch_widgets.views.market import HostsView
from qwenwatch_widgets.views.plain import plain_row
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone

if TYPE_CHECKING:
    from qwenwatch_cache.market.hosts import Asked, ModelHosts

COLUMNS = (
    Column("host", "Host", grow=True),
    Column("tag", "Tag", drop=4),
    Column("input", "Input", "right"),
    Column("output", "Output", "right"),
    Column("cached", "Cached", "right", drop=2),
    Column("status", "Status"),
    Column("uptime_30m", "Up 30 min", "right", drop=1),
    Column("uptime_1d", "Up 1 d", "right"),
    Column("quantization", "Quant.", drop=3),
    Column("context", "Context", "right", drop=5),
    Column("max_output", "Max out", "right", drop=6),
)

FEED = "openrouter-endpoints"

CAVEAT = "Route prices of each host, promotions taken off; uptime as OpenRouter measures it."


def hosts_view(
    hosts: "ModelHosts", now: datetime, *, licence: str, citation: str, offline: bool
) -> HostsView:
    """The hosts of a model, and how old and how good the figures are.

    Args:
        hosts: As known.
        now: The present moment.
        licence: Licence line of the source.
        citation: How to cite it; ``{as_of}`` is filled in.
        offline: Whether no feed may be asked.
    """
    asked = hosts.asked
    cited = cite(citation, asked)
    text, tone = state(asked, now, offline=offline)
    table = TableView(
        title=f"Hosts of {amounts.clean(hosts.name)} · per 1M tokens",
        caption=" · ".join(
            (
                "USD",
                f"as of {amounts.instant(asked.last_good)}",  # first: the end is cut off
                "route prices per host, OpenRouter",
                *_ids(hosts),
            )
        ),
        columns=COLUMNS,
        rows=_rows(hosts, cited),
        empty=f"no host is known: {text}",
    )
    return HostsView(
        model=amounts.clean(hosts.model),
        name=amounts.clean(hosts.name),
        table=table,
        state=text,
        state_tone=tone,
        source=" · ".join(part for part in (cited, licence) if part),
        caveat=CAVEAT,
    )


def state(asked: "Asked", now: datetime, *, offline: bool) -> tuple[str, Tone]:
    """One sentence about how the last request went, and how old the figures are."""
    off = " · offline, no feed is asked" if offline else ""
    if asked.last is None:
        return f"OpenRouter was never asked about this model{off}", "warn"
    read = "never read"
    if asked.last_good is not None:
        read = f"read {amounts.age(now - asked.last_good)} ago"
    if not asked.error:
        return f"{read}{off}", "warn" if offline else "dim"
    failed = f"the request {amounts.age(now - asked.last)} ago failed: {amounts.clean(asked.error)}"
    return f"{read} · {failed}{off}", "bad"


def cite(citation: str, asked: "Asked") -> str:
    """The citation with its date; without one where nothing was read."""
    when = iso(asked.last_good) if asked.last_good else "an unknown date"
    return citation.format(as_of=when)


def document(hosts: "ModelHosts", now: datetime, *, licence: str, citation: str) -> dict[str, Any]:
    """The hosts as plain values: shares are fractions, times ISO 8601 UTC, unknown is null."""
    asked = hosts.asked
    age = now - asked.last_good if asked.last_good else None
    return {
        "schema_version": SCHEMA_VERSION,
        "replayed": is_replayed(),
        "at": iso(now),
        "model": amounts.clean(hosts.model),
        "name": amounts.clean(hosts.name),
        "source_id": amounts.clean(hosts.source_id),
        "other_source_ids": [amounts.clean(each) for each in hosts.other_ids],
        "currency": "USD",
        "sources": [
            {
                "feed": FEED,
                "as_of": iso(asked.last_good) if asked.last_good else None,
                "fetched_at": iso(asked.last_good) if asked.last_good else None,
                "age_seconds": None if age is None else int(age.total_seconds()),
                "licence": licence,
                "citation": cite(citation, asked),
                "status": "live",
                "error": amounts.clean(asked.error) or None,
            }
        ],
        "hosts": [plain_row(row) for row in hosts.rows.to_dicts()],
    }


def _ids(hosts: "ModelHosts") -> list[str]:
    """Which of the model's ids was asked about, and which were not."""
    others = ", ".join(amounts.clean(each) for each in hosts.other_ids)
    return [amounts.clean(hosts.source_id) + (f" (not asked about: {others})" if others else "")]


def _rows(hosts: "ModelHosts", cited: str) -> tuple[Row, ...]:
    rows = hosts.rows.to_dicts()
    money = {
        name: amounts.on_point([amounts.money(row[name]) for row in rows])
        for name in ("input", "output", "cache_read")
    }
    return tuple(
        _row(row, {name: texts[at] for name, texts in money.items()}, hosts, cited)
        for at, row in enumerate(rows)
    )


def _row(row: Mapping[str, Any], money: Mapping[str, str], hosts: "ModelHosts", cited: str) -> Row:
    name, tag = amounts.clean(row["provider_name"]), amounts.clean(row["provider"])
    hours = hours_text(amounts.clean(row["window_utc"] or ""))
    cells = (
        Cell(f"{name} · {hours}" if hours else name, sort=name.casefold()),
        Cell(tag, "dim", sort=tag.casefold()),
        Cell(money["input"], sort=amounts.sortable(row["input"])),
        Cell(money["output"], sort=amounts.sortable(row["output"])),
        Cell(money["cache_read"], sort=amounts.sortable(row["cache_read"])),
        _status(row["status"]),
        Cell(amounts.percent(row["uptime_30m"]), sort=row["uptime_30m"]),
        Cell(amounts.percent(row["uptime_1d"]), sort=row["uptime_1d"]),
        Cell(amounts.clean(row["quantization"] or amounts.UNKNOWN), "dim", row["quantization"]),
        Cell(_tokens(row["context_length"]), sort=row["context_length"]),
        Cell(_tokens(row["max_output"]), sort=row["max_output"]),
    )
    figures = (
        f"{amounts.clean(hosts.name)} at {name} ({tag}): route price USD "
        f"{amounts.money(row['input'])} in, {amounts.money(row['output'])} out per 1M tokens"
        f"{f', {hours}' if hours else ''}, "
        f"uptime of the last day {amounts.percent(row['uptime_1d'])}. {cited}"
    )
    own = {"model": hosts.model, "basis": "route", "feed": FEED, "currency": "USD"}
    at = hosts.asked.last_good
    claim = UNREAD if at is None else price_claim({**row, **own}, at, host=row["provider"])
    return Row(row["provider"], cells, cite=figures, claim=claim)


def _status(status: int | None) -> Cell:
    """0 is well; what -2 and -5 mean in particular is not documented."""
    if status is None:
        return Cell(amounts.UNKNOWN, "dim")
    return Cell(f"degraded {status}", "warn", status) if status else Cell("ok", "up", status)


def _tokens(count: int | None) -> str:
    return amounts.UNKNOWN if count is None else f"{count:,}"
