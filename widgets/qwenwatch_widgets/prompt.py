"""A line of text typed into the frame of a table."""

from enum import Enum

import msgspec


class Outcome(Enum):
    """What a key did to the line."""

    TYPED = "typed"
    DONE = "done"
    DROPPED = "dropped"
    PASSED = "passed"


class Prompt(msgspec.Struct):
    """A line being typed.

    Attributes:
        kind: Sign before the line: "/" finds, "f" filters.
        before: What to return to when the line is dropped.
        origin: Row from which the search began.
        text: The line so far.
    """

    kind: str
    before: str
    origin: int
    text: str = ""

    def press(self, key: str, character: str | None) -> Outcome:
        """Take one key.

        Args:
            key: Name of the key.
            character: Its character, if it has one.

        Returns:
            What the key did; one that is no business of the line is passed on.
        """
        if key == "escape":
            return Outcome.DROPPED
        if key == "enter":
            return Outcome.DONE
        if key == "backspace":
            self.text = self.text[:-1]
        elif key == "ctrl+u":
            self.text = ""
        elif character is not None and character.isprintable():
            self.text += character
        else:
            return Outcome.PASSED
        return Outcome.TYPED
