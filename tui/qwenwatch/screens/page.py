"""What all screens share: they ask in the background, and an error becomes a line."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import ClassVar, NamedTuple, TypeVar

from msgspec.structs import replace
from textual import getters
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.signal import Signal
from textual.timer import Timer

from qwenwatch.answers import Answers, AnswersError
from qwenwatch.screens.pulse import Pulse
from qwenwatch_widgets.headline import StatusLines, TopLines
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.text import plain
from qwenwatch_widgets.views.claim_draft import Claimable
from qwenwatch_widgets.views.market import Choice
from qwenwatch_widgets.views.query import TablesQuery

Answer = TypeVar("Answer")

PLACES = (
    Choice("1", "Market"),
    Choice("3", "Prices"),
    Choice("4", "Definitions"),
    Choice("5", "Claims"),
    Choice("6", "Changes"),
    Choice("7", "Feeds"),
)
"""Screens that can be gone to, by their key."""

LEAST_COMPARED = 2
"""Models that there is something to compare of."""

LAST_KEYS = ("app.help", "app.quit")
"""Bindings that the line of keys never leaves out."""

NOTE_SECONDS = 4.0

SOON_SECONDS = 0.15
"""An answer that comes sooner needs no word about waiting for it: that would only flicker."""

COMPUTING = "Computing … until then the figures are those of before"

NO_FIGURE = "There is no figure here that a claim can be made of"

NOTHING_TO_ASK = "Nothing to ask: every feed was asked within a minute, or wants to be left alone"


class Desk(NamedTuple):
    """What a screen works with.

    Attributes:
        answers: Answers its questions.
        pulses: Tells how polling goes, from now on.
        pulse: How polling goes now.
        ascii_only: Whether sparklines do without block elements.
    """

    answers: Answers
    pulses: Signal[Pulse]
    pulse: Callable[[], Pulse]
    ascii_only: bool


class Page(Screen[None]):
    """A screen of the program."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="page.copy", tooltip="Copy the figures under the cursor"),
        Binding("Y", "cite", "Copy with citation", show=False, id="page.cite",
                tooltip="Copy it with definition, source and date"),
        Binding("c", "remember", "Claim", show=False, id="page.remember",
                tooltip="Remember the figure as a claim, to be checked from now on"),
    ]  # fmt: skip

    status = getters.query_one(StatusLines)

    def __init__(self, desk: Desk) -> None:
        """Make a screen.

        Args:
            desk: What it works with.
        """
        super().__init__()
        self.desk = desk
        self._problems: dict[str, str] = {}
        self._soon: dict[str, Timer] = {}
        self._unsaying: Timer | None = None

    def on_mount(self) -> None:
        """Follow the polling, and ask for what the screen shows."""
        self.desk.pulses.subscribe(self, self._on_pulse)
        self._show_status()
        self.reload()

    @property
    def name_shown(self) -> str:
        """What the screen is called."""
        return self.query_one(TopLines).here

    def reload(self) -> None:
        """Ask again for what the screen shows."""
        raise NotImplementedError

    def notes(self) -> tuple[str, ...]:
        """Say what the figures of the screen are, for the help."""
        view = self.status.view
        return tuple(text for text in (view.summary, view.caveat, view.source, view.health) if text)

    def under_cursor(self) -> tuple[str, str]:
        """Give the figures under the cursor as text, and with their citation."""
        row = self.focused.row if isinstance(self.focused, ViewTable) else None
        if row is None:
            return "", ""
        cells = (plain(cell.text).strip() for cell in row.cells)
        return "\t".join(cell for cell in cells if cell), plain(row.cite)

    def action_copy(self) -> None:
        """Copy the figures under the cursor."""
        self._copy(self.under_cursor()[0])

    def action_cite(self) -> None:
        """Copy the figure under the cursor with its citation."""
        self._copy(self.under_cursor()[1])

    def claimable(self) -> Claimable:
        """Give the claim that the figure under the cursor makes, or why it makes none."""
        row = self.focused.row if isinstance(self.focused, ViewTable) else None
        return row.claim if row is not None else ""

    def action_remember(self) -> None:
        """Make a claim of the figure under the cursor."""
        claim = self.claimable()
        if isinstance(claim, str):
            self.say(claim or NO_FIGURE)
            return
        self.ask(self.desk.answers.remember(claim), self.say, failed="Not a claim", group="claim")

    def compare(self, models: Sequence[str], query: TablesQuery) -> None:
        """Show marked models side by side.

        Args:
            models: Their canonical ids.
            query: At which time and on which terms.
        """
        if len(models) < LEAST_COMPARED:
            self.say("Mark two models or more with space to compare them")
            return
        # Loaded when first wanted: the first paint does not wait for it.
        from qwenwatch.screens.compare import CompareScreen

        wanted = replace(query, question="compare", models=tuple(models))
        self.app.push_screen(CompareScreen(self.desk, wanted))

    def say(self, text: str) -> None:
        """Answer a key in the status lines, for a few seconds.

        Args:
            text: What to say.
        """
        self.status.note = text
        if self._unsaying is not None:
            self._unsaying.stop()  # the same said again is to be read for as long again
        self._unsaying = self.set_timer(NOTE_SECONDS, self._unsay)

    def ask(
        self,
        question: Awaitable[Answer],
        apply: Callable[[Answer], None],
        *,
        failed: str = "",
        group: str = "ask",
        switched: bool = False,
    ) -> None:
        """Await an answer in the background and apply it.

        A new question takes the place of the one before of its group. An error becomes a line on
        the screen, and everything else stays as it is.

        Args:
            question: The question asked.
            apply: What to do with the answer.
            failed: What could not be done, put before the reason.
            group: Questions that do not take each other's place have different ones.
            switched: Whether what is shown until then is of something else, which is to be said.
        """
        if switched and group not in self._soon:
            self._soon[group] = self.set_timer(SOON_SECONDS, self._show_waiting)
        work: Coroutine[None, None, None] = self._answer(question, apply, failed, group)
        self.run_worker(work, group=group, exclusive=True)

    def failed(self) -> None:
        """React to a question that got no answer."""

    async def _answer(
        self, question: Awaitable[Answer], apply: Callable[[Answer], None], failed: str, group: str
    ) -> None:
        try:
            apply(await question)
        except AnswersError as error:
            self._problems[group] = f"{failed}: {error}" if failed else str(error)
            self.failed()
        except Exception as error:
            # Whatever it is, the figures on the screen are better than a traceback.
            self.log.error(error)
            said = f"{failed or 'Internal error'}: {type(error).__name__}: {error}"
            self._problems[group] = said
            self.failed()
        else:
            self._problems.pop(group, None)
        # Not reached where another question took the place of this one: that is waited for now.
        if group in self._soon:
            self._soon.pop(group).stop()
            self.status.waiting = ""
        self._show_status()

    def _show_waiting(self) -> None:
        self.status.waiting = COMPUTING

    def _copy(self, text: str) -> None:
        if text:
            self.app.copy_to_clipboard(text)
            self.say(f"Copied: {text}")
        else:
            self.say("There is nothing to copy here")

    def _on_pulse(self, pulse: Pulse) -> None:
        self._show_status()
        if pulse.asked and self.is_current:
            self.say(" · ".join(pulse.lines) or NOTHING_TO_ASK)
        if pulse.changed:
            self.reload()

    def _show_status(self) -> None:
        pulse = self.desk.pulse()
        self.status.paused = pulse.paused
        self.status.problem = next(iter(self._problems.values()), "") or pulse.problem

    def _unsay(self) -> None:
        self.status.note = ""


_DAYS = {"day": 1, "week": 7, "month": 30}
"""Days of a window, about."""


def steps_about(steps: int, grain: str, other: str) -> int:
    """About as far back as so many steps of a length, in steps of another length."""
    return round(steps * _DAYS[grain] / _DAYS[other])
