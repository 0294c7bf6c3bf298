"""Views as plain values and back, for the ready file and for the process that answers questions."""

from typing import Any, TypeVar

import msgspec

Kind = TypeVar("Kind")


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes from the data to the screen, or is asked for: ready text and plain values."""


def to_plain(view: msgspec.Struct) -> Any:
    """A view as what `json.dumps` takes."""
    return msgspec.to_builtins(view)


def from_plain(kind: type[Kind], plain: Any) -> Kind:
    """Build a view from what `json.loads` gave.

    Raises:
        ValueError: It is not of that kind (an older program may have written it).
    """
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"this is no {kind.__name__}: {error}") from error
