"""The copy of the vendor table that is read says what the table says that people edit."""

import json
import tomllib
from importlib.resources import files


def test_the_copy_says_what_the_table_says() -> None:
    folder = files("qwenwatch_cache")
    table = tomllib.loads(folder.joinpath("vendors.toml").read_text(encoding="utf-8"))["vendor"]
    copy = json.loads(folder.joinpath("vendors.json").read_text(encoding="utf-8"))
    assert copy == table, "run `python cache/scripts/make_vendors.py`"
