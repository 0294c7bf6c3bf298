"""Polling of the feeds, and what the screens are told about it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from qwenwatch.answers import Answers, AnswersError, FeedReport

_AFTER_FAILURE_SECONDS = 60.0
_AT_LEAST_SECONDS = 1.0


class Pulse(msgspec.Struct, frozen=True):
    """How polling goes.

    Attributes:
        changed: Whether there is something new to show.
        paused: Whether polling is paused.
        problem: Why the last round failed, "" where it did not.
        lines: One line per feed asked in the last round, or of the feed that has just been asked.
        asked: Whether the last round was wished for by the user.
    """

    changed: bool = False
    paused: bool = False
    problem: str = ""
    lines: tuple[str, ...] = ()
    asked: bool = False


class Poller:
    """Asks for a round over the feeds whenever one is due."""

    def __init__(self, answers: Answers, tell: Callable[[Pulse], None]) -> None:
        """Make a poller.

        Args:
            answers: Makes the rounds.
            tell: Is told after each feed and each round, and when polling is paused or goes on.
        """
        self.pulse = Pulse()
        self._answers = answers
        self._tell = tell
        self._wake = asyncio.Event()
        self._forced = False

    def refresh_now(self) -> None:
        """Make a round at once, also while paused."""
        self._forced = True
        self._wake.set()

    def toggle_pause(self) -> None:
        """Pause, or go on."""
        self._beat(Pulse(paused=not self.pulse.paused, problem=self.pulse.problem))
        self._wake.set()

    async def run(self) -> None:
        """Poll until cancelled."""
        due = 0.0
        while True:
            if self._forced or not self.pulse.paused:
                due = await self._round()
            timeout = None if self.pulse.paused else max(due, _AT_LEAST_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout)
            self._wake.clear()

    async def _round(self) -> float:
        forced, self._forced = self._forced, False
        try:
            report = await self._answers.refresh(force=forced, told=self._one_feed)
        except AnswersError as error:
            self._fail(str(error))
        except Exception as error:
            # A fault of the data side must not take the last good figures from the screen.
            self._fail(f"Polling failed: {type(error).__name__}: {error}")
        else:
            self._beat(
                replace(
                    self.pulse,
                    changed=report.changed,
                    problem="",
                    lines=report.lines,
                    asked=forced,
                )
            )
            return report.next_due_seconds
        return _AFTER_FAILURE_SECONDS

    def _one_feed(self, report: FeedReport) -> None:
        """Show what one feed brought while the others are still being asked."""
        if report.changed:
            self._beat(replace(self.pulse, changed=True, lines=(report.line,), asked=False))

    def _fail(self, problem: str) -> None:
        self._beat(replace(self.pulse, changed=False, problem=problem, asked=False))

    def _beat(self, pulse: Pulse) -> None:
        self.pulse = pulse
        self._tell(pulse)
