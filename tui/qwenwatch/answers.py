"""What the screen asks of the data side, whoever answers."""

from collections.abc import Callable
from typing import Protocol

from qwenwatch_widgets.views.claim_draft import Draft
from qwenwatch_widgets.views.codec import View
from qwenwatch_widgets.views.feeds import FeedsView
from qwenwatch_widgets.views.market import HostsView, MarketView, VendorView
from qwenwatch_widgets.views.query import MarketQuery, TablesQuery
from qwenwatch_widgets.views.tables import TablesView


class RefreshReport(View, frozen=True):
    """What came of one round over the feeds.

    Attributes:
        changed: Whether anything was stored that a view could show.
        next_due_seconds: When the next feed is due.
        lines: One line per feed asked.
    """

    changed: bool
    next_due_seconds: float
    lines: tuple[str, ...]


class FeedReport(View, frozen=True):
    """What came of one feed in a round that goes on.

    Attributes:
        changed: Whether anything was stored that a view could show.
        line: What happened.
    """

    changed: bool
    line: str


class AnswersError(Exception):
    """An answer that could not be given; its text is for people."""


class Answers(Protocol):
    """Answers the questions of the screen."""

    def ready_market(self) -> MarketView | None:
        """Return the last view kept ready on disk, at once; None where there is none."""

    async def market(self, query: MarketQuery) -> MarketView:
        """Answer what the Market screen shows.

        Args:
            query: What is wished for.

        Returns:
            The view.

        Raises:
            AnswersError: There is no answer; the text says why.
        """

    async def vendor(self, vendor: str, query: MarketQuery) -> VendorView:
        """Answer what the screen of a vendor shows.

        Args:
            vendor: Vendor id.
            query: Window, definition and baseline.

        Returns:
            The view.

        Raises:
            AnswersError: There is no answer; the text says why.
        """

    async def hosts(self, model: str, *, ask: bool) -> HostsView:
        """Answer who serves a model.

        Args:
            model: Its id, as a row of a table carries it.
            ask: Whether to ask the feed first, as far as its floor allows. If that fails, the
                view holds what was known before, and says so.

        Returns:
            The view.

        Raises:
            AnswersError: There is no answer; the text says why.
        """

    async def tables(self, query: TablesQuery) -> TablesView:
        """Answer one question with tables.

        Args:
            query: Which question, about which time.

        Returns:
            The view.

        Raises:
            AnswersError: There is no answer; the text says why.
        """

    async def remember(self, claim: Draft) -> str:
        """Remember what a figure on the screen claims, to be checked from now on.

        Args:
            claim: As its row carries it.

        Returns:
            What came of it, for people.

        Raises:
            AnswersError: It cannot be claimed; the text says why.
        """

    async def feeds(self) -> FeedsView:
        """Answer how the feeds are.

        Returns:
            The view.

        Raises:
            AnswersError: There is no answer; the text says why.
        """

    async def refresh(
        self, *, force: bool = False, told: Callable[[FeedReport], None] = lambda report: None
    ) -> RefreshReport:
        """Poll the feeds that are due, and return when all is stored.

        Args:
            force: Whether to ask sooner than due, as far as politeness to the feeds allows.
            told: Is told of each feed as soon as it is done: one that hangs holds up no other.

        Returns:
            What came of it.

        Raises:
            AnswersError: The round could not be made; the text says why.
        """

    async def close(self) -> None:
        """Let go of everything."""
