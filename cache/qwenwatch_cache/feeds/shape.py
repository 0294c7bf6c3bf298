"""What a decoder found wrong with a body, in words that name the field."""

import re

_WHERE = re.compile(
    r"^(?P<what>.*?)(?: - at (?P<in_key>`key` in )?`\$?\.?(?P<path>.*)`)?$", re.DOTALL
)
_TYPES = re.compile(r"^Expected `(?P<wanted>[^`]+)`, got `(?P<found>[^`]+)`$")
_BOUND = re.compile(r"^Expected `(?P<wanted>[^`]+)` (?P<sign>[<>]=?) (?P<limit>\S+)$")
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]+)`$")

_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "number": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}

_BOUNDS = {">=": "not below", "<=": "not above", ">": "above", "<": "below"}

LONGEST_NAME = 96
"""Characters of a row's name that a message repeats: it comes from the feed."""


def describe(error: Exception, row: str = "") -> str:
    """Say which field of which row is what, and what it should be.

    Args:
        error: A msgspec.ValidationError, or another error of decoding.
        row: Name of the row that was decoded, "" for the whole answer.

    Returns:
        "pricing.prompt of qwen/qwen3-max is a list, expected a text", say.
    """
    match = _WHERE.match(str(error))
    what, path = (match["what"], match["path"] or "") if match else (str(error), "")
    if match and match["in_key"]:
        path = f"a key of {path}".removesuffix(" of ")
    if missing := _MISSING.match(what):
        return f"{_place(_join(path, missing['field']), row)} is missing"
    if types := _TYPES.match(what):
        wanted = " or ".join(_WORDS.get(one, one) for one in types["wanted"].split(" | "))
        found = _WORDS.get(types["found"], types["found"])
        return f"{_place(path, row)} is {found}, expected {wanted}"
    if bound := _BOUND.match(what):
        wanted = _WORDS.get(bound["wanted"], bound["wanted"])
        limit = f"{_BOUNDS[bound['sign']]} {bound['limit']}"
        return f"{_place(path, row)} is out of bounds, expected {wanted} {limit}"
    return f"{_place(path, row)}: {what.replace('`', '')}"


def _join(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field


def _place(path: str, row: str) -> str:
    row = row[:LONGEST_NAME]
    if path and row:
        return f"{path} of {row}"
    return path or row or "the answer"
