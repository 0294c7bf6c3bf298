"""Panes beside each other, or one under the other where there is little room."""

from typing import ClassVar

from qwenwatch.screens.page import Page

PANES = ("leaders", "panels", "prices")
"""Ids of the panes, in the order in which the keys go through them."""


class PanedPage(Page):
    """Shares the room among `PANES`, or gives all of it to one.

    Where there is little room the prices take that of the others while they have the keys; where
    there is hardly any (``-low``), so do the panels.
    """

    DEFAULT_CSS: ClassVar[str] = """
    PanedPage {
        layout: grid;
        grid-size: 2;
        grid-columns: 68 1fr;
        grid-rows: 2 2fr 1fr 2 1;
        & > TopLines, & > StatusLines, & > KeyBar, & > #prices { column-span: 2; }
        &.-narrow, &.-short, &.-low, &.-zoomed {
            layout: vertical;
            & > ViewTable { height: 1fr; }
            & > #panels { height: 7; scrollbar-size-vertical: 0; }
            & > #prices { display: none; }
        }
        &.-narrow.-on-prices, &.-short.-on-prices, &.-low.-on-prices, &.-zoomed {
            & > ViewTable, & > PanelGrid { display: none; }
        }
        &.-narrow.-on-prices, &.-short.-on-prices, &.-low.-on-prices {
            & > #prices { display: block; }
        }
        &.-low > #panels { display: none; }
        &.-low.-on-panels > #leaders { display: none; }
        &.-low.-on-panels > #panels { display: block; height: 1fr; }
        &.-zoomed > .-zoom { display: block !important; height: 1fr !important; }
    }
    """

    def action_zoom(self) -> None:
        """Give the focused pane the whole screen, or take it back."""
        if self.has_class("-zoomed"):
            self.action_unzoom()
        elif self.focused is not None:
            self.focused.add_class("-zoom")
            self.add_class("-zoomed")

    def action_unzoom(self) -> None:
        """Show all panes again."""
        if self.has_class("-on-prices") or self.has_class("-low", "-on-panels"):
            self.action_focus_pane("leaders")
        self.remove_class("-zoomed")
        self.query(".-zoom").remove_class("-zoom")

    def action_pane(self, step: int) -> None:
        """Give the keys to the next pane or the one before."""
        focused = self.focused.id if self.focused else None
        at = PANES.index(focused) if focused in PANES else 0
        self.action_focus_pane(PANES[(at + step) % len(PANES)])

    def action_focus_pane(self, pane: str) -> None:
        """Give the keys to a pane; one that has no room beside the others takes theirs."""
        self.remove_class("-zoomed")
        self.query(".-zoom").remove_class("-zoom")
        for each in ("panels", "prices"):
            self.set_class(pane == each, f"-on-{each}")
        self.query_one(f"#{pane}").focus()
