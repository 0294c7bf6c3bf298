"""What implied spend assumes and leaves out, in full sentences."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from qwenwatch_widgets.views import amounts

if TYPE_CHECKING:
    from qwenwatch_cache.market.implied_spend import Spend


def assumptions(spend: "Spend") -> Iterator[str]:
    """One statement each, in the order in which a reader asks."""
    mix = spend.mix
    yield "OpenRouter publishes tokens, not how many of them were input, output or cached."
    yield (
        "Low: every token at its model's cheapest price, of cached input where one is stated, "
        "cheapest tier and hour."
    )
    yield "High: every token at its model's dearest price, mostly of output, dearest tier and hour."
    yield "What the tokens came to at these prices lies between low and high, whatever the mix was."
    yield (
        f"Expected: every model is used alike, {_percent(mix.input)} fresh input, "
        f"{_percent(mix.output)} output and {_percent(mix.cached)} cached input."
    )
    yield (
        "Its prices are those for short prompts, hours of the day by their length. "
        "That mix is an assumption, no figure."
    )
    if spend.basis == "route":
        yield "Route prices are what OpenRouter charges, those of the provider that it lists first."
    else:
        yield (
            "List prices are the vendors' in USD, outside mainland China where they list both; "
            "OpenRouter charges others."
        )
    if spend.daily:
        yield "The tokens of a day are priced as of its end."
    else:
        yield (
            "Only the week's total is known: cheapest, dearest and mean expected price "
            "of its days are taken."
        )
    yield (
        "Free: variants that are free, and models that have been listed at 0 for long enough "
        "(mostly cloaked ones, on trial); they cost 0."
    )
    yield "What has no known price is in no amount and in no share."
    yield (
        "Low–high %: the lowest share is own tokens at low, all others' at high; "
        "the highest the other way round."
    )
    yield "Not included: cache writes, images, audio, searches, fees per request, discounts."
    yield f"{_sentence(spend.definition.caveat)}."
    if spend.compared:
        yield (
            "Vercel: share of spend measured on Vercel's AI Gateway: "
            "another platform, with other customers."
        )
        yield "Its upper end adds all that Vercel does not attribute to anybody."
        yield "Δ pp: how far the expected share lies above or below what Vercel measured."
        yield (
            "Range: whether what Vercel measured meets low–high, else how many points "
            "above or below it lies."
        )


def _percent(part: Decimal) -> str:
    return f"{float(part * 100):g} %"


def _sentence(text: str) -> str:
    return amounts.clean(text[:1].upper() + text[1:])
