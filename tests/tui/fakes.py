"""A made-up market to test the screen with: real names, invented figures."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sin

from msgspec.structs import replace

from qwenwatch.answers import AnswersError, FeedReport, RefreshReport
from qwenwatch_widgets.views.claim_draft import NOBODY, Draft
from qwenwatch_widgets.views.feeds import FeedDetail, FeedsView
from qwenwatch_widgets.views.market import (
    Choice,
    Headline,
    HostsView,
    MarketView,
    PanelLine,
    PanelView,
    VendorView,
)
from qwenwatch_widgets.views.query import MarketQuery, TablesQuery
from qwenwatch_widgets.views.table import Cell, Column, Row, TableView, Tone
from qwenwatch_widgets.views.tables import TablesView

DEFINITIONS = (
    Choice("tokens/openrouter-rankings", "tokens · OpenRouter"),
    Choice("spend/vercel-leaderboard", "spend · Vercel AI Gateway"),
    Choice("requests/vercel-leaderboard", "requests · Vercel AI Gateway"),
)

# Vendor id, name, country, share in per cent, change in points, change of rank, models.
VENDORS: Sequence[tuple[str, str, str, float, float, int, Sequence[tuple[str, float]]]] = (
    ("deepseek", "DeepSeek", "CN", 26.2, 0.6, 0,
     (("v4-flash-0731", 11.18), ("v4-flash", 4.83), ("v4-pro", 2.61))),
    ("tencent", "Tencent", "CN", 13.2, 1.6, 0, (("hy3-0706", 9.95),)),
    ("openai", "OpenAI", "US", 11.7, 0.7, 0,
     (("gpt-5.6-luna", 5.31), ("gpt-5.6-sol", 1.42), ("gpt-oss-120b", 0.96))),
    ("google", "Google", "US", 8.4, -0.4, 0,
     (("gemini-3.6-flash", 2.28), ("gemini-3.1-flash-lite", 1.75), ("gemini-3-pro", 0.71))),
    ("anthropic", "Anthropic", "US", 8.2, 1.5, 1,
     (("claude-opus-5", 2.44), ("claude-sonnet-5", 2.30), ("claude-haiku-4.5", 0.52))),
    ("zhipuai", "Zhipu · Z.ai", "CN", 5.7, 0.7, 1, (("glm-5.2", 3.64), ("glm-4.7-flash", 0.41))),
    ("xiaomi", "Xiaomi", "CN", 5.7, -2.9, -2, (("mimo-v2.5", 3.08), ("mimo-v2.5-pro", 1.19))),
    ("nvidia", "NVIDIA", "US", 4.1, 0.1, 0, (("nemotron-3-ultra", 2.87),)),
    ("minimax", "MiniMax", "CN", 3.9, -1.1, 0, (("minimax-m3", 2.41), ("minimax-m2.7", 0.44))),
    ("moonshotai", "Moonshot · Kimi", "CN", 2.9, -0.3, 0, (("kimi-k3", 1.72), ("kimi-k2.6", 0.4))),
    ("xai", "xAI", "US", 1.9, 0.0, 0, (("grok-4.5", 1.10), ("grok-4.3-fast", 0.24))),
    ("mistral", "Mistral", "FR", 0.8, -0.1, 0, (("mistral-medium-3.5", 0.38),)),
    ("alibaba", "Alibaba · Qwen", "CN", 0.7, 0.2, 1,
     (("qwen3.7-max", 0.21), ("qwen3.6-35b-a3b", 0.14), ("qwen3-coder-next", 0.07))),
    ("poolside", "Poolside", "US", 0.5, 0.2, 2, (("laguna-m.1", 0.37),)),
    ("meta", "Meta", "US", 0.4, -0.1, -1, (("llama-3.3-70b", 0.12),)),
    ("bytedance", "ByteDance", "CN", 0.3, 0.1, 0, (("seed-2.0-lite", 0.21),)),
    ("stepfun", "StepFun", "CN", 0.3, -0.2, -2, (("step-3.7-flash", 0.2),)),
    ("inclusionai", "inclusionAI", "CN", 0.2, 0.0, 0, (("ling-2.6-1t", 0.12),)),
    ("arcee", "Arcee", "US", 0.1, 0.0, 0, (("trinity-large", 0.09),)),
    ("cohere", "Cohere", "CA", 0.1, 0.0, 0, (("command-a", 0.05),)),
    ("amazon", "Amazon", "US", 0.1, 0.0, 0, (("nova-2-lite", 0.04),)),
)  # fmt: skip

# Model, vendor, basis, input, output, cached, days since the last change (signed).
PRICES: Sequence[tuple[str, str, str, float | None, float | None, float | None, int | None]] = (
    ("alibaba/qwen3-max", "Alibaba · Qwen", "route", 1.20, 6.00, 0.24, None),
    ("alibaba/qwen3-max", "Alibaba · Qwen", "list · intl", 1.20, 6.00, 0.24, None),
    ("deepseek/v4-flash-0731", "DeepSeek", "route", 0.14, 0.28, 0.028, -2),
    ("deepseek/v4-flash-0731", "DeepSeek", "list", 0.14, 0.28, 0.0028, -2),
    ("tencent/hy3-0706", "Tencent", "route", 0.066, 0.26, 0.029, None),
    ("openai/gpt-5.6-luna", "OpenAI", "route", 1.00, 6.00, 0.10, 12),
    ("openai/gpt-5.6-luna", "OpenAI", "list", 1.00, 6.00, 0.10, None),
    ("google/gemini-3.6-flash", "Google", "route", 0.50, 3.00, 0.05, None),
    ("anthropic/claude-opus-5", "Anthropic", "route", 5.00, 25.00, 0.50, None),
    ("anthropic/claude-sonnet-5", "Anthropic", "route", 2.00, 10.00, 0.20, -21),
    ("zhipuai/glm-5.2", "Zhipu · Z.ai", "route", 0.98, 3.08, 0.182, 5),
    ("xiaomi/mimo-v2.5", "Xiaomi", "route", 0.14, 0.28, 0.0028, None),
    ("nvidia/nemotron-3-ultra", "NVIDIA", "route", 0.0, 0.0, None, None),
    ("minimax/minimax-m3", "MiniMax", "route", 0.30, 1.20, 0.06, None),
    ("moonshotai/kimi-k3", "Moonshot · Kimi", "route", 0.60, 2.80, 0.15, 1),
    ("xai/grok-4.5", "xAI", "route", 1.25, 2.50, 0.20, None),
    ("mistral/mistral-medium-3.5", "Mistral", "route", 1.50, 7.50, 0.15, None),
    ("alibaba/qwen3.7-max", "Alibaba · Qwen", "route", 1.25, 3.75, 0.25, -9),
    ("alibaba/qwen3.6-35b-a3b", "Alibaba · Qwen", "route", 0.15, 1.00, None, None),
    ("poolside/laguna-m.1", "Poolside", "route", None, None, None, None),
)  # fmt: skip

_HEADLINE = Headline(
    window="week 10–16 Aug 2026 · complete",
    badge="test data",
    badge_tone="warn",
    summary=(
        "tokens · OpenRouter, all variants · 75.34T (+9.1 %) · CN 57.2 %  US 35.5 %  "
        "other countries 0.9 %  unattributed 6.4 %"
    ),
    caveat="Tokens routed by one marketplace: not the vendors' own APIs, apps or clouds.",
    source="Source: OpenRouter (openrouter.ai/rankings), as of 2026-08-22T00:05Z, CC BY 4.0",
    health="3 feeds ok · 1 stale (vercel-leaderboard, 2 d old)",
    health_tone="dim",
)


def claim(row: str) -> Draft:
    """A made-up claim, by which the row that it is of can be told."""
    return {"measure": "share", "of": row}


def series(seed: int, level: float, weeks: int = 26) -> tuple[float | None, ...]:
    """A smooth made-up series that ends at `level`, with a gap now and then."""
    values: list[float | None] = [
        max(0.0, level * (1 + 0.35 * sin((week - weeks + 1) / 3.1 + seed) - 0.35 * sin(seed)))
        for week in range(weeks)
    ]
    if seed % 5 == 4:
        values[3] = None
    return tuple(values)


def points(change: float) -> str:
    return f"{change:+.1f}" if change else "0.0"


def tone(change: float) -> Tone:
    return "up" if change > 0 else "down" if change < 0 else "dim"


def panels(*, weeks: int = 26) -> tuple[PanelView, ...]:
    made = []
    for rank, (vendor, name, country, share, change, _, models) in enumerate(VENDORS, 1):
        history = series(rank, share / 100, weeks)
        highest = max(value for value in history if value is not None) * 100
        sign = {"up": "▲", "down": "▼"}.get(tone(change), "·")
        made.append(
            PanelView(
                vendor=vendor,
                title=f"{rank} {name}",
                country=country,
                value=f"{share * 0.7534:.2f}T",
                share=f"{share:.1f} %",
                change=f"{sign} {points(change)} pp",
                change_tone=tone(change),
                series=history,
                scale=f"{weeks} wk, 0–{highest:.0f} %",
                models=tuple(PanelLine(model, f"{value:.2f}T") for model, value in models),
                route="route $0.14/0.28 – $0.41/0.83" if rank % 2 else "route $0.07/0.26",
                list="list –" if vendor == "tencent" else "list $0.14/0.28 – $0.43/0.87",
                cite=f"{name}: {share:.1f} % of made-up tokens, test data",
                claim=claim(f"panel {vendor}"),
            )
        )
    return tuple(made)


def leaders(by: str = "vendor") -> TableView:
    columns = (
        Column("rank", "#", "right"),
        Column("moved", "Δ", drop=3),
        Column("name", by.capitalize(), grow=True),
        Column("country", "", drop=4),
        Column("value", "Tokens", "right", drop=2),
        Column("share", "Share", "right"),
        Column("change", "Δ pp", "right", drop=1),
        Column("history", "12 wk", drop=5, width=12),
    )
    rows = []
    for rank, (vendor, name, country, share, change, moved, _) in enumerate(VENDORS, 1):
        key, label = (
            (vendor, name) if by == "vendor" else (f"{vendor}/flagship", f"{name} flagship")
        )
        step = f"▲{moved}" if moved > 0 else f"▼{-moved}" if moved < 0 else "·"
        cells = (
            Cell(str(rank), sort=rank),
            Cell(step, tone(moved), moved),
            Cell(label, sort=label.casefold()),
            Cell(country, "dim", country),
            Cell(f"{share * 0.7534:.2f}T", sort=share),
            Cell(f"{share:.1f} %", sort=share),
            Cell(points(change), tone(change), change),
            Cell(sort=change, series=series(rank, share / 100)),
        )
        cite = f"{label}: {share:.1f} % of made-up tokens, test data"
        rows.append(Row(key, cells, cite=cite, claim=claim(key)))
    rest = (
        Cell("–"), Cell(), Cell("unattributed", "dim", "unattributed"), Cell(),
        Cell("4.86T", sort=6.4), Cell("6.4 %", sort=6.4), Cell("+0.3", "up", 0.3),
        Cell(sort=0.3, series=series(9, 0.064)),
    )  # fmt: skip
    cite = "unattributed: 6.4 %, test data"
    rows.append(Row("unattributed", rest, pinned=True, cite=cite, claim=NOBODY))
    return TableView(f"Leaders · by {by}", "tokens · OpenRouter", columns, tuple(rows))


def money(amount: float | None) -> str:
    if amount is None:
        return "–     "
    text = f"{amount:.4f}".rstrip("0")
    whole, _, part = text.partition(".")
    return f"{whole}.{part.ljust(2, '0')}".ljust(len(whole) + 5)


def ratio(amount: float | None, base: float) -> str:
    return (
        "–"
        if amount is None
        else f"{amount / base:.1f}×"
        if amount >= base
        else f"{amount / base:.2f}×"
    )


def prices(baseline: str = "alibaba/qwen3-max") -> TableView:
    columns = (
        Column("model", "Model", grow=True),
        Column("vendor", "Vendor", drop=5),
        Column("basis", "Basis"),
        Column("input", "Input", "right"),
        Column("output", "Output", "right"),
        Column("cached", "Cached", "right", drop=4),
        Column("ratio_input", "× in", "right", drop=1),
        Column("ratio_output", "× out", "right", drop=1),
        Column("changed", "Changed", drop=6),
    )
    rows = []
    for model, vendor, basis, cost_in, cost_out, cached, changed in PRICES:
        name = model.partition("/")[2]
        days = "" if changed is None else f"{'▲' if changed > 0 else '▼'} {abs(changed)} d"
        cells = (
            Cell(f"◆ {name}" if model == baseline else name, sort=name),
            Cell(vendor, "dim", vendor.casefold()),
            Cell(basis, "dim", basis),
            Cell(money(cost_in), sort=cost_in),
            Cell(money(cost_out), sort=cost_out),
            Cell(money(cached), sort=cached),
            Cell(ratio(cost_in, 1.2), sort=cost_in),
            Cell(ratio(cost_out, 6.0), sort=cost_out),
            Cell(days, "down" if changed and changed > 0 else "up", changed),
        )
        key, cite = f"{model} {basis}", f"{name}: made-up price, test data"
        rows.append(Row(key, cells, cite=cite, claim=claim(key)))
    return TableView(
        "Prices · per 1M tokens",
        f"USD · route: openrouter-models 22 Aug 12:08Z · mix 80 : 5 : 15 · "
        f"baseline {baseline.partition('/')[2]}",
        columns,
        tuple(rows),
        empty="no prices are known for this day: run `qwenwatch refresh`",
    )


def market(query: MarketQuery = MarketQuery()) -> MarketView:  # noqa: B008 (frozen)
    back = f"{query.steps_back} {query.grain}s back · " if query.steps_back else ""
    return MarketView(
        headline=replace(_HEADLINE, window=back + _HEADLINE.window),
        leaders=leaders(query.by),
        panels=panels(),
        prices=prices(query.baseline),
        definition=query.definition or DEFINITIONS[0].key,
        definitions=DEFINITIONS,
        grain=query.grain,
        by=query.by,
        steps_back=query.steps_back,
        source_url="https://openrouter.ai/rankings",
    )


def vendor_view(vendor: str) -> VendorView:
    panel = next(each for each in panels(weeks=53) if each.vendor == vendor)
    label = panel.title.partition(" ")[2]
    own = tuple(row for row in leaders("model").rows if row.key.startswith(f"{vendor}/"))
    offers = tuple(row for row in prices().rows if row.key.startswith(f"{vendor}/"))
    return VendorView(
        vendor=vendor,
        headline=_HEADLINE,
        panel=panel,
        models=replace(leaders("model"), title=f"Models · {len(own)} used", rows=own),
        prices=replace(prices(), title=f"Prices of {label}", rows=offers),
        sources=(_HEADLINE.source, "Source: openrouter-models, as of 2026-08-22T12:08Z, test data"),
    )


def hosts(model: str, *, asked: bool = False, problem: str = "") -> HostsView:
    """Four hosts, of which the last came with the feed's last good answer."""
    columns = (
        Column("host", "Host", grow=True),
        Column("tag", "Tag", drop=4),
        Column("input", "Input", "right"),
        Column("output", "Output", "right"),
        Column("cached", "Cached", "right", drop=2),
        Column("status", "Status"),
        Column("uptime_30m", "Up 30 min", "right", drop=1),
        Column("uptime_1d", "Up 1 d", "right"),
        Column("context", "Context", "right", drop=5),
    )
    offers: Sequence[tuple[str, str, float | None, float | None, str, Tone, str, str]] = (
        ("DeepInfra", "deepinfra/fp4", 0.6, 2.4, "ok", "up", "–", "–"),
        ("Alibaba Cloud Int.", "alibaba", 1.2, 6.0, "ok", "up", "99.5 %", "99.2 %"),
        ("Nebius Token Factory", "nebius/fp8", 1.2, 6.5, "degraded -2", "warn", "62.5 %", "90.0 %"),
        ("Novita", "novita", None, None, "ok", "up", "100.0 %", "99.9 %"),
    )
    rows = tuple(
        Row(
            tag,
            (
                Cell(name, sort=name),
                Cell(tag, "dim", tag),
                Cell(money(cost_in), sort=cost_in),
                Cell(money(cost_out), sort=cost_out),
                Cell("–", "dim"),
                Cell(status, colour, status),
                Cell(half_hour),
                Cell(day),
                Cell("262,144", sort=262_144),
            ),
            cite=f"{name}: made-up price of {model}, test data",
            claim=claim(tag),
        )
        for name, tag, cost_in, cost_out, status, colour, half_hour, day in offers
    )
    good = "read 0 min ago" if asked else "read 3 h ago"
    return HostsView(
        model=model,
        name=model.partition("/")[2],
        table=TableView(
            f"Hosts of {model.partition('/')[2]} · per 1M tokens",
            f"USD · as of 2026-08-22 00:05Z · route prices per host, OpenRouter · {model}",
            columns,
            rows if asked and not problem else rows[:3],
        ),
        state=f"read 3 h ago · the request 0 min ago failed: {problem}" if problem else good,
        state_tone="bad" if problem else "dim",
        source="Prices: OpenRouter (openrouter.ai/models), as of 2026-08-22T00:05:00Z",
        caveat="Made-up prices, test data.",
        note="openrouter-endpoints: failed" if problem else "openrouter-endpoints: stored",
    )


def feeds() -> FeedsView:
    columns = (
        Column("feed", "Feed"),
        Column("state", "State"),
        Column("age", "Age", "right"),
        Column("due", "Next", drop=2),
        Column("rows", "Rows", "right", drop=4),
        Column("licence", "Licence", drop=3),
        Column("detail", "", grow=True),
    )
    states: Sequence[tuple[str, str, Tone, str, str, int, str, str]] = (
        ("openrouter-rankings", "ok", "up", "12 min", "23 Aug 00:10Z", 18_615, "CC BY 4.0",
         "weekly and daily tokens of the top 50 models"),
        ("openrouter-models", "ok", "up", "12 min", "22 Aug 13:08Z", 5_120, "as published",
         "route prices of all models"),
        ("models-dev", "failing", "bad", "3 h", "22 Aug 14:20Z", 6_870, "MIT",
         "503 Service Unavailable, asked 2 times"),
        ("vercel-leaderboard", "stale", "warn", "2 d", "22 Aug 18:00Z", 9_344, "CC BY 4.0",
         "shares of tokens, requests and spend"),
        ("huggingface", "no key", "dim", "–", "–", 0, "as published", "set HF_TOKEN"),
    )  # fmt: skip
    rows = tuple(
        Row(
            name,
            (
                Cell(name, sort=name),
                Cell(state, colour, state),
                Cell(age),
                Cell(due, "dim"),
                Cell(f"{count:,}", sort=count),
                Cell(licence, "dim", licence),
                Cell(detail, "bad" if state == "failing" else "dim"),
            ),
        )
        for name, state, colour, age, due, count, licence, detail in states
    )
    details = tuple(
        FeedDetail(
            name,
            (
                f"{detail} · example.org/{name}",
                f"Source: {name}, as of {age} ago, test data · licence: {licence}",
                "asked every 1 h at most · 17 of 100 requests left today",
                *((f"failing: {detail}",) if state == "failing" else ()),
            ),
        )
        for name, state, _, age, _, _, licence, detail in states
    )
    notices = ("cache: 2.1 MB in 9 files",)
    return FeedsView(TableView("Feeds", "test data", columns, rows), notices, details)


def tables(query: TablesQuery) -> TablesView:
    """Three tables of made-up figures; the last has more rows than there is room for."""
    columns = (Column("name", "Definition", grow=True), Column("share", "Share", "right"))
    made = [
        TableView(
            f"Part {part} of {query.question}",
            "made-up figures",
            columns,
            tuple(
                Row(
                    f"{part}-{at}",
                    (Cell(f"row {at} of part {part}"), Cell(f"{at}.0 %", sort=at)),
                    claim=claim(f"{query.question} {part}-{at}"),
                )
                for at in range(count)
            ),
        )
        for part, count in ((1, 4), (2, 9), (3, 60))
    ]
    headline = replace(
        market().headline,
        window=f"{query.grain} {query.steps_back} back",
        summary=f"{query.question}, of made-up figures",
    )
    return TablesView(headline, tuple(made), ("Source: test data, first", "Source: second"))


@dataclass
class FakeAnswers:
    """Answers at once from the made-up market, and remembers what was asked."""

    ready: MarketView | None = field(default_factory=market)
    current: MarketView | None = None
    error: Exception | None = None
    refresh_error: Exception | None = None
    asked: list[MarketQuery] = field(default_factory=list)
    refreshes: list[bool] = field(default_factory=list)
    remembered: list[Draft] = field(default_factory=list)
    tables_asked: list[TablesQuery] = field(default_factory=list)
    pages: Mapping[str, Callable[[TablesQuery], TablesView]] = field(default_factory=dict)
    hosts_asked: list[tuple[str, bool]] = field(default_factory=list)
    feed_problem: str = ""
    no_hosts: bool = False
    parts: Sequence[FeedReport] = ()
    closed: bool = False
    hold: asyncio.Event | None = None

    def ready_market(self) -> MarketView | None:
        return self.ready

    async def market(self, query: MarketQuery) -> MarketView:
        self.asked.append(query)
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error
        return self.current or market(query)

    async def vendor(self, vendor: str, query: MarketQuery) -> VendorView:
        if self.error is not None:
            raise self.error
        return vendor_view(vendor)

    async def hosts(self, model: str, *, ask: bool) -> HostsView:
        self.hosts_asked.append((model, ask))
        if self.error is not None:
            raise self.error
        view = hosts(model, asked=ask, problem=self.feed_problem if ask else "")
        if self.no_hosts:
            empty = f"no host is known: {view.state}"
            return replace(view, table=replace(view.table, rows=(), empty=empty))
        return view

    async def tables(self, query: TablesQuery) -> TablesView:
        self.tables_asked.append(query)
        if self.error is not None:
            raise self.error
        return self.pages.get(query.question, tables)(query)

    async def remember(self, claim: Draft) -> str:
        self.remembered.append(claim)
        if self.error is not None:
            raise self.error
        return f"Remembered: {claim['of']}"

    async def feeds(self) -> FeedsView:
        if self.error is not None:
            raise self.error
        return feeds()

    async def refresh(
        self, *, force: bool = False, told: Callable[[FeedReport], None] = lambda report: None
    ) -> RefreshReport:
        self.refreshes.append(force)
        for part in self.parts:
            told(part)
            await asyncio.sleep(0)
        if self.refresh_error is not None:
            raise self.refresh_error
        return RefreshReport(True, 3600.0, ("openrouter-models: 3 new rows",))

    async def close(self) -> None:
        self.closed = True


def failing(text: str) -> FakeAnswers:
    return FakeAnswers(error=AnswersError(text))
