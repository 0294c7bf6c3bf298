"""Views out of JSON, for the ready file and for the process that answers questions.

The way there is `dataclasses.asdict` and `json.dumps`.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

View = TypeVar("View")


def from_plain(kind: type[View], plain: Any) -> View:
    """Build a view from what `json.loads` gave.

    Raises:
        ValueError: It is not of that kind (an older program may have written it).
    """
    try:
        built: View = _builder(cast(Hashable, kind))(plain)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no {kind.__name__}: {error}") from error
    return built


@cache
def _builder(kind: Any) -> Callable[[Any], Any]:
    """What builds values of a kind; found out once, for a table may have ten thousand cells."""
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        parts = {field.name: _builder(hints[field.name]) for field in fields(kind)}
        return lambda plain: kind(**{name: parts[name](value) for name, value in plain.items()})
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _union(get_args(kind))
    if origin is tuple:
        item = _builder(get_args(kind)[0])

        def listed(plain: Any) -> Any:
            if not isinstance(plain, list):
                raise TypeError(f"{plain!r:.40} is no list")
            return tuple([item(value) for value in plain])

        return listed
    if origin is Mapping:
        return _mapping
    if origin is Literal:
        return _literal(frozenset(get_args(kind)))
    return _leaf(kind)


def _mapping(plain: Any) -> Any:
    """Texts by name, the only mappings that views hold."""
    if not isinstance(plain, dict) or not all(isinstance(one, str) for one in plain.values()):
        raise TypeError(f"{plain!r:.40} holds more than texts")
    return plain


def _union(kinds: tuple[Any, ...]) -> Callable[[Any], Any]:
    builders = [_builder(one) for one in kinds if one is not type(None)]
    by_type = {one: _builder(one) for one in kinds if isinstance(one, type)}
    if float in by_type:
        by_type.setdefault(int, by_type[float])
    if type(None) in kinds:
        by_type[type(None)] = lambda plain: None
    return lambda plain: by_type.get(type(plain), builders[0])(plain)


def _literal(values: frozenset[Any]) -> Callable[[Any], Any]:
    def one_of(plain: Any) -> Any:
        if plain not in values:
            raise TypeError(f"{plain!r:.40} is none of {sorted(values)}")
        return plain

    return one_of


def _leaf(kind: Any) -> Callable[[Any], Any]:
    wanted = (int, float) if kind is float else (kind,)

    def leaf(plain: Any) -> Any:
        if type(plain) not in wanted:
            raise TypeError(f"{plain!r:.40} is no {kind.__name__}")
        return plain

    return leaf
