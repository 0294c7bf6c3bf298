"""The answer to a question as a screen gets it: ready text and nothing else."""

from dataclasses import dataclass

from qwenwatch_widgets.views.market import Headline
from qwenwatch_widgets.views.table import TableView


@dataclass(frozen=True, slots=True)
class TablesView:
    """The answer to a question on the screen.

    Attributes:
        headline: What the figures are, above and below the tables.
        tables: One below the other.
        sources: One line per source.
    """

    headline: Headline
    tables: tuple[TableView, ...]
    sources: tuple[str, ...]
