"""What a workload costs: as tables for people, and as plain values for programs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from qwenwatch_cache.clock import iso
from qwenwatch_cache.market.workload import FREE, Workload
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.answer import Answer, Page, framed, known_lines
from qwenwatch_widgets.views.cost_tables import (
    CostAsked,
    free_table,
    left_out_table,
    ranking,
    short,
)
from qwenwatch_widgets.views.cost_usage import usage_table
from qwenwatch_widgets.views.plain import plain_row
from qwenwatch_widgets.views.sources import known_until, source_lines

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.origins import Origin
    from qwenwatch_cache.market.usage_export import Export


def cost_answer(
    frame: "pl.DataFrame",
    workload: Workload,
    asked: CostAsked,
    *,
    vendors: Mapping[str, str],
    origins: Mapping[str, "Origin"],
    export: "Export | None" = None,
    used: "pl.DataFrame | None" = None,
) -> Answer:
    """The answer in both forms.

    Args:
        frame: cost.COST.
        workload: What was priced.
        asked: What else was asked.
        vendors: Vendor labels by id.
        origins: Where the prices of each feed came from, and the exchange rates if any was needed.
        export: The usage export behind the workload, if there is one.
        used: own_usage.OWN_USAGE of it.
    """
    rows = frame.to_dicts()
    ranked = [row for row in rows if row["rank"] is not None]
    free = [row for row in rows if row["left_out"] == FREE]
    others = [row for row in rows if row["left_out"] not in {"", FREE}]
    tables = [ranking(ranked, asked, vendors, origins, workload)]
    if asked.free and free:
        tables.append(free_table(free, vendors, origins))
    if others or (free and not asked.free):
        tables.append(left_out_table([*others, *([] if asked.free else free)]))
    if export is not None and used is not None:
        tables.insert(0, usage_table(used.to_dicts(), export, asked.currency, asked.top))
    page = Page(
        title="qwenwatch cost",
        lines=[
            *_workload_lines(workload, asked, export, _read_text(frame, asked, origins)),
            *known_lines(asked.known_at),
        ],
        tables=tables,
        sources=source_lines(origins.values(), asked.known_at),
    )
    document = framed(
        asked.known_at,
        origins.values(),
        priced_at=iso(asked.priced_at),
        currency=asked.currency,
        baseline_model=asked.baseline,
        batch=asked.batch,
        filters=dict(asked.filters),
        workload={
            "input": workload.input,
            "cached": workload.cached,
            "cache_written": workload.written,
            "output": workload.output,
            "requests": workload.count,
            "request_size": workload.size,
        },
    )
    document["costs"] = [plain_row(row) for row in ranked]
    document["free"] = [plain_row(row) for row in free]
    document["left_out"] = [plain_row(row) for row in others]
    parts = ["costs", "free", "left_out", "sources"]
    if export is not None and used is not None:
        document["usage_source"] = export.source
        document["usage"] = [plain_row(row) for row in used.to_dicts()]
        parts.insert(0, "usage")
    return Answer(page, lambda: document, parts)


def _read_text(frame: "pl.DataFrame", asked: CostAsked, origins: Mapping[str, "Origin"]) -> str:
    """When the feeds of the prices were last read; of several the first and the last day."""
    feeds = frame.get_column("feed").unique().to_list()
    moments = {known_until(origins[feed], asked.priced_at) for feed in feeds}
    first, last = min(moments), max(moments)
    if first == last:
        return amounts.instant(last)
    return " to ".join(dict.fromkeys((f"{first.date()}", f"{last.date()}")))


def _workload_lines(
    workload: Workload, asked: CostAsked, export: "Export | None", read: str
) -> Sequence[str]:
    tokens = f"{short(workload.input)} tokens in"
    for part, what in ((workload.cached, "cached"), (workload.written, "written to the cache")):
        if part:
            tokens += f", {short(part)} of it {what} ({amounts.percent(part / workload.input)})"
    tokens += f" · {short(workload.output)} out"
    size, count = workload.size, workload.count
    if size is None:
        sizes = "short prompts (no --request-size)"
    elif workload.request_size is None:
        sizes = f"{count:,} requests of {short(size)} on average, longer ones may cost more"
    else:
        sizes = f"{count:,} requests of {short(size)}"
    kind = "batch prices" if asked.batch else "standard prices"
    source = f" · from {export.source}" if export else ""
    filters = [f"{name} {value}" for name, value in asked.filters.items()]
    return [
        f"{tokens}{source}",
        sizes,
        ", ".join((f"{kind} last read {read}", *filters)),
    ]
