"""What is said of a value out of its bounds."""

from typing import Annotated

import msgspec
import pytest

from qwenwatch_cache.feeds.shape import describe


class Model(msgspec.Struct):
    downloads: Annotated[int, msgspec.Meta(ge=0, le=10)]


@pytest.mark.parametrize(
    ("value", "bound"),
    [(b"-1", "a whole number not below 0"), (b"11", "a whole number not above 10")],
)
def test_a_bound_is_named(value: bytes, bound: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(b'{"downloads": ' + value + b"}", type=Model)
    found = describe(caught.value, "Qwen/Qwen3-8B")
    assert found == f"downloads of Qwen/Qwen3-8B is out of bounds, expected {bound}"
