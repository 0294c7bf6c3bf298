"""The program on the screen: its modes, its themes and the polling of the feeds."""

import asyncio
import signal
from contextlib import suppress
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.signal import Signal

from qwenwatch.answers import Answers
from qwenwatch.screens.later import claims_screen, feeds_screen, prices_screen, tables_screen
from qwenwatch.screens.market import MarketScreen
from qwenwatch.screens.page import Desk, Page
from qwenwatch.screens.pulse import Poller, Pulse
from qwenwatch.terminal import HEIGHTS, WIDTHS, classes_of, is_ascii_only
from qwenwatch_widgets.headline import TopLines
from qwenwatch_widgets.themes import THEMES
from qwenwatch_widgets.views.query import MarketQuery


class QwenwatchApp(App[None]):
    """Watches the market of LLM APIs."""

    TITLE = "qwenwatch"
    DEFAULT_MODE = "market"
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "refresh_feeds", "refresh", id="app.refresh", tooltip="Ask the feeds now"),
        Binding("p", "pause", "pause", id="app.pause", tooltip="Pause polling, or go on"),
        Binding("1", "place('market')", "Market", show=False, id="app.market",
                tooltip="To the Market screen"),
        Binding("3", "place('prices')", "Prices", show=False, id="app.prices",
                tooltip="To the Prices screen"),
        Binding("4", "switch_mode('definitions')", "Definitions", show=False, id="app.definitions",
                tooltip="To the Definitions screen"),
        Binding("5", "place('claims')", "Claims", show=False, id="app.claims",
                tooltip="To the Claims screen"),
        Binding("6", "switch_mode('changes')", "Changes", show=False, id="app.changes",
                tooltip="To the Changes screen"),
        Binding("7,F", "switch_mode('feeds')", "Feeds", show=False, id="app.feeds",
                tooltip="To the Feeds screen"),
        Binding("T", "theme", "Theme", show=False, id="app.theme",
                tooltip="Dark, light or terminal colours"),
        Binding("question_mark", "help", "help", id="app.help", key_display="?",
                tooltip="Keys, and what the figures are"),
        Binding("q", "quit", "quit", id="app.quit", tooltip="Leave the program"),
    ]  # fmt: skip

    def __init__(
        self,
        answers: Answers,
        *,
        query: MarketQuery = MarketQuery(),  # noqa: B008 (frozen)
        theme: str | None = None,
        poll: bool = True,
    ) -> None:
        """Make the program.

        Args:
            answers: Answers the questions of the screens.
            query: What the Market screen asks for first.
            theme: Name of a theme: "dark", "light", "ansi" or one of Textual's.
            poll: Whether to poll the feeds.
        """
        super().__init__()
        for each in THEMES:
            self.register_theme(each)
        self.theme = theme if theme in self.available_themes else THEMES[0].name
        # Otherwise the style sheet is parsed for Textual's default theme first.
        self.stylesheet.set_variables(self.get_css_variables())
        self._answers = answers
        self._poll = poll
        self._pulses: Signal[Pulse] = Signal(self, "pulses")
        self._poller = Poller(answers, self._pulses.publish)
        desk = Desk(answers, self._pulses, lambda: self._poller.pulse, is_ascii_only())
        self.add_mode("market", lambda: self._market_screen(desk, query))
        for question in ("definitions", "changes"):
            self.add_mode(question, partial(tables_screen, desk, question))
        self.add_mode("prices", partial(prices_screen, desk, query.baseline))
        self.add_mode("claims", partial(claims_screen, desk))
        self.add_mode("feeds", partial(feeds_screen, desk))

    def on_mount(self) -> None:
        """Begin to poll once the first screen is painted."""
        with suppress(NotImplementedError, RuntimeError):  # no such signal, or not the main thread
            # Ended from outside the terminal is left as tidy as with the key.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit, None, 143)
        if self._poll:
            self.call_after_refresh(self.run_worker, self._poller.run(), group="poll")

    async def on_unmount(self) -> None:
        """Let go of the data side."""
        await self._answers.close()

    @on(TopLines.PlaceSelected)
    def _go_to_place(self, event: TopLines.PlaceSelected) -> None:
        self.simulate_key(event.key)

    def action_refresh_feeds(self) -> None:
        """Ask the feeds now."""
        self._poller.refresh_now()
        self._say("Asking the feeds…" if self._poll else "This run does not poll")

    def action_pause(self) -> None:
        """Pause polling, or go on."""
        if self._poll:
            self._poller.toggle_pause()
        else:
            self._say("This run does not poll")

    def action_place(self, mode: str) -> None:
        """Go to a screen, closing what lies over it.

        Args:
            mode: Name of its mode.
        """
        self.switch_mode(mode)
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def action_theme(self) -> None:
        """Switch to the next theme."""
        names = [each.name for each in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
        self._say(f"Theme: {self.theme}")

    def action_help(self) -> None:
        """Show the keys of the screen in front, and what its figures are."""
        # Loaded when first wanted: the first paint does not wait for it.
        from qwenwatch.screens.help import HelpScreen

        if isinstance(self.screen, Page):
            self.push_screen(HelpScreen(self.screen, self.screen.name_shown, self.screen.notes()))

    def _market_screen(self, desk: Desk, query: MarketQuery) -> MarketScreen:
        screen = MarketScreen(desk, query, self._answers.ready_market())
        # Set before the first paint, the classes of the terminal's size cost no second styling.
        screen.add_class(*classes_of(self.size))
        return screen

    def _say(self, text: str) -> None:
        if isinstance(self.screen, Page):
            self.screen.say(text)
