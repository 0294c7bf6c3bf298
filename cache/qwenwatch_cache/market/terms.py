"""On which terms prices are wanted. Needs no Polars: the command line is read into it."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars as pl

EVERYWHERE = ("", "global")
"""Regions of prices that hold wherever the request comes from: a router's, and a vendor's only."""

REGIONS = ("intl", "cn", "global")
"""Regions that can be asked for: outside mainland China, within it, everywhere."""


class Terms(NamedTuple):
    """What is wanted of prices, apart from the model and the time.

    Attributes:
        basis: "route" or "list", "" for both.
        region: One of REGIONS, "" for all. Prices that hold everywhere hold there too.
        variant: "" for the standard price, "batch", "free" …; None for all.
        prompt_tokens: Length of the prompt, which decides on the tier; 0 is the base tier.
        currency: Currency to convert to, "" for none.
    """

    basis: str = ""
    region: str = ""
    variant: str | None = None
    prompt_tokens: int = 0
    currency: str = ""

    def of(self, rows: "pl.DataFrame") -> "pl.DataFrame":
        """The rows of prices.PRICES that are of the basis, region and variant wanted."""
        if self.basis:
            rows = rows.filter(rows["basis"] == self.basis)
        if self.region:
            rows = rows.filter(rows["region"].is_in([self.region, *EVERYWHERE]))
        if self.variant is not None:
            rows = rows.filter(rows["variant"] == self.variant)
        return rows


ANY_TERMS = Terms()
"""All prices there are, as stated, of the shortest prompts."""
