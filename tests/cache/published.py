"""A small market of which all is known, and what a source publishes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, cast

import polars as pl
from hypothesis import strategies as st

from qwenwatch_cache.claims.claim import Claim, Kind, Measure, Said
from qwenwatch_cache.claims.figure import read_figure
from qwenwatch_cache.claims.period import Period
from qwenwatch_cache.market.definitions import DEFINITIONS, Definition
from qwenwatch_cache.market.directory import Model
from qwenwatch_cache.market.known import Known
from qwenwatch_cache.market.listings import Listing, listing
from qwenwatch_cache.market.totals import TOTALS
from qwenwatch_cache.market.usage_values import Value

DEFINITION = DEFINITIONS["tokens/openrouter-rankings"]
FIRST = date(2026, 2, 16)
COUNTRIES = ("CN", "US", "FR", "")


@dataclass
class Vendors:
    """Row "mN" is a model of vendor "vN", whose country is the N-th in turn."""

    with_free_variant: ClassVar[frozenset[str]] = frozenset()

    def model(self, feed: str, entity: str, provider: str = "") -> Model:
        return Model(entity, entity, f"v{entity[1:]}", mapped=True)

    def is_variant(self, entity: str) -> bool:
        """Whether a row is of a variant that is not the standard one."""
        return False

    def country(self, vendor: str) -> str:
        return COUNTRIES[int(vendor[1:]) % len(COUNTRIES)]


@dataclass
class Published:
    """What a source publishes of some days of which all is known: the first `named` of each."""

    days: Sequence[Sequence[int]]
    named: int
    directory: Vendors

    def totals(self, definition: Definition, by: str, grain: str) -> pl.DataFrame:
        rows: list[dict[str, Any]] = []
        for number, amounts in enumerate(self.days if grain == "day" else ()):
            order = sorted(range(len(amounts)), key=lambda at: (-amounts[at], at))
            first = [at for at in order[: self.named] if amounts[at]]
            stated = {f"m{at}": amounts[at] for at in first}
            rest = sum(amounts) - sum(stated.values())
            for entity, value in {**stated, **({"other": rest} if rest else {})}.items():
                if definition.standard_only and self.directory.is_variant(entity):
                    continue
                rows.append(
                    {
                        "start": FIRST + timedelta(days=number),
                        "feed": "openrouter-rankings",
                        "kind": "model",
                        "entity": entity,
                        "value": value,
                        "share": None,
                        "complete": True,
                        "scope": "",
                        "as_of": datetime(2026, 8, 1, tzinfo=UTC),
                    }
                )
        return pl.DataFrame(rows, schema=TOTALS)


def claim(measure: Measure, kind: Kind, of: str, to: str = "", top: int = 0) -> Claim:
    figure = read_figure("1", frozenset({"amount"}))
    return Claim("x", "x", Said(), measure, figure, kind, of, to, top=top)


World = tuple[list[list[int]], int]
"""Tokens of each row on each day, and how many rows of a day are named."""

worlds = st.integers(2, 9).flatmap(
    lambda models: st.tuples(
        st.lists(
            st.lists(st.integers(0, 50), min_size=models, max_size=models).filter(any),
            min_size=1,
            max_size=3,
        ),
        st.integers(1, models),
    )
)


def listed(
    world: World, directory: Vendors | None = None, definition: Definition = DEFINITION
) -> tuple[Listing, list[Decimal]]:
    """What is published of a world, and the truth: the total of each row."""
    days, named = world
    known = cast(Known, Published(days, named, directory or Vendors()))
    period = Period(FIRST, FIRST + timedelta(days=len(days) - 1))
    found = listing(known, definition, "models", period)
    assert found is not None
    return found, [Decimal(sum(day[at] for day in days)) for at in range(len(days[0]))]


def inside(value: Value | None, truth: Decimal) -> None:
    assert value is not None
    slack = Decimal("1e-20")
    assert value.low - slack <= truth, value
    assert value.high is None or truth <= value.high + slack, value
