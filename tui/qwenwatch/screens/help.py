"""The keys of the screen in front, and what its figures are."""

from collections.abc import Iterator
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from qwenwatch_widgets.text import plain

_KEY_CELLS = 9


class HelpScreen(ModalScreen[None]):
    """Lists the keys by where they work, then says what the figures are and are not."""

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        & > VerticalScroll {
            width: 112; max-width: 100%; height: auto; max-height: 100%;
            layout: grid; grid-size: 2; grid-rows: auto; grid-gutter: 0 2;
            border: round $border; padding: 0 1;
            background: $surface; border-title-color: $accent; border-subtitle-color: $text-muted;
            & > Static { height: auto; background: $surface; }
            & > #figures { column-span: 2; margin-top: 1; }
        }
        &.-narrow > VerticalScroll {
            grid-size: 1;
            & > #figures { column-span: 1; }
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Back", id="help.back", tooltip="Back"),
        Binding("j", "scroll_down", "Down", show=False, id="help.down"),
        Binding("k", "scroll_up", "Up", show=False, id="help.up"),
    ]

    def __init__(self, screen: Screen[Any], title: str, notes: tuple[str, ...]) -> None:
        """Make the help of a screen.

        Args:
            screen: The screen in front.
            title: Its name.
            notes: What its figures are and are not.
        """
        super().__init__()
        self._title = title
        self._notes = notes
        self._groups: dict[str, list[tuple[Binding, str]]] = {}
        for active in screen.active_bindings.values():
            if not active.tooltip:
                continue
            if active.node is screen:
                group = f"On {title}"
            else:
                group = "Everywhere" if active.node is screen.app else "In this pane"
            self._groups.setdefault(group, []).append((active.binding, active.tooltip))

    def compose(self) -> ComposeResult:
        """Make two columns of keys and a paragraph about the figures."""
        with VerticalScroll() as box:
            box.border_title = Content.styled(f"Keys · {plain(self._title)}", "bold")
            box.border_subtitle = Content("esc back")
            here = f"On {self._title}"
            yield Static(self._keys([group for group in self._groups if group != here]))
            yield Static(self._keys([here]))
            if self._notes:
                yield Static(Content("\n").join(self._figures()), id="figures")

    def on_mount(self) -> None:
        """Give the keys to the list, so that it scrolls."""
        self.query_one(VerticalScroll).focus()

    def _keys(self, groups: list[str]) -> Content:
        lines = []
        for group in groups:
            lines.append(Content.styled(group, "bold"))
            for does, keys in self._by_action(group).items():
                written = " ".join(keys)
                lines.append(
                    Content.assemble((f"{written:<{_KEY_CELLS}} ", "$accent"), plain(does))
                )
            lines.append(Content(""))
        return Content("\n").join(lines[:-1])

    def _by_action(self, group: str) -> dict[str, list[str]]:
        # Several keys of one action stand on one line, under what the program itself says of it.
        tooltips = {binding.action: tooltip for binding, tooltip in self._groups[group]}
        keys: dict[str, list[str]] = {}
        for binding, _ in self._groups[group]:
            does = tooltips[binding.action]
            keys.setdefault(does, []).append(self.app.get_key_display(binding))
        return keys

    def _figures(self) -> Iterator[Content]:
        yield Content.styled("What these figures are", "bold")
        for note in self._notes:
            yield Content(plain(note))
