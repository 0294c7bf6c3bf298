"""The views of the Market screen and of one vendor."""

import msgspec

from qwenwatch_widgets.views.claim_draft import Claimable
from qwenwatch_widgets.views.codec import View
from qwenwatch_widgets.views.table import TableView, Tone


class Choice(View, frozen=True):
    """One value of something that can be switched (definition, window, grouping)."""

    key: str
    label: str


class Headline(View, frozen=True):
    """What stands above everything: which window, which definition, how fresh.

    Attributes:
        window: "week 10–16 Aug 2026 · complete".
        badge: Origin of the figures: "live", "offline" or "bundled baseline, to 2026-08-21".
        badge_tone: Colour hint of the badge.
        summary: Definition, total and shares by country in one line.
        caveat: One sentence about what the figures are not.
        source: Source, as-of and licence of the figures shown.
        health: One line about the feeds ("3 feeds ok · 1 stale (…)").
        health_tone: Colour hint of the health line.
    """

    window: str
    badge: str
    badge_tone: Tone
    summary: str
    caveat: str
    source: str
    health: str
    health_tone: Tone


class PanelLine(View, frozen=True):
    """A name on the left, a figure on the right."""

    name: str
    text: str


class PanelView(View, frozen=True):
    """One vendor at a glance.

    Attributes:
        vendor: Vendor id, the panel's key.
        title: "1 DeepSeek".
        country: ISO 3166 code, "–" where unknown.
        value: Usage in the window, "–" where only shares are published.
        share: "26.2 %".
        change: Rank and share against the window before, signed ("▲ +0.6 pp").
        change_tone: Colour hint of the change.
        series: Share per window, oldest first, None for a gap.
        scale: What the sparkline spans ("26 wk, 0–26 %").
        models: Most used models of the vendor.
        route: Cheapest and dearest current route price ("route $0.14/0.28–0.41/0.83").
        list: The same of list prices.
        cite: The panel's figure with definition, scope, source and as-of, for copying.
        claim: The claim that its figure makes, or why it makes none.
    """

    vendor: str
    title: str
    country: str
    value: str
    share: str
    change: str
    change_tone: Tone
    series: tuple[float | None, ...]
    scale: str
    models: tuple[PanelLine, ...]
    route: str
    list: str
    cite: str
    claim: Claimable = ""


class MarketView(View, frozen=True):
    """Everything the Market screen shows.

    Attributes:
        headline: The lines around the panels.
        leaders: The leaderboard.
        panels: One per vendor, in rank order.
        prices: Price comparison against the baseline model.
        definition: Key of the definition shown.
        definitions: Definitions that have figures, in switching order.
        grain: Window length shown ("day", "week", "month").
        by: Grouping of the leaderboard ("vendor", "model", "country").
        steps_back: How many windows before the newest one this is.
        source_url: Page of the source, for opening in a browser.
        steps: Steps back, by grain, that keep the time where there are others than none.
    """

    headline: Headline
    leaders: TableView
    panels: tuple[PanelView, ...]
    prices: TableView
    definition: str
    definitions: tuple[Choice, ...]
    grain: str
    by: str
    steps_back: int
    source_url: str
    steps: dict[str, int] = msgspec.field(default_factory=dict)


class VendorView(View, frozen=True):
    """One vendor in full.

    Attributes:
        vendor: Vendor id.
        headline: As on the Market screen.
        panel: The vendor's panel, with the longest series there is.
        models: Its models with usage, share and change in the window.
        prices: Route and list prices of its models.
        sources: One line per source used.
    """

    vendor: str
    headline: Headline
    panel: PanelView
    models: TableView
    prices: TableView
    sources: tuple[str, ...]


class HostsView(View, frozen=True):
    """Who serves one model.

    Attributes:
        model: Canonical id, by which it can be asked for again.
        name: For people.
        table: One row per host.
        state: One sentence about how the last request went, and how old the figures are.
        state_tone: Colour hint of the sentence.
        source: Citation and licence.
        caveat: What the figures are, in one sentence.
        note: What came of asking just now, "" where nobody was asked.
    """

    model: str
    name: str
    table: TableView
    state: str
    state_tone: Tone
    source: str
    caveat: str
    note: str = ""
