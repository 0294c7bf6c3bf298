"""What a screen asks for: plain values that go to the data side unchanged."""

from qwenwatch_widgets.views.codec import View


class MarketQuery(View, frozen=True):
    """A wish for a `MarketView`.

    Attributes:
        definition: Key of a definition ("tokens/openrouter-rankings"); "" lets the data decide.
        grain: "day", "week" or "month".
        by: Grouping of the leaderboard: "vendor", "model" or "country".
        steps_back: 0 is the newest complete window, 1 the one before it.
        baseline: Model that price ratios refer to (canonical id or an id of a feed).
    """

    definition: str = ""
    grain: str = "week"
    by: str = "vendor"
    steps_back: int = 0
    baseline: str = "alibaba/qwen3-max"


class PriceWish(View, frozen=True):
    """On which terms prices are wanted.

    Attributes:
        basis: "route" or "list", "" for both.
        currency: Currency to convert to, "" for prices as stated.
        prompt_tokens: Length of the prompt, which decides on the tier; 0 is the base tier.
        baseline: Model that price ratios refer to (canonical id or an id of a feed).
    """

    basis: str = ""
    currency: str = ""
    prompt_tokens: int = 0
    baseline: str = "alibaba/qwen3-max"


class TablesQuery(View, frozen=True):
    """A wish for a `TablesView`: the answer to one question as tables.

    Attributes:
        question: Which question ("definitions", "changes", "prices", "compare", …).
        grain: "day", "week" or "month".
        steps_back: 0 is the newest complete window, 1 the one before it.
        subject: Id of the model or vendor that it is about, "" if it is about all.
        models: Ids of the models that are compared.
        prices: On which terms, where it is about prices.
    """

    question: str
    grain: str = "week"
    steps_back: int = 0
    subject: str = ""
    models: tuple[str, ...] = ()
    prices: PriceWish = PriceWish()
