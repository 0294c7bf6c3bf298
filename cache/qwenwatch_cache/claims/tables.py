"""A table of a file of claims, key by key: what is not understood is refused with its place."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from qwenwatch_cache.claims.claim import UNITS, Measure
from qwenwatch_cache.claims.figure import Figure, read_figure
from qwenwatch_cache.claims.period import Period, read_period
from qwenwatch_cache.errors import QwenwatchError

LONGEST = 600
"""Letters of a text."""

Choice = TypeVar("Choice", bound=str)


class ClaimError(QwenwatchError):
    """A file of claims cannot be used; the message names file, claim, key, and what fits."""


class Table:
    """A table of the file whose keys are taken one by one."""

    def __init__(self, where: str, name: str, table: object) -> None:
        """Take a table.

        Args:
            where: Name of the file.
            name: What the table is called in messages.
            table: What the file holds there.

        Raises:
            ClaimError: It is no table.
        """
        self.where, self.name = where, name
        if not isinstance(table, dict):
            raise ClaimError(f"{where}: {name}: expected a table, found {kind_of(table)}")
        self._rest: dict[str, Any] = dict(table)

    def fail(self, key: str, reason: str) -> ClaimError:
        """The error that says what is wrong with a key."""
        return ClaimError(f"{self.where}: {self.name}: {key}: {reason}")

    def take(self, key: str, kind: type, expected: str) -> Any:
        """The value of a key, None if it is not there.

        Raises:
            ClaimError: It is of another type; so with all below.
        """
        value = self._rest.pop(key, None)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise self.fail(key, f"expected {expected}, found {kind_of(value)} {shown(value)}")
        return value

    def text(self, key: str, pattern: re.Pattern[str] | None = None, expected: str = "") -> str:
        """A text, "" if it is not there."""
        value = self.take(key, str, 'text in quotes ("61 %" keeps its digits)')
        if value is None:
            return ""
        value = value.strip()
        if not value:
            raise self.fail(key, "is empty")
        if len(value) > LONGEST:
            raise self.fail(key, f"is longer than {LONGEST} letters")
        if not value.isprintable():
            raise self.fail(key, f"holds characters that cannot be printed: {shown(value)}")
        if pattern is not None and not pattern.fullmatch(value):
            raise self.fail(key, f"expected {expected}, found {shown(value)}")
        return cast(str, value)

    def needed(self, key: str, pattern: re.Pattern[str] | None = None, expected: str = "") -> str:
        """A text that must be there."""
        value = self.text(key, pattern, expected)
        if not value:
            raise self.fail(key, "is missing")
        return value

    def choice(self, key: str, choices: Sequence[Choice], default: Choice) -> Choice:
        """One of some words."""
        value = self.text(key)
        if value and value not in choices:
            raise self.fail(key, f"expected one of {', '.join(choices)}, found {shown(value)}")
        return cast(Choice, value) if value else default

    def texts(self, key: str, pattern: re.Pattern[str], expected: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self.take(key, list, f"a list of {expected}") or []
        for value in values:
            if not isinstance(value, str) or not pattern.fullmatch(value):
                raise self.fail(key, f"expected a list of {expected}, found {shown(value)} in it")
        return tuple(values)

    def number(self, key: str, most: int) -> int:
        """A whole number above 0, or 0 if it is not there."""
        value = self.take(key, int, f"a whole number from 1 to {most}")
        if value is not None and not 1 <= value <= most:
            raise self.fail(key, f"expected a whole number from 1 to {most}, found {shown(value)}")
        return cast(int, value or 0)

    def period(self, key: str) -> Period | None:
        """A time."""
        value = self.text(key)
        try:
            return read_period(value) if value else None
        except ValueError as error:
            raise self.fail(key, f"{shown(value)} {error}") from error

    def figure(self, measure: Measure) -> Figure:
        """The value of the claim."""
        value, precision = self.needed("value"), self.text("precision")
        try:
            return read_figure(value, UNITS[measure], precision)
        except ValueError as error:
            raise self.fail("value", f"{shown(value)} {error}") from error

    def table(self, key: str) -> "Table":
        """A table within, an empty one if it is not there."""
        value = self.take(key, dict, "a table")
        return Table(self.where, f"{self.name}: {key}", value or {})

    def has(self, key: str) -> bool:
        """Whether a key is there and not taken yet."""
        return key in self._rest

    def finish(self, allowed: str) -> None:
        """Refuse keys that nobody took."""
        if self._rest:
            raise self.fail(
                shown(min(self._rest)), f"is no key of {allowed}; see docs/claims.md for all"
            )


def kind_of(value: object) -> str:
    """What a TOML value is, in a word or two."""
    names: Mapping[type, str] = {
        str: "text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")


def shown(value: object) -> str:
    """A found value for a message: short, in quotes, and harmless to a terminal."""
    text = ascii(value) if not isinstance(value, str) or not value.isprintable() else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
