"""Which ids of which feeds are taken for one model, and who says so."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from qwenwatch_cache.identity import Relation, relations
from qwenwatch_cache.vendors import Vendor

if TYPE_CHECKING:
    from qwenwatch_cache.market.known import Known

JOINED = pl.Schema(
    {
        "canonical": pl.String(),
        "feed": pl.String(),
        "id": pl.String(),  # the feed's own id, verbatim
        "source": pl.String(),  # who publishes the relation, or why a person decided so
        "variants": pl.List(pl.String()),  # variants of the id that ever had a price ("free")
    }
)


class JoinedModel(msgspec.Struct, frozen=True):
    """A model with all its ids.

    Attributes:
        canonical: Canonical id.
        vendor: Who makes it.
        rows: JOINED.
    """

    canonical: str
    vendor: Vendor | None
    rows: pl.DataFrame


def joined_model(known: "Known", canonical: str) -> JoinedModel:
    """What is joined under a canonical id."""
    vendor = known.directory.vendor(canonical.partition("/")[0])
    return JoinedModel(canonical, vendor, joined(relations(canonical), known.price))


def joined(lines: Sequence[Relation], price: pl.DataFrame) -> pl.DataFrame:
    """The lines of the map about one model, with the variants of each id.

    Args:
        lines: Of the map.
        price: Price rows; `feed`, `model` and `variant` are looked at.

    Returns:
        JOINED, by feed and id.
    """
    named = price.filter(pl.col("model").is_in([line.id for line in lines])).filter(
        pl.col("variant") != ""
    )
    variants: dict[tuple[str, str], set[str]] = {}
    for feed, model, variant in named.select("feed", "model", "variant").unique().iter_rows():
        variants.setdefault((feed, model), set()).add(variant)
    rows = [
        {
            "canonical": line.canonical,
            "feed": line.feed,
            "id": line.id,
            "source": line.source,
            "variants": sorted(variants.get((line.feed, line.id), ())),
        }
        for line in sorted(lines, key=lambda line: (line.feed, line.id))
    ]
    return pl.DataFrame(rows, schema=JOINED)
