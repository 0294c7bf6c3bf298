"""Views out of JSON, for the ready file and for the process that answers questions.

The way there is `dataclasses.asdict` and `json.dumps`.
"""

from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

View = TypeVar("View")


def from_plain(kind: type[View], plain: Any) -> View:
    """Build a view from what `json.loads` gave.

    Raises:
        ValueError: It is not of that kind (an older program may have written it).
    """
    try:
        built: View = _build(kind, plain)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no {kind.__name__}: {error}") from error
    return built


def _build(kind: Any, plain: Any) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _build(hints[name], value) for name, value in plain.items()})
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        if plain is None and type(None) in get_args(kind):
            return None
        choices = [one for one in get_args(kind) if one is not type(None)]
        fitting = [
            one for one in choices if type(plain) is one or (one is float and type(plain) is int)
        ]
        return _build(fitting[0] if fitting else choices[0], plain)
    if origin is tuple:
        item = get_args(kind)[0]
        if not isinstance(plain, list):
            raise TypeError(f"{plain!r:.40} is no list")
        return tuple(_build(item, value) for value in plain)
    if origin is Literal:
        if plain not in get_args(kind):
            raise TypeError(f"{plain!r:.40} is none of {get_args(kind)}")
        return plain
    return _leaf(kind, plain)


def _leaf(kind: Any, plain: Any) -> Any:
    wanted = (int, float) if kind is float else (kind,)
    if type(plain) not in wanted:
        raise TypeError(f"{plain!r:.40} is no {kind.__name__}")
    return plain


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
