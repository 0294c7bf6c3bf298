"""Bars on standard error that show how a round over the feeds goes."""

import contextlib
from collections.abc import Iterator
from typing import Protocol


class Bars(Protocol):
    """What shows progress, or nothing."""

    def advance(self, feed: str, made: int, all_of_them: int) -> None:
        """Show how many requests of a feed are made, and how many there are."""

    def out_of_the_way(self) -> contextlib.AbstractContextManager[None]:
        """Leave the terminal to something that is printed."""


class _NoBars:
    def advance(self, feed: str, made: int, all_of_them: int) -> None:
        pass

    def out_of_the_way(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


@contextlib.contextmanager
def progress_bars(*, shown: bool) -> Iterator[Bars]:
    """Show bars while the context lasts; they leave nothing behind.

    Args:
        shown: Whether there is a terminal to show them on.
    """
    if not shown:
        yield _NoBars()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

    class _RichBars:
        def __init__(self, progress: Progress) -> None:
            self._progress = progress
            self._tasks: dict[str, TaskID] = {}

        def advance(self, feed: str, made: int, all_of_them: int) -> None:
            if feed not in self._tasks:
                self._tasks[feed] = self._progress.add_task(feed, total=all_of_them)
            task = self._tasks[feed]
            done = made == all_of_them
            self._progress.update(task, completed=made, total=all_of_them, visible=not done)

        @contextlib.contextmanager
        def out_of_the_way(self) -> Iterator[None]:
            self._progress.stop()
            try:
                yield
            finally:
                self._progress.start()

    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn())
    # Standard output is for data, so it is not drawn into the bars' console.
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        yield _RichBars(progress)
