"""The Claims screen: published figures with their verdicts, and each with its arithmetic."""

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from qwenwatch.screens.page import Desk
from qwenwatch.screens.tables import TablesScreen
from qwenwatch_widgets.tables import ViewTable
from qwenwatch_widgets.views.query import TablesQuery


class ClaimsScreen(TablesScreen):
    """All claims; a row opens what was tried for it."""

    OPENS = 1

    _left = False

    def __init__(self, desk: Desk) -> None:
        """Make the screen.

        Args:
            desk: What it works with.
        """
        super().__init__(desk, "claims")

    def on_screen_suspend(self) -> None:
        """Remember that other screens come to the front."""
        self._left = True

    def on_screen_resume(self) -> None:
        """Look again: a figure may have been remembered meanwhile."""
        if self._left:
            self._left = False
            self.reload()

    @on(ViewTable.RowSelected)
    def _open_claim(self, event: ViewTable.RowSelected) -> None:
        self.app.push_screen(ClaimScreen(self.desk, event.row.key))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Claims have times of their own: none is chosen here."""
        return action not in {"grain", "step"} and super().check_action(action, parameters)


class ClaimScreen(TablesScreen):
    """One claim with its arithmetic under every scope that tells something."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "leave", "back", id="claim.back", key_display="esc",
                tooltip="Back from zoom, or to the claims"),
    ]  # fmt: skip

    def __init__(self, desk: Desk, claim: str) -> None:
        """Make the screen.

        Args:
            desk: What it works with.
            claim: Id of the claim.
        """
        super().__init__(desk, "claim")
        self.query_wanted = self._query_shown = TablesQuery("claim", subject=claim)

    def action_leave(self) -> None:
        """Show all tables again, or go back to the claims."""
        if not self.stack.unzoom():
            self.app.pop_screen()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A claim has a time of its own: none is chosen here."""
        return action not in {"grain", "step"} and super().check_action(action, parameters)
