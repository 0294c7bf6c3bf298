"""Which price entries are in force at a moment: listed, and of the hour and day that it is."""

from datetime import datetime, timedelta

import polars as pl

from qwenwatch_cache.frames import PRICE_TABLE

GRACE = timedelta(days=7)
"""How long a model that vanished from a feed stays in force: feeds drop ids for a day and bring
them back (19 ids on 2026-01-16)."""

ON_DEMAND = "openrouter-endpoints"
"""Feed of what single hosts charge. It is asked about one model at a time, so that its polls say
nothing about other models; it has a question of its own."""

OFFER = ("feed", "basis", "provider", "region", "model", "variant", "currency")
"""Columns that name one offer; its tiers and times of day belong to it."""


def revisions(frame: pl.DataFrame, at: datetime, *facts: pl.Expr) -> pl.DataFrame:
    """All revisions of the keys that may be in force at a moment.

    That leaves out what vanished longer than `GRACE` ago: after years most of what was ever listed.

    Args:
        frame: Price rows observed by then.
        at: The moment.
        facts: Further aggregates over the revisions of a key.

    Returns:
        The rows of each key together, oldest first, with a number for the key (`id`) and its facts.
    """
    key = PRICE_TABLE.key
    rows = frame.sort(PRICE_TABLE.time, maintain_order=True).with_row_index("row")
    keys = (
        rows.group_by(key)
        .agg(
            pl.col("row"),
            *facts,
            last_listed=pl.col("listed").last(),
            last_time=pl.col(PRICE_TABLE.time).last(),
        )
        .filter(pl.col("last_listed") | (pl.col("last_time") > pl.lit(at - GRACE)))
        .drop(*key, "last_listed", "last_time")
        .with_row_index("id")
        .explode("row")
    )
    # Numbers bring the rows of a key together sooner than sorting by nine columns of text.
    return pl.concat([rows[keys["row"]].drop("row"), keys.drop("row")], how="horizontal")


def in_force(revisions: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """The last row of each key that is listed, or vanished so lately that it may come back.

    Args:
        revisions: As `revisions` gives them.
        at: The moment.

    Returns:
        Rows in the order of the key.
    """
    last = revisions.unique("id", keep="last", maintain_order=True).sort(PRICE_TABLE.key)
    offer = list(OFFER)
    listed = pl.col("listed")
    # All rows of an offer that vanishes vanish at once; older ones had been replaced before.
    newest = pl.col("observed_at") == pl.col("observed_at").max().over(offer)
    lately = pl.col("observed_at") > pl.lit(at - GRACE)
    gone = ~listed.any().over(offer) & newest & lately
    return last.filter(listed | gone)


def window_in_force(rows: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Of rows by time of day and day of the week, the ones whose window holds the moment.

    A window is "HHMM-HHMM", half-open, UTC; one that ends where it begins is the whole day, one
    that ends before it begins wraps over midnight. Before it may stand the ISO days of the week
    that it is for ("67 0000-0000"): the moment's own day counts, after midnight too.
    """
    window = pl.col("window_utc")
    start = window.str.slice(-9, 4).cast(pl.Int64, strict=False)
    end = window.str.slice(-4).cast(pl.Int64, strict=False)
    now = pl.lit(at.hour * 100 + at.minute, pl.Int64)
    inside = (
        pl.when(start < end)
        .then((now >= start) & (now < end))
        .otherwise((now >= start) | (now < end))
    )
    days = window.str.extract(r"^([1-7]+) ")
    today = days.str.contains(str(at.isoweekday()), literal=True).fill_null(True)
    return rows.filter((window == "") | (inside & today))


def tier_in_force(rows: pl.DataFrame, prompt_tokens: int = 0) -> pl.DataFrame:
    """Of the tiers of each offer the one that a request falls in, by the length of its prompt.

    The whole request is billed at that tier (Alibaba's price page, LiteLLM's documentation).

    Args:
        rows: Price rows in force.
        prompt_tokens: Length of the prompt; a tier is for prompts of more tokens than its
            `tier_from`.

    Returns:
        The rows, and `up_to`: tokens of the longest prompt each holds for, null if for all longer
        ones.
    """
    offer = [name for name in PRICE_TABLE.key if name != "tier_from"]
    reached = (pl.col("tier_from") == 0) | (pl.col("tier_from") < prompt_tokens)
    beyond = rows.filter(~reached).group_by(offer).agg(up_to=pl.col("tier_from").min())
    within = rows.filter(reached)
    chosen = within.filter(pl.col("tier_from") == pl.col("tier_from").max().over(offer))
    return chosen.join(beyond, on=offer, how="left")
