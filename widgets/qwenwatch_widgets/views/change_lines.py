"""Changes put together as a person reads them: what one offer changed at once is one line."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from qwenwatch_cache.market.hours import hours_text
from qwenwatch_widgets.views import amounts
from qwenwatch_widgets.views.claim_draft import Claimable
from qwenwatch_widgets.views.drafts import FIELDS, NOT_MOVED, change_claim
from qwenwatch_widgets.views.prices import money_text
from qwenwatch_widgets.views.table import Cell

if TYPE_CHECKING:
    import polars as pl

    from qwenwatch_cache.market.between import Changes

Order = Literal["time", "drop", "rise"]

COLUMN_FIELDS = ("input", "output", "cache_read")
"""Prices that have a column of their own."""

PER_TOKEN = ("input", "output")
"""Prices that a line's percentage is of, if one of them is among the changes."""

WORDS = {"schedule": "times of day", "tiers": "set of tiers"}
"""Changes of a whole offer, for people."""

_SAME = ("at", "id", "variant", "feed", "basis", "provider", "region", "source_id", "unit", "mark")


def days_text(changes: "Changes") -> str:
    """Of which days changes are told; of a last one that is not over, until when."""
    period = changes.asked.period
    text = f"{period.first} to {period.last} UTC, both days included"
    if period.first == period.last:
        text = f"{period.last} UTC"
    if period.end > changes.known_at:
        text += f" (the last is not over: up to {amounts.instant(changes.known_at)})"
    return text


class PriceLine(msgspec.Struct, frozen=True):
    """Price changes of one offer that were first seen together and have the same mark.

    Attributes:
        rows: Rows of changes.CHANGES, of kind price, lowest tier first.
    """

    rows: Sequence[Mapping[str, Any]]

    @property
    def first(self) -> Mapping[str, Any]:
        """What all rows have in common can be read from this one."""
        return self.rows[0]

    @property
    def key(self) -> str:
        """What no other line has."""
        return " ".join(str(self.first[name]) for name in _SAME)

    def price(self, field: str) -> Mapping[str, Any] | None:
        """The change of a field in the lowest tier that changed it."""
        return next((row for row in self.rows if row["field"] == field), None)

    @property
    def percents(self) -> Sequence[float]:
        """Known percentages of input and output; of the other prices where neither changed."""
        return self._percents(self._per_token or self.rows)

    @property
    def steps(self) -> Sequence[float]:
        """Known percentages of input and output alone."""
        return self._percents(self._per_token)

    @property
    def _per_token(self) -> Sequence[Mapping[str, Any]]:
        return [row for row in self.rows if row["field"] in PER_TOKEN]

    @staticmethod
    def _percents(rows: Sequence[Mapping[str, Any]]) -> Sequence[float]:
        return [row["percent"] for row in rows if row["percent"] is not None]

    @property
    def claim(self) -> Claimable:
        """The claim that the line makes: of input, else of output."""
        row = next((one for field in FIELDS if (one := self.price(field))), None)
        return change_claim(row, row["id"], row["unit"], row["at"]) if row else NOT_MOVED

    @property
    def others(self) -> Sequence[str]:
        """What else changed, each once: fields, tiers, the times of day."""
        fields = {row["field"] for row in self.rows} - set(COLUMN_FIELDS)
        tiers = {row["tier_from"] for row in self.rows if row["field"] in COLUMN_FIELDS}
        steps = [f">{amounts.short_count(tier)}" for tier in sorted(tiers) if tier]
        windows = {row["window_utc"] for row in self.rows} - {""}
        named = sorted(WORDS.get(name, name.replace("_", " ")) for name in fields)
        return [*steps, *map(hours_text, sorted(windows)), *named]


def price_lines(rows: "pl.DataFrame", order: Order = "time") -> list[PriceLine]:
    """Lines of the price changes among some rows.

    Args:
        rows: changes.CHANGES.
        order: "time": newest first. "drop": the largest drop of input or output first, and only
            what dropped; "rise": the same upwards.
    """
    prices = [row for row in rows.to_dicts() if row["kind"] == "price"]
    prices.sort(key=lambda row: (*map(_text, _group(row)), row["tier_from"], row["window_utc"]))
    lines = [PriceLine(tuple(group)) for _, group in groupby(prices, key=_group)]
    lines.sort(key=lambda line: (-line.first["at"].timestamp(), line.key))
    if order == "time":
        return lines
    sign = 1 if order == "drop" else -1
    moved = [(min(sign * one for one in line.steps), line) for line in lines if line.steps]
    moved.sort(key=lambda item: item[0])  # ties stay newest first
    return [line for step, line in moved if step < 0]


def _group(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _SAME)


def _text(value: object) -> str:
    return str(value)


def step(row: Mapping[str, Any] | None) -> str:
    """Both prices of a change: ``1.50 → 0.75``; "" if there is none."""
    if row is None:
        return ""
    return " → ".join(money_text(row[side], row["unit"]) for side in ("before", "after"))


def change(line: PriceLine) -> Cell:
    """By how much: ``▼ -35.0 %``, or from which to which if input and output differ.

    Where it is not of the input price, which is never left out, it says of which: its column may
    have no room.
    """
    percents = sorted(line.percents)
    if not percents:
        return Cell(amounts.UNKNOWN, "dim")
    texts = list(dict.fromkeys(per_cent(one) for one in (percents[0], percents[-1])))
    text = " … ".join(texts) + _of(line)
    if percents[0] < 0 < percents[-1]:
        return Cell(f"▲▼ {text}", sort=percents[0])
    # A price that rises is bad news for the reader, so it takes the colour of a loss.
    up = percents[-1] > 0
    return Cell(f"{'▲' if up else '▼'} {text}", "down" if up else "up", sort=percents[0])


def _of(line: PriceLine) -> str:
    """Which prices a line's percentages are of, where none of them is of input."""
    fields = {row["field"] for row in line.rows if row["percent"] is not None}
    if "input" in fields:
        return ""
    of = ["output"] if "output" in fields else sorted(map(_named, fields))
    return f" {of[0]}" + (f" +{len(of) - 1}" if len(of) > 1 else "")


def _named(field: str) -> str:
    """A price for people."""
    return "cached" if field == "cache_read" else WORDS.get(field, field.replace("_", " "))


def per_cent(value: float) -> str:
    """A relative change, signed: ``-35.0 %``; more than tenfold as a factor: ``×28.2``."""
    if value >= 900:
        return f"×{value / 100 + 1:,.1f}"
    return f"{value:+.1f} %"
