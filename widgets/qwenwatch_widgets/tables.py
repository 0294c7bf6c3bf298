"""A table to work with: sorted, searched, filtered and marked."""

from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType

from qwenwatch_widgets.order import Sort, first_direction, following, index_of, sortable
from qwenwatch_widgets.prompt import Outcome, Prompt
from qwenwatch_widgets.row_table import RowTable, hidden


class ViewTable(RowTable):
    """Shows one `TableView`; cursor, scroll, sort, filter and marks survive a new view by key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask('/')", "find", id="table.find", tooltip="Find a text in the rows"),
        hidden("n", "next(1)", "next", "Next row found"),
        hidden("N", "next(-1)", "previous", "Previous row found"),
        Binding("f", "ask('f')", "filter", id="table.filter", tooltip="Show only rows with a text"),
        Binding("s", "sort", "sort", id="table.sort", tooltip="Sort by the next column"),
        hidden("S", "reverse", "reverse", "Reverse the direction of the sort"),
        hidden("space", "mark", "mark", "Mark the row, to compare its model with others"),
        hidden("escape", "show_all", "show-all", "Show all rows again"),
    ]

    _prompt: Prompt | None = None

    @property
    def marked(self) -> frozenset[str]:
        """Keys of the marked rows."""
        return frozenset(self._marks)

    def on_blur(self) -> None:
        """Leave a line that was being typed as it is."""
        self._prompt = None
        self.show_titles()

    def on_key(self, event: events.Key) -> None:
        """Take the keys of a line that is being typed."""
        if self._prompt is None:
            return
        outcome = self._prompt.press(event.key, event.character)
        if outcome is Outcome.PASSED:
            return
        event.stop()
        event.prevent_default()
        self._typed(self._prompt, outcome)

    def heading_clicked(self, index: int) -> None:
        """Sort by the column, or the other way round."""
        self._sort_on(index)

    def subtitle(self) -> str:
        """Show the line being typed, or what is found and filtered."""
        if self._prompt is not None:
            kind = "find" if self._prompt.kind == "/" else "filter"
            return f"{kind}: {self._prompt.text}▏{self._missed()}"
        if self.filter_text:
            shown = f"filter: {self.filter_text} · {len(self.rows)} of {len(self.view.rows)}"
            return shown + self._missed()
        return f"find: {self.found}{self._missed() or ' · n N'}" if self.found else ""

    def rearrange(self) -> None:
        """Put the rows in order, and say anew whether the text sought is among them."""
        super().rearrange()
        if self.found:
            self.show_titles()

    def action_ask(self, kind: str) -> None:
        """Begin to type a text to find ("/") or to filter by ("f")."""
        before = self.found if kind == "/" else self.filter_text
        self._prompt = Prompt(kind, before, self.cursor)
        self.show_titles()

    def action_next(self, step: int) -> None:
        """Go to the next row found, or to the one before."""
        if not self.found:
            raise SkipAction()
        index = following(self.rows, self.found, self.cursor + step, step)
        if index is not None:
            self.cursor = index

    def action_sort(self) -> None:
        """Sort by the next column shown, after the last one by none."""
        columns = [each.at for each in self._placed if sortable(self.view, each.at)]
        at = index_of(self.view, self.sort_by.column) if self.sort_by else None
        later = [index for index in columns if at is None or index > at]
        if later:
            self._sort_on(later[0])
        else:
            self.sort_by = None

    def action_reverse(self) -> None:
        """Reverse the direction of the sort."""
        if self.sort_by is not None:
            self.sort_by = Sort(self.sort_by.column, not self.sort_by.descending)

    def action_mark(self) -> None:
        """Mark the row of the cursor, or take its mark away."""
        if self.row is not None:
            self._marks ^= {self.row.key}
            self._refresh_row(self.cursor)

    def action_show_all(self) -> None:
        """End filter and find."""
        if not self.filter_text and not self.found:
            raise SkipAction()
        self.filter_text = ""
        self.found = ""

    def _missed(self) -> str:
        """Say that no row shown has the text that is sought."""
        if not self.found or following(self.rows, self.found, 0, 1) is not None:
            return ""
        return f" · No row matches {self.found!r}"

    def _typed(self, prompt: Prompt, outcome: Outcome) -> None:
        text = prompt.before if outcome is Outcome.DROPPED else prompt.text
        if outcome is not Outcome.TYPED:
            self._prompt = None
        if prompt.kind == "f":
            self.filter_text = text
        else:
            self.found = text
            index = following(self.rows, text, prompt.origin, 1) if text else None
            self.cursor = prompt.origin if index is None else index
        self.show_titles()

    def _sort_on(self, index: int) -> None:
        if not sortable(self.view, index):
            return
        key, descending = self.view.columns[index].key, first_direction(self.view, index)
        if self.sort_by is not None and self.sort_by.column == key:
            descending = not self.sort_by.descending
        self.sort_by = Sort(key, descending)
