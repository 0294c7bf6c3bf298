"""A bundled baseline of a few models and weeks, for tests that ask many questions of it.

A question of the whole baseline takes twice as long. What the baseline itself holds has tests of
its own (tests/cache/test_baseline.py), and so have the figures that come out of it.
"""

from datetime import date
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from qwenwatch_cache.frames import TABLES
from qwenwatch_cache.store import reader

WHOLE = Path(str(files("qwenwatch_cache"))) / "baseline"
SINCE = date(2026, 7, 1)
MODELS = "qwen3-max|claude-opus-4|deepseek-v4|gpt-5.5|kimi-k3"
"""As a regular expression."""

KEPT = {
    "usage": pl.col("period") >= SINCE,
    "price": pl.col("model").str.contains(MODELS),
    "catalog": pl.col("model").str.contains(MODELS),
    "fx": pl.col("date") >= SINCE,
}


def make_little(package: Path) -> Path:
    """Write such a baseline into a folder that stands for the package it comes with."""
    (package / "baseline").mkdir(parents=True)
    for name in TABLES:
        rows = pl.read_parquet(WHOLE / f"{name}.parquet").filter(KEPT.get(name, pl.lit(True)))
        rows.write_parquet(package / "baseline" / f"{name}.parquet")
    return package


def use(package: Path, patch: pytest.MonkeyPatch) -> None:
    """Let the caches of this process stand on it."""
    patch.setattr(reader, "files", lambda name: package)
