"""What a screen asks for: plain values that go to the data side unchanged."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MarketQuery:
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


@dataclass(frozen=True, slots=True)
class TablesQuery:
    """A wish for a `TablesView`: the answer to one question as tables.

    Attributes:
        question: Which question ("definitions", "changes", "model", "vendor").
        grain: "day", "week" or "month".
        steps_back: 0 is the newest complete window, 1 the one before it.
        subject: Id of the model or vendor that it is about, "" if it is about all.
    """

    question: str
    grain: str = "week"
    steps_back: int = 0
    subject: str = ""
